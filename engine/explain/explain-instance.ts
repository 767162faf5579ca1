import { type Definition, describer, type Region, type Stage } from "../../dsl/index.ts";
import type { Assumptions } from "../conditions/assumptions.ts";
import type { RegionPath } from "../flow-position.ts";
import type { Definitions, EpochMs, FlowPlace, Instance, Place, PlaceAddress, Round, Seat, Timer } from "../types.ts";
import { type ExplainedChoice, Explaining } from "./explain-data.ts";

/** Why an instance stands where it stands, whom it waits for, and what would move it. */
export interface InstanceExplanation {
  readonly id: string;
  readonly flow: string;
  readonly state: string;
  readonly outcome?: string;
  /** Nothing goes on until an administrator resumes it. */
  readonly suspendedSince?: EpochMs;
  /** Its own machine first, then branches and sub-flows; empty once it has finished. */
  readonly places: readonly ExplainedPlace[];
}

export interface ExplainedPlace {
  /** Empty: the instance's own machine. */
  readonly place: PlaceAddress;
  readonly flow: string;
  readonly state: string;
  readonly since: EpochMs;
  /** States passed on the way, the present one last. */
  readonly path: readonly string[];
  readonly round?: ExplainedRound;
  /** Branches, a sub-flow or a saga that it waits for. */
  readonly waitsFor: readonly string[];
  /** What the lines of its state would do with the present data. */
  readonly choices: readonly ExplainedChoice[];
  readonly timers: readonly { readonly dueAt: EpochMs; readonly does: string }[];
}

export interface ExplainedRound {
  /** From 1, as people count. */
  readonly stage: number;
  readonly stages: number;
  /** `finance quorum 2/3`. */
  readonly asks: string;
  readonly number: number;
  readonly seats: readonly {
    readonly person: string;
    readonly candidates?: readonly string[];
    readonly onBehalfOf?: string;
    readonly status: Seat["status"];
    readonly task?: string;
    readonly dueAt?: EpochMs;
  }[];
  /** Groups for which nobody was found: somebody has to move it by hand. */
  readonly held: readonly string[];
}

/**
 * @param at the present, for `now` and `elapsed`.
 * @param definitions of sub-flows that run in it; one that is not there is left out.
 * @param hiddenIn fields of a flow that whoever asks must not see: they count as unknown.
 */
export function explainInstance(
  definition: Definition,
  instance: Instance,
  at: EpochMs,
  definitions: Definitions = () => undefined,
  hiddenIn: HiddenIn = () => NOTHING,
): InstanceExplanation {
  const { id, flow, state, outcome, suspended } = instance;
  const looking = new Looking(instance, at, definitions, hiddenIn);
  return {
    id,
    flow,
    state,
    ...(outcome !== undefined && { outcome }),
    ...(suspended && { suspendedSince: suspended.at }),
    places: outcome === undefined ? looking.flow(definition, instance, "") : [],
  };
}

/** Names of fields. */
export type HiddenIn = (flow: FlowPlace, definition: Definition) => ReadonlySet<string>;

const NOTHING: ReadonlySet<string> = new Set();

class Looking {
  private readonly instance: Instance;
  private readonly at: EpochMs;
  private readonly definitions: Definitions;
  private readonly hiddenIn: HiddenIn;

  constructor(instance: Instance, at: EpochMs, definitions: Definitions, hiddenIn: HiddenIn) {
    this.instance = instance;
    this.at = at;
    this.definitions = definitions;
    this.hiddenIn = hiddenIn;
  }

  flow(definition: Definition, flow: FlowPlace, address: PlaceAddress): ExplainedPlace[] {
    return this.place({ definition, flow, region: definition, place: flow, address, path: [] });
  }

  private place(standing: Standing): ExplainedPlace[] {
    const { definition, place, region, address, path } = standing;
    const { branches = {}, child, state } = place;
    const parallel = region.states.find(({ name }) => name === state)?.parallel;
    const inside = Object.entries(branches).flatMap(([name, branch]) => {
      const own = parallel?.branches.find((one) => one.name === name);
      const within = [...path, { state, branch: name }];
      const there = { ...standing, place: branch, address: below(address, name), path: within };
      return own ? this.place({ ...there, region: own }) : [];
    });
    const childDefinition = child && this.definitions(child.definition);
    const number = child?.id.slice(child.id.lastIndexOf("/") + 1) ?? "";
    const under = child && childDefinition ? this.flow(childDefinition, child, below(address, number)) : [];
    return [
      {
        place: address,
        flow: definition.flow,
        state,
        since: place.enteredAt,
        path: place.path,
        ...this.round(standing),
        waitsFor: waitsFor(place),
        choices: this.choices(standing),
        timers: this.timers(standing),
      },
      ...inside,
      ...under,
    ];
  }

