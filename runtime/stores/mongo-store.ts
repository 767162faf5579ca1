import { randomBytes } from "node:crypto";
import { type Collection, type Db, type Document, type Filter, MongoClient, ReadConcern } from "mongodb";
import { backgroundClock, pause } from "../clock.ts";
import type { Partitions } from "../cluster/partition.ts";
import {
  type AppendResult,
  type AppendRow,
  type ArchiveRow,
  type Claim,
  type Clock,
  type ClusterView,
  type CommandName,
  type DeadLetter,
  type EffectSettlement,
  type EndedQuery,
  type InstanceKey,
  type InstanceQuery,
  type InstanceSummary,
  type KeyChange,
  type Member,
  type OldCommand,
  type Page,
  type PageRequest,
  type ProjectedInstance,
  type PruneRow,
  type Store,
  type StoredCheckpoint,
  type StoredEffect,
  type StoredEntry,
  type StoredInstance,
  type StoredTask,
  type StoredTimer,
  StoreUnavailable,
  type TaskQuery,
  type TenantUsage,
  UnusableStore,
  type WrappedKey,
} from "../ports.ts";
import { BEHIND_MS, CatchUp } from "./catch-up.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { STUCK_ATTEMPTS } from "./limits.ts";
import { MongoArchive, placeOf } from "./mongo-archive.ts";
import { MongoCluster } from "./mongo-cluster.ts";
import {
  type Collections,
  collectionsOf,
  type EffectDocument,
  type InstanceDocument,
  type LetterDocument,
  makeIndexes,
  nameOf,
  type TaskDocument,
  type TimerDocument,
  timerId,
} from "./mongo-documents.ts";
import { Doubts } from "./mongo-doubts.ts";
import { reached, upserted } from "./mongo-errors.ts";
import { Doubtful, MongoJournal } from "./mongo-journal.ts";
import { commandsAhead, loadInstances, readHistory } from "./mongo-loader.ts";
import { Projector } from "./mongo-projector.ts";
import { RANKS } from "./task-rank.ts";

export interface MongoOptions {
  /** What lists are read from is at most so far behind the journal, unless somebody reads; 80 by default. */
  readonly behindMs?: number;
  /** How long a server is looked for that takes what is asked; 5,000 by default. */
  readonly selectionMs?: number;
  /** How long an insert is asked again whose outcome nobody told; 10,000 by default. */
  readonly insertAgainMs?: number;
  /** After so long an insert that was sent can't land any more; 60,000 by default. */
  readonly landedMs?: number;
  /** Others may have brought in what waited for so long, because they thought that we were dead; 5,000 by default. */
  readonly staleMs?: number;
  /** No node works on the database meanwhile: what any of them did not bring in is brought in. */
  readonly alone?: true;
  /** This process's name, if it is to be a node among others; else it has one of its own. */
  readonly node?: string;
  /** The system's by default. */
  readonly clock?: Clock;
}

/** Of one operation on the server. */
const OPERATION_MS = 10_000;
const SELECTION_MS = 5_000;
/** Kept in the settings; a database of another version is refused. */
const SCHEMA = { _id: "schema", value: "2" } as const;
/** Rows that may wait for projecting before appends wait for it. */
const UNPROJECTED_MAX = 20_000;
/** In one command. */
const UPDATES_MAX = 1_000;
const FERRETDB_UPDATES_MAX = 5;
/** Between two looks for entries of which it is not known whether they were written. */
const DOUBT_MS = 1_000;
/** Between two looks whether other nodes have brought in the entries before ours. */
const HELD_MS = 20;
/** Readers don't wait for it longer: that node may be dead. */
const HELD_MAX_MS = 500;

/**
 * Opens the store in a database of a MongoDB server, replica set or sharded cluster, or of a server that speaks its protocol.
 * @param url with the database's name: `mongodb://HOST/DATABASE`.
 * @throws {StoreUnavailable} if it can't be reached. @throws {UnusableStore} if the database is something else.
 */
export async function openMongoStore(url: string, options: MongoOptions = {}): Promise<Store> {
  const client = clientOf(url, options);
  try {
    await reached(client.connect());
    const database = await databaseOf(client);
    return await openMongoStoreIn(database, {
      ...options,
      updatesMax: await updatesMaxOf(client),
      close: () => client.close(),
    });
  } catch (error) {
    await client.close();
    throw error;
  }
}

