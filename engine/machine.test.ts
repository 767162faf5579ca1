import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { transition } from "xstate";
import type { Definition } from "../dsl/index.ts";
import { buildMachine, eventType, type FlowSnapshot, type MachineEvent, stepper } from "./machine.ts";
import { after, DAY, definition, field, line, on, outcome } from "./testing.ts";

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
];

const flows = fc
  .array(
    fc.record({
      from: fc.subarray(STATES, { minLength: 1 }),
      any: fc.boolean(),
      to: fc.constantFrom(...STATES, "END"),
      trigger: fc.constantFrom(...TRIGGERS),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((lines) =>
    definition({
      states: { A: "plain", "B-1": "plain", 财务: "plain", END: "final" },
      transitions: lines.map(({ from, any, to, trigger }) => line(from, to, trigger, { any })),
    }),
  );

/** Everything that the machine could be sent, its own timers and nonsense included. */
function eventsOf({ transitions, flow }: Definition): string[] {
  const timed = transitions.flatMap((one, index) => {
    const delay = one.trigger.kind === "after" ? one.trigger.ms : `at-${index}`;
    return one.from.map((state) => `xstate.after.${delay}.${flow}.${state}`);
  });
  const named = TRIGGERS.flatMap((trigger) => {
    if (trigger.kind === "event") return [eventType.event(trigger.event)];
    return trigger.kind === "outcome" ? [eventType.outcome(trigger.outcome)] : [];
  });
  return [...timed, ...named, ...STATES.map(eventType.enter), "nonsense"];
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
      const { logic, snapshots } = buildMachine(flow);
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

test("the machine remembers nothing that transition() would answer otherwise", () => {
  fc.assert(
    fc.property(walks, ([flow, events]) => {
      const machine = buildMachine(flow);
      // Twice, so that the second round meets what the first left.
      for (const { type, applies, delay } of [...events, ...events]) {
        const event = eventOf(type, applies, delay);
        for (const [state, snapshot] of machine.snapshots) {
          assert.equal(machine.can(state, event), snapshot.can(event));
          if (!snapshot.can(event)) continue;
          const [expected, listed] = transition(machine.logic, snapshot, event);
          const { to, line, timers } = machine.step(state, event);
          assert.equal(to, expected.value);
          const lines = listed.flatMap((action) => (action.type === "line" ? [action.params] : []));
          assert.deepEqual(line === undefined ? [] : [{ line }], lines);
          assert.deepEqual(
            timers.flatMap((timer) => (timer.kind === "set" ? [timer.delayMs] : [])),
            listed.flatMap((action) => delayOf(action)),
          );
        }
      }
    }),
    { numRuns: 100 },
  );
});

function delayOf({ type, params }: { readonly type: string; readonly params?: unknown }): number[] {
  const delay = type === "xstate.raise" ? (params as { readonly delay?: number }).delay : undefined;
  return delay === undefined || Number.isNaN(delay) ? [] : [delay];
}

test("a snapshot made from the state's name behaves like the one that a step arrived at", () => {
  fc.assert(
    fc.property(walks, ([flow, events]) => {
      const { logic, snapshots } = buildMachine(flow);
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

function eventOf(type: string, applies: readonly boolean[], delay: number): MachineEvent {
  return { type, environment: { applies: (line) => applies[line] ?? false, delayMs: () => delay } };
}

const always = { applies: () => true, delayMs: () => 5 };

test("an event that no line names, and a name with a wildcard, match nothing else", () => {
  const machine = buildMachine(
    definition({ states: { A: "plain", END: "final" }, transitions: [line("A", "END", on("a.*"))] }),
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
