import type { Definition } from "../dsl/index.ts";
import type { Answer, Effect, EpochMs, Instance, Json, Question, Task, Timer } from "../engine/index.ts";
import type { Partitions } from "./cluster/partition.ts";

/**
 * The ports of the runtime: what it asks of the world. Each has an embedded and a distributed implementation under one
 * contract suite; `main.ts` and `stores/open-store.ts` alone name them.
 */

/**
 * Time and waiting. What the runtime does at a time of its own goes by it, so that a test or the simulation can stand in for it.
 * None of its functions needs `this`.
 */
export interface Clock {
  /** The wall clock: it may jump, also back. */
  readonly now: () => EpochMs;
  /** Milliseconds since some instant; never jumps. For how long something takes. */
  readonly steadyMs: () => number;
  /** Calls back after a delay, by a clock that never jumps, unless the function that it returns calls it off. */
  readonly after: (delayMs: number, callBack: () => void) => () => void;
  /** Calls back when what is at hand is done and what has arrived meanwhile was taken in. */
  readonly soon: (callBack: () => void) => void;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Store
// ---------------------------------------------------------------------------------------------------------------- //

export interface InstanceKey {
  readonly tenant: string;
  readonly instance: string;
}

/**
 * One entry of the journal and what its projections need. The key (tenant, instance, sequence) is inserted only if it is
 * free; projections follow at most a moment later, and whoever reads them sees what was written before.
 */
export interface AppendRow extends InstanceKey {
  /** Of the instance, always the same; whoever owns it carries out what follows from the entry. */
  readonly partition: number;
  /** From 1 for instances, 0 for raw events (`in/APP/SHA256`). */
  readonly sequence: number;
  readonly at: EpochMs;
  /** The entry as JSON; its bytes are what the hash covers. */
  readonly body: string;
  /** SHA-256 in hex over the previous entry's hash and `body`. */
  readonly hash: string;
  readonly projection: Projection;
}

export interface Projection {
  /** Absent for raw events. */
  readonly summary?: InstanceSummary;
  /** The instance as JSON when this entry is a good place to load from; else the store keeps the older snapshot. */
  readonly snapshot?: string;
  readonly tasks: readonly Task[];
  /** Timers to set, and ids of timers that are gone. */
  readonly timersSet: readonly Timer[];
  readonly timersGone: readonly string[];
  readonly effects: readonly (Effect | RawEffect | SealedEffect)[];
  /** Commands that left the instance's newest 64, kept for ever. */
  readonly oldCommands: readonly OldCommand[];
  /** Set once, with the first entry: the instance's data key wrapped by the key ring. */
  readonly wrappedKey?: string;
}

/** An effect that does not come from an instance: the raw event of a connector that is still to be mapped. */
export interface RawEffect {
  readonly id: string;
  readonly kind: "ingest";
  readonly connector: "wecom";
  readonly app: string;
  readonly xml: string;
}

/** An effect of an instance with secrets, encrypted under the instance's data key. */
export interface SealedEffect {
  readonly id: string;
  readonly kind: "sealed";
  /** It is a saga's step, for which the decision's other effects don't wait. */
  readonly step?: true;
  readonly box: string;
}

export interface OldCommand {
  readonly source: string;
  readonly id: string;
  readonly digest: string;
  readonly version: number;
  readonly sequence: number;
}

/** What makes a command the same command. */
export interface CommandName extends InstanceKey {
  readonly source: string;
  readonly id: string;
}

export interface InstanceSummary {
  readonly flow: string;
  readonly key: string;
  readonly state: string;
  readonly outcome?: string;
  readonly initiator: string;
  readonly definition: string;
  readonly version: number;
  readonly startedAt: EpochMs;
  readonly updatedAt: EpochMs;
}

/** `sequence` of every journal entry that was written; the rows whose key was taken come back, everything else is durable. */
export interface AppendResult {
  readonly taken: readonly InstanceKey[];
}

export interface StoredEntry {
  readonly sequence: number;
  readonly at: EpochMs;
  readonly body: string;
  readonly hash: string;
}

export interface StoredInstance extends InstanceKey {
  readonly snapshot?: { readonly sequence: number; readonly body: string; readonly hash: string };
  /** Entries after the snapshot, in order. */
  readonly tail: readonly StoredEntry[];
  readonly wrappedKey?: string;
}

export interface StoredEffect extends InstanceKey {
  readonly partition: number;
  readonly effect: Effect | RawEffect | SealedEffect;
  readonly state: "pending" | "stuck" | "dead";
  readonly attempts: number;
  /** Not before this instant. */
  readonly nextAt: EpochMs;
  readonly error?: string;
}

export interface StoredTimer extends InstanceKey {
  readonly timer: Timer;
}

export interface StoredTask extends InstanceKey {
  readonly task: Task;
  readonly flow: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** What could not be processed, with the reason; it can be sent again. */
export interface DeadLetter {
  readonly id: string;
  readonly tenant: string;
  readonly at: EpochMs;
  /** `bus`, `wecom`. */
  readonly origin: string;
  readonly reason: string;
  /** As it arrived. */
  readonly body: string;
}

/** What lists are read from, of one instance, but for its effects. */
export interface ProjectedInstance {
  readonly partition: number;
  /** Of the entry up to which it follows from the journal. */
  readonly sequence: number;
  readonly summary: InstanceSummary;
  readonly tasks: readonly Task[];
  readonly timers: readonly Timer[];
  readonly oldCommands: readonly OldCommand[];
}

/** What a tenant has in the store, for its quotas. */
export interface TenantUsage {
  /** Instances that have not ended. */
  readonly openInstances: number;
  /** Of all entries, in the journal and in the history. Where a node was killed it may be a little less than there is. */
  readonly bytes: number;
}

/** A data key as it is stored; `id` is the store's own. */
export interface WrappedKey {
  readonly id: string;
  readonly wrappedKey: string;
}

/** A data key wrapped anew; it is put in place unless somebody else has done so. */
export interface KeyChange {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

export interface EndedQuery {
  readonly tenant: string;
  /** Nothing has happened to the instance since then. */
  readonly before: EpochMs;
  /** Where its newest entry lies. What was pruned lies nowhere. */
  readonly where: "journal" | "history";
}

/** An instance of which nothing but this snapshot is needed in everyday work. */
export interface ArchiveRow extends InstanceKey {
  /** As it is after its newest entry. */
  readonly snapshot: { readonly sequence: number; readonly body: string; readonly hash: string };
}

/** What is left of entries that were pruned: the chain goes on from it. */
export interface StoredCheckpoint {
  /** Of the newest entry that was pruned, with its hash. */
  readonly sequence: number;
  readonly hash: string;
  /** The checkpoint itself, signed, as JSON. */
  readonly body: string;
  /** The instance after that entry, as it was stored. */
  readonly snapshot: string;
}

export interface PruneRow extends InstanceKey {
  readonly checkpoint: StoredCheckpoint;
}

/** Thrown by a store that can't write now (full disk, locked, away): nothing was written; the caller answers 503. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** Thrown when a store is opened that can't be used as it is: damaged, of another version, or something else. The message says what to do. */
export class UnusableStore extends Error {
  override readonly name = "UnusableStore";
}

/** Thrown for a {@link PageRequest.cursor} that this list of this tenant did not hand out: the caller answers 400. */
export class UnknownCursor extends Error {
  override readonly name = "UnknownCursor";
}

export interface Store {
  /** All keys in one read. A key without an entry gives no row. */
  load(keys: readonly InstanceKey[]): Promise<readonly StoredInstance[]>;
  /** All rows in one write; never two rows of one instance. @throws {StoreUnavailable} nothing was written. */
  append(rows: readonly AppendRow[]): Promise<AppendResult>;
  /** All entries that were not pruned, in order. */
  history(key: InstanceKey): Promise<readonly StoredEntry[]>;
  /** Among the old commands: all in one read, answers in the same order. */
  findCommands(asked: readonly CommandName[]): Promise<readonly (OldCommand | undefined)[]>;

