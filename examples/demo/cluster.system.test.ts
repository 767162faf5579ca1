import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { needsMongoServer } from "../../scripts/mongo-server.ts";
import { needsNatsServer } from "../../scripts/nats-server.ts";

const { skip } = needsNatsServer();

test("`npm run demo -- --cluster`: one of three nodes is killed, and the story goes on", {
  skip: skip || needsMongoServer().skip,
  timeout: 180_000,
}, async () => {
  const demo = join(import.meta.dirname, "demo.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [demo, "--cluster"]);
  assert.match(stdout, /they share the 16 partitions: A \d, B \d, C \d/);
  assert.match(stdout, /its partitions are theirs: A 8, C 8/);
  assert.match(stdout, /12 leaves approved, 12 times onApproved in the stream/);
  assert.match(stdout, /all nodes stop cleanly/);
});
