import { type BulkWriteResult, type Db, MongoBulkWriteError, MongoNetworkError } from "mongodb";
import type { Doc, Filter, FindOptions, Update } from "./database.ts";
import type { DatabaseServer } from "./database-server.ts";
import { PATIENCE_MS, type StoreLink } from "./store-server.ts";

/** What stands where the driver of MongoDB stands: the part of it that the store uses. */

/** One command. Each step is atomic, all together are not. */
export interface Command<Result> {
  readonly what: string;
  /** Empty: it only reads. */
  readonly steps: readonly (() => void)[];
  readonly isOrdered: boolean;
  /** As the server answers after the last step. @throws what the driver throws. */
  readonly result: () => Result;
}

export type Run = <Result>(command: Command<Result>) => Promise<Result>;

export const atOnce: Run = async ({ steps, result }) => {
  for (const step of steps) step();
  return result();
};

/** A server breaks off in the middle of so many of those commands whose documents land one by one. */
const BREAKS_OFF = 0.1;
const DUPLICATE_KEY = 11_000;

/** Commands and answers may be lost, the server away; documents land one by one, also when nobody waits for them any more. */
export const overNetwork =
  (server: DatabaseServer, link: StoreLink): Run =>
  (command) =>
    new Sent(server, link, command).outcome;

/** A command on its way. */
class Sent<Result> {
  readonly #server: DatabaseServer;
  readonly #link: StoreLink;
  readonly #command: Command<Result>;
  readonly #outcome = Promise.withResolvers<Result>();

  constructor(server: DatabaseServer, link: StoreLink, command: Command<Result>) {
    this.#server = server;
    this.#link = link;
    this.#command = command;
    const { scheduler, random, weather } = server;
    const { what, steps } = command;
    if (link.isCut || random.chance(weather.now.storeLost)) this.#fail();
    else
      scheduler.after(server.delayMs(steps.length > 0), `database: ${what} of ${link.process.name}`, () =>
        this.#arrive(),
      );
  }

  get outcome(): Promise<Result> {
    return this.#outcome.promise;
  }

  #arrive(): void {
    const { isAway, random, weather } = this.#server;
    const { steps, isOrdered } = this.#command;
    // What was sent before the process died may still arrive.
    if (!this.#link.process.isAlive && random.chance(0.5)) return;
    const isLost = isAway || this.#link.isCut || random.chance(weather.now.storeAnswerLost);
    if (isLost) this.#fail();
    if (isAway) return;
    if (steps.length > 1 && random.chance(weather.now.torn)) {
      this.#oneByOne(isOrdered ? steps : random.shuffled(steps), isLost);
      return;
    }
    for (const step of steps) step();
    if (!isLost) this.#answer();
  }

  #oneByOne([first, ...others]: readonly (() => void)[], isLost: boolean): void {
    const { scheduler, random } = this.#server;
    const { process } = this.#link;
    scheduler.after(this.#server.delayMs(true), `database: a document of ${process.name}`, () => {
      if (!process.isAlive && random.chance(0.3)) return;
      first!();
      const isOver = others.length === 0;
      if (!isOver && !random.chance(BREAKS_OFF)) this.#oneByOne(others, isLost);
      else if (!isLost) isOver ? this.#answer() : this.#fail();
    });
  }

  /** The answer is as it is now, and is heard later. */
  #answer(): void {
    const { what, result } = this.#command;
    const { resolve, reject } = this.#outcome;
    const settle = settled(result, resolve, reject);
    this.#link.process.after(this.#server.delayMs(false), `hears of ${what}`, settle);
  }

  #fail(): void {
    const { what } = this.#command;
    const error = new MongoNetworkError(`no answer: ${what}`);
    const delayMs = this.#server.random.between(1, PATIENCE_MS);
    this.#link.process.after(delayMs, `hears nothing of ${what}`, () => this.#outcome.reject(error));
  }
}

function settled<Result>(
  result: () => Result,
  resolve: (value: Result) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const value = result();
    return () => resolve(value);
  } catch (error) {
    return () => reject(error);
  }
}

export const driver = (server: DatabaseServer, run: Run): Db =>
  ({ collection: (name: string) => new DriverCollection(server, name, run) }) as unknown as Db;

interface Write {
  readonly updateOne?: { readonly filter: Filter; readonly update: Update; readonly upsert?: boolean };
  readonly replaceOne?: { readonly filter: Filter; readonly replacement: Doc };
}

