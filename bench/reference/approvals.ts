import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Batch, WriterOptions } from "./approvals-writer.ts";

/**
 * The job of `flows/bench-purchase.flow` written by hand for this one flow, as somebody would who wants it fast and
 * durable: state in memory; one SQLite commit (full sync) that is shared by all who wait, in a worker, of journal, purchase,
 * task, outbox and command id, or of the journal alone, which has all of them; answers after the commit; events published
 * after that, then settled.
 * The limit that ours is measured against. It knows one form, one superior, one decision.
 */

export interface Purchase {
  readonly key: string;
  readonly initiator: string;
  readonly title: string;
  readonly amount: string;
  readonly urgent: boolean;
  readonly state: "REVIEW" | "APPROVED" | "REJECTED";
  readonly version: number;
  readonly task: Task;
  readonly startedAt: number;
  readonly updatedAt: number;
}

interface Task {
  readonly id: string;
  readonly assignee: string;
  readonly status: "open" | "approved" | "rejected";
  readonly openedAt: number;
  readonly closedAt?: number;
}

export type Answer =
  | { readonly kind: "accepted"; readonly purchase: Purchase; readonly created: boolean }
  | { readonly kind: "refused"; readonly code: "not-found" | "task-closed" | "not-your-task" | "wrong-type" };

export interface Message {
  readonly id: string;
  readonly subject: string;
  readonly body: string;
}

export interface Start {
  readonly commandId: string;
  readonly key: string;
  readonly initiator: string;
  readonly title: unknown;
  readonly amount: unknown;
  readonly urgent: unknown;
}

export interface Decide {
  readonly commandId: string;
  readonly taskId: string;
  readonly actor: string;
  readonly decision: "approve" | "reject";
}

export interface ApprovalsOptions extends WriterOptions {
  managerOf(user: string): string;
  publish(messages: readonly Message[]): Promise<void>;
}

