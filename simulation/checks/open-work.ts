import type { World } from "../simulate.ts";

/** What is still to be done, in words; empty: nothing. Effects that were given up, and a saga that is stuck, wait for a person. */
export async function whatIsOpen({ store }: Pick<World, "store">): Promise<string> {
  const disk = await store.look();
  const open = [...store.behind()];
  for (const tenant of ["acme", "globex"]) {
    const all = { limit: 10_000 };
    for (const state of ["pending", "stuck"] as const) {
      const { items } = await disk.effects(tenant, state, all);
      for (const { effect, error } of items) open.push(`effect ${effect.id} is ${state} (${error})`);
    }
    const { items } = await disk.instances({ tenant }, all);
    for (const { instance, flow, state, outcome } of items) {
      const stuck = await disk.tasks({ tenant, instance, assignee: "erin", status: "open" }, all);
      if (outcome === undefined && stuck.items.length === 0) open.push(`${flow} ${instance} is in ${state}`);
    }
  }
  return open.join("; ");
}
