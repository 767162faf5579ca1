/** The main job from end to end, on real parts. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, headers as natsHeaders } from "nats";
import { findNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { approvalChangeXml, callback } from "../wecom-stand-in/callback.ts";
import { PURCHASE_CONTRACT_TEMPLATE, purchaseContractForm } from "../wecom-stand-in/purchase-contract-form.ts";
import { startWecomStandIn } from "../wecom-stand-in/server.ts";
import { Client, type InstanceView, type Problem, type TaskView } from "./client.ts";
import { freePort, NodeProcess, withTimeout } from "./node-process.ts";

const KEEP = process.argv.includes("--keep");
const NATS = process.argv.includes("--nats");
const SP_NO = "202601050001";
const WECOM = {
  corpId: "ww0000000000000001",
  token: "DemoToken0001",
  aesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
  secret: "demo-secret",
};

const started = performance.now();
const say = (text: string): void => console.log(text);
const step = (title: string): void => say(`\n[${((performance.now() - started) / 1000).toFixed(1)} s] ${title}`);

const folder = mkdtempSync(join(tmpdir(), "assent-demo-"));
const flows = ["contract-approval", "leave-approval"].map((name) => {
  const path = join(folder, name);
  cpSync(join(import.meta.dirname, "..", name), path, { recursive: true });
  return path;
});
const contractFlow = join(flows[0]!, "contract-approval.flow");

const wecom = await startWecomStandIn({ ...WECOM, forms: [purchaseContractForm(SP_NO)] });
const nats = NATS ? await startNats() : undefined;
const node = new NodeProcess(
  {
    paths: flows,
    folder,
    env: {
      ASSENT_WECOM_DEMO_CORP_ID: WECOM.corpId,
      ASSENT_WECOM_DEMO_TOKEN: WECOM.token,
      ASSENT_WECOM_DEMO_AES_KEY: WECOM.aesKey,
      ASSENT_WECOM_DEMO_SECRET: WECOM.secret,
      ASSENT_WECOM_DEMO_API: wecom.url,
      ...(nats && { ASSENT_NATS: nats.url }),
    },
  },
  await freePort(),
);
const client = new Client(node);

async function startNats() {
  if (!findNatsServer()) throw new Error("there is no nats-server here; `npm run servers` fetches one");
  return startNatsServer();
}

process.once("SIGINT", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
});

try {
  await startsANode();
  const instance = await wecomArrives();
  const halfway = await peopleBegin(instance);
  await killed(instance, halfway);
  await peopleFinish(instance);
  const contract = await contractIsMade(instance);
  await leaveByEvents();
  await rulesChange();
  await theEnd(instance, contract);
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
} finally {
  if (!KEEP || process.exitCode === 1) await node.stop();
  await wecom.close();
  await nats?.stop();
}
if (KEEP && process.exitCode !== 1) process.exit(0);

async function startsANode(): Promise<void> {
  step("1. A node starts with two flows, a template and its tests");
  const ms = await node.start();
  say(`   ready after ${ms} ms at ${node.url}, store: SQLite, bus: ${NATS ? "NATS JetStream" : "in process"}`);
  say(`   people: ${[...node.tokens.keys()].join(", ")}`);
}

async function wecomArrives(): Promise<InstanceView> {
  step("2. WeCom calls back: encrypted, signed, three times");
  const xml = approvalChangeXml(WECOM, {
    spNo: SP_NO,
    template: PURCHASE_CONTRACT_TEMPLATE,
    status: 1,
    change: 1,
    applicant: "alice",
    atMs: Date.now(),
  });
  const forged = callback({ ...WECOM, token: "wrong" }, xml, Date.now());
  assert.equal(await post(forged), 401, "a forged callback is refused");
  say("   a forged callback: 401, nothing stored");
  for (let delivery = 1; delivery <= 3; delivery++) {
    assert.equal(await post(callback(WECOM, xml, Date.now())), 200);
    say(`   delivery ${delivery}: 200`);
  }
  const instance = await client.until("the instance of the form", async () => {
    const { items } = await client.get<{ items: InstanceView[] }>("admin", "/v1/instances?flow=contract-approval");
    return items.length > 0 ? items : undefined;
  });
  assert.equal(instance.length, 1, "one instance, although the callback came three times");
  const view = await client.get<InstanceView>("alice", `/v1/instances/${instance[0]!.id}`);
  assert.equal(view.key, SP_NO);
  assert.equal(view.state, "MANAGER");
  assert.equal(view.data["total"], "128500.50 CNY", "yuan became fen and back");
  assert.equal(view.data["deliverOn"], "2026-03-31", "the day in UTC+8");
  assert.equal((view.data["items"] as unknown[]).length, 3);
  say(
    `   one instance: ${view.id}, ${view.data["title"]}, ${view.data["total"]}, ${(view.data["items"] as unknown[]).length} items`,
  );
  return view;
}

async function post({ search, headers, body }: ReturnType<typeof callback>): Promise<number> {
  const response = await fetch(`${node.url}/hooks/wecom/demo${search}`, { method: "POST", headers, body });
  return response.status;
}

async function peopleBegin(instance: InstanceView): Promise<InstanceView> {
  step("3. People decide: the superior, then two of three in finance");
  const [task] = await client.inbox("bob");
  const problem = await client.refused("dave", `/v1/tasks/${task!.id}/decision`, { decision: "approve" });
  say(`   dave tries to decide bob's task: ${describe(problem)}`);
  await client.decide("bob", task!.id, "approve");
  say("   bob approves; it goes to finance");
  await client.decide("carol", (await client.inbox("carol"))[0]!.id, "approve");
  say("   carol approves: one of two");
  const view = await client.get<InstanceView>("alice", `/v1/instances/${instance.id}`);
  assert.equal(view.state, "FINANCE");
  assert.deepEqual(view.tasks.map((open: TaskView) => open.assignee).sort(), ["dave", "erin"]);
  return view;
}

function describe(problem: Problem): string {
  return `${problem.status} ${problem.code}: ${problem.detail}`;
}

async function killed(instance: InstanceView, before: InstanceView): Promise<void> {
  step("4. In the middle the node is killed (SIGKILL) and started again");
  await node.kill();
  const ms = await node.start();
  const after = await client.get<InstanceView>("alice", `/v1/instances/${instance.id}`);
  assert.deepEqual(after, before, "nothing is lost");
  say(
    `   back after ${ms} ms; the instance is as it was: ${after.state}, version ${after.version}, waiting for ${after.tasks.map((task) => task.assignee).join(" and ")}`,
  );
}

async function peopleFinish(instance: InstanceView): Promise<void> {
  await client.decide("erin", (await client.inbox("erin"))[0]!.id, "approve");
  say("   erin approves: two of three");
  const view = await client.get<InstanceView>("alice", `/v1/instances/${instance.id}`);
  assert.equal(view.state, "APPROVED");
  assert.equal((await client.inbox("dave")).length, 0, "dave is not asked any more");
}

async function contractIsMade(instance: InstanceView): Promise<string> {
  step("5. The contract is made, the event goes out");
  const history = await client.until("the rendered contract", async () => {
    const lines = await client.story("alice", instance.id);
    return lines.some((line) => line.kind === "rendered") ? lines : undefined;
  });
  const rendered = history.find((line) => line.kind === "rendered")!;
  assert.ok(history.some((line) => line.kind === "emitted" && line["event"] === "onApproved"));
  const bytes = await client.download("alice", `/v1/instances/${instance.id}/documents/purchase-contract`);
  const path = join(folder, `contract-${SP_NO}.docx`);
  writeFileSync(path, bytes);
  const text = await client.docxText(bytes);
  for (const expected of [
    SP_NO,
    "杭州云栈信息技术有限公司",
    "128,500.50",
    "壹拾贰万捌仟伍佰元零伍角整",
    "万兆交换机",
  ]) {
    assert.ok(text.includes(expected), `the contract says ${expected}`);
  }
  assert.ok(!/\$[A-Za-z{]/.test(text), "no placeholder is left");
  say(`   ${rendered.text}`);
  say("   it says 人民币 128,500.50 元（大写：人民币壹拾贰万捌仟伍佰元零伍角整） and lists three items");
  await client.until("the events to leave", async () => {
    const figures = await client.text("/metrics");
    const published = /^assent_effects_total\{[^}]*kind="publish"[^}]*result="done"[^}]*\} [1-9]/m.test(figures);
    return published && /^assent_outbox_pending 0$/m.test(figures) ? true : undefined;
  });
  if (nats) await onApprovedArrived(nats.url);
  say("   onApproved went out");
  return path;
}

/** Looks into the stream of what goes out. */
async function onApprovedArrived(url: string): Promise<void> {
  const connection = await connect({ servers: url });
  const stream = await connection.jetstream().streams.get("ASSENT_OUT");
  const message = await stream.getMessage({ last_by_subj: "assent.out.default.contract-approval.onApproved" });
  const event = message.json<{ specversion: string; data: { key: string } }>();
  assert.deepEqual([event.specversion, event.data.key], ["1.0", SP_NO]);
  await connection.drain();
}