  /** Effects of these partitions that are due, oldest first; `limit` > 0. */
  dueEffects(partitions: Partitions, at: EpochMs, limit: number): Promise<readonly StoredEffect[]>;
  settleEffects(done: readonly EffectSettlement[]): Promise<void>;
  effects(tenant: string, state: StoredEffect["state"], page: PageRequest): Promise<Page<StoredEffect>>;
  findEffect(tenant: string, id: string): Promise<StoredEffect | undefined>;
  /** What is left of one decision's effects, whose ids are `DECISION:INDEX`, given up ones among them; in any order. */
  effectsOfDecision(tenant: string, decision: string): Promise<readonly StoredEffect[]>;
  dueTimers(partitions: Partitions, at: EpochMs, limit: number): Promise<readonly StoredTimer[]>;
  /** The earliest instant at which an effect or a timer of these partitions may become due, if any. */
  nextDue(partitions: Partitions): Promise<{ readonly effect?: EpochMs; readonly timer?: EpochMs }>;
  /** Removes timers that the engine no longer knows (their decision came first). */
  dropTimers(timers: readonly (InstanceKey & { readonly timer: string })[]): Promise<void>;

  tasks(query: TaskQuery, page: PageRequest): Promise<Page<StoredTask>>;
  instances(query: InstanceQuery, page: PageRequest): Promise<Page<InstanceKey & InstanceSummary>>;
  deadLetter(letter: DeadLetter): Promise<void>;
  deadLetters(tenant: string, page: PageRequest): Promise<Page<DeadLetter>>;
  findDeadLetter(tenant: string, id: string): Promise<DeadLetter | undefined>;
  /** It was sent again and accepted, or somebody decided that nobody needs it. */
  dropDeadLetter(tenant: string, id: string): Promise<void>;

