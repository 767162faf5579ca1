import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { among, DUE_EFFECTS, DUE_TIMERS, NEXT_DUE } from "./sqlite-queries.ts";
import { openForWriting } from "./sqlite-schema.ts";

/** What waits costs nothing: a million timers are as fast as none. */
test("what is due is found by indexes, without looking at what waits and without sorting it", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "assent-queries-"));
  const database = openForWriting({ path: join(folder, "plan.db") });
  context.after(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });
  const of = among([1, 2]);
  const queries = [
    [DUE_EFFECTS, [9, ...of, 5], /SEARCH effects USING INDEX effects_by_due \(dead=\? AND next_at<\?\)/],
    [DUE_TIMERS, [9, ...of, 5], /SEARCH timers USING INDEX timers_by_due \(due_at<\?\)/],
    [
      NEXT_DUE,
      [...of, ...of],
      /SEARCH effects USING INDEX effects_by_due .*SCAN timers USING COVERING INDEX timers_by/,
    ],
  ] as const;
  for (const [sql, cells, expected] of queries) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...cells);
    const details = plan.map(({ detail }) => detail).join("; ");
    assert.match(details, expected);
    assert.doesNotMatch(details, /TEMP B-TREE|SCAN (effects|timers|instances)(?! USING)/);
  }
});
