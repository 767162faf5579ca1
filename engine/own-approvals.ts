/** What somebody has approved or delegated, in open rounds, in those that passed, and in what lay inside states that were left. */
import type { Definition } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { hangsOn, isUndecided } from "./open-round.ts";
import { type PlaceDraft, placesBelow, type WorkingPlace } from "./place.ts";
import { type PreparedRegion, prepare } from "./prepare.ts";
import { isPutOff } from "./put-off.ts";
import { isIn } from "./tasks.ts";
import type { PassedInside, PassedRound, Round, Seat, Task } from "./types.ts";

/** What may be taken back: something in the open round, or in one that passed. */
export interface Taking {
  readonly place: PlaceDraft;
  readonly what: "approved" | "delegated";
  readonly index: number;
  readonly task: Task;
  readonly round: Round;
  /** Where the round lies, in from the place: the last one is its own machine. */
  readonly levels: readonly Level[];
  /** Absent: the round is open. */
  readonly passed?: PassedRound | PassedInside;
}

/** A machine that would go back; one that is gone by now stands as it was kept. */
export interface Level {
  readonly region: PreparedRegion;
  readonly definition: Definition;
  readonly now: Pick<WorkingPlace, "passed" | "irrevocable">;
  /** What it would go back to; absent: it is in that round. */
  readonly to?: PassedRound | PassedInside;
}

export function findTakings(draft: Draft, { task, in: branch }: Pick<CommandOf<"take-back">, "task" | "in">): Taking[] {
  const { actor } = draft;
  const found: Taking[] = [];
  for (const place of placesBelow(draft.place)) {
    if (isPutOff(place)) continue;
    const { region, now, flow } = place;
    const isMeant = branch === undefined || isIn(place, branch);
    const level: Level = { region, definition: flow.prepared.definition, now };
    const { round } = now;
    if (isMeant && round && round.result === undefined) {
      found.push(...findIn(round, actor).map((one) => ({ ...one, place, levels: [level] })));
    }
    found.push(...findPassed(place, [], level, { actor, branch: isMeant ? undefined : branch }));
  }
  return found.filter((taking) => task === undefined || taking.task.id === task);
}

/** In rounds that passed, and in branches and sub-flows that are gone; with `branch` only in those of that name. */
function findPassed(
  place: PlaceDraft,
  outer: readonly Level[],
  level: Level,
  wanted: { readonly actor: string | undefined; readonly branch: string | undefined; readonly address?: string },
): Taking[] {
  const { actor, branch, address = place.address } = wanted;
  return (level.now.passed ?? []).flatMap((to): Taking[] => {
    const levels = [...outer, { ...level, to }];
    const passed = levels[0]!.to!;
    if ("inside" in to) {
      return insideOf(place.draft, level, to).flatMap(([name, inner]) =>
        findPassed(place, levels, inner, { actor, branch, address: address === "" ? name : `${address}/${name}` }),
      );
    }
    if (branch !== undefined && !isIn({ address }, branch)) return [];
    return findIn(to.round, actor).map((one) => ({ ...one, place, levels, passed }));
  });
}

/** Machines that were inside a state, by the last part of their address. */
function insideOf(
  { definitions }: Draft,
  { region, definition }: Level,
  { state, branches, child }: PassedInside,
): readonly (readonly [string, Level])[] {
  const parallel = region.states.get(state)?.parallel?.branches ?? [];
  const found = parallel.flatMap((branch): [string, Level][] => {
    const now = branches?.[branch.name];
    return now ? [[branch.name, { region: branch, definition, now }]] : [];
  });
  const flow = child && definitions(child.definition);
  if (!flow) return found;
  const number = child.id.slice(child.id.lastIndexOf("/") + 1);
  return [...found, [number, { region: prepare(flow), definition: flow, now: child }]];
}

function findIn(round: Round, actor: string | undefined): Omit<Taking, "place" | "levels">[] {
  const { seats, result } = round;
  return seats.flatMap((seat, index): Omit<Taking, "place" | "levels">[] => {
    const { task, person, status, auto } = seat;
    if (!task || person !== actor) return [];
    const stands = status === "approved" || (status === "waiting" && seat.approvedBefore);
    const approved = stands && task.status === "approved" && auto === undefined;
    if (approved) return [{ what: "approved", index, task, round }];
    const delegated = status === "waiting" && result === undefined && delegateOf(seats, index) !== -1;
    return delegated ? [{ what: "delegated", index, task, round }] : [];
  });
}

function delegateOf(seats: readonly Seat[], index: number): number {
  return seats.findIndex((seat) => hangsOn(seat, index, "delegate") && isUndecided(seat));
}

/** The newest, by the instant at which it was approved; a delegation is under way. */
export function newestOf(all: readonly Taking[]): Taking | undefined {
  const at = ({ what, task }: Taking): number =>
    what === "delegated" ? Number.POSITIVE_INFINITY : (task.closedAt ?? 0);
  return all.reduce<Taking | undefined>((found, one) => (found && at(found) > at(one) ? found : one), undefined);
}