export interface OpenedDatabase {
  /** Updates in one command. */
  readonly updatesMax?: number;
  /** Ends the connection. */
  close(): Promise<void>;
}

/** The store in a database to which there is a connection. @throws as {@link openMongoStore}. */
export async function openMongoStoreIn(database: Db, options: MongoOptions & OpenedDatabase): Promise<Store> {
  const collections = collectionsOf(database);
  await reached(prepare(collections));
  const node = options.node ?? randomBytes(9).toString("base64url");
  const store = new MongoStore(collections, { updatesMax: UPDATES_MAX, ...options, node });
  // Before it announces anything, so that nobody takes it for what a dead one left.
  if (options.node !== undefined) await store.beat({ node, beats: 0 });
  await reached(store.takeOver(options.alone === true));
  return store;
}

function clientOf(url: string, { selectionMs = SELECTION_MS }: MongoOptions): MongoClient {
  return new MongoClient(url, {
    appName: "assent",
    connectTimeoutMS: selectionMs,
    serverSelectionTimeoutMS: selectionMs,
    waitQueueTimeoutMS: selectionMs,
    // The server ends an operation before; beyond it the way there is broken.
    socketTimeoutMS: 2 * OPERATION_MS,
    readPreference: "primary",
    ignoreUndefined: true,
  });
}

/** What isn't durable may be undone, so nothing is decided on it. A lone server has no majority to read from. */
async function databaseOf(client: MongoClient): Promise<Db> {
  const { setName, msg } = await reached(client.db().command({ hello: 1 }, { maxTimeMS: OPERATION_MS } as object));
  const isReplicated = setName !== undefined || msg === "isdbgrid";
  return client.db(undefined, {
    writeConcern: { w: "majority", journal: true, wtimeoutMS: OPERATION_MS },
    ...(isReplicated && { readConcern: new ReadConcern("majority") }),
  });
}

/** FerretDB 1 holds a connection to its own store for every update of a command, has 100, and stands still without one. */
async function updatesMaxOf(client: MongoClient): Promise<number> {
  const { ferretdbVersion } = await reached(client.db().command({ buildInfo: 1 }));
  return ferretdbVersion === undefined ? UPDATES_MAX : FERRETDB_UPDATES_MAX;
}

const LIMIT = { maxTimeMS: OPERATION_MS } as const;

async function prepare(collections: Collections): Promise<void> {
  await makeIndexes(collections, LIMIT);
  const { _id, value } = SCHEMA;
  const { settings } = collections;
  await upserted(() => settings.updateOne({ _id }, { $setOnInsert: { value } }, { upsert: true, ...LIMIT }));
  const found = await settings.findOne({ _id }, LIMIT);
  if (found?.value !== value)
    throw new UnusableStore(
      `this database is not a store of this version (found version ${found?.value}, need ${value})`,
    );
}

type Opened = MongoOptions & Required<OpenedDatabase> & { readonly node: string };

class MongoStore implements Store {
  readonly shared = true;
  readonly #closeConnection: () => Promise<void>;
  readonly #clock: Clock;
  readonly #collections: Collections;
  readonly #journal: MongoJournal;
  readonly #doubts: Doubts;
  readonly #projector: Projector;
  readonly #archive: MongoArchive;
  readonly #catchUp: CatchUp;
  readonly #cluster: MongoCluster;
  readonly #node: string;
  /** Nobody else is known to write. */
  #alone = false;
  #callOffLook: () => void = () => {};
  #closed = false;

