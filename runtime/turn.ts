import { hash } from "node:crypto";
import type { Definition } from "../dsl/index.ts";
import type { Accepted, Answer, Command, Instance, Question, Refusal, Task } from "../engine/index.ts";
import { decide } from "../engine/index.ts";
import { chain, type Entry, type EntryDecision, encode, encodeEffects, entryDecision } from "./entry.ts";
import { type KeyRing, keyedDigest, newDataKey } from "./key-ring.ts";
import { type Live, LiveInstances, nameOf, replayTo } from "./live-instances.ts";
import type { AppendRow, Clock, Effect, InstanceKey, OldCommand, Store, Timer } from "./ports.ts";

type WithoutDigest<C> = C extends Command ? Omit<C, "digest"> : never;

/** A command before its digest is taken: the digest of an instance with secrets needs the instance's key. */
export type CommandDraft = WithoutDigest<Command>;

export interface Envelope extends InstanceKey {
  /** For a start: the flow whose active version is taken. */
  readonly flow?: string;
  readonly command: CommandDraft;
  /** What is done instead where there is no instance yet: the same command, as a start. */
  readonly orStart?: CommandDraft;
  /** Refuse (`version-conflict`) unless the instance stands at this version. */
  readonly expectedVersion?: number;
}

/** `created`: this command made the instance. `duplicate`: it was accepted before, this is the first answer. */
export type Reply =
  | {
      readonly kind: "accepted";
      readonly instance: Instance;
      readonly definition: Definition;
      readonly created: boolean;
      readonly duplicate: boolean;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly instance?: Instance }
  | { readonly kind: "not-found" };

/** What was made durable with one entry, for the workers that carry it out. */
export interface Committed extends InstanceKey {
  /** What messages about the instance carry. */
  readonly about: { readonly flow: string; readonly tag?: string };
  readonly effects: readonly Effect[];
  readonly timersSet: readonly Timer[];
}

export interface TurnPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly keys: KeyRing;
  /** The active version of a flow. */
  activeDefinition(flow: string): Definition | undefined;
  definition(hash: string): Promise<Definition | undefined>;
  /** Answers from memory at once, else with a promise that never rejects. */
  ask(question: Question): Answer | Promise<Answer>;
  committed(committed: readonly Committed[]): void;
  /** How long a write took. */
  written?(seconds: number): void;
}

export interface TurnLimits {
  /** Instances decided in one turn. */
  readonly batchMax: number;
  /** Commands of one instance in one turn. */
  readonly commandsMax: number;
  /** Turns whose write may be under way at once. */
  readonly writesMax: number;
  /** Live instances kept in memory. */
  readonly cacheMax: number;
  /** Commands waiting before callers are told to come again. */
  readonly waitingMax: number;
  readonly answerTimeoutMs: number;
  /** Versions between two stored snapshots. */
  readonly snapshotEvery: number;
}

export const TURN_LIMITS: TurnLimits = {
  batchMax: 512,
  commandsMax: 64,
  writesMax: 2,
  cacheMax: 20_000,
  waitingMax: 20_000,
  answerTimeoutMs: 10_000,
  snapshotEvery: 16,
};

/** Newest command ids that an instance carries; the engine keeps as many. */
const RECENT_MAX = 64;

/** Too many commands wait; nothing happened, come again. */
export class Overloaded extends Error {
  override readonly name = "Overloaded";
}

interface Received {
  readonly envelope: Envelope;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  /** Answers by question key, and those still on their way. */
  answers?: Map<string, Answer>;
  pending?: Map<string, Promise<Answer>>;
  /** It was looked up among the commands that the instance no longer carries. */
  lookedUp?: boolean;
}

type LiveInstance = Live<Received>;

/** The decisions of one turn on one instance, not yet written. */
interface Draft {
  readonly live: LiveInstance;
  instance: Instance | undefined;
  definition: Definition | undefined;
  dataKey: Buffer | undefined;
  readonly decisions: EntryDecision[];
  readonly effects: Effect[];
  readonly tasks: Map<string, Task>;
  readonly replies: { readonly received: Received; readonly reply: Reply }[];
  /** Waits for the world, and everything behind it with it. */
  asking?: Received;
}

/**
 * Takes what waits, decides it in memory, writes once, answers. Nothing on this path awaits per command. Commands of one
 * instance are applied in the order they came; an instance that is loaded, written or asked about holds its later ones.
 */
