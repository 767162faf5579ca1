/** Rounds of a state's stages: how they open, when their result is certain, how they end. */
import type { PeopleStage, Stage } from "../dsl/index.ts";
import { archiveRound } from "./closed-tasks.ts";
import { describeExpression } from "./describe-expression.ts";
import { type Consequence, withoutPeople } from "./empty-groups.ts";
import { evaluate } from "./evaluation.ts";
import { approvalOf, isUndecided, markGroup, roundOf, SYSTEM, setRound } from "./open-round.ts";
import { keepPassed } from "./passed-rounds.ts";
import type { PlaceDraft } from "./place.ts";
import { stageVerdict, verdictsOf } from "./results.ts";
import { seat, tellOpened } from "./seating.ts";
import { endSeats } from "./seats.ts";
import { lookUpRows, peopleStage, stagesOf } from "./stages.ts";
import type { Verdict } from "./tally.ts";
import { openTurns } from "./turns.ts";
import type { RoundResult } from "./types.ts";
import { countRound, rememberPassed, sameView, stageKey, viewOf } from "./views.ts";

/** Opens the approval of the state that was entered. */
export function openApproval(place: PlaceDraft): void {
  openStage(place, 0, undefined);
}

/**
 * Opens a stage with a new round; behind the last stage the approval has come to its end.
 * @param known rows of the state's matrices; absent: they are looked up now.
 */
export function openStage(place: PlaceDraft, index: number, known: readonly number[] | undefined): void {
  const rows = place.state.stages ? undefined : (known ?? lookUpRows(place));
  if (!place.state.stages && !rows) return;
  const stages = stagesOf(place, rows);
  const stage = stages[index];
  if (!stage) {
    place.pending = stages.some(({ kind }) => kind === "handle") ? "done" : "approved";
    return;
  }
  if (keepsApproval(place, index)) {
    openStage(place, index + 1, rows);
    return;
  }
  startRound(place, index, rows);
  if (stage.kind === "auto") decideByRule(place, stage);
  else seatPeople(place, stage);
}

/** After a return that resumes, a stage passes without being asked where nothing has changed that its people saw. */
function keepsApproval(place: PlaceDraft, stage: number): boolean {
  const { flow, now, draft } = place;
  const { memory } = flow;
  if (!memory.resume) return false;
  const key = stageKey(place.address, now.state, stage);
  if (key === memory.resume.until) {
    flow.remember({ resume: undefined });
    return false;
  }
  const kept = memory.resume.kept[key];
  const view = viewOf(flow, approvalOf(place));
  if (!kept || !sameView(kept, view)) return false;
  flow.remember({ passed: { ...memory.passed, [key]: kept } });
  const why = "what its people approved has not changed since";
  draft.tell({ kind: "skipped", state: now.state, stage, why, ...place.where });
  return true;
}

function startRound(place: PlaceDraft, stage: number, rows: readonly number[] | undefined): void {
  const { now, draft, address } = place;
  const { instance } = draft;
  const key = stageKey(address, now.state, stage);
  const number = (instance.rounds[key] ?? 0) + 1;
  instance.rounds = { ...instance.rounds, [key]: number };
  archiveRound(place);
  now.round = { state: now.state, stage, number, openedAt: draft.at, seats: [], ...(rows && { rows }) };
  countRound(place);
}

/** `auto approve if COND else reject`. */
function decideByRule(place: PlaceDraft, { condition }: Extract<Stage, { kind: "auto" }>): void {
  const holds = evaluate(place, condition);
  if (place.draft.blocked()) return;
  tellOpened(place, []);
  const { currency } = place.flow.prepared;
  const rule = `${describeExpression(condition, currency)} ${holds ? "holds" : "does not hold"}`;
  closeRound(place, holds ? "approved" : "rejected", SYSTEM, rule);
}

