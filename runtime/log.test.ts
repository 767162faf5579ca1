import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "./log.ts";

test("lines are JSON with a named level, and secrets are hidden", async () => {
  const lines: string[] = [];
  const log = await createLog({ level: "info", pretty: false, to: { write: (line) => lines.push(line) } });
  log.debug("below the level");
  log.info({ traceId: "t1", token: "hush", headers: { authorization: "Bearer hush" } }, "asked");
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0]!, /hush/);
  const { level, msg, traceId } = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.deepEqual([level, msg, traceId], ["info", "asked", "t1"]);
});
