import type { Approval } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { dropTimers, setTimer } from "./timers.ts";
import type { EpochMs, Round, Task } from "./types.ts";

/** The deadline of a seat that opens now, if its approval has one. */
export function deadline(approval: Approval, round: Round, at: EpochMs): EpochMs | undefined {
  const { due } = approval;
  return due && (due.perStage ? round.openedAt : at) + due.ms;
}

/** Reminders count from the seat's opening, the rest from its deadline; both stay when the seat moves. */
export function startSeatTimers(draft: Draft, approval: Approval, seat: number, { openedAt, dueAt }: Task): void {
  const { remind } = approval;
  if (remind && remind.atMost !== 0) setTimer(draft, openedAt + remind.everyMs, { kind: "remind", seat });
  if (dueAt === undefined) return;
  const first = draft.state.overdueOrder[0];
  if (first === undefined || approval.overdue[first]!.afterMs > 0) setTimer(draft, dueAt, { kind: "due", seat });
  if (first !== undefined) setOverdueStep(draft, approval, dueAt, { seat, step: first, pass: 0 });
}

/** Ends the timers of one seat, or of all. */
export function stopSeatTimers(draft: Draft, seat?: number): void {
  dropTimers(draft, ({ purpose }) => purpose.kind !== "line" && (seat === undefined || purpose.seat === seat));
}

/** After a step comes the next of the list, after the last the next pass, after the last pass nothing. */
export function setNextOverdueStep(
  draft: Draft,
  approval: Approval,
  dueAt: EpochMs,
  { seat, step, pass }: OverduePlace,
): void {
  const { overdueOrder } = draft.state;
  const next = overdueOrder[overdueOrder.indexOf(step) + 1];
  if (next !== undefined) setOverdueStep(draft, approval, dueAt, { seat, step: next, pass });
  else if (pass < approval.overdueRepeat) {
    setOverdueStep(draft, approval, dueAt, { seat, step: overdueOrder[0]!, pass: pass + 1 });
  }
}

interface OverduePlace {
  readonly seat: number;
  readonly step: number;
  readonly pass: number;
}

/** Every pass counts from the end of the one before, that is from its last step. */
function setOverdueStep(draft: Draft, approval: Approval, dueAt: EpochMs, place: OverduePlace): void {
  const lastMs = approval.overdue[draft.state.overdueOrder.at(-1)!]!.afterMs;
  const stepAt = dueAt + place.pass * lastMs + approval.overdue[place.step]!.afterMs;
  setTimer(draft, stepAt, { kind: "overdue", ...place });
}
