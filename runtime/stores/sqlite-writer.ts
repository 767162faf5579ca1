import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { DeadLetter, EffectSettlement, InstanceKey } from "../ports.ts";
import { StoreUnavailable } from "../ports.ts";
import { openForWriting, type SqliteFile } from "./sqlite-schema.ts";
import { type Call, failure, isUnavailable, type Reply } from "./worker-channel.ts";

/** The thread that writes. Whatever waits when it is free goes into one transaction, so that many callers share one sync. */

/** One value of a row. */
export type Cell = string | number | null;

/** An {@link AppendRow} as it crosses threads: flat lists, which are cheaper to copy than objects. */
export type EncodedRow = readonly [
  tenant: string,
  instance: string,
  sequence: number,
  at: number,
  body: string,
  hash: string,
  /** flow, key, initiator, definition, started_at, then what changes: state, outcome, version, updated_at. */
  summary: readonly Cell[] | null,
  snapshot: string | null,
  wrappedKey: string | null,
  /** id, assignee, open, opened_at, body of each. */
  tasks: readonly Cell[],
  /** id, due_at, body of each. */
  timersSet: readonly Cell[],
  timersGone: readonly string[],
  /** id, body of each. */
  effects: readonly string[],
  /** source, id, digest, version, sequence of each. */
  oldCommands: readonly Cell[],
];

export type WriteRequest =
  | { readonly kind: "append"; readonly rows: readonly EncodedRow[] }
  | { readonly kind: "settle"; readonly done: readonly EffectSettlement[] }
  | { readonly kind: "drop-timers"; readonly timers: readonly (InstanceKey & { readonly timer: string })[] }
  | { readonly kind: "dead-letter"; readonly letter: DeadLetter }
  | { readonly kind: "set"; readonly name: string; readonly value: string };

/** Requests in one transaction; appends carry some hundred rows each. */
const GROUP_REQUESTS_MAX = 1_024;
/** Without work for so long, the writer copies the log into the file. */
const IDLE_MS = 100;
/** Settled effects wait so long for an append whose sync they can share: a caller waits for an append, nobody for them. */
const SETTLE_DELAY_MS = 2;

