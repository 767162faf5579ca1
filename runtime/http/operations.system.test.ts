import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { DirectoryFile } from "../directory.ts";
import { openWorld, type Reply, type World } from "./testing.ts";

/** Every operation of interface.md 2 through HTTP: who may, what it answers, what it refuses. */

const PEOPLE: DirectoryFile = {
  people: [
    { id: "alice", manager: "bob" },
    { id: "bob", manager: "carol" },
    { id: "carol", groups: ["keepers"] },
    { id: "dave", groups: ["keepers"] },
    { id: "erin" },
    { id: "hugo", away: [{ from: "2000-01-01", to: "2999-12-31", deputy: "dave" }] },
    { id: "lena", left: { successor: "erin" } },
    { id: "admin", roles: ["admin"] },
  ],
};

const ALL =
  "[transfer, delegate, addBefore, addAfter, addBeside, remove, returnTo, withdraw, takeBack, abstain, claim]";
const OPS = (label: string, review: string) => `
state machine "ops" {
  label: "${label}"
  data { note: text?; price: money?; keeper: user? }
  events { "submit" { note, price } }
  initial: DRAFT
  states: [DRAFT, ${review}, SECOND, DONE, REJECTED, CANCELLED]
  final: [DONE, REJECTED, CANCELLED]
  state ${review} { approval by users("bob", "carol") all { allow: ${ALL}; edit: [note, keeper]; hide: [price] } }
  state SECOND { approval by users("erin") { sign: required } }
  transitions {
    DRAFT → ${review} on "submit"
    ${review} → SECOND on approved
    ${review} → REJECTED on rejected
    ${review} → DRAFT on returned
    ${review} → CANCELLED on withdrawn
    SECOND → DONE on approved
    SECOND → REJECTED on rejected
  }
  ${label === "2.0" ? 'migrate from label "1.0" { REVIEW → CHECK }' : ""}
}`;
const FLOWS = `
${OPS("2.0", "CHECK")}
${OPS("1.0", "REVIEW")}
state machine "keys" {
  initial: KEEPING
  states: [KEEPING, DONE]
  state KEEPING { handle by group("keepers") { allow: [claim] } }
  transitions { KEEPING → DONE on done }
}
state machine "seal" {
  data { document: text }
  initial: ASKED
  states: [ASKED, SEALED]
  state ASKED { approval by users("dave") }
  transitions { ASKED → SEALED on approved
                ASKED → SEALED on rejected }
}
state machine "fork" {
  initial: BOTH
  states: [BOTH, DONE]
  state BOTH {
    parallel {
      branch legal { initial: LOOK; states: [LOOK, LOOKED]
        state LOOK { approval by users("bob", "hugo") all }
        transitions { LOOK → LOOKED on approved
                      LOOK → LOOKED on rejected } }
      branch sealing { initial: SEAL; states: [SEAL, SEALED]
        state SEAL { run flow "seal" with { document: "x" } }
        transitions { SEAL → SEALED on done } }
      join all
    }
  }
  transitions { BOTH → DONE on joined }
}
`;

let world: World;
let keys = 0;

before(async () => {
  world = await openWorld({ flows: FLOWS, people: PEOPLE });
});
after(() => world.close());

const start = async (flow: string, body: object = {}): Promise<Reply["json"]> => {
  const { status, json, text } = await world.send("alice", "POST", `/v1/flows/${flow}/instances`, {
    key: `k${++keys}`,
    ...body,
  });
  assert.equal(status, 201, text);
  return json;
};
const inReview = () => start("ops", { event: "submit", data: { note: "n", price: "12.50" } });
const post = (user: string, path: string, body: object = {}, headers = {}) =>
  world.send(user, "POST", path, body, headers);
const see = async (user: string, id: string) => (await world.send(user, "GET", `/v1/instances/${id}`)).json;