  /** Instances that the journal has, raw events not among them, of all tenants, in an order that lasts. */
  journaled(page: PageRequest): Promise<Page<InstanceKey>>;
  /** As stored now; old commands are asked for by {@link findCommands}. `undefined`: lists don't know the instance. */
  projected(key: InstanceKey): Promise<Omit<ProjectedInstance, "oldCommands"> | undefined>;
  /** Puts this in place of what is stored. While nobody else writes the instance. */
  reproject(key: InstanceKey, projected: ProjectedInstance): Promise<void>;

  /** What the tenant has now. */
  usage(tenant: string): Promise<TenantUsage>;
  /** All that have or had an instance, or have a dead letter, in any order. */
  tenants(): Promise<readonly string[]>;
  /** Data keys of all instances, in an order that lasts. */
  wrappedKeys(page: PageRequest): Promise<Page<WrappedKey>>;
  rewrap(changes: readonly KeyChange[]): Promise<void>;
  /** Instances that have ended, in an order that lasts. A page may be short, even empty, and have a next one all the same. */
  ended(query: EndedQuery, page: PageRequest): Promise<Page<InstanceKey>>;
  /**
   * Moves entries up to the snapshot's from the journal into the history. Their keys stay taken, {@link history} gives them as
   * before, and {@link load} goes by the snapshot.
   */
  archive(rows: readonly ArchiveRow[]): Promise<void>;
  /** Removes entries up to the checkpoint's from the history, and keeps the checkpoint. Of instances that were archived so far. */
  prune(rows: readonly PruneRow[]): Promise<void>;
  /** The newest one. */
  checkpoint(key: InstanceKey): Promise<StoredCheckpoint | undefined>;

  /** Small things of the node: tokens' key, definitions by hash, the in-process bus's position. */
  getSetting(name: string): Promise<string | undefined>;
  setSetting(name: string, value: string): Promise<void>;
  /** Sets it if nobody has. @returns the value that stands: of several who try at once, all get the same. */
  keepSetting(name: string, value: string): Promise<string>;

