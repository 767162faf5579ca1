import type { Definition } from "../dsl/index.ts";
import type { Answer, Effect, EpochMs, Instance, Json, Question, Task, Timer } from "../engine/index.ts";

/**
 * The ports of the runtime: what it asks of the world. Each has an embedded and a distributed implementation under one
 * contract suite; `main.ts` and `stores/open-store.ts` alone name them.
 */

export interface Clock {
  now(): EpochMs;
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
  /** Of the entry up to which it follows from the journal. */
  readonly sequence: number;
  readonly summary: InstanceSummary;
  readonly tasks: readonly Task[];
  readonly timers: readonly Timer[];
  readonly oldCommands: readonly OldCommand[];
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
  history(key: InstanceKey): Promise<readonly StoredEntry[]>;
  /** Among the old commands: all in one read, answers in the same order. */
  findCommands(asked: readonly CommandName[]): Promise<readonly (OldCommand | undefined)[]>;

  /** Effects that are due, oldest first; `limit` > 0. */
  dueEffects(at: EpochMs, limit: number): Promise<readonly StoredEffect[]>;
  settleEffects(done: readonly EffectSettlement[]): Promise<void>;
  effects(tenant: string, state: StoredEffect["state"], page: PageRequest): Promise<Page<StoredEffect>>;
  findEffect(tenant: string, id: string): Promise<StoredEffect | undefined>;
  /** What is left of one decision's effects, whose ids are `DECISION:INDEX`, given up ones among them; in any order. */
  effectsOfDecision(tenant: string, decision: string): Promise<readonly StoredEffect[]>;
  dueTimers(at: EpochMs, limit: number): Promise<readonly StoredTimer[]>;
  /** The earliest instant at which an effect or a timer may become due, if any. */
  nextDue(): Promise<{ readonly effect?: EpochMs; readonly timer?: EpochMs }>;
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

  /** Small things of the node: tokens' key, definitions by hash, the in-process bus's position. */
  getSetting(name: string): Promise<string | undefined>;
  setSetting(name: string, value: string): Promise<void>;
  close(): Promise<void>;
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

export interface Bus {
  readonly kind: "in-process" | "nats";
  /** Is there, or may there later be, anybody who gets a message on this subject? A stream keeps it for those to come. */
  wants(subject: string): boolean;
  /** Resolves when all are confirmed. Rejects if any is not; publishing all again is harmless. */
  publish(messages: readonly OutMessage[]): Promise<void>;
  /**
   * Receives `assent.in.>` from where it stopped; messages of one subject come in order.
   * The handler gets batches and settles every message; resolving means it can take more.
   */
  consume(handler: (messages: readonly BusMessage[]) => Promise<void>): Promise<void>;
  /** A plain subscription to `assent.out.>` subjects from now on; `*` and `>` as in NATS. Returns the function that ends it. */
  subscribe(pattern: string, listener: (message: OutMessage) => void): Promise<() => void>;
  /** Request and reply on a service's subject. Rejects with `NoResponders` when nobody serves it. */
  request(subject: string, body: string, options: { headers: Headers; timeoutMs: number }): Promise<string>;
  /** Puts a message into `assent.in.>`: what `assent send` and the tests do from outside. */
  send(message: OutMessage): Promise<void>;
  readonly connected: boolean;
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
  /** Of the instance. */
  readonly tag?: string;
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
