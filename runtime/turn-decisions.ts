import type { Definition } from "../dsl/index.ts";
import type {
  Accepted,
  Answer,
  Command,
  Effect,
  EpochMs,
  Instance,
  Newcomer,
  Question,
  Refusal,
  Task,
} from "../engine/index.ts";
import { decide } from "../engine/index.ts";
import {
  carriedBy,
  commandOf,
  DeadlinePassed,
  type Envelope,
  HeldBack,
  hasSecrets,
  idReused,
  isRecent,
  isSameBody,
  mayBeOld,
  newcomerOf,
  type Reply,
  type Series,
  versionConflict,
} from "./commands.ts";
import { digestData } from "./data-digest.ts";
import { type EntryDecision, entryDecision, versionsChosen } from "./entry.ts";
import { newDataKey } from "./key-ring.ts";
import type { Live } from "./live-instances.ts";
import type { Carried, InstanceKey, OldCommand } from "./ports.ts";
import { Answers } from "./turn-answers.ts";

/** A command that waits, and who waits for its answer. */
export interface Received {
  readonly envelope: Envelope;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  answers?: Answers;
  /** What the store says of it among the commands that the instance no longer carries. Absent: not asked yet. */
  earlier?: OldCommand | "none";
  /** The instance was loaded since the command came. */
  isLookedUp?: boolean;
}

export type LiveInstance = Live<Received>;

/** The decisions of one turn on one instance, not yet written. */
export interface Draft {
  readonly live: LiveInstance;
  instance: Instance | undefined;
  definition: Definition | undefined;
  /** Hash of the definition that decides in this turn; absent before the first decision. */
  decidedBy: string | undefined;
  dataKey: Buffer | undefined;
  readonly decisions: EntryDecision[];
  readonly effects: Effect[];
  readonly tasks: Map<string, Task>;
  readonly replies: { readonly received: Received; readonly reply: Reply }[];
  /** Waits for the world, and everything behind it with it. */
  asking: Received | undefined;
  /** What is still waiting waits for the next turn. */
  ended: boolean;
  /** One of it was not accepted here; whether that stands shows when the turn is over. */
  held: Series | undefined;
}

export interface DecisionPorts {
  /** The version of a flow that a new instance gets. */
  versionFor(flow: string, newcomer: () => Newcomer): Definition | undefined;
  /** By hash, from memory: of every instance that is loaded, those that it goes by; and all that are active. */
  definition(hash: string): Definition | undefined;
  /** Why its tenant may have no new instance now; absent: there is no limit. */
  mayStart?(envelope: Envelope): Refusal | undefined;
  /** Answers from memory at once, else with a promise that never rejects. */
  ask(question: Question, carried: Carried): Answer | Promise<Answer>;
  /** The instance as it was at an earlier version. */
  replayed(key: InstanceKey, version: number, dataKey: Buffer | undefined): Promise<Instance | undefined>;
}

/** Decides what waits for an instance, in the order in which it came, in memory. */
export class Decider {
  readonly #ports: DecisionPorts;

  constructor(ports: DecisionPorts) {
    this.#ports = ports;
  }

  /** @param commandsMax accepted ones; the rest waits for the next turn. */
  decideWaiting(live: LiveInstance, now: EpochMs, commandsMax: number): Draft {
    const draft = newDraft(live);
    const at = Math.max(now, live.instance?.updatedAt ?? 0);
    while (live.waiting.length > 0 && draft.decisions.length < commandsMax && !draft.ended) {
      const received = live.waiting.shift()!;
      if (isTooLate(received, now))
        received.reject(new DeadlinePassed("the command's deadline passed while it waited"));
      else this.#decideOne(draft, received, at);
    }
    return draft;
  }

