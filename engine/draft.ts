import type { Data, FieldDefinition, Value } from "../dsl/index.ts";
import { FlowDraft, type PlaceDraft, type WorkingInstance } from "./place.ts";
import type { Prepared } from "./prepare.ts";
import type { Stop } from "./refusal.ts";
import type {
  Accepted,
  Answer,
  Answers,
  Command,
  Definitions,
  Effect,
  EpochMs,
  Instance,
  Json,
  NotificationAbout,
  OutEvent,
  Question,
  QuestionContext,
  Refusal,
  StoryLine,
  Task,
} from "./types.ts";
import { fieldValue } from "./values.ts";

/** Accepted commands that an instance remembers. */
export const RECENT_MAX = 64;

type Unnumbered<Each> = Each extends unknown ? Omit<Each, "id"> : never;

/** What a decision starts from, see `decide`. */
export interface DecisionInput {
  readonly prepared: Prepared;
  readonly instance: Instance;
  readonly command: Command;
  readonly at: EpochMs;
  readonly answers: Answers;
  readonly definitions: Definitions;
}

/** One decision in the making: what the instance becomes, and what is to be told, done and asked. Dropped if refused. */
export class Draft {
  readonly command: Command;
  readonly at: EpochMs;
  /** The instance under work, which is also its own flow and that flow's own place. */
  instance: WorkingInstance;
  flow: FlowDraft;
  readonly definitions: Definitions;
  /** Who acts; `undefined` for timers, services and machines. */
  actor: string | undefined;
  /** The event being decided and its typed payload. */
  event: string | undefined;
  payload: Data = {};
  /** What the newest question was told. */
  context: QuestionContext | undefined;

  readonly answers: Answers;
  /** Answers used so far: a question has one answer within a decision. */
  readonly used: Record<string, Answer>;
  private questions: Map<string, Question> | undefined;
  /** Why guards said no, for the refusal. */
  readonly reasons: string[] = [];
  private failure: Refusal | undefined;

  private readonly story: StoryLine[] = [];
  private readonly effects: Effect[] = [];
  /** The events of the newest `publish`, while it may still take more. */
  private outgoing: OutEvent[] | undefined;
  private published = 0;
  private readonly tasks = new Map<string, Task>();
  /** Of the ids of effects and events: derived, so that deciding again gives the same. */
  private readonly idPrefix: string;
  private readonly secrets: string[] = [];

  constructor(
    { prepared, instance, command, at, answers, definitions }: DecisionInput,
    used: Record<string, Answer> = {},
  ) {
    this.command = command;
    this.at = at;
    this.answers = answers;
    this.definitions = definitions;
    this.used = used;
    this.actor = command.actor;
    this.event = undefined;
    this.context = undefined;
    this.failure = undefined;
    this.questions = undefined;
    this.instance = { ...instance };
    this.idPrefix = `${instance.id}:${instance.version + 1}:`;
    this.flow = new FlowDraft(this, prepared, this.instance, "");
  }

  /** The instance's own machine. */
  get place(): PlaceDraft {
    return this.flow.place;
  }

  /** The number of the command, once it is accepted. */
  get version(): number {
    return this.instance.version + 1;
  }

  /** The instance goes on as one of another version of its flow. */
  goOnAs(prepared: Prepared, instance: Instance): void {
    this.instance = { ...instance };
    this.flow = new FlowDraft(this, prepared, this.instance, "");
  }

  /** The first failure stands. */
  fail(refusal: Refusal): void {
    this.failure ??= refusal;
  }

  /** What keeps this decision from being made: something failed, or answers are missing. */
  blocked(): Stop | undefined {
    if (this.failure) return this.failure;
    return this.questions && { kind: "needs", questions: [...this.questions.values()] };
  }

  /** Must be answered before this can be decided. */
  need(question: Question): void {
    this.questions ??= new Map();
    this.questions.set(question.key, question);
  }

  get needsAnswers(): boolean {
    return this.questions !== undefined;
  }

  tell(line: StoryLine): void {
    this.story.push(line);
  }

  /** Id of the effect that comes next. */
  get nextEffect(): string {
    return `${this.idPrefix}${this.effects.length}`;
  }

  /** Gives the effect's id. */
  effect(effect: Unnumbered<Effect>): string {
    const id = this.nextEffect;
    this.effects.push({ ...effect, id } as Effect);
    // Actions run in order: events behind one that takes time go out after it, the others together.
    if (effect.kind !== "notify") this.outgoing = undefined;
    return id;
  }

  /** Sends an event of a flow out; returns its id. */
  publish({ now, parent }: FlowDraft, event: string, more: { readonly [name: string]: Json }): string {
    const { key } = this.instance;
    const id = `${this.idPrefix}e${this.published}`;
    this.published += 1;
    if (!this.outgoing) {
      this.outgoing = [];
      this.effects.push({ id: this.nextEffect, kind: "publish", events: this.outgoing });
    }
    const { flow, state } = now;
    const data = { instance: now.id, flow, key, state, ...more };
    this.outgoing.push(parent ? { id, event, flow, data } : { id, event, data });
    return id;
  }

  notify(to: readonly string[], about: NotificationAbout, copy = false): void {
    this.effect({ kind: "notify", to, copy, about });
  }

  /** Puts down a task in its new form. */
  keep(task: Task): void {
    this.tasks.set(task.id, task);
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
      effects: this.effects,
      tasks: [...this.tasks.values()],
      answers: this.used,
    };
  }

  private next(): Instance {
    const { id, source, digest } = this.command;
    const { instance, version } = this;
    const { recent } = instance;
    const accepted = { source, id, digest, version };
    const kept = recent.length < RECENT_MAX ? recent : recent.slice(recent.length - RECENT_MAX + 1);
    instance.version = version;
    instance.updatedAt = this.at;
    instance.recent = [...kept, accepted];
    return this.place.finish() as Instance;
  }
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
