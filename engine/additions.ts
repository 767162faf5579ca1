/** 加签 and 减签: more people decide before, after or beside somebody, and fewer. */
import { claimAsOne } from "./claims.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { afterDecision, afterDecisions } from "./hanging.ts";
import { approvalOf, hangingsOf, isUndecided, roundOf, seatAt, setRound } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { countOf, groupsOf } from "./results.ts";
import { proceed } from "./rounds.ts";
import { weightOf } from "./seating.ts";
import { endSeat, openSeat, putOff, seatOf } from "./seats.ts";
import { isHandling, peopleStage, stagesOf } from "./stages.ts";
import type { Sitter } from "./standing-in.ts";
import { canPass, isFixed, votesOf } from "./tally.ts";
import {
  findTask,
  type Held,
  isIn,
  refuseAsDelegate,
  refuseFinished,
  refuseNoReason,
  refuseNotAllowed,
  refuseOperation,
  refuseSuspended,
  refuseWithoutReason,
  seatsWhere,
} from "./tasks.ts";
import { findTarget } from "./transfers.ts";
import type { Hanging, Membership, Refusal, Seat } from "./types.ts";
import { approveForNow, decideSeat, refuseUnsigned } from "./votes.ts";

type Add = CommandOf<"add">;

export function addPeople(draft: Draft, command: Add): Stop | undefined {
  const held = findTask(draft, command);
  if ("kind" in held) return held;
  const { place, index } = held;
  const stop = refuseAdding(held, command);
  if (stop) return stop;
  const sitters = findAdded(place, command.people, draft.actor);
  if ("kind" in sitters) return sitters;
  const counts = command.where === "beside" ? besideCounts(place, index, sitters) : undefined;
  const blocked = draft.blocked();
  if (blocked) return blocked;
  const by = draft.actor!;
  const { where, all, advisory, reason, signature } = command;
  const people = sitters.map(({ person }) => person);
  if (people.length === 0 && where !== "after") return undefined;
  claimAsOne(place, index, by);
  if (people.length > 0) {
    draft.tell({ kind: "added", by, people, where, all, advisory, ...(reason !== undefined && { reason }) });
  }
  if (where === "beside") addBeside(place, index, sitters, counts!, by);
  else if (where === "after") addAfter(place, index, sitters, { by, all, reason, signature });
  else {
    putOff(place, index);
    hang(place, sitters, { on: index, as: advisory ? "advice" : "before", ...(all && { all }) }, by);
  }
  return undefined;
}

/** 后加签 is one's own approval too, so its rules apply. */
function refuseAdding(held: Held, { where, advisory, reason, signature }: Add): Refusal | undefined {
  const { place } = held;
  const operation = (["addBefore", "addAfter", "addBeside"] as const)[["before", "after", "beside"].indexOf(where)]!;
  const approval = approvalOf(place);
  return (
    refuseAsDelegate(held, operation) ??
    refuseOperation(place, where === "before" && advisory ? "addBefore advisory" : operation) ??
    refuseWithoutReason(approval, operation, reason) ??
    (where === "after"
      ? (refuseWithoutReason(approval, isHandling(place) ? "handle" : "approve", reason) ??
        refuseUnsigned(place, signature))
      : undefined)
  );
}

/** Those who would sit; somebody who sits already can't be added. */
function findAdded(place: PlaceDraft, people: readonly string[], by: string | undefined): Sitter[] | Stop {
  const targets = [...new Set(people)].map((person) => findTarget(place, person, by));
  const stop = place.draft.blocked() ?? targets.find((target): target is Stop => "kind" in target);
  if (stop) return stop;
  const sitters = targets as Sitter[];
  const seated = sitters.find(({ person }) => seatOf(place, person) !== -1);
  if (seated) return refuse("already-seated", `\`${seated.person}\` has a seat here already.`, { user: seated.person });
  return sitters.filter(({ person }, index) => sitters.findIndex((one) => one.person === person) === index);
}

export function newSeat({ person, onBehalfOf }: Sitter, added: NonNullable<Seat["added"]>, more: Partial<Seat>): Seat {
  const absent = onBehalfOf === undefined ? undefined : { onBehalfOf };
  return { person, status: "waiting", reminders: 0, ...absent, added, ...more };
}

/** Seats that hang on another, each with the stage's deadlines from now. */
function hang(place: PlaceDraft, sitters: readonly Sitter[], hangs: Omit<Hanging, "batch">, by: string): void {
  const { seats } = roundOf(place);
  const batch = seats.length;
  const added = sitters.map((sitter) => newSeat(sitter, { by, seat: hangs.on }, { hangs: { ...hangs, batch } }));
  setRound(place, { seats: [...seats, ...added] });
  for (const [offset] of added.entries()) openSeat(place, batch + offset);
}

interface Approval {
  readonly by: string;
  readonly all: boolean;
  readonly reason: string | undefined;
  readonly signature: string | undefined;
}

/** The seat's own approval counts once those after it are done; with nobody after it, that is at once. */
function addAfter(place: PlaceDraft, index: number, sitters: readonly Sitter[], { all, ...given }: Approval): void {
  if (sitters.length === 0) {
    decideSeat(place, index, { decision: isHandling(place) ? "handled" : "approved", ...given });
    afterDecision(place, index, given.by);
    return;
  }
  approveForNow(place, index, given);
  hang(place, sitters, { on: index, as: "after", ...(all && { all }) }, given.by);
}

