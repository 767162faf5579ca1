/** Sagas: steps in order, tried again when they fail, and undone in reverse when that was in vain. */
import type { Draft } from "./draft.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import {
  dropCompensation,
  findTry,
  isUnderWay,
  leave,
  leftSaga,
  liveSaga,
  nextToUndo,
  type SagaDraft,
  type StepAt,
  sagasOf,
  setCompensation,
  stepsOf,
  stopped,
  withFlow,
} from "./saga-runs.ts";
import { beginItem, beginUndo, planRetry, tryStep } from "./saga-steps.ts";
import { askHuman } from "./stuck-tasks.ts";
import type { EffectReport, LeftSaga, PutOffMove, Refusal, TimerPurpose } from "./types.ts";

type StepReport = Extract<EffectReport, { kind: "step" }>;

/** The state that was entered runs a saga. */
export function beginSaga(place: PlaceDraft, saga: string): void {
  place.now.saga = { saga, phase: "running", items: [] };
  advance(liveSaga(place));
}

/**
 * A try has ended: the saga goes on, tries again, or is undone. A report on another than the newest try changes nothing.
 * @param halted why the saga can't go on: what follows was refused, and a report has nobody to refuse to.
 */
export function noteStep(draft: Draft, effect: string, report: StepReport, halted?: Refusal): undefined {
  const found = findTry(draft, effect);
  const status = found?.saga.stepAt(found.at).status;
  if (!found || (status !== "running" && status !== "undoing")) {
    draft.tell({ kind: "not-moved", what: `the report on ${effect}`, why: "this try is over" });
    return;
  }
  const { saga, at } = found;
  if (report.ok) noteDone(saga, at);
  else noteFailed(saga, at, report.reason ?? (report.timedOut ? "it took too long" : "it failed"), report.timedOut);
  advance(saga, halted);
}

function noteDone(saga: SagaDraft, at: StepAt): void {
  const undo = saga.stepAt(at).status === "undoing";
  const step = saga.definitionAt(at);
  saga.setStep(at, { status: undo ? "undone" : "done" });
  saga.draft.tell({ kind: undo ? "undone" : "step-done", function: undo ? step.undo!.name : step.name });
}

function noteFailed(saga: SagaDraft, at: StepAt, reason: string, timedOut: true | undefined): void {
  const undo = saga.stepAt(at).status === "undoing";
  const step = saga.definitionAt(at);
  if (timedOut && !undo) saga.setStep(at, { timedOut });
  const retryAt = planRetry(saga, at);
  const name = undo ? step.undo!.name : step.name;
  const again = retryAt === undefined ? undefined : { retryAt };
  saga.draft.tell({ kind: undo ? "undo-failed" : "step-failed", function: name, reason, ...again });
  if (retryAt !== undefined) return;
  if (undo) askHuman(saga, at);
  else {
    saga.setStep(at, { status: "failed" });
    saga.set(stopped(saga.place, saga.run));
  }
}

/** The timer of another try. */
export function retryStep(place: PlaceDraft, { effect }: Extract<TimerPurpose, { kind: "retry" }>): Stop | undefined {
  const found = findTry(place.draft, effect);
  const status = found?.saga.stepAt(found.at).status;
  if (!found || (status !== "retrying" && status !== "undo-retrying")) {
    return refuse("not-possible-in-state", "There is nothing to try again.", { effect });
  }
  tryStep(found.saga, found.at, status === "undo-retrying");
  return undefined;
}

/** The next try can't be begun at all, for this reason: it has failed. */
export function failRetry(draft: Draft, { effect }: Extract<TimerPurpose, { kind: "retry" }>, why: Refusal): void {
  const found = findTry(draft, effect);
  if (!found) return;
  const { saga, at } = found;
  const undo = saga.stepAt(at).status === "undo-retrying";
  saga.setStep(at, { status: undo ? "undoing" : "running", tries: saga.stepAt(at).tries + 1 });
  noteFailed(saga, at, why.message, undefined);
  advance(saga);
}