class DriverCollection {
  readonly #server: DatabaseServer;
  readonly #name: string;
  readonly #run: Run;

  constructor(server: DatabaseServer, name: string, run: Run) {
    this.#server = server;
    this.#name = name;
    this.#run = run;
  }

  createIndex(): Promise<string> {
    return Promise.resolve("");
  }

  find(filter: Filter, options: FindOptions = {}): { toArray(): Promise<readonly Doc[]> } {
    const documents = this.#server.documents(this.#name);
    return { toArray: () => this.#do("find", [], () => documents.find(filter, options)) };
  }

  async findOne(filter: Filter, options: FindOptions = {}): Promise<Doc | null> {
    const [found] = await this.find(filter, { ...options, limit: 1 }).toArray();
    return found ?? null;
  }

  distinct(field: string): Promise<readonly unknown[]> {
    const documents = this.#server.documents(this.#name);
    return this.#do("distinct", [], () => [...new Set(documents.find({}).map((document) => document[field]))]);
  }

  countDocuments(filter: Filter): Promise<number> {
    const documents = this.#server.documents(this.#name);
    return this.#do("count", [], () => documents.find(filter).length);
  }

  insertMany(documents: readonly Doc[], { ordered = true }: { readonly ordered?: boolean } = {}): Promise<object> {
    const steps = documents.map((document) => () => this.#server.insert(this.#name, document));
    return this.#write("insertMany", steps, ordered);
  }

  updateOne(filter: Filter, update: Update, { upsert = false }: { readonly upsert?: boolean } = {}): Promise<object> {
    return this.#write("updateOne", [this.#step({ updateOne: { filter, update, upsert } })]);
  }

  updateMany(filter: Filter, update: Update): Promise<object> {
    const step = () => {
      for (const { _id } of this.#server.documents(this.#name).find(filter))
        this.#server.update(this.#name, { _id }, update, false);
      return true;
    };
    return this.#write("updateMany", [step]);
  }

  replaceOne(filter: Filter, replacement: Doc): Promise<object> {
    return this.#write("replaceOne", [this.#step({ replaceOne: { filter, replacement } })]);
  }

  bulkWrite(writes: readonly Write[], { ordered }: { readonly ordered: boolean }): Promise<object> {
    return this.#write(
      "bulkWrite",
      writes.map((write) => this.#step(write)),
      ordered,
    );
  }

  deleteOne(filter: Filter): Promise<object> {
    return this.deleteMany(filter);
  }

  deleteMany(filter: Filter): Promise<object> {
    const { $in } = (filter["_id"] ?? {}) as { readonly $in?: readonly string[] };
    const step = (which: Filter) => () => {
      for (const { _id } of this.#server.documents(this.#name).find(which)) this.#server.delete(this.#name, _id);
      return true;
    };
    return this.#write("delete", $in ? $in.map((_id) => step({ _id })) : [step(filter)]);
  }

  /** @returns of the step: false if an `_id` was taken. */
  #step({ updateOne, replaceOne }: Write): () => boolean {
    if (updateOne) {
      const { filter, update, upsert = false } = updateOne;
      return () => this.#server.update(this.#name, filter, update, upsert);
    }
    const { filter, replacement } = replaceOne!;
    return () => this.#server.replace(this.#name, filter, replacement);
  }

  /** Ordered, it ends with the first that fails. */
  #write(what: string, writes: readonly (() => boolean)[], isOrdered = false): Promise<object> {
    const taken: number[] = [];
    const steps = writes.map((write, index) => () => {
      if (!(isOrdered && taken.length > 0) && !write()) taken.push(index);
    });
    const result = () => {
      if (taken.length > 0) throw duplicates(taken);
      return {};
    };
    return this.#do(what, steps, result, isOrdered);
  }

  #do<Result>(what: string, steps: Command<Result>["steps"], result: () => Result, isOrdered = false): Promise<Result> {
    return this.#run({ what: `${what} ${this.#name}`, steps, isOrdered, result });
  }
}

/** As the driver tells of documents whose `_id` was taken. */
function duplicates(indices: readonly number[]): MongoBulkWriteError {
  const writeErrors = indices.map((index) => ({ index, code: DUPLICATE_KEY }));
  const result = { getWriteConcernError: () => undefined } as BulkWriteResult;
  return new MongoBulkWriteError(
    { message: "duplicate key", code: DUPLICATE_KEY, writeErrors: writeErrors as never },
    result,
  );
}
