import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type MongoServer, needsMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { keyRing } from "../key-ring.ts";
import type { Store } from "../ports.ts";
import { definitionSetting } from "../registry.ts";
import { newSigningKeySetting, signingKey } from "../retention/signing.ts";
import { openMongoStore } from "../stores/mongo-store.ts";
import { openSqliteStore } from "../stores/sqlite-store.ts";
import { event, flow, KEYS_SETTING, keyOf, start, turnsOn } from "../testing.ts";
import { main } from "./main.ts";

/** Commands that work on a store itself: export, audit, rekey. */

const folder = mkdtempSync(join(tmpdir(), "assent-operating-"));
after(() => rmSync(folder, { recursive: true }));
const STORE = `sqlite:${join(folder, "assent.db")}`;
const SIGNING_KEY = newSigningKeySetting();
const { publicKey } = signingKey(SIGNING_KEY);
const NEW_KEY = `new:${Buffer.alloc(32, 3).toString("base64")}`;
const file = (name: string) => join(folder, name);

const SECRET = flow(`
state machine "expense" {
  data { card: text? secret }
  events { "remark" { card } }
  initial: DRAFT
  states: [DRAFT, DONE]
  final: [DONE]
  transitions {
    DRAFT → DRAFT on "remark"
    DRAFT → DONE on "finish"
  }
}
`);

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function call(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    out: (line: string) => void out.push(`${line}\n`),
    err: (line: string) => void err.push(`${line}\n`),
    env,
    color: false,
    readStdin: async () => Buffer.from(""),
    exitCode: 0,
  };
  return { code: await main(args, io), out: out.join(""), err: err.join("") };
}

before(async () => fill(await openSqliteStore(file("assent.db"))));

async function fill(store: Store): Promise<void> {
  await store.setSetting(definitionSetting(SECRET.hash), JSON.stringify(SECRET));
  const turns = turnsOn({ store, definition: SECRET });
  for (const key of ["A", "B"]) {
    await turns.submit(start(key));
    await turns.submit(event(key, "1", "remark", { card: `hush \u2028 ${key}` }));
  }
  await store.close();
}

test("a history is exported, signed, and checked elsewhere; what was changed in it is found", async () => {
  const made = await call(["export", "--store", STORE, "--out", file("all.jsonl")], {
    ASSENT_SIGNING_KEY: SIGNING_KEY,
  });
  assert.deepEqual([made.code, made.out], [0, ""]);
  assert.ok(made.err.includes(publicKey));
  const text = readFileSync(file("all.jsonl"), "utf8");
  assert.equal(text.split("\n").length, 7);
  assert.ok(!text.includes("hush"), "sealed as it is stored");
  writeFileSync(file("key.pub"), publicKey);
  for (const key of [publicKey, file("key.pub")]) {
    const { code, out } = await call(["audit", "verify", file("all.jsonl"), "--key", key, "--json"]);
    assert.deepEqual(
      [code, JSON.parse(out)],
      [0, { ok: true, instances: 2, entries: 4, checkpoints: 0, problems: [], signed: "given" }],
    );
  }
  const own = await call(["audit", "verify", file("all.jsonl")]);
  assert.deepEqual(
    [own.code, own.out],
    [
      0,
      "2 instances, 4 entries, 0 checkpoints; signed by the key that the file names itself: give it with --key to know whose it is\nevery chain of hashes is unbroken\n",
    ],
  );
  writeFileSync(file("forged.jsonl"), text.replace('"sequence":2', '"sequence":3'));
  const forged = await call(["audit", "verify", file("forged.jsonl")]);
  assert.equal(forged.code, 1);
  assert.match(forged.err, /^line 3, [\w-]+: entry 2 is missing, 3 comes instead$/m);
  const stranger = await call([
    "audit",
    "verify",
    file("all.jsonl"),
    "--key",
    signingKey(newSigningKeySetting()).publicKey,
  ]);
  assert.match(stranger.err, /the signature at its end is wrong, or of a key that was not given/);
});

test("without a signing key the export is not signed, and says so; one tenant's has nothing of others", async () => {
  const { code, out, err } = await call(["export", "--store", STORE, "--tenant", "another"]);
  assert.equal(code, 0);
  assert.match(err, /`ASSENT_SIGNING_KEY` is not set: the export is not signed/);
  assert.deepEqual(
    out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).kind),
    ["assent-export", "end"],
  );
});

test("after rekey the new key alone opens what was sealed", async () => {
  const rotated = await call(["rekey", "--store", STORE, "--json"], { ASSENT_KEYS: `${NEW_KEY},${KEYS_SETTING}` });
  assert.deepEqual(
    [rotated.code, JSON.parse(rotated.out)],
    [0, { found: 2, rewrapped: 2, missing: 0, problems: [], key: "new" }],
  );
  const store = await openSqliteStore(file("assent.db"));
  const [loaded] = await store.load([keyOf("A")]);
  await store.close();
  assert.equal(keyRing(NEW_KEY).unwrap(loaded!.wrappedKey!).length, 32);
  const without = await call(["rekey", "--store", STORE], { ASSENT_KEYS: KEYS_SETTING });
  assert.equal(without.code, 1);
  assert.match(without.err, /sealed under the key `new`, which the key ring \(ASSENT_KEYS\) does not have/);
});