export class Turns {
  readonly #ports: TurnPorts;
  readonly #limits: TurnLimits;
  readonly #instances: LiveInstances<Received>;
  readonly #ready = new Set<LiveInstance>();
  #writes = 0;
  #waiting = 0;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(ports: TurnPorts, limits: TurnLimits = TURN_LIMITS) {
    this.#ports = ports;
    this.#limits = limits;
    this.#instances = new LiveInstances(ports, limits.cacheMax);
  }

  /** Resolves when the decision is durable. @throws {StoreUnavailable} @throws {Overloaded} nothing happened. */
  submit(envelope: Envelope): Promise<Reply> {
    if (this.#waiting >= this.#limits.waitingMax)
      return Promise.reject(new Overloaded("too many commands are waiting"));
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      const live = this.#instances.of(envelope);
      live.waiting.push({
        envelope,
        resolve: (reply) => {
          this.#settled();
          resolve(reply);
        },
        reject: (error) => {
          this.#settled();
          reject(error);
        },
      });
      this.#makeReady(live);
    });
  }

  /** Commands that wait for their answer now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    return this.#waiting === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The instance as committed; at an earlier `version`, its entries decided again. */
  async read(key: InstanceKey, version?: number): Promise<{ instance: Instance; definition: Definition } | undefined> {
    const live = this.#instances.of(key);
    if (!live.loaded && !live.busy) {
      await this.#hold(live, () => this.#loadOne(live, this.#instances));
    }
    const current = live.loaded ? live : await this.#aside(key);
    if (!current.instance || !current.definition) return undefined;
    if (version === undefined || version === current.instance.version) {
      return { instance: current.instance, definition: current.definition };
    }
    const instance = await this.#replayed(key, version, current.dataKey);
    return instance && { instance, definition: current.definition };
  }

  /** The key under which the instance's entries and effects are sealed, if they are. */
  async dataKey(key: InstanceKey): Promise<Buffer | undefined> {
    const live = this.#instances.of(key);
    return (live.loaded ? live : await this.#aside(key)).dataKey;
  }

  #settled(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) for (const wake of this.#idle.splice(0)) wake();
  }

  #makeReady(live: LiveInstance): void {
    if (live.busy || live.waiting.length === 0) return;
    this.#ready.add(live);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#ready.size === 0 || this.#writes >= this.#limits.writesMax) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const lives = this.#take();
    const missing = lives.filter((live) => !live.loaded);
    if (missing.length > 0) void this.#loadAll(missing);
    const drafts = lives.filter((live) => live.loaded).map((live) => this.#decideWaiting(live));
    const written = drafts.filter((draft) => draft.decisions.length > 0);
    for (const draft of drafts) if (draft.decisions.length === 0) this.#finish(draft);
    if (written.length > 0) void this.#write(written);
    this.#schedule();
  }

  #take(): LiveInstance[] {
    const lives: LiveInstance[] = [];
    for (const live of this.#ready) {
      if (lives.length >= this.#limits.batchMax) break;
      this.#ready.delete(live);
      // A reader loads it; when that is done it is ready again.
      if (live.busy) continue;
      live.busy = true;
      lives.push(live);
    }
    return lives;
  }

  async #loadAll(lives: readonly LiveInstance[]): Promise<void> {
    const failed = await this.#instances
      .load(lives)
      .catch((error: unknown) => new Map(lives.map((live) => [live, error] as const)));
    for (const [live, error] of failed) for (const received of live.waiting.splice(0)) received.reject(error);
    for (const live of lives) this.#release(live);
  }

  async #loadOne(live: LiveInstance, instances: LiveInstances<Received>): Promise<void> {
    const failed = await instances.load([live]);
    if (failed.size > 0) throw failed.get(live);
  }

  async #hold(live: LiveInstance, work: () => Promise<void>): Promise<void> {
    live.busy = true;
    try {
      await work();
    } finally {
      this.#release(live);
    }
  }

  #release(live: LiveInstance): void {
    live.busy = false;
    this.#makeReady(live);
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Deciding
  // -------------------------------------------------------------------------------------------------------------- //

  #decideWaiting(live: LiveInstance): Draft {
    const draft: Draft = {
      live,
      instance: live.instance,
      definition: live.definition,
      dataKey: live.dataKey,
      decisions: [],
      effects: [],
      tasks: new Map(),
      replies: [],
    };
    const at = Math.max(this.#ports.clock.now(), live.instance?.updatedAt ?? 0);
    while (live.waiting.length > 0 && draft.decisions.length < this.#limits.commandsMax && !draft.asking) {
      const received = live.waiting.shift()!;
      this.#decideOne(draft, received, at);
    }
    return draft;
  }

  #decideOne(draft: Draft, received: Received, at: number): void {
    try {
      const reply = this.#replyTo(draft, received, at);
      if (reply) draft.replies.push({ received, reply });
    } catch (error) {
      // A bug, or a payload nested beyond what JSON can write: this command fails, those beside it go on.
      received.reject(error);
    }
  }

  /** @returns `undefined` where the answer comes later. */
  #replyTo(draft: Draft, received: Received, at: number): Reply | undefined {
    const { envelope } = received;
    if (!draft.instance && !this.#prepareStart(draft, envelope)) return { kind: "not-found" };
    const definition = draft.definition!;
    const { instance } = draft;
    const command = commandOf(envelope, instance, draft.dataKey);
    if (instance) {
      if (needsLookUp(instance, command) && !received.lookedUp) {
        draft.asking = received;
        return undefined;
      }
      if (!isKnown(instance, command)) {
        if (envelope.expectedVersion !== undefined && envelope.expectedVersion !== instance.version) {
          return { kind: "refused", refusal: versionConflict(instance), instance };
        }
        if (command.kind === "start") {
          return { kind: "accepted", instance, definition, created: false, duplicate: true };
        }
      }
    }
    const decision = decide(definition, instance, command, at, (question) => this.#answer(received, question));
    switch (decision.kind) {
      case "accepted":
        this.#accept(draft, command, decision);
        return { kind: "accepted", instance: decision.instance, definition, created: !instance, duplicate: false };
      case "refused":
        return { kind: "refused", refusal: decision, ...(instance && { instance }) };
      case "duplicate":
        return this.#firstAnswer(draft, received, decision.version);
      case "needs":
        for (const question of decision.questions) this.#answer(received, question);
        draft.asking = received;
        return undefined;
    }
  }

  #prepareStart(draft: Draft, { command, orStart, flow }: Envelope): boolean {
    if ((orStart ?? command).kind !== "start" || flow === undefined) return false;
    draft.definition = this.#ports.activeDefinition(flow);
    if (draft.definition && hasSecrets(draft.definition)) draft.dataKey ??= newDataKey();
    return draft.definition !== undefined;
  }

  #accept(draft: Draft, command: Command, accepted: Accepted): void {
    draft.instance = accepted.instance;
    draft.decisions.push(entryDecision(command, accepted));
    draft.effects.push(...accepted.effects);
    for (const task of accepted.tasks) draft.tasks.set(task.id, task);
  }

  /** The first answer: the instance as it was after the command was accepted. */
  #firstAnswer(draft: Draft, received: Received, version: number): Reply | undefined {
    const { live, definition, dataKey } = draft;
    const duplicate = (first: Instance): Reply => ({
      kind: "accepted",
      instance: first,
      definition: definition!,
      created: false,
      duplicate: true,
    });
    const written = draft.instance!.version === version ? draft.instance : draftedAt(draft, version);
    if (written) return duplicate(written);
    this.#replayed(live.key, version, dataKey).then(
      (first) => received.resolve(first ? duplicate(first) : { kind: "not-found" }),
      received.reject,
    );
    return undefined;
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Asking the world
  // -------------------------------------------------------------------------------------------------------------- //

  #answer(received: Received, question: Question): Answer | undefined {
    const known = received.answers?.get(question.key);
    if (known || received.pending?.has(question.key)) return known;
    const answer = this.#ports.ask(question);
    if (answer instanceof Promise) {
      received.pending ??= new Map();
      received.pending.set(question.key, answer);
      return undefined;
    }
    received.answers ??= new Map();
    received.answers.set(question.key, answer);
    return answer;
  }

  /** Waits for the answers, outside the turn; then the command is decided again, before those behind it. */
  async #resume(live: LiveInstance, received: Received): Promise<void> {
    try {
      if (received.pending) await this.#gather(received, received.pending);
      else if (await this.#answeredLongAgo(live, received)) return;
      live.waiting.unshift(received);
    } catch (error) {
      received.reject(error);
    } finally {
      this.#release(live);
    }
  }

  async #gather(received: Received, pending: ReadonlyMap<string, Promise<Answer>>): Promise<void> {
    received.answers ??= new Map();
    const { promise: late, resolve } = Promise.withResolvers<Answer>();
    const timer = setTimeout(
      () => resolve({ failed: `no answer within ${this.#limits.answerTimeoutMs} ms`, retryable: true }),
      this.#limits.answerTimeoutMs,
    );
    try {
      for (const [key, answer] of pending) received.answers.set(key, await Promise.race([answer, late]));
    } finally {
      clearTimeout(timer);
      delete received.pending;
    }
  }

  /** Was it accepted long ago, before the newest commands that the instance carries? */
  async #answeredLongAgo(live: LiveInstance, received: Received): Promise<boolean> {
    const { command } = received.envelope;
    received.lookedUp = true;
    const old = await this.#ports.store.findCommand(live.key, command.source, command.id);
    if (!old) return false;
    if (old.digest !== digestOf(command, live.dataKey)) {
      received.resolve({
        kind: "refused",
        refusal: idReused(command.id),
        ...(live.instance && { instance: live.instance }),
      });
    } else {
      const instance = await this.#replayed(live.key, old.version, live.dataKey);
      const definition = live.definition!;
      received.resolve(
        instance ? { kind: "accepted", instance, definition, created: false, duplicate: true } : { kind: "not-found" },
      );
    }
    return true;
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Writing
  // -------------------------------------------------------------------------------------------------------------- //

  async #write(drafts: readonly Draft[]): Promise<void> {
    this.#writes += 1;
    try {
      const rows = drafts.map((draft) => this.#row(draft));
      const began = performance.now();
      const { taken } = await this.#ports.store.append(rows);
      this.#ports.written?.((performance.now() - began) / 1000);
      const lost = new Set(taken.map(nameOf));
      const kept = drafts
        .map((draft, index) => ({ draft, row: rows[index]! }))
        .filter(({ draft }) => !lost.has(draft.live.name));
      for (const { draft, row } of kept) commitTo(draft, row);
      this.#ports.committed(kept.map(({ draft, row }) => committedOf(draft, row)));
      for (const draft of drafts) lost.has(draft.live.name) ? this.#decideAgain(draft) : this.#finish(draft);
    } catch (error) {
      for (const draft of drafts) this.#fail(draft, error);
    } finally {
      this.#writes -= 1;
      this.#schedule();
    }
  }

  #row(draft: Draft): AppendRow {
    const { live, dataKey, decisions } = draft;
    const instance = draft.instance!;
    const entry: Entry = { definition: instance.definition, at: instance.updatedAt, decisions };
    const body = encode(entry, dataKey);
    const before = live.instance;
    const snapshotDue = instance.version - live.snapshotVersion >= this.#limits.snapshotEvery;
    const sequence = live.sequence + 1;
    return {
      ...live.key,
      sequence,
      at: instance.updatedAt,
      body,
      hash: chain(live.hash, body),
      projection: {
        summary: summaryOf(instance),
        ...(snapshotDue && { snapshot: encode(instance, dataKey) }),
        tasks: [...draft.tasks.values()],
        ...timerChanges(before, instance),
        effects: encodeEffects(draft.effects, dataKey),
        oldCommands: before ? fallenOut(before, instance, sequence) : [],
        ...(dataKey && !before && { wrappedKey: this.#ports.keys.wrap(dataKey) }),
      },
    };
  }

  /** Answers go out after the commit; then the command that waits for the world, or whatever came meanwhile. */
  #finish(draft: Draft): void {
    for (const { received, reply } of draft.replies) received.resolve(reply);
    if (draft.asking) void this.#resume(draft.live, draft.asking);
    else this.#release(draft.live);
  }

  /** Somebody else wrote this sequence first: load again and decide all of it again, in the same order. */
  #decideAgain(draft: Draft): void {
    this.#instances.forget(draft.live);
    this.#requeue(draft);
    this.#release(draft.live);
  }

  #requeue({ live, replies, asking }: Draft): void {
    const again = [...replies.map(({ received }) => received), ...(asking ? [asking] : [])];
    // What somebody else wrote may have been one of them.
    for (const received of again) received.lookedUp = false;
    live.waiting.unshift(...again);
  }

  #fail(draft: Draft, error: unknown): void {
    this.#instances.forget(draft.live);
    for (const { received } of draft.replies) received.reject(error);
    draft.asking?.reject(error);
    this.#release(draft.live);
  }

  async #aside(key: InstanceKey): Promise<LiveInstance> {
    const aside = new LiveInstances<Received>(this.#ports, 1);
    const live = aside.of(key);
    await this.#loadOne(live, aside);
    return live;
  }

  async #replayed(key: InstanceKey, version: number, dataKey: Buffer | undefined): Promise<Instance | undefined> {
    return replayTo(await this.#ports.store.history(key), version, dataKey, this.#ports);
  }
}

