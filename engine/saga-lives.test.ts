import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compile, type Definition } from "../dsl/index.ts";
import { replay } from "./replay.ts";
import { retryDelayMs } from "./saga-steps.ts";
import { tell } from "./story.ts";
import { DAY, Driver, HOUR } from "./testing.ts";
import type { Instance, Place, SagaRun } from "./types.ts";

const version = (label: string, review: string, wait: string): string => `
state machine "pay" {
  label: "${label}"
  data { amount: money; card: text secret }
  events { "submit" { amount, card }; "cancel" {}; "again" {} }
  initial: DRAFT
  states: [DRAFT, ${review}, PAYING, CHECK, JOINT, DONE, FAILED, CANCELLED]
  final: [DONE, FAILED, CANCELLED]
  state ${review} { approval by users("b") { allow: [returnTo, takeBack, withdraw] } }
  state PAYING { run saga "pay-out" }
  state CHECK { approval by users("c") { allow: [returnTo, withdraw, takeBack] } }
  state JOINT { parallel {
    branch one { initial: X1; states: [X1, Y1]; state X1 { run saga "small" }
      transitions { X1 → Y1 on done; X1 → Y1 on compensated } }
    branch two { initial: X2; states: [X2, Y2]; state X2 { approval by users("c", "d") { allow: [returnTo] } }
      transitions { X2 → Y2 on approved; X2 → Y2 on rejected; X2 → DRAFT on returned } }
    join all
  } }
  state DONE { revocable for 7d }
  transitions {
    DRAFT → ${review} on "submit"
    ${review} → PAYING on approved
    ${review}, CHECK → FAILED on rejected
    ${review}, CHECK → DRAFT on returned
    PAYING → CHECK on done
    PAYING → FAILED on compensated
    PAYING → CHECK after ${wait}
    CHECK → JOINT on approved
    JOINT → DONE on joined
    CHECK, JOINT → PAYING on "again"
    DONE → CANCELLED on withdrawn
    any → CANCELLED on "cancel"
  }
  ${label === "2" ? `migrate from label "1" { REVIEW → LOOK }` : ""}
}
`;

const FLOWS = `${version("1", "REVIEW", "3d")}${version("2", "LOOK", "1d")}
saga "pay-out" {
  step reserve(amount) undo release(amount) and note(amount) undo unnote()
  step transfer(card, amount) undo refund(card) retry 2 backoff 1s .. 30s jitter 25% timeout 10s
  step book() undo unbook() retry 1
  onStuck: assign users("op", "op2")
}
saga "small" {
  step pack() undo unpack() retry 1 backoff 1h
  step ship() undo unship()
  onStuck: assign users("op")
}
`;

function load(): { old: Definition; next: Definition } {
  const { definitions, diagnostics } = compile(FLOWS, "t.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
    [],
  );
  return {
    old: definitions.find(({ label }) => label === "1")!,
    next: definitions.find(({ label }) => label === "2")!,
  };
}

const { old: OLD, next: NEXT } = load();
const UNDOS: Readonly<Record<string, string>> = {
  reserve: "release",
  note: "unnote",
  transfer: "refund",
  book: "unbook",
  pack: "unpack",
  ship: "unship",
};

type Sent = Parameters<Driver["send"]>[0];
/** `report`: how one of the tries under way ends. `turn`: one of those who are waited for does what is asked. */
type Act = { sent: Sent } | { turn: number } | { advance: number } | { report: number; how: "ok" | "failed" | "late" };

const reason = { reason: "because" };
const commands: readonly Sent[] = [
  { kind: "event", event: "submit", payload: { amount: "70", card: "6333" } },
  { kind: "event", event: "again", payload: {} },
  ...["op", "op2"].map((actor): Sent => ({ kind: "decide", decision: "handle", actor })),
  ...["c", "d"].map((actor): Sent => ({ kind: "return", actor, to: { kind: "initiator" } })),
  ...["DRAFT", "REVIEW", "PAYING"].map((state): Sent => ({ kind: "return", actor: "c", to: { kind: "state", state } })),
  ...["b", "c"].map((actor): Sent => ({ kind: "take-back", actor })),
  { kind: "withdraw", actor: "alice" },
  { kind: "suspend", ...reason },
  { kind: "resume", ...reason },
  ...["PAYING", "REVIEW", "JOINT"].map((state): Sent => ({ kind: "jump", state, ...reason })),
  { kind: "set-saga", step: "transfer", arguments: { amount: "9", card: "6444" }, ...reason },
  { kind: "migrate", label: "2" },
];
const rarely: readonly Sent[] = [
  { kind: "event", event: "cancel", payload: {} },
  { kind: "void", ...reason },
  { kind: "decide", decision: "reject", actor: "c" },
];

