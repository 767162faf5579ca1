/** The lines of a machine with all that must be so when one of them is taken. */
import type { Definition, Expression, Transition } from "../definition.ts";
import type { Claim } from "./cases.ts";
import type { Claims } from "./claims.ts";
import { isComingTooLate } from "./outcomes.ts";
import type { Group, GuardedLine, Operation, Slot } from "./steps.ts";

const TRUE: Expression = { kind: "literal", type: { kind: "bool" }, value: true };
const COMPLETE: Operation = { kind: "complete" };

interface Numbered {
  readonly line: Transition;
  readonly index: number;
}

/** The lines that leave a state, by what they wait for. */
export function groupsOf(slot: Slot, state: number, claims: Claims, events: Definition["events"]): readonly Group[] {
  const { name } = slot.states[state]!;
  const byTrigger = new Map<string, Numbered[]>();
  const { transitions } = slot.region;
  for (let index = 0; index < transitions.length; index += 1) {
    const line = transitions[index]!;
    if (!line.from.includes(name) || isComingTooLate(line, name, slot.region)) continue;
    const key = triggerKey(line.trigger);
    const lines = byTrigger.get(key);
    if (lines) lines.push({ line, index });
    else byTrigger.set(key, [{ line, index }]);
  }
  return [...byTrigger.values()].map((lines) => {
    // A line that names the state wins over one of `any`.
    const ordered =
      lines.length === 1 ? lines : [...lines.filter(({ line }) => !line.any), ...lines.filter(({ line }) => line.any)];
    const guarded = ordered.map((one, place) =>
      guardedLine(one, ordered.slice(0, place), { slot, state, claims, events }),
    );
    return { trigger: ordered[0]!.line.trigger, lines: guarded };
  });
}

/** Lines of one state with the same key wait for the same thing. */
export function triggerKey(trigger: Transition["trigger"]): string {
  switch (trigger.kind) {
    case "event":
      return `on "${trigger.event}"`;
    case "outcome":
      return `on ${trigger.outcome}`;
    case "after":
      return `after ${JSON.stringify(trigger.term)}`;
    case "at":
      return `at ${JSON.stringify(trigger.at)}`;
  }
}

interface Around {
  readonly slot: Slot;
  readonly state: number;
  readonly claims: Claims;
  readonly events: Definition["events"];
}

function guardedLine(
  { line, index }: Numbered,
  above: readonly Numbered[],
  { slot, state, claims, events }: Around,
): GuardedLine {
  const into = outwards(slot, line.up ?? 0);
  const target = into.states.findIndex(({ name }) => name === line.to);
  const asked = above.map(({ line: other }): Claim => ({ condition: other.condition ?? TRUE, holds: false }));
  if (line.condition) asked.push({ condition: line.condition, holds: true });
  const operations: Operation[] = [];
  if (line.trigger.kind === "event") operations.push(changeOf(line.trigger.event, events));
  const { name } = slot.states[state]!;
  const leavesDraft = !slot.of && name === slot.region.initial && line.to !== name && !into.states[target]!.final;
  if (leavesDraft) operations.push(COMPLETE);
  if (asked.length > 0) operations.push(claims.claim([asked], slot.of ? undefined : name));
  for (const action of line.actions) {
    if (action.kind === "set") operations.push({ kind: "set", field: action.field, value: action.value });
  }
  return { line, index, operations, into, target };
}

/** What an event may set. */
function changeOf(event: string, events: Definition["events"]): Operation {
  const payload = events.find(({ name }) => name === event)?.payload ?? [];
  return { kind: "change", fields: payload.filter(({ data }) => data).map(({ name }) => name), event };
}

function outwards(slot: Slot, levels: number): Slot {
  let at = slot;
  for (let left = levels; left > 0 && at.of; left -= 1) at = at.of.slot;
  return at;
}