/** The instance at a version that this turn itself decided and that is not written yet. */
function draftedAt({ replies }: Draft, version: number): Instance | undefined {
  for (const { reply } of replies) {
    if (reply.kind === "accepted" && reply.instance.version === version) return reply.instance;
  }
  return undefined;
}

/** A start in place of an event has the event's digest: delivered again, it is the same command. */
function commandOf({ command, orStart }: Envelope, instance: Instance | undefined, key: Buffer | undefined): Command {
  const chosen = instance || !orStart ? command : orStart;
  return { ...chosen, digest: digestOf(command, key) } as Command;
}

/** The digest covers what the command asks for, not who brought it, nor what the directory knew of a person then. */
function digestOf(command: CommandDraft, key: Buffer | undefined): string {
  const { id: _id, source: _source, ...body } = command;
  const text = JSON.stringify(body.kind === "start" ? { ...body, initiator: body.initiator.id } : body);
  return key ? keyedDigest(key, text) : hash("sha256", text, "base64url");
}

/** Timers and reports carry ids of our own making, which repeat only while they are among the newest. */
const needsLookUp = (instance: Instance, command: Command): boolean =>
  instance.recent.length >= RECENT_MAX &&
  command.kind !== "timer" &&
  command.kind !== "report" &&
  !isKnown(instance, command);

