import type { Approval, Operation, Reasoned } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { instanceOfTask, taskId } from "./ids.ts";
import { refuse } from "./refusal.ts";
import type { Refusal, Task } from "./types.ts";

/**
 * The seat on which the actor may decide now: the one of his open task. Without one the refusal is honest about why:
 * another was first (`superseded`), it is over (`task-closed`), or it never was his (`not-your-task`).
 */
export function findSeat(draft: Draft, task: string | undefined): number | Refusal {
  const { actor, instance } = draft;
  const index = instance.round?.seats.findIndex(({ status, person }) => status === "open" && person === actor) ?? -1;
  const open = instance.round?.seats[index]?.task;
  if (open && (task === undefined || task === open.id)) return index;
  const newest =
    actor !== undefined && Object.hasOwn(instance.closedTasks, actor) ? instance.closedTasks[actor] : undefined;
  if (newest && (task === undefined || task === newest.id)) return refuseClosed(newest);
  if (task !== undefined && isOver(draft, task))
    return refuse("task-closed", `The task \`${task}\` is closed.`, { task });
  return refuseStranger(draft, task);
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
function isOver({ instance }: Draft, task: string): boolean {
  if (instanceOfTask(task) !== instance.id) return false;
  const number = Number(task.slice(instance.id.length + 1));
  if (task !== taskId(instance.id, number) || number > instance.counters.task) return false;
  if (instance.round?.seats.some((seat) => seat.status === "open" && seat.task?.id === task)) return false;
  return !Object.values(instance.closedTasks).some(({ id }) => id === task);
}

function refuseStranger({ actor, instance }: Draft, task: string | undefined): Refusal {
  const who = actor === undefined ? "Who decides must be named" : `\`${actor}\` has no open task here`;
  const which = task === undefined ? "" : `, and \`${task}\` is not theirs`;
  return refuse("not-your-task", `${who}${which}.`, { state: instance.state });
}

export function refuseOperation(draft: Draft, approval: Approval, operation: Operation): Refusal | undefined {
  if (approval.allow.includes(operation)) return undefined;
  const { state } = draft.instance;
  return refuse("not-allowed", `\`${state}\` does not allow \`${operation}\`.`, { state, operation });
}

export function refuseWithoutReason(
  approval: Approval,
  operation: Reasoned,
  reason: string | undefined,
): Refusal | undefined {
  if (!approval.reasonRequiredOn.includes(operation) || (reason !== undefined && reason.trim() !== ""))
    return undefined;
  return refuse("reason-required", `\`${operation}\` needs a reason here.`, { operation });
}
