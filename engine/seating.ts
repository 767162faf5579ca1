/** Who gets a seat when a stage opens. */
import type { Group, PeopleStage, Value } from "../dsl/index.ts";
import { scaled } from "./exact.ts";
import { approvalOf, roundOf } from "./open-round.ts";
import { findDeciders, findPeople } from "./people.ts";
import type { PlaceDraft } from "./place.ts";
import { ask } from "./questions.ts";
import { pick } from "./stages.ts";
import { type Sitter, seated } from "./standing-in.ts";
import { canPass, votesOf } from "./tally.ts";
import type { Membership, Seat } from "./types.ts";

/** The seats of a stage, and the groups that could not be seated, with the reason. */
export interface Seating {
  readonly seats: readonly Seat[];
  readonly empty: readonly { readonly group: number; readonly why: string }[];
}

/**
 * Seats a stage's people. `undefined`: not known yet, or it failed ({@link Draft.blocked} tells); everything that can be
 * asked at once is asked at once.
 * @param round names the round, for `one of`.
 */
export function seat(place: PlaceDraft, stage: PeopleStage, round: string): Seating | undefined {
  const found = stage.groups.map(({ people }) => findDeciders(place, people));
  const veto = stage.veto ? findPeople(place, stage.veto) : [];
  if (place.draft.blocked()) return undefined;
  const several = stage.groups.length > 1;
  const groups = stage.groups.map((group, index) => {
    const people = found[index]!;
    return seatGroup(place, group, index, group.pick ? pick(people, `${round}/${index}`) : people, several);
  });
  if (place.draft.blocked()) return undefined;
  const all = several ? joined(groups) : groups[0]!;
  return { seats: markVeto(all.seats, veto!), empty: all.empty };
}

/**
 * Seats other people in a group (`onEmpty: assign`); they decide by `any`. Empty: none of them can sit.
 * `undefined` as in {@link seat}.
 */
export function seatOthers(
  place: PlaceDraft,
  people: readonly string[],
  group: number,
  several: boolean,
): readonly Seat[] | undefined {
  return seated(place, people)?.map((sitter) => seatFor(sitter, several ? [{ group }] : undefined));
}

function seatGroup(
  place: PlaceDraft,
  group: Group,
  index: number,
  people: readonly string[],
  several: boolean,
): Seating | undefined {
  const sitters = seated(place, people);
  if (!sitters) return undefined;
  if (sitters.length === 0) return unseated(index, people.length === 0 ? "nobody was found" : "nobody is left");
  if (isShared(place, group))
    return { seats: [sharedSeat(sitters, several ? [{ group: index }] : undefined)], empty: [] };
  const seats = weigh(place, group, index, sitters, several);
  if (!seats) return undefined;
  if (typeof seats === "string") return unseated(index, seats);
  const count = { mode: group.mode, reject: group.reject, abstain: approvalOf(place).abstain };
  if (canPass(count, votesOf(seats, index))) return { seats, empty: [] };
  return unseated(index, `${sitters.length} found, too few to approve`);
}

function unseated(group: number, why: string): Seating {
  return { seats: [], empty: [{ group, why }] };
}

/** 认领: a group or role under `any` may share one task. */
function isShared(place: PlaceDraft, { people, mode }: Group): boolean {
  if (mode.kind !== "any" || !approvalOf(place).allow.includes("claim")) return false;
  const named = place.flow.prepared.definition.people;
  let meant = people;
  while (meant.kind === "named" && named[meant.name]) meant = named[meant.name]!;
  return meant.kind === "group" || meant.kind === "role";
}

function sharedSeat(sitters: readonly Sitter[], counts: readonly Membership[] | undefined): Seat {
  const candidates = sitters.map(({ person }) => person);
  return { person: "", candidates, status: "waiting", reminders: 0, ...(counts && { counts }) };
}

function seatFor({ person, onBehalfOf }: Sitter, counts: readonly Membership[] | undefined): Seat {
  const absent = onBehalfOf === undefined ? undefined : { onBehalfOf };
  return { person, ...absent, status: "waiting", reminders: 0, ...(counts && { counts }) };
}

/** Seats with their weights, or why there can be none. `undefined` as in {@link seat}. */
function weigh(
  place: PlaceDraft,
  { mode }: Group,
  group: number,
  sitters: readonly Sitter[],
  several: boolean,
): readonly Seat[] | string | undefined {
  if (mode.kind !== "quorum" || mode.weight === undefined) {
    return sitters.map((sitter) => seatFor(sitter, several ? [{ group }] : undefined));
  }
  const name = mode.weight;
  const weights = sitters.map(({ person }) => weightOf(place, name, person));
  if (weights.includes(undefined)) return undefined;
  const weightless = weights.indexOf(null);
  if (weightless !== -1) return alertWeight(place, name, sitters[weightless]!.person);
  return sitters.map((sitter, index) => seatFor(sitter, [{ group, weight: weights[index]! }]));
}

/** Exact decimal > 0; `null`: there is none. `undefined` as in {@link seat}. */
export function weightOf(place: PlaceDraft, name: string, person: string): string | null | undefined {
  const answer = ask(place, "value", name, [person]);
  if (!answer) return undefined;
  const value: Value | null | undefined = "value" in answer ? (answer.value as Value | null) : undefined;
  const text = typeof value === "number" || typeof value === "string" ? String(value) : "";
  const exact = scaled(text, 12);
  return exact !== undefined && exact > 0n ? text : null;
}

function alertWeight({ draft }: PlaceDraft, name: string, person: string): string {
  const why = `${person} has no weight above zero by ${name}`;
  draft.tell({ kind: "alert", why });
  draft.notify([draft.instance.initiator.id], { kind: "alert", reason: why });
  return why;
}

function joined(groups: readonly (Seating | undefined)[]): Seating {
  const seats = groups.flatMap((group) => group?.seats ?? []);
  return { seats: merge(seats), empty: groups.flatMap((group) => group?.empty ?? []) };
}

/** Somebody who sits in several groups has one seat that counts in each. */
function merge(seats: readonly Seat[]): readonly Seat[] {
  const byPerson = new Map<string, Seat>();
  const merged: Seat[] = [];
  for (const one of seats) {
    const known = one.person === "" ? undefined : byPerson.get(one.person);
    if (known) {
      const both = { ...known, counts: [...known.counts!, ...one.counts!] };
      merged[merged.indexOf(known)] = both;
      byPerson.set(one.person, both);
    } else {
      byPerson.set(one.person, one);
      merged.push(one);
    }
  }
  return merged;
}

/** The veto goes with the person it was meant for. */
function markVeto(seats: readonly Seat[], veto: readonly string[]): readonly Seat[] {
  if (veto.length === 0) return seats;
  return seats.map((one) => (veto.includes(one.onBehalfOf ?? one.person) ? { ...one, veto: true } : one));
}

/** Who has a seat in the round now. */
export function tellOpened(place: PlaceDraft, seats: readonly Seat[]): void {
  const { state, stage, number } = roundOf(place);
  const people = seats.some(({ candidates }) => candidates)
    ? seats.flatMap(({ person, candidates }) => candidates ?? [person])
    : seats.map(({ person }) => person);
  place.draft.tell({ kind: "round-opened", state, stage, round: number, seats: people, ...place.where });
}