const taskOf = ({ tasks }: Reply["json"], user: string): string => {
  const task = tasks.find((one: { assignee: string }) => one.assignee === user);
  assert.ok(task, `${user} has a task`);
  return task.id;
};
const holders = ({ tasks }: Reply["json"]): string[] => tasks.map((task: { assignee: string }) => task.assignee).sort();

describe("operations on a task", () => {
  type Row = readonly [
    what: string,
    user: string,
    operation: string,
    body: object,
    expected: readonly string[] | string,
  ];
  const rows: readonly Row[] = [
    ["transfer", "bob", "transfer", { to: "erin", reason: "yours" }, ["carol", "erin"]],
    ["transfer to somebody who left goes to the successor", "bob", "transfer", { to: "lena" }, ["carol", "erin"]],
    ["transfer to somebody who is away goes to the deputy", "bob", "transfer", { to: "hugo" }, ["carol", "dave"]],
    ["transfer to nobody", "bob", "transfer", { to: "zoe" }, "unknown-user"],
    ["delegate", "bob", "delegate", { to: "dave" }, ["carol", "dave"]],
    ["add before", "bob", "add", { where: "before", people: ["dave"] }, ["carol", "dave"]],
    ["add after is one's approval", "bob", "add", { where: "after", people: ["dave"] }, ["carol", "dave"]],
    ["add beside", "bob", "add", { where: "beside", people: ["dave"] }, ["bob", "carol", "dave"]],
    ["add somebody who sits there", "bob", "add", { where: "beside", people: ["carol"] }, "already-seated"],
    [
      "add for advice where that is not allowed",
      "bob",
      "add",
      { where: "before", people: ["dave"], advisory: true },
      "not-allowed",
    ],
    ["remove somebody of the flow", "bob", "remove", { person: "carol" }, "not-allowed"],
    ["remove as a stranger", "dave", "remove", { person: "carol" }, "not-found"],
    ["remove nobody as a stranger", "dave", "remove", { person: "zoe" }, "not-found"],
    ["remove nobody", "bob", "remove", { person: "zoe" }, "no-such-target"],
    [
      "remove as an administrator without the role",
      "bob",
      "remove",
      { person: "carol", asAdmin: true },
      "not-authorized",
    ],
    ["remove as an administrator", "admin", "remove", { person: "carol", asAdmin: true, reason: "x" }, ["bob"]],
    [
      "remove as an administrator without a reason",
      "admin",
      "remove",
      { person: "carol", asAdmin: true },
      "reason-required",
    ],
    ["claim what is nobody's", "bob", "claim", {}, "not-allowed"],
    ["release it", "bob", "release", {}, "not-allowed"],
    ["take back nothing", "bob", "take-back", {}, "not-your-task"],
    ["urge", "alice", "urge", {}, ["bob", "carol"]],
    ["urge as a stranger", "dave", "urge", {}, "not-found"],
    ["comment", "bob", "comments", { text: "hm" }, ["bob", "carol"]],
    ["comment as a stranger", "dave", "comments", { text: "hm" }, "not-your-task"],
    ["ask", "bob", "ask", { to: "dave", text: "why?" }, ["bob", "carol"]],
    ["ask nobody", "bob", "ask", { to: "zoe", text: "why?" }, "unknown-user"],
    ["cc", "bob", "cc", { people: ["dave", "erin"] }, ["bob", "carol"]],
    ["another's task", "carol", "transfer", { to: "dave" }, "not-your-task"],
  ];
  for (const [what, user, operation, body, expected] of rows) {
    test(what, async () => {
      const instance = await inReview();
      const reply = await post(user, `/v1/tasks/${taskOf(instance, "bob")}/${operation}`, body);
      if (typeof expected === "string") {
        assert.ok(reply.status >= 400, reply.text);
        assert.equal(reply.json.code, expected, reply.text);
        return;
      }
      assert.equal(reply.status, 200, reply.text);
      assert.deepEqual(holders(reply.json), expected);
    });
  }

  test("handing on and taking back", async () => {
    const instance = await inReview();
    const task = taskOf(instance, "bob");
    const approved = await post("bob", `/v1/tasks/${task}/decision`, { decision: "approve" });
    assert.deepEqual(holders(approved.json), ["carol"]);
    const back = await post("bob", `/v1/tasks/${task}/take-back`, {});
    assert.deepEqual([back.status, holders(back.json)], [200, ["bob", "carol"]], back.text);
    await post("bob", `/v1/tasks/${taskOf(back.json, "bob")}/add`, { where: "beside", people: ["dave"] });
    const removed = await post("bob", `/v1/tasks/${task}/remove`, { person: "dave" });
    assert.deepEqual([removed.status, holders(removed.json)], [200, ["bob", "carol"]], removed.text);
  });

  test("urging twice within the hour is too often", async () => {
    const path = `/v1/tasks/${taskOf(await inReview(), "bob")}/urge`;
    assert.equal((await post("alice", path)).status, 200);
    const again = await post("alice", path);
    assert.deepEqual([again.status, again.json.code], [429, "too-often"]);
    assert.ok(again.headers.get("retry-after"));
  });

  test("a copy lets one read", async () => {
    const instance = await inReview();
    assert.equal((await world.send("dave", "GET", `/v1/instances/${instance.id}`)).status, 404);
    await post("bob", `/v1/tasks/${taskOf(instance, "bob")}/cc`, { people: ["dave"] });
    assert.equal((await see("dave", instance.id)).state, "REVIEW");
  });

  test("a deciding person edits, chooses, signs", async () => {
    const instance = await inReview();
    for (const [user, body] of [
      ["bob", { decision: "approve", data: { note: "changed" }, choose: { keeper: "dave" } }],
      ["carol", { decision: "approve" }],
    ] as const) {
      const path = `/v1/tasks/${taskOf(instance, user)}/decision`;
      const reply = await post(user, path, body);
      assert.equal(reply.status, 200, reply.text);
    }
    const now = await see("alice", instance.id);
    assert.deepEqual([now.data.note, now.data.keeper], ["changed", "dave"]);
    const path = `/v1/tasks/${taskOf(now, "erin")}/decision`;
    assert.equal((await post("erin", path, { decision: "approve" })).json.code, "signature-required");
    assert.equal((await post("erin", path, { decision: "handle" })).json.code, "not-allowed");
    const done = await post("erin", path, { decision: "approve", signature: "erin's" });
    assert.deepEqual([done.status, done.json.outcome], [200, "DONE"], done.text);
    const { text } = await world.send("alice", "GET", `/v1/instances/${instance.id}/history`);
    assert.ok(text.includes("erin's"), "what signed it is in the history");
  });
});

