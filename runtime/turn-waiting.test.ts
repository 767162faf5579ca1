import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DeadlinePassed } from "./commands.ts";
import type { Answer } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { event, keyOf, NOON, SetClock, start, turnsOn } from "./testing.ts";
import type { Committed } from "./turn.ts";

/** Who waits for what, and for how long. */

/** Turns whose check `solvent` is answered when the test says so. */
function asking() {
  const store = openMemoryStore();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let isAsked = (): void => {};
  const asked = new Promise<void>((tell) => {
    isAsked = tell;
  });
  const turns = turnsOn({
    store,
    ask({ name }) {
      if (name !== "solvent") return undefined;
      isAsked();
      return promise;
    },
  });
  return { turns, asked, answer: resolve };
}

test("commands behind one that waits for a service are not in the queue that others wait in", async () => {
  const { turns, asked, answer } = asking();
  await turns.submit(start("slow"));
  const verified = turns.submit(event("slow", "v", "verify"));
  await asked;
  const behind = [1, 2, 3].map((n) => turns.submit(event("slow", `r${n}`, "remark", { note: "n" })));
  assert.deepEqual([turns.waiting, turns.queued], [4, 0]);
  await turns.submit(start("quick"));
  answer({ ok: true });
  await Promise.all([verified, ...behind]);
  assert.deepEqual([turns.waiting, turns.queued, turns.answered], [0, 0, 6]);
});

describe("a deadline", () => {
  test("that has passed: the command is not begun", async () => {
    const clock = new SetClock();
    const turns = turnsOn({ store: openMemoryStore(), clock });
    await turns.submit(start("A"));
    const late = event("A", "r", "remark", { note: "n" }, { deadlineAt: clock.ms - 1 });
    await assert.rejects(turns.submit(late), DeadlinePassed);
    assert.equal((await turns.read(keyOf("A")))!.instance.version, 1);
    const inTime = await turns.submit({ ...late, deadlineAt: clock.ms });
    assert.equal(inTime.kind, "accepted");
  });

  test("that passes while a service is asked: nobody waits longer, and another try may go better", async () => {
    const { turns } = asking();
    await turns.submit(start("A"));
    const reply = await turns.submit(event("A", "v", "verify", {}, { deadlineAt: NOON + 30 }));
    assert.ok(reply.kind === "refused" && reply.refusal.code === "function-failed" && reply.refusal.retryable);
  });
});

test("what a later event causes carries that event's tag, what others cause the instance's", async () => {
  const store = openMemoryStore();
  const committed: Committed[] = [];
  const turns = turnsOn({ store, committed: (more) => void committed.push(...more) });
  const first = start("A");
  await turns.submit({ ...first, command: { ...first.command, tag: "v2" } as typeof first.command });
  await turns.submit(event("A", "r", "remark", { note: "n" }, { tag: "v3" }));
  await turns.submit(event("A", "s", "submit"));
  const tags = committed.map(({ effects }) => [...new Set(effects.map(({ tag }) => tag))]);
  assert.deepEqual(tags, [[undefined], ["v3"], [undefined]]);
  const stored = await store.dueEffects("all", NOON + 1e9, 100);
  assert.ok(stored.some(({ effect }) => effect.kind === "publish" && effect.tag === "v3"));
  assert.equal((await turns.read(keyOf("A")))!.instance.tag, "v2");
});
