/** A region as a machine of XState: the reference that says what a step is. */
import { type AnyActorScope, createActor, type EventFromLogic, type SnapshotFrom, setup } from "xstate";
import type { Region, Transition } from "../dsl/index.ts";
import {
  AUTOMATIC_MOVES_MAX,
  eventType,
  linesOut,
  type Machine,
  type MachineEvent,
  namedDelays,
  type Step,
  type StepEnvironment,
  type TimerChange,
} from "./machine.ts";

export interface XStateMachine extends Machine {
  readonly logic: FlowMachine;
  /** XState's snapshot of each state; constant, because the machine has no context. */
  readonly snapshots: ReadonlyMap<string, FlowSnapshot>;
}

export type FlowMachine = ReturnType<typeof machineOf>;
export type FlowSnapshot = SnapshotFrom<FlowMachine>;

/** @param id names the machine in the event types of its timers: the flow, in a branch `FLOW.BRANCH`. */
export function xstateMachine(region: Region, id: string): XStateMachine {
  const logic = machineOf(region, id);
  const snapshots = new Map(
    region.states.map(({ name }) => [name, logic.resolveState({ value: name, context: {} })] as const),
  );
  const take = stepper(logic);
  const lent = new LentEnvironment();
  return {
    logic,
    snapshots,
    can(state, { type, environment }) {
      lent.lender = environment;
      const possible = snapshots.get(state)!.can({ type, environment: lent });
      lent.lender = undefined;
      return possible;
    },
    step(state, { type, environment }) {
      lent.lender = environment;
      const [next, actions] = take(snapshots.get(state)!, { type, environment: lent });
      lent.lender = undefined;
      return readStep(next, actions);
    },
  };
}

/**
 * Stands for the environment while XState works. Each of the many objects that a step of XState makes would hold on to the
 * decision in the making, and V8 keeps some of them long enough to make its garbage collections several times dearer.
 */
class LentEnvironment implements StepEnvironment {
  lender: StepEnvironment | undefined;

  applies(line: number): boolean {
    return this.lender!.applies(line);
  }

  delayMs(line: number): number {
    return this.lender!.delayMs(line);
  }
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

function machineOf(region: Region, id: string) {
  return setup({
    types: { context: {} as Record<string, never>, events: {} as MachineEvent },
    guards: { applies: ({ event }, params: { line: number }) => event.environment.applies(params.line) },
    actions: { line: (_, _params: { line: number }) => {} },
    delays: Object.fromEntries(
      // XState enters the initial state once by itself, without an event of ours.
      [...namedDelays(region.transitions)].map(([name, line]) => [
        name,
        ({ event }: { event: Partial<MachineEvent> }) => event.environment?.delayMs(line) ?? Number.NaN,
      ]),
    ),
  }).createMachine({
    id,
    initial: region.initial,
    context: {},
    states: Object.fromEntries(region.states.map(({ name }) => [name, stateNode(region, name)])),
    on: Object.fromEntries(region.states.map(({ name }) => [eventType.enter(name), { target: `.${name}` }])),
    options: { maxIterations: AUTOMATIC_MOVES_MAX },
  });
}

/** Final states too are plain here: what they mean is the caller's, and out of one of its own XState would lose timers. */
function stateNode(region: Region, name: string) {
  const { on, after } = linesOut(region, name);
  const targets = (lists: typeof on) =>
    Object.fromEntries(
      [...lists].map(([key, lines]) => [key, lines.map((line) => target(region.transitions[line]!, line))]),
    );
  return { on: targets(on), after: targets(after) };
}

function target({ to, up }: Transition, line: number) {
  return {
    ...(up ? {} : { target: to }),
    reenter: true, // `A → A` is entered again: a new round, `after` starts anew.
    guard: { type: "applies" as const, params: { line } },
    actions: { type: "line" as const, params: { line } },
  };
}
