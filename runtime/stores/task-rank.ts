import type { Task, TaskQuery } from "../ports.ts";

/** Lists of tasks begin with the open ones. */
export const RANKS = { open: 2, waiting: 1, closed: 0 } as const satisfies Record<
  NonNullable<TaskQuery["status"]>,
  number
>;

export const taskRank = ({ status }: Task): number =>
  status === "open" || status === "waiting" ? RANKS[status] : RANKS.closed;

/** An open task that nobody has claimed is everybody's who may. */
export const isClaimable = ({ assignee, status }: Task): boolean => assignee === "" && status === "open";
