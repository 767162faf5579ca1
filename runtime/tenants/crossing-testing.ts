import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { connect, Events, type NatsConnection } from "nats";
import { instanceId } from "../../engine/index.ts";
import { freePort } from "../../examples/demo/node-process.ts";
import { approvalChangeXml, callback } from "../../examples/wecom-stand-in/callback.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { docxFile, paragraph } from "../../templates/index.ts";
import { natsAccounts } from "../bus/nats-accounts.ts";

/** A node with two tenants, `acme` and `globex`, whose people have the same names; both have everything that a tenant can have. */

const ASSENT = resolve(import.meta.dirname, "../../bin/assent.js");
/** Stands in everything that acme has. */
export const MARKER = "only-acme-may-see-this";
const FLOW = `
state machine "leave" {
  label: "1.0"
  data { note: text? }
  events {
    "submit" { note }
    "remark" { note }
  }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED, CANCELLED]
  final: [APPROVED, REJECTED, CANCELLED]
  state REVIEW {
    approval by users("bob") {
      allow: [transfer, delegate, addBefore, addAfter, addBeside, remove, returnTo, withdraw, takeBack]
    }
  }
  transitions {
    DRAFT → DRAFT on "remark" if note is set → book(note)
    DRAFT → REVIEW on "submit" → render("slip")
    REVIEW → APPROVED on approved
    REVIEW → REJECTED on rejected
    REVIEW → DRAFT on returned
    REVIEW → CANCELLED on withdrawn
  }
}

document "slip" {
  template: "slip"
  note = note
}
`;
const FUNCTIONS = `export const book = { kind: "action", run: ({ arguments: [note] }) => { throw new Error("can't book " + note); } };`;
export const APPS = {
  A: { corpId: "wwacme", token: "tokena", aesKey: Buffer.alloc(32, 1).toString("base64").slice(0, 43) },
  B: { corpId: "wwglobex", token: "tokenb", aesKey: Buffer.alloc(32, 2).toString("base64").slice(0, 43) },
} as const;
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
  readonly json: any;
}

/** What acme has. */
export interface Its {
  readonly instance: string;
  readonly draft: string;
  readonly task: string;
  readonly effect: string;
  readonly letter: string;
  /** Of the raw event of its WeCom app. */
  readonly raw: string;
  readonly etag: string;
}

type Cursors = Readonly<Record<"instances" | "tasks" | "effects" | "letters", string>>;

export class TwoTenants {
  readonly log: string[] = [];
  its!: Its;
  cursors!: Cursors;
  readonly #folder = mkdtempSync(join(tmpdir(), "assent-crossing-"));
  readonly #connections: NatsConnection[] = [];
  #nats: NatsServer | undefined;
  #node: ChildProcess | undefined;
  #url = "";