  constructor(collections: Collections, options: Opened) {
    const {
      behindMs = BEHIND_MS,
      insertAgainMs,
      landedMs,
      updatesMax,
      node,
      staleMs,
      clock = backgroundClock,
    } = options;
    this.#closeConnection = () => options.close();
    this.#clock = clock;
    this.#collections = collections;
    this.#node = node;
    this.#cluster = new MongoCluster(collections, LIMIT);
    this.#journal = new MongoJournal(collections, node, {
      ...{ ...LIMIT, clock },
      ...(insertAgainMs !== undefined && { insertAgainMs }),
    });
    this.#doubts = new Doubts(collections, { ...{ ...LIMIT, clock }, ...(landedMs !== undefined && { landedMs }) });
    this.#projector = new Projector(collections, this.#doubts, {
      ...{ ...LIMIT, updatesMax, clock },
      ...(staleMs !== undefined && { staleMs }),
    });
    this.#archive = new MongoArchive(collections, { ...LIMIT, updatesMax });
    this.#catchUp = new CatchUp(() => this.#project(), behindMs, clock.after);
  }

  /** Brings in what nodes before wrote and did not project. */
  async takeOver(all: boolean): Promise<void> {
    await (all ? this.#doubts.adoptAll() : this.#doubts.adoptStrays());
    if (this.#doubts.size > 0) await this.#project();
  }

  async append(rows: readonly AppendRow[]): Promise<AppendResult> {
    this.#assertOpen();
    if (this.#projector.size > UNPROJECTED_MAX) await this.#catchUp.now();
    try {
      const appended = await this.#journal.append(rows);
      for (const row of appended.rows) this.#catchUp.wroteName(row.name);
      this.#projector.add(appended);
      this.#catchUp.wrote();
      return {
        taken: appended.taken.map((index) => ({ tenant: rows[index]!.tenant, instance: rows[index]!.instance })),
      };
    } catch (error) {
      if (!(error instanceof Doubtful)) throw error;
      this.#doubts.add(error.intent);
      this.#catchUp.wrote();
      throw error.cause;
    }
  }

  async load(keys: readonly InstanceKey[]): Promise<readonly StoredInstance[]> {
    this.#assertOpen();
    if (keys.some(({ tenant, instance }) => this.#catchUp.mayLack(nameOf(tenant, instance)))) await this.#catchUp.now();
    return reached(loadInstances(this.#collections, keys, LIMIT));
  }

  history(key: InstanceKey): Promise<readonly StoredEntry[]> {
    this.#assertOpen();
    return reached(readHistory(this.#collections, key, LIMIT));
  }

  async findCommands(asked: readonly CommandName[]): Promise<readonly (OldCommand | undefined)[]> {
    this.#assertOpen();
    const ids = asked.map(({ tenant, instance, source, id }) => nameOf(tenant, instance, source, id));
    const waiting = new Map(ids.map((id) => [id, this.#projector.waitingCommand(id)]));
    const missing = ids.filter((id) => !waiting.get(id));
    const found = missing.length > 0 ? await this.#commands(asked, missing) : new Map();
    return asked.map(({ source, id }, index) => {
      const command = waiting.get(ids[index]!) ?? found.get(ids[index]!);
      return command && { source, id, digest: command.digest, version: command.version, sequence: command.sequence };
    });
  }

  async dueEffects(partitions: Partitions, at: number, limit: number): Promise<readonly StoredEffect[]> {
    const due = { dead: false, ...among(partitions), nextAt: { $lte: at } };
    return (await this.#listed(this.#collections.effects, due, { nextAt: 1, position: 1 }, limit)).map(effectFrom);
  }

  /** That one is done is durable a moment later: after a kill in between it is carried out again, under the same key. */
  async settleEffects(settlements: readonly EffectSettlement[]): Promise<void> {
    this.#assertOpen();
    this.#projector.settle(settlements.filter(({ kind }) => kind === "done"));
    this.#catchUp.wrote();
    const updates = settlements.flatMap((settlement) => settlementUpdate(settlement) ?? []);
    if (updates.length === 0) return;
    await this.#catchUp.now();
    await reached(this.#collections.effects.bulkWrite(updates, { ordered: true, ...LIMIT }));
  }

  effects(tenant: string, state: StoredEffect["state"], page: PageRequest): Promise<Page<StoredEffect>> {
    const attempts = state === "stuck" ? { $gte: STUCK_ATTEMPTS } : { $lt: STUCK_ATTEMPTS };
    const filter = { tenant, dead: state === "dead", ...(state !== "dead" && { attempts }) };
    const order: Order = [
      ["nextAt", 1],
      ["position", 1],
      ["_id", 1],
    ];
    const request = { list: `effects/${state}`, tenant, page, filter, order, first: [-1, -1, ""] };
    return this.#page(this.#collections.effects, request, effectFrom);
  }

  async findEffect(tenant: string, id: string): Promise<StoredEffect | undefined> {
    const [found] = await this.#listed(this.#collections.effects, { _id: nameOf(tenant, id) }, {}, 1);
    return found && effectFrom(found);
  }

  async effectsOfDecision(tenant: string, decision: string): Promise<readonly StoredEffect[]> {
    return (await this.#listed(this.#collections.effects, { decision: nameOf(tenant, decision) }, {}, 0)).map(
      effectFrom,
    );
  }

  async dueTimers(partitions: Partitions, at: number, limit: number): Promise<readonly StoredTimer[]> {
    const due = { ...among(partitions), dueAt: { $lte: at } };
    const found = await this.#listed(this.#collections.timers, due, { dueAt: 1 }, limit);
    return found.map(timerFrom);
  }

  async nextDue(partitions: Partitions): Promise<{ readonly effect?: number; readonly timer?: number }> {
    await this.#upToDate();
    const { effects, timers } = this.#collections;
    const [effect, timer] = await reached(
      Promise.all([
        effects.findOne(
          { dead: false, ...among(partitions) },
          { sort: { nextAt: 1 }, projection: { nextAt: 1 }, ...LIMIT },
        ),
        timers.findOne(among(partitions), { sort: { dueAt: 1 }, projection: { dueAt: 1 }, ...LIMIT }),
      ]),
    );
    return { ...(effect && { effect: effect.nextAt }), ...(timer && { timer: timer.dueAt }) };
  }

  async dropTimers(timers: readonly (InstanceKey & { readonly timer: string })[]): Promise<void> {
    await this.#upToDate();
    const ids = timers.map(({ tenant, instance, timer }) => timerId(nameOf(tenant, instance), timer));
    await reached(this.#collections.timers.deleteMany({ _id: { $in: ids } }, LIMIT));
  }

  /** Open ones first, then those that wait, then the newest. */
  tasks({ tenant, assignee, instance, status }: TaskQuery, page: PageRequest): Promise<Page<StoredTask>> {
    const filter = {
      tenant,
      ...(instance !== undefined && { name: nameOf(tenant, instance) }),
      ...(assignee !== undefined && { people: assignee }),
      ...(status !== undefined && { rank: RANKS[status] }),
    };
    const order: Order = [
      ["rank", -1],
      ["openedAt", -1],
      ["_id", -1],
    ];
    return this.#page(
      this.#collections.tasks,
      { list: "tasks", tenant, page, filter, order, first: [3, 0, ""] },
      taskFrom,
    );
  }

  /** The newest first. */
  instances(query: InstanceQuery, page: PageRequest): Promise<Page<InstanceKey & InstanceSummary>> {
    const { tenant, flow, state, initiator, q } = query;
    const filter = {
      tenant,
      ...(initiator !== undefined && { initiator }),
      ...(flow !== undefined && { flow }),
      ...(state !== undefined && { state }),
      ...(q !== undefined && { key: { $regex: literalPattern(q) } }),
    };
    const order: Order = [
      ["position", -1],
      ["_id", -1],
    ];
    const request = { list: "instances", tenant, page, filter, order, first: [0, ""] };
    return this.#page(this.#collections.instances, request, summaryFrom);
  }

  async deadLetter({ tenant, id, at, origin, reason, body }: DeadLetter): Promise<void> {
    this.#assertOpen();
    const $set = { tenant, id, at, origin, reason, body };
    const $setOnInsert = { position: this.#journal.positions(1) };
    const { letters } = this.#collections;
    const _id = nameOf(tenant, id);
    await reached(upserted(() => letters.updateOne({ _id }, { $set, $setOnInsert }, { upsert: true, ...LIMIT })));
  }

  /** The newest first. */
  deadLetters(tenant: string, page: PageRequest): Promise<Page<DeadLetter>> {
    const order: Order = [
      ["position", -1],
      ["_id", -1],
    ];
    const request = { list: "dead-letters", tenant, page, filter: { tenant }, order, first: [0, ""] };
    return this.#page(this.#collections.letters, request, letterFrom);
  }

  async findDeadLetter(tenant: string, id: string): Promise<DeadLetter | undefined> {
    this.#assertOpen();
    const found = await reached(this.#collections.letters.findOne({ _id: nameOf(tenant, id) }, LIMIT));
    return found ? letterFrom(found) : undefined;
  }

  async dropDeadLetter(tenant: string, id: string): Promise<void> {
    this.#assertOpen();
    await reached(this.#collections.letters.deleteOne({ _id: nameOf(tenant, id) }, LIMIT));
  }

  journaled(page: PageRequest): Promise<Page<InstanceKey>> {
    const order: Order = [["_id", 1]];
    const request = { list: "journaled", tenant: "", page, filter: { sequence: 1 }, order, first: [""] };
    return this.#page(this.#collections.journal, request, ({ tenant, instance }) => ({ tenant, instance }));
  }

  async projected({ tenant, instance }: InstanceKey): Promise<Omit<ProjectedInstance, "oldCommands"> | undefined> {
    await this.#upToDate();
    const name = nameOf(tenant, instance);
    const { instances, tasks, timers } = this.#collections;
    const [found, ofTasks, ofTimers] = await reached(
      Promise.all([
        instances.findOne({ _id: name }, LIMIT),
        tasks.find({ name }, LIMIT).toArray(),
        timers.find({ name }, LIMIT).toArray(),
      ]),
    );
    if (!found) return undefined;
    const { tenant: _, instance: __, ...summary } = summaryFrom(found);
    const bodies = (documents: readonly { readonly body: string }[]) => documents.map(({ body }) => JSON.parse(body));
    const { partition, sequence } = found;
    return { partition, sequence, summary, tasks: bodies(ofTasks), timers: bodies(ofTimers) };
  }

  async reproject(key: InstanceKey, projected: ProjectedInstance): Promise<void> {
    await this.#upToDate();
    await reached(this.#projector.replace(key, projected, this.#journal.positions(1)));
  }

  async usage(tenant: string): Promise<TenantUsage> {
    await this.#upToDate();
    return reached(this.#archive.usage(tenant));
  }

  async tenants(): Promise<readonly string[]> {
    await this.#upToDate();
    return reached(this.#archive.tenants());
  }

  wrappedKeys(page: PageRequest): Promise<Page<WrappedKey>> {
    const order: Order = [["_id", 1]];
    const request = { list: "wrapped-keys", tenant: "", page, filter: {}, order, first: [""] };
    return this.#page(this.#collections.keys, request, ({ _id, wrappedKey }) => ({ id: _id, wrappedKey }));
  }

  async rewrap(changes: readonly KeyChange[]): Promise<void> {
    this.#assertOpen();
    await reached(this.#archive.rewrap(changes));
  }

  /** Looks through so many instances as the page may have at most: no index is kept for it. */
  async ended({ tenant, before, where }: EndedQuery, page: PageRequest): Promise<Page<InstanceKey>> {
    const order: Order = [
      ["position", 1],
      ["_id", 1],
    ];
    const request = { list: `ended/${where}`, tenant, page, filter: { tenant }, order, first: [0, ""] };
    const looked = await this.#page(this.#collections.instances, request, (document) => document);
    const items = looked.items.filter(
      (found) => found.outcome !== undefined && found.updatedAt < before && placeOf(found) === where,
    );
    return { ...looked, items: items.map(({ instance }) => ({ tenant, instance })) };
  }

  async archive(rows: readonly ArchiveRow[]): Promise<void> {
    await this.#upToDate();
    for (const row of rows) await reached(this.#archive.archive(row));
  }

  async prune(rows: readonly PruneRow[]): Promise<void> {
    await this.#upToDate();
    for (const row of rows) await reached(this.#archive.prune(row));
  }

  async checkpoint(key: InstanceKey): Promise<StoredCheckpoint | undefined> {
    this.#assertOpen();
    return reached(this.#archive.checkpoint(key));
  }

  async getSetting(name: string): Promise<string | undefined> {
    this.#assertOpen();
    return (await reached(this.#collections.settings.findOne({ _id: settingId(name) }, LIMIT)))?.value;
  }

  async setSetting(name: string, value: string): Promise<void> {
    this.#assertOpen();
    const { settings } = this.#collections;
    const _id = settingId(name);
    await reached(upserted(() => settings.replaceOne({ _id }, { value }, { upsert: true, ...LIMIT })));
  }

  async keepSetting(name: string, value: string): Promise<string> {
    this.#assertOpen();
    const { settings } = this.#collections;
    const _id = settingId(name);
    await reached(upserted(() => settings.updateOne({ _id }, { $setOnInsert: { value } }, { upsert: true, ...LIMIT })));
    return (await this.getSetting(name))!;
  }

  async claim(claim: Claim): Promise<boolean> {
    this.#assertOpen();
    return reached(this.#cluster.claim(claim));
  }

  async beat(member: Member): Promise<void> {
    this.#assertOpen();
    await reached(this.#cluster.beat(member));
  }

  async cluster(): Promise<ClusterView> {
    this.#assertOpen();
    const view = await reached(this.#cluster.view());
    this.#alone = view.members.every(({ node }) => node === this.#node);
    return view;
  }

  async bury(node: string): Promise<void> {
    this.#assertOpen();
    if (node === this.#node) {
      await this.#catchUp.now();
      // What could not be brought in is found by those who see us dead.
      if (this.#projector.size > 0 || this.#doubts.size > 0) return;
    } else {
      await reached(this.#doubts.adopt(node));
      if (this.#doubts.size > 0) this.#catchUp.wrote();
      await this.#catchUp.now();
    }
    await reached(this.#cluster.forget(node));
  }

  caughtUp(): Promise<void> {
    return this.#upToDate();
  }

  /** What can't be projected now is projected when it is opened again. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#catchUp.now().catch(() => undefined);
    this.#catchUp.stop();
    this.#callOffLook();
    await this.#closeConnection();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailable("the store is closed");
  }

  async #project(): Promise<void> {
    try {
      await reached(this.#projector.project());
    } finally {
      if (this.#projector.heldMs !== undefined) this.#lookAgain(HELD_MS);
      else if (this.#doubts.size > 0) this.#lookAgain(DOUBT_MS);
    }
  }

  #lookAgain(inMs: number): void {
    this.#callOffLook();
    const look = () => {
      this.#catchUp.wrote();
      this.#catchUp.now().catch(() => undefined); // The next reader is told of what goes wrong.
    };
    if (!this.#closed) this.#callOffLook = this.#clock.after(inMs, look);
  }

  /** What waits for another node's entries is waited for, as long as that node may be alive. */
  async #upToDate(): Promise<void> {
    this.#assertOpen();
    await this.#catchUp.now();
    while (!this.#closed && this.#projector.heldMs !== undefined) {
      this.#catchUp.wrote();
      await this.#catchUp.now();
      if ((this.#projector.heldMs ?? HELD_MAX_MS) >= HELD_MAX_MS) return;
      await pause(this.#clock, HELD_MS);
    }
  }

  /** Another node may have written some and not brought them in yet. */
  async #commands(
    asked: readonly CommandName[],
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Omit<OldCommand, "source" | "id">>> {
    const found = await this.#byIds(this.#collections.commands, ids);
    if (this.#alone || found.size === ids.length) return found;
    const unprojected = await reached(commandsAhead(this.#collections, asked, LIMIT));
    return new Map<string, Omit<OldCommand, "source" | "id">>([...found, ...unprojected]);
  }

  async #byIds<Doc extends Identified>(
    from: Collection<Doc>,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Doc>> {
    const found = (await reached(from.find({ _id: { $in: ids } } as Filter<Doc>, LIMIT).toArray())) as Doc[];
    return new Map(found.map((document) => [document._id, document]));
  }

  /** @param limit 0: all. */
  async #listed<Doc extends Identified>(
    from: Collection<Doc>,
    filter: Document,
    sort: Readonly<Record<string, 1 | -1>>,
    limit: number,
  ): Promise<readonly Doc[]> {
    await this.#upToDate();
    const cursor = from.find(filter as Filter<Doc>, { sort, limit, ...LIMIT });
    return (await reached(cursor.toArray())) as Doc[];
  }

  /** One document more than asked for tells whether there is a next page. */
  async #page<Doc extends Identified, Item>(
    from: Collection<Doc>,
    request: PageOf,
    item: (document: Doc) => Item,
  ): Promise<Page<Item>> {
    const { list, tenant, page, filter, order, first } = request;
    const position = decodeCursor(list, tenant, page.cursor, first);
    const rest = page.cursor === undefined ? filter : { ...filter, ...after(order, position) };
    const found = await this.#listed(from, rest, Object.fromEntries(order), page.limit + 1);
    const items = found.slice(0, page.limit).map(item);
    if (found.length <= page.limit) return { items };
    const last: Document = found[page.limit - 1]!;
    const cells = order.map(([field]) => last[field] as string | number);
    return { items, cursor: encodeCursor(list, tenant, cells) };
  }
}

interface Identified {
  readonly _id: string;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Queries
// ---------------------------------------------------------------------------------------------------------------- //

/** One is asked for by equality, several by the list of them. */
function among(partitions: Partitions): { readonly partition?: number | { readonly $in: readonly number[] } } {
  if (partitions === "all") return {};
  return { partition: partitions.length === 1 ? partitions[0]! : { $in: partitions } };
}

type Order = readonly (readonly [field: string, direction: 1 | -1])[];

interface PageOf {
  readonly list: string;
  readonly tenant: string;
  readonly page: PageRequest;
  readonly filter: Document;
  readonly order: Order;
  readonly first: readonly (string | number)[];
}

/** What comes after a position: further in the first field that differs. */
function after(order: Order, position: readonly (string | number)[]): Document {
  const further = order.map(([field, direction], index) => ({
    ...Object.fromEntries(order.slice(0, index).map(([before], i) => [before, position[i]])),
    [field]: direction === 1 ? { $gt: position[index] } : { $lt: position[index] },
  }));
  return { $or: further };
}

/** Signs that mean something in a pattern, and what a pattern can't hold as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const SIGNS = /[\u0000-\u001f\\^$.*+?()[\]{}|/-]/g;

const literalPattern = (text: string): string =>
  text.replace(SIGNS, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** Apart from the store's own, whatever a setting is called. */
const settingId = (name: string): string => `set:${name}`;

function settlementUpdate(
  settlement: EffectSettlement,
): { updateOne: { filter: Document; update: Document } } | undefined {
  const filter = { _id: nameOf(settlement.tenant, settlement.id) };
  switch (settlement.kind) {
    case "done":
      return undefined;
    case "renew": {
      const $set = { dead: false, attempts: 0, nextAt: settlement.nextAt };
      return { updateOne: { filter, update: { $set, $unset: { error: "" } } } };
    }
    case "retry": {
      const $set = { dead: false, nextAt: settlement.nextAt, error: settlement.error };
      return { updateOne: { filter, update: { $set, $inc: { attempts: 1 } } } };
    }
    case "dead":
      return {
        updateOne: { filter, update: { $set: { dead: true, error: settlement.error }, $inc: { attempts: 1 } } },
      };
  }
}

// ---------------------------------------------------------------------------------------------------------------- //
// Documents
// ---------------------------------------------------------------------------------------------------------------- //

function effectFrom({
  tenant,
  instance,
  partition,
  dead,
  attempts,
  nextAt,
  error,
  body,
}: EffectDocument): StoredEffect {
  const state = dead ? "dead" : attempts >= STUCK_ATTEMPTS ? "stuck" : "pending";
  const failure = error === undefined ? {} : { error };
  return { tenant, instance, partition, effect: JSON.parse(body), state, attempts, nextAt, ...failure };
}

const timerFrom = ({ tenant, instance, body }: TimerDocument): StoredTimer => ({
  tenant,
  instance,
  timer: JSON.parse(body),
});

const taskFrom = ({ tenant, instance, flow, body }: TaskDocument): StoredTask => ({
  tenant,
  instance,
  flow,
  task: JSON.parse(body),
});

function summaryFrom(document: InstanceDocument): InstanceKey & InstanceSummary {
  const { _id, partition, sequence, position, keyed, archived, pruned, ...summary } = document;
  return summary;
}

function letterFrom({ id, tenant, at, origin, reason, body }: LetterDocument): DeadLetter {
  return { id, tenant, at, origin, reason, body };
}