const isKnown = (instance: Instance, { source, id }: Command): boolean =>
  instance.recent.some((recent) => recent.id === id && recent.source === source);

const secretFlows = new WeakMap<Definition, boolean>();

/** Does the flow have any secret field, in its data or in an event? */
export function hasSecrets(definition: Definition): boolean {
  let known = secretFlows.get(definition);
  if (known === undefined) {
    const payload = definition.events.flatMap((event) => event.payload);
    known = [...definition.fields, ...payload].some((field) => field.secret);
    secretFlows.set(definition, known);
  }
  return known;
}

function commitTo({ live, instance, definition, dataKey }: Draft, row: AppendRow): void {
  if (row.projection.snapshot !== undefined) live.snapshotVersion = instance!.version;
  Object.assign(live, { instance, definition, dataKey, sequence: row.sequence, hash: row.hash });
}

const committedOf = ({ live, instance, effects }: Draft, { projection }: AppendRow): Committed => ({
  ...live.key,
  about: instance!,
  effects,
  timersSet: projection.timersSet,
});

const summaryOf = (instance: Instance) => ({
  flow: instance.flow,
  key: instance.key,
  state: instance.state,
  ...(instance.outcome !== undefined && { outcome: instance.outcome }),
  initiator: instance.initiator.id,
  definition: instance.definition,
  version: instance.version,
  startedAt: instance.startedAt,
  updatedAt: instance.updatedAt,
});

function timerChanges(before: Instance | undefined, after: Instance): { timersSet: Timer[]; timersGone: string[] } {
  if (before?.timers === after.timers) return { timersSet: [], timersGone: [] };
  const had = new Set(before?.timers.map((timer) => timer.id));
  const has = new Set(after.timers.map((timer) => timer.id));
  return {
    timersSet: after.timers.filter((timer) => !had.has(timer.id)),
    timersGone: [...had].filter((id) => !has.has(id)),
  };
}

/** Commands that the instance carried before and no longer does. */
function fallenOut(before: Instance, after: Instance, sequence: number): OldCommand[] {
  const oldest = after.recent[0]?.version ?? 0;
  return before.recent.filter((recent) => recent.version < oldest).map((recent) => ({ ...recent, sequence }));
}

const idReused = (id: string): Refusal => ({
  kind: "refused",
  code: "id-reused",
  message: `the id \`${id}\` was used by another command; take a fresh id for a new command`,
});

const versionConflict = (instance: Instance): Refusal => ({
  kind: "refused",
  code: "version-conflict",
  message: `the instance has moved to version ${instance.version}; look at it again and decide anew`,
  details: { version: instance.version },
});
