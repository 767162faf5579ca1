/** 离职转办: an administrator gives every open seat of one person to another. */
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { isUndecided } from "./open-round.ts";
import { refuse, type Stop } from "./refusal.ts";
import { takesOver } from "./standing-in.ts";
import { moveStuck, stuckTasksOf } from "./stuck-tasks.ts";
import { refuseFinished, refuseSuspended, seatsWhere } from "./tasks.ts";
import { findTarget, moveSeat, refuseBelow } from "./transfers.ts";

export function handOver(draft: Draft, { from, to, reason }: CommandOf<"hand-over">): Stop | undefined {
  const { outcome } = draft.instance;
  if (outcome !== undefined) return refuseFinished(outcome);
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const held = seatsWhere(draft, (seat) => seat.person === from && isUndecided(seat));
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
  for (const [at, { place, index }] of held.entries()) {
    const target = targets[at]!;
    const below = "kind" in target ? target : refuseBelow(place, index, target.person);
    if (below) return below;
  }
  const by = draft.actor ?? "an administrator";
  draft.tell({ kind: "handed-over", by, from, to, ...(reason !== undefined && { reason }) });
  for (const [at, { place, index, seat }] of held.entries()) {
    const target = targets[at]!;
    if ("kind" in target || !isUndecided(place.now.round!.seats[index]!)) continue;
    if (seat.task) draft.tell({ kind: "transferred", task: seat.task.id, from, to: target.person });
    moveSeat(place, index, target, { ends: "transferred", by, keepsHanging: true });
  }
  for (const [at, one] of stuck.entries()) {
    const taker = takers[at]!;
    if (taker !== "left") moveStuck(one, taker);
  }
  return undefined;
}
