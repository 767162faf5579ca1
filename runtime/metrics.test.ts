import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "./metrics.ts";

test("commands are counted by result, refusals by their code", async () => {
  const metrics = createMetrics();
  metrics.decided("acme", "decide", "accepted");
  metrics.decided("acme", "decide", "not-your-task");
  metrics.performed("publish", "done");
  metrics.committed(3);
  metrics.journalWritten(0.003);
  metrics.watch(() => ({
    waitingCommands: 7,
    waitingLimit: 300,
    pendingEffects: 8,
    ownedPartitions: 5,
    droppedEvents: 2,
  }));
  const text = await metrics.text();
  for (const line of [
    'assent_commands_total{tenant="acme",kind="decide",result="accepted"} 1',
    'assent_commands_total{tenant="acme",kind="decide",result="refused"} 1',
    'assent_refusals_total{code="not-your-task"} 1',
    'assent_effects_total{kind="publish",result="done"} 1',
    "assent_turn_instances_sum 3",
    'assent_journal_write_seconds_bucket{le="0.004"} 1',
    "assent_waiting_commands 7",
    "assent_waiting_limit 300",
    "assent_outbox_pending 8",
    "assent_owned_partitions 5",
    "assent_dropped_events 2",
  ]) {
    assert.ok(text.includes(line), line);
  }
});

test("figures add up from one look to the next", async () => {
  const metrics = createMetrics();
  for (let look = 1; look <= 3; look++) {
    metrics.performed("publish", "done");
    await metrics.text();
  }
  assert.match(await metrics.text(), /assent_effects_total\{kind="publish",result="done"\} 3/);
  assert.match(await metrics.text(), /assent_effects_total\{kind="publish",result="done"\} 3/);
});

test("the fifty-first tenant has no label of its own", async () => {
  const metrics = createMetrics();
  for (let tenant = 1; tenant <= 52; tenant++) metrics.decided(`t${tenant}`, "start", "accepted");
  const text = await metrics.text();
  assert.match(text, /tenant="t50"/);
  assert.doesNotMatch(text, /tenant="t51"/);
  assert.match(text, /tenant="other",kind="start",result="accepted"} 2/);
});

test("calls to services are counted by how they ended, and endpoints by their circuits", async () => {
  const metrics = createMetrics();
  metrics.called!("bank", "ok", 0.003);
  metrics.called!("bank", "not-asked", 0);
  metrics.circuit!("bank", "bank.p1", "open");
  metrics.circuit!("bank", "bank.p2", "open");
  metrics.circuit!("bank", "bank.p1", "half-open");
  const open = await metrics.text();
  assert.match(open, /assent_service_call_seconds_count\{service="bank",result="ok"\} 1/);
  assert.match(open, /assent_service_call_seconds_count\{service="bank",result="not-asked"\} 1/);
  assert.match(open, /assent_service_circuits\{service="bank",state="open"\} 1/);
  assert.match(open, /assent_service_circuits\{service="bank",state="half-open"\} 1/);
  metrics.circuit!("bank", "bank.p1", "closed");
  assert.match(await metrics.text(), /assent_service_circuits\{service="bank",state="half-open"\} 0/);
});
