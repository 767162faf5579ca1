import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, NodeProcess } from "../examples/demo/node-process.ts";

/** `assent serve` while its `directory.json` changes. */

const FLOW = `state machine "leave" {
  initial: DRAFT
  states: [DRAFT, REVIEW, GRANTED, REJECTED]
  state REVIEW { approval by group("checkers") any }
  transitions {
    DRAFT → REVIEW on "submit"
    REVIEW → GRANTED on approved
    REVIEW → REJECTED on rejected
  }
}
`;

test("people who come later get tasks; a broken file leaves those who were there, and says so", {
  timeout: 60_000,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "assent-people-"));
  const flows = join(folder, "flows");
  mkdirSync(flows);
  writeFileSync(join(flows, "leave.flow"), FLOW);
  const people = (id: string) => JSON.stringify({ people: [{ id, groups: ["checkers"] }] });
  writeFileSync(join(flows, "directory.json"), people("bob"));
  const node = new NodeProcess({ paths: [flows], folder, env: {} }, await freePort());
  await node.start();
  context.after(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });
  const assignees = async (key: string): Promise<readonly string[]> => {
    const response = await fetch(`${node.url}/v1/flows/leave/instances`, {
      method: "POST",
      headers: { authorization: node.tokens.get("alice")!, "content-type": "application/json" },
      body: JSON.stringify({ key, event: "submit" }),
    });
    const { tasks } = (await response.json()) as { tasks: readonly { assignee: string }[] };
    return tasks.map(({ assignee }) => assignee);
  };
  assert.deepEqual(await assignees("one"), ["bob"]);

  writeFileSync(join(flows, "directory.json"), people("carol"));
  await node.logged(({ msg }) => msg === "people were read anew", 0);
  assert.deepEqual(await assignees("two"), ["carol"]);

  writeFileSync(join(flows, "directory.json"), '{"people":');
  const refused = await node.logged(({ msg }) => /could not be read anew/.test(msg ?? ""), 0);
  assert.match(String(refused["why"]), /is not a directory of people/);
  assert.deepEqual(await assignees("three"), ["carol"]);
});