/** Goes on as far as nothing has to be waited for. */
export function advance(saga: SagaDraft, halted?: Refusal): void {
  const { draft, left } = saga;
  if (draft.instance.suspended) return;
  if (left) advanceCompensation(draft, left.compensation, halted);
  else if (saga.run.phase === "running") goOn(saga, halted);
  else if (isUndone(saga)) endWith(saga, "compensated", halted);
}

function goOn(saga: SagaDraft, halted: Refusal | undefined): void {
  const { run, definition, draft, place } = saga;
  const last = run.items.at(-1) ?? [];
  if (last.some(({ status }) => status !== "done")) return;
  const next = run.items.length;
  if (next === definition.steps.length) {
    keepFinished(place);
    endWith(saga, "done", halted);
  } else if (!halted) beginItem(saga, next);
  else {
    draft.tell({ kind: "step-failed", function: definition.steps[next]![0]!.name, reason: halted.message });
    saga.set({ phase: "undoing" });
    advance(saga);
  }
}

/** What the saga came to is an outcome of its state. */
function endWith({ place, run, draft }: SagaDraft, outcome: "done" | "compensated", halted: Refusal | undefined): void {
  place.now.saga = undefined;
  draft.tell({ kind: "saga-ended", saga: run.saga, outcome });
  if (!halted) {
    place.pending = outcome;
    return;
  }
  tellHalted(draft, outcome, halted);
}

/** It stays where it is until somebody moves it. */
function tellHalted(draft: Draft, what: string, { message }: Refusal): void {
  draft.tell({ kind: "not-moved", what, why: message });
  draft.notify([draft.instance.initiator.id], { kind: "alert", reason: message });
}

/** Begins the next undo, unless something is waited for. @returns whether all is undone. */
function isUndone(saga: SagaDraft): boolean {
  if (isUnderWay(saga.run)) return false;
  const next = nextToUndo(saga.definition, saga.run);
  if (!next) return true;
  beginUndo(saga, next);
  return false;
}

/** Undoes one saga after the other; what waits for that is taken when nothing else is to be done. */
function advanceCompensation(draft: Draft, index: number, halted?: Refusal): void {
  for (;;) {
    const { sagas, move } = draft.instance.undoing![index]!;
    const [first, ...others] = sagas;
    if (!first) {
      if (move && halted) tellHalted(draft, "the way back", halted);
      if (!move || halted) dropCompensation(draft, index);
      return;
    }
    if (!isUndone(leftSaga(draft, index, 0))) return;
    draft.tell({ kind: "saga-ended", saga: first.run.saga, outcome: "compensated" });
    setCompensation(draft, index, { sagas: others });
  }
}

/** It goes on after a suspension: what waited for another try gets it now. */
export function resumeSagas(draft: Draft): void {
  const timed = new Set(
    draft.instance.timers.flatMap(({ purpose }) => (purpose.kind === "retry" ? [purpose.effect] : [])),
  );
  for (const saga of sagasOf(draft)) {
    for (const at of stepsOf(saga.run)) {
      const { status, effect } = saga.stepAt(at);
      if ((status === "retrying" || status === "undo-retrying") && !timed.has(effect)) {
        tryStep(saga, at, status === "undo-retrying");
      }
    }
  }
  for (const saga of [...sagasOf(draft)]) if (!saga.left) advance(saga);
  for (let index = (draft.instance.undoing?.length ?? 0) - 1; index >= 0; index--) advanceCompensation(draft, index);
}

// ---------------------------------------------------------------------------------------------------------------- //
// Sagas of states that are left
// ---------------------------------------------------------------------------------------------------------------- //

/** A state is left while its saga runs: what is finished is undone, after the step in flight. */
export function abandonSaga(place: PlaceDraft): void {
  const left = takeRunning(place);
  if (left) startUndo(place.draft, [left]);
}

