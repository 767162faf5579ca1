import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Collection, MongoClient } from "mongodb";
import { type MongoServer, needsMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { Writes } from "./mongo-writes.ts";

interface Doc {
  readonly _id: string;
  readonly sequence: number;
  readonly value: string;
}

const doc = (_id: string, sequence: number, value: string): Doc => ({ _id, sequence, value });

describe("writing into lists", { ...needsMongoServer(), timeout: 120_000 }, () => {
  const writes = new Writes({ maxTimeMS: 10_000, updatesMax: 5 });
  let server: MongoServer;
  let client: MongoClient;
  let collection: Collection<Doc>;

  before(async () => {
    server = await startMongoServer();
    client = await new MongoClient(server.url(`assent-test-${process.pid}-writes`)).connect();
    collection = client.db().collection("documents");
  });
  after(async () => {
    await client.db().dropDatabase();
    await client.close();
    await server.stop();
  });

  const found = async (): Promise<readonly string[]> =>
    (await collection.find({}, { sort: { _id: 1 } }).toArray()).map(({ _id, value }) => `${_id} ${value}`);

  test("what was under way too long gives way to what is newer, those beside it are written", async () => {
    await collection.insertMany([doc("a", 3, "newer"), doc("b", 1, "older"), doc("c", 1, "older")]);
    const put = (document: Doc, isNew: boolean) => ({ document, isNew, isNewerThan: document.sequence });
    await writes.put(collection, [
      put(doc("a", 2, "late"), false),
      put(doc("b", 2, "next"), false),
      put(doc("d", 2, "new"), true),
    ]);
    assert.deepEqual(await found(), ["a newer", "b next", "c older", "d new"]);
    const upsert = (_id: string, sequence: number, value: string, isNew: boolean) => ({
      ...put(doc(_id, sequence, value), isNew),
      update: { $set: { sequence, value } },
    });
    await writes.upsert(collection, [
      upsert("a", 2, "late", true),
      upsert("c", 2, "next", true),
      upsert("e", 1, "new", false),
    ]);
    assert.deepEqual(await found(), ["a newer", "b next", "c next", "d new", "e new"]);
  });

  test("in order, past those that are there", async () => {
    await collection.deleteMany({});
    await collection.insertMany([doc("b", 1, "there"), doc("d", 1, "there")]);
    const documents = ["a", "b", "c", "d", "e"].map((id) => doc(id, 2, "new"));
    await writes.insertInOrder(collection, documents);
    assert.deepEqual(await found(), ["a new", "b there", "c new", "d there", "e new"]);
  });
});
