/** 委派: somebody gives an opinion, and the seat returns to the one who asked for it. */
import { newSeat } from "./additions.ts";
import { claimAsOne } from "./claims.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { approvalOf, roundOf, seatAt, setRound } from "./open-round.ts";
import { refuse, type Stop } from "./refusal.ts";
import { giveTask, putOff, seatOf } from "./seats.ts";
import { findTask, refuseOperation, refuseWithoutReason } from "./tasks.ts";
import { findTarget } from "./transfers.ts";

export function delegateTask(draft: Draft, command: CommandOf<"delegate">): Stop | undefined {
  const held = findTask(draft, command);
  if ("kind" in held) return held;
  const { place, index } = held;
  const { to, reason } = command;
  const stop = refuseOperation(place, "delegate") ?? refuseWithoutReason(approvalOf(place), "delegate", reason);
  if (stop) return stop;
  const target = findTarget(place, to, draft.actor);
  if ("kind" in target) return target;
  if (seatOf(place, target.person) !== -1) {
    return refuse("already-seated", `\`${target.person}\` has a seat here already.`, { user: target.person });
  }
  const by = draft.actor!;
  claimAsOne(place, index, by);
  const { id: task, dueAt } = seatAt(place, index).task!;
  putOff(place, index);
  const { seats } = roundOf(place);
  const hangs = { on: index, as: "delegate", batch: seats.length } as const;
  setRound(place, { seats: [...seats, newSeat(target, { by, seat: index }, { hangs })] });
  draft.tell({ kind: "delegated", task, from: by, to: target.person, ...(reason !== undefined && { reason }) });
  giveTask(place, seats.length, dueAt); // Deadlines don't move, and their steps are taken on the seat itself.
  return undefined;
}
