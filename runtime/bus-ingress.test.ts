import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BusIngress, type IngressPorts, UNDER_WAY_MAX } from "./bus-ingress.ts";
import { HeldBack } from "./commands.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { type BusMessage, type DeadLetter, type Headers, type OutMessage, StoreUnavailable } from "./ports.ts";
import { KEYS, SetClock } from "./testing.ts";
import type { Envelope, Reply } from "./turn.ts";

const ACCEPTED = { kind: "accepted" } as Reply; // The ingress looks at nothing else of it.
const AWAY: Reply = {
  kind: "refused",
  refusal: { kind: "refused", code: "function-failed", message: "away", retryable: true },
};

interface Sent extends BusMessage {
  readonly key: string;
}

/** An ingress whose commands are answered by hand, and what became of its messages. */
class World {
  readonly submitted: { readonly envelope: Envelope; answer(reply: Reply): void; fail(error: Error): void }[] = [];
  readonly settled: string[] = [];
  readonly letters: DeadLetter[] = [];
  readonly errors: unknown[] = [];
  readonly ingress: BusIngress;
  #sequence = 0;

  constructor(more: { forward?: (message: OutMessage) => Promise<void> } = {}) {
    this.ingress = new BusIngress({ ...this.#ports, ...more });
  }

  readonly #ports: IngressPorts = {
    clock: new SetClock(),
    directory: embeddedDirectory(SEEDED_PEOPLE),
    keys: KEYS,
    activeDefinition: () => undefined,
    submit: (envelope) =>
      new Promise((answer, fail) => {
        this.submitted.push({ envelope, answer, fail });
      }),
    deadLetter: async (letter) => void this.letters.push(letter),
    onError: (error) => this.errors.push(error),
  };

  message(key: string, headers: Headers = {}, deliveries = 1): Sent {
    const name = `${key}#${++this.#sequence}`;
    return {
      key: name,
      subject: `assent.in.default.leave.submit.${key}`,
      headers,
      body: Buffer.from("{}"),
      sequence: String(this.#sequence),
      deliveries,
      ack: () => void this.settled.push(`ack ${name}`),
      retry: () => void this.settled.push(`retry ${name}`),
    };
  }

  /** As {@link answer}, with an error. */
  async fail(error: Error): Promise<void> {
    this.submitted.shift()!.fail(error);
    await turnOfTheLoop();
  }

  /** Answers the oldest that waits. */
  async answer(reply: Reply): Promise<void> {
    this.submitted.shift()!.answer(reply);
    await turnOfTheLoop();
  }
}

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("messages of the bus", () => {
  test("of one batch are submitted at once, those of one instance as a series; later ones wait behind it", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A"), world.message("B"), world.message("A")]);
    await world.ingress.handle([world.message("A"), world.message("C")]);
    const [first, second, ofB] = world.submitted.map(({ envelope }) => envelope);
    assert.equal(world.submitted.length, 4);
    assert.equal(first!.series, second!.series);
    assert.notEqual(first!.series, ofB!.series);
    for (let n = 0; n < 5; n++) await world.answer(ACCEPTED);
    assert.deepEqual(world.settled, ["ack A#1", "ack A#3", "ack B#2", "ack C#5", "ack A#4"]);
  });

  test("behind one that goes to the dead letters are decided after it, in order", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A", {}, 5), world.message("A"), world.message("A")]);
    await world.answer(AWAY);
    for (let n = 0; n < 2; n++) await world.fail(new HeldBack());
    assert.deepEqual(world.settled, ["ack A#1"]);
    assert.equal(world.letters.length, 1);
    for (let n = 0; n < 2; n++) await world.answer(ACCEPTED);
    assert.deepEqual([world.settled, world.errors], [["ack A#1", "ack A#2", "ack A#3"], []]);
  });

  test("one that has to be tried again takes those behind it along, in order, and no others", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A"), world.message("A"), world.message("B")]);
    await world.ingress.handle([world.message("A")]);
    await world.answer(AWAY);
    await world.fail(new HeldBack());
    await world.answer(ACCEPTED);
    assert.deepEqual(world.settled, ["retry A#1", "retry A#2", "retry A#4", "ack B#3"]);
    assert.deepEqual(world.submitted, []);
    await world.ingress.handle([world.message("A")]);
    await world.answer(ACCEPTED);
    assert.equal(world.settled.at(-1), "ack A#5");
  });

