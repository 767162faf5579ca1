import { type Document, MongoClient } from "mongodb";
import { type AppendRow, InProcessBus, openMemoryStore, openStore } from "../../runtime/index.ts";
import { needsMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { drive } from "../drive.ts";
import { withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { openOurs, ourEffectsDelivered, ourLane } from "../ours.ts";
import { MongoWriter } from "../reference/mongo-writer.ts";

/** The turns of a node, written to MongoDB: by the store, and as somebody would by hand. */

const CASES: Record<Size, number> = { quick: 200, full: 600 };
const WRITERS = 8;
const BEHIND_MS = 80;
const NEVER_MS = 3_600_000;
/** As few as the compatible servers can take. */
const UPDATES_MAX = 20;

type Turn = readonly AppendRow[];

export const mongodb: readonly Benchmark[] = [
  {
    id: "mongodb-journal",
    what: "turns into MongoDB's journal, 8 in flight",
    unit: "entries/s",
    better: "higher",
    referenceName: "raw insertMany of the same documents",
    goal: 0.6,
    unavailable: () => needsMongoServer().skip || undefined,
    ours: (size) => withServer((url) => ours(url(), size, NEVER_MS)),
    reference: (size) => withServer((url) => reference(url, size, false)),
  },
  {
    id: "mongodb-sustained",
    what: "the same until lists, tasks and effects are caught up",
    unit: "entries/s",
    better: "higher",
    referenceName: "hand-written, MongoDB",
    goal: 0.6,
    unavailable: () => needsMongoServer().skip || undefined,
    ours: (size) => withServer((url) => ours(url(), size, BEHIND_MS)),
    reference: (size) => withServer((url) => reference(url, size, true)),
  },
];

/** @param work gets a function that names another database each time. */
function withServer<T>(work: (newUrl: () => string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const server = await startMongoServer("any", folder);
    const databases: string[] = [];
    const newUrl = (): string => {
      databases.push(`assent-bench-${process.pid}-${databases.length}`);
      return server.url(databases.at(-1)!);
    };
    try {
      return await work(newUrl);
    } finally {
      for (const database of databases) await on(server.url(database), (client) => client.db().dropDatabase());
      await server.stop();
    }
  });
}

async function ours(url: string, size: Size, behindMs: number): Promise<number> {
  const turns = await turnsOf(size);
  const store = await openStore({ kind: "mongodb", url }, { behindMs });
  const started = performance.now();
  await inFlight(turns, (turn) => store.append(turn));
  if (behindMs !== NEVER_MS) await store.nextDue("all");
  const seconds = (performance.now() - started) / 1_000;
  await store.close();
  return turns.flat().length / seconds;
}

async function reference(newUrl: () => string, size: Size, withLists: boolean): Promise<number> {
  const turns = await turnsOf(size);
  const documents = await documentsOf(turns, newUrl());
  const writer = new MongoWriter(newUrl(), UPDATES_MAX);
  await writer.makeIndexes();
  let bringingIn: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    bringingIn = bringingIn.then(() => writer.bringIn());
  }, BEHIND_MS);
  if (!withLists) clearInterval(timer);
  const started = performance.now();
  await inFlight(
    turns.map((turn, index) => ({ turn, documents: documents[index]! })),
    async (one) => {
      await writer.insert(one.documents);
      if (withLists) writer.wrote(one.turn);
    },
  );
  clearInterval(timer);
  await bringingIn;
  await writer.bringIn();
  const seconds = (performance.now() - started) / 1_000;
  await writer.close();
  return turns.flat().length / seconds;
}

async function inFlight<One>(all: readonly One[], write: (one: One) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < all.length) await write(all[next++]!);
  };
  await Promise.all(Array.from({ length: WRITERS }, work));
}

/** What a node hands to its store while purchases are started and approved. No instance is in two of those that meet. */
async function turnsOf(size: Size): Promise<readonly Turn[]> {
  return withFolder(async (folder) => {
    const turns: Turn[] = [];
    const store = openMemoryStore();
    const append = store.append.bind(store);
    store.append = (rows) => {
      turns.push(rows);
      return append(rows);
    };
    const node = await openOurs(folder, new InProcessBus(), store);
    await node.start();
    const lanes = Array.from({ length: 256 }, () => ourLane(node));
    await drive(lanes, { from: 0, count: CASES[size] }, () => ourEffectsDelivered(node));
    await node.stop();
    return turns;
  });
}

/** Of each turn, as ours are in the journal. */
async function documentsOf(
  turns: readonly Turn[],
  url: string,
): Promise<readonly (readonly (Document & { _id: string })[])[]> {
  const store = await openStore({ kind: "mongodb", url }, { behindMs: NEVER_MS });
  const written: (readonly (Document & { _id: string })[])[] = [];
  for (const turn of turns) await store.append(turn);
  const all = await on(url, (client) => client.db().collection<Document & { _id: string }>("journal").find().toArray());
  const byKey = new Map(all.map((document) => [`${document["instance"]} ${document["sequence"]}`, document]));
  for (const turn of turns) written.push(turn.map(({ instance, sequence }) => byKey.get(`${instance} ${sequence}`)!));
  await store.close();
  return written;
}

async function on<T>(url: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
