import { addTerm } from "./calendar.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { eventType } from "./machine.ts";
import { moveTo, takeLine } from "./moves.ts";
import { approvalOf } from "./open-round.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { isIn, refuseFinished, refuseNotAllowed, refuseSuspended, refuseWithoutReason } from "./tasks.ts";
import type { Refusal } from "./types.ts";

/** The initiator takes the form back, where the state's approval allows it, or for a while after the end. */
export function withdraw(draft: Draft, { reason, in: branch }: CommandOf<"withdraw">): Stop | undefined {
  const { actor, instance } = draft;
  if (actor === undefined || actor !== instance.initiator.id) {
    return refuse("not-authorized", `Only \`${instance.initiator.id}\`, who started it, may withdraw it.`);
  }
  if (instance.outcome !== undefined) {
    return isRevocable(draft) ? takeBack(draft.place, actor, reason) : refuseFinished(instance.outcome);
  }
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  if (isUnderWay(draft)) {
    return refuse("not-possible-in-state", "It is withdrawn already; what was done before is being undone.");
  }
  const place = allowing(draft, branch);
  if (!place) return refuseNotAllowed(draft.place, "withdraw");
  const stop = refuseTouched(place) ?? refuseWithoutReason(approvalOf(place), "withdraw", reason);
  return stop ?? takeBack(place, actor, reason);
}

/** Is an earlier withdrawal waiting until what was done is undone? */
function isUnderWay({ instance, place }: Draft): boolean {
  return (instance.undoing ?? []).some(({ move }) => {
    if (!move || move.place !== place.address) return false;
    if (move.kind === "state") return move.why === whyWithdrawn(instance.initiator.id);
    if (move.kind !== "line" || move.from !== place.address) return false;
    const { trigger } = place.region.lines[move.line]!.transition;
    return trigger.kind === "outcome" && trigger.outcome === "withdrawn";
  });
}

function whyWithdrawn(by: string): string {
  return `withdrawn by ${by}`;
}

/** `revocable for D` on the final state: there, a line `on withdrawn` may still be taken. */
function isRevocable({ place, at, flow }: Draft): boolean {
  const { revocableFor, lines } = place.state;
  if (!revocableFor || flow.now.outcome !== place.now.state || !lines.has(WITHDRAWN)) return false;
  return at <= addTerm(place.now.enteredAt, revocableFor, flow.prepared.definition.calendar);
}

const WITHDRAWN = eventType.outcome("withdrawn");

/** The first place whose state allows it, in that branch: the form is one, wherever it stands. */
function allowing(draft: Draft, branch: string | undefined): PlaceDraft | undefined {
  for (const place of placesBelow(draft.place)) {
    if (branch !== undefined && !isIn(place, branch)) continue;
    const allow = place.state.approval && approvalOf(place).allow;
    if (allow?.includes("withdraw") || allow?.includes("withdraw untouched")) return place;
  }
  return undefined;
}

function refuseTouched(place: PlaceDraft): Refusal | undefined {
  const { name } = place.state;
  if (approvalOf(place).allow.includes("withdraw") || place.flow.now.touched === 0) return undefined;
  return refuse("not-allowed", "Somebody has decided already; it can't be withdrawn any more.", { state: name });
}

/** By the line `on withdrawn`, else back to `initial`. In a branch, the state around it has the line. */
function takeBack(from: PlaceDraft, by: string, reason?: string): Stop | undefined {
  const { draft, flow } = from;
  draft.tell({ kind: "withdrawn", by, ...(reason !== undefined && { reason }) });
  if (flow.now.outcome !== undefined) flow.now.outcome = undefined;
  for (let at: PlaceDraft | undefined = from.fork ?? from; at; at = at.fork) {
    if (at.state.lines.has(WITHDRAWN)) return takeLine(at, WITHDRAWN);
  }
  moveTo(flow.place, flow.place.region.initial, whyWithdrawn(by));
  return undefined;
}

/** A later status of the outside form. It can withdraw whatever the stage allows, but not from `initial` to `initial`. */
export function signal(draft: Draft, { status, withdraw: away }: CommandOf<"signal">): Stop | undefined {
  const { instance, place } = draft;
  draft.tell({ kind: "signal", status });
  if (!away || instance.outcome !== undefined) return undefined;
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const { name, approval, lines } = place.state;
  const isDraft = name === place.region.initial && !approval;
  if (isDraft && !lines.has(WITHDRAWN)) return undefined;
  draft.actor = instance.initiator.id;
  return takeBack(place, instance.initiator.id);
}

/** The withdrawal was refused: the status is noted all the same. */
export function signalInVain(draft: Draft, { status }: CommandOf<"signal">, why: Refusal): void {
  draft.tell({ kind: "signal", status });
  draft.tell({ kind: "not-moved", what: `status ${status}`, why: why.message });
}
