import type { Definition, SeatStatus } from "../dsl/index.ts";
import type { HistoryEntry } from "./replay.ts";
import type {
  Accepted,
  DocumentData,
  Effect,
  EpochMs,
  Instance,
  Json,
  Place,
  PlaceAddress,
  Round,
  SagaRun,
  Seat,
  StoryLine,
  Task,
} from "./types.ts";

/** A function that was asked, or an action or step that was begun. */
export interface Call {
  readonly name: string;
  readonly arguments: readonly Json[];
}

/** The round opened last in a place, which may be over. */
interface LastRound {
  readonly place: PlaceAddress;
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

/** Who is waited for: an open task, or one that any of the candidates may claim. */
export interface Awaited {
  readonly task: string;
  readonly person: string;
  readonly onBehalfOf?: string;
  readonly candidates?: readonly string[];
  readonly place: PlaceAddress;
}

/** One instance of a test, with everything that an `expect` may ask about. */
export class SimulatedRun {
  /** It changes when the instance is migrated. */
  definition: Definition;
  readonly startedOn: Definition;
  readonly history: HistoryEntry[] = [];
  readonly id: string;
  readonly key: string;
  instance: Instance | undefined;
  /** Who acted last; absent after a timer. */
  actor: string | undefined;
  readonly story: { readonly at: EpochMs; readonly line: StoryLine }[] = [];
  readonly calls: Call[] = [];
  /** Undos of saga steps that were carried out. */
  readonly undone: Call[] = [];
  readonly notified: string[] = [];
  readonly documents: { readonly name: string; readonly data: DocumentData }[] = [];
  /** Timers whose command was refused for now, and when they are tried again. */
  readonly postponed = new Map<string, EpochMs>();
  private readonly tasks = new Map<string, Task>();
  private readonly rounds = new Map<PlaceAddress, LastRound>();
  private newest: PlaceAddress | undefined;

  constructor(definition: Definition, id: string, key: string) {
    this.definition = definition;
    this.startedOn = definition;
    this.id = id;
    this.key = key;
    this.instance = undefined;
    this.actor = undefined;
    this.newest = undefined;
  }

  accept({ instance, story, effects, tasks }: Accepted, actor: string | undefined, at: EpochMs): void {
    this.instance = instance;
    this.actor = actor;
    for (const task of tasks) this.tasks.set(task.id, task);
    for (const line of story) {
      this.follow(line);
      this.story.push({ at, line });
    }
    for (const effect of effects) this.note(effect);
  }

  /** Everybody who is waited for, in the instance and its sub-flows. */
  waiting(): Awaited[] {
    if (!this.instance) return [];
    const left = (this.instance.undoing ?? []).flatMap(({ sagas }) => sagas);
    return [...awaitedIn(this.instance, ""), ...left.flatMap(({ run, place = "" }) => stuckIn(run, place))];
  }

  /** Open tasks of this user, claimable ones too. */
  openTasks(user: string, branch?: string): Awaited[] {
    return this.waiting().filter(
      ({ person, candidates, place }) =>
        (person === user || (person === "" && candidates?.includes(user))) &&
        (branch === undefined || isIn(place, branch)),
    );
  }

  /** The round opened last, in a branch or anywhere. */
  round(branch?: string): LastRound | undefined {
    if (branch === undefined) return this.newest === undefined ? undefined : this.rounds.get(this.newest);
    return [...this.rounds.values()].findLast(({ place }) => isIn(place, branch));
  }

  /** What the user's newest task in the round became, and what the seat is while its round is open; none: no seat. */
  seat(user: string, branch?: string): readonly SeatStatus[] {
    const round = this.round(branch);
    if (!round) return [];
    const newest = round.tasks
      .map((id) => this.tasks.get(id)!)
      .findLast(({ assignee, candidates }) => assignee === user || candidates?.includes(user));
    const seat = this.openRound(round)?.seats.findLast((one) => one.person === user);
    const statuses = [...(newest ? [statusFor(newest, user)] : []), ...(seat ? [seat.status] : [])];
    if (statuses.length > 0) return statuses;
    return round.seats.includes(user) ? [round.ended ?? "waiting"] : [];
  }