describe("what one sees", () => {
  test("a field that all one's stages hide is left out, for others it is there", async () => {
    const { id } = await inReview();
    for (const [user, shown] of [
      ["alice", true],
      ["admin", true],
      ["bob", false],
    ] as const) {
      assert.equal("price" in (await see(user, id)).data, shown, user);
    }
  });

  test("branches and sub-flows, their tasks and who may decide them", async () => {
    const instance = await start("fork");
    assert.deepEqual(instance.branches.legal, { state: "LOOK" });
    const { subFlow, state } = instance.branches.sealing;
    assert.deepEqual(
      [state, subFlow.id, subFlow.flow, subFlow.state, subFlow.data],
      ["SEAL", `${instance.id}/1`, "seal", "ASKED", { document: "x" }],
    );
    const { json } = await world.send("dave", "GET", "/v1/tasks?status=open");
    const mine = json.items.filter((task: { instance: string }) => task.instance === instance.id);
    // The deputy of one branch has a task of the other, too.
    assert.deepEqual(
      mine
        .map((task: Record<string, unknown>) => [task["flow"], task["state"], task["in"], task["onBehalfOf"]])
        .toSorted(),
      [
        ["fork", "LOOK", "legal", "hugo"],
        ["seal", "ASKED", "sealing/1", undefined],
      ],
    );
    for (const { id } of mine) {
      const reply = await post("dave", `/v1/tasks/${id}/decision`, { decision: "approve" });
      assert.equal(reply.status, 200, reply.text);
    }
    const done = await post("bob", `/v1/tasks/${taskOf(instance, "bob")}/decision`, { decision: "approve" });
    assert.deepEqual([done.status, done.json.outcome], [200, "DONE"]);
  });

  test("a shared task is in the inbox of everybody who may claim it", async () => {
    const instance = await start("keys");
    const [task] = instance.tasks;
    assert.deepEqual([task.assignee, task.candidates], ["", ["carol", "dave"]]);
    const inbox = async (user: string) =>
      (await world.send(user, "GET", "/v1/tasks?assignee=me&status=open")).json.items
        .map(({ id }: { id: string }) => id)
        .includes(task.id);
    const both = async () => [await inbox("carol"), await inbox("dave")];
    assert.deepEqual(await both(), [true, true]);
    assert.equal((await world.send("dave", "GET", `/v1/tasks/${task.id}`)).status, 200);
    const claimed = await post("carol", `/v1/tasks/${task.id}/claim`);
    assert.deepEqual([claimed.status, claimed.json.tasks[0].assignee], [200, "carol"]);
    assert.deepEqual(await both(), [true, false]);
    const others = await post("dave", `/v1/tasks/${task.id}/decision`, { decision: "handle" });
    assert.equal(others.json.code, "not-your-task");
    await post("carol", `/v1/tasks/${task.id}/release`);
    assert.deepEqual(await both(), [true, true]);
    const done = await post("dave", `/v1/tasks/${task.id}/decision`, { decision: "handle" });
    assert.deepEqual([done.status, done.json.outcome], [200, "DONE"]);
    const late = await post("carol", `/v1/tasks/${task.id}/decision`, { decision: "handle" });
    assert.deepEqual([late.json.code, late.json.details.by], ["superseded", "dave"]);
  });
});

