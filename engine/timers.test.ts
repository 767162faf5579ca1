import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, Expression, OverdueStep } from "../dsl/index.ts";
import { tell } from "./story.ts";
import {
  after,
  approval,
  DAY,
  Driver,
  dataField,
  definition,
  dueIn,
  field,
  guard,
  HOUR,
  line,
  natural,
  on,
  outcome,
  quorum,
  START,
  simple,
  stage,
  text,
  users,
} from "./testing.ts";
import { compareTimers } from "./timers.ts";
import type { Timer, TimerPurpose } from "./types.ts";

const due = dueIn(DAY);
const managerOfAssignee = { kind: "managerOf", of: { kind: "assignee" }, level: 1 } as const;

function submitted(options: Partial<Approval>, ids: readonly string[] = ["a"]): Driver {
  const driver = new Driver(simple(approval([stage(users(...ids), "all")], options)), {
    'people:managerOf(["a"])': { people: ["m"] },
    'people:managerOf(["m"])': { people: ["n"] },
  });
  driver.start({ event: "submit" });
  return driver;
}

const count = (driver: Driver, kind: string): number => driver.story.filter((one) => one.kind === kind).length;

test("a deadline marks the task overdue once, and only while it is open", () => {
  const driver = submitted({ due });
  driver.advance(DAY - 1);
  assert.equal(count(driver, "overdue"), 0);
  driver.advance(1);
  assert.equal(count(driver, "overdue"), 1);
  assert.ok(driver.emitted.includes("task.overdue"));
  driver.advance(10 * DAY);
  assert.equal(count(driver, "overdue"), 1);
  const decided = submitted({ due });
  decided.decides("a", "approve");
  decided.advance(2 * DAY);
  assert.equal(count(decided, "overdue"), 0);
});

test("reminders come every so often, at most so often, and missed ones once", () => {
  const driver = submitted({ remind: { every: natural(4 * HOUR), atMost: 3 } });
  driver.advance(9 * HOUR);
  assert.equal(count(driver, "reminded"), 2);
  driver.advance(9 * DAY);
  assert.equal(count(driver, "reminded"), 3);
  const late = submitted({ remind: { every: natural(4 * HOUR) } });
  const [timer] = late.instance!.timers;
  late.at = START + 13 * HOUR;
  late.send({ kind: "timer", timer: timer!.id });
  assert.equal(count(late, "reminded"), 1);
  assert.equal(late.instance?.timers[0]?.dueAt, START + 16 * HOUR);
});

const step = (kind: "remind" | "approve" | "reject", ms: number): OverdueStep => ({ kind, after: natural(ms) });
const escalate = (ms: number): OverdueStep => ({ kind: "escalate", to: managerOfAssignee, after: natural(ms) });

test("overdue steps run in order of time from the deadline", () => {
  const driver = submitted({ due, overdue: [step("remind", 0), step("reject", 2 * DAY), escalate(DAY)] });
  driver.advance(DAY);
  assert.deepEqual(driver.kinds, ["overdue", "reminded"]);
  driver.advance(DAY);
  assert.deepEqual(driver.waiting, ["m"]);
  assert.equal(driver.task("a"), "expired");
  assert.equal(driver.instance?.round?.seats[0]?.task?.dueAt, START + DAY, "the deadline stays");
  assert.match(tell(driver.story.find((one) => one.kind === "escalated")!), /escalated the task of a to m/);
  driver.advance(DAY - 1);
  assert.equal(driver.instance?.state, "REVIEW");
  driver.advance(1);
  assert.equal(driver.instance?.state, "REJECTED");
  assert.equal(driver.task("m"), "expired");
  const decided = driver.story.findLast((one) => one.kind === "decided");
  assert.match(tell(decided!), /system rejected .*auto, overdue: reject after 2d/);
});

test("a deadline before the first step still marks the task overdue at its own time", () => {
  const driver = submitted({ due, overdue: [step("approve", HOUR)] });
  driver.advance(DAY);
  assert.deepEqual(driver.kinds, ["overdue"]);
  driver.advance(HOUR);
  assert.equal(driver.instance?.state, "APPROVED");
  assert.equal(count(driver, "overdue"), 1);
});

