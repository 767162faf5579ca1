import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OutMessage } from "../ports.ts";
import { BusUnavailable, NotSendable } from "./bus-errors.ts";
import { ConfirmedPublisher } from "./confirmed-publisher.ts";

class Wire {
  connected = true;
  time = 0;
  readonly sent: { readonly id: string; readonly token: number }[] = [];
  readonly unsendable = new Set<string>();
  now(): number {
    return this.time;
  }
  send(message: OutMessage, token: number): void {
    if (this.unsendable.has(message.id)) throw new NotSendable(message.id);
    this.sent.push({ id: message.id, token });
  }
  take(): string[] {
    return this.sent.splice(0).map(({ id }) => id);
  }
}

function messages(...ids: readonly string[]): OutMessage[] {
  return ids.map((id) => ({ subject: "assent.out.t.f.e", id, headers: {}, body: "{}" }));
}

function make(): { wire: Wire; publisher: ConfirmedPublisher } {
  const wire = new Wire();
  return { wire, publisher: new ConfirmedPublisher(wire) };
}

/** What became of it by now. */
async function state(promise: Promise<void>): Promise<string> {
  const late = new Promise<string>((resolve) => setImmediate(resolve, "open"));
  return Promise.race([
    promise.then(
      () => "confirmed",
      (error: Error) => error.name,
    ),
    late,
  ]);
}

describe("confirmed publishing", () => {
  test("resolves when all are stored, whatever the order of the answers", async () => {
    const { wire, publisher } = make();
    const published = publisher.publish(messages("1", "2"));
    assert.deepEqual(
      wire.sent.map(({ id }) => id),
      ["1", "2"],
    );
    publisher.confirm(wire.sent[1]!.token, { kind: "stored" });
    publisher.confirm(wire.sent[1]!.token, { kind: "stored" });
    assert.equal(await state(published), "open");
    publisher.confirm(wire.sent[0]!.token, { kind: "stored" });
    assert.equal(await state(published), "confirmed");
  });

  test("nothing to publish is done at once", async () => {
    assert.equal(await state(make().publisher.publish([])), "confirmed");
  });

  test("sends again under the same id when no answer comes, and gives up in the end", async () => {
    const { wire, publisher } = make();
    const published = publisher.publish(messages("1"));
    const outcome = state(published);
    wire.take();
    for (wire.time = 500; wire.time < 14_999; wire.time += 500) publisher.tick();
    assert.ok(wire.take().length >= 4);
    wire.time = 15_000;
    publisher.tick();
    assert.equal(await outcome, "BusUnavailable");
    assert.deepEqual(wire.take(), []);
  });

  test("without a connection it waits; after it all unconfirmed go again in order, then the new ones", async () => {
    const { wire, publisher } = make();
    void publisher.publish(messages("1", "2"));
    wire.take();
    wire.connected = false;
    void publisher.publish(messages("3"));
    wire.time = 5_000;
    publisher.tick();
    assert.deepEqual(wire.take(), []);
    wire.connected = true;
    publisher.reconnected();
    assert.deepEqual(wire.take(), ["1", "2", "3"]);
  });

  test("what waits for the connection is given up too", async () => {
    const { wire, publisher } = make();
    wire.connected = false;
    const published = publisher.publish(messages("1"));
    wire.time = 15_000;
    publisher.tick();
    await assert.rejects(published, BusUnavailable);
  });

  test("asks again soon where no stream answers", async () => {
    const { wire, publisher } = make();
    const published = publisher.publish(messages("1"));
    const { token } = wire.sent.splice(0)[0]!;
    publisher.confirm(token, { kind: "try-again", reason: "no leader" });
    wire.time = 250;
    publisher.tick();
    assert.deepEqual(wire.take(), ["1"]);
    publisher.confirm(token, { kind: "stored" });
    assert.equal(await state(published), "confirmed");
  });

  test("a message that is refused or can't be sent fails its batch only", async () => {
    const { wire, publisher } = make();
    wire.unsendable.add("2");
    const unsendable = publisher.publish(messages("1", "2"));
    const refused = publisher.publish(messages("3"));
    const fine = publisher.publish(messages("4"));
    for (const { id, token } of wire.sent) {
      publisher.confirm(token, id === "3" ? { kind: "refused", reason: "too large" } : { kind: "stored" });
    }
    await assert.rejects(unsendable, NotSendable);
    await assert.rejects(refused, /too large/);
    assert.equal(await state(fine), "confirmed");
  });

  test("keeps a bounded number in flight", async () => {
    const { wire, publisher } = make();
    const published = publisher.publish(messages(...Array.from({ length: 3_000 }, (_, n) => String(n))));
    let most = 0;
    for (let n = 0; n < 3_000; n++) {
      most = Math.max(most, wire.sent.length - n);
      publisher.confirm(wire.sent[n]!.token, { kind: "stored" });
    }
    assert.equal(most, 1_024);
    assert.equal(await state(published), "confirmed");
  });

  test("closing ends all that is open", async () => {
    const { publisher } = make();
    const published = publisher.publish(messages(...Array.from({ length: 2_000 }, (_, n) => String(n))));
    publisher.close();
    await assert.rejects(published, BusUnavailable);
  });
});
