import type { OverdueStep } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { termText } from "./durations.ts";
import { afterDecision } from "./hanging.ts";
import { takeLine } from "./moves.ts";
import { approvalOf, hangsOn, roundOf, SYSTEM, seatAt, setSeat } from "./open-round.ts";
import { findPeople } from "./people.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { failRetry, retryStep } from "./sagas.ts";
import { overdueSteps, setNextOverdueStep, setNextReminder } from "./seat-timers.ts";
import { hangingOn } from "./seats.ts";
import { decidedApart, neverApproves, type Sitter, takesOver } from "./standing-in.ts";
import { refuseFinished, refuseSuspended } from "./tasks.ts";
import { dropTimers } from "./timers.ts";
import { moveSeat, refuseBelow } from "./transfers.ts";
import type { Refusal, Seat, Timer, TimerPurpose } from "./types.ts";
import { decideSeat } from "./votes.ts";

/** A timer is due. One that is gone is refused: what ended it came first. */
export function fireTimer(draft: Draft, id: string): Stop | undefined {
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const { timers, outcome } = draft.instance;
  const timer = timers.find((one) => one.id === id);
  const place = timer && placeOf(draft, timer);
  if (!timer || !place) return outcome === undefined ? refuseGone(id) : refuseFinished(outcome);
  if (timer.dueAt > draft.at) {
    return refuse("not-possible-in-state", `The timer \`${id}\` is not due yet.`, { timer: id });
  }
  dropTimers(place, (one) => one.id === id);
  return fire(place, timer);
}

function placeOf(draft: Draft, { place: address = "" }: Timer): PlaceDraft | undefined {
  for (const place of placesBelow(draft.place)) if (place.address === address) return place;
  return undefined;
}

function refuseGone(timer: string): Refusal {
  return refuse("not-possible-in-state", `The timer \`${timer}\` is gone.`, { timer });
}

function fire(place: PlaceDraft, { purpose, dueAt }: Timer): Stop | undefined {
  switch (purpose.kind) {
    case "line":
      return takeLine(place, purpose.event);
    case "remind":
      return remind(place, purpose.seat, purpose.from ?? dueAt);
    case "due":
      return markOverdue(place, purpose.seat);
    case "overdue":
      return takeStep(place, purpose);
    case "retry":
      return retryStep(place, purpose);
  }
}

/** What the timer would do is refused for good: it is spent, and the history says why nothing happened. */
export function spendTimer(draft: Draft, id: string, why: Refusal): void {
  const timer = draft.instance.timers.find((one) => one.id === id)!;
  const place = placeOf(draft, timer)!;
  dropTimers(place, (one) => one.id === id);
  if (timer.purpose.kind === "overdue") planNext(place, timer.purpose);
  if (timer.purpose.kind === "retry") failRetry(draft, timer.purpose, why);
  draft.tell({ kind: "not-moved", what: timerText(timer), why: why.message });
}

/** Can the timer be spent? It has to be there and due. */
export function isDue(draft: Draft, id: string): boolean {
  if (draft.instance.suspended) return false;
  return draft.instance.timers.some((timer) => timer.id === id && timer.dueAt <= draft.at);
}

function timerText({ purpose }: Timer): string {
  return purpose.kind === "line" ? "a timed line" : `the ${purpose.kind} timer`;
}

/** Reminds once, however many were missed. */
function remind(place: PlaceDraft, seat: number, from: number): undefined {
  const { atMost } = approvalOf(place).remind!;
  const reminders = seatAt(place, seat).reminders + 1;
  setSeat(place, seat, { reminders });
  sendReminders(place, seat);
  if (atMost === undefined || reminders < atMost) setNextReminder(place, seat, from);
}

/** To who can act on the seat: its holder, or their delegate. People who were added are reminded by timers of their own. */
function sendReminders(place: PlaceDraft, index: number): void {
  const seat = seatAt(place, index);
  if (seat.status === "open") sendReminder(place, seat);
  else
    for (const hanging of hangingOn(place, index)) {
      if (hangsOn(seatAt(place, hanging), index, "delegate")) sendReminders(place, hanging);
    }
}

