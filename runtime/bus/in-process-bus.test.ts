import assert from "node:assert/strict";
import { test } from "node:test";
import { describeBus, ids, out } from "./bus-contract.ts";
import { InProcessBus } from "./in-process-bus.ts";

describeBus({
  name: "in process",
  skip: false,
  open: async (options) => new InProcessBus(options),
  restart: async (bus) => {
    await bus.stop();
    return bus;
  },
});

test("a listener that is slow holds up who publishes when its queue is full, and loses nothing", async () => {
  const bus = new InProcessBus();
  const seen: string[] = [];
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  await bus.subscribe(
    "assent.out.>",
    async ({ id }) => {
      await goOn;
      seen.push(id);
    },
    { queueMax: 2 },
  );
  const messages = [1, 2, 3, 4, 5].map((n) => out("assent.out.t.leave.approved", `o-${n}`));
  let isPublished = false;
  const published = bus.publish(messages).then(() => {
    isPublished = true;
  });
  await new Promise((soon) => setImmediate(soon));
  assert.deepEqual([isPublished, seen], [false, []]);
  resolve();
  await published;
  while (seen.length < 5) await new Promise((soon) => setImmediate(soon));
  assert.deepEqual(seen, ids(messages));
  assert.equal(bus.dropped, 0);
});

test("a listener that asked for it loses the oldest that wait, which is counted", async () => {
  const bus = new InProcessBus();
  await bus.subscribe("assent.out.>", () => new Promise(() => {}), { queueMax: 2, lossy: true });
  await bus.publish([1, 2, 3, 4, 5].map((n) => out("assent.out.t.leave.approved", `o-${n}`)));
  assert.equal(bus.dropped, 2);
});
