import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import type { BusMessage } from "../ports.ts";
import { BODY_BYTES_MAX, NESTING_MAX } from "./body.ts";
import { openWorld, type Reply, type World } from "./testing.ts";

const FLOW_PATH = "/v1/flows/expense/instances";
let world: World;
let keys = 0;

before(async () => {
  world = await openWorld();
});
after(() => world.close());

const freshKey = () => `k-${++keys}`;

/** A draft of alice's. */
async function started(body: object = {}): Promise<Reply["json"]> {
  const { status, json } = await world.send("alice", "POST", FLOW_PATH, { key: freshKey(), ...body });
  assert.equal(status, 201);
  return json;
}

/** With bob's open task. */
const submitted = () => started({ event: "submit", data: { amount: "1280.50", card: "6222-0001" } });

function assertProblem(reply: Reply, status: number, code: string): void {
  assert.equal(reply.status, status, reply.text);
  assert.match(reply.headers.get("content-type") ?? "", /^application\/problem\+json/);
  const { type, title, detail, traceId } = reply.json;
  assert.deepEqual({ status: reply.json.status, code: reply.json.code }, { status, code });
  assert.equal(type, `urn:assent:problem:${code}`);
  assert.ok(title.length > 0 && detail.length > 0);
  assert.equal(traceId, reply.headers.get("x-trace-id"));
}

