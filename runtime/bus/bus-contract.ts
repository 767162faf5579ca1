import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { Bus, BusMessage, Headers, OutMessage } from "../ports.ts";
import { NoResponders, NotSendable, RequestTimedOut, ServiceFailed } from "./bus-errors.ts";

/** What every bus keeps. Subjects carry a number, so that cases of one suite don't meet on a shared server. */

export interface BusUnderTest {
  readonly name: string;
  /** A bus on an empty stream. */
  open(options: { readonly unsettledMax?: number; readonly onProblem?: (error: unknown) => void }): Promise<Bus>;
  /** Ends the consuming of the bus as a restart does, and gives the bus that goes on from there. */
  restart(bus: Bus): Promise<Bus>;
  readonly skip: string | false;
}

export function describeBus(under: BusUnderTest): void {
  describe(`the bus contract: ${under.name}`, { skip: under.skip, timeout: 60_000 }, () => {
    const opened: Bus[] = [];
    async function open(options: Parameters<BusUnderTest["open"]>[0] = {}): Promise<Bus> {
      const bus = await under.open(options);
      opened.push(bus);
      return bus;
    }
    afterEach(async () => {
      for (const bus of opened.splice(0)) await bus.close();
    });

    test("what is published reaches those who subscribed to it", async () => {
      const bus = await open();
      const everything = new Arrivals<OutMessage>();
      const ofOneFlow = new Arrivals<OutMessage>();
      await bus.subscribe("assent.out.t.>", everything.add);
      const unsubscribe = await bus.subscribe("assent.out.t.leave.*", ofOneFlow.add);
      await bus.publish([out("assent.out.t.leave.approved", "o-1"), out("assent.out.t.po.approved", "o-2")]);
      await everything.reach(2);
      assert.deepEqual(everything.items, [
        out("assent.out.t.leave.approved", "o-1"),
        out("assent.out.t.po.approved", "o-2"),
      ]);
      await ofOneFlow.reach(1);
      unsubscribe();
      await bus.publish([out("assent.out.t.leave.approved", "o-3")]);
      await everything.reach(3);
      assert.deepEqual(ids(ofOneFlow.items), ["o-1"]);
    });

    test("a listener that fails disturbs nobody else", async () => {
      const problems = new Arrivals<unknown>();
      const bus = await open({ onProblem: problems.add });
      const arrivals = new Arrivals<OutMessage>();
      const failure = new Error("listener");
      await bus.subscribe("assent.out.>", () => {
        throw failure;
      });
      await bus.subscribe("assent.out.>", arrivals.add);
      await bus.publish([out("assent.out.t.leave.approved", "o-1")]);
      await arrivals.reach(1);
      await problems.reach(1);
      assert.deepEqual(problems.items, [failure]);
    });

    test("what is sent is consumed once, also what was sent before, and twice under one id", async () => {
      const bus = await open();
      await bus.send(into("k1", "m-1"));
      await bus.send(into("k1", "m-1"));
      const consumer = await consumeAll(bus);
      await bus.send(into("k1", "m-2"));
      await bus.send(into("k1", "m-1"));
      await bus.send(into("k1", "m-3"));
      await consumer.reach(3);
      assert.deepEqual(ids(consumer.items), ["m-1", "m-2", "m-3"]);
      const [first] = consumer.items;
      assert.equal(first?.subject, "assent.in.t.leave.submit.k1");
      assert.equal(new TextDecoder().decode(first?.body), '{"id":"m-1"}');
      assert.equal(first?.headers["traceparent"], "00-1-2-01");
      assert.equal(first?.deliveries, 1);
    });

    test("what is published to a subject of ours is consumed", async () => {
      const bus = await open();
      const consumer = await consumeAll(bus);
      await bus.publish([into("k1", "m-1"), into("k2", "m-2")]);
      await consumer.reach(2);
      assert.deepEqual(ids(consumer.items).toSorted(), ["m-1", "m-2"]);
    });

    test("messages of one subject come in order, in batches of at most 256", async () => {
      const bus = await open();
      const sent = Array.from({ length: 1_000 }, (_, n) => into(`k${n % 7}`, `m-${n}`));
      await bus.publish(sent);
      let largest = 0;
      const arrivals = new Arrivals<BusMessage>();
      await bus.consume(async (messages) => {
        largest = Math.max(largest, messages.length);
        for (const message of messages) {
          arrivals.add(message);
          message.ack();
        }
      });
      await arrivals.reach(1_000);
      for (const subject of new Set(sent.map((message) => message.subject))) {
        assert.deepEqual(
          ids(arrivals.items.filter((message) => message.subject === subject)),
          sent.filter((message) => message.subject === subject).map((message) => message.id),
        );
      }
      assert.ok(largest > 1 && largest <= 256, `the largest batch had ${largest}`);
    });

    test("a message that is retried keeps its place before the later ones of its subject", async () => {
      const bus = await open();
      await bus.publish([into("a", "a-1"), into("a", "a-2"), into("b", "b-1"), into("a", "a-3")]);
      const acked = new Arrivals<BusMessage>();
      let failuresLeft = 2;
      await bus.consume(async (messages) => {
        // As a turn does it: with the message that failed, those of its subject behind it wait.
        const failing = failuresLeft > 0 && messages.some((message) => message.subject.endsWith(".a"));
        if (failing) failuresLeft--;
        for (const message of messages) {
          if (failing && message.subject.endsWith(".a")) message.retry(1);
          else {
            acked.add(message);
            message.ack();
          }
        }
      });
      await bus.send(into("a", "a-4"));
      await acked.reach(5);
      assert.deepEqual(
        ids(acked.items).filter((id) => id.startsWith("a")),
        ["a-1", "a-2", "a-3", "a-4"],
      );
      assert.ok(acked.items.find((message) => message.headers["Nats-Msg-Id"] === "a-1")!.deliveries > 1);
    });

    test("what was not acked comes again after a restart, in order, and what was acked doesn't", async () => {
      const bus = await open();
      const before = new Arrivals<BusMessage>();
      await bus.consume(async (messages) => {
        for (const message of messages) before.add(message);
      });
      await bus.publish(["1", "2", "3", "4"].map((n) => into("k", `m-${n}`)));
      await before.reach(4);
      before.items[0]!.ack();
      before.items[2]!.ack();
      const again = await under.restart(bus);
      opened.push(again);
      const after = await consumeAll(again);
      await again.send(into("k", "m-5"));
      await after.reach(3);
      assert.deepEqual(ids(after.items), ["m-2", "m-4", "m-5"]);
      assert.equal(after.items[0]?.sequence, before.items[1]?.sequence);
    });

    test("no more of one key is handed out than may be unsettled, and nothing is dropped", async () => {
      const bus = await open({ unsettledMax: 4 });
      const arrivals = new Arrivals<BusMessage>();
      let unsettled = 0;
      let most = 0;
      await bus.consume(async (messages) => {
        for (const message of messages) {
          most = Math.max(most, ++unsettled);
          arrivals.add(message);
        }
      });
      const sent = Promise.all(Array.from({ length: 12 }, (_, n) => bus.send(into("k", `m-${n}`))));
      for (let n = 0; n < 12; n++) {
        await arrivals.reach(Math.min(n + 4, 12));
        unsettled--;
        arrivals.items[n]!.ack();
      }
      await sent;
      assert.equal(most, 4);
      assert.equal(arrivals.items.length, 12);
    });

    test("after stopping nothing is handed out, and what is out can still be acked", async () => {
      const bus = await open();
      const arrivals = new Arrivals<BusMessage>();
      await bus.consume(async (messages) => {
        for (const message of messages) arrivals.add(message);
      });
      await bus.send(into("k", "m-1"));
      await arrivals.reach(1);
      await bus.stop();
      arrivals.items[0]!.ack();
      await bus.send(into("k", "m-2"));
      const again = await under.restart(bus);
      opened.push(again);
      const after = await consumeAll(again);
      await after.reach(1);
      assert.deepEqual(ids(after.items), ["m-2"]);
      assert.deepEqual(ids(arrivals.items), ["m-1"]);
    });

    test("a request is answered by who serves the subject", async () => {
      const bus = await open();
      const options = { headers: { "X-Gray-Tag": "beta" }, timeoutMs: 5_000 };
      await assert.rejects(bus.request("assent.svc.hr.managers", "{}", options), NoResponders);
      const end = await bus.serve("assent.svc.hr.managers", (body, headers) => `${body}${headers["X-Gray-Tag"]}`);
      assert.equal(await bus.request("assent.svc.hr.managers", "{}", options), "{}beta");
      end();
      await assert.rejects(bus.request("assent.svc.hr.managers", "{}", options), NoResponders);
    });

    test("who serves by a pattern learns the subject, and of several that serve it one answers", async () => {
      const bus = await open();
      const seen: string[] = [];
      for (const name of ["first", "second"]) {
        await bus.serve("assent.cmd.>", (_body, _headers, subject) => {
          seen.push(subject);
          return name;
        });
      }
      const options = { headers: {}, timeoutMs: 5_000 };
      const answers = new Set<string>();
      for (let n = 0; n < 40; n++) answers.add(await bus.request(`assent.cmd.t.leave.e${n}`, "", options));
      assert.deepEqual(
        seen,
        Array.from({ length: 40 }, (_, n) => `assent.cmd.t.leave.e${n}`),
      );
      assert.deepEqual([...answers].toSorted(), ["first", "second"]);
    });

    test("an error of a service reaches the asker with its code, its body and its headers", async () => {
      const bus = await open();
      await bus.serve("assent.svc.hr.closed", () => {
        throw new ServiceFailed("503", "closed\nfor today", '{"retryable":true}', { "Retry-After": "60" });
      });
      await assert.rejects(bus.request("assent.svc.hr.closed", "", { headers: {}, timeoutMs: 5_000 }), (error) => {
        assert.ok(error instanceof ServiceFailed);
        const { code, body, headers } = error;
        assert.deepEqual([code, body, headers["Retry-After"]], ["503", '{"retryable":true}', "60"]);
        return /closed.for today/s.test(error.message);
      });
    });

    test("a service that fails or is silent is told apart", async () => {
      const bus = await open();
      await bus.serve("assent.svc.hr.broken", () => Promise.reject(new Error("no\r\ndatabase")));
      await bus.serve("assent.svc.hr.silent", () => new Promise(() => {}));
      const headers: Headers = {};
      await assert.rejects(bus.request("assent.svc.hr.broken", "", { headers, timeoutMs: 5_000 }), ServiceFailed);
      await assert.rejects(bus.request("assent.svc.hr.silent", "", { headers, timeoutMs: 20 }), RequestTimedOut);
    });

    for (const subject of ["", "assent.out.t..x", "assent.out.>", "assent.out.t.a b"]) {
      test(`nothing is sent to \`${subject}\``, async () => {
        const bus = await open();
        await assert.rejects(bus.publish([out(subject, "o-1")]), NotSendable);
      });
    }

    test("is connected until it is closed, and then refuses", async () => {
      const bus = await open();
      assert.equal(bus.connected, true);
      await bus.close();
      assert.equal(bus.connected, false);
      await assert.rejects(bus.send(into("k", "m-1")), { name: "BusUnavailable" });
      await bus.close();
    });
  });
}

