import { type AnyActorScope, createActor, type EventFromLogic, type SnapshotFrom, setup } from "xstate";
import type { Definition, Transition } from "../dsl/index.ts";

/** Most moves that follow one another without anybody doing anything. */
export const AUTOMATIC_MOVES_MAX = 100;

/** What guards and delays ask while a step is taken; rides on the event, because the machine itself keeps nothing. */
export interface StepEnvironment {
  /** Does this line of the definition apply? Never throws. */
  applies(line: number): boolean;
  /** Delay until the instant of this `at` line, counted from now, ≥ 0; `NaN` where there is none. Never throws. */
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
  /** Index in {@link Definition.transitions}; absent for a move that no line wrote. */
  readonly line?: number;
  readonly timers: readonly TimerChange[];
}

/** Event types of the machine. What comes from outside is prefixed, so that it can never be one of XState's own. */
export const eventType = {
  /** `*` would be a wildcard of XState. */
  event: (name: string): string => `event:${name.replaceAll("*", "%2A")}`,
  outcome: (name: string): string => `outcome:${name}`,
  /** A move to a state without a line: a return, a withdrawal, the start. */
  enter: (state: string): string => `enter:${state}`,
};

/** A definition as a running machine. Flat and without context: all that it remembers is the state. */
export interface Machine {
  readonly logic: FlowMachine;
  /** XState's snapshot of each state; constant, because the machine has no context. */
  readonly snapshots: ReadonlyMap<string, FlowSnapshot>;
  /** Is there a line for this event now that applies? */
  can(state: string, event: MachineEvent): boolean;
  /** Takes the event, which must be possible (see {@link Machine.can}). */
  step(state: string, event: MachineEvent): Step;
}

export type FlowMachine = ReturnType<typeof machineOf>;
export type FlowSnapshot = SnapshotFrom<FlowMachine>;

export function buildMachine(definition: Definition): Machine {
  const logic = machineOf(definition);
  const snapshots = new Map(
    definition.states.map(({ name }) => [name, logic.resolveState({ value: name, context: {} })] as const),
  );
  const take = stepper(logic);
  const ways = new Map([...snapshots].map(([state, snapshot]) => [state, waysFrom(snapshot, take)] as const));
  return {
    logic,
    snapshots,
    can(state, { type, environment }) {
      const way = ways.get(state)!(type);
      return way.unguarded || way.lines.some((line) => environment.applies(line));
    },
    step: (state, event) => ways.get(state)!(event.type).step(event),
  };
}

/** What an event can do in a state. */
interface Way {
  /** In the order in which XState tries them. */
  readonly lines: readonly number[];
  /** It moves whatever the lines say. */
  readonly unguarded: boolean;
  step(event: MachineEvent): Step;
}

/**
 * The machine has no context, so what XState answers depends on the state, the event's type, the line that applies and on
 * delays alone. It is asked once for each and remembered, unless it asked for a delay.
 */
function waysFrom(snapshot: FlowSnapshot, take: ReturnType<typeof stepper>): (type: string) => Way {
  const ways = new Map<string, Way>();
  return (type) => {
    const known = ways.get(type);
    if (known) return known;
    const way = findWay(snapshot, type, take);
    ways.set(type, way);
    return way;
  };
}

function findWay(snapshot: FlowSnapshot, type: string, take: ReturnType<typeof stepper>): Way {
  const lines: number[] = [];
  const listening: StepEnvironment = {
    applies(line) {
      lines.push(line);
      return false;
    },
    delayMs: () => Number.NaN,
  };
  const unguarded = snapshot.can({ type, environment: listening });
  const steps = new Map<number | undefined, Step>();
  return {
    lines,
    unguarded,
    step(event) {
      const line = lines.find((one) => event.environment.applies(one));
      const known = steps.get(line);
      if (known) return known;
      const { environment, asked } = watchDelays(event.environment);
      const step = readStep(...take(snapshot, { type, environment }));
      if (!asked()) steps.set(line, step);
      return step;
    },
  };
}

function watchDelays(environment: StepEnvironment): { environment: StepEnvironment; asked(): boolean } {
  let asked = false;
  const delayMs = (line: number): number => {
    asked = true;
    return environment.delayMs(line);
  };
  return { environment: { applies: (line) => environment.applies(line), delayMs }, asked: () => asked };
}

/**
 * `transition()` of XState with one reused scope instead of an actor made per call, which is a third of its time.
 * Only public methods are used; a property test holds it equal to `transition()`.
 */
