import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InProcessBus } from "../bus/in-process-bus.ts";
import type { Answer, FunctionQuestion, ServiceInstance } from "../ports.ts";
import { SetClock } from "../testing.ts";
import { OPEN_BASE_MS } from "./circuit.ts";
import { Services } from "./services.ts";

/** Who is asked for a function, and who instead. */

class World {
  readonly bus = new InProcessBus();
  readonly clock = Object.assign(new SetClock(), { steadyMs: () => this.steadyMs });
  readonly services = new Services({ bus: this.bus, clock: this.clock, urls: {} });
  readonly asked: string[] = [];
  steadyMs = 0;

  /** A service that answers with its name. */
  async serve(subject: string, metadata: ServiceInstance["metadata"] = {}): Promise<void> {
    await this.answering(subject, () => JSON.stringify({ value: subject }), metadata);
  }

  async answering(
    subject: string,
    answer: () => string | Promise<string>,
    metadata: ServiceInstance["metadata"] = {},
  ): Promise<void> {
    const noted = (): string | Promise<string> => {
      this.asked.push(subject);
      return answer();
    };
    await this.bus.serve(`assent.svc.${subject}`, noted, metadata);
  }

  ask(about: Partial<FunctionQuestion["context"]> = {}, deadlineAt?: number): Promise<Answer> {
    return this.services.answer(question(about), deadlineAt === undefined ? {} : { deadlineAt });
  }

  perform(services: readonly string[], timeoutMs = 1_000): Promise<void> {
    return this.services.perform("score", [], question({ services }).context, { key: "k", timeoutMs });
  }
}

const question = (about: Partial<FunctionQuestion["context"]>): FunctionQuestion => ({
  key: "value:score()",
  kind: "value",
  name: "score",
  arguments: [],
  context: {
    ...{ tenant: "t", flow: "loan", instance: "i", key: "k", state: "DRAFT", initiator: { id: "alice" } },
    ...{ data: {}, services: [], at: 0 },
    ...about,
  },
});

const CN = { role: "bank", zone: "cn" };
const DE = { role: "bank", zone: "de" };

describe("by labels", () => {
  test("one that carries all of them is asked, though others serve the function too", async () => {
    const world = new World();
    await world.serve("a.score", DE);
    await world.serve("b.score", CN);
    await world.serve("c.other", CN);
    assert.deepEqual(await world.ask({ selectors: [{ zone: "cn", role: "bank" }] }), { value: "b.score" });
  });

  test("of several the one that was asked less", async () => {
    const world = new World();
    await world.serve("a.score", CN);
    await world.serve("b.score", { ...CN, more: "x" });
    for (let n = 0; n < 6; n++) await world.ask({ selectors: [{ role: "bank" }] });
    assert.deepEqual(world.asked.toSorted(), ["a.score", "a.score", "a.score", "b.score", "b.score", "b.score"]);
  });

  test("where one of them asks for it, requests about an instance go to the same", async () => {
    const world = new World();
    for (const name of ["a", "b", "c"]) await world.serve(`${name}.score`, { ...CN, choice: "sticky" });
    const homes = new Set<string>();
    for (const instance of ["i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8"]) {
      const asks = [1, 2, 3].map(() => world.ask({ instance, selectors: [{ role: "bank" }] }));
      const answers = new Set((await Promise.all(asks)).map((answer) => JSON.stringify(answer)));
      assert.equal(answers.size, 1);
      homes.add([...answers][0]!);
    }
    assert.ok(homes.size > 1);
  });

  test("nobody carries them now: somebody may later", async () => {
    const world = new World();
    await world.serve("a.other", CN);
    const failed = 'no service with the labels {"role":"notary"} serves `score`';
    assert.deepEqual(await world.ask({ selectors: [{ role: "notary" }] }), { failed, retryable: true });
    await world.serve("b.score", { role: "notary" });
    world.steadyMs += 1_000;
    assert.deepEqual(await world.ask({ selectors: [{ role: "notary" }] }), { value: "b.score" });
  });

  test("one that stops is left out, and the other serves", async () => {
    const world = new World();
    const end = await world.bus.serve("assent.svc.a.score", () => '{"value":1}', CN);
    await world.serve("b.score", CN);
    await world.ask({ selectors: [CN] });
    end();
    for (let n = 0; n < 4; n++) assert.deepEqual(await world.ask({ selectors: [CN] }), { value: "b.score" });
  });
});

describe("without a name", () => {
  test("the one registered service that serves it is asked", async () => {
    const world = new World();
    await world.serve("a.other");
    await world.serve("b.score");
    assert.deepEqual(await world.ask(), { value: "b.score" });
  });

  test("several that serve it are none, and both are named", async () => {
    const world = new World();
    await world.serve("a.score");
    await world.serve("b.score");
    const failed = "`a` and `b` serve `score`: name one of them in the event's `routes`";
    assert.deepEqual(await world.ask(), { failed, retryable: false });
    assert.deepEqual(await world.ask({ services: ["b"] }), { value: "b.score" });
  });
});