/** Collects, and tells when enough has come. */
export class Arrivals<Item> {
  readonly items: Item[] = [];
  #waiting: { count: number; resolve: () => void }[] = [];

  readonly add = (item: Item): void => {
    this.items.push(item);
    for (const { resolve } of this.#waiting.filter(({ count }) => this.items.length >= count)) resolve();
    this.#waiting = this.#waiting.filter(({ count }) => this.items.length < count);
  };

  reach(count: number): Promise<void> {
    if (this.items.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** Consumes and acks everything. */
export async function consumeAll(bus: Bus): Promise<Arrivals<BusMessage>> {
  const arrivals = new Arrivals<BusMessage>();
  await bus.consume(async (messages) => {
    for (const message of messages) {
      message.ack();
      arrivals.add(message);
    }
  });
  return arrivals;
}

export function into(key: string, id: string): OutMessage {
  return {
    subject: `assent.in.t.leave.submit.${key}`,
    id,
    headers: { traceparent: "00-1-2-01" },
    body: JSON.stringify({ id }),
  };
}

export function out(subject: string, id: string): OutMessage {
  return { subject, id, headers: { "X-Gray-Tag": "beta" }, body: JSON.stringify({ id }) };
}

export function ids(messages: readonly (BusMessage | OutMessage)[]): readonly string[] {
  return messages.map((message) => ("id" in message ? message.id : message.headers["Nats-Msg-Id"]!));
}
