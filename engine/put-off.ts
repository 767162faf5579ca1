/** Ways back that wait until what was done on them is undone. */
import { leaveState } from "./entering.ts";
import { placeBefore } from "./path.ts";
import type { PlaceDraft } from "./place.ts";
import { dropCompensation } from "./saga-runs.ts";
import { startUndo, takeSagas } from "./sagas.ts";
import { dropTimers } from "./timers.ts";
import type { Compensation, PutOffMove } from "./types.ts";

/** Is the machine on its way back? Then nothing in its state is open any more. */
export function isPutOff({ draft, address }: PlaceDraft): boolean {
  return draft.instance.undoing?.some(({ move }) => move?.place === address) ?? false;
}

type Move = PutOffMove extends infer Each ? (Each extends PutOffMove ? Omit<Each, "place" | "by"> : never) : never;

/**
 * Leaves the state and undoes what the machine, and everything in it, did since a position of its path.
 * @returns whether there is something to undo: then the move is taken later, else the caller takes it now.
 */
export function putOff(
  place: PlaceDraft,
  since: number,
  move: Move,
  result: "cancelled" | "returned" = "cancelled",
): boolean {
  const { draft, address } = place;
  const earlier = takeEarlier(place);
  const sagas = takeSagas(place, (holder, { at }) => holder !== place || at >= since);
  if (!earlier && sagas.length === 0) return false;
  leaveState(place, result);
  closeState(place);
  const by = draft.actor === undefined ? undefined : { by: draft.actor };
  startUndo(draft, [...(earlier?.sagas ?? []), ...sagas], { ...move, place: address, ...by });
  return true;
}

/** What is decided last counts; what is being undone for the move before is undone for this one. */
function takeEarlier({ draft, address }: PlaceDraft): Compensation | undefined {
  const index = draft.instance.undoing?.findIndex(({ move }) => move?.place === address) ?? -1;
  if (index === -1) return undefined;
  const earlier = draft.instance.undoing![index];
  dropCompensation(draft, index);
  return earlier;
}

/** The machine stays in its state until it moves, but nothing happens there any more. */
function closeState(place: PlaceDraft): void {
  place.dropInside();
  place.pending = undefined;
  dropTimers(place, ({ purpose }) => purpose.kind === "line");
}

/**
 * Position from which on sagas are undone for a move back to a state: what that state itself ran is run again.
 * @param all a state that was not passed has everything before it, else nothing.
 */
export function undoneSince({ now: { path } }: PlaceDraft, to: string, all: boolean): number {
  const position = placeBefore(path, to);
  return position === -1 && !all ? Number.POSITIVE_INFINITY : Math.max(position, 0);
}