  /** May other processes have it open, too? Then they claim partitions; else the one process carries out everything. */
  readonly shared: boolean;
  /** Inserted if nobody has claimed this epoch of the partition. @returns false if it, or a later one, is somebody else's. */
  claim(claim: Claim): Promise<boolean>;
  /** A sign of life; the first one makes a node a member. */
  beat(member: Member): Promise<void>;
  cluster(): Promise<ClusterView>;
  /** A member is dead, or leaves: what it wrote and did not bring into the lists is brought in, and it is no member any more. */
  bury(node: string): Promise<void>;
  /** Resolves when lists have what this process wrote before. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

/** Who carries out what follows from the instances of a partition. Of its claims the one with the highest epoch holds. */
export interface Claim {
  readonly partition: number;
  /** From 1. */
  readonly epoch: number;
  /** Absent: it was let go. */
  readonly node?: string;
}

export interface Member {
  /** Its name, which no other process has or had. */
  readonly node: string;
  /** Signs of life so far. */
  readonly beats: number;
  /** Two members that live are never at one place. */
  readonly place?: string;
  /** The bus has been away from it for a while, so others should carry out what it could not. */
  readonly isAway?: true;
}

export interface ClusterView {
  readonly members: readonly Member[];
  /** The newest of each partition that was ever claimed. */
  readonly claims: readonly Claim[];
}

export type EffectSettlement = { readonly tenant: string; readonly id: string } & (
  | { readonly kind: "done" }
  | { readonly kind: "retry"; readonly nextAt: EpochMs; readonly error: string }
  | { readonly kind: "dead"; readonly error: string }
  /** An administrator wants it tried as if it were new. */
  | { readonly kind: "renew"; readonly nextAt: EpochMs }
);

export interface PageRequest {
  readonly limit: number;
  /** Of the page before, as it was handed out. @throws {UnknownCursor} for anything else. */
  readonly cursor?: string;
}

export interface TaskQuery {
  readonly tenant: string;
  /** Whose task it is, or who may claim it while nobody has. */
  readonly assignee?: string;
  readonly instance?: string;
  /** `waiting`: somebody else decides first. Absent: all, the open ones first, then those that wait. */
  readonly status?: "open" | "waiting" | "closed";
}

export interface InstanceQuery {
  readonly tenant: string;
  readonly flow?: string;
  readonly state?: string;
  readonly initiator?: string;
  /** Part of the key. */
  readonly q?: string;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Bus
// ---------------------------------------------------------------------------------------------------------------- //

export type Headers = Readonly<Record<string, string>>;

/** A message from `assent.in.>`. Settle it exactly once. */
export interface BusMessage {
  readonly subject: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Position in the stream, as text; the id of last resort. */
  readonly sequence: string;
  readonly deliveries: number;
  /** After the commit. */
  ack(): void;
  /** Not now: deliver it again later, this one and those of the same subject after it in order. */
  retry(delayMs: number): void;
}

export interface OutMessage {
  readonly subject: string;
  /** Becomes `Nats-Msg-Id`: the bus drops a second one within its window. */
  readonly id: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Answers a request. A `ServiceFailed` that it throws reaches the asker as it is, anything else as one with the code 500. */
export type Service = (body: string, headers: Headers, subject: string) => string | Promise<string>;

/** A running service, by what NATS's micro services tell of themselves (`$SRV.INFO`). */
export interface ServiceInstance {
  readonly name: string;
  /** Of this process of it. */
  readonly id: string;
  /** Its labels, among others. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where it takes requests. */
  readonly subjects: readonly string[];
}

/** A partition that a node has by a claim. */
export type Held = Pick<Claim, "partition" | "epoch">;

export interface Bus {
  readonly kind: "in-process" | "nats";
  /** Is there, or may there later be, anybody who gets a message on this subject? A stream keeps it for those to come. */
  wants(subject: string): boolean;
  /** Resolves when all are confirmed. Rejects if any is not; publishing all again is harmless. */
  publish(messages: readonly OutMessage[]): Promise<void>;
  /**
   * Receives `assent.in.>` from where it stopped; messages of one subject come in order.
   * The handler gets batches and settles every message; resolving means it can take more.
   * @param held partitions whose messages are for this node; a bus in process has no others.
   */
  consume(handler: (messages: readonly BusMessage[]) => Promise<void>, held?: "all" | readonly Held[]): Promise<void>;
  /** From now on these partitions. Resolves when no more messages come of the others; those handed out are settled by the handler. */
  take(held: readonly Held[]): Promise<void>;
  /** Tells whoever subscribes to it now, at most once and without anybody's answer. */
  tell(subject: string): void;
  /** A plain subscription to `assent.out.>` subjects from now on; `*` and `>` as in NATS. Returns the function that ends it. */
  subscribe(pattern: string, listener: (message: OutMessage) => void): Promise<() => void>;
  /** Answers requests on a subject, which may hold wildcards. Of all who serve it, at other nodes too, one is asked. Returns the function that ends it. */
  serve(pattern: string, service: Service): Promise<() => void>;
  /** Services that are there, as they tell of themselves within that time. */
  discover(waitMs: number): Promise<readonly ServiceInstance[]>;
  /** Request and reply on a service's subject. Rejects with `NoResponders` when nobody serves it. */
  request(subject: string, body: string, options: { headers: Headers; timeoutMs: number }): Promise<string>;
  /** Puts a message into `assent.in.>`: what `assent send` and the tests do from outside. */
  send(message: OutMessage): Promise<void>;
  readonly connected: boolean;
  /** Messages that listeners in this process gave up, who asked for it. */
  readonly dropped?: number;
  /** Stops consuming; what was handed out is settled by its handler. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------------------- //
// People, functions, services, documents
// ---------------------------------------------------------------------------------------------------------------- //

/** What everything that a command causes carries on. */
export interface Carried {
  /** W3C Trace Context. */
  readonly traceparent?: string;
  /** Of the command, else of the instance. */
  readonly tag?: string;
  /** Nobody waits for it after this. */
  readonly deadlineAt?: EpochMs;
}

/** Definitions by hash, as far back as instances run on them. */
export interface DefinitionSource {
  /** Those that are active, and all that were loaded once. */
  known(hash: string): Definition | undefined;
  load(hash: string): Promise<Definition | undefined>;
}

/** Who is who. The embedded one answers at once; another may need a moment. */
export interface Directory {
  /** Answers `absences`, and `people` questions that the language has built in; `undefined`: not one of mine. */
  answer(question: Question): Answer | undefined | Promise<Answer | undefined>;
  person(tenant: string, id: string): { id: string; name?: string; org?: string; tags?: readonly string[] } | undefined;
}

/** What functions are asked. */
export type FunctionQuestion = Question & { readonly kind: "people" | "guard" | "check" | "value" };

/** Guards, checks, values, people functions and actions that are served by trusted code or services. */
export interface Functions {
  /** Is it served for this flow? A function belongs to the flows that it lies beside. */
  has(name: string, flow: string): boolean;
  /** Answers at once where the function is pure and in process. */
  answer(question: FunctionQuestion): Answer | undefined | Promise<Answer>;
  /** An action, or a saga's step: resolves when it is done; rejects where it was not, with the signal's reason when it took too long. */
  perform(
    name: string,
    args: readonly Json[],
    call: { key: string; context: Question["context"]; signal: AbortSignal },
  ): Promise<void>;
}

export interface DocumentStore {
  put(tenant: string, instance: string, name: string, bytes: Uint8Array): Promise<{ sha256: string; path: string }>;
  get(tenant: string, instance: string, name: string): Promise<Uint8Array | undefined>;
}

export type { Answer, Effect, EpochMs, Instance, Json, Question, Task, Timer };