describe("administrators", () => {
  const OPERATIONS = ["suspend", "resume", "void", "jump", "override", "saga", "migrate"] as const;
  const BODIES: Record<string, object> = {
    jump: { to: "SECOND" },
    override: { decision: "approve" },
    saga: { step: "pay", arguments: {} },
    migrate: { label: "2.0" },
  };
  for (const operation of OPERATIONS) {
    test(`${operation} is for them alone`, async () => {
      const { id } = await inReview();
      const body = { ...BODIES[operation], reason: "x" };
      for (const user of ["alice", "bob", "dave"]) {
        const reply = await post(user, `/v1/instances/${id}/${operation}`, body);
        assert.deepEqual([reply.status, reply.json.code], [403, "not-authorized"], user);
      }
      assert.equal((await post("other/admin", `/v1/instances/${id}/${operation}`, body)).status, 404);
      assert.equal((await see("alice", id)).version, 1);
    });
  }

  test("everything but a hand-over needs a reason", async () => {
    const { id } = await inReview();
    for (const operation of ["suspend", "void", "jump", "override"]) {
      const reply = await post("admin", `/v1/instances/${id}/${operation}`, BODIES[operation]);
      assert.equal(reply.json.code, "reason-required", `${operation}: ${reply.text}`);
    }
  });

  test("suspend and resume", async () => {
    const instance = await inReview();
    const { id } = instance;
    const suspended = await post("admin", `/v1/instances/${id}/suspend`, { reason: "audit" });
    assert.match(suspended.json.suspendedAt, /Z$/);
    const decide = () => post("bob", `/v1/tasks/${taskOf(instance, "bob")}/decision`, { decision: "approve" });
    assert.deepEqual([(await decide()).status, (await decide()).json.code], [409, "suspended"]);
    const resumed = await post("admin", `/v1/instances/${id}/resume`, { reason: "done" });
    assert.equal(resumed.json.suspendedAt, undefined);
    assert.equal((await decide()).status, 200);
  });

  test("void ends it where it stands", async () => {
    const { id } = await inReview();
    const { json } = await post("admin", `/v1/instances/${id}/void`, { reason: "double" });
    assert.deepEqual([json.state, json.outcome, json.tasks], ["REVIEW", "VOIDED", []]);
  });

  test("jump and override", async () => {
    const { id } = await inReview();
    const nowhere = await post("admin", `/v1/instances/${id}/jump`, { to: "NOWHERE", reason: "x" });
    assert.deepEqual([nowhere.status, nowhere.json.code], [409, "no-such-target"]);
    assert.equal((await post("admin", `/v1/instances/${id}/jump`, { to: "DRAFT", reason: "x" })).json.state, "DRAFT");
    assert.equal((await post("admin", `/v1/instances/${id}/jump`, { to: "REVIEW", reason: "x" })).json.state, "REVIEW");
    const over = await post("admin", `/v1/instances/${id}/override`, { decision: "approve", reason: "ceo" });
    assert.deepEqual([over.json.state, holders(over.json)], ["SECOND", ["erin"]]);
    const { text } = await world.send("alice", "GET", `/v1/instances/${id}/history`);
    assert.ok(text.includes("override"));
  });

  test("in a branch, where it is named", async () => {
    const { id } = await start("fork");
    const reply = await post("admin", `/v1/instances/${id}/override`, {
      decision: "approve",
      reason: "x",
      in: "legal",
    });
    assert.deepEqual([reply.status, reply.json.branches.legal.state], [200, "LOOKED"], reply.text);
    const back = await post("admin", `/v1/instances/${id}/jump`, { to: "legal.LOOK", reason: "x" });
    assert.deepEqual([back.status, back.json.branches.legal.state], [200, "LOOK"], back.text);
  });

  test("a saga that does not run has no step to set", async () => {
    const { id } = await inReview();
    const reply = await post("admin", `/v1/instances/${id}/saga`, { ...BODIES["saga"], reason: "x" });
    assert.equal(reply.status, 409, reply.text);
  });

  test("moving to another version, after a look at what it would do", async () => {
    const { id } = await inReview();
    const path = `/v1/instances/${id}/migrate`;
    const dry = await post("admin", path, { label: "2.0", dryRun: true });
    assert.equal(dry.status, 200, dry.text);
    assert.deepEqual([dry.json.moves, dry.json.states[0].from, dry.json.states[0].to], [true, "REVIEW", "CHECK"]);
    assert.equal((await see("alice", id)).state, "REVIEW", "nothing was done");
    const moved = await post("admin", path, { label: "2.0", reason: "new rules" });
    assert.deepEqual([moved.status, moved.json.state, moved.json.definition.label], [200, "CHECK", "2.0"], moved.text);
    assert.deepEqual(holders(moved.json), ["bob", "carol"], "the round goes on");
    const again = await post("admin", path, { label: "2.0", dryRun: true });
    assert.deepEqual([again.json.moves, again.json.code], [false, "not-possible-in-state"]);
    for (const dryRun of [true, false]) {
      const nowhere = await post("admin", path, { label: "9.9", dryRun, reason: "x" });
      assert.deepEqual([nowhere.status, nowhere.json.code], [409, "no-such-target"]);
    }
    const then = await world.send("alice", "GET", `/v1/instances/${id}?at=1`);
    assert.deepEqual([then.json.state, then.json.definition.label], ["REVIEW", "1.0"]);
  });

  test("a leaver's tasks go to another, each instance with its own result", async () => {
    const [first, second] = [await inReview(), await inReview()];
    await post("admin", `/v1/instances/${second.id}/suspend`, { reason: "audit" });
    assert.equal((await post("bob", "/v1/people/carol/hand-over", { to: "erin" })).status, 403);
    const { status, json } = await post("admin", "/v1/people/carol/hand-over", { to: "erin", reason: "left" });
    assert.equal(status, 200);
    const resultOf = (id: string) => json.items.find(({ instance }: { instance: string }) => instance === id);
    assert.deepEqual(resultOf(first.id), { instance: first.id, status: 200 });
    assert.deepEqual([resultOf(second.id).status, resultOf(second.id).code], [409, "suspended"]);
    assert.deepEqual(holders(await see("alice", first.id)), ["bob", "erin"]);
    const nobody = await post("admin", "/v1/people/zoe/hand-over", { to: "erin" });
    assert.deepEqual([nobody.status, nobody.json], [200, { items: [] }]);
  });
});