const actsWhere = (...ends: readonly ("ok" | "failed" | "late")[]): fc.Arbitrary<Act[]> => {
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 8, arbitrary: fc.nat().map((turn) => ({ turn })) },
    { weight: 6, arbitrary: fc.constantFrom(...commands).map((sent) => ({ sent })) },
    { weight: 1, arbitrary: fc.constantFrom(...rarely).map((sent) => ({ sent })) },
    { weight: 10, arbitrary: fc.record({ report: fc.nat(), how: fc.constantFrom(...ends) }) },
    { weight: 5, arbitrary: fc.constantFrom(1_000, 30_000, HOUR, DAY).map((advance) => ({ advance })) },
  );
  return fc.array(act, { minLength: 5, maxLength: 80, size: "max" });
};
const lives = fc.oneof(
  actsWhere("ok"),
  actsWhere("ok", "ok", "failed", "late"),
  actsWhere("ok", "failed", "failed", "failed"),
);

/** The sagas of an instance, those of states it has left too. */
function runsOf(instance: Instance): SagaRun[] {
  const inside = ({ saga, branches = {} }: Place): SagaRun[] => [
    ...(saga ? [saga] : []),
    ...Object.values(branches).flatMap(inside),
  ];
  return [...inside(instance), ...(instance.undoing ?? []).flatMap(({ sagas }) => sagas.map(({ run }) => run))];
}

function underWay(instance: Instance): string[] {
  const steps = runsOf(instance).flatMap(({ items }) => items.flat());
  return steps.filter(({ status }) => status === "running" || status === "undoing").map(({ effect }) => effect);
}

class Life extends Driver {
  constructor() {
    super(OLD, { "flow:pay": { definition: NEXT.hash } }, [OLD, NEXT]);
  }

  override send(sent: Sent): ReturnType<Driver["send"]> {
    const { definition } = this;
    const mine = this.instance && this.instance.definition === NEXT.hash ? NEXT : OLD;
    (this as { definition: Definition }).definition = mine;
    const decision = super.send(sent);
    (this as { definition: Definition }).definition = definition;
    return decision;
  }

  act(one: Act): void {
    if ("turn" in one) this.takeTurn(one.turn);
    else if ("advance" in one) this.advance(one.advance);
    else if ("report" in one) this.report(one.report, one.how);
    else this.send(one.sent);
  }

  /** Tasks of those who are to undo something by hand among them. */
  private takeTurn(turn: number): void {
    const stuck = runsOf(this.instance!).flatMap(({ tasks = [] }) => tasks.map(({ assignee }) => assignee));
    const all = [...this.waiting, ...stuck];
    const actor = all[turn % all.length];
    if (actor === undefined) return;
    this.send({ kind: "decide", decision: stuck.includes(actor) ? "handle" : "approve", actor });
  }

  report(which: number, how: "ok" | "failed" | "late"): void {
    const all = underWay(this.instance!);
    const effect = all[which % all.length];
    if (effect === undefined) return;
    const report = { kind: "step" as const, ok: how === "ok", ...(how === "late" && { timedOut: true as const }) };
    this.send({ kind: "report", effect, report });
    assert.equal(this.last?.kind, "accepted");
  }
}

function begin(): Life {
  const life = new Life();
  life.start({ data: { amount: "100", card: "6222" }, event: "submit" });
  return life;
}

function live(acted: readonly Act[]): Life {
  const life = begin();
  for (const one of acted) {
    life.act(one);
    assertSound(life);
  }
  return life;
}

function assertSound({ instance, effects }: Life): void {
  const { timers, suspended, undoing, outcome } = instance!;
  const retried = new Set(
    [...timers, ...(suspended?.timers ?? [])].flatMap(({ purpose }) =>
      purpose.kind === "retry" ? [purpose.effect] : [],
    ),
  );
  const sent = new Set(effects.flatMap(({ kind, id }) => (kind === "step" ? [id] : [])));
  for (const { phase, items, tasks } of runsOf(instance!)) {
    const steps = items.flat();
    assert.ok(
      steps.filter(({ status }) => status.startsWith("undo") && status !== "undone").length <= 1,
      "one undo at a time",
    );
    assert.equal(
      phase === "stuck",
      steps.some(({ status }) => status === "stuck"),
    );
    assert.equal(phase === "stuck", (tasks ?? []).length > 0);
    for (const { status, effect } of steps) {
      assert.ok(sent.has(effect));
      if (!suspended) assert.equal(status.endsWith("retrying"), retried.has(effect), `${status} has a timer`);
    }
  }
  for (const { sagas, move } of undoing ?? [])
    assert.ok(sagas.length > 0 || suspended, `${JSON.stringify(move)} waits for nothing`);
  if (outcome !== undefined) for (const { purpose } of timers) assert.equal(purpose.kind, "retry");
}

test("whatever happens to a saga, nothing is thrown and every state is sound", () => {
  fc.assert(
    fc.property(lives, (acted) => {
      live(acted);
    }),
    { numRuns: 400 },
  );
});

