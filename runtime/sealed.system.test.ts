import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { MongoClient } from "mongodb";
import { connect } from "nats";
import { freePort, NodeProcess, withTimeout } from "../examples/demo/node-process.ts";
import { type MongoServer, needsMongoServer, startMongoServer } from "../scripts/mongo-server.ts";
import { findNatsServer, type NatsServer, startNatsServer } from "../scripts/nats-server.ts";
import { main } from "./cli/main.ts";

/** A secret goes through everything that a node does, and is looked for in every byte that the node leaves anywhere. */

const CANARY = "canary-6222021234567890123";
const PIN = "82317.46195";

const FLOW = `
state machine "payout" {
  data {
    note: text?
    card: text? secret
    pin:  decimal? secret
  }
  events {
    "open" { note, card }
    "pay"  { card, pin }
  }
  initial: DRAFT
  states: [DRAFT, OPEN, REVIEW, PAID, STOPPED]
  final: [PAID, STOPPED]
  state REVIEW {
    approval by users("bob") {
      edit: [card]
    }
  }
  transitions {
    DRAFT  → OPEN    on "open"
    OPEN   → OPEN    on "verify" if card is set → solvent(card)
    OPEN   → REVIEW  on "pay" if card is set → book(card) → emit("onBooked") → notify(initiator)
    REVIEW → PAID    on approved → emit("onPaid")
    REVIEW → STOPPED on rejected
  }
  routes { "pay" → "bank" }
}
`;

/** Their authors tell more than they should. */
const FUNCTIONS = `
export const solvent = { kind: "check", run: ({ arguments: [card] }) => "the card " + card + " is blocked" };
export const book = { kind: "action", run: ({ arguments: [card] }) => { throw new Error("can't book " + card); } };
`;

/** The secrets, and what could be tried against lists of guesses. */
const FORBIDDEN: readonly (readonly [what: string, text: string])[] = [CANARY, PIN].flatMap((secret) => {
  const written = [
    secret,
    JSON.stringify(secret),
    JSON.stringify({ card: secret }),
    JSON.stringify({ note: "n", card: secret }),
  ];
  const digests = written.flatMap((text) =>
    (["hex", "base64", "base64url"] as const).map((form): readonly [string, string] => {
      const digest = createHash("sha256").update(text).digest(form).replace(/=+$/, "");
      // Shortened ones count as well.
      return [`SHA-256 of ${text} as ${form}`, digest.slice(0, 16)];
    }),
  );
  const encoded = (["hex", "base64"] as const).map((form): readonly [string, string] => [
    `${secret} as ${form}`,
    Buffer.from(secret).toString(form).replace(/=+$/, "").slice(0, 20),
  ]);
  return [[secret, secret], ...encoded, ...digests];
});

function assertClean(where: string, content: string | Buffer): void {
  const text = typeof content === "string" ? content : content.toString("latin1");
  for (const [what, forbidden] of FORBIDDEN) {
    const at = text.indexOf(forbidden);
    assert.ok(at < 0, `${where} holds ${what}: …${text.slice(Math.max(at - 200, 0), at + 100)}…`);
  }
}

interface Sealed {
  readonly folder: string;
  readonly store: string;
  /** Everything that the store has, now. */
  dump(): Promise<readonly (readonly [where: string, content: string | Buffer])[]>;
}

