import type { Term } from "../dsl/index.ts";
import { addTerm, nextOpening } from "./calendar.ts";
import { approvalOf, roundOf } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { dropTimers, setTimer } from "./timers.ts";
import type { EpochMs } from "./types.ts";

/** Reminders count from the seat's opening, the rest from its deadline; both stay when the seat moves. */
export function startSeatTimers(place: PlaceDraft, seat: number): void {
  const { openedAt, dueAt } = roundOf(place).seats[seat]!.task!;
  const { remind } = approvalOf(place);
  if (remind && remind.atMost !== 0) setReminder(place, seat, after(place, openedAt, remind.every));
  if (dueAt === undefined) return;
  const [first] = overdueSteps(place, dueAt, 0);
  if (first === undefined || first.at > dueAt) {
    setTimer(place, dueAt, { kind: "due", seat }, isWorking(approvalOf(place).due!.term));
  }
  if (first !== undefined) setOverdueStep(place, seat, first, 0);
}

/**
 * Timers of a seat that is open again: what was due before stays as it was.
 * @param since when they were stopped: what was due after that is due now.
 */
export function restartSeatTimers(place: PlaceDraft, seat: number, since: EpochMs): void {
  const { task, reminders } = roundOf(place).seats[seat]!;
  const { openedAt, dueAt } = task!;
  const { remind, overdueRepeat, due } = approvalOf(place);
  if (remind && (remind.atMost === undefined || reminders < remind.atMost)) setNextReminder(place, seat, openedAt);
  if (dueAt === undefined) return;
  for (let pass = 0; pass <= overdueRepeat; pass++) {
    const next = overdueSteps(place, dueAt, pass).find((step) => step.at > since);
    if (pass === 0 && dueAt > since && (!next || next.at > dueAt)) {
      setTimer(place, dueAt, { kind: "due", seat }, isWorking(due!.term));
    }
    if (!next) continue;
    setOverdueStep(place, seat, next, pass);
    return;
  }
}

/** Ends the timers of one seat, or of all. */
export function stopSeatTimers(place: PlaceDraft, seat?: number): void {
  dropTimers(place, ({ purpose }) => "seat" in purpose && (seat === undefined || purpose.seat === seat));
}

/** The reminder after one that was due at `from`; those that were missed meanwhile are sent as one. */
export function setNextReminder(place: PlaceDraft, seat: number, from: EpochMs): void {
  const { every } = approvalOf(place).remind!;
  const { at } = place.draft;
  if (every.kind === "natural") {
    setReminder(place, seat, from + (Math.floor((at - from) / every.ms) + 1) * every.ms);
    return;
  }
  let next = after(place, from, every);
  while (next <= at) next = after(place, next, every);
  setReminder(place, seat, next);
}

/** In natural time, what falls outside hours waits for the next opening. */
function setReminder(place: PlaceDraft, seat: number, from: EpochMs): void {
  const { every } = approvalOf(place).remind!;
  const { calendar } = place.flow.prepared.definition;
  const dueAt = calendar && every.kind === "natural" ? nextOpening(from, calendar) : from;
  setTimer(place, dueAt, { kind: "remind", seat, ...(dueAt > from && { from }) }, isWorking(every));
}

export interface DueStep {
  /** Index in {@link Approval.overdue}. */
  readonly step: number;
  readonly at: EpochMs;
}

/** The steps of a pass in order of time. Every pass counts from the end of the one before, that is from its last step. */
export function overdueSteps(place: PlaceDraft, dueAt: EpochMs, pass: number): readonly DueStep[] {
  const { overdue } = approvalOf(place);
  if (overdue.length === 0) return [];
  let from = dueAt;
  for (let earlier = 0; earlier < pass; earlier++) {
    from = overdue.reduce((latest, { after: term }) => Math.max(latest, after(place, from, term)), from);
  }
  return overdue
    .map((step, index) => ({ step: index, at: after(place, from, step.after) }))
    .sort((a, b) => a.at - b.at || a.step - b.step);
}

/** After a step comes the next of the list, after the last the next pass, after the last pass nothing. */
export function setNextOverdueStep(place: PlaceDraft, seat: number, step: number, pass: number): void {
  const dueAt = roundOf(place).seats[seat]!.task!.dueAt!;
  const steps = overdueSteps(place, dueAt, pass);
  const next = steps[steps.findIndex((one) => one.step === step) + 1];
  if (next) setOverdueStep(place, seat, next, pass);
  else if (pass < approvalOf(place).overdueRepeat) {
    setOverdueStep(place, seat, overdueSteps(place, dueAt, pass + 1)[0]!, pass + 1);
  }
}

function setOverdueStep(place: PlaceDraft, seat: number, { step, at }: DueStep, pass: number): void {
  const { due, overdue } = approvalOf(place);
  const working = isWorking(due!.term) || isWorking(overdue[step]!.after);
  setTimer(place, at, { kind: "overdue", seat, step, pass }, working);
}

function after({ flow }: PlaceDraft, at: EpochMs, term: Term): EpochMs {
  return addTerm(at, term, flow.prepared.definition.calendar);
}

function isWorking({ kind }: Term): boolean {
  return kind !== "natural";
}
