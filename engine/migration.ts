/** An instance goes on with another version of its flow. */
import type { Approval, Definition, People, SagaDefinition } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { arrive, finish, leaveState, openState } from "./entering.ts";
import type { CommandOf } from "./events.ts";
import { Guards } from "./guards.ts";
import { eventType } from "./machine.ts";
import {
  type Lines,
  linesInto,
  type MigrationPlan,
  type PlacePlan,
  planMigration,
  refuseMigration,
  renamedIn,
} from "./migration-plan.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { type Prepared, type PreparedRegion, type PreparedState, prepare } from "./prepare.ts";
import { askDefinition } from "./questions.ts";
import { refuse, type Stop } from "./refusal.ts";
import { carryUp } from "./sagas.ts";
import { stagesOf } from "./stages.ts";
import { applyTimers, dropTimers } from "./timers.ts";
import type { Instance, LeftSaga, Memory, Round, SagaRun, Seat } from "./types.ts";
import { stageKey } from "./views.ts";

/**
 * The open round goes on with its seats, decisions and deadlines, and by the options it opened with; a running saga to its
 * end by the steps it began with; sub-flows stay on their versions. Everything that begins later is the new version's, the
 * lines out of the state with their `after` (counted from when it was entered) at once.
 */
export function migrate(draft: Draft, { label, reason }: CommandOf<"migrate">): Stop | undefined {
  const { flow } = draft;
  const instance = draft.instance as Instance;
  const stop = refuseMigration(instance, "");
  if (stop) return stop;
  const hash = askDefinition(draft.place, instance.flow, label);
  const definition = hash === undefined ? undefined : draft.definitions(hash);
  if (!definition) return refuseUnknown(draft, label, hash);
  const to = prepare(definition);
  const plan = refuseMigration(instance, definition.hash) ?? planMigration(flow.prepared, to, instance);
  if ("code" in plan) return plan;
  const { actor } = draft;
  const [before, after] = [instance.label ?? instance.definition, definition.label ?? definition.hash];
  const by = actor === undefined ? undefined : { by: actor };
  draft.tell({ kind: "migrated", from: before, to: after, ...by, ...(reason !== undefined && { reason }) });
  leaveBehind(draft, plan, to);
  goOn(draft, plan, to);
  return undefined;
}

function refuseUnknown(draft: Draft, label: string, hash: string | undefined): Stop | undefined {
  const { flow } = draft.instance;
  const blocked = draft.blocked();
  if (blocked && (blocked.kind === "needs" || blocked.retryable)) return blocked;
  if (hash === undefined) {
    return refuse("no-such-target", `There is no version of \`${flow}\` with the label \`${label}\`.`, { label });
  }
  const message = `The flow \`${flow}\` is not there in the version ${hash}.`;
  return refuse("function-failed", message, { flow }, { retryable: true });
}

/** Ends what can't go on, and takes down by which rules the rest goes on. */
function leaveBehind(draft: Draft, { places }: MigrationPlan, to: Prepared): void {
  const { flow, instance } = draft;
  const own = new Map(ownPlaces(draft).map((place) => [place.address, place] as const));
  for (const { place: address, keeps } of places) {
    const place = own.get(address);
    if (!place || keeps) continue;
    leaveState(place, "cancelled");
    carryUp(place);
    place.clear();
  }
  const from = flow.prepared;
  const keepRun = (run: SagaRun): SagaRun => keepSaga(run, from.definition, to.definition);
  const keepLeft = (left: LeftSaga): LeftSaga => (left.flow ? left : { ...left, run: keepRun(left.run) });
  for (const place of ownPlaces(draft)) {
    const { now } = place;
    dropTimers(place, ({ purpose }) => purpose.kind === "line");
    if (now.saga) now.saga = keepRun(now.saga);
    if (now.sagas) now.sagas = now.sagas.map(keepLeft);
    const plan = places.find(({ place: address }) => address === place.address);
    if (now.round && plan) {
      const next = regionOf(to, place, places).states.get(plan.to)!;
      now.round = keepRound(place, renameRound(place, now.round, plan.to), next, to);
    }
    if (now.passed) now.passed = undefined; // An approval of the old version can't be taken back in the new one.
  }
  if (instance.undoing) {
    instance.undoing = instance.undoing.map((one) => ({ ...one, sagas: one.sagas.map(keepLeft) }));
  }
}

/** Those of the flow itself; sub-flows go on as they are. */
function ownPlaces({ place, flow }: Draft): PlaceDraft[] {
  return [...placesBelow(place)].filter((one) => one.flow === flow);
}

function keepSaga(run: SagaRun, from: Definition, to: Definition): SagaRun {
  if (run.definition) return run;
  const saga = from.sagas[run.saga]!;
  const old: SagaDefinition = saga.onStuck ? { ...saga, onStuck: spelledOut(saga.onStuck, from.people) } : saga;
  const next = to.sagas[run.saga];
  const now = next?.onStuck ? { ...next, onStuck: spelledOut(next.onStuck, to.people) } : next;
  return JSON.stringify(old) === JSON.stringify(now) ? run : { ...run, definition: old };
}