async function leaveByEvents(): Promise<void> {
  step("6. The leave approval is driven by events");
  await event("submit", "L-1", "mallory", {});
  await event("submit", "L-2", "alice", {});
  await event("assignReviewer", "L-2", "alice", {});
  await event("approve", "L-2", "alice", {});
  const letters = await client.until("the refusals", async () => {
    const { items } = await client.get<{ items: { reason: string }[] }>("admin", "/v1/dead-letters");
    const refusals = items.filter(({ reason }) => /check-failed|condition-failed/.test(reason));
    return refusals.length >= 2 ? refusals : undefined;
  });
  for (const { reason } of letters) say(`   refused: ${reason}`);
  await event("approve", "L-2", "carol", {});
  const approved = await client.until("the approved leave", async () => {
    const { items } = await client.get<{ items: InstanceView[] }>(
      "admin",
      "/v1/instances?flow=leave-approval&state=APPROVED",
    );
    return items[0];
  });
  assert.equal(approved.key, "L-2");
  const { items } = await client.get<{ items: InstanceView[] }>("admin", "/v1/instances?flow=leave-approval");
  assert.equal(items.length, 1, "what validatePolicy refused does not exist");
  say(`   L-2: ${approved.state}, by hasQuorum(); L-1 does not exist, validatePolicy() said no`);
}

