/**
 * The newest closed task of each person, for honest refusals. Those of a round stay with its seats until the round is
 * replaced or its state is left, so that a decision costs the same however many people have decided before.
 */
import type { Draft } from "./draft.ts";
import type { PlaceDraft } from "./place.ts";
import type { Round, Task } from "./types.ts";

/** Keeps the tasks of the place's round, which is about to go. */
export function archiveRound({ draft, now }: PlaceDraft): void {
  if (now.round) archive(draft, closedIn(now.round));
}

function closedIn({ seats }: Round): readonly Task[] {
  const closed: Task[] = [];
  for (const { task } of seats) if (task?.closedAt !== undefined) closed.push(task);
  return closed;
}

/** Keeps closed tasks that no seat has any more. */
export function archive({ instance }: Draft, tasks: readonly Task[]): void {
  if (tasks.length === 0) return;
  const newest: Record<string, Task> = { ...instance.closedTasks };
  const keep = (person: string, task: Task): void => {
    const known = Object.hasOwn(newest, person) ? newest[person] : undefined;
    if (!known || isNewer(task, known)) newest[person] = task;
  };
  for (const task of tasks) {
    for (const candidate of task.candidates ?? []) keep(candidate, closedFor(task, candidate));
    if (task.assignee !== "") keep(task.assignee, task);
  }
  instance.closedTasks = newest;
}

/** Was it closed later, or opened later where both were closed at one instant? */
export function isNewer(task: Task, known: Task): boolean {
  if (known.closedAt !== task.closedAt) return known.closedAt! < task.closedAt!;
  return numberOf(known) <= numberOf(task);
}

function numberOf({ id }: Task): number {
  return Number(id.slice(id.lastIndexOf("-") + 1));
}

/** A closed task as it is for one person. Who might have claimed a shared one is told that another was first. */
export function closedFor(task: Task, person: string): Task {
  if (task.assignee === person) return task;
  if (task.assignee === "" || task.status === "cancelled" || task.status === "expired")
    return { ...task, assignee: person };
  return { ...task, assignee: person, status: "superseded", closedBy: task.assignee };
}

/** Was it this person's, or could they have claimed it? */
export function concerns({ assignee, candidates }: Task, person: string): boolean {
  return assignee === person || (candidates?.includes(person) ?? false);
}
