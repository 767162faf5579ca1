import type { Definition, SeatStatus } from "../dsl/index.ts";
import type { Accepted, DocumentData, Effect, EpochMs, Instance, Json, StoryLine, Task } from "./types.ts";

/** A function that was asked or an action that was begun. */
export interface Call {
  readonly name: string;
  readonly arguments: readonly Json[];
}

/** The round opened last, which may be over. */
interface LastRound {
  readonly number: number;
  readonly state: string;
  readonly stage: number;
  /** Length of the story when it opened. */
  readonly from: number;
  readonly seats: readonly string[];
  /** Ids of its tasks, oldest first. */
  readonly tasks: readonly string[];
  /** What became of the seats that had no turn. */
  readonly ended?: "superseded" | "cancelled";
}

/** One instance of a test, with everything that an `expect` may ask about. */
export class SimulatedRun {
  readonly definition: Definition;
  readonly id: string;
  readonly key: string;
  instance: Instance | undefined;
  /** Who acted last; absent after a timer. */
  actor: string | undefined;
  round: LastRound | undefined;
  readonly story: { readonly at: EpochMs; readonly line: StoryLine }[] = [];
  readonly calls: Call[] = [];
  readonly notified: string[] = [];
  readonly documents: { readonly name: string; readonly data: DocumentData }[] = [];
  /** Timers whose command was refused for now, and when they are tried again. */
  readonly postponed = new Map<string, EpochMs>();
  private readonly tasks = new Map<string, Task>();

  constructor(definition: Definition, id: string, key: string) {
    this.definition = definition;
    this.id = id;
    this.key = key;
    this.instance = undefined;
    this.actor = undefined;
    this.round = undefined;
  }

  accept({ instance, story, effects, tasks }: Accepted, actor: string | undefined, at: EpochMs): void {
    this.instance = instance;
    this.actor = actor;
    for (const task of tasks) this.tasks.set(task.id, task);
    for (const line of story) {
      this.follow(line, instance);
      this.story.push({ at, line });
    }
    for (const effect of effects) this.note(effect);
  }

  /** Who holds open tasks. */
  waiting(): string[] {
    return (this.instance?.round?.seats ?? []).filter((seat) => seat.status === "open").map((seat) => seat.person);
  }

  /** The user's newest task in the round opened last, or the seat that has had none; `undefined`: no seat. */
  seat(user: string): SeatStatus | undefined {
    const { round } = this;
    const newest = round?.tasks.findLast((id) => this.tasks.get(id)?.assignee === user);
    if (newest !== undefined) return this.tasks.get(newest)?.status;
    return round?.seats.includes(user) ? (round.ended ?? "waiting") : undefined;
  }

  /** How many lines of this kind the round opened last has. */
  countInRound(kind: StoryLine["kind"]): number {
    return this.story.slice(this.round?.from ?? 0).filter(({ line }) => line.kind === kind).length;
  }

  private follow(line: StoryLine, instance: Instance): void {
    const { round } = this;
    switch (line.kind) {
      case "round-opened":
        this.open(line.round, line, line.seats);
        break;
      case "held": {
        const held = instance.round;
        if (held?.state === line.state && held.stage === line.stage) this.open(held.number, line, []);
        break;
      }
      case "task-opened":
        if (round) this.round = { ...round, tasks: [...round.tasks, line.task] };
        break;
      case "round-closed": {
        const ended = line.result === "cancelled" || line.result === "returned" ? "cancelled" : "superseded";
        if (round) this.round = { ...round, ended };
        break;
      }
    }
  }

  /** A new round; or more seats in the same, where others take the place of those who abstained. */
  private open(number: number, { state, stage }: { state: string; stage: number }, seats: readonly string[]): void {
    const { round } = this;
    const same = round?.number === number && round.state === state && round.stage === stage;
    this.round = same
      ? { ...round, seats: [...round.seats, ...seats] }
      : { number, state, stage, from: this.story.length, seats, tasks: [] };
  }

  /** An inbox shows new tasks and reminders by itself; `notified` is about everything else that is sent to people. */
  private note(effect: Effect): void {
    switch (effect.kind) {
      case "notify":
        if (effect.about.kind !== "task" || effect.about.what === "escalated") this.notified.push(...effect.to);
        break;
      case "render":
        this.documents.push({ name: effect.document, data: effect.data });
        break;
      case "call":
        this.calls.push({ name: effect.function, arguments: effect.arguments });
        break;
    }
  }
}