/** A cancelled branch leaves what it runs, a cancelled sub-flow has everything undone that it did. */
export function abandonBelow(place: PlaceDraft): void {
  const own = place.fork ? place.flow : undefined;
  const sagas = takeSagas(place, (holder) => holder.flow !== own && holder.flow.now.outcome === undefined);
  if (sagas.length > 0) startUndo(place.draft, sagas);
}

/** All that the instance did is undone. */
export function undoEverything(place: PlaceDraft): void {
  const sagas = takeSagas(place, () => true);
  if (sagas.length > 0) startUndo(place.draft, sagas);
}

/**
 * Takes what runs in a place and below it, and finished sagas that are chosen, from their places; the newest first.
 * @param isMeant of a finished saga and the place that keeps it.
 */
export function takeSagas(root: PlaceDraft, isMeant: (holder: PlaceDraft, saga: LeftSaga) => boolean): LeftSaga[] {
  const places = [...placesBelow(root)].toReversed();
  const running = places.flatMap((place) => takeRunning(place) ?? []);
  const finished = places.flatMap((place) => {
    const meant = (place.now.sagas ?? []).filter((saga) => isMeant(place, saga));
    if (meant.length === 0) return [];
    const others = place.now.sagas!.filter((saga) => !meant.includes(saga));
    place.now.sagas = others.length > 0 ? others : undefined;
    return meant.toReversed().map((saga) => withFlow({ ...saga, run: { ...saga.run, phase: "undoing" } }, place.flow));
  });
  return [...running, ...finished];
}

/** `undefined` where nothing of it is left to be done. */
function takeRunning(place: PlaceDraft): LeftSaga | undefined {
  const { saga } = place.now;
  if (!saga) return undefined;
  const { definition } = liveSaga(place);
  const run = stopped(place, saga);
  place.now.saga = undefined;
  if (isUnderWay(run) || nextToUndo(definition, run)) return withFlow(leave(place, run), place.flow);
  place.draft.tell({ kind: "saga-ended", saga: run.saga, outcome: "compensated" });
  return undefined;
}

/** Undoes these sagas one after the other. @param move what waits for it. */
export function startUndo(draft: Draft, sagas: readonly LeftSaga[], move?: PutOffMove): void {
  const { instance } = draft;
  const all = instance.undoing ?? [];
  instance.undoing = [...all, { sagas, ...(move && { move }) }];
  if (!instance.suspended) advanceCompensation(draft, all.length);
}

/** A finished saga is kept as long as somebody may go back over it, if there is something to undo. */
function keepFinished(place: PlaceDraft): void {
  const { now } = place;
  if (nextToUndo(liveSaga(place).definition, now.saga!)) now.sagas = [...(now.sagas ?? []), leave(place, now.saga!)];
}

/** What branches and sub-flows finished belongs to the state that they were in, once that is left. */
export function carryUp(place: PlaceDraft): void {
  if (place.branches.size === 0 && !place.child) return;
  const { now } = place;
  const at = now.path.length - 1;
  const below = [...placesBelow(place)]
    .slice(1)
    .flatMap(({ flow, now: { sagas = [] } }) =>
      sagas.map((saga) => ({ ...(flow === place.flow ? saga : withFlow(saga, flow)), at })),
    );
  if (below.length > 0) now.sagas = [...(now.sagas ?? []), ...below];
}

/** What the place, or one below it, was on its way to is no longer where it goes; what is being undone is undone. */
export function forgetMoves({ draft: { instance }, address }: PlaceDraft): void {
  if (!instance.undoing) return;
  const isInside = (place: string): boolean => address === "" || place === address || place.startsWith(`${address}/`);
  const kept = instance.undoing.flatMap(({ sagas, move }) => {
    if (!move || !isInside(move.place)) return [move ? { sagas, move } : { sagas }];
    return sagas.length > 0 ? [{ sagas }] : [];
  });
  instance.undoing = kept.length > 0 ? kept : undefined;
}
