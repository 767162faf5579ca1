import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../dsl/index.ts";
import { decide, instanceId } from "../engine/index.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { EffectPerformer, type EffectPorts } from "./effects.ts";
import { Services } from "./services.ts";
import { trustedFunctions } from "./trusted-functions.ts";

const FLOW = `state machine "f" {
  initial: A
  states: [A, B]
  transitions { A → B on "go" → archive() → emit("archived") }
}`;

test("an event behind an action leaves when the action is done", async () => {
  const definition = compile(FLOW, "f.flow").definitions[0]!;
  const instance = instanceId("t", "f", "k");
  const decision = decide(
    definition,
    undefined,
    {
      ...({ kind: "start", id: "1", source: "test", digest: "d", tenant: "t", instance, key: "k" } as const),
      ...{ initiator: { id: "alice" }, data: {}, event: "go", payload: {} },
    },
    0,
    () => undefined,
  );
  assert.ok(decision.kind === "accepted");
  assert.deepEqual(
    decision.effects.map(({ kind }) => kind),
    ["publish", "call", "publish"],
  );

  const bus = new InProcessBus();
  const seen: string[] = [];
  await bus.subscribe("assent.out.>", ({ subject }) => void seen.push(subject.split(".").slice(4).join(".")));
  const archived = Promise.withResolvers<void>();
  const functions = trustedFunctions(() => ({
    kind: "action",
    run: async () => {
      await archived.promise;
      seen.push("archive()");
    },
  }));
  const performer = new EffectPerformer({
    ...{ bus, functions, clock: { now: () => 0 }, services: new Services(bus, {}) },
  } as unknown as EffectPorts);
  const about = { flow: "f" };
  const performed = performer.perform(
    decision.effects.map((effect) => ({ tenant: "t", instance, effect, attempts: 0, about })),
  );
  await Promise.resolve();
  archived.resolve();
  assert.deepEqual(
    (await performed).map(({ kind }) => kind),
    ["done", "done", "done"],
  );
  assert.deepEqual(seen.slice(-2), ["archive()", "archived"]);
  assert.ok(seen.includes("instance.started"));
});
