import type { OverdueStep } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { durationText } from "./durations.ts";
import { refuseFinished } from "./events.ts";
import { takeLine } from "./moves.ts";
import { findPeople } from "./people.ts";
import { refuse, type Stop } from "./refusal.ts";
import { approvalOf, countVotes, decideSeat, moveSeat, movingFallsBelow, roundOf, SYSTEM, setSeat } from "./rounds.ts";
import { setNextOverdueStep } from "./seat-timers.ts";
import { dropTimers, setTimer } from "./timers.ts";
import type { Refusal, Seat, Timer, TimerPurpose } from "./types.ts";

/** A timer is due. One that is gone is refused: what ended it came first. */
export function fireTimer(draft: Draft, id: string): Stop | undefined {
  const { timers, outcome } = draft.instance;
  const timer = timers.find((one) => one.id === id);
  if (!timer) return outcome === undefined ? refuseGone(id) : refuseFinished(outcome);
  if (timer.dueAt > draft.at)
    return refuse("not-possible-in-state", `The timer \`${id}\` is not due yet.`, { timer: id });
  dropTimers(draft, (one) => one.id === id);
  return fire(draft, timer);
}

function refuseGone(timer: string): Refusal {
  return refuse("not-possible-in-state", `The timer \`${timer}\` is gone.`, { timer });
}

function fire(draft: Draft, { purpose, dueAt }: Timer): Stop | undefined {
  switch (purpose.kind) {
    case "line":
      return takeLine(draft, purpose.event);
    case "remind":
      return remind(draft, purpose.seat, dueAt);
    case "due":
      return markOverdue(draft, purpose.seat);
    case "overdue":
      return takeStep(draft, purpose);
  }
}

/** What the timer would do is refused for good: it is spent, and the history says why nothing happened. */
export function spendTimer(draft: Draft, id: string, why: Refusal): void {
  const timer = draft.instance.timers.find((one) => one.id === id)!;
  dropTimers(draft, (one) => one.id === id);
  if (timer.purpose.kind === "overdue") planNext(draft, timer.purpose);
  draft.tell({ kind: "not-moved", what: timerText(timer), why: why.message });
}

/** Can the timer be spent? It has to be there and due. */
export function isDue(draft: Draft, id: string): boolean {
  return draft.instance.timers.some((timer) => timer.id === id && timer.dueAt <= draft.at);
}

function timerText({ purpose }: Timer): string {
  return purpose.kind === "line" ? "a timed line" : `the ${purpose.kind} timer`;
}

/** Reminds once, however many were missed; the next comes at the next whole multiple. */
function remind(draft: Draft, seat: number, dueAt: number): undefined {
  const { everyMs, atMost } = approvalOf(draft).remind!;
  const held = roundOf(draft).seats[seat]!;
  const reminders = held.reminders + 1;
  setSeat(draft, seat, { ...held, reminders });
  sendReminder(draft, held);
  if (atMost !== undefined && reminders >= atMost) return;
  const passed = Math.floor((draft.at - dueAt) / everyMs);
  setTimer(draft, dueAt + (passed + 1) * everyMs, { kind: "remind", seat });
}

function sendReminder(draft: Draft, { task, person }: Seat): void {
  const { id } = task!;
  draft.tell({ kind: "reminded", task: id, assignee: person });
  draft.notify([person], { kind: "task", task: id, what: "reminded" });
}

function markOverdue(draft: Draft, seat: number): undefined {
  const { task, person } = roundOf(draft).seats[seat]!;
  const { id, dueAt } = task!;
  draft.tell({ kind: "overdue", task: id, assignee: person });
  draft.publish("task.overdue", { task: id, assignee: person, dueAt: dueAt! });
}

type OverduePurpose = Extract<TimerPurpose, { kind: "overdue" }>;

function takeStep(draft: Draft, purpose: OverduePurpose): Stop | undefined {
  const { seat, step: place, pass } = purpose;
  const step = approvalOf(draft).overdue[place]!;
  const isDeadline = step.afterMs === 0 && pass === 0 && draft.state.overdueOrder[0] === place;
  if (isDeadline) markOverdue(draft, seat);
  planNext(draft, purpose); // Before the step: if it decides the seat, that ends the seat's timers.
  switch (step.kind) {
    case "remind":
      sendReminder(draft, roundOf(draft).seats[seat]!);
      return undefined;
    case "approve":
    case "reject":
      return decideBySystem(draft, seat, step);
    case "escalate":
    case "transfer":
      return handOn(draft, seat, step);
  }
}

function planNext(draft: Draft, purpose: OverduePurpose): void {
  const { dueAt } = roundOf(draft).seats[purpose.seat]!.task!;
  setNextOverdueStep(draft, approvalOf(draft), dueAt!, purpose);
}

function decideBySystem(draft: Draft, seat: number, { kind, afterMs }: OverdueStep): undefined {
  const auto = `overdue: ${kind} after ${durationText(afterMs)}`;
  decideSeat(draft, seat, { decision: kind === "approve" ? "approved" : "rejected", by: SYSTEM, auto });
  countVotes(draft, SYSTEM);
}

/** To the first of them who does not hold it already; without one, or if too few would be left to approve, nothing happens. */
function handOn(
  draft: Draft,
  seat: number,
  { kind, to }: Extract<OverdueStep, { readonly to: unknown }>,
): Stop | undefined {
  const { person, task } = roundOf(draft).seats[seat]!;
  const found = findPeople(draft, to, person);
  if (found === undefined) return draft.blocked();
  const next = found.find((one) => one !== person);
  if (next === undefined || movingFallsBelow(draft, seat, next)) return undefined;
  const { id } = task!;
  if (kind === "escalate") {
    draft.tell({ kind: "escalated", from: person, to: [next] });
    draft.notify([person], { kind: "task", task: id, what: "escalated" });
  } else draft.tell({ kind: "transferred", task: id, from: person, to: next });
  moveSeat(draft, seat, next, "expired", SYSTEM);
  return undefined;
}
