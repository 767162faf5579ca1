/** Ways through a flow that are looked for, whatever is decided on them. */
import { Boxes } from "./boxes.ts";
import type { Claim } from "./cases.ts";
import { type ConcretePath, concretePath } from "./concrete.ts";
import { Explorer } from "./explore.ts";
import type { Flow } from "./properties.ts";
import type { Slot } from "./steps.ts";
import type { Step, Watch } from "./watch.ts";

const ANYHOW: Watch = {
  isTarget: () => false,
  onEntry: () => 0,
  onApproved: () => 0,
  afterReturn: (facts) => facts,
  onOutcome: () => 0,
  variants: () => [{ rows: [] }],
  outcomesOfRun: () => undefined,
};

/**
 * The shortest way to such a state, with data, that is also accepted.
 * @param given what is so of the data with which it starts.
 */
export function concreteWayTo(
  isTarget: (slot: Slot, state: number) => boolean,
  flow: Flow,
  accepts: (path: ConcretePath) => boolean = () => true,
  given: readonly Claim[] = [],
): ConcretePath | undefined {
  return found({ ...ANYHOW, isTarget }, flow, accepts, given);
}

/** Data that leads along these states of the flow's own machine. */
export function concreteRoute(route: readonly string[], flow: Flow): ConcretePath | undefined {
  return found({ ...ANYHOW, route }, flow, () => true, []);
}

function found(
  watch: Watch,
  { machines, vocabulary, definition, runs }: Flow,
  accepts: (path: ConcretePath) => boolean,
  given: readonly Claim[],
): ConcretePath | undefined {
  let path: ConcretePath | undefined;
  const accept = (step: Step) => {
    const filled = concretePath(step, machines, undefined, given);
    if (filled && accepts(filled)) path = filled;
    return path !== undefined;
  };
  const asked: Watch = { ...watch, outcomesOfRun: (state) => runs.outcomesOf(state) };
  new Explorer(machines, new Boxes(vocabulary, definition), asked, accept).run();
  return path;
}