/** The options by which the round was opened, unless the new state has the same. */
function keepRound(place: PlaceDraft, round: Round, next: PreparedState, to: Prepared): Round {
  if (round.result !== undefined || round.approval) return round;
  const from = place.flow.prepared.definition;
  const now = next.approval!;
  const old = place.state.approval!;
  const asBefore = (definition: Definition, approval: Approval): string =>
    JSON.stringify([spelledOut(approval, definition.people), matricesOf(definition, approval)]);
  if (asBefore(from, old) === asBefore(to.definition, now)) return round;
  const { rows, ...rest } = round;
  return { ...rest, approval: spelledOut({ ...old, chain: stagesOf(place, rows) }, from.people) };
}

/** Open tasks say where they are. */
function renameRound({ draft }: PlaceDraft, round: Round, state: string): Round {
  if (round.state === state) return round;
  const seats = round.seats.map((seat): Seat => {
    if (!seat.task || seat.task.closedAt !== undefined) return seat;
    const task = { ...seat.task, state };
    draft.keep(task);
    return { ...seat, task };
  });
  return { ...round, state, seats };
}

function matricesOf({ matrices, people }: Definition, { chain }: Approval): unknown {
  return chain.map((part) => (part.kind === "matrix" ? spelledOut(matrices[part.matrix], people) : null));
}

/** The same machine of the other version, in which the plan found every branch that is kept. */
function regionOf(to: Prepared, { fork, address }: PlaceDraft, places: readonly PlacePlan[]): PreparedRegion {
  if (!fork) return to;
  const around = places.find(({ place }) => place === fork.address)!;
  const { parallel } = regionOf(to, fork, places).states.get(around.to)!;
  return parallel!.branches.find(({ name }) => address === name || address.endsWith(`/${name}`))!;
}

/** The other version may know other people by a name. */
function spelledOut<Part>(part: Part, people: Readonly<Record<string, People>>): Part {
  if (Array.isArray(part)) return part.map((item) => spelledOut(item, people)) as Part;
  if (typeof part !== "object" || part === null) return part;
  const node = part as Readonly<Record<string, unknown>>;
  if (node["kind"] === "literal") return part;
  if (node["kind"] === "named") return spelledOut(people[node["name"] as string], people) as Part;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, spelledOut(value, people)])) as Part;
}

/** As the new version: its names, its data, its timers; what could not go on is opened anew. */
function goOn(draft: Draft, { places, data }: MigrationPlan, to: Prepared): void {
  const { hash, label } = to.definition;
  const own = new Map(ownPlaces(draft).map((place) => [place.address, place] as const));
  for (const { place: address, to: state } of places) {
    const place = own.get(address);
    if (place) place.now.state = state;
  }
  const lines = linesInto(to, draft.instance.label);
  for (const [address, place] of own) {
    if (address !== "") place.now.path = place.now.path.map(renamedIn(address, lines));
  }
  const renamed = renamedIn("", lines);
  const { label: _, ...old } = draft.place.finish() as Instance;
  draft.goOnAs(to, {
    ...old,
    definition: hash,
    ...(label !== undefined && { label }),
    data,
    path: old.path.map(renamed),
    rounds: renameStages(old.rounds, lines),
    ...(old.memory && { memory: renameMemory(old.memory, lines) }),
  });
  const now = new Map(ownPlaces(draft).map((place) => [place.address, place] as const));
  for (const plan of places) {
    const place = now.get(plan.place);
    if (place && !place.gone) goOnIn(place, plan);
  }
}

function goOnIn(place: PlaceDraft, { from, to, keeps }: PlacePlan): void {
  const { now, draft, flow, region } = place;
  if (!keeps) now.enteredAt = draft.at;
  const guards = new Guards(place, undefined, now.enteredAt);
  const { timers } = region.machine.step(to, guards.eventOf(eventType.enter(to)));
  applyTimers(
    place,
    timers.filter(({ kind }) => kind === "set"),
    now.enteredAt,
  );
  if (from !== to) {
    draft.tell({ kind: "moved", from, to, why: "migrated", ...place.where });
    draft.publish(flow, "instance.moved", { from, to, ...place.where });
  }
  if (keeps) {
    if (place.state.parallel) arrive(place); // Fewer branches may be enough now.
  } else if (place.state.final) finish(place);
  else openState(place);
}

function renameStages<Of>(byStage: Readonly<Record<string, Of>>, lines: Lines): Record<string, Of> {
  return Object.fromEntries(
    Object.entries(byStage).map(([key, value]) => {
      const [, address = "", state, stage] = /^(?:(.*):)?([^:/]+)\/(\d+)$/.exec(key)!; // See `stageKey`.
      return [stageKey(address, renamedIn(address, lines)(state!), Number(stage)), value];
    }),
  );
}

function renameMemory(memory: Memory, lines: Lines): Memory {
  const { deciders, passed, resume } = memory;
  return {
    ...memory,
    deciders: Object.fromEntries(Object.entries(deciders).map(([state, people]) => [lines[state] ?? state, people])),
    passed: renameStages(passed, lines),
    ...(resume && {
      resume: {
        until: Object.keys(renameStages({ [resume.until]: 0 }, lines))[0]!,
        kept: renameStages(resume.kept, lines),
      },
    }),
  };
}
