import { type AnyBulkWriteOperation, type Document, MongoClient } from "mongodb";
import type { AppendRow } from "../../runtime/index.ts";

/**
 * What somebody writes by hand for MongoDB: each turn's entries inserted unordered, and what lists are read from brought in
 * behind them, newest wins, in batches. No intents, no retries, no lost races: who dies loses what was not brought in.
 */

interface Row extends Document {
  readonly _id: string;
}

const DURABLE = { writeConcern: { w: "majority", journal: true } } as const;

export class MongoWriter {
  readonly #client: MongoClient;
  readonly #updatesMax: number;
  #waiting: AppendRow[] = [];

  constructor(url: string, updatesMax: number) {
    this.#client = new MongoClient(url);
    this.#updatesMax = updatesMax;
  }

  /** The same documents as ours. */
  async insert(documents: readonly Row[]): Promise<void> {
    await this.#collection("journal").insertMany([...documents], { ordered: false });
  }

  wrote(rows: readonly AppendRow[]): void {
    this.#waiting.push(...rows);
  }

  /** The newest of everything. */
  async bringIn(): Promise<void> {
    const rows = this.#waiting;
    this.#waiting = [];
    const instances = new Map<string, Row>();
    const tasks = new Map<string, Row>();
    const effects: Row[] = [];
    for (const { tenant, instance, sequence, at, projection } of rows) {
      instances.set(instance, { _id: instance, tenant, sequence, ...projection.summary });
      for (const task of projection.tasks) {
        const { id, assignee, status, openedAt } = task;
        tasks.set(id, { _id: id, tenant, instance, assignee, status, openedAt, body: JSON.stringify(task) });
      }
      for (const effect of projection.effects)
        effects.push({ _id: effect.id, tenant, instance, nextAt: at, body: JSON.stringify(effect) });
    }
    await Promise.all([
      this.#upsert("instances", [...instances.values()]),
      this.#upsert("tasks", [...tasks.values()]),
      effects.length > 0 && this.#collection("effects").insertMany(effects, { ordered: false }),
    ]);
  }

  async makeIndexes(): Promise<void> {
    await this.#collection("instances").createIndex({ tenant: 1, startedAt: -1 });
    await this.#collection("instances").createIndex({ tenant: 1, initiator: 1, startedAt: -1 });
    await this.#collection("tasks").createIndex({ tenant: 1, assignee: 1, status: 1, openedAt: -1 });
    await this.#collection("tasks").createIndex({ instance: 1 });
    await this.#collection("effects").createIndex({ nextAt: 1 });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #upsert(name: string, documents: readonly Row[]): Promise<void> {
    const operations = documents.map((document): AnyBulkWriteOperation<Row> => {
      const { _id, ...replacement } = document;
      return { replaceOne: { filter: { _id }, replacement, upsert: true } };
    });
    for (let i = 0; i < operations.length; i += this.#updatesMax)
      await this.#collection(name).bulkWrite(operations.slice(i, i + this.#updatesMax), { ordered: false });
  }

  #collection(name: string) {
    return this.#client.db(undefined, DURABLE).collection<Row>(name);
  }
}
