/** Moves that waited for sagas to be undone. */
import type { Draft } from "./draft.ts";
import { startOf } from "./entering.ts";
import { Guards } from "./guards.ts";
import { eventType } from "./machine.ts";
import { moveAlong, moveTo } from "./moves.ts";
import { PlaceDraft, placesBelow } from "./place.ts";
import type { PreparedRegion } from "./prepare.ts";
import { takeBackNow } from "./reopened-rounds.ts";
import { dropCompensation } from "./saga-runs.ts";
import type { PutOffMove } from "./types.ts";

/** Takes a move that waits for nothing any more, in the name of who decided it. @returns whether there was one. */
export function resumeMove(draft: Draft): boolean {
  const { undoing } = draft.instance;
  const index = undoing?.findIndex(({ sagas, move }) => move && sagas.length === 0) ?? -1;
  if (index === -1) return false;
  const move = undoing![index]!.move!;
  dropCompensation(draft, index);
  const { actor } = draft;
  draft.actor = move.by;
  for (const place of placesBelow(draft.place)) {
    if (place.address !== move.place) continue;
    take(place, move);
    break;
  }
  draft.actor = actor;
  return true;
}

function take(place: PlaceDraft, move: PutOffMove): void {
  switch (move.kind) {
    case "line":
      takeLine(place, move);
      break;
    case "state":
      moveTo(place, move.to, move.why);
      break;
    case "take-back":
      takeBackNow(place, move.task);
  }
}

/** The line that was found then, whatever its conditions would say by now. */
function takeLine(target: PlaceDraft, move: Extract<PutOffMove, { kind: "line" }>): void {
  const place = move.from === target.address ? target : goneBranch(target, move);
  const { trigger } = place.region.lines[move.line]!.transition;
  if (trigger.kind !== "outcome") return;
  const guards = new Guards(place);
  guards.chosen = move.line;
  moveAlong(place, target, guards.eventOf(eventType.outcome(trigger.outcome)), move.line);
}

/** The branch whose line leads out of it, as it was. */
function goneBranch(target: PlaceDraft, { from, states }: Extract<PutOffMove, { kind: "line" }>): PlaceDraft {
  const names = from.slice(target.address === "" ? 0 : target.address.length + 1).split("/");
  const region = names.reduce<PreparedRegion>(
    (outer, name, depth) =>
      outer.states.get(states[depth]!)!.parallel!.branches.find((branch) => branch.name === name)!,
    target.region,
  );
  const place = new PlaceDraft(target.flow, region, startOf(states.at(-1)!, target.now.enteredAt), from, target);
  place.gone = true;
  return place;
}
