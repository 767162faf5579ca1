import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Definition } from "../../dsl/index.ts";
import { keyRing } from "../key-ring.ts";
import type { Store } from "../ports.ts";
import { rebuild } from "../rebuild.ts";
import { definitionSetting } from "../registry.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import type { TenantSettings } from "../tenants/tenant-settings.ts";
import { definitionsFrom, event, flow, KEYS, KEYS_SETTING, keyOf, NOON, SetClock, start, turnsOn } from "../testing.ts";
import type { Envelope, Turns } from "../turn.ts";
import { readChain } from "./chain.ts";
import { type Checkpoint, isGenuine } from "./checkpoint.ts";
import { exportLines } from "./export.ts";
import { retain } from "./retention.ts";
import { newSigningKeySetting, signingKey, verifyingKey } from "./signing.ts";
import { verifyExport } from "./verify.ts";

const DAY_MS = 86_400_000;
const SIGNER = signingKey(newSigningKeySetting());
const PLAIN = flow();
const SECRET = flow(`
state machine "expense" {
  data {
    note: text?
    card: text? secret
  }
  events {
    "submit" { note, card }
    "remark" { note, card }
  }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED, CANCELLED]
  final: [APPROVED, REJECTED, CANCELLED]
  state REVIEW {
    approval by users("bob") {
      allow: [withdraw]
    }
  }
  transitions {
    DRAFT → DRAFT on "remark"
    DRAFT → REVIEW on "submit"
    REVIEW → APPROVED on approved
    REVIEW → REJECTED on rejected
    REVIEW → CANCELLED on withdrawn
  }
}
`);

interface World {
  readonly store: Store;
  readonly clock: SetClock;
  readonly turns: Turns;
  readonly definition: Definition;
}

async function open(definition: Definition = PLAIN): Promise<World> {
  const store = openMemoryStore();
  await store.setSetting(definitionSetting(definition.hash), JSON.stringify(definition));
  const clock = new SetClock();
  return { store, clock, definition, turns: turnsOn({ store, clock, definition }) };
}

async function accepted({ turns }: World, envelope: Envelope): Promise<void> {
  const reply = await turns.submit(envelope);
  assert.equal(reply.kind, "accepted", JSON.stringify(reply));
}

const withdraw = (key: string): Envelope => {
  const sent = event(key, `w ${key}`, "");
  return { ...sent, command: { kind: "withdraw", id: `w ${key}`, source: "test", actor: "alice" } } as Envelope;
};

/** Started, remarked so often, submitted and withdrawn. */
async function ended(world: World, key: string, remarks = 3): Promise<void> {
  await accepted(world, start(key));
  for (let n = 0; n < remarks; n++) await accepted(world, event(key, `r${n}`, "remark", { note: `\u2028 note ${n}` }));
  await accepted(world, event(key, "s", "submit"));
  await accepted(world, withdraw(key));
}

const pass = (world: World, settings: TenantSettings, days: number, signer = SIGNER) =>
  retain(
    {
      ...{ store: world.store, keys: KEYS, signer, settings: () => settings },
      definitions: definitionsFrom([world.definition]),
    },
    NOON + days * DAY_MS,
  );

const exported = async (store: Store, options: object = { signer: SIGNER }) => {
  const lines: string[] = [];
  for await (const line of exportLines(store, { at: NOON, ...options })) lines.push(line);
  return lines;
};

const verified = async (store: Store) => verifyExport(await exported(store), [verifyingKey(SIGNER.publicKey)]);

