/** 拿回: somebody undoes their own approval, or ends a delegation, as long as nobody has decided on top of it. */
import type { Stage } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { hangingsOf, hangsOn, isOpinion, isUndecided } from "./open-round.ts";
import { findTakings, type Level, newestOf, type Taking } from "./own-approvals.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { putOff } from "./put-off.ts";
import { refuse, type Stop } from "./refusal.ts";
import { takeApproval } from "./reopened-rounds.ts";
import { proceed } from "./rounds.ts";
import { endHangingOn, reopen } from "./seats.ts";
import { peopleStage, stagesIn } from "./stages.ts";
import {
  newestClosed,
  refuseFinished,
  refuseNoTask,
  refuseNotAllowed,
  refuseSuspended,
  refuseWithoutReason,
  seatsWhere,
} from "./tasks.ts";
import { isDecidedAfter } from "./turns.ts";
import type { Refusal, Round, Seat } from "./types.ts";

type TakeBack = CommandOf<"take-back">;

export function takeBack(draft: Draft, command: TakeBack): Stop | undefined {
  const { instance } = draft;
  if (instance.outcome !== undefined) return refuseFinished(instance.outcome);
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const taking = newestOf(findTakings(draft, command));
  if (!taking) return refuseNothing(draft, command);
  const stop = refuseTaking(taking, command.reason);
  if (stop) return stop;
  const { what, task, place, index } = taking;
  const { reason } = command;
  const because = reason === undefined ? undefined : { reason };
  draft.tell({ kind: "taken-back", task: task.id, by: draft.actor!, what, ...because });
  const { passed } = taking;
  if (what === "delegated") endDelegation(place, index);
  else if (!passed || !putOff(place, passed.path.length, { kind: "take-back", task: task.id })) takeApproval(taking);
  return undefined;
}

function endDelegation(place: PlaceDraft, index: number): void {
  const by = place.draft.actor!;
  endHangingOn(place, index, "cancelled", by);
  reopen(place, index);
  proceed(place, by);
}

/** Nothing of theirs stands: it was not approved, or what was decided later has made it final. */
function refuseNothing(draft: Draft, { task }: TakeBack): Refusal {
  const { actor } = draft;
  const [held] = seatsWhere(draft, (seat) => seat.person === actor && isUndecided(seat) && seat.task !== undefined);
  if (held && (task === undefined || task === held.seat.task!.id)) return refuseOpen(draft, held.place, held.index);
  const closed = newestClosed(draft);
  if (closed?.status !== "approved" || (task !== undefined && task !== closed.id)) return refuseNoTask(draft, task);
  for (const place of placesBelow(draft.place)) {
    if (place.address !== (closed.place ?? "")) continue;
    const allow = place.region.states.get(closed.state)?.approval?.allow;
    if (allow && !allow.includes("takeBack")) return refuseNotAllowed(place, "takeBack");
  }
  return refuseDecided();
}

/** They are still to decide; at most they had delegated it. */
function refuseOpen({ actor, instance }: Draft, { now: { round } }: PlaceDraft, index: number): Refusal {
  const { id } = round!.seats[index]!.task!;
  const delegate = round!.seats.findLast((seat) => hangsOn(seat, index, "delegate"));
  if (!delegate) {
    const message = `\`${actor}\` has approved or delegated nothing that could be taken back.`;
    return refuse("not-your-task", message, { state: instance.state });
  }
  const { person, status } = delegate;
  return refuse("task-closed", `The delegation to \`${person}\` has ended: it was ${status}.`, { task: id, status });
}

function refuseDecided(): Refusal {
  return refuse("not-possible-in-state", "Somebody has decided on top of it; it can't be taken back any more.");
}

function refuseTaking(
  { place, what, index, passed, round, levels }: Taking,
  reason: string | undefined,
): Refusal | undefined {
  if (what === "delegated") return undefined;
  const { region, definition } = levels.at(-1)!;
  const state = region.states.get(round.state)!;
  const approval = round.approval ?? state.approval!;
  if (!approval.allow.includes("takeBack")) return refuseNotAllowed(place, "takeBack");
  const unreasoned = refuseWithoutReason(approval, "takeBack", reason);
  if (unreasoned) return unreasoned;
  const stages = (round.approval?.chain as readonly Stage[] | undefined) ?? stagesIn(definition, state, round.rows);
  const stage = peopleStage(stages[round.stage]);
  if (stage && isDecidedAfter(stage, round, index)) return refuseDecided();
  if (isBuiltOn(round, index) || hasDecidedAfter(round, index)) return refuseDecided();
  return passed ? refuseBehind(levels) : undefined;
}

/** On every machine that would go back: nobody has decided since, and nothing was done that can't be undone. */
function refuseBehind(levels: readonly Level[]): Refusal | undefined {
  const begun: string[] = [];
  for (const { now, to } of levels) {
    const all = now.passed!;
    if (all.slice(all.indexOf(to!)).some(({ after }) => after > 0)) return refuseDecided();
    const position = to!.path.length - 1;
    begun.push(...now.irrevocable.filter(({ at }) => at > position).map(({ what }) => what));
  }
  if (begun.length === 0) return undefined;
  return refuse("effects-delivered", `It can't be taken back: ${begun.join(", ")} can't be undone.`, {
    effects: begun,
  });
}

/** Has somebody decided whom this seat's person was to decide before, or has what follows from it been decided on? */
function isBuiltOn(round: Round, index: number): boolean {
  return hangingsOf(round.seats[index]!).some(({ on, as }) => {
    const above = round.seats[on]!;
    if (as !== "after") return !isUndecided(above) || above.approvedBefore === true;
    return !isUndecided(above) && (above.status !== "approved" || isBuiltOn(round, on));
  });
}

/** Has one of those decided who were to do so after this seat's person, or somebody whom they had asked? */
function hasDecidedAfter({ seats }: Round, index: number): boolean {
  if (!seats[index]!.approvedBefore) return false;
  return seats.some((seat, at) => hangsOn(seat, index, "after") && holdsDecision(seats, at));
}

function holdsDecision(seats: readonly Seat[], index: number): boolean {
  const seat = seats[index]!;
  if (seat.status === "cancelled" || seat.status === "expired") return false;
  if (!isOpinion(seat) && (seat.decidedAt !== undefined || seat.approvedBefore)) return true;
  return seats.some((one, at) => hangsOn(one, index) && holdsDecision(seats, at));
}
