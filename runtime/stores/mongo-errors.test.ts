import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MongoBulkWriteError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
} from "mongodb";
import { StoreUnavailable } from "../ports.ts";
import { duplicatesOf, isUnavailable, storeError, upserted } from "./mongo-errors.ts";

const server = (code: number, errorLabels: string[] = []) => new MongoServerError({ message: "no", code, errorLabels });

/** As the driver throws it: with the errors of single documents, or around an error of the whole command. */
function bulk(errors: readonly { index: number; code: number }[], around?: Error): MongoBulkWriteError {
  const result = { getWriteConcernError: () => undefined } as never;
  return around
    ? new MongoBulkWriteError(around as never, result)
    : new MongoBulkWriteError({ message: "no", code: errors[0]!.code, writeErrors: errors as never }, result);
}

const socket = Object.assign(new Error("This socket has been ended by the other party"), { code: "EPIPE" });

const CASES: readonly [what: string, error: unknown, unavailable: boolean][] = [
  ["the way is broken", new MongoNetworkError("closed"), true],
  ["not connected", new MongoNotConnectedError("closed"), true],
  ["a socket's own error", socket, true],
  ["the same around a bulk write", bulk([], socket), true],
  ["the way is broken around a bulk write", bulk([], new MongoNetworkError("closed")), true],
  ["NotWritablePrimary", server(10107), true],
  ["NotWritablePrimary around a bulk write", bulk([], server(10107)), true],
  ["PrimarySteppedDown for a document", bulk([{ index: 0, code: 189 }]), true],
  ["labelled as one to try again", server(1, ["RetryableWriteError"]), true],
  ["no room", server(14031), true],
  ["a duplicate key", bulk([{ index: 0, code: 11000 }]), false],
  ["a document that the server does not take", bulk([{ index: 0, code: 121 }]), false],
  ["a command that there is not", server(59), false],
  ["wrong use of the driver", new MongoInvalidArgumentError("no"), false],
  ["a bug of ours", new TypeError("no"), false],
];

test("what may go better later is told from what won't", () => {
  for (const [what, error, unavailable] of CASES) {
    assert.equal(isUnavailable(error), unavailable, what);
    assert.equal(storeError(error) instanceof StoreUnavailable, unavailable, what);
  }
});

test("duplicates are known only where nothing else went wrong", () => {
  const [first, third] = [0, 2].map((index) => ({ index, code: 11000 }));
  assert.deepEqual(duplicatesOf(bulk([first!, third!])), [0, 2]);
  assert.equal(duplicatesOf(bulk([first!, { index: 1, code: 189 }])), undefined);
  assert.equal(duplicatesOf(bulk([], new MongoNetworkError("closed"))), undefined);
});

test("an upsert that lost a race is asked once more", async () => {
  let asked = 0;
  assert.equal(await upserted(async () => (++asked === 1 ? Promise.reject(server(11000)) : "there")), "there");
  await assert.rejects(
    upserted(() => Promise.reject(server(189))),
    MongoServerError,
  );
  assert.equal(asked, 2);
});
