/** What entering a state opens, and what leaving it ends: rounds, branches, sub-flows, sagas. */
import type { Run, Value } from "../dsl/index.ts";
import { evaluate } from "./evaluation.ts";
import { Guards } from "./guards.ts";
import { eventType, type MachineEvent } from "./machine.ts";
import { keepInside } from "./passed-rounds.ts";
import { goBack, walk } from "./path.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { type PreparedRegion, prepare } from "./prepare.ts";
import { askDefinition } from "./questions.ts";
import { refuse } from "./refusal.ts";
import { leaveRound, openApproval } from "./rounds.ts";
import { abandonBelow, abandonSaga, beginSaga, carryUp, forgetMoves } from "./sagas.ts";
import { applyTimers } from "./timers.ts";
import type { FlowPlace, Place } from "./types.ts";

/** Sub-flows that run one another. */
const DEPTH_MAX = 20;

/** Begins a machine in its initial state: its timers start, and what the state has opens. */
export function begin(place: PlaceDraft): void {
  const { machine, initial } = place.region;
  applyTimers(place, machine.step(initial, new Guards(place).eventOf(eventType.enter(initial))).timers);
  if (place.state.final) finish(place);
  openState(place);
}

export interface Entry {
  /** Back to where the way came from, not a step on. */
  readonly back: boolean;
  readonly why: string;
  /** Where the line that leads here stands, if that is not here; by default the state that is left. */
  readonly from?: string;
  readonly line?: number;
}

/** Takes the machine to its next state. What the old one had open was left before, see {@link leaveState}. */
export function enterState(place: PlaceDraft, event: MachineEvent, { back, why, from, line }: Entry): void {
  const { now, draft, flow } = place;
  const old = now.state;
  const step = place.region.machine.step(old, event);
  carryUp(place);
  const way = back ? goBack(now, step.to) : walk(now, step.to);
  now.path = way.path;
  now.irrevocable = way.irrevocable;
  if (way.sagas !== now.sagas) now.sagas = way.sagas;
  now.state = step.to;
  now.enteredAt = draft.at;
  place.clear();
  if (flow.place === place && old === place.region.initial) flow.now.touched = 0;
  applyTimers(place, step.timers);
  const taken = line ?? step.line;
  const start = from ?? old;
  draft.tell({
    kind: "moved",
    from: start,
    to: step.to,
    ...(taken !== undefined && { line: taken }),
    why,
    ...place.where,
  });
  draft.publish(flow, "instance.moved", { from: start, to: step.to, ...place.where });
  if (place.state.final) finish(place);
}

/** Opens what the present state has. */
export function openState(place: PlaceDraft): void {
  const { approval, parallel, run } = place.state;
  if (approval) openApproval(place);
  else if (parallel) fork(place);
  else if (run) startRun(place, run);
}

function startRun(place: PlaceDraft, run: Run): void {
  if (run.kind === "saga") beginSaga(place, run.saga);
  else startChild(place, run);
}

/** Leaves the present state: what is open in it and below ends without a result. */
export function leaveState(place: PlaceDraft, result: "cancelled" | "returned"): void {
  leaveRound(place, result);
  abandonSaga(place);
  forgetMoves(place);
  for (const branch of place.branches.values()) cancel(branch);
  if (place.child) cancel(place.child.place);
}

/** Cancels a branch or a sub-flow with everything below it. */
function cancel(place: PlaceDraft): void {
  const { instance } = place.draft;
  abandonBelow(place);
  forgetMoves(place);
  for (const one of [...placesBelow(place)].toReversed()) {
    leaveRound(one, "cancelled");
    one.gone = true;
    one.pending = undefined;
    one.starting = undefined;
  }
  const inside = (address: string): boolean => address === place.address || address.startsWith(`${place.address}/`);
  if (instance.timers.some((timer) => inside(timer.place ?? ""))) {
    instance.timers = instance.timers.filter((timer) => !inside(timer.place ?? ""));
  }
}

// ---------------------------------------------------------------------------------------------------------------- //
// Final states
// ---------------------------------------------------------------------------------------------------------------- //

/** A final state was entered: the flow has ended, or the branch has arrived. */
export function finish(place: PlaceDraft): void {
  if (place.fork) arrive(place.fork);
  else end(place, place.now.state);
}

