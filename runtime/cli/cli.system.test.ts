import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { main } from "./main.ts";

const ASSENT = resolve(import.meta.dirname, "../../bin/assent.js");
const folder = mkdtempSync(join(tmpdir(), "assent-cli-"));
/** Nothing of the developer's own settings; the tokens of `--dev` stay inside the folder. */
const ENV = { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder };
const COMMANDS = [
  "new",
  "check",
  "fmt",
  "test",
  "graph",
  "explain",
  "serve",
  "send",
  "decide",
  "inbox",
  "ls",
  "show",
  "migrate",
  "dead-letters",
  "backup",
  "rebuild",
  "rekey",
  "export",
  "audit",
  "nats-accounts",
];

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [ASSENT, ...args], { cwd: folder, env: { ...ENV, ...env } });
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = start(args, env);
  const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
  return { code, out, err };
}

/** In this process, for what starts no node: a tenth of the time of {@link run}. */
async function call(args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    out: (line: string) => void out.push(`${line}\n`),
    err: (line: string) => void err.push(`${line}\n`),
    env,
    color: false,
    readStdin: async () => Buffer.from(input),
    exitCode: 0,
  };
  return { code: await main(args, io), out: out.join(""), err: err.join("") };
}

const json = ({ out }: Ended): Record<string, unknown> => JSON.parse(out) as Record<string, unknown>;

const BROKEN = `state machine "broken" {
  initial: A
  states: [A, B]
  transitions {
    A → C on "go"
  }
}
`;
const FAILING = `state machine "failing" {
  initial: A
  states: [A, B]
  transitions {
    A → B on "go"
  }
}

test "goes nowhere <yet>" of "failing" {
  start {}
  send "go"
  expect A
}
`;

before(async () => {
  process.chdir(folder);
  process.env["TMPDIR"] = folder;
  await call(["new", "my-flow"]);
  for (const name of ["broken", "failing"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "broken", "broken.flow"), BROKEN);
  writeFileSync(join(folder, "failing", "failing.flow"), FAILING);
});
after(() => rmSync(folder, { recursive: true }));

test("every command has help with an example, and --json", async () => {
  for (const name of COMMANDS) {
    const { code, out } = await call([name, "--help"]);
    assert.equal(code, 0, name);
    assert.match(out, /Example:\n {2}assent /, name);
    assert.match(out, /--json/, name);
  }
  const { out } = await call(["--help"]);
  for (const command of COMMANDS) assert.match(out, new RegExp(`^ {2}${command}\\b`, "m"));
});

