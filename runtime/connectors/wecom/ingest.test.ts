import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SourceDefinition } from "../../../dsl/index.ts";
import type { ApiOutcome } from "./api.ts";
import type { WecomApp } from "./app.ts";
import { approvalStatus } from "./callback-xml.ts";
import { vectors } from "./fixtures/vectors.ts";
import { type ApprovalDetail, readDetail } from "./form.ts";
import { type Ingested, ingest } from "./ingest.ts";

const APP: WecomApp = {
  app: "contracts",
  tenant: "default",
  corpId: "ww0000000000000001",
  token: "t",
  aesKey: "k",
  secret: "s",
  api: "https://wecom.example",
};

const SOURCE: SourceDefinition = {
  connector: "wecom",
  template: "C4TplContract0001",
  when: "submitted",
  flow: "contract",
  event: "submit",
  key: { kind: "property", path: ["SpNoStr"] },
  initiator: { kind: "property", path: ["Applyer", "UserId"] },
  fields: [
    {
      name: "amount",
      optional: false,
      value: { kind: "control", id: "Money-1", convert: { kind: "yuan" }, type: { kind: "money", signed: false } },
    },
  ],
};
const WHEN_APPROVED: SourceDefinition = { ...SOURCE, when: "approved" };

const published = readDetail(vectors.approval_detail.response);
assert.ok(published.ok);
const DETAIL: ApprovalDetail = published.detail;

interface World {
  readonly source?: SourceDefinition;
  readonly detail?: ApiOutcome<ApprovalDetail>;
  readonly known?: boolean;
}

async function run(xml: string, { source = SOURCE, detail = { ok: true, value: DETAIL }, known }: World = {}) {
  const fetched: string[] = [];
  const api = {
    approvalDetail: async (_: WecomApp, spNo: string) => {
      fetched.push(spNo);
      return detail;
    },
  };
  const result = await ingest(xml, APP, {
    sources: [source],
    api,
    ...(known !== undefined && { isKnown: () => known }),
  });
  return { result, fetched: fetched.length };
}

function eventOf(status: number | string, spNo = "202412240001", change = 1): string {
  return `<xml><ToUserName>ww0000000000000001</ToUserName><Event>sys_approval_change</Event><ApprovalInfo><SpNoStr>${spNo}</SpNoStr><SpStatus>${status}</SpStatus><TemplateId>C4TplContract0001</TemplateId><Applyer><UserId>u_applicant_1</UserId></Applyer><StatuChangeEvent>${change}</StatuChangeEvent></ApprovalInfo></xml>`;
}

function started(status: string) {
  const start = {
    kind: "start",
    flow: "contract",
    key: "202412240001",
    initiator: "u_applicant_1",
    event: "submit",
    data: { amount: "128500.50" },
    commandId: `start:202412240001:${status}`,
  };
  return status === "pending" ? start : { ...start, otherwise: signalled(status, false) };
}

function signalled(status: string, withdraw: boolean) {
  return {
    kind: "signal",
    flow: "contract",
    key: "202412240001",
    status,
    withdraw,
    commandId: `status:202412240001:${status}`,
  };
}

describe("which status does what", () => {
  const rows: readonly [SourceDefinition, number, boolean | undefined, object | "ignored", number][] = [
    [SOURCE, 1, undefined, started("pending"), 1],
    [SOURCE, 1, false, started("pending"), 1],
    [SOURCE, 1, true, "ignored", 0],
    [SOURCE, 2, undefined, started("approved"), 1],
    [SOURCE, 2, false, started("approved"), 1],
    [SOURCE, 2, true, signalled("approved", false), 0],
    [WHEN_APPROVED, 1, undefined, "ignored", 0],
    [WHEN_APPROVED, 1, false, "ignored", 0],
    [WHEN_APPROVED, 1, true, "ignored", 0],
    [WHEN_APPROVED, 2, false, started("approved"), 1],
    [WHEN_APPROVED, 2, true, signalled("approved", false), 0],
    ...[3, 4, 6, 7].flatMap((status): typeof rows => {
      const signal = signalled(approvalStatus(String(status)), true);
      return [
        [SOURCE, status, undefined, signal, 0],
        [SOURCE, status, false, "ignored", 0],
        [SOURCE, status, true, signal, 0],
        [WHEN_APPROVED, status, true, signal, 0],
      ];
    }),
    [SOURCE, 10, true, signalled("paid", false), 0],
    [SOURCE, 10, false, "ignored", 0],
    [SOURCE, 5, true, signalled("status-5", false), 0],
    [SOURCE, 5, false, "ignored", 0],
  ];
  for (const [source, status, known, expected, fetched] of rows) {
    const instance =
      known === undefined ? "of which nothing is known" : known ? "with an instance" : "without an instance";
    test(`${status}, when ${source.when}, ${instance}`, async () => {
      const answer = await run(eventOf(status), { source, ...(known !== undefined && { known }) });
      if (expected === "ignored") assert.equal(answer.result.kind, "ignored");
      else assert.deepEqual(answer.result, expected);
      assert.equal(answer.fetched, fetched);
    });
  }

  const late: readonly [number, number, string][] = [
    [1, 4, "ignored"],
    [1, 3, "ignored"],
    [1, 2, "start"],
    [2, 6, "signal"],
    [2, 2, "start"],
    [2, 10, "start"],
  ];
  for (const [event, now, kind] of late) {
    test(`an event of ${event} that comes when the form is at ${now}: ${kind}`, async () => {
      const value = { ...DETAIL, status: approvalStatus(String(now)) };
      const { result } = await run(eventOf(event), { detail: { ok: true, value } });
      assert.equal(result.kind, kind);
    });
  }
});

