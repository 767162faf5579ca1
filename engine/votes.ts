import { approvalOf, isOpinion, roundOf, SYSTEM, seatAt } from "./open-round.ts";
import { noteDecision } from "./passed-rounds.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse } from "./refusal.ts";
import { stopSeatTimers } from "./seat-timers.ts";
import { closeTask, endHangingOn, giveTask } from "./seats.ts";
import { isHandling } from "./stages.ts";
import type { Refusal, Seat } from "./types.ts";
import { earlierApproval, rememberApproval, rememberDecider } from "./views.ts";

export interface SeatDecision {
  readonly decision: "approved" | "rejected" | "abstained" | "returned" | "handled";
  /** A user, or `system`. */
  readonly by: string;
  readonly reason?: string | undefined;
  readonly signature?: string | undefined;
  /** The rule that decided. */
  readonly auto?: string;
  /** An overdue step decided: the task ends as expired. */
  readonly overdue?: boolean;
}

/** Writes a decision on a seat that has not decided. What it means for the round is for `afterDecision`. */
export function decideSeat(place: PlaceDraft, index: number, given: SeatDecision): void {
  const { draft, flow } = place;
  const { decision, by, auto, overdue } = given;
  endHangingOn(place, index, overdue ? "expired" : "superseded", by);
  const notes = notesOf(given);
  const decided = { status: decision, decidedAt: draft.at, ...lateIn(place), ...notes };
  closeTask(place, index, overdue ? "expired" : decision, overdue ? by : undefined, decided);
  stopSeatTimers(place, index);
  if (!isOpinion(seatAt(place, index))) touch(place);
  const { task, hangs, onBehalfOf } = seatAt(place, index);
  const { id, assignee } = task!;
  const absent = hangs?.as === "delegate" ? seatAt(place, hangs.on).person : onBehalfOf;
  const whose = { ...(absent !== undefined && { onBehalfOf: absent }), ...(hangs && { as: hangs.as }) };
  draft.tell({ kind: "decided", task: id, by, decision, ...whose, ...notes });
  draft.publish(flow, "task.decided", { task: id, assignee, by, decision, ...whose, ...notes });
  if (auto !== undefined) return;
  rememberDecision(place, index, decision, by);
  noteDecision(place, index, decision);
}

/** The result is certain; this is one more opinion. */
function lateIn(place: PlaceDraft): { readonly late?: true } {
  return roundOf(place).certain ? { late: true } : {};
}

function notesOf({ reason, signature, auto }: SeatDecision): Pick<Seat, "reason" | "signature" | "auto"> | undefined {
  if (reason === undefined && signature === undefined && auto === undefined) return undefined;
  return {
    ...(reason !== undefined && { reason }),
    ...(signature !== undefined && { signature }),
    ...(auto !== undefined && { auto }),
  };
}

/** 后加签: the person approves, and the seat counts once those added after are done. Its deadline runs on. */
export function approveForNow(
  place: PlaceDraft,
  index: number,
  { by, reason, signature }: Pick<SeatDecision, "by" | "reason" | "signature">,
): void {
  const { draft, flow } = place;
  const notes = { ...(reason !== undefined && { reason }), ...(signature !== undefined && { signature }) };
  const decision = isHandling(place) ? "handled" : "approved";
  closeTask(place, index, decision, undefined, { status: "waiting", approvedBefore: true, ...lateIn(place), ...notes });
  touch(place);
  const { task, onBehalfOf } = seatAt(place, index);
  const { id, assignee } = task!;
  const whose = onBehalfOf === undefined ? undefined : { onBehalfOf };
  draft.tell({ kind: "decided", task: id, by, decision, ...whose, ...notes });
  draft.publish(flow, "task.decided", { task: id, assignee, by, decision, ...whose, ...notes });
  rememberDecision(place, index, "approved", by);
  noteDecision(place, index, "approved");
}

/** Somebody decided: the form is no longer untouched, here and in the flows around it. */
export function touch(place: PlaceDraft): void {
  for (let { flow } = place; ; flow = flow.parent.flow) {
    flow.now.touched += 1;
    if (!flow.parent) break;
  }
}

export function refuseUnsigned(place: PlaceDraft, signature: string | undefined): Refusal | undefined {
  if (!approvalOf(place).signatureRequired || (signature !== undefined && signature !== "")) return undefined;
  const { state } = place.now;
  return refuse("signature-required", `\`${state}\` needs a signature.`, { state });
}

/** Opinions decide nothing: neither those of delegates nor advice. What a deputy decides is nobody's earlier approval. */
export function rememberDecision(place: PlaceDraft, index: number, decision: string, by: string): void {
  const { onBehalfOf } = seatAt(place, index);
  if (isOpinion(seatAt(place, index))) return;
  rememberDecider(place, by);
  if (decision === "approved" && onBehalfOf === undefined) rememberApproval(place, by);
}

/**
 * `repeated: skip`: decides a seat whose turn it is for somebody who approved what has not changed since. Veto seats, and
 * seats held for others, are always asked.
 */
export function approveRepeated(place: PlaceDraft, index: number): boolean {
  const { veto, candidates, onBehalfOf, person, alsoHangs } = seatAt(place, index);
  if (veto || candidates || alsoHangs || onBehalfOf !== undefined) return false;
  const earlier = earlierApproval(place, person);
  if (!earlier) return false;
  giveTask(place, index, undefined, true);
  const auto = `repeated: ${person} approved before, in decision #${earlier.decision}`;
  decideSeat(place, index, { decision: "approved", by: SYSTEM, auto });
  rememberApproval(place, person, earlier.view);
  return true;
}
