import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "../stores/memory-store.ts";
import { event, SetClock, start, turnsOn } from "../testing.ts";
import type { Envelope, Reply } from "../turn.ts";
import { type Quota, Quotas, TooOften } from "./quotas.ts";
import { type TenantSettings, tenantSettings } from "./tenant-settings.ts";

/** A clock whose steady part is set by hand, too. */
class SteadyClock extends SetClock {
  steady = 0;
  override readonly steadyMs = (): number => this.steady;
}

interface World {
  readonly clock: SteadyClock;
  readonly refused: Quota[];
  readonly quotas: Quotas;
  /** Times that the store was asked. */
  asked: number;
  submit(envelope: Envelope, from?: "outside" | "inside"): Promise<Reply>;
}

function open(settings: TenantSettings, tenants: Record<string, TenantSettings> = {}): World {
  const clock = new SteadyClock();
  const store = openMemoryStore();
  const refused: Quota[] = [];
  const quotas = new Quotas({
    clock,
    settings: tenantSettings({ t: settings, ...tenants }),
    usage: (tenant) => {
      world.asked += 1;
      return store.usage(tenant);
    },
    refused: (_, quota) => refused.push(quota),
    onError: (error) => assert.ifError(error),
  });
  const turns = turnsOn({ store, clock, mayStart: (envelope) => quotas.mayStart(envelope) });
  const world: World = {
    ...{ clock, refused, quotas, asked: 0 },
    async submit(envelope, from = "outside") {
      await quotas.admit(envelope, from);
      let reply: Reply | undefined;
      try {
        reply = await turns.submit(envelope);
        return reply;
      } finally {
        quotas.settle(envelope, reply);
      }
    },
  };
  return world;
}

const codeOf = (reply: Reply): string => (reply.kind === "refused" ? reply.refusal.code : reply.kind);

test("a tenant has as many open instances as it may; what runs goes on, and one that ends makes room", async () => {
  const world = open({ instancesMax: 2 });
  for (const key of ["A", "B"]) assert.equal(codeOf(await world.submit(start(key))), "accepted");
  const third = await world.submit(start("C"));
  assert.equal(codeOf(third), "too-often");
  assert.match(third.kind === "refused" ? third.refusal.message : "", /has 2 instances that have not ended/);
  assert.equal(codeOf(await world.submit(start("A"))), "accepted", "the same start again is its first answer");
  assert.equal(codeOf(await world.submit(event("A", "r", "remark"))), "accepted");
  assert.deepEqual(world.refused, ["instances"]);
  const toReview = event("A", "s", "submit");
  assert.equal(codeOf(await world.submit(toReview)), "accepted");
  const withdraw = { ...toReview, command: { ...toReview.command, kind: "withdraw", id: "w" } } as Envelope;
  assert.equal(codeOf(await world.submit(withdraw)), "accepted");
  assert.equal(codeOf(await world.submit(start("C"))), "accepted");
  assert.equal(codeOf(await world.submit(start("D"))), "too-often");
});

test("starts side by side get no more than the quota", async () => {
  const world = open({ instancesMax: 3 });
  const keys = Array.from({ length: 20 }, (_, n) => `K${n}`);
  const replies = await Promise.all(keys.map((key) => world.submit(start(key))));
  assert.equal(replies.filter((reply) => reply.kind === "accepted").length, 3);
  assert.equal(replies.filter((reply) => codeOf(reply) === "too-often").length, 17);
});

test("a start that comes to nothing gives its place back", async () => {
  const world = open({ instancesMax: 1 });
  const unwelcome = { ...start("A"), flow: "unknown" };
  assert.equal((await world.submit(unwelcome)).kind, "not-found");
  const wrong = { ...start("B"), command: { ...start("B").command, data: { nope: 1 } } } as unknown as Envelope;
  assert.equal(codeOf(await world.submit(wrong)), "unknown-field");
  assert.equal(codeOf(await world.submit(start("C"))), "accepted");
});

test("where entries take up as much as they may nothing new is started", async () => {
  const world = open({ storageMiBMax: 0.001 });
  assert.equal(codeOf(await world.submit(start("A"))), "accepted");
  for (let n = 0; n < 4; n++) await world.submit(event("A", `r${n}`, "remark", { note: "x".repeat(300) }));
  world.clock.steady = 60_000;
  await world.submit(start("B"));
  const refused = await world.submit(start("C"));
  assert.equal(codeOf(refused), "too-often");
  assert.match(refused.kind === "refused" ? refused.refusal.message : "", /take up 0\.001 MiB/);
  assert.equal(codeOf(await world.submit(event("A", "s", "submit"))), "accepted");
});

test("commands from outside come no faster than the rate; inside nothing is held up", async () => {
  const world = open({ commandsPerSecondMax: 2 });
  await world.submit(start("A"));
  await world.submit(event("A", "1", "remark"));
  await assert.rejects(world.submit(event("A", "2", "remark")), (error: unknown) => {
    assert.ok(error instanceof TooOften);
    assert.equal(error.retryAfterMs, 500);
    return true;
  });
  assert.equal(codeOf(await world.submit(event("A", "inside", "remark"), "inside")), "accepted");
  world.clock.steady += 500;
  assert.equal(codeOf(await world.submit(event("A", "2", "remark"))), "accepted");
  await assert.rejects(world.submit(event("A", "3", "remark")), TooOften);
  assert.deepEqual(world.refused, ["commands-per-second", "commands-per-second"]);
  world.clock.steady += 60_000;
  for (const id of ["4", "5"]) assert.equal(codeOf(await world.submit(event("A", id, "remark"))), "accepted");
  await assert.rejects(world.submit(event("A", "6", "remark")), TooOften);
});

test("a tenant without quotas is not looked up, one with them about once a second", async () => {
  const free = open({});
  for (const key of ["A", "B"]) await free.submit(start(key));
  assert.equal(free.asked, 0);
  const world = open({ instancesMax: 100 });
  for (const key of ["A", "B", "C"]) await world.submit(start(key));
  assert.equal(world.asked, 1);
  world.clock.steady = 2_000;
  await world.submit(start("D"));
  assert.equal(world.asked, 2);
});

test("what a tenant's settings leave out is as for all others", () => {
  const of = tenantSettings({ "*": { instancesMax: 5, keepDays: 30 }, acme: { instancesMax: 9 } });
  assert.deepEqual(of("acme"), { instancesMax: 9, keepDays: 30 });
  assert.deepEqual(of("other"), { instancesMax: 5, keepDays: 30 });
  assert.deepEqual(tenantSettings({})("any"), {});
});
