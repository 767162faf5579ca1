import assert from "node:assert/strict";
import { test } from "node:test";
import { tell } from "./story.ts";
import { approval, DAY, Driver, dueIn, natural, START, simple, stage, users } from "./testing.ts";
import type { StoryLine } from "./types.ts";

const rows: readonly [StoryLine, string][] = [
  [{ kind: "started", by: "alice", key: "K-1" }, "alice started `K-1`."],
  [{ kind: "event", event: "submit", by: "alice" }, "alice sent `submit`."],
  [{ kind: "event", event: "paid" }, "The event `paid` came in."],
  [{ kind: "changed", fields: ["amount", "note"], by: "alice" }, "alice set `amount`, `note`."],
  [{ kind: "changed", fields: ["tries"] }, "The flow set `tries`."],
  [{ kind: "moved", from: "A", to: "B", line: 0, why: 'on "submit"' }, 'Moved from A to B: on "submit".'],
  [{ kind: "not-moved", what: "a timed line", why: "No." }, "Nothing moved on a timed line: No."],
  [{ kind: "checked", function: "budget", ok: true }, "`budget` said yes."],
  [
    { kind: "round-opened", state: "REVIEW", stage: 0, round: 2, seats: ["a", "b"] },
    "Stage 1 of REVIEW opened round 2 for a, b.",
  ],
  [
    { kind: "round-closed", state: "REVIEW", stage: 1, round: 1, result: "rejected", auto: "nobody was found" },
    "Stage 2 of REVIEW closed round 1: rejected by the system (auto: nobody was found).",
  ],
  [
    { kind: "task-opened", task: "i-1", assignee: "a", dueAt: START },
    "a got the task i-1, due 2026-01-05T09:00:00+08:00.",
  ],
  [
    { kind: "decided", task: "i-1", by: "a", decision: "rejected", reason: "too dear" },
    'a rejected the task i-1 because "too dear".',
  ],
  [
    { kind: "decided", task: "i-1", by: "system", decision: "approved", auto: "overdue: approve after 1d" },
    "The system approved the task i-1 (auto, overdue: approve after 1d).",
  ],
  [
    { kind: "skipped", state: "REVIEW", stage: 0, why: "nobody was found" },
    "Stage 1 of REVIEW was skipped by the system (auto): nobody was found.",
  ],
  [{ kind: "escalated", task: "i-1", from: "a", to: ["m"] }, "The system escalated the task of a to m."],
  [{ kind: "notified", to: ["a", "b"], copy: true }, "Copied to a, b."],
  [{ kind: "calling", function: "pay", arguments: ["1.00 CNY", 3] }, 'Called `pay("1.00 CNY", 3)`.'],
  [
    {
      kind: "rendered",
      document: "voucher",
      template: "plain",
      templateHash: "t",
      sha256: "abc",
      bytes: 12,
      fallbackBecause: "the template is broken",
    },
    "Rendered `voucher` from `plain`, the fallback, because the template is broken (12 bytes, SHA-256 abc).",
  ],
  [{ kind: "effect-failed", what: "mail", reason: "no route" }, "Failed: mail: no route."],
  [{ kind: "finished", outcome: "APPROVED" }, "Finished with APPROVED."],
];

for (const [line, sentence] of rows) {
  test(`tells ${line.kind}: ${sentence}`, () => {
    assert.equal(tell(line), sentence);
  });
}

test("people are called by their names where those are known", () => {
  const nameOf = (user: string): string => ({ a: "Anna" })[user] ?? user;
  assert.equal(
    tell({ kind: "escalated", task: "i-1", from: "a", to: ["b"] }, nameOf),
    "The system escalated the task of Anna to b.",
  );
});

test("what no person did says so: auto, skip, system, escalated", () => {
  const people = { kind: "managerOf", of: { kind: "assignee" }, level: 1 } as const;
  const overdue = [
    { kind: "escalate", to: people, after: natural(0) },
    { kind: "approve", after: natural(DAY) },
  ] as const;
  const review = approval([stage(users()), stage(users("a"))], {
    due: dueIn(DAY),
    overdue,
    onEmpty: { kind: "skip" },
  });
  const driver = new Driver(simple(review), { "people:managerOf": { people: ["m"] } });
  driver.start({ event: "submit" });
  driver.advance(2 * DAY);
  const story = driver.story.map((line) => tell(line)).join("\n");
  for (const word of ["auto", "skip", "system", "escalated"]) assert.ok(story.includes(word), word);
  assert.equal(driver.instance?.outcome, "APPROVED");
});