const NODE_AWAY = { ASSENT_URL: "http://127.0.0.1:1", ASSENT_TOKEN: "x" };
const CODES: readonly [code: number, args: readonly string[], env?: Readonly<Record<string, string>>, says?: RegExp][] =
  [
    [0, ["--version"]],
    [0, ["check", "my-flow"], {}, /1 file, 1 flow: fine/],
    [0, ["test", "my-flow"], {}, /4 passed, 0 failed/],
    [0, ["fmt", "--check", "my-flow"]],
    [0, ["graph", "my-flow/my-flow.flow"], {}, /^<svg /],
    [0, ["graph", "my-flow/my-flow.flow", "--format", "mermaid"], {}, /stateDiagram-v2/],
    [1, ["new", "my-flow"], {}, /not empty/],
    [1, ["check", "my-flow", "broken"], {}, /broken\/broken\.flow:5:/],
    [1, ["test", "failing"], {}, /failing\/failing\.flow:12/],
    [1, ["test", "broken"], {}, /FLOW102/],
    [1, ["test", "my-flow", "--name", "no such test"]],
    [1, ["graph", "broken/broken.flow"]],
    [2, []],
    [2, ["nope"], {}, /unknown command/],
    [2, ["check"], {}, /missing required argument/],
    [2, ["check", "nowhere"], {}, /there is no `nowhere`/],
    [2, ["check", "my-flow", "--nope"], {}, /unknown option/],
    [2, ["new", "1st"], {}, /can't name a flow/],
    [2, ["test", "my-flow", "--name", "("], {}, /not a regular expression/],
    [2, ["graph", "my-flow/my-flow.flow", "--format", "png"], {}, /no format `png`; take svg, mermaid, json, xstate/],
    [2, ["decide", "t", "maybe"], NODE_AWAY, /Allowed choices/],
    [2, ["migrate", "--to", "2.0", "--reason", "x"], NODE_AWAY, /Name instances, or all of a flow/],
    [2, ["migrate", "i", "--to", "2.0"], NODE_AWAY, /`--reason` is missing/],
    [2, ["send", "f", "e", "--data", "{"], NODE_AWAY, /must be a JSON object/],
    [2, ["inbox"], {}, /ASSENT_TOKEN/],
    [2, ["inbox", "--as", "bob"], {}, /--dev/],
    [2, ["ls"], { ...NODE_AWAY, ASSENT_TOKN: "x" }, /`ASSENT_TOKN`/],
    [2, ["serve"], {}, /`ASSENT_AUTH` is not set/],
    [2, ["serve", "--dev", "--http", "0.0.0.0:0"], {}, /on loopback/],
    [2, ["serve", "--dev"], { ASSENT_STORE: "mongodb://db" }, /`ASSENT_STORE` must be/],
    [2, ["backup", "x.db", "--store", "memory:"], {}, /only a SQLite store/],
    [2, ["backup", "my-flow/my-flow.flow", "--store", "sqlite:none.db"], {}, /is there already/],
    [2, ["rebuild", "--store", "nowhere"], {}, /`ASSENT_STORE` must be/],
    [3, ["rebuild", "--store", "sqlite:none.db"], {}, /there is no `none.db`/],
    [3, ["backup", "x.db", "--store", "sqlite:none.db"], {}, /there is no `none.db`/],
    [1, ["rebuild", "--store", "sqlite:my-flow/my-flow.flow"], {}, /is damaged, or no store at all/],
    [1, ["serve", "--dev", "--store", "sqlite:my-flow/my-flow.flow"], {}, /is damaged, or no store at all/],
    [2, ["serve", "--dev", "nowhere"], {}, /there is no `nowhere`/],
    [3, ["ls"], NODE_AWAY, /can't reach http:\/\/127\.0\.0\.1:1/],
  ];

test("exit codes are honest, and say why", async () => {
  for (const [expected, args, env, says] of CODES) {
    const { code, out, err } = await call(args, env);
    assert.equal(code, expected, `assent ${args.join(" ")}\n${out}${err}`);
    if (says) assert.match(out + err, says, args.join(" "));
  }
});

test("check --json", async () => {
  const ended = await call(["check", "broken", "--json"]);
  const { diagnostics, ms, ...counts } = json(ended);
  assert.equal(typeof ms, "number");
  assert.equal(counts["files"], 1);
  assert.equal(counts["flows"], 1);
  assert.deepEqual(Object.keys(counts), ["files", "flows", "errors", "warnings"]);
  const [first] = (diagnostics as Record<string, unknown>[]).filter(({ code }) => code === "FLOW102");
  assert.equal(first?.["severity"], "error");
  assert.equal(first?.["file"], "broken/broken.flow");
  assert.deepEqual(first?.["span"], { start: { line: 5, column: 9 }, end: { line: 5, column: 10 } });
});

test("check --strict fails on warnings", async () => {
  const leave = resolve(import.meta.dirname, "../../examples/leave-approval");
  const [lenient, strict] = await Promise.all([call(["check", leave]), call(["check", leave, "--strict"])]);
  assert.equal(lenient.code, 0, lenient.out);
  assert.equal(strict.code, 1, strict.out);
});

test("test --json and --junit", async () => {
  const ended = await call(["test", "my-flow", "failing", "--json", "--junit", "report.xml"]);
  const { passed, failed, tests } = json(ended);
  assert.equal(ended.code, 1);
  assert.deepEqual([passed, failed], [4, 1]);
  const wrong = (tests as Record<string, unknown>[]).find(({ ok }) => ok === false);
  assert.equal(wrong?.["file"], "failing/failing.flow");
  assert.equal(wrong?.["line"], 12);
  assert.equal(typeof wrong?.["message"], "string");
  const report = readFileSync(join(folder, "report.xml"), "utf8");
  assert.match(report, /<testsuite name="assent" tests="5" failures="1"/);
  assert.match(report, /name="goes nowhere &lt;yet&gt;"/);
});

test("graph --format json", async () => {
  const graph = json(await call(["graph", "my-flow/my-flow.flow", "--format", "json"]));
  assert.equal(graph["flow"], "my-flow");
  assert.deepEqual((graph["states"] as unknown[])[1], {
    name: "MANAGER",
    kind: "approval",
    who: "manager",
    due: "2d",
  });
  assert.deepEqual((graph["edges"] as unknown[])[1], {
    from: "MANAGER",
    to: "FINANCE",
    trigger: "on approved",
    guard: "amount >= 5_000",
    actions: [],
  });
});

test("fmt reads standard input, and mends files", async () => {
  const untidy = FAILING.replaceAll("→", "->").replaceAll("  ", "    ");
  assert.equal((await call(["fmt", "-"], {}, untidy)).out, FAILING);
  mkdirSync(join(folder, "untidy"));
  writeFileSync(join(folder, "untidy", "untidy.flow"), untidy);
  assert.deepEqual(json(await call(["fmt", "--check", "--json", "untidy"])), {
    files: 1,
    changed: ["untidy/untidy.flow"],
    broken: [],
  });
  assert.equal((await call(["fmt", "untidy"])).code, 0);
  assert.equal(readFileSync(join(folder, "untidy", "untidy.flow"), "utf8"), FAILING);
});

test("client commands answer in JSON even when there is no node", async () => {
  assert.equal(json(await call(["ls", "--json"], NODE_AWAY))["code"], "unreachable");
});

test("serve --print-config names sources and masks secrets", async () => {
  const ended = await call(["serve", "--dev", "--store", "memory:", "--print-config"], { ASSENT_TOKEN: "hush" });
  assert.match(ended.out, /^ASSENT_STORE +memory: +flag$/m);
  assert.match(ended.out, /^ASSENT_TOKEN +\*\*\* +environment$/m);
  assert.match(ended.out, /^ASSENT_HTTP +127\.0\.0\.1:7400 +default$/m);
});

test("the process ends with the code, and writes plainly when piped", async () => {
  const [checked, served] = await Promise.all([run(["check", "broken"]), run(["serve", "--dev", "broken"])]);
  for (const { code, out, err } of [checked, served]) {
    assert.equal(code, 1, err);
    assert.match(out + err, /FLOW102/);
    assert.ok(!(out + err).includes("\u001b["));
    assert.doesNotMatch(err, /^ +at .*:\d+:\d+\)?$/m, "no stack");
  }
});

test("serve says what is wrong in a used file at its place there", async () => {
  mkdirSync(join(folder, "uses", "parts"), { recursive: true });
  writeFileSync(join(folder, "uses", "uses.flow"), `use "./parts/shared.flow"\n${FAILING}`);
  writeFileSync(join(folder, "uses", "parts", "shared.flow"), 'calendar "cn" {\n  weekend: [sat, sonday]\n}\n');
  const { code, err } = await run(["serve", "--dev", "uses/uses.flow"]);
  assert.equal(code, 1);
  assert.match(err, /uses\/parts\/shared\.flow:2:18\n2 │ {3}weekend: \[sat, sonday\]/);
});

test("a node is driven from the command line, and ends when it is interrupted", async () => {
  const node = start(["serve", "my-flow", "--dev", "--http", "127.0.0.1:0"]);
  try {
    await readyOf(node);
    const data = JSON.stringify({ purpose: "paper", amount: "120.00" });
    const submit = ["send", "my-flow", "submit", "--key", "ONE", "--data", data, "--json"];
    const sent = json(await call([...submit, "--as", "alice"]));
    assert.equal(sent["state"], "MANAGER");
    const inbox = json(await call(["inbox", "--as", "bob", "--json"]));
    const [task] = inbox["items"] as [Record<string, string>];
    assert.equal(task["instance"], sent["id"]);
    const why = await call(["explain", String(sent["id"]), "--as", "alice"]);
    assert.equal(why.code, 0, why.err);
    assert.match(why.out, /^`my-flow` is in `MANAGER` since .*\n {2}Stage 1, manager, waits for bob/);
    const stranger = await call(["decide", task["id"]!, "approve", "--as", "alice", "--json"]);
    assert.equal(stranger.code, 1);
    assert.equal(json(stranger)["code"], "not-your-task");
    const approved = await call(["decide", task["id"]!, "approve", "--as", "bob"]);
    assert.equal(approved.code, 0, approved.err);
    assert.match(approved.out, /^state +APPROVED$/m);
    const listed = await call(["ls", "--state", "APPROVED", "--as", "alice"]);
    assert.match(listed.out, /^ID +FLOW +KEY +STATE/);
    assert.match(listed.out, / ONE +APPROVED +alice /);
    const shown = json(await call(["show", String(sent["id"]), "--history", "--json", "--as", "alice"]));
    assert.ok((shown["history"] as unknown[]).length >= 2);
    const hidden = await call(["show", String(sent["id"]), "--as", "erin"]);
    assert.equal(hidden.code, 1);
    const again = await call(["send", "my-flow", "cancel", "--key", "ONE", "--as", "alice"]);
    assert.match(again.err, /finished/);
    node.kill("SIGINT");
    const [code] = await once(node, "exit");
    assert.equal(code, 130);
  } finally {
    node.kill("SIGKILL");
  }
});

const OPS = (label: string, state: string) => `state machine "ops" {
  label: "${label}"
  initial: DRAFT
  states: [DRAFT, ${state}, DONE]
  state ${state} { approval by users("bob") { allow: [transfer, addBeside, remove] } }
  transitions {
    DRAFT → ${state} on "go"
    ${state} → DONE on approved
    ${state} → DONE on rejected
  }
  ${label === "2" ? 'migrate from label "1" { LOOK → CHECK }' : ""}
}
`;

test("tasks are handed on, and instances moved to another version, from the command line", async () => {
  mkdirSync(join(folder, "ops"));
  writeFileSync(join(folder, "ops", "ops.flow"), OPS("2", "CHECK") + OPS("1", "LOOK"));
  const node = start(["serve", "ops", "--dev", "--http", "127.0.0.1:0"]);
  try {
    await readyOf(node);
    const sent = json(await call(["send", "ops", "go", "--key", "ONE", "--as", "alice", "--json"]));
    const task = (sent["tasks"] as Record<string, string>[])[0]!["id"]!;
    const decide = (...args: readonly string[]) => call(["decide", task, ...args]);
    const added = await decide("add", "--where", "beside", "--people", "erin", "--as", "bob");
    assert.match(added.out, /^task +\S+ +erin$/m, added.err);
    const noted = await decide("comment", "--text", "hm", "--as", "bob");
    assert.equal(noted.code, 0, noted.err);
    const wrong = await decide("remove", "--as", "bob");
    assert.deepEqual([wrong.code, /takes one person/.test(wrong.err)], [2, true]);
    assert.equal((await decide("remove", "--people", "erin", "--as", "bob")).code, 0);
    const moved = await decide("transfer", "--to", "dave", "--as", "bob");
    assert.match(moved.out, /^task +\S+ +dave$/m, moved.err);
    const migrate = (...args: readonly string[]) =>
      call(["migrate", "--flow", "ops", "--to", "2", ...args, "--as", "admin"]);
    const dry = await migrate("--dry-run");
    assert.match(dry.out, /LOOK → CHECK\n1 instance would move$/m, dry.err);
    const done = await migrate("--reason", "new rules");
    assert.match(done.out, /moved +CHECK\n1 instance moved$/m, done.err);
    const again = await migrate("--reason", "new rules");
    assert.deepEqual([again.code, /not-possible-in-state/.test(again.out)], [1, true]);
    const stranger = await call(["migrate", String(sent["id"]), "--to", "2", "--dry-run", "--as", "bob"]);
    assert.equal(stranger.code, 1);
  } finally {
    node.kill("SIGKILL");
  }
});

test("dead letters are listed, read, sent again and discarded from the command line", async () => {
  const node = start(["serve", "my-flow", "--dev", "--http", "127.0.0.1:0"]);
  try {
    await readyOf(node);
    const token = async (user: string) => (await import("../dev-tokens.ts")).readDevTokens()?.tokens[user];
    const { url } = (await import("../dev-tokens.ts")).readDevTokens()!;
    const headers = { authorization: `Bearer ${await token("admin")}`, "content-type": "application/json" };
    const send = (key: string) =>
      fetch(`${url}/v1/bus/assent.in.default.my-flow.nonsense.${key}`, { method: "POST", headers, body: "{}" });
    for (const key of ["L1", "L2"]) assert.equal((await send(key)).status, 202);
    const list = async () => json(await call(["dead-letters", "--json", "--as", "admin"]))["items"] as { id: string }[];
    let found = await list();
    while (found.length < 2) found = await list();
    const shown = await call(["dead-letters", "--as", "admin"]);
    assert.match(shown.out, /^ID +KIND +STATE +ERROR/);
    const [first] = found;
    const read = json(await call(["dead-letters", first!.id, "--json", "--as", "admin"]));
    assert.equal(read["id"], first!.id);
    assert.ok("content" in read);
    const again = await call(["dead-letters", "--retry", "--all", "--as", "admin"]);
    assert.equal(again.code, 1, "still refused");
    assert.match(again.out, /0 letters sent again, 2 refused/);
    assert.equal((await list()).length, 2);
    const gone = await call(["dead-letters", first!.id, "--discard", "--as", "admin"]);
    assert.deepEqual([gone.code, gone.out], [0, "1 letter discarded\n"]);
    assert.equal((await list()).length, 1);
    assert.equal((await call(["dead-letters", "--as", "alice"])).code, 1);
    assert.equal((await call(["dead-letters", "--all", "--as", "admin"])).code, 2);
  } finally {
    node.kill("SIGKILL");
  }
});

test("a bus or a store that is away: one line, and exit code 3", async () => {
  const nats = await run(["serve", "my-flow", "--dev", "--store", "memory:", "--nats", "nats://127.0.0.1:1"]);
  assert.equal(nats.code, 3, nats.err);
  assert.match(nats.err, /^error: can't connect to NATS at nats:\/\/127\.0\.0\.1:1: .+\n$/);
  const mongo = await run(["serve", "my-flow", "--dev", "--store", "mongodb://127.0.0.1:1/x"]);
  assert.equal(mongo.code, 3, mongo.err);
  assert.match(mongo.err, /^error: MongoDB: .*127\.0\.0\.1:1\n$/);
  const args = ["serve", "my-flow", "--dev", "--http", "127.0.0.1:0", "--store", "sqlite:held.db"];
  const holder = start(args);
  try {
    await readyOf(holder);
    const second = await run(args);
    assert.equal(second.code, 3, second.err);
    assert.match(second.err, /^error: .*held\.db.* is in use by another process.*\n$/);
  } finally {
    holder.kill("SIGKILL");
  }
});

test("a store is backed up while a node works on it; the copy is a store, and rebuilding finds it right", async () => {
  const store = "sqlite:worked-on.db";
  const node = start(["serve", "my-flow", "--dev", "--http", "127.0.0.1:0", "--store", store]);
  try {
    await readyOf(node);
    const sent = await run([
      "send",
      "my-flow",
      "submit",
      "--as",
      "alice",
      "--key",
      "K-1",
      "--data",
      '{"amount":"12","purpose":"tea"}',
    ]);
    assert.equal(sent.code, 0, sent.err);
    const made = await run(["backup", "copy.db", "--json"], { ASSENT_STORE: store });
    assert.equal(made.code, 0, made.err);
    assert.ok((JSON.parse(made.out) as { bytes: number }).bytes > 0);
    const held = await run(["rebuild", "--check", "--store", store]);
    assert.equal(held.code, 3, "a node works on it");
  } finally {
    node.kill("SIGKILL");
  }
  const checked = await run(["rebuild", "--check", "--json", "--store", "sqlite:copy.db"]);
  assert.equal(checked.code, 0, checked.err);
  assert.deepEqual(JSON.parse(checked.out), { instances: 1, differing: [], broken: [] });
});

test("--watch runs again when a file changes, and ends when it is interrupted", async () => {
  mkdirSync(join(folder, "watched"));
  const file = join(folder, "watched", "w.flow");
  writeFileSync(file, FAILING);
  const rows = [
    ["check", /: fine$/, /error/],
    ["test", /0 passed, 1 failed/, /FLOW102/],
  ] as const;
  for (const [command, before, after] of rows) {
    writeFileSync(file, FAILING);
    const child = start([command, "watched", "--watch"]);
    try {
      const lines = createInterface({ input: child.stdout! });
      const line = async (fits: RegExp): Promise<void> => {
        for await (const [text] of on(lines, "line") as AsyncIterable<[string]>) if (fits.test(text)) return;
      };
      const first = line(before);
      const watching = once(createInterface({ input: child.stderr! }), "line");
      await first;
      assert.match(String(await watching), /watching/);
      const second = line(after);
      writeFileSync(file, BROKEN);
      await second;
      const ended = once(child, "exit");
      child.kill("SIGINT");
      assert.deepEqual((await ended)[0], 130);
    } finally {
      child.kill("SIGKILL");
    }
  }
});

/** Resolves when the node says so on standard error; by then it has left its tokens. */
async function readyOf(node: ChildProcess): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: node.stderr! })) {
    if (line.includes('"ready"')) return;
    lines.push(line);
  }
  assert.fail(lines.join("\n"));
}
