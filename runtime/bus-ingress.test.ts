import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BusIngress, UNDER_WAY_MAX } from "./bus-ingress.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import type { BusMessage, DeadLetter, Headers } from "./ports.ts";
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
  readonly submitted: { readonly envelope: Envelope; answer(reply: Reply): void }[] = [];
  readonly settled: string[] = [];
  readonly letters: DeadLetter[] = [];
  readonly errors: unknown[] = [];
  readonly ingress = new BusIngress({
    clock: new SetClock(),
    directory: embeddedDirectory(SEEDED_PEOPLE),
    keys: KEYS,
    activeDefinition: () => undefined,
    submit: (envelope) =>
      new Promise((answer) => {
        this.submitted.push({ envelope, answer });
      }),
    deadLetter: async (letter) => void this.letters.push(letter),
    onError: (error) => this.errors.push(error),
  });
  #sequence = 0;

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

  /** Answers the oldest that waits. */
  async answer(reply: Reply): Promise<void> {
    this.submitted.shift()!.answer(reply);
    await turnOfTheLoop();
  }
}

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("messages of the bus", () => {
  test("of several instances are submitted at once, of one instance one after the other, across batches too", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A"), world.message("B"), world.message("A")]);
    await world.ingress.handle([world.message("A"), world.message("C")]);
    assert.equal(world.submitted.length, 3);
    for (let n = 0; n < 5; n++) await world.answer(ACCEPTED);
    assert.deepEqual(world.settled, ["ack A#1", "ack B#2", "ack C#5", "ack A#3", "ack A#4"]);
  });

  test("one that has to be tried again takes those behind it along, in order, and no others", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A"), world.message("A"), world.message("B")]);
    await world.ingress.handle([world.message("A")]);
    await world.answer(AWAY);
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

  test("that are under way are waited for at the end; those behind them are left to the stream", async () => {
    const world = new World();
    await world.ingress.handle([world.message("A"), world.message("A"), world.message("B")]);
    let ended = false;
    const stopped = world.ingress.stop().then(() => {
      ended = true;
    });
    await world.answer(ACCEPTED);
    assert.equal(ended, false);
    await world.answer(ACCEPTED);
    await stopped;
    assert.deepEqual([world.settled, world.submitted], [["ack A#1", "ack B#3"], []]);
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