describe("old entries", () => {
  test("are moved when their instance ended long enough ago, and pruned later; nothing else changes", async () => {
    const world = await open();
    await ended(world, "A");
    await accepted(world, start("B"));
    const before = await world.turns.read(keyOf("A"));
    const history = await world.store.history(keyOf("A"));
    assert.deepEqual(await pass(world, { keepDays: 100 }, 29), { archived: 0, pruned: 0, problems: [] });
    assert.deepEqual(await pass(world, { keepDays: 100 }, 31), { archived: 1, pruned: 0, problems: [] });
    assert.deepEqual(await world.store.history(keyOf("A")), history);
    assert.deepEqual(await pass(world, {}, 10_000), { archived: 0, pruned: 0, problems: [] }, "kept for ever");
    assert.deepEqual(await pass(world, { keepDays: 100 }, 101), { archived: 0, pruned: 1, problems: [] });
    assert.deepEqual(await world.store.history(keyOf("A")), []);
    assert.equal((await world.store.history(keyOf("B"))).length, 1);
    assert.deepEqual(await turnsOn(world).read(keyOf("A")), before, "another node sees what it was");
    assert.deepEqual(await pass(world, { keepDays: 100 }, 101), { archived: 0, pruned: 0, problems: [] });
  });

  test("a node that knows an older state of the instance can't write over what was moved", async () => {
    const world = await open();
    await accepted(world, start("A"));
    const old = turnsOn(world);
    await old.read(keyOf("A"));
    await ended(world, "A");
    await pass(world, { keepDays: 50 }, 60);
    const again = await turnsOn(world).submit({ ...start("A"), command: { ...start("A").command, id: "another" } });
    assert.deepEqual([again.kind, "created" in again && again.created], ["accepted", false]);
    assert.equal((await old.submit(event("A", "late", "remark"))).kind, "refused");
    assert.deepEqual(await world.store.history(keyOf("A")), []);
  });

  test("an earlier version is gone with them; a command that was accepted then is still known", async () => {
    const world = await open();
    await ended(world, "A");
    assert.equal((await world.turns.read(keyOf("A"), 2))?.instance.version, 2);
    await pass(world, { keepDays: 50 }, 60);
    const turns = turnsOn(world);
    assert.equal(await turns.read(keyOf("A"), 2), undefined);
    const again = await turns.submit(event("A", "s", "submit"));
    assert.deepEqual([again.kind, "duplicate" in again && again.duplicate], ["accepted", true]);
  });

  test("lists follow from what is left", async () => {
    const world = await open();
    for (const key of ["A", "B"]) await ended(world, key);
    await pass(world, { keepDays: 50 }, 60);
    await ended(world, "C");
    assert.deepEqual(await rebuild(world.store, KEYS_SETTING, { write: false }), {
      instances: 3,
      differing: [],
      broken: [],
    });
  });

  test("what is broken is told and stays, and so does what can't be opened", async () => {
    const world = await open(SECRET);
    for (const key of ["A", "B"]) await ended(world, key);
    const stranger = { ...world, keys: keyRing(`other:${Buffer.alloc(32, 1).toString("base64")}`) };
    const settings = () => ({ keepDays: 50 });
    const refused = await retain(
      { ...stranger, signer: SIGNER, settings, definitions: definitionsFrom([SECRET]) },
      NOON + 60 * DAY_MS,
    );
    assert.deepEqual([refused.archived, refused.problems.length], [0, 2]);
    assert.match(refused.problems[0]!.problem, /sealed under the key `test`/);
    await pass(world, {}, 60);
    const history = world.store.history.bind(world.store);
    world.store.history = async (key) => {
      const entries = await history(key);
      return key.instance === keyOf("A").instance
        ? entries.map((entry) => ({ ...entry, body: `${entry.body} ` }))
        : entries;
    };
    const { pruned, problems } = await pass(world, { keepDays: 50 }, 60);
    assert.equal(pruned, 1);
    assert.deepEqual(problems, [{ ...keyOf("A"), problem: "the chain of hashes breaks at entry 1" }]);
  });
});

describe("the chain of hashes survives pruning", () => {
  test("by a checkpoint that is signed, and from which it goes on", async () => {
    const world = await open(SECRET);
    await ended(world, "A");
    const newest = (await world.store.history(keyOf("A"))).at(-1)!;
    await pass(world, { keepDays: 50 }, 60);
    const { checkpoint, entries } = await readChain(world.store, keyOf("A"));
    assert.deepEqual([checkpoint?.sequence, checkpoint?.hash, entries], [newest.sequence, newest.hash, []]);
    const signed = JSON.parse(checkpoint!.body) as Checkpoint;
    const key = verifyingKey(SIGNER.publicKey);
    assert.ok(isGenuine(signed, key));
    for (const forged of [
      { sequence: 1 },
      { hash: "0" },
      { tenant: "u" },
      { instance: "x" },
      { at: 1 },
      { snapshotHash: "0" },
    ])
      assert.ok(!isGenuine({ ...signed, ...forged }, key), JSON.stringify(forged));
    assert.ok(!isGenuine(signed, verifyingKey(signingKey(newSigningKeySetting()).publicKey)));
    assert.deepEqual((await verified(world.store)).problems, []);
  });
});

