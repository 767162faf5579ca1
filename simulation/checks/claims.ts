import type { Outcome, Violation } from "./checks.ts";

/** Nobody takes a partition from a node that lives. */
export function* checkClaims({ world }: Outcome): Iterable<Violation> {
  for (const what of world.store.claims.wrong) yield { check: "a living node keeps its partitions", what };
}