  async open(): Promise<void> {
    const { config, passwords } = natsAccounts(["acme", "globex"]);
    for (const [user, variable] of Object.entries(passwords)) process.env[variable] = `pass-of-${user}`;
    writeFileSync(join(this.#folder, "accounts.conf"), config);
    this.#nats = await startNatsServer({ args: ["--config", join(this.#folder, "accounts.conf")] });
    await this.#startNode(this.#nats.url);
    await this.#fill();
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) await connection.close();
    if (this.#node?.exitCode === null) {
      this.#node.kill("SIGTERM");
      await once(this.#node, "exit");
    }
    await this.#nats?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @param who `TENANT/USER`. */
  send = async (
    who: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const [tenant = "", user = ""] = who?.split("/") ?? [];
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...(who !== undefined && { authorization: `Bearer ${keyOf(tenant, user)}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") && text !== "";
    return { status: response.status, text, headers: response.headers, json: isJson ? JSON.parse(text) : undefined };
  };

  /** As WeCom would, with the keys of one app at an app's address. @returns also what it said, in clear. */
  async hook(
    app: "a" | "b",
    keys: (typeof APPS)["A" | "B"],
    status = 1,
  ): Promise<Answer & { readonly message: string }> {
    const form = { spNo: MARKER, template: "T", status, change: 1, applicant: "alice", atMs: Date.now() };
    const message = approvalChangeXml(keys, form);
    const { search, headers, body } = callback(keys, message, Date.now());
    const response = await fetch(`${this.#url}/hooks/wecom/${app}${search}`, { method: "POST", headers, body });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, json: undefined, message };
  }

  /** All of acme that an attempt could have changed; how often an effect was tried changes by itself. */
  async everything(): Promise<string> {
    const look = async (path: string) => (await this.send("acme/admin", "GET", path)).json;
    const list = async (path: string) => (await look(path)).items as { id: string }[];
    const instances = await list("/v1/instances?limit=200");
    const paths = instances.flatMap(({ id }) => [`/v1/instances/${id}`, `/v1/instances/${id}/history`]);
    const seen = await Promise.all(paths.map(look));
    const tasks = (await this.send("acme/bob", "GET", "/v1/tasks?assignee=me&limit=200")).json;
    const [effects, letters] = [await list("/v1/effects?state=pending"), await list("/v1/dead-letters")];
    return JSON.stringify({ instances, seen, tasks, effects: effects.map(({ id }) => id).sort(), letters });
  }

  /** Connects as globex's user; what it hears, in its inbox too, and what it was not allowed. */
  async onNats(): Promise<{ connection: NatsConnection; heard: string[]; violations: string[] }> {
    const account = { user: "globex", pass: "pass-of-globex" };
    const connection = await connect({ servers: this.#nats!.url, ...account, reconnect: false });
    this.#connections.push(connection);
    const heard: string[] = [];
    const violations: string[] = [];
    void (async () => {
      for await (const status of connection.status())
        if (status.type === Events.Error) violations.push(String(status.data));
    })();
    for (const subject of ["_INBOX.>", "assent.out.globex.>"])
      connection.subscribe(subject, { callback: (_, message) => heard.push(message.string()) });
    await connection.flush();
    return { connection, heard, violations };
  }

  async eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      assert.equal(this.#node!.exitCode, null, this.log.join(""));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #startNode(natsUrl: string): Promise<void> {
    const file = (name: string) => join(this.#folder, name);
    mkdirSync(file("flows"));
    writeFileSync(file("flows/leave.flow"), FLOW);
    writeFileSync(file("flows/functions.ts"), FUNCTIONS);
    writeFileSync(file("flows/slip.docx"), docxFile({ title: "slip", body: paragraph("$note") }));
    writeFileSync(file("jwks.json"), await someKeys());
    writeFileSync(file("keys.json"), JSON.stringify(apiKeys()));
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    this.#node = spawn(process.execPath, [ASSENT, "serve", file("flows")], {
      cwd: this.#folder,
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        ASSENT_STORE: `sqlite:${file("assent.db")}`,
        ASSENT_DATA: file("data"),
        ASSENT_HTTP: `127.0.0.1:${port}`,
        ASSENT_AUTH: file("jwks.json"),
        ASSENT_API_KEYS: file("keys.json"),
        ASSENT_KEYS: `k1:${randomBytes(32).toString("base64")}`,
        ASSENT_NATS: natsUrl.replace("//", "//assent:pass-of-assent@"),
        ...appSettings("A", "acme"),
        ...appSettings("B", "globex"),
      },
    });
    this.#node.stderr!.setEncoding("utf8").on("data", (line: string) => this.log.push(line));
    const isReady = async () => (await this.send(undefined, "GET", "/readyz").catch(() => undefined))?.status === 200;
    await this.eventually(async () => (await isReady()) || undefined);
  }

  async #fill(): Promise<void> {
    for (const tenant of ["acme", "globex"]) for (const n of [1, 2, 3]) await this.#give(tenant, n);
    const acme = (path: string) => this.send("acme/admin", "GET", path);
    const [instance, draft] = ["K-1", "D-1"].map((key) => instanceId("acme", "leave", key)) as [string, string];
    const hooked = await this.hook("a", APPS.A);
    assert.equal(hooked.status, 200, hooked.text);
    await this.eventually(
      async () => (await acme(`/v1/instances/${instance}/documents/slip`)).status === 200 || undefined,
    );
    const isTried = ({ error }: { readonly error?: string }) => error !== undefined;
    const idIn = async (path: string, fits: (item: { readonly error?: string }) => boolean = () => true) => {
      const { items } = (await acme(path)).json;
      return items.length >= 3 && items.every(fits) ? (items[0].id as string) : undefined;
    };
    this.its = {
      ...{ instance, draft, task: `${instance}-1` },
      effect: await this.eventually(() => idIn("/v1/effects?state=pending", isTried)),
      letter: await this.eventually(() => idIn("/v1/dead-letters")),
      raw: `in/a/${createHash("sha256").update(hooked.message).digest("hex")}`,
      etag: (await acme(`/v1/instances/${instance}`)).headers.get("etag")!,
    };
    this.cursors = {
      instances: (await acme("/v1/instances?limit=1")).json.cursor,
      tasks: (await this.send("acme/bob", "GET", "/v1/tasks?assignee=me&limit=1")).json.cursor,
      effects: (await acme("/v1/effects?state=pending&limit=1")).json.cursor,
      letters: (await acme("/v1/dead-letters?limit=1")).json.cursor,
    };
    for (const one of Object.values(this.cursors)) assert.equal(typeof one, "string");
  }

  /** One instance in review with a document, one whose effect fails, one dead letter. */
  async #give(tenant: string, n: number): Promise<void> {
    const note = tenant === "acme" ? MARKER : "globex";
    const path = "/v1/flows/leave/instances";
    const review = { key: `K-${n}`, event: "submit", data: { note: `${note} ${n}` } };
    const started = await this.send(`${tenant}/alice`, "POST", path, review, { "Idempotency-Key": `${tenant} ${n}` });
    assert.equal(started.status, 201, started.text);
    const draft = { key: `D-${n}`, event: "remark", data: { note } };
    assert.equal((await this.send(`${tenant}/alice`, "POST", path, draft)).status, 201);
    await this.send(`${tenant}/admin`, "POST", `/v1/bus/assent.in.${tenant}.leave.nonsense.K-${n}`, { note });
  }
}

const keyOf = (tenant: string, user: string): string => `${tenant}-${user}-key`;

const apiKeys = () =>
  ["acme", "globex"].flatMap((tenant) =>
    ["alice", "bob", "admin"].map((user) => ({
      ...{ user, tenant, roles: user === "admin" ? ["admin"] : [] },
      sha256: createHash("sha256").update(keyOf(tenant, user)).digest("hex"),
    })),
  );

/** Of an issuer whose private key nobody has. */
async function someKeys(): Promise<string> {
  const { publicKey } = await generateKeyPair("ES256");
  return JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "1", alg: "ES256" }] });
}

function appSettings(name: keyof typeof APPS, tenant: string): Record<string, string> {
  const { corpId, token, aesKey } = APPS[name];
  const app = {
    CORP_ID: corpId,
    TOKEN: token,
    AES_KEY: aesKey,
    SECRET: "s",
    API: "http://127.0.0.1:1",
    TENANT: tenant,
  };
  return Object.fromEntries(Object.entries(app).map(([key, value]) => [`ASSENT_WECOM_${name}_${key}`, value]));
}