  #decideOne(draft: Draft, received: Received, at: EpochMs): void {
    const { series } = received.envelope;
    if (series?.broken) received.reject(new HeldBack("a command before it was not accepted"));
    else if (series && draft.held === series) waitForNextTurn(draft, received);
    else this.#tryToDecide(draft, received, at);
  }

  #tryToDecide(draft: Draft, received: Received, at: EpochMs): void {
    const { series } = received.envelope;
    try {
      const reply = this.#replyTo(draft, received, at);
      if (!reply) return;
      if (series && reply.kind !== "accepted") draft.held = series;
      if (reply.kind !== "accepted" && !draft.instance && !draft.live.loaded) lookFirst(draft, received);
      else draft.replies.push({ received, reply });
    } catch (error) {
      // A bug, or a payload nested beyond what JSON can write: this command fails, those beside it go on.
      received.reject(error);
    }
  }

  /** @returns `undefined` where the answer comes later. */
  #replyTo(draft: Draft, received: Received, at: EpochMs): Reply | undefined {
    const { envelope } = received;
    const { instance } = draft;
    if (!instance) {
      if (!this.#prepareStart(draft, envelope)) return { kind: "not-found" };
      const refusal = this.#ports.mayStart?.(envelope);
      if (refusal) return { kind: "refused", refusal };
    }
    const command = commandOf(envelope, instance, draft.dataKey);
    if (instance && mayBeOld(instance, command)) {
      const { earlier } = received;
      if (earlier === undefined) return askStore(draft, received);
      if (earlier !== "none") return this.#replyAsEarlier(draft, received, command, earlier);
    }
    return (instance && replyWithoutDeciding(draft, envelope, command)) ?? this.#decide(draft, received, command, at);
  }

  #prepareStart(draft: Draft, { command, orStart, flow }: Envelope): boolean {
    const starting = orStart ?? command;
    if (starting.kind !== "start" || flow === undefined) return false;
    draft.definition = this.#ports.versionFor(flow, () => newcomerOf(starting));
    if (draft.definition && hasSecrets(draft.definition)) draft.dataKey ??= newDataKey();
    return draft.definition !== undefined;
  }

  #decide(draft: Draft, received: Received, command: Command, at: EpochMs): Reply | undefined {
    const { instance } = draft;
    const definition = draft.definition!;
    const { envelope } = received;
    const answers = (question: Question) => this.#answer(received, question, instance);
    const decision = decide(definition, instance, command, at, answers, this.#ports.definition);
    switch (decision.kind) {
      case "accepted":
        accept(draft, decision, envelope);
        this.#followVersions(draft, decision);
        note(draft, command, decision);
        return {
          kind: "accepted",
          instance: decision.instance,
          definition: draft.definition!,
          created: !instance,
          duplicate: false,
        };
      case "refused":
        return { kind: "refused", refusal: decision, ...(instance && { instance }) };
      case "duplicate":
        return this.#firstAnswer(draft, received, decision.version);
      case "needs":
        for (const question of decision.questions) answers(question);
        draft.asking = received;
        draft.ended = true;
        return undefined;
    }
  }

  /** A sub-flow that was started may have secrets; an instance that has moved to another version is decided by that. */
  #followVersions(draft: Draft, { answers, instance }: Accepted): void {
    const versions = versionsChosen(answers);
    if (versions.length === 0) return;
    const isSecret = versions.some((hash) => hasSecrets(this.#ports.definition(hash)!));
    if (isSecret) draft.dataKey ??= newDataKey();
    if (instance.definition === draft.decidedBy) return;
    draft.definition = this.#ports.definition(instance.definition);
    draft.ended = true;
  }

  #answer(received: Received, question: Question, instance: Instance | undefined): Answer | undefined {
    received.answers ??= new Answers();
    return received.answers.of(question, (asked) => this.#ports.ask(asked, carriedBy(received.envelope, instance)));
  }

  #replyAsEarlier(draft: Draft, received: Received, command: Command, earlier: OldCommand): Reply | undefined {
    const isSame = isSameBody(earlier.digest, received.envelope.command, draft.dataKey);
    if (isSame) return this.#firstAnswer(draft, received, earlier.version);
    return { kind: "refused", refusal: idReused(command.id), ...(draft.instance && { instance: draft.instance }) };
  }

  /** The first answer: the instance as it was after the command was accepted. */
  #firstAnswer(draft: Draft, received: Received, version: number): Reply | undefined {
    const { live, dataKey } = draft;
    const drafted = draftedAt(draft, version);
    if (drafted) return this.#duplicate(drafted);
    this.#ports
      .replayed(live.key, version, dataKey)
      // Where its entry was pruned, the instance as it is now is all there is.
      .then((first) => received.resolve(this.#duplicate(first ?? draft.live.instance!)), received.reject);
    return undefined;
  }

  /** The version that it stood on then is in memory. */
  #duplicate(instance: Instance): Reply {
    return duplicate(instance, this.#ports.definition(instance.definition)!);
  }
}

