import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compile, type Definition } from "../../dsl/index.ts";
import { prepare } from "../prepare.ts";
import { Simulation } from "../simulation.ts";
import { type ExplainedPlace, explainInstance } from "./explain-instance.ts";
import { tellInstance } from "./tell-explanation.ts";

const FLOW = `
matrix signers(amount: money) {
  amount       → who
  [0, 100)     → users("ann")
  [100, ..)    → users("ann") then users("ben", "cid") all
}
state machine "order" {
  data { amount: money; code: text secret }
  events { "pay" { amount } }
  initial: NEW
  states: [NEW, SIGN, PAY, CHECK, DONE, NO]
  final: [DONE, NO]
  state SIGN { approval by signers(amount) { due: 2d; remind: every 1d; overdue: [escalate to users("zoe") after 1d] } }
  state CHECK { parallel {
    branch legal { initial: READ; states: [READ, OK]; state READ { approval by group("legal") }; transitions { READ → OK on approved
      READ → NO on rejected } }
    branch sub { initial: RUN; states: [RUN, OK]; state RUN { run flow "child" }; transitions { RUN → OK on done } }
    join all
  } }
  transitions {
    NEW → SIGN on "go" by initiator
    SIGN → PAY on approved
    SIGN → NO on rejected
    SIGN → NO after 30d
    PAY → CHECK on "pay" by users("cfo") if amount >= 50 and isOk()
    CHECK → DONE on joined
  }
}
state machine "child" {
  initial: WAIT
  states: [WAIT, END]
  state WAIT { approval by users("kim") }
  transitions { WAIT → END on approved
    WAIT → END on rejected }
}
`;

const { definitions } = compile(FLOW, "order.flow");
const ORDER = definitions.find(({ flow }) => flow === "order")!;
const AT = Date.parse("2026-01-05T09:00:00+08:00");

/** An order of this amount after these steps. */
function order(amount: string, ...steps: ((simulation: Simulation) => void)[]) {
  const simulation = new Simulation(definitions, AT);
  simulation.world.give({ kind: "answer", name: "isOk", answer: { ok: true } });
  const run = simulation.run(ORDER, "k");
  simulation.start(run, { id: "ina" }, { amount, code: "6222" });
  for (const step of steps) step(simulation);
  return { instance: run.instance!, now: simulation.now, versions: simulation.version };
}

const event =
  (name: string, by = "ina") =>
  (simulation: Simulation) =>
    assert.equal(simulation.command(only(simulation), { kind: "event", event: name, payload: {} }, by), undefined);
const approve = (user: string) => (simulation: Simulation) =>
  assert.equal(simulation.command(only(simulation), { kind: "decide", decision: "approve" }, user), undefined);
const only = (simulation: Simulation) => simulation.all()[0]!;

function places({ instance, now, versions }: ReturnType<typeof order>, definition: Definition = ORDER) {
  return explainInstance(definition, instance, now, versions).places;
}

const choice = (place: ExplainedPlace, what: string) => place.choices.find((one) => one.what === what)!;

describe("explainInstance", () => {
  it("names the stage, its seats and its timers", () => {
    const [place] = places(order("120", event("go"), approve("ann")));
    assert.deepEqual(place!.path, ["NEW", "SIGN"]);
    const { round, timers } = place!;
    assert.equal(round?.asks, 'users("ben", "cid") all');
    assert.deepEqual([round?.stage, round?.stages, round?.number], [2, 2, 1]);
    assert.deepEqual(
      round?.seats.map(({ person, status, dueAt }) => [person, status, dueAt]),
      ["ben", "cid"].map((person) => [person, "open", AT + 2 * 86_400_000]),
    );
    const told = timers.map(({ does }) => does);
    assert.ok(told.includes("moves after 30d to `NO`"), told.join("\n"));
    assert.ok(told.some((text) => text.startsWith("escalate for `ben`")));
  });

  it("says which event would move it, by whom, and which condition fails", () => {
    const [place] = places(order("49.99", event("go"), approve("ann")));
    assert.equal(place!.state, "PAY");
    const { alternatives, outcomes, nearest } = choice(place!, 'on "pay"');
    assert.equal(alternatives[0]!.by, 'users("cfo")');
    assert.deepEqual(outcomes, [{ when: [] }]);
    assert.deepEqual(
      alternatives[0]!.comparisons.map(({ text, holds }) => [text, holds]),
      [
        ["amount >= 50", false],
        ["isOk()", undefined],
      ],
    );
    assert.deepEqual(
      nearest.map(({ text }) => text),
      ["amount = 50"],
    );
  });

  it("counts what must not be seen as unknown", () => {
    const { instance, now, versions } = order("49.99", event("go"), approve("ann"));
    const { places: found } = explainInstance(ORDER, instance, now, versions, () => new Set(["amount"]));
    const { outcomes, alternatives } = choice(found[0]!, 'on "pay"');
    assert.ok(outcomes.length > 1);
    assert.deepEqual(alternatives[0]!.comparisons[0], { text: "amount >= 50", values: {}, unknown: ["amount"] });
    assert.ok(!JSON.stringify(found).includes("49.99"));
  });

  it("looks into branches and sub-flows", () => {
    const found = places(order("60", event("go"), approve("ann"), event("pay", "cfo")));
    assert.deepEqual(
      found.map(({ place, flow, state }) => [place, flow, state]),
      [
        ["", "order", "CHECK"],
        ["legal", "order", "READ"],
        ["sub", "order", "RUN"],
        ["sub/1", "child", "WAIT"],
      ],
    );
    const [own, legal, sub] = found;
    assert.deepEqual(own!.waitsFor, ["branch `legal`, which is in `READ`", "branch `sub`, which is in `RUN`"]);
    assert.equal(legal!.round?.held.length, 1);
    assert.deepEqual(sub!.waitsFor, ["flow `child`, which is in `WAIT`"]);
  });

  it("has nothing more to say once it has finished", () => {
    const done = order("5", event("go"), (simulation) => {
      simulation.command(only(simulation), { kind: "decide", decision: "reject" }, "ann");
    });
    const explanation = explainInstance(ORDER, done.instance, done.now);
    assert.deepEqual([explanation.outcome, explanation.places], ["NO", []]);
    assert.deepEqual(tellInstance(explanation), ["`order` has finished in `NO` with `NO`; nothing moves it any more."]);
  });

  it("says that it is suspended, and since when", () => {
    const stopped = order("5", event("go"), (simulation) => {
      simulation.command(only(simulation), { kind: "suspend", reason: "audit" }, "admin");
    });
    const explanation = explainInstance(ORDER, stopped.instance, stopped.now);
    assert.equal(explanation.suspendedSince, AT);
    assert.match(tellInstance(explanation)[0]!, /suspended since 2026-01-05T09:00:00\+08:00/);
    assert.ok(explanation.places[0]!.timers.length > 0);
  });

  it("is told in sentences, without secrets", () => {
    const there = order("120", event("go"), approve("ann"));
    const explanation = explainInstance(ORDER, there.instance, there.now, there.versions);
    const text = tellInstance(explanation).join("\n");
    assert.match(text, /`order` is in `SIGN` since 2026-01-05T09:00:00\+08:00, by NEW → SIGN\./);
    assert.match(text, /Stage 2 of 2, users\("ben", "cid"\) all, waits for ben \(due .*\), cid/);
    assert.ok(!JSON.stringify(explanation).includes("6222"));
    assert.ok(prepare(ORDER).fields.get("code")?.secret);
  });
});