function sendReminder({ draft }: PlaceDraft, { task, person, candidates }: Seat): void {
  const { id } = task!;
  draft.tell({ kind: "reminded", task: id, assignee: person, ...sharedBy(person, candidates) });
  draft.notify(person === "" ? candidates! : [person], { kind: "task", task: id, what: "reminded" });
}

function markOverdue(place: PlaceDraft, seat: number): undefined {
  const { task, person, candidates } = seatAt(place, seat);
  const { id, dueAt } = task!;
  place.draft.tell({ kind: "overdue", task: id, assignee: person, ...sharedBy(person, candidates) });
  place.draft.publish(place.flow, "task.overdue", { task: id, assignee: person, dueAt: dueAt! });
}

function sharedBy(person: string, candidates: Seat["candidates"]): { candidates?: readonly string[] } {
  return person === "" && candidates ? { candidates } : {};
}

type OverduePurpose = Extract<TimerPurpose, { kind: "overdue" }>;

function takeStep(place: PlaceDraft, purpose: OverduePurpose): Stop | undefined {
  const { seat, step: index, pass } = purpose;
  const step = approvalOf(place).overdue[index]!;
  const dueAt = seatAt(place, seat).task!.dueAt!;
  const [first] = overdueSteps(place, dueAt, 0);
  if (pass === 0 && first!.step === index && first!.at === dueAt) markOverdue(place, seat);
  planNext(place, purpose); // Before the step: if it decides the seat, that ends the seat's timers.
  switch (step.kind) {
    case "remind":
      sendReminders(place, seat);
      return undefined;
    case "approve":
    case "reject":
      return decideBySystem(place, seat, step);
    case "escalate":
    case "transfer":
      return handOn(place, seat, step);
  }
}

function planNext(place: PlaceDraft, { seat, step, pass }: OverduePurpose): void {
  if (roundOf(place).seats[seat]?.task?.dueAt !== undefined) setNextOverdueStep(place, seat, step, pass);
}

function decideBySystem(place: PlaceDraft, seat: number, { kind, after }: OverdueStep): undefined {
  const auto = `overdue: ${kind} after ${termText(after)}`;
  decideSeat(place, seat, { decision: kind === "approve" ? "approved" : "rejected", by: SYSTEM, auto, overdue: true });
  afterDecision(place, seat, SYSTEM);
}

/** To the first of them who does not hold it already; without one, or where they may not decide, nothing happens. */
function handOn(
  place: PlaceDraft,
  seat: number,
  { kind, to, after }: Extract<OverdueStep, { readonly to: unknown }>,
): Stop | undefined {
  const { draft } = place;
  const { person, task, candidates } = seatAt(place, seat);
  const next = findNext(place, seat, to);
  const blocked = draft.blocked();
  if (blocked || !next || refuseBelow(place, seat, next.person)) return blocked;
  const { id } = task!;
  const from = person === "" ? candidates!.join(", ") : person;
  if (kind === "escalate") {
    draft.tell({ kind: "escalated", task: id, from, to: [next.person] });
    draft.notify(person === "" ? candidates! : [person], { kind: "task", task: id, what: "escalated" });
  } else {
    draft.tell({
      kind: "transferred",
      task: id,
      from,
      to: next.person,
      auto: `overdue: transfer after ${termText(after)}`,
    });
  }
  moveSeat(place, seat, next, { ends: "expired", by: SYSTEM });
  return undefined;
}

/** The group of a task that nobody has claimed stands for its holder: their superior is that of the first who has one. */
function findNext(
  place: PlaceDraft,
  seat: number,
  to: Extract<OverdueStep, { readonly to: unknown }>["to"],
): Sitter | undefined {
  const { person, candidates } = seatAt(place, seat);
  const holders = person === "" ? candidates! : [person];
  const found = holders.flatMap((holder) => findPeople(place, to, holder) ?? []);
  for (const one of found) {
    if (holders.includes(one)) continue;
    const taker = takesOver(place, one);
    if (taker === undefined) return undefined;
    if (taker === "left" || holders.includes(taker.person) || decidedApart(place, taker.person)) continue;
    const never = neverApproves(place, taker.person);
    if (never === undefined) return undefined;
    if (!never) return taker;
  }
  return undefined;
}
