import type { Approval, Mode, People, Stage } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { taskId } from "./ids.ts";
import { findPeople } from "./people.ts";
import { deadline, startSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import { canPass, fallsBelow, tally, verdict } from "./tally.ts";
import type { EpochMs, Round, Seat, Task, TaskStatus } from "./types.ts";

/** Who decides where no person does. */
export const SYSTEM = "system";

const ANY: Mode = { kind: "any" };

/** The approval of the state in which a round is open. */
export function approvalOf(draft: Draft): Approval {
  return draft.state.approval!;
}

/** Opens a stage with a new round; behind the last stage the approval has come to `approved`. */
export function openStage(draft: Draft, stage: number): void {
  const { stages } = approvalOf(draft);
  if (stage === stages.length) {
    draft.pending = "approved";
    return;
  }
  const { people, mode } = stages[stage]!;
  const found = findPeople(draft, people);
  if (found === undefined) return;
  startRound(draft, stage);
  if (canPass(mode, found.length)) fillSeats(draft, found);
  else withoutPeople(draft, found.length === 0 ? "nobody was found" : `${found.length} found, too few to approve`);
}

function startRound(draft: Draft, stage: number): void {
  const { instance, at } = draft;
  const { state } = instance;
  const name = `${state}/${stage}`;
  const number = (instance.rounds[name] ?? 0) + 1;
  instance.rounds = { ...instance.rounds, [name]: number };
  instance.round = { state, stage, number, openedAt: at, seats: [] };
}

function fillSeats(draft: Draft, people: readonly string[]): void {
  const { state, stage, number, seats } = roundOf(draft);
  setRound(draft, {
    seats: [...seats, ...people.map((person): Seat => ({ person, status: "waiting", reminders: 0 }))],
  });
  draft.tell({ kind: "round-opened", state, stage, round: number, seats: people });
  const open = modeOf(draft).kind === "sequence" ? 1 : people.length;
  for (let index = seats.length; index < seats.length + open; index++) openSeat(draft, index);
}

/** The stage is empty: at its opening, or because everybody abstained. */
function withoutPeople(draft: Draft, why: string): void {
  const { onEmpty } = approvalOf(draft);
  switch (onEmpty.kind) {
    case "hold":
      hold(draft, why);
      break;
    case "skip": {
      const { state, stage } = roundOf(draft);
      draft.tell({ kind: "skipped", state, stage, why });
      closeRound(draft, "skipped", SYSTEM);
      break;
    }
    case "reject":
      closeRound(draft, "rejected", SYSTEM, why);
      break;
    case "assign":
      assign(draft, onEmpty.to, why);
  }
}

/** Puts others in, once; if there are none either, or they abstain too, the stage holds. */
function assign(draft: Draft, to: People, why: string): void {
  const found = roundOf(draft).assigned ? [] : findPeople(draft, to);
  if (found === undefined) return;
  if (found.length === 0) hold(draft, why);
  else {
    setRound(draft, { assigned: true });
    fillSeats(draft, found);
  }
}

/** The round stays open without a seat until the instance is moved in another way; the initiator is told. */
function hold(draft: Draft, why: string): void {
  const { state, stage } = roundOf(draft);
  setRound(draft, { held: why });
  draft.tell({ kind: "held", state, stage, why });
  draft.notify([draft.instance.initiator.id], { kind: "held", state, reason: why });
}

function openSeat(draft: Draft, index: number): void {
  const approval = approvalOf(draft);
  const round = roundOf(draft);
  const task = giveTask(draft, index, round.seats[index]!.person, deadline(approval, round, draft.at));
  startSeatTimers(draft, approval, index, task);
}

/** A new task for the seat, which is this person's from now on. */
function giveTask(draft: Draft, index: number, assignee: string, dueAt: EpochMs | undefined): Task {
  const { instance, at } = draft;
  const { state, stage, seats } = roundOf(draft);
  const number = instance.counters.task + 1;
  instance.counters = { ...instance.counters, task: number };
  const due = dueAt === undefined ? undefined : { dueAt };
  const id = taskId(instance.id, number);
  const task: Task = { id, assignee, status: "open", state, stage, openedAt: at, ...due };
  setSeat(draft, index, { ...seats[index]!, person: assignee, status: "open", task });
  draft.keep(task);
  draft.tell({ kind: "task-opened", task: id, assignee, ...due });
  draft.publish("task.opened", { task: id, assignee, stage: stage + 1, ...due });
  draft.notify([assignee], { kind: "task", task: id, what: "opened" });
  return task;
}

export interface SeatDecision {
  readonly decision: "approved" | "rejected" | "abstained" | "returned";
  /** A user, or `system`. */
  readonly by: string;
  readonly reason?: string | undefined;
  /** The rule that decided. */
  readonly auto?: string;
}

/** Writes a decision on an open seat. What it means for the round is for {@link countVotes}. */
export function decideSeat(draft: Draft, index: number, { decision, by, reason, auto }: SeatDecision): void {
  const seat = roundOf(draft).seats[index]!;
  const task = auto === undefined ? closed(draft, seat, decision) : closed(draft, seat, "expired", by);
  const notes = { ...(reason !== undefined && { reason }), ...(auto !== undefined && { auto }) };
  setSeat(draft, index, { ...seat, status: decision, task, decidedAt: draft.at, ...notes });
  keepClosed(draft, [task]);
  stopSeatTimers(draft, index);
  draft.instance.touched = true;
  draft.tell({ kind: "decided", task: task.id, by, decision, ...notes });
  draft.publish("task.decided", { task: task.id, assignee: task.assignee, by, decision, ...notes });
}

/** Closes the round if its result is certain, else lets the next in a sequence begin. */
export function countVotes(draft: Draft, by: string): void {
  const result = verdict(modeOf(draft), rejectOf(draft), tally(roundOf(draft).seats));
  if (result === "undecided") openNext(draft);
  else if (result === "empty") withoutPeople(draft, "everybody abstained");
  else closeRound(draft, result, by);
}

function openNext(draft: Draft): void {
  const { seats } = roundOf(draft);
  if (seats.some(({ status }) => status === "open")) return;
  const next = seats.findIndex(({ status }) => status === "waiting");
  if (next !== -1) openSeat(draft, next);
}

/** Would moving the seat to this person leave too few for a fixed number of approvals? */
export function movingFallsBelow(draft: Draft, index: number, to: string): boolean {
  if (seatOf(draft, to, index) === -1) return false;
  const votes = tally(roundOf(draft).seats);
  return fallsBelow(modeOf(draft), { ...votes, open: votes.open - 1 });
}

/**
 * Moves an open seat to another person; its deadline stays. If that person sits in the round already, the two seats become
 * one in the earlier place, and what the person decided stands for it.
 */
export function moveSeat(draft: Draft, index: number, to: string, ends: "transferred" | "expired", by: string): void {
  const round = roundOf(draft);
  const seat = round.seats[index]!;
  const task = closed(draft, seat, ends, by);
  keepClosed(draft, [task]);
  const other = seatOf(draft, to, index);
  if (other !== -1 && round.seats[other]!.status !== "waiting") {
    setSeat(draft, index, { ...seat, status: "cancelled", task });
    stopSeatTimers(draft, index);
  } else {
    if (other !== -1) setSeat(draft, other, { ...round.seats[other]!, status: "cancelled" });
    giveTask(draft, index, to, task.dueAt);
  }
  countVotes(draft, by);
}

/** Index of another seat that this person holds or decided in the round, or -1. */
function seatOf(draft: Draft, person: string, except: number): number {
  return roundOf(draft).seats.findIndex(
    (seat, index) => index !== except && seat.person === person && seat.status !== "cancelled",
  );
}

/** The result: whoever has not decided is superseded, and the next stage opens or the approval is rejected. */
function closeRound(draft: Draft, result: "approved" | "rejected" | "skipped", by: string, auto?: string): void {
  endRound(draft, result, { seats: "superseded", by, auto });
  if (result === "rejected") draft.pending = "rejected";
  else openStage(draft, roundOf(draft).stage + 1);
}

/** The round is left without a result, if it is open. */
export function leaveRound(draft: Draft, result: "cancelled" | "returned"): void {
  const { round } = draft.instance;
  if (round && round.result === undefined) endRound(draft, result, { seats: "cancelled" });
}

interface RoundEnd {
  readonly seats: "superseded" | "cancelled";
  readonly by?: string;
  readonly auto?: string | undefined;
}

function endRound(draft: Draft, result: NonNullable<Round["result"]>, { seats: ends, by, auto }: RoundEnd): void {
  const { state, stage, number, seats } = roundOf(draft);
  const tasks: Task[] = [];
  const ended = seats.map((seat) => {
    if (seat.status === "waiting") return { ...seat, status: ends };
    if (seat.status !== "open") return seat;
    const task = closed(draft, seat, ends, by);
    tasks.push(task);
    return { ...seat, status: ends, task };
  });
  keepClosed(draft, tasks);
  stopSeatTimers(draft);
  setRound(draft, { seats: ended, result, closedAt: draft.at });
  draft.tell({ kind: "round-closed", state, stage, round: number, result, ...(auto !== undefined && { auto }) });
}

function closed(draft: Draft, seat: Seat, status: TaskStatus, closedBy?: string): Task {
  return { ...seat.task!, status, closedAt: draft.at, ...(closedBy !== undefined && { closedBy }) };
}

/** Notes closed tasks as their people's newest. */
function keepClosed(draft: Draft, tasks: readonly Task[]): void {
  if (tasks.length === 0) return;
  for (const task of tasks) draft.keep(task);
  const newest = Object.fromEntries(tasks.map((task) => [task.assignee, task]));
  draft.instance.closedTasks = { ...draft.instance.closedTasks, ...newest };
}

export function roundOf(draft: Draft): Round {
  return draft.instance.round!;
}

export function setSeat(draft: Draft, index: number, seat: Seat): void {
  setRound(draft, { seats: roundOf(draft).seats.with(index, seat) });
}

function setRound(draft: Draft, parts: Partial<Round>): void {
  draft.instance.round = { ...roundOf(draft), ...parts };
}

function modeOf(draft: Draft): Mode {
  const { stage, assigned } = roundOf(draft);
  return assigned ? ANY : approvalOf(draft).stages[stage]!.mode;
}

function rejectOf(draft: Draft): Stage["reject"] {
  const { stage, assigned } = roundOf(draft);
  return assigned ? "one" : approvalOf(draft).stages[stage]!.reject;
}
