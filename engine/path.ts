import type { Instance, LeftSaga } from "./types.ts";

/** States of the way that are remembered; older ones can't be returned to any more. */
export const PATH_LENGTH_MAX = 256;

type Way = Pick<Instance, "path" | "irrevocable"> & { readonly sagas?: readonly LeftSaga[] | undefined };

/** The way after a step forward. Entering the same state again adds nothing. */
export function walk({ path, irrevocable, sagas }: Way, to: string): Way {
  if (path.at(-1) === to) return { path, irrevocable, sagas };
  const longer = [...path, to];
  const dropped = longer.length - PATH_LENGTH_MAX;
  if (dropped <= 0) return { path: longer, irrevocable, sagas };
  const moved = <One extends { readonly at: number }>(one: One): One => ({ ...one, at: Math.max(one.at - dropped, 0) });
  return { path: longer.slice(dropped), irrevocable: irrevocable.map(moved), sagas: sagas?.map(moved) };
}

/** The way after going back: what came after the state is behind it no longer. A state that was not passed is a step forward. */
export function goBack(way: Way, to: string): Way {
  const place = placeBefore(way.path, to);
  if (place === -1) return walk(way, to);
  const isBefore = ({ at }: { readonly at: number }): boolean => at <= place;
  const sagas = way.sagas?.filter(isBefore);
  return {
    path: way.path.slice(0, place + 1),
    irrevocable: way.irrevocable.filter(isBefore),
    sagas: sagas && sagas.length > 0 ? sagas : undefined,
  };
}

/** Where the state was passed last before the current one, or -1. */
export function placeBefore(path: readonly string[], state: string): number {
  return path.slice(0, -1).lastIndexOf(state);
}

/** What was begun since the state was left and can't be undone. */
export function begunSince({ path, irrevocable }: Way, state: string): string[] {
  const place = placeBefore(path, state);
  return place === -1 ? [] : irrevocable.filter(({ at }) => at > place).map(({ what }) => what);
}

/** Does every way through the executed steps to the current state pass the other one? */
export function dominates(path: readonly string[], state: string): boolean {
  const start = path[0]!;
  const current = path.at(-1)!;
  if (state === current || !path.includes(state)) return false;
  if (state === start) return true;
  const reached = new Set([start]);
  for (const from of reached) {
    // A set that grows while it is walked: what is found is visited too.
    path.forEach((step, index) => {
      const next = path[index + 1];
      if (step === from && next !== undefined && next !== state) reached.add(next);
    });
  }
  return !reached.has(current);
}