describe("what is not ours, or can't be done", () => {
  test("events about something else and unknown templates are ignored", async () => {
    const named = (name: string) => vectors.events.find((row) => row.name === name)!.xml;
    for (const xml of [
      named("card button"),
      named("approval engine of an own app"),
      "<xml><MsgType>text</MsgType></xml>",
    ]) {
      assert.equal((await run(xml)).result.kind, "ignored");
    }
    const { result, fetched } = await run(eventOf(1), { source: { ...SOURCE, template: "another" } });
    assert.equal(result.kind, "ignored");
    assert.match((result as { reason: string }).reason, /C4TplContract0001/);
    assert.equal(fetched, 0);
  });

  test("a text that can't be read is dead", async () => {
    assert.equal((await run("<xml>")).result.kind, "dead");
  });

  test("a failed look-up is tried again or dead, as the API says", async () => {
    const again = await run(eventOf(1), { detail: { ok: false, retry: true, afterMs: 60_000, reason: "busy" } });
    assert.deepEqual(again.result, {
      kind: "retry",
      afterMs: 60_000,
      reason: "the form `202412240001` can't be fetched: busy",
    });
    const never = await run(eventOf(1), { detail: { ok: false, retry: false, reason: "no right" } });
    assert.equal(never.result.kind, "dead");
  });

  test("a form that does not fit is dead, with the control's id", async () => {
    const { result } = await run(eventOf(1), { detail: { ok: true, value: { ...DETAIL, controls: new Map() } } });
    assert.deepEqual(result, {
      kind: "dead",
      reason:
        "the form `202412240001` does not fit the flow `contract`: `Money-1` for amount: the form has no control of this id",
      faults: [{ control: "Money-1", field: "amount", message: "the form has no control of this id" }],
    });
  });

  test("where a control is the key, later statuses need the form too", async () => {
    const key = { kind: "control", id: "Text-1", convert: { kind: "natural" }, type: { kind: "text" } } as const;
    const { result, fetched } = await run(eventOf(4), { source: { ...SOURCE, key } });
    assert.equal(fetched, 1);
    assert.equal(result.kind === "signal" && result.key, "设备采购合同");
    const without = await run(eventOf(4), { source: { ...SOURCE, key: { ...key, id: "Text-404" } } });
    assert.equal(without.result.kind, "dead");
  });
});

/** Instances by key, with the ids of the commands they took: what a node does with the answers. */
async function deliver(xmls: readonly string[], source: SourceDefinition) {
  const instances = new Map<string, { readonly commands: string[]; withdrawn: boolean }>();
  for (const xml of xmls) {
    const api = { approvalDetail: async () => ({ ok: true, value: { ...DETAIL, status: "approved" } }) as const };
    obey(await ingest(xml, APP, { sources: [source], api }), instances);
  }
  return instances;
}

function obey(plan: Ingested, instances: Awaited<ReturnType<typeof deliver>>): void {
  if (plan.kind !== "start" && plan.kind !== "signal") return;
  const instance = instances.get(plan.key);
  if (plan.kind === "start" && instance === undefined) {
    instances.set(plan.key, { commands: [plan.commandId], withdrawn: false });
  } else if (instance !== undefined && !instance.commands.includes(plan.commandId)) {
    if (plan.kind === "start") {
      if (plan.otherwise) obey(plan.otherwise, instances);
      return;
    }
    instance.commands.push(plan.commandId);
    instance.withdrawn ||= plan.withdraw;
  }
}

describe("deliveries", () => {
  const texts = new Map([
    ...vectors.crypto.own.map((row) => [row.name, row.msg ?? ""] as const),
    ...vectors.events.map((row) => [row.name, row.xml] as const),
  ]);
  for (const row of vectors.dedupe.cases) {
    test(`${row.deliver.join(", then ")}: ${row.contracts}`, async () => {
      const instances = await deliver(
        row.deliver.map((name) => texts.get(name)!),
        WHEN_APPROVED,
      );
      assert.equal(instances.size, row.contracts);
    });
  }

  test("all events of the vectors, each twice: one instance per approved form, made by the event they name", async () => {
    const forms = vectors.events.filter(({ expect }) => expect["event"] === "sys_approval_change");
    for (const [index, row] of forms.entries()) {
      const before = await deliver(
        forms.slice(0, index).map(({ xml }) => xml),
        WHEN_APPROVED,
      );
      const after = await deliver(
        forms.slice(0, index + 1).flatMap(({ xml }) => [xml, xml]),
        WHEN_APPROVED,
      );
      assert.equal(after.size > before.size, row.expect["generateContract"], row.name);
      if (row.expect["voidContract"]) assert.ok(after.get(String(row.expect["instanceId"]))?.withdrawn, row.name);
    }
  });

  test("a form that is followed from its submission is recorded once per later status", async () => {
    const xmls = [
      eventOf(1),
      eventOf(1, undefined, 2),
      eventOf(2, undefined, 2),
      eventOf(2, undefined, 10),
      eventOf(6, undefined, 8),
    ];
    const instances = await deliver(xmls, SOURCE);
    const id = "202412240001";
    assert.deepEqual(
      [...instances.entries()],
      [[id, { commands: [`start:${id}:pending`, `status:${id}:approved`, `status:${id}:revoked`], withdrawn: true }]],
    );
  });

  test("a form first heard of when it is approved is not told its own status again by a comment", async () => {
    const instances = await deliver([eventOf(2), eventOf(2, undefined, 10)], SOURCE);
    assert.deepEqual(instances.get("202412240001")?.commands, ["start:202412240001:approved"]);
  });
});
