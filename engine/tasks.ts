/** Whose task it is, and what they may do with it. */
import type { Approval, Operation, Reasoned } from "../dsl/index.ts";
import { closedFor, concerns, isNewer } from "./closed-tasks.ts";
import type { Draft } from "./draft.ts";
import { instanceOfTask, taskId } from "./ids.ts";
import { approvalOf, hangingsOf, roundOf, seatAt } from "./open-round.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { refuse } from "./refusal.ts";
import type { Refusal, Seat, Task } from "./types.ts";

/** A seat of an open round. */
export interface Held {
  readonly place: PlaceDraft;
  readonly index: number;
  readonly seat: Seat;
}

/** Which of several tasks a command means. */
export interface TaskChoice {
  readonly task?: string;
  /** A branch. */
  readonly in?: string;
  readonly onBehalfOf?: string;
}

/**
 * The seat on which the actor may decide now: the one of his open task. Without one the refusal is honest about why:
 * another was first (`superseded`), it is over (`task-closed`), or it never was his (`not-your-task`).
 */
export function findTask(draft: Draft, choice: TaskChoice): Held | Refusal {
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const { actor } = draft;
  const open = seatsWhere(draft, (seat) => isOpenFor(seat, actor)).filter((held) => isMeant(held, choice));
  const [held] = open;
  if (open.length > 1 && !isOneTask(open)) return refuseSeveral(draft, open);
  return held ?? refuseNoTask(draft, choice.task);
}

/** Several shared tasks of one stage are one for a person who may claim each of them: what they do they do with all. */
function isOneTask(open: readonly Held[]): boolean {
  return open.every(({ place, seat }) => place === open[0]!.place && seat.candidates !== undefined);
}

/** The other shared seats of the round that this person has, or may claim. */
export function sharedBeside(place: PlaceDraft, index: number, person: string): readonly number[] {
  const { seats } = roundOf(place);
  if (!seats[index]!.candidates) return NONE;
  return seats.flatMap((seat, at) => (at !== index && seat.candidates && isOpenFor(seat, person) ? [at] : []));
}

const NONE: readonly number[] = [];

/** Seats of rounds that are open, in every machine of the instance. */
export function seatsWhere(draft: Draft, wanted: (seat: Seat) => boolean): Held[] {
  const found: Held[] = [];
  const { place: root } = draft;
  // Most instances have one machine; to walk over it alone would cost more than to look.
  if (root.isAlone) look(root, wanted, found);
  else for (const place of placesBelow(root)) look(place, wanted, found);
  return found;
}

function look(place: PlaceDraft, wanted: (seat: Seat) => boolean, found: Held[]): void {
  const { round } = place.now;
  if (!round || round.result !== undefined) return;
  for (let index = 0; index < round.seats.length; index++) {
    const seat = round.seats[index]!;
    if (wanted(seat)) found.push({ place, index, seat });
  }
}

/** A shared task that nobody has claimed is open for everybody who may. */
export function isOpenFor({ status, person, candidates }: Seat, actor: string | undefined): boolean {
  if (status !== "open" || actor === undefined) return false;
  return person === "" ? (candidates?.includes(actor) ?? false) : person === actor;
}

function isMeant({ place, seat }: Held, { task, in: branch, onBehalfOf }: TaskChoice): boolean {
  if (task !== undefined && seat.task?.id !== task) return false;
  if (onBehalfOf !== undefined && !standsFor(place, seat, onBehalfOf)) return false;
  return branch === undefined || isIn(place, branch);
}

/** Is this the branch, or inside it? `legal`, or `legal.inner` where one lies in another. */
export function isIn({ address }: { readonly address: string }, branch: string): boolean {
  const parts = address.split("/");
  const wanted = branch.split(/[./]/);
  return parts.some((_, index) => wanted.every((name, offset) => parts[index + offset] === name));
}

/** Deputies stand for the absent, delegates for those who delegated. */
function standsFor(place: PlaceDraft, seat: Seat, whom: string): boolean {
  if (seat.onBehalfOf === whom || seat.person === whom) return true;
  return hangingsOf(seat).some(({ as, on }) => as === "delegate" && seatAt(place, on).person === whom);
}

function refuseSeveral({ actor }: Draft, open: readonly Held[]): Refusal {
  const tasks = open.map(({ seat }) => seat.task!.id);
  return refuse("not-your-task", `\`${actor}\` has ${tasks.length} open tasks here; say which one is meant.`, {
    tasks,
  });
}

