/** A region as a table of its steps: what decides on hot paths. table-proof.ts holds it equal to XState. */
import type { Region } from "../dsl/index.ts";
import {
  eventType,
  linesOut,
  type Machine,
  type MachineEvent,
  namedDelays,
  type Step,
  type StepEnvironment,
  type TimerChange,
} from "./machine.ts";

/** By state. */
export type MachineTable = ReadonlyMap<string, TableState>;

export interface TableState {
  /** Lines by event type, timers included, in the order in which they are tried. */
  readonly lines: ReadonlyMap<string, readonly TableLine[]>;
  /** States by the event type of a move without a line. */
  readonly enters: ReadonlyMap<string, string>;
  /** What starts when it is entered. */
  readonly timers: readonly TableTimer[];
  /** What ends when it is left. */
  readonly cancels: readonly TimerChange[];
}

export interface TableLine {
  readonly line: number;
  /** Absent: it leads out of the region and is taken without a move. */
  readonly to?: string;
}

export interface TableTimer {
  readonly event: string;
  /** Its delay, or the line whose delay the environment tells. */
  readonly delay: { readonly ms: number } | { readonly line: number };
}

/** @param id names the machine in the event types of its timers: the flow, in a branch `FLOW.BRANCH`. */
export function machineTable(region: Region, id: string): MachineTable {
  const delays = namedDelays(region.transitions);
  const enters = new Map(region.states.map(({ name }) => [eventType.enter(name), name] as const));
  return new Map(region.states.map(({ name }) => [name, stateOf(region, name, id, delays, enters)] as const));
}

function stateOf(
  region: Region,
  name: string,
  id: string,
  delays: ReadonlyMap<string, number>,
  enters: TableState["enters"],
): TableState {
  const { on, after } = linesOut(region, name);
  const lineOf = (line: number): TableLine => {
    const { to, up } = region.transitions[line]!;
    return up ? { line } : { line, to };
  };
  const timerEvent = (delay: string): string => `xstate.after.${delay}.${id}.${name}`;
  const timed = [...after].map(([delay, lines]) => [timerEvent(delay), lines] as const);
  // XState keeps delays as keys of an object, where numbers come first and in their order.
  const timers = Object.keys(Object.fromEntries(after)).map((delay): TableTimer => {
    const line = delays.get(delay);
    return { event: timerEvent(delay), delay: line === undefined ? { ms: Number(delay) } : { line } };
  });
  return {
    lines: new Map([...on, ...timed].map(([type, lines]) => [type, lines.map(lineOf)] as const)),
    enters,
    timers,
    cancels: timers.map(({ event }) => ({ kind: "cancel", event })),
  };
}

/** The table as a machine. */
export function tableMachine(table: MachineTable): Machine {
  return {
    can(state, event) {
      const { lines, enters } = table.get(state)!;
      return enters.has(event.type) || chosen(lines.get(event.type), event) !== undefined;
    },
    step(state, event) {
      const from = table.get(state)!;
      const line = chosen(from.lines.get(event.type), event);
      const to = line ? line.to : from.enters.get(event.type);
      const timers = to === undefined ? NONE : timersBetween(from, table.get(to)!, event.environment);
      return line ? { to: to ?? state, line: line.line, timers } : { to: to ?? state, timers };
    },
  };
}

const NONE: readonly never[] = [];

function chosen(lines: readonly TableLine[] | undefined, { environment }: MachineEvent): TableLine | undefined {
  if (lines) for (const line of lines) if (environment.applies(line.line)) return line;
  return undefined;
}

/** Timers of the state that is left end, then those of the one that is entered start; one without an instant does not. */
function timersBetween(from: TableState, to: TableState, environment: StepEnvironment): Step["timers"] {
  if (to.timers.length === 0) return from.cancels;
  const changes = [...from.cancels];
  for (const { event, delay } of to.timers) {
    const delayMs = "ms" in delay ? delay.ms : environment.delayMs(delay.line);
    if (Number.isFinite(delayMs)) changes.push({ kind: "set", event, delayMs });
  }
  return changes;
}