class Writer {
  readonly #database: DatabaseSync;
  readonly #findNumber: StatementSync;
  readonly #insertInstance: StatementSync;
  readonly #updateInstance: StatementSync;
  readonly #insertEntry: StatementSync;
  readonly #putSnapshot: StatementSync;
  readonly #putWrappedKey: StatementSync;
  readonly #putTask: StatementSync;
  readonly #putTimer: StatementSync;
  readonly #dropTimer: StatementSync;
  readonly #insertEffect: StatementSync;
  readonly #insertOldCommand: StatementSync;
  readonly #deleteEffect: StatementSync;
  readonly #failEffect: StatementSync;
  readonly #putDeadLetter: StatementSync;
  readonly #putSetting: StatementSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const prepare = (sql: string) => database.prepare(sql);
    this.#begin = prepare("BEGIN IMMEDIATE");
    this.#commit = prepare("COMMIT");
    this.#findNumber = prepare("SELECT number FROM instances WHERE tenant = ? AND instance = ?");
    this.#findNumber.setReturnArrays(true);
    this.#insertInstance = prepare(`INSERT INTO instances
      (tenant, instance, sequence, flow, key, initiator, definition, started_at, state, outcome, version, updated_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#updateInstance = prepare(`UPDATE instances
      SET sequence = ?1, state = ?2, outcome = ?3, version = ?4, updated_at = ?5 WHERE number = ?6 AND sequence < ?1`);
    this.#insertEntry = prepare(
      "INSERT INTO journal (number, sequence, at, body, hash) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#putSnapshot = prepare(`INSERT INTO snapshots (number, sequence, body, hash) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET sequence = excluded.sequence, body = excluded.body, hash = excluded.hash
      WHERE excluded.sequence > sequence`);
    this.#putWrappedKey = prepare("INSERT INTO wrapped_keys VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#putTask =
      prepare(`INSERT INTO tasks (number, tenant, id, assignee, open, opened_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET assignee = excluded.assignee, open = excluded.open, opened_at = excluded.opened_at, body = excluded.body`);
    this.#putTimer = prepare(`INSERT INTO timers (number, id, due_at, body) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET due_at = excluded.due_at, body = excluded.body`);
    this.#dropTimer = prepare("DELETE FROM timers WHERE number = ? AND id = ?");
    this.#insertEffect = prepare(`INSERT INTO effects (tenant, instance, dead, attempts, next_at, id, body)
      VALUES (?, ?, 0, 0, ?, ?, ?) ON CONFLICT DO NOTHING`);
    this.#insertOldCommand = prepare("INSERT INTO old_commands VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    this.#deleteEffect = prepare("DELETE FROM effects WHERE tenant = ? AND id = ?");
    this.#failEffect =
      prepare(`UPDATE effects SET dead = ?, attempts = attempts + 1, next_at = coalesce(?, next_at), error = ?
      WHERE tenant = ? AND id = ?`);
    this.#putDeadLetter =
      prepare(`INSERT INTO dead_letters (tenant, id, at, origin, reason, body) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET at = excluded.at, origin = excluded.origin, reason = excluded.reason, body = excluded.body`);
    this.#putSetting = prepare("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
  }

  /** Writes all in one transaction. If one can't be written for a reason of its own, the others still are. */
  write(calls: readonly Call<WriteRequest>[]): readonly Reply[] {
    try {
      this.#begin.run();
      const replies = calls.map(({ call, request }): Reply => ({ call, kind: "value", value: this.#apply(request) }));
      this.#commit.run();
      return replies;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
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
        return this.#append(request.rows);
      case "settle":
        for (const settlement of request.done) this.#settle(settlement);
        return undefined;
      case "drop-timers":
        for (const { tenant, instance, timer } of request.timers) {
          const number = this.#numberOf(tenant, instance);
          if (number !== undefined) this.#dropTimer.run(number, timer);
        }
        return undefined;
      case "dead-letter": {
        const { tenant, id, at, origin, reason, body } = request.letter;
        this.#putDeadLetter.run(tenant, id, at, origin, reason, body);
        return undefined;
      }
      case "set":
        this.#putSetting.run(request.name, request.value);
        return undefined;
    }
  }

  #append(rows: readonly EncodedRow[]): readonly InstanceKey[] {
    const taken: InstanceKey[] = [];
    for (const row of rows) if (!this.#appendRow(row)) taken.push({ tenant: row[0], instance: row[1] });
    return taken;
  }

  /** @returns false if the key was taken: then nothing of the row was written. */
  #appendRow(row: EncodedRow): boolean {
    const [tenant, instance, sequence, at, body, hash, summary] = row;
    const known = this.#numberOf(tenant, instance);
    const number = known ?? this.#start(tenant, instance, sequence, summary);
    if (this.#insertEntry.run(number, sequence, at, body, hash).changes === 0) return false;
    if (known !== undefined && summary) this.#updateInstance.run(sequence, ...summary.slice(5), number);
    this.#project(number, row);
    return true;
  }

  #numberOf(tenant: string, instance: string): number | undefined {
    const row = this.#findNumber.get(tenant, instance) as unknown as readonly [number] | undefined;
    return row?.[0];
  }

  #start(tenant: string, instance: string, sequence: number, summary: readonly Cell[] | null): number {
    const cells = summary ?? [null, null, null, null, null, null, null, null, null];
    return Number(this.#insertInstance.run(tenant, instance, sequence, ...cells).lastInsertRowid);
  }

  #project(number: number, row: EncodedRow): void {
    const [
      tenant,
      instance,
      sequence,
      at,
      ,
      hash,
      ,
      snapshot,
      wrappedKey,
      tasks,
      timers,
      timersGone,
      effects,
      commands,
    ] = row;
    if (snapshot !== null) this.#putSnapshot.run(number, sequence, snapshot, hash);
    if (wrappedKey !== null) this.#putWrappedKey.run(number, wrappedKey);
    for (let i = 0; i < tasks.length; i += 5)
      this.#putTask.run(number, tenant, tasks[i]!, tasks[i + 1]!, tasks[i + 2]!, tasks[i + 3]!, tasks[i + 4]!);
    for (const id of timersGone) this.#dropTimer.run(number, id);
    for (let i = 0; i < timers.length; i += 3) this.#putTimer.run(number, timers[i]!, timers[i + 1]!, timers[i + 2]!);
    for (let i = 0; i < effects.length; i += 2)
      this.#insertEffect.run(tenant, instance, at, effects[i]!, effects[i + 1]!);
    for (let i = 0; i < commands.length; i += 5) this.#insertOldCommand.run(number, ...commands.slice(i, i + 5));
  }

  #settle(settlement: EffectSettlement): void {
    const { tenant, id } = settlement;
    if (settlement.kind === "done") this.#deleteEffect.run(tenant, id);
    else if (settlement.kind === "retry") this.#failEffect.run(0, settlement.nextAt, settlement.error, tenant, id);
    else this.#failEffect.run(1, null, settlement.error, tenant, id);
  }
}

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
    serve(new Writer(openForWriting(file)), held);
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
  let patience: NodeJS.Timeout | undefined;
  const write = (): void => {
    clearTimeout(patience);
    patience = undefined;
    if (waiting.length > 0) port.postMessage(writer.write(waiting.splice(0)));
    idle.refresh();
  };
  port.on("message", (first: Call<WriteRequest> | "close") => {
    const close = drain(first, waiting);
    if (close || waiting.some(({ request }) => request.kind !== "settle")) write();
    else patience ??= setTimeout(write, SETTLE_DELAY_MS);
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
