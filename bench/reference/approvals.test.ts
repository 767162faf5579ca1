import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Approvals, type Message } from "./approvals.ts";

for (const lists of [true, false])
  test(`the hand-written approvals do the whole job, ${lists ? "with" : "without"} lists`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "assent-reference-"));
    const file = join(folder, "reference.db");
    const published: Message[] = [];
    const publish = async (messages: readonly Message[]) => void published.push(...messages);
    const approvals = new Approvals({ file, lists, managerOf: () => "bob", publish });

    const form = { initiator: "alice", title: "paper", amount: "12.50", urgent: false };
    const start = (n: number) => approvals.start({ commandId: `s${n}`, key: `P-${n}`, ...form });
    const approve = (n: number, actor = "bob") =>
      approvals.decide({ commandId: `a${n}`, taskId: `P-${n}-1`, actor, decision: "approve" });
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    await Promise.all(numbers.map(start));
    assert.deepEqual(await approve(1, "mallory"), { kind: "refused", code: "not-your-task" });
    await Promise.all(numbers.map((n) => approve(n)));
    assert.equal((await approve(7)).kind, "accepted", "the same command again");
    const again = { commandId: "another", taskId: "P-7-1", actor: "bob", decision: "approve" } as const;
    assert.deepEqual(await approvals.decide(again), { kind: "refused", code: "task-closed" });
    while (!approvals.idle) await new Promise((resolve) => setImmediate(resolve));
    await approvals.close();

    const ids = published.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(published.filter(({ subject }) => subject.endsWith(".onApproved")).length, 100);
    const db = new DatabaseSync(file);
    const count = (of: string) => db.prepare(`SELECT count(*) AS n FROM ${of}`).get()!["n"];
    const settled = db
      .prepare("SELECT ids FROM settled")
      .all()
      .flatMap((row) => String(row["ids"]).split("\n"));
    assert.equal(new Set(settled).size, lists ? 0 : 200);
    const counts = ["journal", "seen", "purchases WHERE state = 'APPROVED'", "tasks WHERE open = 0", "outbox"].map(
      count,
    );
    assert.deepEqual(counts, lists ? [200, 200, 100, 100, 0] : [200, 0, 0, 0, 0]);
    db.close();
    rmSync(folder, { recursive: true });
  });