const isTooLate = ({ envelope: { deadlineAt } }: Received, now: EpochMs): boolean =>
  deadlineAt !== undefined && deadlineAt < now;

const newDraft = (live: LiveInstance): Draft => ({
  live,
  instance: live.instance,
  definition: live.definition,
  decidedBy: undefined,
  dataKey: live.dataKey,
  decisions: [],
  effects: [],
  tasks: new Map(),
  replies: [],
  asking: undefined,
  ended: false,
  held: undefined,
});

/** Once it is known under which key. */
function note({ live, dataKey, decisions }: Draft, command: Command, accepted: Accepted): void {
  live.digest = digestData(accepted.instance, dataKey, live.digest);
  decisions.push(entryDecision(command, accepted, live.digest.digest));
}

function accept(draft: Draft, accepted: Accepted, envelope: Envelope): void {
  draft.instance = accepted.instance;
  draft.decidedBy ??= draft.definition!.hash;
  const carried = carriedByEffects(envelope, accepted.instance);
  for (const effect of accepted.effects) draft.effects.push(carried ? { ...effect, ...carried } : effect);
  for (const task of accepted.tasks) draft.tasks.set(task.id, task);
}

/** What the instance does not say itself; `undefined`: nothing. */
function carriedByEffects(
  { traceparent, tag }: Envelope,
  instance: Instance,
): Pick<Effect, "traceparent" | "tag"> | undefined {
  const isOwnTag = tag !== undefined && tag !== instance.tag;
  if (traceparent === undefined && !isOwnTag) return undefined;
  return { ...(traceparent !== undefined && { traceparent }), ...(isOwnTag && { tag }) };
}

/** What needs no decision: somebody looked at an older version, or it is started already. */
function replyWithoutDeciding(draft: Draft, envelope: Envelope, command: Command): Reply | undefined {
  const instance = draft.instance!;
  const { expectedVersion } = envelope;
  const isOutdated = expectedVersion !== undefined && expectedVersion !== instance.version;
  if ((!isOutdated && command.kind !== "start") || isRecent(instance, command)) return undefined;
  return isOutdated
    ? { kind: "refused", refusal: versionConflict(instance), instance }
    : duplicate(instance, draft.definition!);
}

const duplicate = (instance: Instance, definition: Definition): Reply => ({
  kind: "accepted",
  instance,
  definition,
  created: false,
  duplicate: true,
});

/** The instance at a version that this turn begins with or decided itself. */
function draftedAt({ instance, replies }: Draft, version: number): Instance | undefined {
  if (instance?.version === version) return instance;
  for (const { reply } of replies) {
    if (reply.kind === "accepted" && reply.instance.version === version) return reply.instance;
  }
  return undefined;
}

/**
 * A start is decided without looking whether there is such an instance: the journal's key tells, when it is written.
 * Where it was taken, or the start is refused, the next turn looks.
 */
export const isPresumedNew = ({ contested, waiting }: LiveInstance): boolean =>
  !contested && waiting[0]?.envelope.command.kind === "start";

function lookFirst(draft: Draft, received: Received): void {
  draft.live.contested = true;
  waitForNextTurn(draft, received);
}

/** Only now the instance carries so many commands that this one may be an older one: the next turn asks the store. */
function askStore(draft: Draft, received: Received): undefined {
  waitForNextTurn(draft, received);
}

function waitForNextTurn(draft: Draft, received: Received): void {
  draft.live.waiting.unshift(received);
  draft.ended = true;
}
