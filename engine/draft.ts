import type { Data, FieldDefinition, Outcome, Value } from "../dsl/index.ts";
import type { Prepared, PreparedState } from "./prepare.ts";
import type { Stop } from "./refusal.ts";
import type {
  Accepted,
  Answer,
  Answers,
  Command,
  Effect,
  EpochMs,
  Instance,
  Json,
  NotificationAbout,
  OutEvent,
  Question,
  Refusal,
  Round,
  StoryLine,
  Task,
} from "./types.ts";
import { showValue } from "./values.ts";

/** Accepted commands that an instance remembers. */
export const RECENT_MAX = 64;

/** An instance under work: the same parts, replaced one by one and never changed within. */
export type Working = { -readonly [Part in keyof Omit<Instance, "round" | "outcome">]: Instance[Part] } & {
  round: Round | undefined;
  outcome: string | undefined;
};

type Unnumbered<Each> = Each extends unknown ? Omit<Each, "id"> : never;

/** One decision in the making: what the instance becomes, and what is to be told, done and asked. Dropped if refused. */
export class Draft {
  readonly prepared: Prepared;
  readonly command: Command;
  readonly at: EpochMs;
  readonly instance: Working;
  /** Who acts; `undefined` for timers, services and machines. */
  actor: string | undefined;
  /** The event being decided and its typed payload. */
  event: string | undefined;
  payload: Data = {};
  /** The current state's approval has come to this; the machine is still to be told. */
  pending: Outcome | undefined;

  readonly answers: Answers;
  /** Answers used so far: a question has one answer within a decision. */
  readonly used: Record<string, Answer>;
  readonly questions = new Map<string, Question>();
  /** Why guards said no, for the refusal. */
  readonly reasons: string[] = [];
  private failure: Refusal | undefined;

  private readonly story: StoryLine[] = [];
  private readonly effects: Unnumbered<Effect>[] = [];
  /** The events of the newest `publish`, while it may still take more. */
  private outgoing: OutEvent[] | undefined;
  private published = 0;
  private readonly tasks = new Map<string, Task>();
  private readonly secrets: string[] = [];
  private shown: { of: Data; data: { readonly [field: string]: Json } } | undefined;

  constructor(
    prepared: Prepared,
    instance: Instance | Working,
    command: Command,
    at: EpochMs,
    answers: Answers,
    used: Record<string, Answer> = {},
  ) {
    this.prepared = prepared;
    this.command = command;
    this.at = at;
    this.answers = answers;
    this.used = used;
    this.actor = command.actor;
    this.event = undefined;
    this.pending = undefined;
    this.failure = undefined;
    this.shown = undefined;
    this.instance = workOn(instance);
  }

  get state(): PreparedState {
    return this.prepared.states.get(this.instance.state)!;
  }

  /** The number of the command, once it is accepted. */
  get version(): number {
    return this.instance.version + 1;
  }

  /** The first failure stands. */
  fail(refusal: Refusal): void {
    this.failure ??= refusal;
  }

  /** What keeps this decision from being made: something failed, or answers are missing. */
  blocked(): Stop | undefined {
    if (this.failure) return this.failure;
    return this.questions.size === 0 ? undefined : { kind: "needs", questions: [...this.questions.values()] };
  }

  tell(line: StoryLine): void {
    this.story.push(line);
  }

  effect(effect: Unnumbered<Effect>): void {
    this.effects.push(effect);
    // Actions run in order: events behind one that takes time go out after it, the others together.
    if (effect.kind !== "notify") this.outgoing = undefined;
  }

  /** Sends an event out; returns its id. */
  publish(event: string, more: { readonly [name: string]: Json }): string {
    const { id, key, state, flow } = this.instance;
    const eventId = `${id}:${this.version}:e${this.published}`;
    this.published += 1;
    if (!this.outgoing) {
      this.outgoing = [];
      this.effects.push({ kind: "publish", events: this.outgoing });
    }
    this.outgoing.push({ id: eventId, event, data: { instance: id, flow, key, state, ...more } });
    return eventId;
  }

  notify(to: readonly string[], about: NotificationAbout, copy = false): void {
    this.effect({ kind: "notify", to, copy, about });
  }

  /** Puts down a task in its new form. */
  keep(task: Task): void {
    this.tasks.set(task.id, task);
  }

  /** The instance's data as it is shown outside, without secrets. */
  publicData(): { readonly [field: string]: Json } {
    const { data } = this.instance;
    if (this.shown?.of !== data) this.shown = { of: data, data: withoutSecrets(this.prepared, data) };
    return this.shown.data;
  }

  /** Stands for a secret in this decision: equal for equal values, without telling them. */
  secretLabel(value: Json): string {
    const text = JSON.stringify(value);
    if (!this.secrets.includes(text)) this.secrets.push(text);
    return `secret ${this.secrets.indexOf(text) + 1} of ${this.version}`;
  }

  accept(): Accepted {
    return {
      kind: "accepted",
      instance: this.next(),
      story: this.story,
      effects: this.numbered(),
      tasks: [...this.tasks.values()],
      answers: this.used,
    };
  }

  private next(): Instance {
    const { id, source, digest } = this.command;
    const { outcome, round, recent, ...rest } = this.instance;
    const accepted = { source, id, digest, version: this.version };
    const kept = recent.length < RECENT_MAX ? recent : recent.slice(recent.length - RECENT_MAX + 1);
    return {
      ...rest,
      ...(outcome !== undefined && { outcome }),
      ...(round && { round }),
      version: this.version,
      updatedAt: this.at,
      recent: [...kept, accepted],
    };
  }

  /** Ids are derived, so that deciding again gives the same. */
  private numbered(): Effect[] {
    return this.effects.map((effect, index) => ({ id: `${this.instance.id}:${this.version}:${index}`, ...effect }));
  }
}

function workOn(instance: Instance | Working): Working {
  return { ...instance, round: instance.round, outcome: instance.outcome };
}

function withoutSecrets({ fields, currency }: Prepared, data: Data): { [field: string]: Json } {
  const shown: { [field: string]: Json } = {};
  for (const field of fields.values()) {
    const value = fieldValue(data, field.name);
    if (value !== undefined && !field.secret) shown[field.name] = showValue(field.type, value, currency);
  }
  return shown;
}

/** The field's own value; a field may be called `constructor`. */
export function fieldValue(data: Data, field: string): Value | undefined {
  return Object.hasOwn(data, field) ? data[field] : undefined;
}

/** Fields whose value is not what it was. */
export function changedFields(fields: Iterable<FieldDefinition>, before: Data, after: Data): string[] {
  if (before === after) return [];
  return [...fields]
    .map(({ name }) => name)
    .filter((name) => !sameValue(fieldValue(before, name), fieldValue(after, name)));
}

function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  return typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b);
}