export class Approvals {
  readonly #options: ApprovalsOptions;
  readonly #worker: Worker;
  readonly #purchases = new Map<string, Purchase>();
  readonly #seen = new Map<string, Purchase>();
  #batch = newBatch();
  #committing: Pending[] | undefined;
  #scheduled = false;
  #publishing = 0;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
    this.#worker = new Worker(new URL("./approvals-writer.ts", import.meta.url), {
      workerData: { file: options.file, lists: options.lists } satisfies WriterOptions,
    });
    this.#worker.on("message", () => this.#committed());
    this.#worker.on("error", (error) => {
      throw error;
    });
  }

  async start(command: Start): Promise<Answer> {
    const { key, initiator, title, amount, urgent } = command;
    const known = this.#seen.get(command.commandId) ?? this.#purchases.get(key);
    if (known) return { kind: "accepted", purchase: known, created: false };
    if (typeof title !== "string" || typeof amount !== "string" || typeof urgent !== "boolean" || !AMOUNT.test(amount))
      return { kind: "refused", code: "wrong-type" };
    const at = Date.now();
    const task: Task = { id: `${key}-1`, assignee: this.#options.managerOf(initiator), status: "open", openedAt: at };
    const form = { key, initiator, title, amount, urgent };
    const purchase: Purchase = { ...form, state: "REVIEW", version: 1, task, startedAt: at, updatedAt: at };
    return this.#write(command, purchase, true, [
      ["instance.started", { key, initiator }],
      ["instance.moved", { key, from: "DRAFT", to: "REVIEW" }],
      ["task.opened", { key, task: task.id, assignee: task.assignee }],
    ]);
  }

  async decide(command: Decide): Promise<Answer> {
    const known = this.#seen.get(command.commandId);
    if (known) return { kind: "accepted", purchase: known, created: false };
    const key = command.taskId.slice(0, command.taskId.lastIndexOf("-"));
    const purchase = this.#purchases.get(key);
    if (!purchase) return { kind: "refused", code: "not-found" };
    if (purchase.task.status !== "open") return { kind: "refused", code: "task-closed" };
    if (purchase.task.assignee !== command.actor) return { kind: "refused", code: "not-your-task" };
    const at = Math.max(Date.now(), purchase.updatedAt);
    const approved = command.decision === "approve";
    const task: Task = { ...purchase.task, status: approved ? "approved" : "rejected", closedAt: at };
    const state = approved ? "APPROVED" : "REJECTED";
    const next: Purchase = { ...purchase, state, version: purchase.version + 1, task, updatedAt: at };
    return this.#write(command, next, false, [
      ["task.decided", { key, task: task.id, by: command.actor, decision: command.decision }],
      ["instance.moved", { key, from: "REVIEW", to: state }],
      ...(approved ? ([["onApproved", { key }]] as const) : []),
      ["instance.finished", { key, outcome: state }],
    ]);
  }

  /** Everything is answered, published and settled. */
  get idle(): boolean {
    return (
      !this.#committing && !this.#publishing && this.#batch.pending.length === 0 && this.#batch.published.length === 0
    );
  }

  /** Call it when idle. */
  async close(): Promise<void> {
    this.#worker.postMessage("close");
    await once(this.#worker, "exit");
  }

  #write(
    command: Start | Decide,
    purchase: Purchase,
    created: boolean,
    events: readonly (readonly [string, object])[],
  ): Promise<Answer> {
    const { key, version, task, state } = purchase;
    const { journal, purchases, tasks, outbox, seen, pending } = this.#batch;
    const id = `${key}:${version}`;
    journal.push(key, version, JSON.stringify({ command, at: purchase.updatedAt, state, task: task.id, events }));
    if (this.#options.lists) {
      purchases.push(key, version, state, JSON.stringify(purchase));
      tasks.push(task.id, key, task.assignee, task.status === "open" ? 1 : 0, JSON.stringify(task));
      outbox.push(id, JSON.stringify(events.map(([event, data], n) => ({ id: `${id}:${n}`, event, data }))));
      seen.push(command.commandId, key, version);
    }
    this.#purchases.set(key, purchase);
    this.#seen.set(command.commandId, purchase);
    const messages = events.map(([event, data], n) => ({
      id: `${id}:${n}`,
      subject: `assent.out.default.bench-purchase.${event}`,
      body: JSON.stringify(data),
    }));
    return new Promise((resolve) => {
      pending.push({ outboxId: id, messages, done: () => resolve({ kind: "accepted", purchase, created }) });
      this.#schedule();
    });
  }

  /** Takes what comes in this turn of the loop; while the worker commits, the next batch gathers. */
  #schedule(): void {
    if (this.#scheduled || this.#committing) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const { pending, ...batch } = this.#batch;
      this.#batch = newBatch();
      this.#committing = pending;
      this.#worker.postMessage(batch satisfies Batch);
    });
  }

  #committed(): void {
    const done = this.#committing!;
    this.#committing = undefined;
    for (const pending of done) pending.done();
    if (this.#batch.pending.length > 0 || this.#batch.published.length > 0) this.#schedule();
    if (done.length > 0) void this.#publish(done);
  }

  async #publish(done: readonly Pending[]): Promise<void> {
    this.#publishing++;
    await this.#options.publish(done.flatMap(({ messages }) => messages));
    this.#publishing--;
    for (const { outboxId } of done) this.#batch.published.push(outboxId);
    this.#schedule();
  }
}

interface Pending {
  readonly outboxId: string;
  readonly messages: readonly Message[];
  done(): void;
}

const AMOUNT = /^\d{1,13}(\.\d{1,2})?$/;

type Growing<Lists> = { [Name in keyof Lists]: Lists[Name] extends readonly (infer Item)[] ? Item[] : never };

function newBatch(): Growing<Batch> & { readonly pending: Pending[] } {
  return { journal: [], purchases: [], tasks: [], outbox: [], seen: [], published: [], pending: [] };
}