  private openRound({ place, number, state, stage }: LastRound): Round | undefined {
    const round = this.instance && placeAt(this.instance, place)?.round;
    return round?.number === number && round.state === state && round.stage === stage ? round : undefined;
  }

  /** How many lines of this kind the round opened last has. */
  countInRound(kind: "escalated" | "reminded", branch?: string): number {
    const round = this.round(branch);
    if (!round) return 0;
    return this.story
      .slice(round.from)
      .filter(({ line }) => line.kind === kind && "task" in line && round.tasks.includes(line.task)).length;
  }

  private follow(line: StoryLine): void {
    switch (line.kind) {
      case "round-opened":
        this.open(line, line.in ?? "");
        break;
      case "task-opened": {
        const place = this.tasks.get(line.task)?.place ?? "";
        const round = this.rounds.get(place);
        if (round) this.rounds.set(place, { ...round, tasks: [...round.tasks, line.task] });
        break;
      }
      case "round-closed": {
        const ended = line.result === "cancelled" || line.result === "returned" ? "cancelled" : "superseded";
        const place = line.in ?? "";
        const round = this.rounds.get(place);
        if (round) this.rounds.set(place, { ...round, ended });
        break;
      }
    }
  }

  /** A new round; or more seats in the same, where others take the place of those who abstained. */
  private open(
    { round: number, state, stage, seats }: Extract<StoryLine, { kind: "round-opened" }>,
    place: string,
  ): void {
    const round = this.rounds.get(place);
    const same = round?.number === number && round.state === state && round.stage === stage;
    this.rounds.delete(place); // So that the newest comes last.
    this.rounds.set(
      place,
      same
        ? { ...round, seats: [...round.seats, ...seats] }
        : { place, number, state, stage, from: this.story.length, seats, tasks: [] },
    );
    this.newest = place;
  }

  /** An inbox shows new tasks and reminders by itself; `notified` is about everything else that is sent to people. */
  private note(effect: Effect): void {
    switch (effect.kind) {
      case "notify":
        if (effect.about.kind !== "task" || effect.about.what === "escalated" || effect.about.what === "urged") {
          this.notified.push(...effect.to);
        }
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

/** What a shared task became for one who might have claimed it. */
function statusFor({ assignee, status, closedAt }: Task, user: string): SeatStatus {
  if (assignee === user || assignee === "") return status;
  return closedAt === undefined ? "waiting" : status === "cancelled" ? status : "superseded";
}

function awaitedIn({ round, branches = {}, child, saga }: Place, place: PlaceAddress): Awaited[] {
  const seats = round?.seats.filter((seat) => seat.status === "open").map((seat) => awaited(seat, place)) ?? [];
  const stuck = saga ? stuckIn(saga, place) : [];
  const inside = Object.entries(branches).flatMap(([name, branch]) => awaitedIn(branch, below(place, name)));
  const under = child ? awaitedIn(child, below(place, child.id.slice(child.id.lastIndexOf("/") + 1))) : [];
  return [...seats, ...stuck, ...inside, ...under];
}

function awaited({ task, person, onBehalfOf, candidates }: Seat, place: PlaceAddress): Awaited {
  return {
    task: task!.id,
    person,
    place,
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    ...(candidates && person === "" && { candidates }),
  };
}

function below(place: PlaceAddress, name: string): PlaceAddress {
  return place === "" ? name : `${place}/${name}`;
}

/** The place with this address, if it is there now. */
export function placeAt(place: Place, address: PlaceAddress): Place | undefined {
  if (address === "") return place;
  const [first = "", ...rest] = address.split("/");
  const { branches, child } = place;
  const inner =
    branches && Object.hasOwn(branches, first) ? branches[first] : child?.id.endsWith(`/${first}`) ? child : undefined;
  return inner && placeAt(inner, rest.join("/"));
}

/** Is this the branch, or inside it? */
function isIn(place: PlaceAddress, branch: string): boolean {
  return `/${place}/`.includes(`/${branch.replaceAll(".", "/")}/`);
}

/** Tasks of people who are asked to undo something by hand. */
function stuckIn({ tasks = [] }: SagaRun, place: PlaceAddress): Awaited[] {
  return tasks.map(({ id, assignee }) => ({ task: id, person: assignee, place }));
}