describe("starting", () => {
  test("a new key makes an instance, the same key gives it again", async () => {
    const key = freshKey();
    const body = { key, event: "submit", data: { amount: "1280.5", card: "6222-0001" } };
    const first = await world.send("alice", "POST", FLOW_PATH, body);
    assert.equal(first.status, 201);
    assert.equal(first.headers.get("location"), `/v1/instances/${first.json.id}`);
    assert.equal(first.headers.get("etag"), '"1"');
    const { id, definition, tasks, startedAt, updatedAt, ...rest } = first.json;
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.match(definition.hash, /^[0-9a-f]{64}$/);
    assert.equal(definition.label, "1.0");
    assert.match(startedAt, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal(updatedAt, startedAt);
    assert.deepEqual(rest, {
      flow: "expense",
      key,
      tenant: "default",
      initiator: "alice",
      state: "REVIEW",
      version: 1,
      data: { amount: "1280.50 CNY", card: "****" },
      documents: [],
    });
    const [{ openedAt, ...task }] = tasks;
    assert.match(openedAt, /Z$/);
    const expected = { id: `${id}-1`, instance: id, flow: "expense", assignee: "bob", status: "open", state: "REVIEW" };
    assert.deepEqual(task, { ...expected, stage: 1 });
    const again = await world.send("alice", "POST", FLOW_PATH, body);
    assert.equal(again.status, 200);
    assert.deepEqual(again.json, first.json);
  });

  test("without a key the command's id is the key", async () => {
    const headers = { "idempotency-key": "form-17" };
    const first = await world.send("alice", "POST", FLOW_PATH, {}, headers);
    const again = await world.send("alice", "POST", FLOW_PATH, {}, headers);
    assert.deepEqual([first.status, first.json.key, again.status], [201, "form-17", 200]);
    assert.equal(again.json.id, first.json.id);
    const other = await world.send("alice", "POST", FLOW_PATH);
    assert.equal(other.status, 201);
    assert.notEqual(other.json.id, first.json.id);
  });

  test("a key of somebody else's is not told", async () => {
    const { key } = await started();
    assertProblem(await world.send("erin", "POST", FLOW_PATH, { key }), 403, "not-authorized");
  });

  test("a key of another tenant is another instance", async () => {
    const { key, id } = await started();
    const reply = await world.send("other/alice", "POST", FLOW_PATH, { key });
    assert.equal(reply.status, 201);
    assert.notEqual(reply.json.id, id);
  });

  test("only an administrator starts for somebody else", async () => {
    const body = { key: freshKey(), initiator: "carol" };
    assertProblem(await world.send("alice", "POST", FLOW_PATH, body), 403, "not-authorized");
    const reply = await world.send("admin", "POST", FLOW_PATH, body);
    assert.deepEqual([reply.status, reply.json.initiator], [201, "carol"]);
  });

  test("a refused event leaves no instance", async () => {
    const body = { key: freshKey(), event: "submit", data: { amount: "much" } };
    const reply = await world.send("alice", "POST", FLOW_PATH, body);
    assertProblem(reply, 422, "wrong-type");
    assert.equal(reply.json.errors[0].field, "amount");
    assert.equal((await world.send("alice", "POST", FLOW_PATH, { key: body.key })).status, 201);
  });
});

describe("commands", () => {
  test("an event moves the instance", async () => {
    const { id } = await started();
    const reply = await world.send("alice", "POST", `/v1/instances/${id}/events`, {
      event: "submit",
      data: { note: "x" },
    });
    assert.deepEqual([reply.status, reply.json.state, reply.json.version], [200, "REVIEW", 2]);
    assert.equal(reply.headers.get("etag"), '"2"');
  });

  test("who may send an event without taking part learns no data", async () => {
    const { id } = await started({ data: { note: "private" } });
    const reply = await world.send("erin", "POST", `/v1/instances/${id}/events`, {
      event: "remark",
      data: { note: "seen" },
    });
    assert.equal(reply.status, 200);
    assert.deepEqual(reply.json, { id, flow: "expense", state: "DRAFT", version: 2 });
  });

  test("a task is approved, and the second decision is refused", async () => {
    const { id, tasks } = await submitted();
    const path = `/v1/tasks/${tasks[0].id}/decision`;
    const reply = await world.send("bob", "POST", path, { decision: "approve" });
    assert.deepEqual([reply.status, reply.json.state, reply.json.outcome], [200, "APPROVED", "APPROVED"]);
    const late = await world.send("bob", "POST", path, { decision: "approve" });
    assert.equal(late.status, 409);
    assert.equal(late.json.instance, `/v1/instances/${id}`);
  });

  test("a task is rejected with a reason, returned, transferred", async () => {
    const rejected = await submitted();
    const path = `/v1/tasks/${rejected.tasks[0].id}/decision`;
    assertProblem(await world.send("bob", "POST", path, { decision: "reject" }), 409, "reason-required");
    const reject = await world.send("bob", "POST", path, { decision: "reject", reason: "too much" });
    assert.equal(reject.json.state, "REJECTED");

    const returned = await submitted();
    const back = await world.send("bob", "POST", `/v1/tasks/${returned.tasks[0].id}/decision`, { decision: "return" });
    assert.deepEqual([back.status, back.json.state], [200, "DRAFT"]);

    const moved = await submitted();
    const transfer = await world.send("bob", "POST", `/v1/tasks/${moved.tasks[0].id}/transfer`, { to: "dave" });
    assert.deepEqual([transfer.status, transfer.json.tasks[0].assignee], [200, "dave"]);
  });

  test("a return names a state or a stage", async () => {
    const { tasks } = await submitted();
    const path = `/v1/tasks/${tasks[0].id}/decision`;
    assertProblem(await world.send("bob", "POST", path, { decision: "return", to: 7 }), 409, "no-such-target");
    assertProblem(await world.send("bob", "POST", path, { decision: "return", to: "NOWHERE" }), 409, "no-such-target");
    const reply = await world.send("bob", "POST", path, { decision: "return", to: "DRAFT" });
    assert.deepEqual([reply.status, reply.json.state], [200, "DRAFT"]);
  });

  test("the initiator withdraws, others may not", async () => {
    const { id } = await submitted();
    const path = `/v1/instances/${id}/withdraw`;
    assertProblem(await world.send("bob", "POST", path, {}), 403, "not-authorized");
    assertProblem(await world.send("erin", "POST", path, {}), 404, "not-found");
    const reply = await world.send("alice", "POST", path);
    assert.deepEqual([reply.status, reply.json.state], [200, "CANCELLED"]);
  });

  test("the wrong person is refused without learning more", async () => {
    const { tasks } = await submitted();
    const reply = await world.send("erin", "POST", `/v1/tasks/${tasks[0].id}/decision`, { decision: "approve" });
    assertProblem(reply, 409, "not-your-task");
    assert.equal(reply.json.details, undefined);
  });

  test("a repeated command gives the first answer, another one under its id is refused", async () => {
    const { id } = await started();
    const path = `/v1/instances/${id}/events`;
    const headers = { "idempotency-key": "remark-1" };
    const first = await world.send("alice", "POST", path, { event: "remark", data: { note: "one" } }, headers);
    await world.send("alice", "POST", path, { event: "remark", data: { note: "two" } });
    const again = await world.send("alice", "POST", path, { event: "remark", data: { note: "one" } }, headers);
    assert.deepEqual([again.status, again.json], [200, first.json]);
    const reused = await world.send("alice", "POST", path, { event: "remark", data: { note: "three" } }, headers);
    assertProblem(reused, 422, "id-reused");
  });

  test("Assent-Deadline: a command that is late is not begun", async () => {
    const { id } = await started();
    const path = `/v1/instances/${id}/events`;
    const event = { event: "submit", data: { amount: "12.50" } };
    const late = await world.send("alice", "POST", path, event, { "Assent-Deadline": "2000-01-01T00:00:00Z" });
    assertProblem(late, 504, "deadline-passed");
    const malformed = await world.send("alice", "POST", path, event, { "Assent-Deadline": "tomorrow" });
    assertProblem(malformed, 400, "malformed-header");
    const inTime = await world.send("alice", "POST", path, event, { "Assent-Deadline": "2999-01-01T00:00:00Z" });
    assert.equal(inTime.status, 200);
  });

  test("X-Gray-Tag of a start is the instance's", async () => {
    const { json } = await world.send("alice", "POST", FLOW_PATH, { key: freshKey() }, { "X-Gray-Tag": "v3" });
    assert.equal(json.tag, "v3");
  });

  test("If-Match refuses when the instance has moved", async () => {
    const { id } = await started();
    const path = `/v1/instances/${id}/events`;
    const remark = { event: "remark", data: { note: "x" } };
    assert.equal((await world.send("alice", "POST", path, remark, { "if-match": '"1"' })).status, 200);
    assertProblem(await world.send("alice", "POST", path, remark, { "if-match": '"1"' }), 412, "version-conflict");
    assertProblem(await world.send("alice", "POST", path, remark, { "if-match": "one" }), 400, "malformed-header");
    assert.equal((await world.send("alice", "POST", path, remark, { "if-match": "*" })).status, 200);
  });

  test("refusals of events", async () => {
    const { id } = await started();
    const event = (user: string, body: object) => world.send(user, "POST", `/v1/instances/${id}/events`, body);
    assertProblem(await event("alice", { event: "fly" }), 409, "unknown-event");
    assertProblem(await event("alice", { event: "remark", data: { colour: "red" } }), 422, "unknown-field");
    assertProblem(await event("alice", { event: "submit", data: { amount: true } }), 422, "wrong-type");
    assertProblem(await event("erin", { event: "submit" }), 404, "not-found");
    await event("alice", { event: "submit" });
    assertProblem(await event("bob", { event: "remark" }), 409, "not-possible-in-state");
  });

  test("a function that fails is worth another try or not", async () => {
    const { id } = await started();
    const verify = () => world.send("alice", "POST", `/v1/instances/${id}/events`, { event: "verify" });
    world.solvent = { failed: "timeout", retryable: true };
    const later = await verify();
    assertProblem(later, 503, "function-failed");
    assert.equal(later.headers.get("retry-after"), "1");
    world.solvent = { failed: "bug", retryable: false };
    assertProblem(await verify(), 409, "function-failed");
    world.solvent = { ok: false, reason: "broke" };
    assertProblem(await verify(), 409, "check-failed");
    world.solvent = { ok: true };
    assert.equal((await verify()).status, 200);
  });

  test("what does not exist", async () => {
    const nowhere = "0".repeat(32);
    const remark = { event: "remark" };
    const approve = { decision: "approve" };
    assertProblem(await world.send("alice", "POST", "/v1/flows/none/instances", {}), 404, "not-found");
    assertProblem(await world.send("alice", "POST", `/v1/instances/${nowhere}/events`, remark), 404, "not-found");
    assertProblem(await world.send("alice", "POST", `/v1/tasks/${nowhere}-1/decision`, approve), 404, "not-found");
    assertProblem(await world.send("alice", "POST", "/v1/tasks/none/decision", approve), 404, "not-found");
  });
});

describe("looking", () => {
  test("who takes part sees an instance, nobody else", async () => {
    const { id, tasks } = await submitted();
    await world.send("bob", "POST", `/v1/tasks/${tasks[0].id}/transfer`, { to: "dave" });
    const rows = [
      ["alice", 200],
      ["bob", 200],
      ["dave", 200],
      ["admin", 200],
      ["erin", 404],
      ["other/alice", 404],
      ["other/admin", 404],
    ] as const;
    for (const [user, status] of rows) {
      for (const path of [`/v1/instances/${id}`, `/v1/instances/${id}/history`, `/v1/tasks/${tasks[0].id}`]) {
        assert.equal((await world.send(user, "GET", path)).status, status, `${user} ${path}`);
      }
    }
  });

  test("earlier versions and ETags", async () => {
    const { id } = await started();
    await world.send("alice", "POST", `/v1/instances/${id}/events`, { event: "submit", data: { note: "later" } });
    const now = await world.send("alice", "GET", `/v1/instances/${id}`);
    assert.deepEqual([now.json.version, now.headers.get("etag")], [2, '"2"']);
    const then = await world.send("alice", "GET", `/v1/instances/${id}?at=1`);
    assert.deepEqual([then.json.version, then.json.state, then.headers.get("etag")], [1, "DRAFT", '"1"']);
    assertProblem(await world.send("alice", "GET", `/v1/instances/${id}?at=9`), 404, "not-found");
    const same = await world.send("alice", "GET", `/v1/instances/${id}`, undefined, {
      "if-none-match": '"2"',
      "cache-control": "max-age=0", // Else `fetch` asks for a fresh answer.
    });
    assert.deepEqual([same.status, same.text], [304, ""]);
  });

  test("history tells what happened, without secrets", async () => {
    const { id } = await submitted();
    const { json, text } = await world.send("alice", "GET", `/v1/instances/${id}/history`);
    const [item] = json.items;
    assert.deepEqual([item.sequence, item.version, item.command.kind, item.command.actor], [1, 1, "start", "alice"]);
    assert.match(item.at, /Z$/);
    assert.match(item.dataDigest, /^[\w-]{43}$/); // Keyed, because the flow has a secret.
    assert.match(item.definition, /^[0-9a-f]{64}$/);
    assert.ok(item.lines.some((line: { kind: string; text: string }) => line.kind === "moved" && line.text.length > 0));
    assert.ok(!text.includes("6222"));
  });

  test("explains where an instance stands, to those who may see it", async () => {
    const { id } = await submitted();
    const path = `/v1/instances/${id}/explain`;
    const { status, json, text } = await world.send("alice", "GET", path);
    const shown = await world.send("alice", "GET", `/v1/instances/${id}`);
    assert.deepEqual([status, json.state, json.places[0].state], [200, shown.json.state, shown.json.state]);
    const waiting = json.places[0].round.seats.map((seat: { task: string }) => seat.task);
    assert.deepEqual(
      waiting,
      shown.json.tasks.map((task: { id: string }) => task.id),
    );
    assert.match(json.places[0].since, /Z$/);
    assert.match(json.text[0], /is in `/);
    assert.ok(!text.includes("6222"));
    assert.equal((await world.send("erin", "GET", path)).status, 404);
  });

  test("a rendered document is a Word file to keep", async () => {
    const { id } = await started();
    const bytes = Buffer.from("PK not really");
    const { sha256 } = await world.documents.put("default", id, "合同", bytes);
    const rendered = {
      kind: "rendered",
      document: "合同",
      template: "t",
      templateHash: "h",
      sha256,
      bytes: 13,
    } as const;
    await world.turns.submit({
      tenant: "default",
      instance: id,
      command: { kind: "report", id: "r", source: "test", effect: `${id}:1:0`, report: rendered },
    });
    const path = `/v1/instances/${id}/documents`;
    const reply = await world.send("alice", "GET", `${path}/${encodeURIComponent("合同")}`);
    assert.deepEqual([reply.status, reply.text], [200, "PK not really"]);
    assert.match(reply.headers.get("content-type")!, /wordprocessingml/);
    assert.equal(
      reply.headers.get("content-disposition"),
      `attachment; filename="__.docx"; filename*=UTF-8''%E5%90%88%E5%90%8C.docx`,
    );
    assertProblem(await world.send("alice", "GET", `${path}/none`), 404, "not-found");
    assertProblem(await world.send("alice", "GET", `${path}/__proto__`), 404, "not-found");
    assertProblem(await world.send("erin", "GET", `${path}/none`), 404, "not-found");
  });

  test("the inbox holds one's own open tasks, by pages", async () => {
    const { id, tasks } = await submitted();
    const moved = await submitted();
    for (const {
      tasks: [task],
    } of [{ tasks }, moved]) {
      await world.send("bob", "POST", `/v1/tasks/${task.id}/transfer`, { to: "carol" });
    }
    const first = await world.send("carol", "GET", "/v1/tasks?assignee=me&status=open&limit=1");
    assert.equal(first.json.items.length, 1);
    const second = await world.send("carol", "GET", `/v1/tasks?limit=1&status=open&cursor=${first.json.cursor}`);
    const found = [...first.json.items, ...second.json.items];
    assert.deepEqual(found.map(({ instance }: { instance: string }) => instance).sort(), [id, moved.id].sort());
    assertProblem(await world.send("carol", "GET", "/v1/tasks?assignee=bob"), 403, "not-authorized");
    const others = await world.send("admin", "GET", "/v1/tasks?assignee=carol&status=open");
    assert.equal(others.json.items.length, 2);
  });

  test("a closed task can still be looked at", async () => {
    const { tasks } = await submitted();
    const path = `/v1/tasks/${tasks[0].id}`;
    await world.send("bob", "POST", `${path}/decision`, { decision: "return" });
    const { json } = await world.send("alice", "GET", path);
    assert.deepEqual([json.status, json.assignee], ["returned", "bob"]);
    assertProblem(await world.send("alice", "GET", `/v1/tasks/${tasks[0].instance}-99`), 404, "not-found");
  });

  test("everybody finds their own instances, an administrator anybody's", async () => {
    const { key, id } = await started();
    const path = `/v1/instances?flow=expense&state=DRAFT&q=${key}`;
    const own = await world.send("alice", "GET", path);
    assert.deepEqual(
      own.json.items.map((item: { id: string }) => item.id),
      [id],
    );
    assert.deepEqual((await world.send("bob", "GET", path)).json.items, []);
    assertProblem(await world.send("bob", "GET", `${path}&initiator=alice`), 403, "not-authorized");
    assert.equal((await world.send("admin", "GET", `${path}&initiator=alice`)).json.items.length, 1);
    assert.equal((await world.send("admin", "GET", path)).json.items.length, 1);
    assert.equal((await world.send("admin", "GET", `${path}&initiator=me`)).json.items.length, 0);
  });

  test("faults of a query", async () => {
    assertProblem(await world.send("alice", "GET", "/v1/tasks?limit=0"), 400, "wrong-type");
    assertProblem(await world.send("alice", "GET", "/v1/tasks?status=open&status=closed"), 400, "wrong-type");
    assertProblem(await world.send("alice", "GET", "/v1/tasks?colour=red"), 400, "unknown-field");
    assertProblem(await world.send("alice", "GET", "/v1/tasks?cursor=bm8"), 400, "unknown-cursor");
  });

  test("effects and dead letters are for administrators", async () => {
    for (const path of ["/v1/effects?state=stuck", "/v1/effects?state=dead", "/v1/dead-letters"]) {
      assertProblem(await world.send("alice", "GET", path), 403, "not-authorized");
      const reply = await world.send("admin", "GET", path);
      assert.deepEqual([reply.status, reply.json.items], [200, []]);
    }
  });
});

test("a command carries the caller's trace", async () => {
  const seen: (string | undefined)[] = [];
  const traced = await openWorld({
    ports: {
      submit: async ({ traceparent }) => {
        seen.push(traceparent);
        return { kind: "not-found" };
      },
    },
  });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await traced.send("alice", "POST", FLOW_PATH, {}, { traceparent });
  await traced.send("alice", "POST", FLOW_PATH, {});
  await traced.send("alice", "POST", FLOW_PATH, {}, { traceparent: "nonsense" });
  await traced.close();
  assert.deepEqual(seen, [traceparent, undefined, undefined]);
});

describe("dead letters", () => {
  const SECRET = "6222020200112233";
  let id: string;

  /** A message as the bus brings it, and what is found of it at `/v1/effects?state=dead`. */
  async function buried(key: string, body: string) {
    await world.bus.consume(world.ingress.handle);
    await world.bus.send({ subject: `assent.in.default.expense.submit.${key}`, id: key, headers: {}, body });
    for (;;) {
      const { json } = await world.send("admin", "GET", "/v1/effects?state=dead");
      const found = json.items.find((item: { id: string }) => item.id.includes(key));
      if (found) return found;
    }
  }
  const path = (action = "") => `/v1/effects/${encodeURIComponent(id)}${action}`;

  test("a message that is refused is listed without its content, and read with secrets masked", async () => {
    const found = await buried("DL-1", JSON.stringify({ amount: "1.00", card: SECRET, colour: "red" }));
    id = found.id;
    assert.deepEqual([found.kind, found.origin, found.state], ["message", "bus", "dead"]);
    assert.match(found.error, /unknown-field/);
    const { json, text } = await world.send("admin", "GET", path());
    assert.deepEqual(json.content.body, { amount: "1.00", card: "****", colour: "red" });
    assert.ok(!text.includes(SECRET));
    const { items } = (await world.send("admin", "GET", "/v1/dead-letters")).json;
    assert.ok(items.some((item: { id: string }) => item.id === id));
  });

  test("it is an administrator's of its tenant alone", async () => {
    for (const [method, action] of [
      ["GET", ""],
      ["POST", "/retry"],
      ["POST", "/discard"],
    ] as const) {
      assertProblem(await world.send("alice", method, path(action)), 403, "not-authorized");
      assertProblem(await world.send("other/admin", method, path(action)), 404, "not-found");
    }
  });

  test("sent again it stays until it is accepted, and the log tells who did it", async () => {
    assertProblem(await world.send("admin", "POST", path("/retry")), 422, "unknown-field");
    assert.equal((await world.send("admin", "GET", path())).status, 200);
    const letter = (await world.store.findDeadLetter("default", id))!;
    const { sealed: _, ...message } = JSON.parse(letter.body);
    const mended = JSON.stringify({ ...message, headers: { "Assent-Actor": "alice" }, body: '{"amount":"1.00"}' });
    await world.store.deadLetter({ ...letter, body: mended });
    const again = await world.send("admin", "POST", path("/retry"));
    assert.deepEqual([again.status, again.json], [200, { id, accepted: true }]);
    assertProblem(await world.send("admin", "GET", path()), 404, "not-found");
    const key = (await world.send("admin", "GET", "/v1/instances?q=DL-1")).json.items;
    assert.deepEqual(
      key.map((item: { state: string }) => item.state),
      ["REVIEW"],
    );
    const told = world.logged.filter(({ message: said }) => said === "sent again").map(({ fields }) => fields);
    assert.deepEqual(
      told.map((fields) => [fields["by" as keyof typeof fields], fields["result" as keyof typeof fields]]),
      [
        ["admin", "refused"],
        ["admin", "accepted"],
      ],
    );
  });

  test("one that nobody needs is discarded", async () => {
    id = (await buried("DL-2", "{")).id;
    assertProblem(await world.send("admin", "POST", path("/retry")), 409, "not-accepted");
    assert.equal((await world.send("admin", "POST", path("/discard"))).status, 200);
    assertProblem(await world.send("admin", "POST", path("/discard")), 404, "not-found");
    await world.bus.stop();
  });

  test("pages go from effects to letters, each once", async () => {
    const ids = [1, 2, 3].map((n) => `bus/page/${n}`);
    const letter = { tenant: "default", at: 1, origin: "bus", reason: "no", body: "{}" };
    for (const one of ids) await world.store.deadLetter({ ...letter, id: one });
    const seen: string[] = [];
    let cursor = "";
    do {
      const { json } = await world.send(
        "admin",
        "GET",
        `/v1/effects?state=dead&limit=1${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...json.items.map((item: { id: string }) => item.id));
      cursor = json.cursor ?? "";
    } while (cursor !== "");
    assert.deepEqual(seen.toSorted(), ids);
    for (const one of ids) await world.store.dropDeadLetter("default", one);
  });
});

describe("putting a message on the bus", () => {
  const subject = "assent.in.default.expense.submit.K-1";

  test("an administrator's message arrives with its headers", async () => {
    const arrived = Promise.withResolvers<BusMessage>();
    await world.bus.consume(async ([message]) => {
      message!.ack();
      arrived.resolve(message!);
    });
    const headers = { "Assent-Actor": "alice", "Nats-Msg-Id": "m-1", "X-Other": "no" };
    const reply = await world.send("admin", "POST", `/v1/bus/${subject}`, { amount: "1.00" }, headers);
    assert.deepEqual([reply.status, reply.json], [202, { subject, id: "m-1" }]);
    const message = await arrived.promise;
    assert.equal(message.subject, subject);
    assert.equal(Buffer.from(message.body).toString(), '{"amount":"1.00"}');
    assert.deepEqual(message.headers, { "Assent-Actor": "alice", "Nats-Msg-Id": "m-1" });
    await world.bus.stop();
  });

  test("others, other tenants and other subjects are refused", async () => {
    assertProblem(await world.send("alice", "POST", `/v1/bus/${subject}`, {}), 403, "not-authorized");
    assertProblem(await world.send("other/admin", "POST", `/v1/bus/${subject}`, {}), 403, "not-authorized");
    assertProblem(await world.send("admin", "POST", "/v1/bus/assent.out.default.x.y", {}), 422, "wrong-type");
  });
});

describe("reading requests", () => {
  const post = (body: unknown, headers?: Record<string, string>) =>
    world.send("alice", "POST", FLOW_PATH, body, headers);

  test("no identity", async () => {
    const none = await world.send(undefined, "GET", "/v1/tasks");
    assertProblem(none, 401, "unauthenticated");
    assert.equal(none.headers.get("www-authenticate"), "Bearer");
    const wrong = await world.send(undefined, "GET", "/v1/tasks", undefined, { authorization: "Bearer x" });
    assert.equal(wrong.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  });

  test("faults of a body", async () => {
    assertProblem(await post("{"), 400, "malformed-body");
    assertProblem(await post(Uint8Array.of(0x22, 0xff, 0x22)), 400, "malformed-body");
    assertProblem(await post(`{"data":${"[".repeat(NESTING_MAX)}${"]".repeat(NESTING_MAX)}}`), 400, "malformed-body");
    assertProblem(await post("[]"), 422, "wrong-type");
    assertProblem(await post({ key: "" }), 422, "wrong-type");
    assertProblem(await post({ key: "a\u0000" }), 422, "wrong-type");
    assertProblem(await post({ data: [] }), 422, "wrong-type");
    assertProblem(await post("key=1", { "content-type": "text/plain" }), 415, "unsupported-media-type");
    assertProblem(await post("{}", { "content-encoding": "gzip" }), 415, "unsupported-media-type");
    const unknown = await post({ key: "k", colour: 1, size: 2 });
    assertProblem(unknown, 422, "unknown-field");
    assert.deepEqual(
      unknown.json.errors.map(({ field }: { field: string }) => field),
      ["colour", "size"],
    );
    const { id, tasks } = await submitted();
    const missing = await world.send("alice", "POST", `/v1/instances/${id}/events`, {});
    assertProblem(missing, 422, "missing-field");
    assert.equal(missing.json.errors[0].field, "event");
    const decision = (body: object) => world.send("bob", "POST", `/v1/tasks/${tasks[0].id}/decision`, body);
    assertProblem(await decision({}), 422, "missing-field");
    assertProblem(await decision({ decision: "sign" }), 422, "wrong-type");
    assertProblem(await decision({ decision: "approve", to: "DRAFT" }), 422, "unknown-field");
  });

  test("doubled keys and `__proto__` are harmless", async () => {
    const doubled = await post(`{"key":"first","key":"${freshKey()}"}`);
    assert.deepEqual([doubled.status, doubled.json.key], [201, `k-${keys}`]);
    assertProblem(await post('{"__proto__":{"key":"x"}}'), 422, "unknown-field");
    assertProblem(await post('{"data":{"__proto__":{"note":"x"}}}'), 422, "unknown-field");
  });

  test("a body of exactly the limit is read, one byte more is not", async () => {
    const body = (bytes: number) => `{"key":"${freshKey()}"}`.padEnd(bytes, " ");
    assert.equal((await post(body(BODY_BYTES_MAX))).status, 201);
    assertProblem(await post(body(BODY_BYTES_MAX + 1)), 413, "body-too-large");
    assertProblem(
      await world.send(undefined, "POST", "/hooks/wecom/main", body(BODY_BYTES_MAX + 1)),
      413,
      "body-too-large",
    );
  });

  test("a body over the limit that does not say its length", async () => {
    const head =
      "POST /hooks/wecom/main HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const answer = await exchange(`${head}${chunk.repeat(17)}0\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 413 /);
  });

  test("trace ids", async () => {
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traced = await world.send("alice", "GET", "/nowhere", undefined, {
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    });
    assert.equal(traced.json.traceId, traceId);
    const own = await world.send("alice", "GET", "/healthz", undefined, { traceparent: "nonsense" });
    assert.match(own.headers.get("x-trace-id")!, /^[0-9a-f]{32}$/);
  });

  test("unknown paths and methods", async () => {
    assertProblem(await world.send("alice", "GET", "/v1/nowhere"), 404, "not-found");
    assertProblem(await world.send("alice", "GET", "/v1/instances/%zz"), 404, "not-found");
    const reply = await world.send("alice", "DELETE", "/v1/tasks");
    assertProblem(reply, 405, "method-not-allowed");
    assert.equal(reply.headers.get("allow"), "HEAD, GET");
  });
});

describe("the node", () => {
  test("health, readiness, figures", async () => {
    const healthy = await world.send(undefined, "GET", "/healthz");
    assert.deepEqual(healthy.json, { status: "ok", bus: { kind: "in-process", connected: true } });
    assert.equal((await world.send(undefined, "GET", "/readyz")).status, 200);
    const figures = await world.send(undefined, "GET", "/metrics");
    assert.deepEqual([figures.status, figures.text], [200, "up 1\n"]);
    assert.match(figures.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  });

  test("WeCom's hook gets what came and answers as it says", async () => {
    const check = await world.send(undefined, "GET", "/hooks/wecom/main?echostr=a%2Bb");
    assert.deepEqual([check.status, check.text], [200, "GET a+b"]);
    const xml = { "content-type": "text/xml" };
    const callback = await world.send(undefined, "POST", "/hooks/wecom/main", "<xml/>", xml);
    assert.deepEqual([callback.status, callback.text], [200, "POST <xml/>"]);
    assertProblem(await world.send(undefined, "POST", "/hooks/wecom/none", "<xml/>", xml), 404, "hook-refused");
  });

  test("a store that can't write", async () => {
    const { id } = await started();
    world.full = true;
    const remark = { event: "remark", data: { note: "lost" } };
    const reply = await world.send("alice", "POST", `/v1/instances/${id}/events`, remark);
    world.full = false;
    assertProblem(reply, 503, "store-unavailable");
    assert.equal(reply.headers.get("retry-after"), "1");
    assert.equal((await world.send("alice", "GET", `/v1/instances/${id}`)).json.version, 1);
  });

  test("too much at once, not ready, a bug", async () => {
    const busy = await openWorld({
      limits: { waitingMax: 0 },
      ports: { readiness: () => "the bus is away", metrics: () => Promise.reject(new Error("an inner secret")) },
    });
    try {
      const reply = await busy.send("alice", "POST", FLOW_PATH, {});
      assertProblem(reply, 503, "overloaded");
      assert.equal(reply.headers.get("retry-after"), "1");
      assertProblem(await busy.send(undefined, "GET", "/readyz"), 503, "not-ready");
      assert.equal(busy.logged.length, 0);
      const broken = await busy.send(undefined, "GET", "/metrics");
      assertProblem(broken, 500, "internal");
      assert.ok(!broken.text.includes("secret"));
      assert.equal((busy.logged[0]!.fields as { traceId: string }).traceId, broken.json.traceId);
    } finally {
      await busy.close();
    }
  });

  test("describes itself", async () => {
    const { json, status } = await world.send(undefined, "GET", "/openapi.json");
    assert.deepEqual([status, json.openapi], [200, "3.1.0"]);
    const { post } = json.paths["/v1/tasks/{id}/decision"];
    const { schema } = post.requestBody.content["application/json"];
    assert.equal(schema.oneOf.length, 2);
    assert.deepEqual(
      json.paths["/v1/tasks"].get.parameters.map(({ name }: { name: string }) => name),
      ["assignee", "status", "cursor", "limit"],
    );
  });
});

/** Sends bytes as they are and collects what comes back until the server closes. */
function exchange(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(world.url).port), "127.0.0.1", () => socket.write(bytes));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}
