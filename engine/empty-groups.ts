/** A group of a stage without anybody who could decide: nobody was found at its opening, or everybody abstained. */
import type { PeopleStage } from "../dsl/index.ts";
import { approvalOf, isUndecided, markGroup, roundOf, setRound } from "./open-round.ts";
import { findDeciders } from "./people.ts";
import type { PlaceDraft } from "./place.ts";
import { seatOthers, tellOpened } from "./seating.ts";
import type { Seat } from "./types.ts";

/** What follows for the whole round: it has this result at once. `undefined`: it goes on. */
export interface Consequence {
  readonly result: "rejected" | "skipped";
  readonly why?: string;
}

/** Does as the stage's `onEmpty` says. @param why the group is empty. */
export function withoutPeople(
  place: PlaceDraft,
  stage: PeopleStage,
  group: number,
  why: string,
): Consequence | undefined {
  switch (approvalOf(place).onEmpty.kind) {
    case "hold":
      return hold(place, group, why);
    case "skip":
      return skip(place, stage, group, why);
    case "reject":
      return { result: "rejected", why };
    case "assign":
      return assign(place, stage, group, why);
  }
}

/** The group stays open without a seat until the instance is moved in another way; the initiator is told. */
function hold(place: PlaceDraft, group: number, why: string): undefined {
  const { draft } = place;
  const { state, stage } = roundOf(place);
  markGroup(place, group, { held: why });
  draft.tell({ kind: "held", state, stage, why, ...place.where });
  draft.notify([draft.instance.initiator.id], { kind: "held", state, reason: why });
}

function skip(place: PlaceDraft, { groups }: PeopleStage, group: number, why: string): Consequence | undefined {
  const { state, stage } = roundOf(place);
  markGroup(place, group, { skipped: true });
  place.draft.tell({ kind: "skipped", state, stage, why, ...place.where });
  const all = groups.every((_, index) => roundOf(place).groups?.[index]?.skipped);
  return all ? { result: "skipped" } : undefined;
}

/** Puts others in, once; if there are none either, or they abstain too, the group holds. */
function assign(place: PlaceDraft, stage: PeopleStage, group: number, why: string): undefined {
  const { onEmpty } = approvalOf(place);
  if (onEmpty.kind !== "assign") return;
  const { seats, groups } = roundOf(place);
  const people = groups?.[group]?.assigned ? [] : findDeciders(place, onEmpty.to);
  const others = people && seatOthers(place, people, group, stage.groups.length > 1);
  if (!others) return;
  if (others.length === 0) return hold(place, group, why);
  markGroup(place, group, { assigned: true });
  const merged = joinSeats(seats, others);
  setRound(place, { seats: merged });
  tellOpened(place, others);
}

/** Who sits in another group of the stage already counts in this one too. */
function joinSeats(seats: readonly Seat[], others: readonly Seat[]): readonly Seat[] {
  const joined = [...seats];
  for (const other of others) {
    const at = joined.findIndex((one) => one.person === other.person && !one.hangs && isUndecided(one));
    const known = joined[at];
    if (known?.counts && other.counts) joined[at] = { ...known, counts: [...known.counts, ...other.counts] };
    else joined.push(other);
  }
  return joined;
}