  test("more are taken until too many are under way, and again when some are settled", async () => {
    const world = new World();
    const batch = Array.from({ length: UNDER_WAY_MAX - 1 }, (_, n) => world.message(`k${n}`));
    await world.ingress.handle(batch);
    let taken = false;
    const handled = world.ingress.handle([world.message("last")]).then(() => {
      taken = true;
    });
    await turnOfTheLoop();
    assert.equal(taken, false);
    await world.answer(ACCEPTED);
    await handled;
    assert.equal(world.submitted.length, UNDER_WAY_MAX - 1);
  });

  test("that wait behind one of their own instance take nobody's place: a hot instance does not slow the others", async () => {
    const world = new World();
    await world.ingress.handle(Array.from({ length: 3 * UNDER_WAY_MAX }, () => world.message("hot")));
    await world.ingress.handle([world.message("B"), world.message("C")]);
    assert.deepEqual(
      world.submitted.map(({ envelope }) => envelope.orStart?.kind === "start" && envelope.orStart.key),
      [...Array.from({ length: 64 }, () => "hot"), "B", "C"],
    );
  });

  test("that are under way are waited for at the end; those behind them are left to the stream", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A"), world.message("B")]);
    await world.ingress.handle([world.message("A")]);
    let ended = false;
    const stopped = world.ingress.stop().then(() => {
      ended = true;
    });
    await world.answer(ACCEPTED);
    assert.equal(ended, false);
    await world.answer(ACCEPTED);
    await stopped;
    assert.deepEqual([world.settled, world.submitted], [["ack A#1", "ack B#2"], []]);
    await new World().ingress.stop();
  });

  test("that fail for too long, or can't be read, go to the dead letters and are acked", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A", {}, 5), { ...world.message("B"), body: Buffer.from("[]") }]);
    await world.answer(AWAY);
    assert.deepEqual(world.letters.map(({ reason }) => reason).toSorted(), [
      "function-failed: away",
      "the event's data is a list, not an object",
    ]);
    assert.deepEqual(world.settled.toSorted(), ["ack A#1", "ack B#2"]);
  });

  test("that make something fail again and again go to the dead letters; while the store is away they wait", async () => {
    const world = new World();
    const deliver = (deliveries: number) => world.ingress.handle([world.message("A", {}, deliveries)]);
    await deliver(4);
    await world.fail(new Error("a bug"));
    await deliver(99);
    await world.fail(new StoreUnavailable("away"));
    assert.deepEqual([world.settled, world.letters], [["retry A#1", "retry A#2"], []]);
    await deliver(5);
    await world.fail(new Error("a bug"));
    assert.deepEqual([world.settled.at(-1), world.letters[0]?.reason], ["ack A#3", "Error: a bug"]);
    assert.equal(world.errors.length, 3);
  });

  test("without a key in their subject are sent on where the stream is sorted by it, and acked then", async () => {
    const sent: OutMessage[] = [];
    let isAway = true;
    const forward = async (message: OutMessage): Promise<void> => {
      if (isAway) throw new Error("away");
      sent.push(message);
    };
    const world = new World({ forward });
    const keyless = (key: string) => ({
      ...world.message("A", { "Assent-Key": key, "Nats-Msg-Id": "m1" }),
      subject: "assent.in.default.leave.submit",
    });
    await world.ingress.handle([keyless("K-1")]);
    await turnOfTheLoop();
    assert.deepEqual(world.settled, ["retry A#1"]);
    isAway = false;
    await world.ingress.handle([keyless("K-1"), keyless("K".repeat(3_000)), world.message("B")]);
    await turnOfTheLoop();
    assert.deepEqual(
      sent.map(({ subject }) => subject),
      ["assent.in.default.leave.submit.K-1"],
    );
    assert.match(world.letters[0]!.reason, /too long/);
    assert.deepEqual(world.settled.slice(1), ["ack A#2", "ack A#3"]);
    assert.equal(world.submitted.length, 1, "what has its key is decided");
  });

  test("carry on their trace, and the tag of the instance that they start", async () => {
    const world = new World();
    const headers = { traceparent: "00-1-2-01", "x-gray-tag": "beta", "Assent-Initiator": "alice" };
    await world.ingress.handle([world.message("A", headers), world.message("B")]);
    const [tagged, plain] = world.submitted.map(({ envelope }) => envelope);
    assert.equal(tagged?.traceparent, "00-1-2-01");
    const start = tagged?.orStart;
    assert.ok(start?.kind === "start");
    assert.deepEqual([start.tag, start.initiator.id, start.key, start.event], ["beta", "alice", "A", "submit"]);
    assert.equal(plain?.traceparent, undefined);
    assert.ok(plain?.orStart?.kind === "start" && plain.orStart.tag === undefined);
  });
});
