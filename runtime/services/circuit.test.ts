import assert from "node:assert/strict";
import { test } from "node:test";
import {
  begun,
  type Circuit,
  CLOSED,
  FAILURES_MAX,
  failed,
  notReached,
  OPEN_BASE_MS,
  OPEN_MAX_MS,
  succeeded,
  waitMs,
} from "./circuit.ts";

const open = (untilMs: number, openings = 1): Circuit => ({ kind: "open", untilMs, openings });
const halfOpen = (untilMs: number, openings = 1): Circuit => ({ kind: "half-open", untilMs, openings });
const closed = (failures: number): Circuit => ({ kind: "closed", failures });

const RULES: readonly [what: string, circuit: Circuit, expected: Circuit][] = [
  ["a failure is counted", failed(CLOSED, 7), closed(1)],
  ["the last one that is allowed opens", failed(closed(FAILURES_MAX - 1), 7), open(7 + OPEN_BASE_MS)],
  ["an answer makes up for the failures before it", succeeded(closed(FAILURES_MAX - 1)), CLOSED],
  ["a call through a closed one changes nothing", begun(closed(2), 7), closed(2)],
  ["a call after the wait is a try", begun(open(5), 7), halfOpen(60_007)],
  ["a try that is answered closes", succeeded(halfOpen(60_007)), CLOSED],
  ["a try that fails opens for twice as long", failed(halfOpen(60_007), 10), open(10 + 2 * OPEN_BASE_MS, 2)],
  ["a failure of a call from before it opened changes nothing", failed(open(50), 10), open(50)],
  ["the wait has an end", failed(halfOpen(0, 20), 0), open(OPEN_MAX_MS, 21)],
  ["a try that reached nobody may be made again at once", notReached(halfOpen(60_007, 3), 9), open(9, 3)],
  ["nobody there is no failure", notReached(closed(4), 9), closed(4)],
];

for (const [what, circuit, expected] of RULES) {
  test(`a circuit: ${what}`, () => assert.deepEqual(circuit, expected));
}

const WAITS: readonly [circuit: Circuit, nowMs: number, expected: number][] = [
  [closed(4), 10, 0],
  [open(50), 10, 40],
  [open(50), 50, 0],
  [halfOpen(60_000), 10, 59_990],
  [halfOpen(60_000), 60_000, 0],
];

for (const [circuit, nowMs, expected] of WAITS) {
  test(`${circuit.kind} at ${nowMs} ms: a call waits ${expected} ms`, () => {
    assert.equal(waitMs(circuit, nowMs), expected);
  });
}
