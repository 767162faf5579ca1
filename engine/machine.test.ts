import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { transition } from "xstate";
import type { Definition } from "../dsl/index.ts";
import { buildMachine } from "./build-machine.ts";
import { eventType, type MachineEvent } from "./machine.ts";
import { type MachineTable, machineTable, type TableLine, type TableState, tableMachine } from "./machine-table.ts";
import { findFault } from "./table-proof.ts";
import { after, DAY, definition, field, line, on, outcome } from "./testing.ts";
import { type FlowSnapshot, stepper, xstateMachine } from "./xstate-machine.ts";

const STATES = ["A", "B-1", "财务"];
const at = (name: string) => ({ kind: "at", at: field(name, { kind: "datetime" }) }) as const;
const TRIGGERS = [
  on("go"),
  on("a.*"),
  on("xstate.init"),
  outcome("approved"),
  outcome("returned"),
  after(DAY),
  after(0),
  at("x"),
  at("y"),
  { kind: "after", term: { kind: "workhours", ms: 5 } } as const,
];

const flows = fc
  .array(
    fc.record({
      from: fc.subarray(STATES, { minLength: 1 }),
      any: fc.boolean(),
      to: fc.constantFrom(...STATES, "END"),
      up: fc.constantFrom(0, 0, 0, 1),
      trigger: fc.constantFrom(...TRIGGERS),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((lines) =>
    definition({
      states: { A: "plain", "B-1": "plain", 财务: "plain", END: "final" },
      transitions: lines.map(({ from, any, to, up, trigger }) =>
        line(from, to, trigger, { any, ...(up > 0 && { up }) }),
      ),
    }),
  );

/** Everything that the machine could be sent, its own timers and nonsense included. */
function eventsOf({ transitions, flow }: Definition): string[] {
  const timed = transitions.flatMap((one, index) => {
    const delay = delayOf(one.trigger, index);
    return one.from.map((state) => `xstate.after.${delay}.${flow}.${state}`);
  });
  const named = TRIGGERS.flatMap((trigger) => {
    if (trigger.kind === "event") return [eventType.event(trigger.event)];
    return trigger.kind === "outcome" ? [eventType.outcome(trigger.outcome)] : [];
  });
  return [...timed, ...named, ...[...STATES, "END"].map(eventType.enter), "nonsense"];
}

function delayOf(trigger: Definition["transitions"][number]["trigger"], index: number): string {
  if (trigger.kind !== "after") return `at-${index}`;
  return trigger.term.kind === "natural" ? String(trigger.term.ms) : "work-hours-5";
}

const walks = flows.chain((flow) =>
  fc.tuple(
    fc.constant(flow),
    fc.array(
      fc.record({
        type: fc.constantFrom(...eventsOf(flow)),
        applies: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        delay: fc.constantFrom(0, 5, DAY, Number.NaN),
      }),
      { maxLength: 12 },
    ),
  ),
);

test("the stepper gives what transition() gives", () => {
  fc.assert(
    fc.property(walks, ([flow, events]) => {
      const { logic, snapshots } = xstateMachine(flow, flow.flow);
      const step = stepper(logic);
      let ours: FlowSnapshot = snapshots.get("A")!;
      for (const { type, applies, delay } of events) {
        const event = eventOf(type, applies, delay);
        const [expected, listed] = transition(logic, ours, event);
        const [next, actions] = step(ours, event);
        assert.equal(next.value, expected.value);
        assert.equal(next.status, expected.status);
        const plain = (list: readonly { type: string; params?: unknown }[]) =>
          list.map((action) => [action.type, action.params]);
        assert.deepEqual(plain(actions as never), plain(listed));
        if (next.status !== "active") break;
        ours = next;
      }
    }),
    { numRuns: 200 },
  );
});

test("a snapshot made from the state's name behaves like the one that a step arrived at", () => {
  fc.assert(
    fc.property(walks, ([flow, events]) => {
      const { logic, snapshots } = xstateMachine(flow, flow.flow);
      const step = stepper(logic);
      let live: FlowSnapshot = snapshots.get("A")!;
      for (const { type, applies, delay } of events) {
        const event = eventOf(type, applies, delay);
        const constant = snapshots.get(String(live.value))!;
        assert.equal(live.can(event), constant.can(event));
        const [next] = step(live, event);
        assert.equal(step(constant, event)[0].value, next.value);
        if (next.status !== "active") break;
        live = next;
      }
    }),
    { numRuns: 100 },
  );
});

test("the table is proved equal to XState's machine", () => {
  fc.assert(
    fc.property(flows, (flow) => {
      assert.equal(findFault(machineTable(flow, flow.flow), xstateMachine(flow, flow.flow)), undefined);
    }),
    { numRuns: 100 },
  );
});

test("walks over the table and over XState's machine see the same", () => {
  fc.assert(
    fc.property(walks, ([flow, events]) => {
      const ours = tableMachine(machineTable(flow, flow.flow));
      const reference = xstateMachine(flow, flow.flow);
      let state = "A";
      for (const { type, applies, delay } of events) {
        const event = eventOf(type, applies, delay);
        assert.equal(ours.can(state, event), reference.can(state, event));
        if (!reference.can(state, event)) continue;
        const step = ours.step(state, event);
        assert.deepEqual(step, reference.step(state, event));
        state = step.to;
      }
    }),
    { numRuns: 200 },
  );
});

const sample = definition({
  states: { A: "plain", B: "plain", END: "final" },
  transitions: [
    line("A", "B", on("go")),
    line("A", "END", on("go")),
    line("B", "A", at("x")),
    line("B", "END", at("y")),
    line("B", "END", after(DAY)),
    line("B", "A", on("out"), { up: 1 }),
  ],
});

/** A copy in which one state is another. */
const changed = (state: string, parts: (from: TableState) => Partial<TableState>): MachineTable => {
  const table = machineTable(sample, "test");
  return new Map([...table, [state, { ...table.get(state)!, ...parts(table.get(state)!) }]]);
};

/** A copy in which one event has other lines. */
const relined = (
  state: string,
  event: string,
  change: (lines: readonly TableLine[]) => readonly TableLine[],
): MachineTable =>
  changed(state, ({ lines }) => ({ lines: new Map([...lines, [event, change(lines.get(event)!)] as const]) }));

const go = eventType.event("go");
const wrongTables: readonly [string, MachineTable, ReturnType<typeof findFault>][] = [
  ["nothing", changed("A", () => ({})), undefined],
  [
    "another target",
    relined("A", go, (lines) => [{ line: 0, to: "END" }, lines[1]!]),
    { state: "A", event: go, what: "step", line: 0 },
  ],
  ["lines in another order", relined("A", go, (lines) => lines.toReversed()), { state: "A", event: go, what: "lines" }],
  ["a line that lacks", relined("A", go, (lines) => lines.slice(1)), { state: "A", event: go, what: "lines" }],
  [
    "a move that is not possible",
    changed("A", () => ({ enters: new Map([[eventType.enter("B"), "B"]]) })),
    { state: "A", event: eventType.enter("A"), what: "possible" },
  ],
  [
    "a line out of the region that moves",
    relined("B", eventType.event("out"), () => [{ line: 5, to: "A" }]),
    { state: "B", event: eventType.event("out"), what: "step", line: 5 },
  ],
  [
    "a timer that is not set",
    changed("B", ({ timers }) => ({ timers: timers.slice(1) })),
    { state: "A", event: go, what: "step", line: 0 },
  ],
  [
    "a timer that is not ended",
    changed("B", ({ cancels }) => ({ cancels: cancels.slice(1) })),
    { state: "B", event: eventType.enter("A"), what: "step" },
  ],
  [
    "another line asked for a delay",
    changed("B", ({ timers }) => ({ timers: timers.map((timer) => ({ ...timer, delay: { line: 3 } })) })),
    { state: "A", event: go, what: "step", line: 0 },
  ],
];

for (const [what, table, fault] of wrongTables) {
  test(`what a wrong table has wrong is found: ${what}`, () => {
    assert.deepEqual(findFault(table, xstateMachine(sample, "test")), fault);
  });
}

test("timers of a state start, whatever state it is entered from", () => {
  const machine = buildMachine(sample, "test");
  const { to, timers } = machine.step("END", { type: eventType.enter("B"), environment: always });
  assert.equal(to, "B");
  assert.deepEqual(
    timers.map(({ kind, event }) => `${kind} ${event}`),
    [`set xstate.after.${DAY}.test.B`, "set xstate.after.at-2.test.B", "set xstate.after.at-3.test.B"],
  );
});

function eventOf(type: string, applies: readonly boolean[], delay: number): MachineEvent {
  return { type, environment: { applies: (line) => applies[line] ?? false, delayMs: () => delay } };
}

const always = { applies: () => true, delayMs: () => 5 };

test("an event that no line names, and a name with a wildcard, match nothing else", () => {
  const machine = buildMachine(
    definition({ states: { A: "plain", END: "final" }, transitions: [line("A", "END", on("a.*"))] }),
    "test",
  );
  const can = (type: string): boolean => machine.can("A", { type, environment: always });
  assert.equal(can(eventType.event("a.*")), true);
  assert.equal(can(eventType.event("a.b")), false);
  assert.equal(can(eventType.event("b")), false);
});

test("lines for the same instant share a timer; leaving the state ends it", () => {
  const machine = buildMachine(
    definition({
      states: { A: "plain", B: "plain", END: "final" },
      transitions: [
        line("A", "B", on("go")),
        line("B", "A", at("x")),
        line("B", "END", at("x"), { otherwise: true }),
        line("B", "END", at("y")),
        line("B", "END", after(DAY)),
      ],
    }),
    "test",
  );
  const { timers } = machine.step("A", { type: eventType.event("go"), environment: always });
  assert.deepEqual(
    timers.map((timer) => [timer.kind, timer.event, timer.kind === "set" && timer.delayMs]),
    [
      ["set", `xstate.after.${DAY}.test.B`, DAY],
      ["set", "xstate.after.at-1.test.B", 5],
      ["set", "xstate.after.at-3.test.B", 5],
    ],
  );
  const only = (line: number) => ({ applies: (one: number) => one === line, delayMs: () => 0 });
  const left = machine.step("B", { type: "xstate.after.at-1.test.B", environment: only(2) });
  assert.deepEqual([left.to, left.line], ["END", 2]);
  assert.deepEqual(new Set(left.timers.map(({ kind }) => kind)), new Set(["cancel"]));
});
