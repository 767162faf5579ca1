/** Rounds that passed are kept as long as an approval in them may be taken back (拿回). */

import { approvalOf, isOpinion, roundOf, seatAt } from "./open-round.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import type { PassedInside, PassedRound, RoundResult, SubFlow } from "./types.ts";

/** Most passed rounds that are kept; older ones can't be taken back any more. */
const PASSED_MAX = 8;

/** The place's round has its result; if it passed by approvals that may be taken back, it is kept. */
export function keepPassed(place: PlaceDraft, result: RoundResult): void {
  const { now, draft, address } = place;
  if (result !== "approved") {
    if (result === "rejected" && now.passed) now.passed = undefined;
    return;
  }
  const round = roundOf(place);
  if (!round.seats.some(({ status, auto }) => status === "approved" && auto === undefined)) return;
  if (!approvalOf(place).allow.includes("takeBack")) return;
  const timers = draft.instance.timers.filter(
    (timer) => timer.purpose.kind === "line" && (timer.place ?? "") === address,
  );
  const { path, enteredAt, remembered } = now;
  keep(place, { round, path, enteredAt, timers, after: 0, ...(remembered && { remembered }) });
}

function keep({ now }: PlaceDraft, passed: PassedRound | PassedInside): void {
  now.passed = [...(now.passed ?? []), passed].slice(-PASSED_MAX);
}

/** The branches join, or the sub-flow has ended: approvals in there may still be taken back, and then all is as it is now. */
export function keepInside(place: PlaceDraft): void {
  if (![...placesBelow(place)].slice(1).some(({ now }) => now.passed)) return;
  const { now, draft, address } = place;
  const { state, path, enteredAt, irrevocable, remembered, sagas } = now;
  const branches = Object.fromEntries([...place.branches].map(([name, branch]) => [name, branch.finish()]));
  const child = place.child?.place.finish() as SubFlow | undefined;
  const prefix = address === "" ? "" : `${address}/`;
  const timers = draft.instance.timers.filter(
    ({ place: at = "", purpose }) => (at === address || at.startsWith(prefix)) && purpose.kind !== "retry",
  );
  keep(place, {
    inside: true,
    ...{ state, path, enteredAt, irrevocable, timers, after: 0 },
    ...(remembered && { remembered }),
    ...(sagas && { sagas }),
    // What is kept must not change with the places, which go on.
    ...(place.branches.size > 0 && { branches: structuredClone(branches) }),
    ...(child && { child: structuredClone(child) }),
  });
}

/**
 * Somebody decided: what was approved before, here and further out, has a decision downstream. One that can't be taken
 * back itself makes it final. Opinions are no decisions.
 */
export function noteDecision(place: PlaceDraft, index: number, decision: string): void {
  if (isOpinion(seatAt(place, index))) return;
  const isFinal = decision !== "approved" || !approvalOf(place).allow.includes("takeBack");
  for (let at: PlaceDraft | undefined = place; at; at = at.outer) {
    if (isFinal && at.now.passed) at.now.passed = undefined;
    else count(at, 1);
  }
}

/** A decision that was taken back is none. */
export function forgetDecision(place: PlaceDraft): void {
  for (let { flow } = place; ; flow = flow.parent.flow) {
    flow.now.touched = Math.max(flow.now.touched - 1, 0);
    if (!flow.parent) break;
  }
  for (let at: PlaceDraft | undefined = place; at; at = at.outer) count(at, -1);
}

function count({ now }: PlaceDraft, by: number): void {
  const newest = now.passed?.at(-1);
  if (newest) now.passed = now.passed!.with(-1, { ...newest, after: Math.max(newest.after + by, 0) });
}
