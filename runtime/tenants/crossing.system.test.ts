import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import type { NatsConnection } from "nats";
import { instanceId } from "../../engine/index.ts";
import { needsNatsServer } from "../../scripts/nats-server.ts";
import { type Answer, APPS, type Its, MARKER, TwoTenants } from "./crossing-testing.ts";

/**
 * The administrator of one tenant, and its people, try to get at what another tenant has, in every way there is. Nothing of it
 * may come out, and nothing may change.
 */

describe("thirty ways and more to cross from one tenant to another", { ...needsNatsServer(), timeout: 120_000 }, () => {
  const world = new TwoTenants();
  let untouched: string;
  before(async () => {
    await world.open();
    untouched = await world.everything();
  });
  after(() => world.close());

  const { send } = world;
  const mallory = (method: string, path: string, body?: unknown, headers = {}) =>
    send("globex/admin", method, path, body, headers);

  /** Refused, exactly as if there were no such thing. */
  function refusedAsUnknown(
    method: string,
    path: (id: Its) => string,
    body?: unknown,
  ): () => Promise<readonly Answer[]> {
    return async () => {
      const unknown = Object.fromEntries(
        Object.entries(world.its).map(([name, id]) => [name, id.replace(/[0-9a-f]{8}/, "00000000")]),
      ) as Its;
      const [there, nowhere] = [
        await mallory(method, path(world.its), body),
        await mallory(method, path(unknown), body),
      ];
      assert.equal(there.status, 404, there.text);
      assert.deepEqual([there.status, there.json.code], [nowhere.status, nowhere.json.code]);
      const asUser = await send("globex/bob", method, path(world.its), body);
      assert.ok(asUser.status >= 400, `${asUser.status} ${asUser.text}`);
      return [there, asUser];
    };
  }

  const instance = (rest: string) => (id: Its) => `/v1/instances/${id.instance}${rest}`;
  const task = (rest: string) => (id: Its) => `/v1/tasks/${id.task}${rest}`;
  const encoded = (rest: string, of: "effect" | "letter") => (id: Its) =>
    `/v1/effects/${encodeURIComponent(id[of])}${rest}`;
  const reason = { reason: "because" };

  type Way = readonly [what: string, attempt: () => Promise<readonly Answer[]>];
  const guessed: readonly Way[] = [
    ["look at an instance", refusedAsUnknown("GET", instance(""))],
    ["look at an earlier version", refusedAsUnknown("GET", instance("?at=1"))],
    ["read a history", refusedAsUnknown("GET", instance("/history"))],
    ["have an instance explained", refusedAsUnknown("GET", instance("/explain"))],
    ["fetch a document", refusedAsUnknown("GET", instance("/documents/slip"))],
    [
      "look at a raw event as an instance",
      refusedAsUnknown("GET", (id) => `/v1/instances/${encodeURIComponent(id.raw)}`),
    ],
    [
      "read a raw event's history",
      refusedAsUnknown("GET", (id) => `/v1/instances/${encodeURIComponent(id.raw)}/history`),
    ],
    ["look at a task", refusedAsUnknown("GET", task(""))],
    ["send an event", refusedAsUnknown("POST", (id) => `/v1/instances/${id.draft}/events`, { event: "submit" })],
    ["withdraw", refusedAsUnknown("POST", instance("/withdraw"), reason)],
    ["suspend", refusedAsUnknown("POST", instance("/suspend"), reason)],
    ["resume", refusedAsUnknown("POST", instance("/resume"), reason)],
    ["void", refusedAsUnknown("POST", instance("/void"), reason)],
    ["jump", refusedAsUnknown("POST", instance("/jump"), { to: "APPROVED", ...reason })],
    ["override", refusedAsUnknown("POST", instance("/override"), { decision: "approve", ...reason })],
    ["change a saga", refusedAsUnknown("POST", instance("/saga"), { step: "s", arguments: {}, ...reason })],
    ["migrate", refusedAsUnknown("POST", instance("/migrate"), { label: "1.0", ...reason })],
    ["ask what migrating would do", refusedAsUnknown("POST", instance("/migrate"), { label: "1.0", dryRun: true })],
    ["approve", refusedAsUnknown("POST", task("/decision"), { decision: "approve" })],
    [
      "reject on somebody's behalf",
      refusedAsUnknown("POST", task("/decision"), { decision: "reject", reason: "r", onBehalfOf: "bob" }),
    ],
    ["return a form", refusedAsUnknown("POST", task("/decision"), { decision: "return" })],
    ["transfer a task to oneself", refusedAsUnknown("POST", task("/transfer"), { to: "admin" })],
    ["delegate a task", refusedAsUnknown("POST", task("/delegate"), { to: "admin" })],
    ["add oneself", refusedAsUnknown("POST", task("/add"), { where: "beside", people: ["admin"] })],
    ["remove an approver", refusedAsUnknown("POST", task("/remove"), { person: "bob", asAdmin: true })],
    ["claim a task", refusedAsUnknown("POST", task("/claim"), {})],
    ["release a task", refusedAsUnknown("POST", task("/release"), {})],
    ["take a decision back", refusedAsUnknown("POST", task("/take-back"), {})],
    ["urge", refusedAsUnknown("POST", task("/urge"), {})],
    ["comment", refusedAsUnknown("POST", task("/comments"), { text: "hello" })],
    ["ask somebody", refusedAsUnknown("POST", task("/ask"), { to: "bob", text: "what?" })],
    ["send a copy to oneself", refusedAsUnknown("POST", task("/cc"), { people: ["admin"] })],
    ["read an effect", refusedAsUnknown("GET", encoded("", "effect"))],
    ["send an effect again", refusedAsUnknown("POST", encoded("/retry", "effect"))],
    ["discard an effect", refusedAsUnknown("POST", encoded("/discard", "effect"))],
    ["read a dead letter", refusedAsUnknown("GET", encoded("", "letter"))],
    ["send a dead letter again", refusedAsUnknown("POST", encoded("/retry", "letter"))],
    ["discard a dead letter", refusedAsUnknown("POST", encoded("/discard", "letter"))],
  ];

  const refused = (answer: Answer, ...statuses: readonly number[]): readonly Answer[] => {
    assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.text}`);
    return [answer];
  };
  const ofCursor =
    (path: string, of: keyof typeof world.cursors, who = "globex/admin"): (() => Promise<readonly Answer[]>) =>
    async () =>
      refused(
        await send(
          who,
          "GET",
          `${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(world.cursors[of])}`,
        ),
        400,
      );
  /** Only what is one's own is listed. */
  const listed =
    (path: string, who = "globex/admin"): (() => Promise<readonly Answer[]>) =>
    async () => {
      const answer = await send(who, "GET", path);
      assert.equal(answer.status, 200, answer.text);
      const own = JSON.stringify(answer.json.items);
      for (const id of [world.its.instance, world.its.draft, world.its.task, world.its.effect])
        assert.ok(!own.includes(id), own);
      return [answer];
    };

  const others: readonly Way[] = [
    ["find instances", listed("/v1/instances?limit=200")],
    ["find instances by key", listed("/v1/instances?q=K-1")],
    ["find instances by who started them", listed("/v1/instances?initiator=alice")],
    ["find the tasks of somebody of the same name", listed("/v1/tasks?assignee=bob&limit=200")],
    ["see them in one's own inbox", listed("/v1/tasks?assignee=me&limit=200", "globex/bob")],
    ["list effects", listed("/v1/effects?state=pending&limit=200")],
    ["list dead effects", listed("/v1/effects?state=dead&limit=200")],
    ["list dead letters", listed("/v1/dead-letters?limit=200")],
    ["go on with a cursor of instances", ofCursor("/v1/instances", "instances")],
    ["go on with a cursor of tasks", ofCursor("/v1/tasks?assignee=me", "tasks", "globex/bob")],
    ["go on with a cursor of effects", ofCursor("/v1/effects?state=pending", "effects")],
    ["go on with a cursor of dead letters", ofCursor("/v1/dead-letters", "letters")],
    [
      "go on with it behind the effects",
      async () => refused(await mallory("GET", `/v1/effects?state=dead&cursor=letters.${world.cursors.letters}`), 400),
    ],
    [
      "mix tasks of two tenants in a batch",
      async () => {
        const own = `${instanceId("globex", "leave", "K-2")}-1`;
        const decisions = [world.its.task, own].map((id) => ({ task: id, decision: "approve" }));
        const answer = await send("globex/bob", "POST", "/v1/batch", { decisions });
        assert.deepEqual(
          answer.json.items.map(({ status }: { status: number }) => status),
          [404, 200],
        );
        return [answer];
      },
    ],
    [
      "hand over the tasks of somebody of the same name",
      async () => {
        const answer = await mallory("POST", "/v1/people/bob/hand-over", { to: "admin", reason: "r" });
        const found = answer.json.items.map((item: { instance: string }) => item.instance);
        assert.deepEqual(found.sort(), [1, 3].map((n) => instanceId("globex", "leave", `K-${n}`)).sort());
        return [answer];
      },
    ],
    [
      "take an instance by its key",
      async () => {
        const answer = await mallory("POST", "/v1/flows/leave/instances", { key: "K-1", event: "submit", data: {} });
        assert.notEqual(answer.json.id, world.its.instance);
        return [answer];
      },
    ],
    [
      "get the answer to a command by its id",
      async () => {
        const body = { key: "K-9", event: "submit", data: { note: `${MARKER.slice(5)} 1` } };
        const answer = await send("globex/alice", "POST", "/v1/flows/leave/instances", body, {
          "Idempotency-Key": "acme 1",
        });
        assert.deepEqual([answer.status, answer.json.tenant, answer.json.key], [201, "globex", "K-9"]);
        return [{ ...answer, text: "" }];
      },
    ],
    [
      "learn of a change by its ETag",
      async () =>
        refused(
          await mallory("GET", `/v1/instances/${world.its.instance}`, undefined, { "If-None-Match": world.its.etag }),
          404,
        ),
    ],
    [
      "learn of a version by If-Match",
      async () =>
        refused(
          await mallory("POST", `/v1/instances/${world.its.instance}/suspend`, reason, { "If-Match": '"99"' }),
          404,
        ),
    ],
    [
      "name another tenant in a header",
      async () =>
        refused(
          await mallory("GET", `/v1/instances/${world.its.instance}`, undefined, {
            "Assent-Tenant": "acme",
            "X-Tenant": "acme",
            tenant: "acme",
          }),
          404,
        ),
    ],
    ["name another tenant in the query", async () => refused(await mallory("GET", "/v1/instances?tenant=acme"), 400)],
    [
      "name another tenant in a body",
      async () => refused(await mallory("POST", "/v1/flows/leave/instances", { key: "K-7", tenant: "acme" }), 422),
    ],
    [
      "climb out of one's documents",
      async () => {
        const own = instanceId("globex", "leave", "K-3");
        const paths = [
          `../../acme/${world.its.instance}/slip`,
          `..%2F..%2Facme%2F${world.its.instance}%2Fslip`,
          `slip\0/../../acme/${world.its.instance}/slip`,
        ];
        return Promise.all(
          paths.map(
            async (path) =>
              refused(await mallory("GET", `/v1/instances/${own}/documents/${encodeURIComponent(path)}`), 404)[0]!,
          ),
        );
      },
    ],
    [
      "put another tenant's name before an id",
      async () => {
        const ids = [
          `acme/${world.its.instance}`,
          `acme\0${world.its.instance}`,
          `../acme/${world.its.instance}`,
          `acme:${world.its.instance}`,
          `${world.its.instance}/1`,
        ];
        return Promise.all(
          ids.map(async (id) => refused(await mallory("GET", `/v1/instances/${encodeURIComponent(id)}`), 404)[0]!),
        );
      },
    ],
    [
      "look without an identity",
      async () => refused(await send(undefined, "GET", `/v1/instances/${world.its.instance}`), 401),
    ],
    [
      "change a letter of an API key",
      async () => refused(await send("acme/adm1n", "GET", `/v1/instances/${world.its.instance}`), 401),
    ],
    [
      "sign a token of one's own",
      async () => {
        const { privateKey } = await generateKeyPair("ES256");
        const token = await new SignJWT({ tenant: "acme", roles: ["admin"] })
          .setProtectedHeader({ alg: "ES256", kid: "1" })
          .setSubject("admin")
          .setExpirationTime("1h")
          .sign(privateKey);
        return refused(
          await send(undefined, "GET", `/v1/instances/${world.its.instance}`, undefined, {
            authorization: `Bearer ${token}`,
          }),
          401,
        );
      },
    ],
    [
      "send a token that is not signed",
      async () => {
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const token = `${part({ alg: "none" })}.${part({ sub: "admin", tenant: "acme", roles: ["admin"] })}.`;
        return refused(
          await send(undefined, "GET", `/v1/instances/${world.its.instance}`, undefined, {
            authorization: `Bearer ${token}`,
          }),
          401,
        );
      },
    ],
    [
      "put a message into another tenant's subject",
      async () => refused(await mallory("POST", "/v1/bus/assent.in.acme.leave.submit.D-1", {}), 403),
    ],
    [
      "write that subject in another way",
      async () => {
        const subjects = [
          "assent.in.%61cme.leave.submit.D-1",
          "assent.in.globex.x.y.z.acme",
          "assent.in.*.leave.submit.D-1",
          "assent.in.>",
          "assent.out.acme.leave.onX",
          "assent.cmd.acme.leave.submit",
        ];
        return Promise.all(
          subjects.map(
            async (subject) =>
              refused(await mallory("POST", `/v1/bus/${encodeURIComponent(subject)}`, {}), 403, 422)[0]!,
          ),
        );
      },
    ],
    [
      "send an own app's callback to another tenant's app",
      async () => refused(await world.hook("a", APPS.B), 400, 401),
    ],
    [
      "tell of another tenant's form by an own app",
      async () => {
        const sent = await world.hook("b", APPS.B, 4);
        const isIgnored = () => world.log.join("").includes("a WeCom event was ignored");
        await world.eventually(async () => isIgnored() || undefined);
        return refused(sent, 200);
      },
    ],
    [
      "read the figures for it",
      async () => {
        const answer = await send(undefined, "GET", "/metrics");
        for (const id of [world.its.instance, world.its.draft, "K-1", "alice"])
          assert.ok(!answer.text.includes(id), id);
        return [answer];
      },
    ],
    [
      "read the descriptions for it",
      async () => [
        await mallory("GET", "/openapi.json"),
        await mallory("GET", "/healthz"),
        await mallory("GET", "/readyz"),
      ],
    ],
  ];

  const onNats: readonly (readonly [what: string, does: (connection: NatsConnection) => void])[] = [
    ["send another tenant's event", (c) => c.publish("assent.in.acme.leave.submit.D-1", "{}", { reply: "_INBOX.x" })],
    ["send it as if for all", (c) => c.publish("assent.in.acme.leave.remark.D-1", "{}")],
    [
      "ask for another tenant's command",
      (c) => c.publish("assent.cmd.acme.leave.submit.D-1", "{}", { reply: "_INBOX.x" }),
    ],
    ["hear another tenant's events", (c) => void c.subscribe("assent.out.acme.>")],
    ["hear what comes in for it", (c) => void c.subscribe("assent.in.acme.>")],
    ["hear it sorted", (c) => void c.subscribe("assent.at.>")],
    ["answer its commands", (c) => void c.subscribe("assent.cmd.acme.>", { queue: "assent" })],
    ["answer for its services", (c) => void c.subscribe("assent.svc.>")],
    [
      "read it out of the stream",
      (c) =>
        c.publish("$JS.API.STREAM.MSG.GET.ASSENT_IN", '{"last_by_subj":"assent.in.acme.>"}', { reply: "_INBOX.x" }),
    ],
  ];

  for (const [what, attempt] of [...guessed, ...others]) {
    test(what, async () => {
      for (const { text: answered } of await attempt()) assert.ok(!answered.includes(MARKER), answered);
    });
  }
  for (const [what, does] of onNats) {
    test(`on NATS: ${what}`, async () => {
      const { connection, heard, violations } = await world.onNats();
      does(connection);
      while (violations.length === 0) await connection.flush();
      assert.match(violations[0]!, /PERMISSIONS_VIOLATION/);
      assert.ok(!heard.join("").includes(MARKER));
    });
  }
  test("on NATS: hear anything of what another tenant does meanwhile", async () => {
    const { connection, heard } = await world.onNats();
    await send("acme/alice", "POST", "/v1/flows/leave/instances", { key: "K-1", event: "submit", data: {} });
    await send("globex/alice", "POST", "/v1/flows/leave/instances", { key: "OWN", event: "submit", data: {} });
    while (!heard.some((message) => message.includes(instanceId("globex", "leave", "OWN")))) await connection.flush();
    assert.ok(!heard.join("").includes(MARKER) && !heard.join("").includes(world.its.instance));
  });

  test("there are thirty ways and more, and after all of them nothing has changed", async () => {
    assert.ok(guessed.length + others.length + onNats.length >= 30);
    assert.equal(await world.everything(), untouched);
  });
});
