import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Registry, type RegistryEvent } from "./registry.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { event, KEYS, SetClock, start } from "./testing.ts";
import { Turns } from "./turn.ts";

const EXAMPLE = join(import.meta.dirname, "..", "examples", "contract-approval");

const machine = (target: string): string => `
state machine "expense" {
  events { "go" }
  initial: DRAFT
  states: [DRAFT, OLD, NEW]
  final: [OLD, NEW]
  transitions {
    DRAFT → DRAFT on "remark"
    DRAFT → ${target} on "go" if allowed()
    DRAFT → ${target === "OLD" ? "NEW" : "OLD"} on "other"
  }
  routes { "go" → "bank" }
}
`;
const functions = (answer: boolean): string => `export const allowed = { kind: "guard", run: () => ${answer} };`;

function opened(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "assent-registry-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const events: RegistryEvent[] = [];
  const errors: unknown[] = [];
  const store = openMemoryStore();
  const make = () =>
    new Registry({
      store,
      services: [],
      changed: (change) => events.push(change),
      onError: (error) => errors.push(error),
    });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  return { folder, events, errors, store, make, write };
}

const ok = (registry: Registry) =>
  registry.current.function("allowed", "expense")!.run({ arguments: [], context: {} as never });

test("a broken edit is refused with its diagnostics, and the version before stays until it is mended", async (context) => {
  const { folder, events, make, write } = opened(context);
  write("expense.flow", machine("OLD"));
  write("functions.js", functions(true));
  const registry = make();
  assert.deepEqual(
    (await registry.load([folder])).map(({ kind }) => kind),
    ["activated"],
  );
  const before = registry.current.definition("expense");
  write("expense.flow", machine("OLD").replace("initial: DRAFT", "initial: NOWHERE"));
  await registry.reload();
  await registry.reload();
  const [refused, ...more] = events;
  assert.deepEqual(more, [], "told once");
  assert.ok(refused?.kind === "refused" && refused.diagnostics.some(({ message }) => message.includes("NOWHERE")));
  assert.equal(registry.current.definition("expense"), before);
  write("expense.flow", machine("NEW"));
  await registry.reload();
  assert.equal(events.at(-1)?.kind, "activated");
  assert.notEqual(registry.current.definition("expense")?.hash, before?.hash);
});

test("changed functions are loaded, a removed file is not active any more", async (context) => {
  const { folder, events, errors, make, write } = opened(context);
  write("expense.flow", machine("OLD"));
  write("functions.js", functions(true));
  const registry = make();
  await registry.load([folder]);
  assert.equal(ok(registry), true);
  write("functions.js", functions(false));
  await registry.reload();
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["activated"],
  );
  assert.equal(ok(registry), false);
  const hash = registry.current.definition("expense")!.hash;
  rmSync(join(folder, "expense.flow"));
  await registry.reload();
  assert.equal(events.at(-1)?.kind, "removed");
  assert.equal(registry.current.definition("expense"), undefined);
  assert.ok(await registry.definition(hash), "its instances still find their version");
  assert.deepEqual(errors, []);
});

test("an instance stays on the version it started with, after the swap and after a restart", async (context) => {
  const { folder, store, make, write } = opened(context);
  write("expense.flow", machine("OLD"));
  write("functions.js", functions(true));
  const turnsOf = (registry: Registry) =>
    new Turns({
      store,
      clock: new SetClock(),
      keys: KEYS,
      activeDefinition: (name) => registry.current.definition(name),
      definition: (hash) => registry.definition(hash),
      ask: () => ({ ok: true }),
      committed: () => {},
    });
  const registry = make();
  await registry.load([folder]);
  const turns = turnsOf(registry);
  for (const key of ["A", "B"]) await turns.submit(start(key));
  write("expense.flow", machine("NEW"));
  await registry.reload();
  await turns.submit(start("C"));
  const restarted = make();
  await restarted.load([folder]);
  const ends = async (node: Turns, key: string) => {
    const reply = await node.submit(event(key, `go ${key}`, "go"));
    assert.equal(reply.kind, "accepted", JSON.stringify(reply));
    return reply.kind === "accepted" && reply.instance.state;
  };
  const later = turnsOf(restarted);
  assert.deepEqual([await ends(turns, "A"), await ends(later, "B"), await ends(later, "C")], ["OLD", "OLD", "NEW"]);
});

test("a template with an unknown placeholder is refused with its position", async (context) => {
  const { folder, events, make } = opened(context);
  cpSync(EXAMPLE, folder, { recursive: true });
  const file = join(folder, "contract-approval.flow");
  const registry = make();
  await registry.load([folder]);
  const before = registry.current.definition("contract-approval");
  writeFileSync(file, readFileSync(file, "utf8").replace(/\n {2}totalUpper = .*/, ""));
  await registry.reload();
  const [refused] = events;
  assert.ok(refused?.kind === "refused");
  assert.match(refused.diagnostics[0]!.message, /word\/document\.xml, paragraph \d+ .*totalUpper/);
  assert.equal(registry.current.definition("contract-approval"), before);
});

test("a flow that another file has is refused with both files, until the other one gives way", async (context) => {
  const { folder, events, make, write } = opened(context);
  write("functions.js", functions(true));
  write("a.flow", machine("OLD"));
  const registry = make();
  await registry.load([folder]);
  const before = registry.current.definition("expense");
  write("b.flow", machine("NEW"));
  await registry.reload();
  const [refused] = events;
  assert.ok(refused?.kind === "refused" && refused.file.endsWith("b.flow"));
  const [{ code, message, related }] = refused.diagnostics as [(typeof refused.diagnostics)[0]];
  assert.equal(code, "FLOW403");
  for (const name of ["a.flow", "b.flow"]) assert.ok(message.includes(join(folder, name)), name);
  assert.equal(related?.[0]?.file, join(folder, "a.flow"));
  assert.equal(registry.current.definition("expense"), before, "what was active stays");
  rmSync(join(folder, "a.flow"));
  await registry.reload();
  assert.deepEqual(
    events.slice(1).map(({ kind, file }) => [kind, file]),
    [
      ["removed", join(folder, "a.flow")],
      ["activated", join(folder, "b.flow")],
    ],
  );
});

test("two labels of a flow may lie in two files", async (context) => {
  const { folder, make, write } = opened(context);
  write("functions.js", functions(true));
  for (const label of ["1", "2"])
    write(`${label}.flow`, machine("OLD").replace("events", `label: "${label}"\n  events`));
  const loaded = await make().load([folder]);
  assert.deepEqual(
    loaded.map(({ kind }) => kind),
    ["activated", "activated"],
  );
});