async function goThrough(context: TestContext, { folder, store, dump }: Sealed): Promise<void> {
  writeFileSync(join(folder, "payout.flow"), FLOW);
  writeFileSync(join(folder, "functions.ts"), FUNCTIONS);
  const nats = await watchedNats(context);
  const env = {
    ASSENT_STORE: store,
    ASSENT_LOG: "trace",
    ASSENT_KEYS: `k1:${Buffer.alloc(32, 5).toString("base64")}`,
    ...(nats && { ASSENT_NATS: nats.url }),
  };
  const node = new NodeProcess({ paths: [folder], folder, env }, await freePort());
  context.after(() => node.stop());
  await node.start();
  const said: string[] = [];
  const send = async (
    user: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(`${node.url}${path}`, {
      method,
      headers: { authorization: node.tokens.get(user)!, "content-type": "application/json", ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    said.push(`${method} ${path} → ${response.status} ${text}`);
    // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
    const json: any = text.startsWith("{") ? JSON.parse(text) : undefined;
    return { status: response.status, json };
  };

  // What is accepted.
  const started = await send("alice", "POST", "/v1/flows/payout/instances", {
    key: "P-1",
    event: "open",
    data: { note: "n", card: CANARY },
  });
  assert.equal(started.status, 201, said.join("\n"));
  const path = `/v1/instances/${started.json.id}`;
  const verify = await send("alice", "POST", `${path}/events`, { event: "verify" });
  assert.deepEqual([verify.status, verify.json.code], [409, "check-failed"]);
  const paid = await send(
    "alice",
    "POST",
    `${path}/events`,
    { event: "pay", data: { card: CANARY, pin: PIN } },
    { "Idempotency-Key": "pay" },
  );
  assert.deepEqual([paid.status, paid.json.state], [200, "REVIEW"], said.join("\n"));
  await send(
    "alice",
    "POST",
    `${path}/events`,
    { event: "pay", data: { card: CANARY, pin: PIN } },
    { "Idempotency-Key": "pay" },
  );
  await send(
    "alice",
    "POST",
    `${path}/events`,
    { event: "pay", data: { card: `${CANARY}0` } },
    { "Idempotency-Key": "pay" },
  );

  // What is wrong with it is told without it.
  for (const data of [
    { card: [CANARY] },
    { card: { text: CANARY } },
    { pin: CANARY },
    { pin: `${PIN}x` },
    { card: CANARY, nope: 1 },
    { card: CANARY.repeat(5_000) },
  ])
    assert.ok((await send("alice", "POST", `${path}/events`, { event: "open", data })).status >= 400);
  for (const broken of [
    `{"event":"open","data":{"card":"${CANARY}"`,
    `{"event":"open","data":{"card":${CANARY}}}`,
    CANARY,
    `{"data":{"card":"${CANARY}\n"}}`,
  ])
    assert.equal((await send("alice", "POST", `${path}/events`, broken)).status, 400);
  await send("alice", "POST", "/v1/flows/payout/instances", {
    key: "P-2",
    event: "open",
    data: { card: CANARY },
    [CANARY.slice(0, 6)]: 1,
  });

  // On the bus, taken and not taken.
  const bus = async (subject: string, body: string) => {
    if (nats) await nats.publish(subject, body);
    else await send("admin", "POST", `/v1/bus/${subject}`, body);
  };
  await bus("assent.in.default.payout.open.P-3", JSON.stringify({ note: "n", card: CANARY }));
  await bus("assent.in.default.payout.verify.P-3", JSON.stringify({}));
  await bus("assent.in.default.payout.open.P-4", JSON.stringify({ card: { deep: CANARY } }));
  await bus("assent.in.default.payout.pay.P-5", JSON.stringify({ card: CANARY }));
  if (nats)
    for (const body of [`{"card":"${CANARY}"`, `{"card":${CANARY}}`, CANARY])
      await bus("assent.in.default.payout.open.P-6", body);
  const letters = await eventually(
    async () => {
      const { json } = await send("admin", "GET", "/v1/dead-letters");
      return json.items.length >= (nats ? 6 : 3) ? (json.items as { id: string }[]) : undefined;
    },
    () => said.slice(-3).join("\n"),
  );
  for (const { id } of letters) {
    await send("admin", "GET", `/v1/effects/${encodeURIComponent(id)}`);
    await send("admin", "POST", `/v1/effects/${encodeURIComponent(id)}/retry`);
  }

  // An effect that fails, and is given up.
  const failing = await eventually(
    async () => {
      const { json } = await send("admin", "GET", "/v1/effects?state=pending");
      return (json.items as { id: string; error?: string }[]).find(({ error }) => error !== undefined);
    },
    () => said.at(-1)!,
  );
  await send("admin", "GET", `/v1/effects/${encodeURIComponent(failing.id)}`);
  await send("admin", "POST", `/v1/effects/${encodeURIComponent(failing.id)}/discard`);

  // Whoever looks.
  const [task] = (await send("bob", "GET", "/v1/tasks?assignee=me&status=open")).json.items as { id: string }[];
  for (const look of [
    path,
    `${path}?at=1`,
    `${path}/history`,
    `${path}/explain`,
    `/v1/tasks/${task!.id}`,
    "/v1/instances?q=P",
    "/metrics",
    "/v1/effects?state=dead",
    "/openapi.json",
  ])
    for (const user of ["alice", "bob", "admin"]) await send(user, "GET", look);
  const decided = await send("bob", "POST", `/v1/tasks/${task!.id}/decision`, {
    decision: "approve",
    data: { card: CANARY },
  });
  assert.deepEqual([decided.status, decided.json.state], [200, "PAID"]);

  if (nats)
    await eventually(
      async () => nats.heard.find(([subject]) => subject.endsWith(".onPaid")),
      () => said.at(-1)!,
    );
  const look = async (when: string) => {
    for (const [where, content] of await dump()) assertClean(`${when}, ${where}`, content);
  };
  assertClean("an answer", said.join("\n"));
  await look("while the node runs");
  await node.kill();
  await look("after a kill");
  await node.start();
  await node.stop();
  await look("after the end");
  await backUpAndExport(folder, store);
  await look("with backup and export");
  assertClean("the log", node.log.map((line) => JSON.stringify(line)).join("\n"));
  for (const [subject, message] of nats?.heard ?? []) assertClean(`NATS, ${subject}`, message);
}

/** All that is heard but for what was sent in, with the secret, by us. */
async function watchedNats(context: TestContext) {
  if (findNatsServer() === undefined) return undefined;
  const server: NatsServer = await startNatsServer();
  const connection = await connect({ servers: server.url });
  context.after(async () => {
    await connection.close();
    await server.stop();
  });
  const heard: (readonly [subject: string, message: string])[] = [];
  for (const subject of ["assent.>", "$SYS.>", "_INBOX.>"])
    connection.subscribe(subject, {
      callback: (_, message) => {
        // What comes in, and its copies for whoever takes it, is what was sent; a service is told what it is asked about.
        if (/^assent\.(in|at|svc)\./.test(message.subject) || message.reply?.startsWith("$JS.ACK.ASSENT_IN")) return;
        heard.push([message.subject, `${message.headers?.toString() ?? ""}${message.string()}`]);
      },
    });
  const jetstream = connection.jetstream();
  return { url: server.url, heard, publish: (subject: string, body: string) => jetstream.publish(subject, body) };
}

async function backUpAndExport(folder: string, store: string): Promise<void> {
  const io = {
    out: () => {},
    err: () => {},
    env: {},
    color: false,
    readStdin: async () => Buffer.alloc(0),
    exitCode: 0,
  };
  assert.equal(await main(["export", "--store", store, "--out", join(folder, "export.jsonl")], io), 0);
  if (store.startsWith("sqlite:"))
    assert.equal(await main(["backup", join(folder, "backup.db"), "--store", store], io), 0);
}

async function eventually<T>(look: () => Promise<T | undefined>, seen: () => string): Promise<T> {
  const found = async (): Promise<T> => {
    for (;;) {
      const value = await look();
      if (value !== undefined) return value;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return withTimeout(found(), `what comes a moment later; seen ${seen()}`);
}

/** Every file under the folder but for those that the test itself wrote. */
function files(folder: string): readonly (readonly [string, Buffer])[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile() && !["payout.flow", "functions.ts"].includes(name))
    .map((name) => [name, readFileSync(join(folder, name))]);
}

describe("a secret is nowhere in clear", () => {
  const folders: string[] = [];
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  const newFolder = () => {
    folders.push(mkdtempSync(join(tmpdir(), "assent-sealed-")));
    return folders.at(-1)!;
  };

  test("on SQLite", { timeout: 120_000 }, async (context) => {
    const folder = newFolder();
    await goThrough(context, {
      ...{ folder, store: `sqlite:${join(folder, "assent.db")}` },
      dump: async () => files(folder),
    });
  });

  describe("on MongoDB", needsMongoServer(), () => {
    let server: MongoServer;
    before(async () => {
      server = await startMongoServer();
    });
    after(() => server?.stop());

    test("whatever the server has", { timeout: 120_000 }, async (context) => {
      const folder = newFolder();
      const store = server.url(`assent-sealed-${process.pid}`);
      await goThrough(context, {
        ...{ folder, store },
        dump: async () => [...files(folder), ...(await collections(store))],
      });
    });
  });

  test("and would be found if it were", () => {
    for (const [, forbidden] of FORBIDDEN) assert.throws(() => assertClean("here", Buffer.from(`x${forbidden}y`)));
    assert.ok(FORBIDDEN.length > 20);
  });
});

async function collections(url: string): Promise<readonly (readonly [string, string])[]> {
  const client = new MongoClient(url);
  try {
    const found = await client.db().listCollections().toArray();
    assert.ok(found.length > 8);
    return await Promise.all(
      found.map(
        async ({ name }): Promise<readonly [string, string]> => [
          name,
          JSON.stringify(await client.db().collection(name).find().toArray()),
        ],
      ),
    );
  } finally {
    await client.close();
  }
}
