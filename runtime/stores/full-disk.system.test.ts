import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { freePort } from "../../examples/demo/node-process.ts";

/** What a node says when its disk is really full. */

const ASSENT = resolve(import.meta.dirname, "../../bin/assent.js");
const FLOW = `
state machine "note" {
  data { text: text? }
  events { "write" { text } }
  initial: DRAFT
  states: [DRAFT, DONE]
  final: [DONE]
  transitions {
    DRAFT → DRAFT on "write"
    DRAFT → DONE on "finish"
  }
}
`;
/** A disk of 8 MiB in a namespace of the process's own: it goes with the process. 2 MiB of it can be freed later. */
const SMALL_DISK = 'mount -t tmpfs -o size=8m tmpfs "$0" && head -c 2097152 /dev/zero > "$0/ballast" && exec "$@"';
const canMount = spawnSync("unshare", ["-rm", "true"]).status === 0;

describe("a node on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "assent-disk-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "disk"));
  writeFileSync(join(folder, "note.flow"), FLOW);

  function start(wrap: readonly string[], port: number, store: string): ChildProcess {
    const [command, ...args] = [...wrap, process.execPath, ASSENT, "serve", "--dev", join(folder, "note.flow")];
    const env = { ...process.env, TMPDIR: folder, ASSENT_STORE: `sqlite:${store}`, ASSENT_DATA: join(folder, "data") };
    return spawn(command!, args, { env: { ...env, ASSENT_HTTP: `127.0.0.1:${port}` } });
  }

  async function started(node: ChildProcess): Promise<ReadonlyMap<string, string>> {
    const tokens = new Map<string, string>();
    for await (const line of createInterface({ input: node.stdout! })) {
      const [user = "", ...token] = line.split(" ");
      tokens.set(user, token.join(" "));
      if (user === "admin") break;
    }
    assert.ok(tokens.has("admin"), "it has started");
    return tokens;
  }

  async function stop(node: ChildProcess): Promise<void> {
    if (node.exitCode !== null) return;
    node.kill("SIGTERM");
    await once(node, "exit");
  }

  test("answers 503 while the disk is full, loses nothing, and goes on when there is room again", {
    skip: canMount ? false : "no namespace for a small disk (`unshare -rm`)",
    timeout: 60_000,
  }, async (context) => {
    const disk = join(folder, "disk");
    const port = await freePort();
    const node = start(["unshare", "-rm", "sh", "-c", SMALL_DISK, disk], port, join(disk, "assent.db"));
    const said = text(node.stderr!);
    context.after(() => stop(node));
    const tokens = await started(node);
    const ask = (method: string, path: string, body?: object) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { authorization: tokens.get("alice")!, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      });
    const write = (key: string) =>
      ask("POST", "/v1/flows/note/instances", { key, event: "write", data: { text: "x".repeat(100_000) } });

    const acknowledged: string[] = [];
    let refused: Response | undefined;
    for (let n = 0; n < 200 && !refused; n++) {
      const answer = await write(`N-${n}`);
      if (answer.status === 201) acknowledged.push(((await answer.json()) as { id: string }).id);
      else refused = answer;
    }
    assert.ok(refused && acknowledged.length > 5, `${acknowledged.length} written`);
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    const problem = (await refused.json()) as { code: string; detail: string };
    assert.equal(problem.code, "store-unavailable");
    assert.match(problem.detail, /nothing was changed; send it again/);

    const seen = async (id: string) =>
      ((await (await ask("GET", `/v1/instances/${id}`)).json()) as { state: string }).state;
    for (const id of acknowledged) assert.equal(await seen(id), "DRAFT");
    assert.equal((await ask("GET", "/healthz")).status, 200);
    assert.equal((await write("still full")).status, 503);

    rmSync(`/proc/${node.pid}/root${join(disk, "ballast")}`);
    assert.equal((await write("room again")).status, 201);
    for (const id of acknowledged) assert.equal(await seen(id), "DRAFT");
    await stop(node);
    assert.equal(node.exitCode, 0, await said);
  });
});