describe("an exported history", () => {
  async function filled(): Promise<World> {
    const world = await open(SECRET);
    for (const key of ["A", "B"]) await ended(world, key);
    await pass(world, { keepDays: 50 }, 60);
    for (const key of ["C", "D"]) await ended(world, key);
    return world;
  }

  test("is checked without the store, with the public key alone", async () => {
    const { store } = await filled();
    const { problems, ...count } = await verified(store);
    assert.deepEqual([problems, count], [[], { instances: 4, entries: 12, checkpoints: 2, signed: "given" }]);
    assert.equal((await verifyExport(await exported(store))).signed, "own");
    const unsigned = await exported(store, {});
    assert.equal((await verifyExport(unsigned)).signed, "none");
    assert.match(
      (await verifyExport(unsigned, [verifyingKey(SIGNER.publicKey)])).problems.at(-1)!.problem,
      /not signed/,
    );
    assert.equal((await verifyExport(await exported(store, { tenant: "none" }))).instances, 0);
  });

  const entryOf = (lines: readonly string[], n: number) =>
    lines.findIndex((line) => line.includes(`"sequence":${n},`) && line.includes('"entry"'));
  const at = (lines: readonly string[], index: number, line: string) => lines.with(index, line);
  const FORGERIES: readonly (readonly [
    what: string,
    forge: (lines: string[]) => readonly string[],
    problem: RegExp,
  ])[] = [
    [
      "an entry changed",
      (l) => at(l, entryOf(l, 3), l[entryOf(l, 3)]!.replace('"body":"', '"body":"x')),
      /breaks at entry 3/,
    ],
    ["an entry removed", (l) => l.toSpliced(entryOf(l, 2), 1), /entry 2 is missing, 3 comes instead/],
    ["the last entries of an instance removed", (l) => l.toSpliced(entryOf(l, 6), 1), /has 4 and 11/],
    [
      "entries exchanged",
      (l) => at(at(l, entryOf(l, 2), l[entryOf(l, 3)]!), entryOf(l, 3), l[entryOf(l, 2)]!),
      /is missing/,
    ],
    [
      "a checkpoint changed",
      (l) => at(l, 1, l[1]!.replace(/"sequence":\d+/, '"sequence":5')),
      /signature of its checkpoint is wrong/,
    ],
    [
      "a checkpoint of another key",
      (l) => at(l, 1, l[1]!.replace(/"signer":"\w+"/, '"signer":"0123"')),
      /by the key 0123, which was not given/,
    ],
    ["an instance removed", (l) => l.toSpliced(1, 1), /says 4 instances/],
    ["an instance twice", (l) => l.toSpliced(1, 0, l[1]!), /there twice|says/],
    ["the end missing", (l) => l.slice(0, -1), /was cut off/],
    [
      "the end's signature of something else",
      (l) => at(l, l.length - 1, l.at(-1)!.replace(/"signature":"...../, '"signature":"AAAAA')),
      /signature at its end is wrong/,
    ],
    [
      "an instant changed",
      (l) => at(l, entryOf(l, 3), l[entryOf(l, 3)]!.replace(/"at":\d/, '"at":9')),
      /not those that were exported/,
    ],
    ["lines behind the end", (l) => [...l, l[1]!], /behind the end/],
    ["the head missing", (l) => l.slice(1), /begins with its head/],
    ["something else", () => ["hello"], /not a line of an export/],
  ];
  for (const [what, forge, problem] of FORGERIES) {
    test(`${what} is found`, async () => {
      const { store } = await filled();
      const { problems } = await verifyExport(forge(await exported(store)), [verifyingKey(SIGNER.publicKey)]);
      assert.ok(
        problems.some((one) => problem.test(one.problem)),
        JSON.stringify(problems),
      );
    });
  }

  test("tells where it is wrong, and of how much only the beginning", async () => {
    const { store } = await filled();
    const lines = await exported(store);
    const index = entryOf(lines, 2);
    const { problems } = await verifyExport(at(lines, index, "{"));
    assert.equal(problems[0]?.line, index + 1);
    const many = await verifyExport(Array.from({ length: 500 }, () => "{"));
    assert.deepEqual([many.problems.length, many.problems.at(-1)?.problem], [101, "and more"]);
  });
});

test("a signing key is 32 bytes in base64, PKCS #8 in base64 or PEM, and nothing else", () => {
  const seed = newSigningKeySetting();
  const signer = signingKey(seed);
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed, "base64")]);
  const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  for (const same of [pkcs8.toString("base64"), pem]) assert.equal(signingKey(same).id, signer.id);
  for (const wrong of ["", "c2hvcnQ=", Buffer.alloc(48).toString("base64"), "-----BEGIN"])
    assert.throws(() => signingKey(wrong));
});
