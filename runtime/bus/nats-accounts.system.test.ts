import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect, Events, type NatsConnection } from "nats";
import { type NatsServer, needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { NODE_USER, natsAccounts, SERVICES_USER } from "./nats-accounts.ts";
import { type NatsBus, openNatsBus } from "./nats-bus.ts";

/** The generated configuration on a real server: what a tenant can, and what it can't. */

const TENANTS = ["acme", "globex", "a.b c", "a-b", "a_b"];

describe("accounts of tenants on NATS", { ...needsNatsServer(), timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "assent-accounts-"));
  const { config, passwords } = natsAccounts(TENANTS);
  let server: NatsServer;
  let node: NatsBus;
  const connections: NatsConnection[] = [];

  before(async () => {
    for (const [user, variable] of Object.entries(passwords)) process.env[variable] = `pass-${user.length}-word`;
    writeFileSync(join(folder, "accounts.conf"), config);
    server = await startNatsServer({ args: ["--config", join(folder, "accounts.conf")] });
    node = await openNatsBus({ urls: urlFor(NODE_USER) });
  });
  after(async () => {
    for (const connection of connections) await connection.close();
    await node?.close();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  const passOf = (user: string) => `pass-${user.length}-word`;
  const urlFor = (user: string) =>
    server.url.replace("//", `//${encodeURIComponent(user)}:${encodeURIComponent(passOf(user))}@`);

  async function as(user: string): Promise<{ connection: NatsConnection; violations: string[] }> {
    const connection = await connect({ servers: server.url, user, pass: passOf(user), reconnect: false });
    connections.push(connection);
    const violations: string[] = [];
    void (async () => {
      for await (const status of connection.status())
        if (status.type === Events.Error) violations.push(JSON.stringify(status));
    })();
    return { connection, violations };
  }

  /** Goes to the server and back: what it has to say of what was sent before has come by then. */
  const settled = (connection: NatsConnection) => connection.flush();

  test("each variable is one user's", () => {
    assert.equal(new Set(Object.values(passwords)).size, TENANTS.length + 2);
    assert.match(config, /assent\.in\.a%2Eb%20c\.>/);
    assert.ok(!config.includes("pass-"), "no password stands in it");
  });

  test("a tenant sends its events, asks its commands and hears what happens", async () => {
    for (const tenant of ["acme", "a.b c"]) {
      const token = tenant === "acme" ? "acme" : "a%2Eb%20c";
      const { connection, violations } = await as(tenant);
      const heard: string[] = [];
      const subscription = connection.subscribe(`assent.out.${token}.>`, {
        callback: (_, message) => heard.push(message.string()),
      });
      await settled(connection);
      const taken = await connection.request(`assent.in.${token}.leave.submit.L-1`, "{}", { timeout: 5_000 });
      assert.equal((JSON.parse(taken.string()) as { stream: string }).stream, "ASSENT_IN", "the stream has acked it");
      const end = await node.serve(`assent.cmd.${token}.>`, async () => ({ body: "{}", headers: {} }) as never);
      await node.publish([
        { subject: `assent.out.${token}.leave.onSent`, id: randomUUID(), headers: {}, body: "mine" },
      ]);
      while (heard.length === 0) await settled(connection);
      assert.deepEqual(heard, ["mine"]);
      assert.ok(await connection.request(`assent.cmd.${token}.leave.submit`, "{}", { timeout: 5_000 }));
      assert.deepEqual(violations, []);
      end();
      subscription.unsubscribe();
    }
  });

  const FORBIDDEN: readonly (readonly [what: string, does: (connection: NatsConnection) => void])[] = [
    ["send another tenant's event", (c) => c.publish("assent.in.globex.leave.submit.L-1", "{}")],
    ["ask another tenant's command", (c) => c.publish("assent.cmd.globex.leave.submit", "{}", { reply: "_INBOX.x" })],
    ["send an event of all", (c) => c.publish("assent.out.acme.leave.onSent", "forged")],
    ["hear another tenant", (c) => void c.subscribe("assent.out.globex.>")],
    ["hear all tenants", (c) => void c.subscribe("assent.out.*.>")],
    ["hear everything", (c) => void c.subscribe(">")],
    ["read events on their way in", (c) => void c.subscribe("assent.in.>")],
    ["read its own on their way in", (c) => void c.subscribe("assent.in.acme.>")],
    ["serve commands", (c) => void c.subscribe("assent.cmd.acme.>")],
    ["serve functions", (c) => void c.subscribe("assent.svc.>")],
    ["ask services", (c) => c.publish("assent.svc.erp.book", "{}", { reply: "_INBOX.x" })],
    ["look for services", (c) => c.publish("$SRV.INFO", "", { reply: "_INBOX.x" })],
    ["ask for streams", (c) => c.publish("$JS.API.STREAM.NAMES", "", { reply: "_INBOX.x" })],
    ["read a stream", (c) => c.publish("$JS.API.STREAM.MSG.GET.ASSENT_IN", '{"seq":1}', { reply: "_INBOX.x" })],
    ["ack others' messages", (c) => c.publish("$JS.ACK.ASSENT_IN.assent.1.1.1.1.1", "")],
    ["talk to nodes", (c) => c.publish("assent.node.1", "")],
  ];
  for (const [what, does] of FORBIDDEN) {
    test(`a tenant can't ${what}`, async () => {
      const { connection, violations } = await as("acme");
      does(connection);
      while (violations.length === 0) await settled(connection);
      assert.match(violations[0]!, /PERMISSIONS_VIOLATION/);
    });
  }

  test("what other tenants get and answer in their inboxes is not seen", async () => {
    const { connection } = await as("acme");
    const heard: string[] = [];
    connection.subscribe("_INBOX.>", { callback: (_, message) => heard.push(message.subject) });
    await settled(connection);
    const { connection: other } = await as("globex");
    await other.request("assent.in.globex.leave.submit.L-9", "{}", { timeout: 5_000 });
    await settled(connection);
    assert.deepEqual(heard, []);
  });

  test("a service answers what it is asked, and can send nothing else", async () => {
    const { connection, violations } = await as(SERVICES_USER);
    connection.subscribe("assent.svc.erp.book", { callback: (_, message) => void message.respond('{"ok":true}') });
    await settled(connection);
    assert.equal(await node.request("assent.svc.erp.book", "{}", { headers: {}, timeoutMs: 5_000 }), '{"ok":true}');
    assert.deepEqual(violations, []);
    connection.publish("assent.in.acme.leave.submit.L-1", "{}");
    while (violations.length === 0) await settled(connection);
  });

  test("nobody comes in without a password", async () => {
    await assert.rejects(connect({ servers: server.url, reconnect: false }), /Authorization Violation/);
    await assert.rejects(
      connect({ servers: server.url, user: "acme", pass: "wrong", reconnect: false }),
      /Authorization Violation/,
    );
  });
});