/** In which groups those beside count: where the one who adds them does, with weights of their own. */
function besideCounts(
  place: PlaceDraft,
  index: number,
  sitters: readonly Sitter[],
): readonly (readonly Membership[] | undefined)[] {
  const { counts } = seatAt(place, index);
  const stage = peopleStage(stagesOf(place, roundOf(place).rows)[roundOf(place).stage])!;
  return sitters.map(({ person }) =>
    counts?.map(({ group }) => membership(place, stage.groups[group]!.mode, group, person)),
  );
}

function membership(place: PlaceDraft, mode: object, group: number, person: string): Membership {
  const name = "weight" in mode ? (mode.weight as string | undefined) : undefined;
  if (name === undefined) return { group };
  const weight = weightOf(place, name, person);
  if (weight === null)
    place.draft.fail(refuse("function-failed", `\`${person}\` has no weight above zero by \`${name}\`.`));
  return weight ? { group, weight } : { group };
}

/** In the same batch; delegates are alone. Of several places the first seat's. */
function besideWhere(seat: Seat): Hanging | undefined {
  if (!seat.hangs) return undefined;
  const places = hangingsOf(seat).filter(({ as }) => as !== "delegate");
  return places.reduce<Hanging | undefined>((first, one) => (first && first.on < one.on ? first : one), undefined);
}

function addBeside(
  place: PlaceDraft,
  index: number,
  sitters: readonly Sitter[],
  counts: readonly (readonly Membership[] | undefined)[],
  by: string,
): void {
  const hangs = besideWhere(seatAt(place, index));
  const { seats } = roundOf(place);
  const more = (at: number): Partial<Seat> => (hangs ? { hangs } : counts[at] ? { counts: counts[at] } : {});
  const added = sitters.map((sitter, at) => newSeat(sitter, { by, seat: index }, more(at)));
  setRound(place, { seats: [...seats, ...added] });
  if (!hangs) proceed(place, by);
  else for (const [offset] of added.entries()) openSeat(place, seats.length + offset);
}

// ---------------------------------------------------------------------------------------------------------------- //
// Fewer
// ---------------------------------------------------------------------------------------------------------------- //

type Remove = CommandOf<"remove">;

/** Who added somebody may remove them as long as they have not decided; administrators may remove anybody. */
export function removePerson(draft: Draft, command: Remove): Stop | undefined {
  const { actor, instance } = draft;
  const { person, reason, admin } = command;
  if (admin && instance.outcome !== undefined) return refuseFinished(instance.outcome);
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const seats = seatsWhere(draft, (seat) => seat.person === person && seat.status !== "cancelled").filter(
    ({ place }) => command.in === undefined || isIn(place, command.in),
  );
  const own = admin ? seats : seats.filter(({ seat }) => seat.added?.by === actor);
  const held = own.find(({ seat }) => isToDecide(seat)) ?? own[0];
  const stop = admin ? refuseNoReason("remove", reason) : refuseRemoval(seats, held, reason);
  if (stop) return stop;
  if (!held) return refuse("no-such-target", `\`${person}\` has no seat here.`, { user: person });
  if (!isToDecide(held.seat)) {
    return refuse("task-closed", `\`${person}\` has decided already.`, { user: person });
  }
  const below = refuseTooFew(held);
  if (below) return below;
  const because = reason === undefined ? undefined : { reason };
  if (admin) draft.tell({ kind: "override", by: actor ?? "an administrator", what: `removed ${person}`, ...because });
  else draft.tell({ kind: "removed", by: actor!, person, ...because });
  takeOut(held.place, held.index, actor ?? "");
  return undefined;
}

function refuseRemoval(seats: readonly Held[], own: Held | undefined, reason: string | undefined): Refusal | undefined {
  const [any] = seats;
  if (!any) return undefined;
  if (!own) return refuseNotAllowed(any.place, "remove");
  return refuseOperation(own.place, "remove") ?? refuseWithoutReason(approvalOf(own.place), "remove", reason);
}

/** A fixed number must stay within reach, and at least one seat must be left. */
function refuseTooFew({ place, index, seat }: Held): Refusal | undefined {
  const { seats, rows, stage: number } = roundOf(place);
  const gone = withAdded(seats, index);
  const groups = new Set(gone.flatMap((at) => (seats[at]!.hangs ? [] : groupsOf(seats[at]!))));
  const stage = peopleStage(stagesOf(place, rows)[number])!;
  const left = seats.map((one, at): Seat => (gone.includes(at) ? { ...one, status: "cancelled" } : one));
  const falls = [...groups].some((group) => {
    const count = countOf(place, stage, group);
    const votes = votesOf(left, group);
    const { approved, rejected, open } = votes.seats;
    return isFixed(count) ? !canPass(count, votes) : approved + rejected + open === 0;
  });
  return falls ? refuse("below-threshold", `Without \`${seat.person}\` too few would be left to approve.`) : undefined;
}

/** With everybody whom the removed person had added and who has not decided. */
function takeOut(place: PlaceDraft, index: number, by: string): void {
  const gone = withAdded(roundOf(place).seats, index);
  for (const at of gone) endSeat(place, at, "cancelled");
  afterDecisions(place, gone, by);
}

/** The seat and those it had added that have not decided, and so on. */
function withAdded(seats: readonly Seat[], index: number): readonly number[] {
  const gone = new Set([index]);
  // A set that grows while it is walked.
  for (const by of gone) {
    for (const [at, seat] of seats.entries()) if (seat.added?.seat === by && isToDecide(seat)) gone.add(at);
  }
  return [...gone];
}

/** Is it still to be decided by its person? */
function isToDecide(seat: Seat): boolean {
  return isUndecided(seat) && !seat.approvedBefore;
}
