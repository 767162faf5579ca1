import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { signalled, systemClock, within } from "./clock.ts";
import type { Clock } from "./ports.ts";

/** A clock whose time is up when the test says so. */
function setByHand() {
  const waiting = new Set<() => void>();
  const clock: Clock = {
    ...systemClock,
    after(_delayMs, callBack) {
      waiting.add(callBack);
      return () => waiting.delete(callBack);
    },
  };
  const timeIsUp = () => {
    for (const callBack of waiting) callBack();
  };
  return { clock, waiting, timeIsUp };
}

test("what ends in time gives its value, and nothing is left to wait for", async () => {
  const { clock, waiting } = setByHand();
  assert.equal(await within(clock, 10, Promise.resolve(1)), 1);
  assert.equal(waiting.size, 0);
});

test("what does not end in time is late", async () => {
  const { clock, timeIsUp } = setByHand();
  const result = within(clock, 10, new Promise(() => {}));
  timeIsUp();
  assert.equal(await result, "late");
});

test("a signal is aborted when the time is over, as that of `AbortSignal.timeout` is", async () => {
  const { clock, waiting, timeIsUp } = setByHand();
  const reason = signalled(clock, 10, async (signal) => {
    timeIsUp();
    return (signal.reason as DOMException).name;
  });
  assert.equal(await reason, "TimeoutError");
  assert.equal(waiting.size, 0);
});

/** What waits, reads a clock or throws dice past the ports. */
const PAST_THE_PORTS =
  /\b(setTimeout|setImmediate|setInterval|nextTick|Date\.now|performance\.now|Math\.random|AbortSignal\.timeout)\b/;

/** Adapters to the world outside: a simulation has others in their place. */
const ADAPTERS = [
  "cli/",
  "http/",
  "language-server/",
  "connectors/",
  "stores/",
  "bus/nats-",
  "identity.ts",
  "main.ts",
  "clock.ts",
];
const ALLOWED: readonly (readonly [file: string, line: RegExp])[] = [
  ["effect-failures.ts", /random: \(\) => number = Math\.random/],
];

describe("time and chance", () => {
  test("come by the ports only", () => {
    const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".ts") && !/(\.test|testing|contract)\.ts$/.test(file),
    );
    const inside = files.filter((file) => !ADAPTERS.some((adapter) => file.startsWith(adapter)));
    assert.ok(inside.includes("turn.ts"));
    const past = inside.flatMap((file) =>
      readFileSync(join(import.meta.dirname, file), "utf8")
        .split("\n")
        .filter((line) => PAST_THE_PORTS.test(line))
        .filter((line) => !ALLOWED.some(([of, allowed]) => file === of && allowed.test(line)))
        .map((line) => `${file}: ${line.trim()}`),
    );
    assert.deepEqual(past, []);
  });
});