/** The flow has ended; a sub-flow's end is an outcome of the state that runs it. */
export function end(place: PlaceDraft, outcome: string): void {
  const { flow, draft } = place;
  flow.now.outcome = outcome;
  draft.tell({ kind: "finished", outcome, ...place.where });
  draft.publish(flow, "instance.finished", { outcome });
  if (!flow.parent) draft.instance.timers = draft.instance.timers.filter(({ purpose }) => purpose.kind === "retry");
  else {
    keepInside(flow.parent);
    flow.parent.pending = "done";
  }
}

/** A branch has come to one of its ends: with enough of them the others are cancelled and the branches have joined. */
export function arrive(place: PlaceDraft): void {
  const { join } = place.state.parallel!;
  const branches = [...place.branches.values()];
  const arrived = branches.filter((branch) => branch.state.final).length;
  const wanted = join.kind === "count" ? join.count : join.kind === "any" ? 1 : branches.length;
  const needed = Math.min(wanted, branches.length);
  if (arrived < needed || place.pending !== undefined) return;
  keepInside(place);
  for (const branch of branches) if (!branch.state.final) cancel(branch);
  place.pending = "joined";
}

// ---------------------------------------------------------------------------------------------------------------- //
// Branches
// ---------------------------------------------------------------------------------------------------------------- //

/** Enters the branches whose condition holds, or the one that is for when none does. */
function fork(place: PlaceDraft): void {
  const { branches } = place.state.parallel!;
  const chosen = branches.filter(
    ({ condition, otherwise }) => !otherwise && (!condition || evaluate(place, condition) === true),
  );
  if (place.draft.blocked()) return;
  const conditional = chosen.some(({ condition }) => condition);
  const entered = branches.filter((branch) => (branch.otherwise ? !conditional : chosen.includes(branch)));
  const names = entered.map(({ name }) => name);
  place.draft.tell({ kind: "forked", state: place.now.state, branches: names, ...place.where });
  const places = entered.map((branch) => place.openBranch(branch.name, newPlace(place, branch)));
  for (const branch of places) if (!branch.gone) begin(branch);
  if (places.length === 0) place.pending = "joined";
}

function newPlace({ draft, now }: PlaceDraft, { initial }: PreparedRegion): Place {
  const { remembered } = now;
  return { ...startOf(initial, draft.at), ...(remembered && { remembered }) };
}

/** A machine that is about to begin. */
export function startOf(initial: string, at: number): Place {
  return { state: initial, enteredAt: at, path: [initial], irrevocable: [] };
}

// ---------------------------------------------------------------------------------------------------------------- //
// Sub-flows
// ---------------------------------------------------------------------------------------------------------------- //

/** Starts the sub-flow in the name of the initiator; its event is sent when this move is done. */
function startChild(place: PlaceDraft, run: Extract<Run, { kind: "flow" }>): void {
  const { draft } = place;
  const hash = askDefinition(place, run.flow);
  const fields = Object.entries(run.fields).map(([name, value]) => [name, evaluate(place, value)] as const);
  if (draft.blocked() || hash === undefined) return;
  const definition = draft.definitions(hash);
  if (!definition) {
    const message = `The flow \`${run.flow}\` is not there in the version ${hash}.`;
    draft.fail(refuse("function-failed", message, { flow: run.flow }, { retryable: true }));
    return;
  }
  if (depthOf(place) === DEPTH_MAX) {
    draft.fail(refuse("not-possible-in-state", `More than ${DEPTH_MAX} flows run one another.`, { flow: run.flow }));
    return;
  }
  const { initial, defaults } = prepare(definition);
  const { flow, label } = definition;
  const { instance } = draft;
  const number = (instance.counters.child ?? 0) + 1;
  instance.counters = { ...instance.counters, child: number };
  const child: FlowPlace = {
    id: `${place.flow.now.id}/${number}`,
    flow,
    definition: hash,
    ...(label !== undefined && { label }),
    data: {
      ...defaults,
      ...Object.fromEntries(fields.filter((field): field is [string, Value] => field[1] !== undefined)),
    },
    touched: 0,
    ...startOf(initial, draft.at),
  };
  draft.tell({ kind: "child-started", flow, id: child.id, ...place.where });
  const { place: own } = place.openChild(child);
  own.starting = run.event;
  begin(own);
}

function depthOf(place: PlaceDraft): number {
  let depth = 0;
  for (let at = place.flow.parent; at; at = at.flow.parent) depth += 1;
  return depth;
}
