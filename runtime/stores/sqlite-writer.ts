import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import {
  type ArchiveRow,
  type DeadLetter,
  type EffectSettlement,
  type InstanceKey,
  type KeyChange,
  type OldCommand,
  type ProjectedInstance,
  type PruneRow,
  StoreUnavailable,
} from "../ports.ts";
import { Archive } from "./sqlite-archive.ts";
import { type EncodedProjections, Projector } from "./sqlite-projector.ts";
import { openForWriting, type SqliteFile } from "./sqlite-schema.ts";
import { type Call, errorOf, failure, isUnavailable, type Reply } from "./worker-channel.ts";

/** The thread that writes. Whatever waits when it is free goes into one transaction, so that many callers share one sync. */

/** What is kept with an entry now and then. */
export interface KeptRow {
  /** Index of the entry in its append. */
  readonly entry: number;
  readonly snapshot: string | undefined;
  readonly wrappedKey: string | undefined;
  readonly oldCommands: readonly OldCommand[];
}

/** Entries as they cross threads: flat lists and one text, which are cheaper to copy than objects. */
export interface EncodedAppend {
  readonly kind: "append";
  /** tenant, instance, sequence, at, body, hash of each. */
  readonly journal: readonly (string | number)[];
  readonly kept: readonly KeptRow[];
  /** Of each entry. */
  readonly projections: EncodedProjections;
}

export type WriteRequest =
  | EncodedAppend
  /** Everything that was written before goes into the tables that lists are read from. */
  | { readonly kind: "project" }
  /** Effects that were carried out (tenant, id of each), and what became of others. */
  | { readonly kind: "settle"; readonly done: readonly string[]; readonly others: readonly EffectSettlement[] }
  | { readonly kind: "drop-timers"; readonly timers: readonly (InstanceKey & { readonly timer: string })[] }
  | { readonly kind: "dead-letter"; readonly letter: DeadLetter }
  | { readonly kind: "drop-dead-letter"; readonly tenant: string; readonly id: string }
  | ({ readonly kind: "reproject"; readonly projected: ProjectedInstance } & InstanceKey)
  | { readonly kind: "archive"; readonly rows: readonly ArchiveRow[] }
  | { readonly kind: "prune"; readonly rows: readonly PruneRow[] }
  | { readonly kind: "rewrap"; readonly changes: readonly KeyChange[] }
  | { readonly kind: "set" | "keep"; readonly name: string; readonly value: string };

/** Requests in one transaction; appends carry some hundred rows each. */
const GROUP_REQUESTS_MAX = 1_024;
/** Without work for so long, the writer copies the log into the file. */
const IDLE_MS = 100;

