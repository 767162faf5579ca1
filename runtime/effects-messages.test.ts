import assert from "node:assert/strict";
import { test } from "node:test";
import { EffectPerformer, type EffectPorts } from "./effects.ts";
import type { Effect, OutMessage } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { event, HOUR_MS, keyOf, NOON, SetClock, start, turnsOn } from "./testing.ts";
import type { Committed } from "./turn.ts";

test("an event says the same when it is published again, by another process and after the instance has moved on", async () => {
  const clock = new SetClock();
  const committed: Committed[] = [];
  const turns = turnsOn({ store: openMemoryStore(), clock, committed: (more) => void committed.push(...more) });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await turns.submit(start("A"));
  clock.ms += HOUR_MS;
  await turns.submit(event("A", "s", "submit", {}, { traceparent }));
  const { effects, about } = committed.at(-1)!;
  clock.ms += HOUR_MS;
  await turns.submit(event("A", "r", "withdrawn"));

  const published: OutMessage[][] = [];
  const bus = {
    wants: () => true,
    connected: true,
    publish: async (messages: readonly OutMessage[]) => void published.push([...messages]),
  };
  const performer = new EffectPerformer({
    ...{ bus, clock },
    instanceOf: async (_work: object, version?: number) => (await turns.read(keyOf("A"), version))?.instance,
  } as unknown as EffectPorts);
  const work = (effect: Effect) => ({ ...keyOf("A"), effect, attempts: 0 });
  const events = effects.filter(({ kind }) => kind === "publish");
  await performer.perform(events.map((effect) => ({ ...work(effect), about })));
  clock.ms += HOUR_MS;
  await performer.perform(events.map(work));

  const [first, again] = published;
  assert.ok(first && first.length > 0);
  assert.deepEqual(again, first);
  for (const { headers, body } of first) {
    assert.equal(headers["traceparent"], traceparent);
    assert.equal(JSON.parse(body).time, new Date(NOON + HOUR_MS).toISOString());
  }
});
