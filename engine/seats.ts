/** The seats of a place's open round: their tasks, what hangs on them, and how they end. */
import { addTerm } from "./calendar.ts";
import { archive } from "./closed-tasks.ts";
import { taskId } from "./ids.ts";
import { approvalOf, isOpinion, isUndecided, roundOf, seatAt, setRound, setSeat } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { startSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import type { EpochMs, Seat, Task, TaskStatus } from "./types.ts";

/** Seats that hang on this one and are not over. */
export function hangingOn(place: PlaceDraft, index: number): readonly number[] {
  const { seats } = roundOf(place);
  let found: number[] | undefined;
  for (let at = 0; at < seats.length; at++) {
    const seat = seats[at]!;
    if (seat.hangs?.on !== index || !isUndecided(seat)) continue;
    found ??= [];
    found.push(at);
  }
  return found ?? NOBODY;
}

const NOBODY: readonly number[] = [];

/** Opens a seat for the person who has it: a new task, with a deadline of its own. */
export function openSeat(place: PlaceDraft, index: number): void {
  const approval = approvalOf(place);
  const { due } = approval;
  const { openedAt } = roundOf(place);
  const { calendar } = place.flow.prepared.definition;
  const dueAt = due && addTerm(due.perStage ? openedAt : place.draft.at, due.term, calendar);
  giveTask(place, index, dueAt);
  startSeatTimers(place, index);
}

/** A new task for the seat's person. @param silently tells nobody but the history: it is decided at once. */
export function giveTask(place: PlaceDraft, index: number, dueAt: EpochMs | undefined, silently = false): void {
  const { draft } = place;
  const seat = seatAt(place, index);
  if (seat.task?.closedAt !== undefined) archive(draft, [seat.task]);
  const task = newTask(place, seat, dueAt);
  setSeat(place, index, { status: "open", task });
  draft.keep(task);
  const { id, assignee, candidates, stage } = task;
  const due = dueAt === undefined ? undefined : { dueAt };
  draft.tell({ kind: "task-opened", task: id, assignee, ...(candidates && { candidates }), ...due });
  if (silently) return;
  draft.publish(place.flow, "task.opened", { task: id, assignee, stage: stage + 1, ...due });
  draft.notify(candidates ?? [assignee], { kind: "task", task: id, what: "opened" });
}

function newTask(place: PlaceDraft, seat: Seat, dueAt: EpochMs | undefined): Task {
  const { draft, flow, address } = place;
  const { instance } = draft;
  const { state, stage } = roundOf(place);
  const number = instance.counters.task + 1;
  instance.counters = { ...instance.counters, task: number };
  const { person, candidates, onBehalfOf, hangs } = seat;
  return {
    id: taskId(instance.id, number),
    assignee: person,
    ...(candidates && { candidates }),
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    status: "open",
    state,
    stage,
    ...(address !== "" && { place: address }),
    ...(flow.parent && { flow: flow.now.flow }),
    ...(hangs && { as: hangs.as }),
    openedAt: draft.at,
    ...(dueAt !== undefined && { dueAt }),
  };
}

/** The seat's task waits while others decide first. */
export function putOff(place: PlaceDraft, index: number): void {
  changeTask(place, index, "waiting");
}

/** It is the seat's turn again. */
export function reopen(place: PlaceDraft, index: number): void {
  const { draft } = place;
  changeTask(place, index, "open");
  const { id, assignee, candidates, stage } = seatAt(place, index).task!;
  draft.publish(place.flow, "task.opened", { task: id, assignee, stage: stage + 1 });
  draft.notify(candidates ?? [assignee], { kind: "task", task: id, what: "opened" });
}

function changeTask(place: PlaceDraft, index: number, status: "open" | "waiting"): void {
  const { closedAt: _, closedBy: __, ...rest } = seatAt(place, index).task!;
  const task: Task = { ...rest, status };
  setSeat(place, index, { status, task });
  place.draft.keep(task);
}

/** Closes the seat's task, if it has one that is not closed yet. @param more of the seat that changes with it. */
export function closeTask(
  place: PlaceDraft,
  index: number,
  status: TaskStatus,
  by?: string,
  more?: Partial<Seat>,
): void {
  const { task } = seatAt(place, index);
  if (!task || task.closedAt !== undefined) {
    if (more) setSeat(place, index, more);
    return;
  }
  const closed = closedTask(place, task, status, by);
  setSeat(place, index, { ...more, task: closed });
  place.draft.keep(closed);
}

function closedTask({ draft }: PlaceDraft, task: Task, status: TaskStatus, by: string | undefined): Task {
  return { ...task, status, closedAt: draft.at, ...(by !== undefined && { closedBy: by }) };
}

export type SeatEnd = "superseded" | "cancelled" | "expired";

/** Ends a seat that has not decided, with everything that hangs on it. */
export function endSeat(place: PlaceDraft, index: number, end: SeatEnd, by?: string): void {
  for (const hanging of hangingOn(place, index)) endSeat(place, hanging, end, by);
  if (!isUndecided(seatAt(place, index))) return;
  closeTask(place, index, end, by);
  setSeat(place, index, { status: end });
  stopSeatTimers(place, index);
}

/** Ends every seat that has not decided. */
export function endSeats(place: PlaceDraft, end: SeatEnd, by?: string): void {
  if (!roundOf(place).seats.some(isUndecided)) return;
  const seats = roundOf(place).seats.map((seat): Seat => {
    if (!isUndecided(seat)) return seat;
    if (!seat.task || seat.task.closedAt !== undefined) return { ...seat, status: end };
    const task = closedTask(place, seat.task, end, by);
    place.draft.keep(task);
    return { ...seat, status: end, task };
  });
  setRound(place, { seats });
  stopSeatTimers(place);
}

const LEFT: ReadonlySet<Seat["status"]> = new Set(["cancelled", "expired", "superseded"]);

/** Index of a seat of this person in the round, or -1. @param except is not looked at. */
export function seatOf(place: PlaceDraft, person: string, except = -1): number {
  return roundOf(place).seats.findIndex(
    (seat, index) => index !== except && seat.person === person && !LEFT.has(seat.status),
  );
}

/** Index of what this person has in the round that can stand for a seat, or -1: an opinion never does. */
export function standingSeatOf(place: PlaceDraft, person: string, except: number): number {
  return roundOf(place).seats.findIndex(
    (seat, index) =>
      index !== except && seat.person === person && !LEFT.has(seat.status) && (isUndecided(seat) || !isOpinion(seat)),
  );
}
