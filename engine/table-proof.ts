/** Holds a machine's table equal to the machine of XState: everything that an event can do in every state is compared. */
import type { Machine, MachineEvent, Step, TimerChange } from "./machine.ts";
import { type MachineTable, tableMachine } from "./machine-table.ts";
import type { XStateMachine } from "./xstate-machine.ts";

/** A step that the table takes otherwise than XState. */
export interface TableFault {
  readonly state: string;
  readonly event: string;
  /** The only line that applies; absent: none does. */
  readonly line?: number;
  readonly what: "lines" | "possible" | "step";
}

/**
 * Machines have no context, so that a step depends on the state, the event's type, the first line that applies and the
 * delays that are asked for. All of these are tried: every state with every event type of the region; which lines are asked, and
 * in which order; each of them as the only one that applies, and none; every delay known, and none.
 * @returns what differs first, or `undefined`: the table and XState are one machine.
 */
export function findFault(table: MachineTable, reference: XStateMachine): TableFault | undefined {
  const ours = tableMachine(table);
  const types = typesOf(table, reference);
  for (const state of reference.snapshots.keys()) {
    for (const event of types) {
      const fault = compare(ours, reference, state, event);
      if (fault) return { state, event, ...fault };
    }
  }
  return undefined;
}

/** Every event type of either machine, timers included, and one that neither knows. */
function typesOf(table: MachineTable, { logic }: XStateMachine): ReadonlySet<string> {
  const ours = [...table.values()].flatMap(({ lines, enters }) => [...lines.keys(), ...enters.keys()]);
  return new Set([...ours, ...logic.events, "unknown"]);
}

function compare(
  ours: Machine,
  reference: Machine,
  state: string,
  type: string,
): Pick<TableFault, "line" | "what"> | undefined {
  const asked = ask(ours, state, type);
  const expected = ask(reference, state, type);
  if (asked.lines.join() !== expected.lines.join()) return { what: "lines" };
  if (asked.possible !== expected.possible) return { what: "possible" };
  if (expected.possible && !isSameStep(ours, reference, state, type)) return { what: "step" };
  const line = expected.lines.find((one) => !isSameStep(ours, reference, state, type, one));
  return line === undefined ? undefined : { what: "step", line };
}

/** Lines that are asked while none applies, and whether it moves all the same. */
function ask(machine: Machine, state: string, type: string): { lines: readonly number[]; possible: boolean } {
  const lines: number[] = [];
  const applies = (line: number): boolean => {
    lines.push(line);
    return false;
  };
  const possible = machine.can(state, { type, environment: { applies, delayMs: () => Number.NaN } });
  return { lines, possible };
}

/** With delays that tell which line they were asked of, and, where any is asked for, without. */
function isSameStep(ours: Machine, reference: Machine, state: string, type: string, line?: number): boolean {
  let asked = false;
  const told = (one: number): number => {
    asked = true;
    return one + 1;
  };
  const isSameWith = (delayMs: MachineEvent["environment"]["delayMs"]): boolean => {
    const event: MachineEvent = { type, environment: { applies: (one) => one === line, delayMs } };
    return isSame(ours.step(state, event), reference.step(state, event));
  };
  return isSameWith(told) && (!asked || isSameWith(() => Number.NaN));
}

function isSame(a: Step, b: Step): boolean {
  const isSameTimer = (one: TimerChange, index: number): boolean => {
    const other = b.timers[index]!;
    if (one.kind !== other.kind || one.event !== other.event) return false;
    return one.kind !== "set" || (other.kind === "set" && one.delayMs === other.delayMs);
  };
  return a.to === b.to && a.line === b.line && a.timers.length === b.timers.length && a.timers.every(isSameTimer);
}
