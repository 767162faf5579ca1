/** 离职转办: an administrator gives every open seat of one person to another. */
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { isStillIn, isUndecided, roundOf, seatAt } from "./open-round.ts";
import { refuse, type Stop } from "./refusal.ts";
import { takesOver } from "./standing-in.ts";
import { moveStuck, stuckTasksOf } from "./stuck-tasks.ts";
import { refuseFinished, refuseSuspended, seatsWhere } from "./tasks.ts";
import { findTarget, moveSeat, refuseBelow } from "./transfers.ts";
import type { Seat } from "./types.ts";

export function handOver(draft: Draft, { from, to, reason }: CommandOf<"hand-over">): Stop | undefined {
  const { outcome } = draft.instance;
  if (outcome !== undefined) return refuseFinished(outcome);
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const held = seatsWhere(draft, (seat) => isHeld(seat, from));
  const targets = held.map(({ place }) => findTarget(place, to, from));
  const stop = draft.blocked() ?? targets.find((target): target is Stop => "kind" in target);
  if (stop) return stop;
  const stuck = stuckTasksOf(draft, from);
  const takers = stuck.map(({ saga }) => takesOver(saga.place, to));
  const left = takers.includes("left") ? refuse("unknown-user", `\`${to}\` has left.`, { user: to }) : undefined;
  const refused = draft.blocked() ?? left;
  if (refused) return refused;
  if (held.length + stuck.length === 0)
    return refuse("no-such-target", `\`${from}\` has no open seat here.`, { user: from });
  const by = draft.actor ?? "an administrator";
  draft.tell({ kind: "handed-over", by, from, to, ...(reason !== undefined && { reason }) });
  const rounds = held.map(({ place }) => roundOf(place));
  for (const [at, { place, index }] of held.entries()) {
    const target = targets[at]!;
    // One seat that moved may have ended others, or the round.
    if ("kind" in target || !isStillIn(place, rounds[at]!) || !isHeld(seatAt(place, index), from)) continue;
    const below = refuseBelow(place, index, target.person);
    if (below) return below;
    const { task } = seatAt(place, index);
    if (task) draft.tell({ kind: "transferred", task: task.id, from, to: target.person });
    moveSeat(place, index, target, { ends: "transferred", by, keepsHanging: true });
  }
  for (const [at, one] of stuck.entries()) {
    const taker = takers[at]!;
    if (taker !== "left") moveStuck(one, taker);
  }
  return undefined;
}

/** Is it still to be decided by this person? Who approved and waits for those after has decided. */
function isHeld(seat: Seat, from: string): boolean {
  return seat.person === from && isUndecided(seat) && !seat.approvedBefore;
}