const CODES: readonly (readonly [code: number, args: readonly string[], says: RegExp, env?: Record<string, string>])[] =
  [
    [2, ["rekey", "--store", STORE], /`ASSENT_KEYS` is not set/],
    [3, ["rekey", "--store", "sqlite:none.db"], /there is no `none.db`/, { ASSENT_KEYS: KEYS_SETTING }],
    [2, ["rekey", "--store", "nowhere"], /`ASSENT_STORE` must be/, { ASSENT_KEYS: KEYS_SETTING }],
    [3, ["export", "--store", "sqlite:none.db"], /there is no `none.db`/],
    [3, ["export", "--store", "mongodb://127.0.0.1:1/none?serverSelectionTimeoutMS=100"], /MongoDB/],
    [2, ["export", "--store", STORE, "--out", folder], /is there already/],
    [2, ["export", "--store", STORE], /`ASSENT_SIGNING_KEY` must be an Ed25519 key/, { ASSENT_SIGNING_KEY: "short" }],
    [2, ["audit"], /verify/],
    [2, ["audit", "verify"], /missing required argument/],
    [2, ["audit", "verify", "none.jsonl"], /there is no `none.jsonl`/],
    [2, ["audit", "verify", import.meta.filename, "--key", "x"], /`x` is no public key/],
    [2, ["nats-accounts"], /name tenants, or have them under `tenants`/],
    [2, ["nats-accounts", ""], /can't name a tenant/],
    [0, ["nats-accounts", "acme", "acme"], /"TENANT acme" \{/],
    [0, ["nats-accounts", "acme", "--json"], /ASSENT_NATS_ACME_PASSWORD/],
    [1, ["audit", "verify", import.meta.filename], /line 1: it is not a line of an export/],
  ];

test("each way to fail has its exit code and says why", async () => {
  for (const [code, args, says, env] of CODES) {
    const ended = await call(args, env);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.err}`);
    assert.match(ended.err + ended.out, says);
  }
  assert.ok(!existsSync("none.db"));
});

test("with tenants in assent.config.json: their accounts, and no pruning that nothing signs for", async () => {
  const before = process.cwd();
  process.chdir(folder);
  writeFileSync(file("assent.config.json"), JSON.stringify({ tenants: { "*": {}, acme: { keepDays: 30 } } }));
  try {
    assert.match((await call(["nats-accounts"])).out, /user: "acme"/);
    const env = {
      ASSENT_KEYS: KEYS_SETTING,
      ASSENT_AUTH: "https://id.example",
      ASSENT_STORE: "memory:",
      ASSENT_LOG: "silent",
    };
    const refused = await call(["serve"], env);
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /`ASSENT_SIGNING_KEY` is not set, and `tenants.acme.keepDays` is: what is pruned leaves a signed/,
    );
    const shown = await call(["serve", "--print-config"], env);
    assert.match(shown.out, /tenants\.acme\.keepDays +30 +file/);
  } finally {
    process.chdir(before);
  }
});

describe("on MongoDB", needsMongoServer(), () => {
  let server: MongoServer;
  let url: string;
  before(async () => {
    server = await startMongoServer();
    url = server.url(`assent-operating-${process.pid}`);
    await fill(await openMongoStore(url));
  });
  after(() => server?.stop());

  test("a store is exported, wrapped anew and rebuilt in the same way, and is backed up by the server's own tools", async () => {
    const out = file("mongo.jsonl");
    const made = await call(["export", "--store", url, "--out", out], { ASSENT_SIGNING_KEY: SIGNING_KEY });
    assert.equal(made.code, 0, made.err);
    const checked = await call(["audit", "verify", out, "--key", publicKey, "--json"]);
    assert.deepEqual([checked.code, JSON.parse(checked.out).entries], [0, 4], checked.out);
    const keys = { ASSENT_KEYS: `${NEW_KEY},${KEYS_SETTING}` };
    const rotated = await call(["rekey", "--store", url, "--json"], keys);
    assert.deepEqual([rotated.code, JSON.parse(rotated.out).rewrapped], [0, 2]);
    const rebuilt = await call(["rebuild", "--check", "--store", url, "--json"], { ASSENT_KEYS: NEW_KEY });
    assert.deepEqual([rebuilt.code, JSON.parse(rebuilt.out)], [0, { instances: 2, differing: [], broken: [] }]);
    const backup = await call(["backup", file("copy"), "--store", url]);
    assert.deepEqual([backup.code, /mongodump/.test(backup.err)], [2, true]);
  });
});