describe("a batch", () => {
  test("gives each decision its own result, and skips nothing that is required", async () => {
    const instance = await inReview();
    const [bob, carol] = [taskOf(instance, "bob"), taskOf(instance, "carol")];
    const decisions = [
      { task: bob, decision: "approve" },
      { task: carol, decision: "approve" },
      { task: bob, decision: "fly" },
      { task: "none", decision: "approve" },
      "what?",
    ];
    const { status, json } = await post("bob", "/v1/batch", { decisions });
    assert.equal(status, 200);
    const results = json.items.map((item: Record<string, unknown>) => [item["task"], item["status"], item["code"]]);
    assert.deepEqual(results, [
      [bob, 200, undefined],
      [carol, 409, "not-your-task"],
      [bob, 422, "wrong-type"],
      ["none", 404, "not-found"],
      [undefined, 422, "wrong-type"],
    ]);
    assert.equal(json.items[0].instance.version, 2);
    await post("carol", `/v1/tasks/${carol}/decision`, { decision: "approve" });
    const task = taskOf(await see("alice", instance.id), "erin");
    const signed = (body: object) => post("erin", "/v1/batch", { decisions: [{ task, decision: "approve", ...body }] });
    assert.equal((await signed({})).json.items[0].code, "signature-required");
    assert.equal((await signed({ signature: "e" })).json.items[0].instance.outcome, "DONE");
  });

  test("sent again under its key it gives the first answers", async () => {
    const tasks = [taskOf(await inReview(), "bob"), taskOf(await inReview(), "bob")];
    const decisions = tasks.map((task) => ({ task, decision: "approve" }));
    const send = () => post("bob", "/v1/batch", { decisions }, { "idempotency-key": "batch-1" });
    const first = await send();
    assert.deepEqual(
      first.json.items.map(({ status }: { status: number }) => status),
      [200, 200],
    );
    assert.deepEqual((await send()).json, first.json);
  });

  test("has an end, and is not empty", async () => {
    const many = Array.from({ length: 201 }, () => ({ task: "x-1", decision: "approve" }));
    assert.equal((await post("bob", "/v1/batch", { decisions: many })).status, 422);
    assert.equal((await post("bob", "/v1/batch", { decisions: [] })).status, 422);
  });
});

test("every operation is described", async () => {
  const { json } = await world.send(undefined, "GET", "/openapi.json");
  const operations = "transfer|delegate|add|remove|claim|release|take-back|urge|comments|ask|cc|decision";
  for (const name of operations.split("|")) assert.ok(json.paths[`/v1/tasks/{id}/${name}`]?.post, name);
  const instance = "withdraw|suspend|resume|void|jump|override|saga|migrate|events";
  for (const name of instance.split("|")) assert.ok(json.paths[`/v1/instances/{id}/${name}`]?.post, name);
  const batch = json.paths["/v1/batch"].post.requestBody.content["application/json"].schema;
  assert.match(JSON.stringify(batch), /"handle"/);
  assert.ok(json.paths["/v1/people/{id}/hand-over"].post);
});