function seatPeople(place: PlaceDraft, stage: PeopleStage): void {
  const { number, stage: index } = roundOf(place);
  const round = `${place.flow.now.id}:${stageKey(place.address, place.now.state, index)}:${number}`;
  const seating = seat(place, stage, round);
  if (!seating) return;
  setRound(place, { seats: seating.seats });
  tellOpened(place, seating.seats);
  for (const { group, why } of seating.empty) {
    closeIfOver(place, withoutPeople(place, stage, group, why));
    if (!isRunning(place)) return;
  }
  proceed(place, SYSTEM);
}

function closeIfOver(place: PlaceDraft, consequence: Consequence | undefined): void {
  if (consequence) closeRound(place, consequence.result, SYSTEM, consequence.why);
}

/** Is the round open, and the decision not held up? */
function isRunning(place: PlaceDraft): boolean {
  return place.now.round !== undefined && roundOf(place).result === undefined && !place.draft.blocked();
}

/** Closes the round if its result is certain, else opens the seats whose turn it is. @param by who decided last. */
export function proceed(place: PlaceDraft, by: string): void {
  if (!isRunning(place)) return;
  const round = roundOf(place);
  const stage = peopleStage(stagesOf(place, round.rows)[round.stage]);
  if (!stage) return;
  const verdicts = verdictsOf(place, stage);
  if (verdicts.length > 1) keepApproved(place, verdicts);
  const result = round.certain?.result ?? stageVerdict(place, verdicts);
  const empty = verdicts.indexOf("empty");
  if (empty !== -1 && result === "undecided") {
    closeIfOver(place, withoutPeople(place, stage, empty, "everybody abstained"));
    if (isRunning(place) && !roundOf(place).groups?.[empty]?.held) proceed(place, by);
    else if (isRunning(place)) open(place, stage, verdicts, by);
    return;
  }
  if (result === "undecided") open(place, stage, verdicts, by);
  else if (approvalOf(place).collectAll && round.seats.some(isUndecided)) collect(place, stage, result, by);
  else closeRound(place, result, round.certain?.by ?? by);
}

function keepApproved(place: PlaceDraft, verdicts: readonly Verdict[]): void {
  for (const [group, found] of verdicts.entries()) {
    const known = roundOf(place).groups?.[group];
    if (found === "approved" && !known?.approved && !known?.skipped) markGroup(place, group, { approved: true });
  }
}

function open(place: PlaceDraft, stage: PeopleStage, verdicts: readonly Verdict[], by: string): void {
  if (openTurns(place, stage, verdicts, by)) proceed(place, SYSTEM);
}

/** The result is certain, but every opinion is wanted. */
function collect(place: PlaceDraft, stage: PeopleStage, result: "approved" | "rejected", by: string): void {
  if (!roundOf(place).certain) setRound(place, { certain: { result, by } });
  const all = stage.groups.map(() => "undecided" as const);
  open(place, stage, all, by);
}

/** The result: whoever has not decided is superseded, and the next stage opens or the approval is rejected. */
export function closeRound(
  place: PlaceDraft,
  result: "approved" | "rejected" | "skipped",
  by: string,
  auto?: string,
  isOverride = false,
): void {
  const { rows, stage, state } = roundOf(place);
  endSeats(place, "superseded", by);
  endRound(place, result, auto, isOverride);
  keepPassed(place, result);
  if (result === "rejected") place.pending = "rejected";
  else {
    rememberPassed(place);
    if (place.now.state === state) openStage(place, stage + 1, rows);
  }
}

/** The round is left without a result, if it is open. */
export function leaveRound(place: PlaceDraft, result: "cancelled" | "returned"): void {
  const { round } = place.now;
  if (!round || round.result !== undefined) return;
  endSeats(place, "cancelled");
  endRound(place, result);
}

function endRound(place: PlaceDraft, result: RoundResult, auto?: string, isOverride = false): void {
  const { state, stage, number } = roundOf(place);
  setRound(place, { result, closedAt: place.draft.at, ...(isOverride && { overridden: true }) });
  const rule = auto === undefined ? undefined : { auto };
  place.draft.tell({ kind: "round-closed", state, stage, round: number, result, ...rule, ...place.where });
}
