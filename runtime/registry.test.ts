import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "./clock.ts";
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
      clock: systemClock,
      services: () => ({ names: [], labels: [] }),
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
      versionFor: (name, newcomer) => registry.current.versionFor(name, newcomer),
      definitions: registry.definitions,
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

const PARENT = (calendar: string) => `use "./parts/shared.flow"
state machine "parent" {
  calendar: "${calendar}"
  initial: RUNNING
  states: [RUNNING, DONE]
  state RUNNING { run flow "child" on "go" }
  transitions { RUNNING → DONE on done }
}
`;
const SHARED = (name: string) => `calendar "cn" { hours: 09:00 .. 18:00 }
state machine "child" {
  title: "${name}"
  initial: A
  states: [A, B]
  transitions { A → B on "go" }
}
`;

test("a used file is watched, and active with those that use it", async (context) => {
  const { folder, events, errors, make, write } = opened(context);
  mkdirSync(join(folder, "parts"));
  write("parent.flow", PARENT("cn"));
  write("parts/shared.flow", SHARED("one"));
  const registry = make();
  const path = join(folder, "parent.flow");
  // Only the one file is named.
  const loaded = await registry.load([path]);
  assert.deepEqual(
    loaded.map(({ kind, flows }) => [kind, flows.map(({ flow }) => flow).join()]),
    [
      ["activated", "parent"],
      ["activated", "child"],
    ],
  );
  const before = { parent: registry.current.definition("parent"), child: registry.current.definition("child") };
  await registry.reload();
  assert.equal(events.length, 0, "nothing changed");
  write("parts/shared.flow", SHARED("two").replace("18:00", "17:00"));
  await registry.reload();
  assert.deepEqual(
    events.map(({ kind, file }) => [kind, relative(folder, file)]),
    [
      ["activated", "parent.flow"],
      ["activated", "parts/shared.flow"],
    ],
  );
  const { current } = registry;
  assert.equal(current.definition("child")?.title, "two");
  assert.notEqual(current.definition("parent")?.hash, before.parent?.hash, "its calendar is another one");
  assert.equal(current.definition("parent")?.calendar?.hours[0]?.to, 17 * 60);
  write("parts/shared.flow", "state machine {");
  await registry.reload();
  assert.deepEqual(
    events.slice(2).map(({ kind }) => kind),
    ["refused", "refused"],
  );
  assert.equal(registry.current, current, "what was active stays, all of it");
  rmSync(join(folder, "parts"), { recursive: true });
  await registry.reload();
  assert.equal(events.at(-2)?.kind, "removed");
  assert.equal(events.at(-1)?.kind, "refused");
  assert.equal(registry.current.definition("child"), undefined);
  assert.equal(registry.current.definition("parent"), current.definition("parent"));
  assert.deepEqual(errors, []);
});

test("a rollout tells which version a new instance gets; until then it is not current", async (context) => {
  const { folder, make, write } = opened(context);
  write("functions.js", functions(true));
  const version = (label: string) =>
    machine("OLD").replace("events", `label: "${label}"\n  data { amount: money? }\n  events`);
  const rollout = `rollout "pilot" of "expense" to label "2" { tags: ["beta"]; orgs: ["cn-*"]; amount: [100, 5000) }`;
  write("expense.flow", [version("1"), version("2"), rollout].join("\n"));
  const registry = make();
  const loaded = await registry.load([folder]);
  assert.deepEqual(
    loaded.map(({ kind }) => kind),
    ["activated"],
    JSON.stringify(loaded),
  );
  const { current } = registry;
  const labelOf = (initiator: object, data = {}) =>
    current.versionFor("expense", () => ({ key: "k", initiator: { id: "alice", ...initiator }, data }))?.label;
  assert.equal(current.definition("expense")?.label, "1");
  assert.equal(current.definition("expense", "2")?.label, "2");
  const beta = { org: "cn-east-7", tags: ["beta"] };
  assert.equal(labelOf(beta, { amount: "100.00" }), "2");
  assert.equal(labelOf(beta, { amount: "99.99" }), "1");
  assert.equal(labelOf({ ...beta, org: "us-1" }, { amount: "100.00" }), "1");
  const newcomer = () => ({ key: "k", initiator: { id: "a" }, data: {} });
  assert.equal(current.versionFor("nothing", newcomer), undefined);
  write("expense.flow", [version("1"), version("2")].join("\n"));
  await registry.reload();
  assert.equal(registry.current.versionFor("expense", newcomer)?.label, "2");
});