test("histories with sagas and migrations replay to the same instance, from JSON too", () => {
  const versions = (hash: string): Definition | undefined => [OLD, NEXT].find((one) => one.hash === hash);
  fc.assert(
    fc.property(lives, (acted) => {
      const { history, instance } = live(acted);
      assert.deepEqual(replay(OLD, history, versions), instance);
      const stored = JSON.parse(JSON.stringify(history)) as typeof history;
      assert.deepEqual(replay(OLD, stored, versions), JSON.parse(JSON.stringify(instance)));
    }),
    { numRuns: 150 },
  );
});

/** Everything from here on succeeds, and people do what they are asked to. */
function comeToRest(life: Life): void {
  life.send({ kind: "resume", ...reason });
  for (let step = 0; step < 200; step++) {
    const { instance } = life;
    if (underWay(instance!).length > 0) life.report(0, "ok");
    else if (runsOf(instance!).some(({ tasks }) => tasks)) {
      const task = runsOf(instance!).find(({ tasks }) => tasks)!.tasks![0]!;
      life.send({ kind: "decide", decision: "handle", actor: task.assignee, task: task.id });
      assert.equal(life.last?.kind, "accepted");
    } else if (instance!.timers.some(({ purpose }) => purpose.kind === "retry")) life.advance(HOUR);
    else return;
  }
  assert.fail("it does not come to rest");
}

test("a saga comes to rest: no undo is tried for ever", () => {
  fc.assert(
    fc.property(lives, (acted) => {
      const life = live(acted);
      comeToRest(life);
      assert.equal(life.instance!.undoing, undefined);
    }),
    { numRuns: 150 },
  );
});

test("nothing is undone that was not done, and nothing twice", () => {
  fc.assert(
    fc.property(lives, (acted) => {
      const { story } = live(acted);
      const open = new Map<string, number>();
      const add = (name: string, by: number): void => void open.set(name, (open.get(name) ?? 0) + by);
      for (const line of story) {
        if (line.kind === "step-done") add(UNDOS[line.function]!, 1);
        else if (line.kind === "step-failed")
          add(UNDOS[line.function]!, 1); // It may have timed out: at most once for each.
        else if (line.kind === "undone") add(line.function, -1);
        for (const [name, count] of open) assert.ok(count >= 0, `${name} was undone too often`);
      }
    }),
    { numRuns: 150 },
  );
});

test("what is voided has all that was done undone, each in reverse", () => {
  fc.assert(
    fc.property(actsWhere("ok"), (acted) => {
      const life = live(acted);
      life.send({ kind: "void", ...reason });
      if (life.last?.kind !== "accepted") return;
      comeToRest(life);
      const done = (kind: "step-done" | "undone"): string[] =>
        life.story.flatMap((line) => (line.kind === kind ? [line.function] : []));
      assert.deepEqual(
        done("step-done")
          .map((name) => UNDOS[name])
          .sort(),
        done("undone").sort(),
      );
    }),
    { numRuns: 150 },
  );
});

test("undoing goes in the reverse order of doing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 }), (reports) => {
      const life = begin();
      life.decides("b", "approve");
      for (let step = 0; step < reports; step++) life.report(0, "ok");
      life.event("cancel", "alice");
      comeToRest(life);
      const begun = life.story.flatMap((line) => (line.kind === "step-begun" ? [UNDOS[line.function]!] : []));
      const undone = life.story.flatMap((line) => (line.kind === "undone" ? [line.function] : []));
      assert.deepEqual(undone, begun.toReversed());
    }),
  );
});

test("no secret is told or kept outside the data", () => {
  fc.assert(
    fc.property(lives, (acted) => {
      const { story, instance } = live(acted);
      for (const line of story) assert.doesNotMatch(tell(line), /6222|6333|6444|undefined/);
      assert.doesNotMatch(JSON.stringify({ ...instance, data: {}, recent: [] }), /6222|6333|6444/);
    }),
    { numRuns: 100 },
  );
});

test("the wait doubles from the first to the last, varies by the jitter, and is the same for the same try", () => {
  const policies = fc.record({
    fromMs: fc.integer({ min: 1, max: 10_000 }),
    toMs: fc.integer({ min: 10_000, max: 100_000 }),
    jitter: fc.constantFrom(0, 0.25, 1),
  });
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 50 }), fc.string(), ({ fromMs, toMs, jitter }, tries, seed) => {
      const backoff = { fromMs, toMs };
      const plain = retryDelayMs({ backoff }, tries, [seed]);
      assert.equal(plain, Math.min(fromMs * 2 ** (tries - 1), toMs));
      const delay = retryDelayMs({ backoff, jitter }, tries, [seed]);
      assert.ok(delay >= Math.floor(plain * (1 - jitter)) && delay <= Math.ceil(plain * (1 + jitter)));
      assert.equal(retryDelayMs({ backoff, jitter }, tries, [seed]), delay);
    }),
  );
  assert.deepEqual(
    [1, 2, 3, 9].map((tries) => retryDelayMs({}, tries, [])),
    [1_000, 2_000, 4_000, 30_000],
  );
});