  private choices({ definition, flow, region, place, path }: Standing): readonly ExplainedChoice[] {
    const explaining = new Explaining(definition, this.assumed(definition, flow, place));
    return explaining.triggers(region, place.state, path, path.map(({ branch }) => `${branch}.`).join(""));
  }

  /** Everything the instance knows; what an event would carry stays unknown. */
  private assumed(definition: Definition, flow: FlowPlace, place: Place): Assumptions {
    const { initiator, key } = this.instance;
    const { data } = flow;
    const hidden = this.hiddenIn(flow, definition);
    const seen = definition.fields.filter(({ name }) => !hidden.has(name));
    const own = seen.map(({ name }) => [name, (Object.hasOwn(data, name) ? data[name] : undefined) ?? null] as const);
    const branches = Object.entries(place.branches ?? {}).map(([name, { state }]) => [`${name}.state`, state] as const);
    return new Map<string, NonNullable<ReturnType<Assumptions["get"]>> | null>([
      ...own,
      ...branches,
      ["initiator", initiator.id],
      ["initiator.name", initiator.name ?? null],
      ["initiator.org", initiator.org ?? null],
      ["initiator.tags", initiator.tags ?? []],
      ["key", key],
      ["now", this.at],
      ["elapsed", this.at - place.enteredAt],
    ]);
  }

  private round({ definition, region, place }: Standing): { readonly round?: ExplainedRound } {
    const { round } = place;
    if (!round || round.result !== undefined) return {};
    const stages = stagesOf(definition, region, round);
    const stage = stages[round.stage];
    return {
      round: {
        stage: round.stage + 1,
        stages: stages.length,
        asks: stage ? describer(definition).stage(stage) : "",
        number: round.number,
        seats: round.seats.map(shownSeat),
        held: Object.values(round.groups ?? {}).flatMap(({ held }) => held ?? []),
      },
    };
  }

  private timers({ definition, region, place, address }: Standing): ExplainedPlace["timers"] {
    const all = this.instance.suspended?.timers ?? this.instance.timers;
    return all
      .filter((timer) => (timer.place ?? "") === address)
      .map((timer) => ({ dueAt: timer.dueAt, does: timerText(timer, definition, region, place) }))
      .sort((one, other) => one.dueAt - other.dueAt);
  }
}

/** A place with everything around it. */
interface Standing {
  readonly definition: Definition;
  readonly flow: FlowPlace;
  readonly region: Region;
  readonly place: Place;
  readonly address: PlaceAddress;
  readonly path: RegionPath;
}

function stagesOf({ matrices }: Definition, region: Region, { state, rows = [] }: Round): readonly Stage[] {
  const chain = region.states.find(({ name }) => name === state)?.approval?.chain ?? [];
  let uses = 0;
  return chain.flatMap((part): readonly Stage[] => {
    if (part.kind !== "matrix") return [part];
    const row = rows[uses++] ?? 0;
    return matrices[part.matrix]?.rows[row]?.stages ?? [];
  });
}

function shownSeat({ person, candidates, onBehalfOf, status, task }: Seat): ExplainedRound["seats"][number] {
  return {
    person,
    status,
    ...(candidates && person === "" && { candidates }),
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    ...(task && { task: task.id }),
    ...(task?.dueAt !== undefined && { dueAt: task.dueAt }),
  };
}

function waitsFor({ branches, child, saga }: Place): readonly string[] {
  return [
    ...Object.entries(branches ?? {}).map(([name, { state }]) => `branch \`${name}\`, which is in \`${state}\``),
    ...(child ? [`flow \`${child.flow}\`, which is in \`${child.state}\``] : []),
    ...(saga ? [`saga \`${saga.saga}\`, which is ${saga.phase}`] : []),
  ];
}

function timerText({ purpose }: Timer, definition: Definition, region: Region, { state, round }: Place): string {
  switch (purpose.kind) {
    case "line": {
      const lines = region.transitions.filter(
        ({ from, trigger }) => from.includes(state) && (trigger.kind === "after" || trigger.kind === "at"),
      );
      const ways = lines.map(({ to, trigger }) => `${describer(definition).trigger(trigger)} to \`${to}\``);
      return `moves ${ways.join(", or ")}`;
    }
    case "remind":
      return `reminds ${personAt(round, purpose.seat)}`;
    case "due":
      return `is the deadline of ${personAt(round, purpose.seat)}`;
    case "overdue": {
      const approval = region.states.find(({ name }) => name === state)?.approval;
      const step = approval?.overdue[purpose.step];
      return `${step?.kind ?? "is a step"} for ${personAt(round, purpose.seat)}, who is overdue`;
    }
    case "retry":
      return "tries a step of the saga again";
  }
}

function personAt(round: Round | undefined, seat: number): string {
  return `\`${round?.seats[seat]?.person ?? ""}\``;
}

function below(place: PlaceAddress, name: string): PlaceAddress {
  return place === "" ? name : `${place}/${name}`;
}