test("the list repeats, each pass from the end of the one before; then the seat waits", () => {
  const driver = submitted({ due, overdue: [step("remind", 0), escalate(DAY)], overdueRepeat: 1 });
  driver.advance(2 * DAY);
  assert.equal(count(driver, "escalated"), 1);
  assert.equal(count(driver, "reminded"), 2, "the second pass begins where the first ended");
  driver.advance(DAY);
  assert.deepEqual(driver.waiting, ["n"]);
  assert.equal(count(driver, "overdue"), 1);
  driver.advance(30 * DAY);
  assert.deepEqual(driver.waiting, ["n"], "n has no manager, and no pass is left");
  assert.deepEqual(driver.instance?.timers, []);
});

test("an escalation to nobody, to the holder, or that leaves too few, does nothing", () => {
  const to = (...ids: string[]): OverdueStep => ({ kind: "transfer", to: users(...ids), after: natural(0) });
  for (const steps of [to(), to("a")]) {
    const driver = submitted({ due, overdue: [steps] });
    driver.advance(DAY);
    assert.deepEqual(driver.waiting, ["a"]);
  }
  const other = submitted({ due, overdue: [to("a", "z")] });
  other.advance(DAY);
  assert.deepEqual(other.waiting, ["z"]);
  const review = approval([stage(users("a", "b"), quorum(2))], { due, overdue: [to("b")] });
  const few = new Driver(simple(review));
  few.start({ event: "submit" });
  few.advance(DAY);
  assert.deepEqual(few.waiting, ["a", "b"]);
});

test("an escalation to one who sits makes one seat of two", () => {
  const driver = submitted({ due, overdue: [{ kind: "transfer", to: users("b"), after: natural(0) }] }, ["a", "b"]);
  driver.decides("b", "approve");
  driver.advance(DAY);
  assert.equal(driver.instance?.state, "APPROVED");
});

const quick = (transitions: Parameters<typeof definition>[0]["transitions"]): Driver =>
  new Driver(
    definition({
      states: { DRAFT: "plain", WAIT: "plain", LATE: "final", OTHER: "final" },
      fields: [dataField("deadline", { kind: "datetime" }, { optional: true })],
      events: { go: ["deadline"] },
      transitions: [line("DRAFT", "WAIT", on("go")), line("WAIT", "OTHER", on("leave")), ...transitions],
    }),
  );

test("`after` counts from the entry, is gone when the state is left, and anew when it is entered again", () => {
  const driver = quick([line("WAIT", "LATE", after(DAY)), line("WAIT", "WAIT", on("stay"))]);
  driver.start({ event: "go" });
  driver.advance(DAY - 1);
  driver.event("stay");
  driver.advance(DAY - 1);
  assert.equal(driver.instance?.state, "WAIT");
  driver.advance(1);
  assert.equal(driver.instance?.state, "LATE");
  const left = quick([line("WAIT", "LATE", after(DAY))]);
  left.start({ event: "go" });
  const [timer] = left.instance!.timers;
  left.event("leave");
  left.at += DAY;
  left.send({ kind: "timer", timer: timer!.id });
  assert.equal(left.code, "finished");
});

test("a timer in `initial` starts with the instance", () => {
  const driver = quick([line("DRAFT", "LATE", after(DAY))]);
  driver.start();
  driver.advance(DAY);
  assert.equal(driver.instance?.outcome, "LATE");
});

test("a timer that is gone or not yet due is refused", () => {
  const driver = quick([line("WAIT", "LATE", after(DAY))]);
  driver.start({ event: "go" });
  driver.send({ kind: "timer", timer: "t9" });
  assert.equal(driver.code, "not-possible-in-state");
  driver.send({ kind: "timer", timer: driver.instance!.timers[0]!.id });
  assert.equal(driver.code, "not-possible-in-state");
});

test("at one instant the first line that applies is taken, and `else` sees the ones above", () => {
  for (const [ok, state] of [
    [true, "LATE"],
    [false, "OTHER"],
  ] as const) {
    const driver = quick([
      line("WAIT", "LATE", after(DAY), { condition: guard("g") }),
      line("WAIT", "OTHER", after(DAY), { otherwise: true }),
    ]);
    driver.world = { "guard:g": { ok } };
    driver.start({ event: "go" });
    driver.advance(DAY);
    assert.equal(driver.instance?.state, state);
  }
});

test("a timer whose condition fails is spent, and the history says why", () => {
  const driver = quick([line("WAIT", "LATE", after(DAY), { condition: guard("g") })]);
  driver.world = { "guard:g": { ok: false, reason: "too early" } };
  driver.start({ event: "go" });
  driver.advance(2 * DAY);
  assert.equal(driver.instance?.state, "WAIT");
  assert.deepEqual(driver.instance?.timers, []);
  assert.match(tell(driver.story.at(-1)!), /Nothing moved on a timed line: .*too early/);
});