export function stepper(logic: FlowMachine): (snapshot: FlowSnapshot, event: EventFromLogic<FlowMachine>) => Stepped {
  const self = createActor(logic); // Never started.
  let actions: ListedAction[] = [];
  const scope: AnyActorScope = {
    self,
    system: self.system,
    id: "",
    sessionId: "",
    logger: nothing,
    defer: nothing,
    stopChild: nothing,
    emit: nothing,
    actionExecutor: (action) => {
      actions.push(action);
    },
  };
  return (snapshot, event) => {
    actions = [];
    const next = logic.transition(snapshot, event, scope);
    return [next, actions];
  };
}

export interface ListedAction {
  readonly type: string;
  readonly params: unknown;
}
type Stepped = readonly [FlowSnapshot, readonly ListedAction[]];

const nothing = (): void => {};

/** The action list in order: our `line`, and XState's delayed raises and cancels of `after`. */
function readStep(next: FlowSnapshot, actions: readonly ListedAction[]): Step {
  const timers: TimerChange[] = [];
  let line: number | undefined;
  for (const { type, params } of actions) {
    if (type === "line") line = (params as { line: number }).line;
    else if (type === "xstate.cancel") timers.push({ kind: "cancel", event: (params as { sendId: string }).sendId });
    else if (type === "xstate.raise") {
      const { event, delay } = params as { event: { type: string }; delay: number | undefined };
      if (delay !== undefined && Number.isFinite(delay))
        timers.push({ kind: "set", event: event.type, delayMs: delay });
    }
  }
  const to = String(next.value);
  return line === undefined ? { to, timers } : { to, line, timers };
}

type Target = ReturnType<typeof target>;

function target(to: string, line: number) {
  return {
    target: to,
    reenter: true, // `A → A` is entered again: a new round, `after` starts anew.
    guard: { type: "applies" as const, params: { line } },
    actions: { type: "line" as const, params: { line } },
  };
}

function machineOf(definition: Definition) {
  const delays = instantsOf(definition.transitions);
  const states = Object.fromEntries(
    definition.states.map(({ name, final }) => [
      name,
      final ? { type: "final" as const } : stateNode(definition, name),
    ]),
  );
  return setup({
    types: { context: {} as Record<string, never>, events: {} as MachineEvent },
    guards: { applies: ({ event }, params: { line: number }) => event.environment.applies(params.line) },
    actions: { line: (_, _params: { line: number }) => {} },
    delays: Object.fromEntries(
      // XState enters the initial state once by itself, without an event of ours.
      [...delays].map(([name, line]) => [
        name,
        ({ event }: { event: Partial<MachineEvent> }) => event.environment?.delayMs(line) ?? Number.NaN,
      ]),
    ),
  }).createMachine({
    id: definition.flow,
    initial: definition.initial,
    context: {},
    states,
    on: Object.fromEntries(definition.states.map(({ name }) => [eventType.enter(name), { target: `.${name}` }])),
    options: { maxIterations: AUTOMATIC_MOVES_MAX },
  });
}

function stateNode(definition: Definition, state: string) {
  const on: Record<string, Target[]> = {};
  const after: Record<string, Target[]> = {};
  for (const line of linesOf(definition, state)) {
    const { trigger, to } = definition.transitions[line]!;
    switch (trigger.kind) {
      case "event":
        add(on, eventType.event(trigger.event), target(to, line));
        break;
      case "outcome":
        add(on, eventType.outcome(trigger.outcome), target(to, line));
        break;
      case "after":
        add(after, String(trigger.ms), target(to, line));
        break;
      case "at":
        add(after, instantName(definition.transitions, line), target(to, line));
    }
  }
  return { on, after };
}

/** Lines that can leave a state, in the order in which they are tried: those that name it, then `any`. */
export function linesOf({ transitions }: Definition, state: string): number[] {
  const lines = transitions.flatMap((line, index) => (line.from.includes(state) ? [index] : []));
  return [...lines.filter((line) => !transitions[line]!.any), ...lines.filter((line) => transitions[line]!.any)];
}

/** Lines that wait for the same instant share one timer, so that `else` sees the lines above it. */
function instantName(transitions: readonly Transition[], line: number): string {
  const at = instantText(transitions[line]!);
  return `at-${transitions.findIndex((other) => instantText(other) === at)}`;
}

function instantsOf(transitions: readonly Transition[]): Map<string, number> {
  return new Map(
    transitions.flatMap(({ trigger }, line) =>
      trigger.kind === "at" ? [[instantName(transitions, line), line] as const] : [],
    ),
  );
}

function instantText({ trigger }: Transition): string | undefined {
  return trigger.kind === "at" ? JSON.stringify(trigger.at) : undefined;
}

function add<Item>(lists: Record<string, Item[]>, name: string, item: Item): void {
  const list = lists[name];
  if (list) list.push(item);
  else lists[name] = [item];
}