describe("processes of one service", () => {
  test("that take requests for themselves are chosen among, and asked together where none of them is left", async () => {
    const world = new World();
    const ends = await Promise.all(
      ["p1", "p2"].map((id) => world.bus.serve(`assent.svc.a.score.${id}`, () => JSON.stringify({ value: id }))),
    );
    await world.serve("a.score");
    await world.services.known.look();
    const answers = [await world.ask({ services: ["a"] }), await world.ask({ services: ["a"] })];
    assert.deepEqual(answers, [{ value: "p1" }, { value: "p2" }]);
    for (const end of ends) end();
    assert.deepEqual(await world.ask({ services: ["a"] }), { value: "a.score" });
  });
});

describe("one that fails", () => {
  const failing = async (world: World, times: number): Promise<void> => {
    for (let n = 0; n < times; n++) await world.ask({ services: ["a"] });
  };

  test("again and again is not asked for a while, which is told; then it is tried, and asked as before when it answers", async () => {
    const world = new World();
    let broken = true;
    await world.answering("a.score", () => (broken ? '{"error":"no database","retryable":true}' : '{"value":1}'));
    await failing(world, 5);
    assert.equal(world.asked.length, 5);
    world.steadyMs += OPEN_BASE_MS - 300;
    const failed = "the service `a` failed again and again and is not asked now";
    assert.deepEqual(await world.ask({ services: ["a"] }), { failed, retryable: true, retryAfterMs: 300 });
    assert.equal(world.asked.length, 5);
    broken = false;
    world.steadyMs += 300;
    assert.deepEqual(await world.ask({ services: ["a"] }), { value: 1 });
    assert.deepEqual(await world.ask({ services: ["a"] }), { value: 1 });
  });

  test("is tried by one call, while others wait", async () => {
    const world = new World();
    const answers: ((text: string) => void)[] = [];
    await world.answering("a.score", () => new Promise((resolve) => answers.push(resolve)));
    for (let n = 0; n < 5; n++) {
      const asked = world.ask({ services: ["a"] });
      await new Promise((resolve) => setImmediate(resolve));
      answers.shift()!('{"error":"no","retryable":true}');
      await asked;
    }
    world.steadyMs += OPEN_BASE_MS;
    const tried = world.ask({ services: ["a"] });
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok("failed" in (await world.ask({ services: ["a"] })));
    answers.shift()!('{"value":2}');
    assert.deepEqual(await tried, { value: 2 });
    assert.equal(world.asked.length, 6);
  });

  test("gives way to another with the labels", async () => {
    const world = new World();
    await world.answering("a.score", () => '{"error":"no database","retryable":true}', CN);
    await world.serve("b.score", CN);
    for (let n = 0; n < 12; n++) assert.deepEqual(await world.ask({ selectors: [CN] }), { value: "b.score" });
    assert.equal(world.asked.filter((name) => name === "a.score").length, 5);
  });

  test("by a no of its own is asked on", async () => {
    const world = new World();
    await world.answering("a.score", () => '{"error":"unknown customer","retryable":false}');
    await failing(world, 8);
    assert.equal(world.asked.length, 8);
  });
});

describe("deadlines", () => {
  test("after it nobody is asked", async () => {
    const world = new World();
    await world.serve("a.score");
    const failed = "the deadline passed before `a` was asked for `score`";
    const late = await world.ask({ services: ["a"] }, world.clock.ms);
    assert.deepEqual([late, world.asked], [{ failed, retryable: true }, []]);
  });

  test("the service is told the command's, where that is sooner", async () => {
    const world = new World();
    const deadlines: string[] = [];
    await world.bus.serve("assent.svc.a.score", (body) => {
      deadlines.push((JSON.parse(body) as { deadline: string }).deadline);
      return '{"value":1}';
    });
    await world.ask({ services: ["a"] }, world.clock.ms + 1_500);
    await world.ask({ services: ["a"] });
    const { ms } = world.clock;
    assert.deepEqual(
      deadlines,
      [ms + 1_500, ms + 5_000].map((at) => new Date(at).toISOString()),
    );
  });
});

test("an action that one service may have done is not handed to another", async () => {
  const world = new World();
  await world.answering("a.score", () => new Promise(() => {}));
  await world.serve("b.score");
  await assert.rejects(world.perform(["a", "b"], 20), { missed: "no-answer" });
  await assert.rejects(world.perform(["nobody", "a"], 20), { missed: "no-answer" });
  await world.perform(["nobody", "b"]);
  assert.deepEqual(world.asked, ["a.score", "a.score", "b.score"]);
});

describe("an event of a route", () => {
  const deliver = (world: World, functions: readonly string[] = []): Promise<void> =>
    world.services.deliver(
      { id: "i:1:0", kind: "deliver", target: { kind: "selector", labels: CN }, event: "go", data: {}, functions },
      "i",
    );

  test("goes to one that carries the labels and takes events", async () => {
    const world = new World();
    await world.answering("a.event", () => '{"ok":true}', DE);
    await world.answering("b.event", () => '{"ok":true}', CN);
    await world.answering("c.score", () => '{"ok":true}', CN);
    await deliver(world);
    assert.deepEqual(world.asked, ["b.event"]);
  });

  test("does not go to one that serves a function of the transition: it was asked for that", async () => {
    const world = new World();
    await world.answering("b.event", () => '{"ok":true}', CN);
    await world.answering("b.score", () => '{"ok":true}', CN);
    await deliver(world, ["score"]);
    assert.deepEqual(world.asked, []);
  });

  test("waits where nobody carries them", async () => {
    await assert.rejects(deliver(new World()), { how: "away" });
  });
});
