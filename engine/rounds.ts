/** Rounds of a state's stages: how they open, when their result is certain, how they end. */
import type { PeopleStage, Stage } from "../dsl/index.ts";
import { archiveRound } from "./closed-tasks.ts";
import { describeExpression } from "./describe-expression.ts";
import { evaluate } from "./evaluation.ts";
import { approvalOf, isOpinion, isUndecided, roundOf, SYSTEM, seatAt, setRound } from "./open-round.ts";
import { keepPassed } from "./passed-rounds.ts";
import { findDeciders } from "./people.ts";
import type { PlaceDraft } from "./place.ts";
import { restartSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import { seat, seatOthers } from "./seating.ts";
import { endSeat, endSeats, hangingOn, openSeat, putOff, reopen } from "./seats.ts";
import { lookUpRows, modeOf, peopleStage, stagesOf } from "./stages.ts";
import { type Count, type Verdict, verdict, votesOf } from "./tally.ts";
import type { GroupMark, Round, RoundResult, Seat } from "./types.ts";
import { countRound, rememberPassed, sameView, stageKey, viewOf } from "./views.ts";
import { approveRepeated } from "./votes.ts";

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
    withoutPeople(place, stage, group, why);
    if (!isRunning(place)) return;
  }
  proceed(place, SYSTEM);
}

function tellOpened(place: PlaceDraft, seats: readonly Seat[]): void {
  const { state, stage, number } = roundOf(place);
  const people = seats.flatMap(({ person, candidates }) => candidates ?? [person]);
  place.draft.tell({ kind: "round-opened", state, stage, round: number, seats: people, ...place.where });
}

/** Is the round open, and the decision not held up? */
function isRunning(place: PlaceDraft): boolean {
  return place.now.round !== undefined && roundOf(place).result === undefined && !place.draft.blocked();
}

/** A group is empty: at its opening, or because everybody abstained. */
function withoutPeople(place: PlaceDraft, stage: PeopleStage, group: number, why: string): void {
  const { onEmpty } = approvalOf(place);
  switch (onEmpty.kind) {
    case "hold":
      hold(place, group, why);
      break;
    case "skip":
      skip(place, stage, group, why);
      break;
    case "reject":
      closeRound(place, "rejected", SYSTEM, why);
      break;
    case "assign":
      assign(place, stage, group, why);
  }
}

function mark(place: PlaceDraft, group: number, parts: GroupMark): void {
  const { groups } = roundOf(place);
  setRound(place, { groups: { ...groups, [group]: { ...groups?.[group], ...parts } } });
}

/** The group stays open without a seat until the instance is moved in another way; the initiator is told. */
function hold(place: PlaceDraft, group: number, why: string): void {
  const { draft } = place;
  const { state, stage } = roundOf(place);
  mark(place, group, { held: why });
  draft.tell({ kind: "held", state, stage, why, ...place.where });
  draft.notify([draft.instance.initiator.id], { kind: "held", state, reason: why });
}

function skip(place: PlaceDraft, { groups }: PeopleStage, group: number, why: string): void {
  const { state, stage } = roundOf(place);
  mark(place, group, { skipped: true });
  place.draft.tell({ kind: "skipped", state, stage, why, ...place.where });
  const all = groups.every((_, index) => roundOf(place).groups?.[index]?.skipped);
  if (all) closeRound(place, "skipped", SYSTEM);
}

/** Puts others in, once; if there are none either, or they abstain too, the group holds. */
function assign(place: PlaceDraft, stage: PeopleStage, group: number, why: string): void {
  const { onEmpty } = approvalOf(place);
  if (onEmpty.kind !== "assign") return;
  const { seats, groups } = roundOf(place);
  const people = groups?.[group]?.assigned ? [] : findDeciders(place, onEmpty.to);
  const others = people && seatOthers(place, people, group, stage.groups.length > 1);
  if (!others) return;
  if (others.length === 0) {
    hold(place, group, why);
    return;
  }
  mark(place, group, { assigned: true });
  const merged = joinSeats(seats, others);
  setRound(place, { seats: merged });
  tellOpened(place, others);
}

/** Who sits in another group of the stage already counts in this one too. */
function joinSeats(seats: readonly Seat[], others: readonly Seat[]): readonly Seat[] {
  const joined = [...seats];
  for (const other of others) {
    const at = joined.findIndex((one) => one.person === other.person && !one.hangs && isUndecided(one));
    const known = joined[at];
    if (known?.counts && other.counts) joined[at] = { ...known, counts: [...known.counts, ...other.counts] };
    else joined.push(other);
  }
  return joined;
}

/** Closes the round if its result is certain, else opens the seats whose turn it is. @param by who decided last. */
export function proceed(place: PlaceDraft, by: string): void {
  if (!isRunning(place)) return;
  const round = roundOf(place);
  const stage = peopleStage(stagesOf(place, round.rows)[round.stage]);
  if (!stage) return;
  const verdicts = stage.groups.map((_, group) => groupVerdict(place, stage, group));
  const result = round.certain?.result ?? stageVerdict(place, verdicts);
  const empty = verdicts.indexOf("empty");
  if (empty !== -1 && result === "undecided") {
    withoutPeople(place, stage, empty, "everybody abstained");
    if (isRunning(place) && !roundOf(place).groups?.[empty]?.held) proceed(place, by);
    else if (isRunning(place)) openTurns(place, stage, verdicts, by);
    return;
  }
  if (result === "undecided") openTurns(place, stage, verdicts, by);
  else if (approvalOf(place).collectAll && round.seats.some(isUndecided)) collect(place, stage, result, by);
  else closeRound(place, result, round.certain?.by ?? by);
}

