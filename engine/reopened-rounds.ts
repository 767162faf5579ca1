/** A round is open again, as it was before an approval that is taken back (拿回). */
import { archiveRound } from "./closed-tasks.ts";
import { leaveState } from "./entering.ts";
import { Guards } from "./guards.ts";
import { afterDecision, batchResult } from "./hanging.ts";
import { alsoHang, joinSeats } from "./joined-seats.ts";
import { eventType } from "./machine.ts";
import { approvalOf, hangingsOf, isInBatch, roundOf, seatAt, setRound, setSeat } from "./open-round.ts";
import { findTakings, newestOf, type Taking } from "./own-approvals.ts";
import { forgetDecision } from "./passed-rounds.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { groupsOf, verdictsOf } from "./results.ts";
import { leaveRound } from "./rounds.ts";
import { restartSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import { endHangingOn, hangingOn, isThere, putOff, reopen, standingSeatOf } from "./seats.ts";
import { peopleStage, stagesOf } from "./stages.ts";
import { applyTimers } from "./timers.ts";
import { rootsOf } from "./turns.ts";
import type { EpochMs, Hanging, PassedInside, PassedRound, Seat } from "./types.ts";
import { stageKey } from "./views.ts";

/** What lay on the way back is undone: the approval of this task is taken back. */
export function takeBackNow(place: PlaceDraft, task: string): void {
  const taking = newestOf(findTakings(place.draft, { task }).filter((one) => one.what === "approved"));
  if (taking) takeApproval(taking);
}

export function takeApproval({ place, index, passed, task }: Taking): void {
  const { draft } = place;
  if (passed && "inside" in passed) {
    enterAgain(place, passed);
    takeBackNow(place, task.id);
    return;
  }
  if (passed) goBack(place, passed);
  else forgetDecision(place);
  endHangingOn(place, index, "cancelled", draft.actor);
  if (!seatAt(place, index).late) forgetResult(place, index);
  forgetOpinion(place, index);
  openAround(place, index);
  openOrJoin(place, index);
  openSuperseded(place);
  forget(place, seatAt(place, index).person);
  // Somebody who was let go there may have decided their own seat since.
  afterDecision(place, index, draft.actor!);
}

/** Back into the state, and into its round as it was. */
function goBack(place: PlaceDraft, passed: PassedRound): void {
  const { now } = place;
  const { round, enteredAt, remembered } = passed;
  forgetSince(place, passed);
  forgetDecision(place);
  if (now.state === round.state && now.enteredAt === enteredAt) leaveRound(place, "cancelled");
  else returnTo(place, passed, round.state);
  now.remembered = remembered;
  const { result: _, closedAt: __, ...open } = round;
  archiveRound(place);
  now.round = open;
}

function forgetSince({ now }: PlaceDraft, passed: PassedRound | PassedInside): void {
  now.passed = now.passed!.slice(0, now.passed!.indexOf(passed));
}

function returnTo(place: PlaceDraft, { path, enteredAt, timers }: PassedRound | PassedInside, to: string): void {
  const { now, draft, region, flow } = place;
  const from = now.state;
  leaveState(place, "cancelled");
  const back = new Guards(place).eventOf(eventType.enter(to));
  const ended = region.machine.step(from, back).timers.filter(({ kind }) => kind === "cancel");
  applyTimers(place, ended);
  place.clear();
  draft.instance.timers = [...draft.instance.timers, ...timers];
  now.state = to;
  now.enteredAt = enteredAt;
  now.path = path;
  now.irrevocable = now.irrevocable.filter(({ at }) => at < path.length);
  draft.tell({ kind: "moved", from, to, why: `taken back by ${draft.actor}`, ...place.where });
  draft.publish(flow, "instance.moved", { from, to, ...place.where });
}

/** Back into a state whose branches had joined, or whose sub-flow had ended: everything in it stands as it did. */
function enterAgain(place: PlaceDraft, passed: PassedInside): void {
  const { now } = place;
  const { branches, child, remembered, sagas, irrevocable } = passed;
  forgetSince(place, passed);
  returnTo(place, passed, passed.state);
  now.irrevocable = irrevocable;
  now.sagas = sagas;
  now.remembered = remembered;
  for (const [name, branch] of Object.entries(branches ?? {})) place.openBranch(name, branch);
  if (child) {
    const { outcome: _, ...running } = child;
    place.openChild(running);
  }
  for (const inner of [...placesBelow(place)].slice(1)) reopenTasks(inner);
}

/** Tasks that ended with the state are there again. */
function reopenTasks(place: PlaceDraft): void {
  const { round } = place.now;
  if (!round || round.result !== undefined) return;
  round.seats.forEach(({ task, status }, index) => {
    if (!task || task.closedAt !== undefined) return;
    forgetClosed(place, task.id);
    if (status === "open") reopen(place, index);
    else place.draft.keep(task);
  });
}

/** A late opinion leaves the result as it is; without any other nothing is certain any more that it was part of. */
function forgetResult(place: PlaceDraft, index: number): void {
  const { certain: _, ...round } = roundOf(place);
  const seats = round.seats.map(({ late: __, ...seat }): Seat => seat);
  const part = rootsOf(seats, index).flatMap((root) => groupsOf(seats[root]!));
  const groups = Object.entries(round.groups ?? {}).map(([group, { approved, ...mark }]) => {
    return [group, approved && !part.includes(Number(group)) ? { ...mark, approved } : mark] as const;
  });
  place.now.round = { ...round, seats, ...(round.groups && { groups: Object.fromEntries(groups) }) };
}

function forgetOpinion(place: PlaceDraft, index: number): void {
  const { seats } = roundOf(place);
  const { decidedAt: _, reason: __, signature: ___, approvedBefore: ____, late: _____, ...seat } = seats[index]!;
  setRound(place, { seats: seats.with(index, { ...seat, status: "waiting" }) });
}

/** Its person has one task for all that is theirs: somebody may have given them another seat meanwhile. */
function openOrJoin(place: PlaceDraft, index: number): void {
  const other = standingSeatOf(place, seatAt(place, index).person, index);
  if (other === -1) openTask(place, index, hangingOn(place, index).length > 0);
  else joinSeats(place, index, other, place.draft.actor!);
}

function openTask(place: PlaceDraft, index: number, waits: boolean): void {
  const { task, candidates, person } = seatAt(place, index);
  if (!task) return; // Its turn comes, or not.
  const { closedAt } = task;
  forgetClosed(place, task.id);
  if (candidates) setSeat(place, index, { task: { ...task, assignee: person } });
  if (waits) putOff(place, index);
  else reopen(place, index);
  stopSeatTimers(place, index);
  restartSeatTimers(place, index, closedAt ?? place.draft.at);
}

/** In a tree: who was to decide next waits again, and those who were asked together with this one are asked again. */
function openAround(place: PlaceDraft, index: number): void {
  for (const hangs of hangingsOf(seatAt(place, index))) {
    const { status, decidedAt } = seatAt(place, hangs.on);
    if (status === "open") putOff(place, hangs.on);
    else if (hangs.as === "after" && status === "approved") {
      letWait(place, hangs.on, decidedAt);
      openAround(place, hangs.on);
    }
    openBatch(place, hangs);
  }
}

/** It was complete because those after it had decided. */
function letWait(place: PlaceDraft, index: number, since: EpochMs | undefined): void {
  const { seats } = roundOf(place);
  const { decidedAt: _, ...seat } = seats[index]!;
  setRound(place, { seats: seats.with(index, { ...seat, status: "waiting" }) });
  restartSeatTimers(place, index, since ?? place.draft.at);
}

/** Seats that ended because of the result of their group have it before them again. */
function openSuperseded(place: PlaceDraft): void {
  const { seats, rows, stage: number } = roundOf(place);
  const stage = peopleStage(stagesOf(place, rows)[number]);
  const ended = seats.flatMap(({ status, hangs }, index) => (status === "superseded" && !hangs ? [index] : []));
  if (!stage || ended.length === 0) return;
  for (const index of ended) setSeat(place, index, { status: "waiting" });
  const verdicts = verdictsOf(place, stage);
  for (const index of ended) {
    if (groupsOf(seats[index]!).some((group) => verdicts[group] === "undecided")) openEnded(place, index);
    else setSeat(place, index, { status: "superseded" });
  }
}

/** A seat that was superseded, with what hung on it then. Somebody who has another by now has one in both places. */
function openEnded(place: PlaceDraft, index: number): void {
  const { approvedBefore, hangs, person, candidates } = seatAt(place, index);
  const hasOther = !candidates && standingSeatOf(place, person, index) !== -1;
  if (hangs && hasOther) return;
  setSeat(place, index, { status: "waiting" });
  if (!hasOther) for (const batch of batchesOn(place, index)) openBatch(place, batch);
  if (!approvedBefore || hasOther) openOrJoin(place, index);
}

function batchesOn(place: PlaceDraft, index: number): readonly Hanging[] {
  const batches = new Map<number, Hanging>();
  for (const seat of roundOf(place).seats) {
    for (const hangs of [...hangingsOf(seat), ...(seat.hungToo ?? [])]) {
      if (hangs.on === index) batches.set(hangs.batch, hangs);
    }
  }
  return [...batches.values()];
}

/** Those are asked again who were superseded together, unless the others have decided. */
function openBatch(place: PlaceDraft, hanging: Hanging): void {
  hangAgain(place, hanging);
  const { seats } = roundOf(place);
  const members = seats.flatMap((seat, at) => (isInBatch(seat, hanging) ? [at] : []));
  const asBefore = members.map((at): Seat => {
    const seat = seats[at]!;
    return seat.status === "superseded" ? { ...seat, status: "waiting" } : seat;
  });
  if (batchResult(asBefore, hanging, approvalOf(place).abstain) !== "undecided") return;
  for (const at of members) if (seats[at]!.status === "superseded" && seats[at]!.hangs) openEnded(place, at);
}

/** Who has a seat elsewhere too had only been let go. */
function hangAgain(place: PlaceDraft, { on, batch }: Hanging): void {
  for (const [at, seat] of roundOf(place).seats.entries()) {
    const again = seat.hungToo?.filter((one) => one.on === on && one.batch === batch) ?? [];
    if (again.length === 0) continue;
    setSeat(place, at, { hungToo: seat.hungToo!.filter((one) => !again.includes(one)) });
    if (isThere(seat)) for (const one of again) alsoHang(place, at, one);
  }
}

function forgetClosed({ draft: { instance } }: PlaceDraft, id: string): void {
  instance.closedTasks = Object.fromEntries(Object.entries(instance.closedTasks).filter(([, task]) => task.id !== id));
}

/** Neither an earlier approval nor a passed stage any more. */
function forget(place: PlaceDraft, person: string): void {
  const { flow, now, state, address } = place;
  const { rules } = flow.prepared;
  if (rules.remembersApprovals) {
    const round = now.remembered?.round;
    const approvals = flow.memory.approvals.filter((one) => one.person !== person || one.round !== round);
    flow.remember({ approvals });
  }
  if (rules.remembersStages) {
    const { [stageKey(address, now.state, roundOf(place).stage)]: _, ...passed } = flow.memory.passed;
    flow.remember({ passed });
  }
  if (rules.apart.has(state.fullName)) {
    const { deciders } = flow.memory;
    const others = (deciders[state.fullName] ?? []).filter((one) => one !== person);
    flow.remember({ deciders: { ...deciders, [state.fullName]: others } });
  }
}