class Writer {
  readonly #database: DatabaseSync;
  readonly #projector: Projector;
  readonly #archive: Archive;
  readonly #insertEntry: StatementSync;
  readonly #putSnapshot: StatementSync;
  readonly #putWrappedKey: StatementSync;
  readonly #dropTimer: StatementSync;
  readonly #insertOldCommand: StatementSync;
  readonly #failEffect: StatementSync;
  readonly #renewEffect: StatementSync;
  readonly #putDeadLetter: StatementSync;
  readonly #dropDeadLetter: StatementSync;
  readonly #putSetting: StatementSync;
  readonly #keepSetting: StatementSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#projector = new Projector(database);
    this.#archive = new Archive(database);
    const prepare = (sql: string) => database.prepare(sql);
    this.#begin = prepare("BEGIN IMMEDIATE");
    this.#commit = prepare("COMMIT");
    this.#insertEntry = prepare(
      "INSERT INTO journal (number, sequence, at, body, hash) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#putSnapshot = prepare(`INSERT INTO snapshots (number, sequence, body, hash) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET sequence = excluded.sequence, body = excluded.body, hash = excluded.hash
      WHERE excluded.sequence > sequence`);
    this.#putWrappedKey = prepare("INSERT INTO wrapped_keys VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#dropTimer = prepare("DELETE FROM timers WHERE number = ? AND id = ?");
    this.#insertOldCommand = prepare("INSERT INTO old_commands VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    this.#failEffect =
      prepare(`UPDATE effects SET dead = ?, attempts = attempts + 1, next_at = coalesce(?, next_at), error = ?
      WHERE tenant = ? AND id = ?`);
    this.#renewEffect = prepare(
      `UPDATE effects SET dead = 0, attempts = 0, next_at = ?, error = NULL WHERE tenant = ? AND id = ?`,
    );
    this.#dropDeadLetter = prepare("DELETE FROM dead_letters WHERE tenant = ? AND id = ?");
    this.#putDeadLetter =
      prepare(`INSERT INTO dead_letters (tenant, id, at, origin, reason, body) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET at = excluded.at, origin = excluded.origin, reason = excluded.reason, body = excluded.body`);
    this.#putSetting = prepare("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
    this.#keepSetting = prepare("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING");
  }

  /** What was written and not projected when the process before ended. @throws Error if there is no room for it. */
  catchUp(): void {
    const [reply] = this.write([{ call: 0, request: { kind: "project" } }]);
    if (reply!.kind === "failed") throw errorOf(reply!);
  }

  /** Writes all in one transaction. If one can't be written for a reason of its own, the others still are. */
  write(calls: readonly Call<WriteRequest>[]): readonly Reply[] {
    const durable = !calls.every(({ request }) => onlyNotes(request));
    try {
      if (durable) this.#begin.run();
      const replies = calls.map(({ call, request }): Reply => ({ call, kind: "value", value: this.#apply(request) }));
      if (calls.some(({ request }) => needsProjection(request))) {
        this.#projector.project();
        for (const { request } of calls) this.#applyProjected(request);
      }
      if (durable) this.#commit.run();
      this.#projector.committed();
      return replies;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#projector.rolledBack();
      if (calls.length > 1 && !isUnavailable(error)) return calls.flatMap((call) => this.write([call]));
      return calls.map(({ call }) => failure(call, error));
    }
  }

  /** Copies the log into the file, as far as no reader needs it. Nothing is lost if it fails: the next commit tells its caller. */
  checkpoint(): void {
    try {
      this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #apply(request: WriteRequest): unknown {
    switch (request.kind) {
      case "append":
        return this.#append(request);
      case "settle":
        this.#projector.settle(request.done);
        return undefined;
      case "project":
      case "drop-timers":
      case "reproject":
      case "archive":
      case "prune":
        return undefined;
      case "rewrap":
        for (const change of request.changes) this.#archive.rewrap(change);
        return undefined;
      case "dead-letter": {
        const { tenant, id, at, origin, reason, body } = request.letter;
        this.#putDeadLetter.run(tenant, id, at, origin, reason, body);
        return undefined;
      }
      case "drop-dead-letter":
        this.#dropDeadLetter.run(request.tenant, request.id);
        return undefined;
      case "set":
        this.#putSetting.run(request.name, request.value);
        return undefined;
      case "keep":
        this.#keepSetting.run(request.name, request.value);
        return undefined;
    }
  }

  /** What changes rows that must have been projected before. */
  #applyProjected(request: WriteRequest): void {
    if (request.kind === "settle") for (const settlement of request.others) this.#settle(settlement);
    if (request.kind === "reproject") this.#reproject(request, request.projected);
    if (request.kind === "archive")
      for (const row of request.rows) this.#whereKnown(row, (number) => this.#archive.archive(number, row));
    if (request.kind === "prune")
      for (const row of request.rows) this.#whereKnown(row, (number) => this.#archive.prune(number, row));
    if (request.kind !== "drop-timers") return;
    for (const dropped of request.timers)
      this.#whereKnown(dropped, (number) => this.#dropTimer.run(number, dropped.timer));
  }

  #whereKnown({ tenant, instance }: InstanceKey, work: (number: number) => unknown): void {
    const number = this.#projector.numberOf(tenant, instance);
    if (number !== undefined) work(number);
  }

  /** @returns indices of the entries whose key was taken; of those nothing was written. */
  #append({ journal, kept, projections }: EncodedAppend): readonly number[] {
    const taken: number[] = [];
    const numbers: (number | null)[] = [];
    for (let i = 0; i < journal.length; i += 6) {
      const number = this.#insert(journal, i);
      if (number === null) taken.push(numbers.length);
      numbers.push(number);
    }
    for (const row of kept) {
      const number = numbers[row.entry];
      if (typeof number === "number") this.#keep(number, row, journal);
    }
    this.#projector.add(numbers, projections);
    return taken;
  }

  /** @returns the instance's number, or `null` if the key was taken. */
  #insert(journal: EncodedAppend["journal"], at: number): number | null {
    const [tenant, instance] = [journal[at] as string, journal[at + 1] as string];
    const number = this.#projector.numberOf(tenant, instance) ?? this.#projector.newNumber(tenant, instance);
    const { changes } = this.#insertEntry.run(
      number,
      journal[at + 2]!,
      journal[at + 3]!,
      journal[at + 4]!,
      journal[at + 5]!,
    );
    return changes === 0 ? null : number;
  }

  #keep(
    number: number,
    { entry, snapshot, wrappedKey, oldCommands }: KeptRow,
    journal: EncodedAppend["journal"],
  ): void {
    const [sequence, hash] = [journal[entry * 6 + 2]!, journal[entry * 6 + 5]!];
    if (snapshot !== undefined) this.#putSnapshot.run(number, sequence, snapshot, hash);
    if (wrappedKey !== undefined) this.#putWrappedKey.run(number, wrappedKey);
    for (const c of oldCommands) this.#insertOldCommand.run(number, c.source, c.id, c.digest, c.version, c.sequence);
  }

  #reproject({ tenant, instance }: InstanceKey, projected: ProjectedInstance): void {
    const number = this.#projector.numberOf(tenant, instance);
    if (number === undefined) throw new Error(`there is no instance \`${instance}\``);
    this.#projector.replace(number, tenant, projected);
    for (const c of projected.oldCommands)
      this.#insertOldCommand.run(number, c.source, c.id, c.digest, c.version, c.sequence);
  }

  #settle(settlement: EffectSettlement): void {
    const { tenant, id } = settlement;
    if (settlement.kind === "renew") this.#renewEffect.run(settlement.nextAt, tenant, id);
    else if (settlement.kind === "retry") this.#failEffect.run(0, settlement.nextAt, settlement.error, tenant, id);
    else if (settlement.kind === "dead") this.#failEffect.run(1, null, settlement.error, tenant, id);
  }
}

