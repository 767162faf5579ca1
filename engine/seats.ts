/** The seats of a place's open round: their tasks, what hangs on them, and how they end. */
import { addTerm } from "./calendar.ts";
import { archive } from "./closed-tasks.ts";
import { taskId } from "./ids.ts";
import {
  approvalOf,
  hangingsOf,
  hangsOn,
  isOpinion,
  isUndecided,
  roundOf,
  seatAt,
  setRound,
  setSeat,
} from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { startSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import type { EpochMs, Hanging, Seat, Task, TaskStatus } from "./types.ts";

/** Seats that hang on this one and are not over. */
export function hangingOn(place: PlaceDraft, index: number): readonly number[] {
  const { seats } = roundOf(place);
  let found: number[] | undefined;
  for (let at = 0; at < seats.length; at++) {
    const seat = seats[at]!;
    if (!hangsOn(seat, index) || !isUndecided(seat)) continue;
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

/** Opens several seats that never had a task, each as {@link openSeat} does. */
export function openSeats(place: PlaceDraft, indexes: readonly number[]): void {
  const { due } = approvalOf(place);
  const { seats, openedAt } = roundOf(place);
  const { calendar } = place.flow.prepared.definition;
  const dueAt = due && addTerm(due.perStage ? openedAt : place.draft.at, due.term, calendar);
  const opened = [...seats];
  for (const index of indexes) {
    const seat = seats[index]!;
    const task = newTask(place, seat, dueAt);
    opened[index] = { ...seat, status: "open", task };
    tellTask(place, task);
    announce(place, task);
  }
  setRound(place, { seats: opened });
  for (const index of indexes) startSeatTimers(place, index);
}

/** A new task for the seat's person. @param silently tells nobody but the history: it is decided at once. */
export function giveTask(place: PlaceDraft, index: number, dueAt: EpochMs | undefined, silently = false): void {
  const { draft } = place;
  const seat = seatAt(place, index);
  if (seat.task?.closedAt !== undefined) archive(draft, [seat.task]);
  const task = newTask(place, seat, dueAt);
  setSeat(place, index, { status: "open", task });
  tellTask(place, task);
  if (!silently) announce(place, task);
}

function tellTask({ draft }: PlaceDraft, task: Task): void {
  draft.keep(task);
  const { id, assignee, candidates, dueAt } = task;
  const due = dueAt === undefined ? undefined : { dueAt };
  draft.tell({ kind: "task-opened", task: id, assignee, ...(candidates && { candidates }), ...due });
}

function announce({ draft, flow }: PlaceDraft, { id, assignee, candidates, stage, dueAt }: Task): void {
  const due = dueAt === undefined ? undefined : { dueAt };
  draft.publish(flow, "task.opened", { task: id, assignee, stage: stage + 1, ...due });
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
  endHangingOn(place, index, end, by);
  if (!isUndecided(seatAt(place, index))) return;
  closeTask(place, index, end, by);
  setSeat(place, index, { status: end });
  stopSeatTimers(place, index);
}

/** Ends what hangs on a seat. */
export function endHangingOn(place: PlaceDraft, index: number, end: SeatEnd, by?: string): void {
  for (const hanging of hangingOn(place, index)) letGo(place, hanging, ({ on }) => on === index, end, by);
}

/** The seat does not hang at these places any more; one that hung nowhere else has ended. */
export function letGo(
  place: PlaceDraft,
  index: number,
  isLeft: (hanging: Hanging) => boolean,
  end: SeatEnd,
  by?: string,
): void {
  const seat = seatAt(place, index);
  const others = hangingsOf(seat).filter((hanging) => !isLeft(hanging));
  if (seat.hangs && others.length === 0) {
    endSeat(place, index, end, by);
    return;
  }
  const left = hangingsOf(seat).filter(isLeft);
  if (end === "superseded") setSeat(place, index, { hungToo: [...(seat.hungToo ?? []), ...left] });
  hangAt(place, index, others);
}

/** The seat hangs at these places and nowhere else. */
export function hangAt(place: PlaceDraft, index: number, places: readonly Hanging[]): void {
  const { seats } = roundOf(place);
  const { hangs, alsoHangs: _, ...rest } = seats[index]!;
  const [first, ...more] = places;
  const also = hangs ? more : places;
  const seat: Seat = { ...rest, ...(hangs && first && { hangs: first }), ...(also.length > 0 && { alsoHangs: also }) };
  setRound(place, { seats: seats.with(index, seat) });
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

/** Is it undecided, or decided by its person? */
export function isThere({ status }: Seat): boolean {
  return !LEFT.has(status);
}

/** Index of a seat of this person in the round, or -1. @param except is not looked at. */
export function seatOf(place: PlaceDraft, person: string, except = -1): number {
  return roundOf(place).seats.findIndex((seat, index) => index !== except && seat.person === person && isThere(seat));
}

/** Index of what this person has in the round that can stand for a seat, or -1: an opinion that was given never does. */
export function standingSeatOf(place: PlaceDraft, person: string, except: number): number {
  const isGiven = (seat: Seat): boolean => !isUndecided(seat) || seat.approvedBefore === true;
  return roundOf(place).seats.findIndex(
    (seat, index) => index !== except && seat.person === person && isThere(seat) && !(isOpinion(seat) && isGiven(seat)),
  );
}
