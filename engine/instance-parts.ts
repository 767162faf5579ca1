/** What an instance consists of, for those who look at it from outside: machines, tasks, versions. */
import type { FlowPlace, Instance, LeftSaga, Place, PlaceAddress, SagaRun, Task } from "./types.ts";

/** A machine of an instance. */
export interface InstancePlace {
  readonly place: Place;
  /** The flow whose machine it is: the instance, or a sub-flow in it. */
  readonly flow: FlowPlace;
  readonly address: PlaceAddress;
}

/** Every machine: its own first, the outer before the inner, branches in their order. */
export function placesOf(instance: Instance): readonly InstancePlace[] {
  const own = { place: instance, flow: instance, address: "" };
  if (!instance.branches && !instance.child) return [own];
  const found: InstancePlace[] = [];
  gather(own, found);
  return found;
}

function gather(at: InstancePlace, into: InstancePlace[]): void {
  into.push(at);
  const { place, flow, address } = at;
  const below = (name: string) => (address === "" ? name : `${address}/${name}`);
  for (const [name, branch] of Object.entries(place.branches ?? {})) {
    gather({ place: branch, flow, address: below(name) }, into);
  }
  const { child } = place;
  if (child) gather({ place: child, flow: child, address: below(child.id.slice(child.id.lastIndexOf("/") + 1)) }, into);
}

/** The newest task of every seat of the present rounds, and those of sagas that are stuck; whatever their status. */
export function tasksOf(instance: Instance): readonly Task[] {
  const tasks = placesOf(instance).flatMap(({ place: { round, saga } }) => [
    ...(round?.seats ?? []).flatMap(({ task }) => task ?? []),
    ...stuckTasks(saga),
  ]);
  return instance.undoing ? [...tasks, ...leftSagas(instance).flatMap(({ run }) => stuckTasks(run))] : tasks;
}

function stuckTasks(saga: SagaRun | undefined): readonly Task[] {
  return saga?.tasks ?? [];
}

function leftSagas({ undoing = [] }: Instance): readonly LeftSaga[] {
  return undoing.flatMap(({ sagas }) => sagas);
}

/** Sub-flows that have ended, but in which an approval may still be taken back. */
function passedFlows({ passed = [] }: Pick<Place, "passed">): readonly FlowPlace[] {
  return passed.flatMap((one): readonly FlowPlace[] => {
    if (!("inside" in one)) return [];
    const { branches = {}, child } = one;
    return [...(child ? [child, ...passedFlows(child)] : []), ...Object.values(branches).flatMap(passedFlows)];
  });
}

/** Hashes of all definitions that deciding on the instance may ask for: its own, and those of sub-flows. Each once. */
export function definitionsOf(instance: Instance): readonly string[] {
  const places = placesOf(instance);
  const sagas = [...leftSagas(instance), ...places.flatMap(({ place }) => place.sagas ?? [])];
  const flows = [
    ...places.flatMap(({ flow, place }) => [flow, ...passedFlows(place)]),
    ...sagas.flatMap(({ flow }) => flow ?? []),
  ];
  return [...new Set(flows.map(({ definition }) => definition))];
}
