import type { Approval, Definition, Region } from "../../dsl/index.ts";
import {
  type Definitions,
  type FlowPlace,
  type Instance,
  type Json,
  type Place,
  type SagaRun,
  showData,
  type Task,
  tasksOf,
} from "../../engine/index.ts";
import { concerns, taskView, time } from "./views.ts";

/** Who looks, and by which definitions. */
export interface Viewing {
  /** The definition of the instance. */
  readonly definition: Definition;
  /** Of the sub-flows that run in it. */
  readonly definitions: Definitions;
  /** Fields that all of their stages hide are left out; absent: they may see everything. */
  readonly viewer?: string;
}

/** An instance as it goes out: what runs side by side in it under `branches`, what runs inside under `subFlow`. */
export function instanceView(instance: Instance, viewing: Viewing) {
  const open = tasksOf(instance).filter(({ status }) => status === "open");
  const due = open.flatMap(({ dueAt }) => dueAt ?? []);
  return {
    id: instance.id,
    flow: instance.flow,
    definition: { hash: instance.definition, label: instance.label },
    key: instance.key,
    tenant: instance.tenant,
    initiator: instance.initiator.id,
    state: instance.state,
    outcome: instance.outcome,
    version: instance.version,
    data: dataFor(instance, instance, viewing.definition, viewing),
    ...placeView(instance, instance, viewing.definition, viewing),
    tasks: open.map((task) => taskView(task, instance.id, instance.flow)),
    documents: Object.entries(instance.documents).map(([name, { sha256, bytes }]) => ({ name, sha256, bytes })),
    startedAt: time(instance.startedAt),
    updatedAt: time(instance.updatedAt),
    dueAt: due.length > 0 ? time(Math.min(...due)) : undefined,
    suspendedAt: instance.suspended && time(instance.suspended.at),
    tag: instance.tag,
  };
}

/** What a machine has below its state, if anything. */
function placeView(place: Place, instance: Instance, definition: Definition, viewing: Viewing) {
  const { branches, child, saga } = place;
  return {
    ...(branches && { branches: mapValues(branches, (branch) => branchView(branch, instance, definition, viewing)) }),
    ...(child && { subFlow: subFlowView(child, instance, viewing) }),
    ...(saga && { saga: sagaView(saga, definition) }),
  };
}

export interface BranchView {
  readonly state: string;
  readonly branches?: Readonly<Record<string, BranchView>>;
}

function branchView(place: Place, instance: Instance, definition: Definition, viewing: Viewing): BranchView {
  return { state: place.state, ...placeView(place, instance, definition, viewing) };
}

function subFlowView(flow: FlowPlace, instance: Instance, viewing: Viewing): object {
  const { id, flow: name, definition: hash, label, state, outcome } = flow;
  const definition = viewing.definitions(hash);
  const about = { id, flow: name, definition: { hash, label }, state, outcome };
  if (!definition) return about;
  return {
    ...about,
    data: dataFor(flow, instance, definition, viewing),
    ...placeView(flow, instance, definition, viewing),
  };
}

function sagaView({ saga, phase, items, definition: own }: SagaRun, { sagas }: Definition) {
  const { steps } = own ?? sagas[saga]!;
  const begun = items.flatMap((runs, item) =>
    runs.map(({ status, tries }, step) => ({ step: steps[item]![step]!.name, status, tries })),
  );
  return { name: saga, phase, steps: begun };
}

// ---------------------------------------------------------------------------------------------------------------- //
// Data
// ---------------------------------------------------------------------------------------------------------------- //

/** Secrets are masked; what somebody must not see is left out. */
function dataFor(
  flow: FlowPlace,
  instance: Instance,
  definition: Definition,
  { viewer }: Viewing,
): Readonly<Record<string, Json>> {
  const data = showData(definition, flow.data);
  const hidden = hiddenFrom(viewer, flow, instance, definition);
  return Object.fromEntries(Object.entries(data).filter(([name]) => !hidden.has(name)));
}

/** `hide: [..]` of all the stages in which somebody has or had a task: what one of them shows, they have seen. */
export function hiddenFrom(
  viewer: string | undefined,
  flow: FlowPlace,
  instance: Instance,
  definition: Definition,
): ReadonlySet<string> {
  if (viewer === undefined || viewer === instance.initiator.id) return new Set();
  const isOfFlow = (task: Task): boolean => (task.flow ?? instance.flow) === flow.flow;
  const closed = Object.hasOwn(instance.closedTasks, viewer) ? [instance.closedTasks[viewer]!] : [];
  const theirs = [...tasksOf(instance), ...closed].filter((task) => isOfFlow(task) && concerns(task, viewer));
  const lists = theirs.map((task) => new Set(approvalOf(definition, task)?.hide));
  return lists.reduce((all, one) => all.intersection(one), lists[0] ?? new Set());
}

function approvalOf(definition: Definition, { place = "", state }: Task): Approval | undefined {
  // Behind the number of the newest sub-flow stand the branches of that one.
  const branches = place.split("/").filter((part) => part !== "");
  const own = branches.slice(branches.findLastIndex((part) => /^\d+$/.test(part)) + 1);
  let region: Region | undefined = definition;
  for (const name of own) region = branchOf(region, name);
  return region?.states.find(({ name }) => name === state)?.approval;
}

function branchOf(region: Region | undefined, branch: string): Region | undefined {
  const all = region?.states.flatMap(({ parallel }) => parallel?.branches ?? []);
  return all?.find(({ name }) => name === branch);
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, to: (from: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}