/** The result is certain, but every opinion is wanted. */
function collect(place: PlaceDraft, stage: PeopleStage, result: "approved" | "rejected", by: string): void {
  if (!roundOf(place).certain) setRound(place, { certain: { result, by } });
  openTurns(
    place,
    stage,
    stage.groups.map(() => "undecided"),
    by,
  );
}

function groupVerdict(place: PlaceDraft, stage: PeopleStage, group: number): Verdict {
  const { seats, groups } = roundOf(place);
  const special = groups?.[group];
  if (special?.skipped) return "approved";
  const found = verdict(countOf(place, stage, group), votesOf(seats, group));
  if (found === "empty") return special?.held === undefined ? "empty" : "undecided";
  return found === "approved" && waitsForVeto(seats, group) ? "undecided" : found;
}

/** An approval is certain only when every veto seat has decided, abstained or gone. */
function waitsForVeto(seats: readonly Seat[], group: number): boolean {
  return seats.some((one) => one.veto && isUndecided(one) && groupsOf(one).includes(group));
}

/** How a group of the open round is counted. */
export function countOf(place: PlaceDraft, stage: PeopleStage, group: number): Count {
  const special = roundOf(place).groups?.[group];
  const { mode, reject } = stage.groups[group]!;
  const { abstain } = approvalOf(place);
  const now = modeOf(stage.groups[group]!, special);
  return { mode: now, reject: now === mode ? reject : "one", abstain };
}

/** Every group must approve; a veto ends the stage whatever the modes say. */
function stageVerdict(place: PlaceDraft, verdicts: readonly Verdict[]): "approved" | "rejected" | "undecided" {
  const { seats } = roundOf(place);
  if (verdicts.includes("rejected") || seats.some((one) => one.veto && one.status === "rejected")) return "rejected";
  return verdicts.every((one) => one === "approved") ? "approved" : "undecided";
}

/** Opens the seats whose turn it is, and ends those that only counted in groups which have their result. */
function openTurns(place: PlaceDraft, stage: PeopleStage, verdicts: readonly Verdict[], by: string): void {
  const turns: number[] = [];
  roundOf(place).seats.forEach((one, index) => {
    if (one.hangs || !isUndecided(one)) return;
    const isOpen = (group: number): boolean => verdicts[group] === "undecided";
    const hasTurn = (group: number): boolean => isOpen(group) && isTurn(place, stage, group, index);
    if (!groupsOf(one).some(isOpen)) endSeat(place, index, "superseded", by);
    else if (isUnasked(place, index) && groupsOf(one).some(hasTurn)) turns.push(index);
  });
  const asked = turns.filter((index) => !approveRepeated(place, index));
  if (asked.length < turns.length) proceed(place, SYSTEM);
  else for (const index of asked) askSeat(place, index);
}

/** It was not their turn yet, or is not any more because an approval before theirs was taken back. */
function isUnasked(place: PlaceDraft, index: number): boolean {
  const { status, task, approvedBefore } = seatAt(place, index);
  if (status !== "waiting" || approvedBefore) return false;
  return !task || (task.status === "waiting" && hangingOn(place, index).length === 0);
}

function askSeat(place: PlaceDraft, index: number): void {
  if (!seatAt(place, index).task) {
    openSeat(place, index);
    return;
  }
  reopen(place, index);
  restartSeatTimers(place, index, place.draft.at);
}

/** Lets those wait whose turn it is no longer; what they have asked of others ends. */
export function putOffTurns(place: PlaceDraft): void {
  const { rows, stage: number } = roundOf(place);
  const stage = peopleStage(stagesOf(place, rows)[number])!;
  roundOf(place).seats.forEach((one, index) => {
    if (one.hangs || !isUndecided(one) || !one.task || one.approvedBefore) return;
    if (groupsOf(one).some((group) => isTurn(place, stage, group, index))) return;
    for (const hanging of hangingOn(place, index)) endSeat(place, hanging, "cancelled", place.draft.actor);
    stopSeatTimers(place, index);
    putOff(place, index);
  });
}

/** Has somebody decided in a sequence who was asked after this seat, or whom they have added? */
export function isDecidedAfter(stage: PeopleStage, { seats, groups }: Round, index: number): boolean {
  const inSequence = groupsOf(seats[index]!).filter(
    (group) => modeOf(stage.groups[group]!, groups?.[group]).kind === "sequence",
  );
  if (inSequence.length === 0) return false;
  return seats.some((one, at) => {
    let root = at;
    while (seats[root]!.hangs) root = seats[root]!.hangs!.on;
    const isLater = root > index && groupsOf(seats[root]!).some((group) => inSequence.includes(group));
    const hasDecided = one.approvedBefore || (one.decidedAt !== undefined && one.auto === undefined);
    return isLater && hasDecided && !isOpinion(one);
  });
}

/** Groups of the stage in which the seat counts. */
export function groupsOf({ counts }: Seat): readonly number[] {
  return counts ? counts.map(({ group }) => group) : ONLY;
}

const ONLY = [0];

/** In a sequence everybody before must have decided. */
function isTurn(place: PlaceDraft, stage: PeopleStage, group: number, index: number): boolean {
  const { seats, groups } = roundOf(place);
  if (modeOf(stage.groups[group]!, groups?.[group]).kind !== "sequence") return true;
  return !seats.slice(0, index).some((one) => !one.hangs && isUndecided(one) && groupsOf(one).includes(group));
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