async function event(name: string, key: string, actor: string, data: object): Promise<void> {
  const subject = `assent.in.default.leave-approval.${name}.${key}`;
  say(`   → ${subject} by ${actor}`);
  if (nats) {
    const connection = await connect({ servers: nats.url });
    const headers = natsHeaders();
    headers.set("Assent-Actor", actor);
    headers.set("Nats-Msg-Id", `${subject}-${actor}`);
    await connection.jetstream().publish(subject, JSON.stringify(data), { headers });
    await connection.drain();
    return;
  }
  await client.post("admin", `/v1/bus/${subject}`, data, {
    "Assent-Actor": actor,
    "Nats-Msg-Id": `${subject}-${actor}`,
  });
}

async function rulesChange(): Promise<void> {
  step("7. A rule is edited on disk while it runs");
  const text = readFileSync(contractFlow, "utf8");
  assert.equal(await smallContract("S-1"), "APPROVED");
  say("   3,000 yuan before: the superior's signature is enough");
  const from = node.log.length;
  writeFileSync(contractFlow, text.replace("total >= 5_000", "total >= 1_000"));
  await node.logged((line) => line.msg === "activated", from);
  assert.equal(await smallContract("S-2"), "FINANCE");
  say("   `total >= 5_000` became `total >= 1_000`: 3,000 yuan now go to finance");
  const broken = node.log.length;
  writeFileSync(contractFlow, text.replace("MANAGER → FINANCE on approved", "MANAGER → FINANSE on approved"));
  const refused = await node.logged((line) => line.msg === "refused", broken);
  say("   a broken edit is refused:");
  for (const line of String(refused["problems"]).split("\n")) say(`     ${line}`);
  assert.match(String(refused["problems"]), /FINANSE/);
  assert.equal(await smallContract("S-3"), "FINANCE");
  say("   and the version before goes on: 3,000 yuan still go to finance");
}

/** @returns where a contract of 3,000 yuan stands after the superior's approval. */
async function smallContract(key: string): Promise<string> {
  const instance = await client.post<InstanceView>("alice", "/v1/flows/contract-approval/instances", {
    key,
    event: "submit",
    data: {
      contractNo: key,
      title: "办公用纸",
      partyB: "文具店",
      kind: "purchase",
      total: "3000.00",
      deliverOn: "2026-03-31",
      items: [{ name: "纸", quantity: 10, price: "300.00", amount: "3000.00" }],
    },
  });
  const after = await client.decide("bob", instance.tasks[0]!.id, "approve");
  return after.state;
}

async function theEnd(instance: InstanceView, contract: string): Promise<void> {
  step("The timeline of the contract's instance");
  for (const line of await client.story("alice", instance.id)) say(`   ${line.at}  ${line.text}`);
  assert.ok(existsSync(contract));
  say(`\nThe contract lies at ${contract}`);
  if (KEEP) {
    node.release();
    say(`The node is up at ${node.url} (process ${node.pid}); its flows lie in ${folder}. Go on with:`);
    say(`  curl -H "Authorization: ${node.tokens.get("alice")}" ${node.url}/v1/instances`);
    return;
  }
  const code = await withTimeout(node.stop(), "the node to stop");
  assert.equal(code, 0, "the node stops cleanly");
  say(
    "Go on with `npm run demo -- --keep`, which leaves the node up, or with a flow of your own: `npx assent new my-flow`.",
  );
}