test("a timer waits for an answer, and is refused while the function may recover", () => {
  const driver = quick([line("WAIT", "LATE", after(DAY), { condition: guard("g") })]);
  driver.start({ event: "go" });
  driver.at += DAY;
  const timer = driver.instance!.timers[0]!.id;
  driver.send({ kind: "timer", timer });
  assert.equal(driver.code, "needs");
  driver.world = { "guard:g": { failed: "down", retryable: true } };
  driver.send({ kind: "timer", timer });
  assert.equal(driver.code, "function-failed");
  driver.world = { "guard:g": { failed: "gone", retryable: false } };
  driver.send({ kind: "timer", timer });
  assert.equal(driver.code, "accepted");
});

test("an overdue step that the flow refuses is spent, and the next one comes", () => {
  const never: Expression = { kind: "literal", type: { kind: "bool" }, value: false };
  const driver = new Driver(
    simple(approval([stage(users("a"))], { due, overdue: [step("approve", 0), step("reject", DAY)] }), {
      transitions: [
        line("DRAFT", "REVIEW", on("submit")),
        line("REVIEW", "APPROVED", outcome("approved"), { condition: never }),
        line("REVIEW", "REJECTED", outcome("rejected")),
      ],
    }),
  );
  driver.start({ event: "submit" });
  driver.advance(DAY);
  assert.deepEqual(driver.waiting, ["a"]);
  assert.deepEqual(driver.kinds, ["not-moved"]);
  driver.advance(DAY);
  assert.equal(driver.instance?.state, "REJECTED");
});

test("`at` waits for the instant that the data names when the state is entered, `set` included", () => {
  const at: Expression = field("deadline", { kind: "datetime" });
  const driver = quick([line("WAIT", "LATE", { kind: "at", at })]);
  driver.start({ event: "go", data: { deadline: new Date(START + 3 * HOUR).toISOString() } });
  driver.advance(3 * HOUR - 1);
  assert.equal(driver.instance?.state, "WAIT");
  driver.advance(1);
  assert.equal(driver.instance?.state, "LATE");
  const past = quick([line("WAIT", "LATE", { kind: "at", at })]);
  past.start({ event: "go", data: { deadline: new Date(START - HOUR).toISOString() } });
  past.advance(0);
  assert.equal(past.instance?.state, "LATE", "late rather than never");
  const never = quick([line("WAIT", "LATE", { kind: "at", at })]);
  never.start({ event: "go" });
  assert.deepEqual(never.instance?.timers, [], "no instant, no timer");
});

test("`at` sees what the line that enters the state sets", () => {
  const at: Expression = field("deadline", { kind: "datetime" });
  const value: Expression = { kind: "literal", type: { kind: "datetime" }, value: START + DAY };
  const driver = new Driver(
    definition({
      states: { DRAFT: "plain", WAIT: "plain", LATE: "final" },
      fields: [
        dataField("deadline", { kind: "datetime" }, { optional: true }),
        dataField("x", text("").type, { optional: true }),
      ],
      transitions: [
        line("DRAFT", "WAIT", on("go"), { actions: [{ kind: "set", field: "deadline", value }] }),
        line("WAIT", "LATE", { kind: "at", at }),
      ],
    }),
  );
  driver.start({ event: "go" });
  assert.equal(driver.instance?.timers[0]?.dueAt, START + DAY);
});

test("timers fire by instant, then reminders, deadlines, overdue steps by list and seat, lines", () => {
  const timer = (dueAt: number, purpose: TimerPurpose): Timer => ({ id: JSON.stringify(purpose), dueAt, purpose });
  const ordered = [
    timer(1, { kind: "line", event: "x" }),
    timer(2, { kind: "remind", seat: 0 }),
    timer(2, { kind: "remind", seat: 1 }),
    timer(2, { kind: "due", seat: 0 }),
    timer(2, { kind: "overdue", seat: 1, step: 0, pass: 0 }),
    timer(2, { kind: "overdue", seat: 0, step: 1, pass: 0 }),
    timer(2, { kind: "line", event: "x" }),
  ];
  assert.deepEqual(ordered.toReversed().sort(compareTimers), ordered);
});
