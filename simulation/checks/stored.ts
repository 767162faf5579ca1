import type { Instance } from "../../engine/index.ts";
import { type InstanceKey, rebuild, type Store } from "../../runtime/index.ts";
import { freshNode, KEYS_SETTING } from "../cluster/node.ts";
import type { Outcome, Violation } from "./checks.ts";
import { isSame } from "./journal.ts";

/** The journal decides again to what it says; snapshots, projections and what nodes have in memory agree with it. */
export async function* checkStored({ world, disk, stories, byInstance }: Outcome): AsyncIterable<Violation> {
  for (const { instance, faults } of stories)
    for (const fault of faults) yield { check: "replay equals snapshot", what: `${instance}: ${fault}` };
  const { differing, broken } = await rebuild(disk, KEYS_SETTING, { write: false });
  for (const key of differing) {
    const last = byInstance.get(key.instance)?.decided.at(-1)?.accepted.instance;
    if (!world.store.landsLate || !(await differsByEndedTimers(disk, key, last)))
      yield { check: "projections equal the journal", what: key.instance };
  }
  for (const { instance, problem } of broken)
    yield { check: "projections equal the journal", what: `${instance}: ${problem}` };
  const fresh = freshNode(disk);
  for (const { tenant, instance, decided } of stories) {
    const read = await fresh.read({ tenant, instance }).catch((error: unknown) => String(error));
    const last = decided.at(-1)?.accepted.instance;
    const found = typeof read === "object" ? read.instance : read;
    if (!isSame(found, last))
      yield { check: "loading equals replay", what: `${instance} ${typeof found === "string" ? found : ""}` };
  }
  for (const { at, instance, versionLeast } of world.clients.reads) {
    if (instance.version < versionLeast)
      yield {
        check: "a caller reads its own writes",
        what: `${instance.id} version ${instance.version} on ${at}, ${versionLeast} was acknowledged`,
      };
    const then = byInstance.get(instance.id)?.decided.find(({ version }) => version === instance.version);
    if (!isSame(then?.accepted.instance, instance))
      yield { check: "a node shows what was committed", what: `${instance.id} version ${instance.version} on ${at}` };
  }
}

/**
 * A timer that has ended may be listed again where a write landed late, on a database that knows no conditions: when it is due
 * it is found to be gone, and dropped. Then nothing else differs.
 */
async function differsByEndedTimers(disk: Store, key: InstanceKey, last: Instance | undefined): Promise<boolean> {
  const stored = await disk.projected(key);
  if (!stored || !last || stored.sequence === 0 || stored.summary.version !== last.version) return false;
  const known = new Map(last.timers.map(({ id, dueAt }) => [id, dueAt]));
  const listed = new Map(stored.timers.map(({ id, dueAt }) => [id, dueAt]));
  const hasAll = [...known].every(([id, dueAt]) => listed.get(id) === dueAt);
  await disk.dropTimers(stored.timers.filter(({ id }) => !known.has(id)).map(({ id }) => ({ ...key, timer: id })));
  const { differing } = await rebuild(disk, KEYS_SETTING, { write: false });
  return hasAll && differing.every(({ instance }) => instance !== key.instance);
}
