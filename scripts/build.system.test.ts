import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "assent-package-"));
const installed = join(folder, "node_modules", "assent");
const assent = join(installed, "bin", "assent.js");
const env = { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder };

/** Packs, and installs it as npm would, with this repository's dependencies instead of fetched ones. */
before(() => {
  const packed = spawnSync("npm", ["pack", "--pack-destination", folder], { cwd: ROOT, encoding: "utf8" });
  ended(packed);
  const [archive] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  mkdirSync(installed, { recursive: true });
  ended(
    spawnSync("tar", ["-xzf", join(folder, archive!), "-C", installed, "--strip-components=1"], { encoding: "utf8" }),
  );
  symlinkSync(join(ROOT, "node_modules"), join(installed, "node_modules"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function ended({ status, stdout, stderr }: SpawnSyncReturns<string>): string {
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

function run(...args: readonly string[]): string {
  return ended(spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" }));
}

test("the package has a working command", () => {
  run(assent, "new", "my-flow");
  assert.match(run(assent, "check", "my-flow"), /1 file, 1 flow: fine/);
  assert.match(run(assent, "test", "my-flow"), /4 passed, 0 failed/);
  assert.match(run(assent, "--version"), /^\d+\.\d+\.\d+$/m);
});

test("the package has a working node", async () => {
  const node = spawn(process.execPath, [assent, "serve", "my-flow", "--dev", "--http", "127.0.0.1:0"], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: node.stderr })) if (line.includes('"ready"')) break;
  node.kill("SIGTERM");
  const [code] = await once(node, "exit");
  assert.equal(code, 0);
});

test("the rooms can be imported, and carry no tests", () => {
  const names =
    "Promise.all(['assent', 'assent/dsl', 'assent/engine', 'assent/plugins', 'assent/templates'].map((n) => import(n)))";
  const exported = run("-e", `${names}.then((all) => console.log(all.map((m) => Object.keys(m).length > 0).join()))`);
  assert.equal(exported.trim(), "true,true,true,true,true");
  const files = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" });
  assert.ok(files.includes(join("engine", "index.d.ts")));
  assert.deepEqual(
    files.filter((name) => /\.test\.|fixtures|testing/.test(name)),
    [],
  );
});
