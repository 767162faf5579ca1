/** Branches that a proof need not follow step by step. */

import type { Machines } from "./machines.ts";
import type { Slot } from "./steps.ts";
import type { Watch } from "./watch.ts";

/**
 * Branches in which no state is watched, no fact is won and none of the fields changes.
 * @param fields those that the proof tells apart.
 */
export function inertSlots(machines: Machines, watch: Watch, fields: ReadonlySet<string>): ReadonlySet<Slot> {
  return new Set(machines.slots.filter((slot) => slot.of && isInert(slot, machines, watch, fields)));
}

function isInert(slot: Slot, machines: Machines, watch: Watch, fields: ReadonlySet<string>): boolean {
  return slot.states.every(({ approval, run }, state) => {
    if (slot.inner[state]!.length > 0 || run?.kind === "flow") return false;
    if (watch.isTarget(slot, state) || watch.onEntry(slot, state) !== 0) return false;
    const isWon = watch.variants(slot, state).some((_, variant) => watch.onApproved(slot, state, variant) !== 0);
    if (isWon || approval?.edit.some((field) => fields.has(field))) return false;
    return !machines.groupsIn(slot, state).some(({ lines }) =>
      lines.some(({ operations }) =>
        operations.some((operation) => {
          if (operation.kind === "set") return fields.has(operation.field);
          return operation.kind === "change" && operation.fields.some((field) => fields.has(field));
        }),
      ),
    );
  });
}