/** Why there is no open task of the actor. */
export function refuseNoTask(draft: Draft, task: string | undefined): Refusal {
  const { actor } = draft;
  const waits = seatsWhere(
    draft,
    (seat) =>
      seat.person === actor &&
      seat.status === "waiting" &&
      seat.task?.closedAt === undefined &&
      seat.task !== undefined &&
      (task === undefined || task === seat.task.id),
  );
  if (waits.length > 0) return refuseStranger(draft, task);
  const newest = newestClosed(draft);
  if (newest && (task === undefined || task === newest.id)) return refuseClosed(newest);
  if (task !== undefined && isOver(draft, task)) {
    return refuse("task-closed", `The task \`${task}\` is closed.`, { task });
  }
  return refuseStranger(draft, task);
}

/** The actor's newest closed task, of a round that is still there or of those before. */
export function newestClosed(draft: Draft): Task | undefined {
  const { actor, instance } = draft;
  if (actor === undefined) return undefined;
  let newest = Object.hasOwn(instance.closedTasks, actor) ? instance.closedTasks[actor] : undefined;
  for (const task of tasksThere(draft)) {
    if (task.closedAt === undefined || !concerns(task, actor)) continue;
    if (!newest || isNewer(task, newest)) newest = closedFor(task, actor);
  }
  return newest;
}

/** The newest task of every seat, also of rounds that have their result. */
export function* tasksThere(draft: Draft): Generator<Task> {
  for (const { now } of placesBelow(draft.place)) {
    for (const { task } of now.round?.seats ?? []) if (task) yield task;
  }
}

function refuseClosed({ id, status, closedBy }: Task): Refusal {
  if (status === "superseded") {
    const winner = closedBy === undefined ? {} : { by: closedBy };
    return refuse("superseded", `\`${closedBy ?? "somebody"}\` decided first; the task \`${id}\` is closed.`, {
      task: id,
      ...winner,
    });
  }
  return refuse("task-closed", `The task \`${id}\` is closed: it was ${status}.`, { task: id, status });
}

/** A number that was handed out, for a task that is neither open nor another person's newest. */
function isOver(draft: Draft, task: string): boolean {
  const { instance } = draft;
  if (instanceOfTask(task) !== instance.id) return false;
  const number = Number(task.slice(instance.id.length + 1));
  if (task !== taskId(instance.id, number) || number > instance.counters.task) return false;
  for (const { id } of tasksThere(draft)) if (id === task) return false;
  return !Object.values(instance.closedTasks).some(({ id }) => id === task);
}

function refuseStranger({ actor, instance }: Draft, task: string | undefined): Refusal {
  const who = actor === undefined ? "Who decides must be named" : `\`${actor}\` has no open task here`;
  const which = task === undefined ? "" : `, and \`${task}\` is not theirs`;
  return refuse("not-your-task", `${who}${which}.`, { state: instance.state });
}

export function refuseSuspended({ instance }: Draft): Refusal | undefined {
  if (!instance.suspended) return undefined;
  return refuse("suspended", "The instance is suspended; an administrator has to resume it first.");
}

export function refuseFinished(outcome: string): Refusal {
  return refuse("finished", `The instance has finished with \`${outcome}\`.`, { outcome });
}

export function refuseOperation(place: PlaceDraft, operation: Operation): Refusal | undefined {
  if (approvalOf(place).allow.includes(operation)) return undefined;
  return refuseNotAllowed(place, operation);
}

export function refuseNotAllowed({ now: { state } }: PlaceDraft, operation: string): Refusal {
  return refuse("not-allowed", `\`${state}\` does not allow \`${operation}\` here.`, { state, operation });
}

export function refuseWithoutReason(
  { reasonRequiredOn }: Approval,
  operation: Reasoned,
  reason: string | undefined,
): Refusal | undefined {
  return reasonRequiredOn.includes(operation) ? refuseNoReason(operation, reason) : undefined;
}

/** What always needs a reason. */
export function refuseNoReason(operation: string, reason: string | undefined): Refusal | undefined {
  if (reason !== undefined && reason.trim() !== "") return undefined;
  return refuse("reason-required", `\`${operation}\` needs a reason here.`, { operation });
}

/** Delegates give an opinion: they approve or reject, delegate on or transfer, and nothing else. */
export function refuseAsDelegate({ place, seat }: Held, operation: string): Refusal | undefined {
  const isDelegate = seat.hangs && hangingsOf(seat).every(({ as }) => as === "delegate");
  return isDelegate ? refuseNotAllowed(place, operation) : undefined;
}