/** Nothing of it has to be durable. */
const onlyNotes = (request: WriteRequest): boolean => request.kind === "settle" && request.others.length === 0;

const PROJECTED: ReadonlySet<WriteRequest["kind"]> = new Set([
  ...(["project", "drop-timers", "reproject", "archive", "prune"] as const),
]);

const needsProjection = (request: WriteRequest): boolean =>
  PROJECTED.has(request.kind) || (request.kind === "settle" && !onlyNotes(request));

/**
 * Takes the lock of the file: a database beside it in an exclusive transaction, whose file lock dies with the process.
 * The store's own file can't carry it, since its readers need to get in.
 */
function lock(path: string): DatabaseSync {
  const database = new DatabaseSync(`${path}-lock`, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    if (!isUnavailable(error)) throw error;
    throw new StoreUnavailable(`\`${path}\` is in use by another process: stop it, or use another file`, {
      cause: error,
    });
  }
}

function main(): void {
  const port = parentPort!;
  const file = workerData as SqliteFile;
  let held: DatabaseSync | undefined;
  try {
    held = lock(file.path);
    const writer = new Writer(openForWriting(file));
    writer.catchUp();
    serve(writer, held);
    port.postMessage([{ call: 0, kind: "value", value: undefined } satisfies Reply]);
  } catch (error) {
    held?.close();
    port.postMessage([failure(0, error, `\`${file.path}\``)]);
    port.close();
  }
}

function serve(writer: Writer, held: DatabaseSync): void {
  const port = parentPort!;
  const waiting: Call<WriteRequest>[] = [];
  const idle = setTimeout(() => writer.checkpoint(), IDLE_MS);
  port.on("message", (first: Call<WriteRequest> | "close") => {
    const close = drain(first, waiting);
    if (waiting.length > 0) port.postMessage(writer.write(waiting.splice(0)));
    idle.refresh();
    if (!close) return;
    clearTimeout(idle);
    writer.close();
    held.close();
    port.close();
  });
}

/** Takes what waits at this moment. @returns whether the end was among it. */
function drain(first: Call<WriteRequest> | "close", into: Call<WriteRequest>[]): boolean {
  let message: Call<WriteRequest> | "close" | undefined = first;
  while (message !== undefined && message !== "close") {
    into.push(message);
    message = into.length < GROUP_REQUESTS_MAX ? receiveMessageOnPort(parentPort!)?.message : undefined;
  }
  return message === "close";
}

main();
