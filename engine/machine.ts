/** What the machine of a region is asked and what it answers. Who answers: machine-table.ts, and xstate-machine.ts. */
import type { Outcome, Region, Term, Transition } from "../dsl/index.ts";

/** Most moves that follow one another without anybody doing anything. */
export const AUTOMATIC_MOVES_MAX = 100;

/**
 * A region (a flow's own machine, or that of a branch) as a running machine. Flat and without context: all that it remembers
 * is the state. A line that leads out of the region is taken without a move; where it leads is for the caller.
 */
export interface Machine {
  /** Is there a line for this event now that applies? */
  can(state: string, event: MachineEvent): boolean;
  /** Takes the event, which must be possible (see {@link Machine.can}). */
  step(state: string, event: MachineEvent): Step;
}

/** What guards and delays ask while a step is taken; rides on the event, because the machine itself keeps nothing. */
export interface StepEnvironment {
  /** Does this line of the definition apply? Never throws. */
  applies(line: number): boolean;
  /** Delay of this line's instant or working-time term, counted from now, ≥ 0; `NaN` where there is none. Never throws. */
  delayMs(line: number): number;
}

export interface MachineEvent {
  readonly type: string;
  readonly environment: StepEnvironment;
}

/** A timer that a step starts or ends, under the machine's own event type. */
export type TimerChange =
  | { readonly kind: "set"; readonly event: string; readonly delayMs: number }
  | { readonly kind: "cancel"; readonly event: string };

export interface Step {
  readonly to: string;
  /** Index in {@link Region.transitions}; absent for a move that no line wrote. */
  readonly line?: number;
  readonly timers: readonly TimerChange[];
}

/** Written out, because putting a name together and looking for it costs more than a step. */
const OUTCOMES: Readonly<Record<Outcome, string>> = {
  approved: "outcome:approved",
  rejected: "outcome:rejected",
  returned: "outcome:returned",
  withdrawn: "outcome:withdrawn",
  done: "outcome:done",
  compensated: "outcome:compensated",
  joined: "outcome:joined",
};

/** Event types of the machine. What comes from outside is prefixed, so that it can never be one of XState's own. */
export const eventType = {
  /** `*` would be a wildcard of XState. */
  event: (name: string): string => `event:${name.replaceAll("*", "%2A")}`,
  outcome: (name: Outcome): string => OUTCOMES[name],
  /** A move to a state without a line: a return, a withdrawal, the start. */
  enter: (state: string): string => `enter:${state}`,
};

/** The lines that leave a state, in the order in which they are tried. */
export interface LinesOut {
  /** By event type. */
  readonly on: ReadonlyMap<string, readonly number[]>;
  /** By delay: milliseconds, or a name under which the environment is asked. */
  readonly after: ReadonlyMap<string, readonly number[]>;
}

export function linesOut(region: Region, state: string): LinesOut {
  const on = new Map<string, number[]>();
  const after = new Map<string, number[]>();
  for (const line of linesOf(region, state)) {
    const { trigger } = region.transitions[line]!;
    if (trigger.kind === "event") add(on, eventType.event(trigger.event), line);
    else if (trigger.kind === "outcome") add(on, eventType.outcome(trigger.outcome), line);
    else add(after, delayName(region.transitions, line), line);
  }
  return { on, after };
}

/** Lines that can leave a state, in the order in which they are tried: those that name it, then `any`. */
export function linesOf({ transitions }: Region, state: string): number[] {
  const lines = transitions.flatMap((line, index) => (line.from.includes(state) ? [index] : []));
  return [...lines.filter((line) => !transitions[line]!.any), ...lines.filter((line) => transitions[line]!.any)];
}

/** Natural terms are milliseconds to XState; it asks us for instants and for working time, each under one name. */
function delayName(transitions: readonly Transition[], line: number): string {
  const { trigger } = transitions[line]!;
  if (trigger.kind === "after")
    return trigger.term.kind === "natural" ? String(trigger.term.ms) : workName(trigger.term);
  // Lines that wait for the same instant share one timer, so that `else` sees the lines above it.
  const at = instantText(transitions[line]!);
  return `at-${transitions.findIndex((other) => instantText(other) === at)}`;
}

const WORK = "work-";

function workName(term: Exclude<Term, { kind: "natural" }>): string {
  return term.kind === "workhours" ? `${WORK}hours-${term.ms}` : `${WORK}days-${term.days}`;
}

/** Is this the timer of a line `after` a term of working time? */
export function countsWorkingTime(event: string): boolean {
  return event.startsWith(`xstate.after.${WORK}`);
}

/** Delays that the environment is asked for, with a line of each. */
export function namedDelays(transitions: readonly Transition[]): ReadonlyMap<string, number> {
  return new Map(
    transitions.flatMap(({ trigger }, line) =>
      trigger.kind === "at" || (trigger.kind === "after" && trigger.term.kind !== "natural")
        ? [[delayName(transitions, line), line] as const]
        : [],
    ),
  );
}

function instantText({ trigger }: Transition): string | undefined {
  return trigger.kind === "at" ? JSON.stringify(trigger.at) : undefined;
}

function add(lists: Map<string, number[]>, name: string, line: number): void {
  const list = lists.get(name);
  if (list) list.push(line);
  else lists.set(name, [line]);
}
