import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreUnavailable } from "../ports.ts";
import { CatchUp } from "./catch-up.ts";

const NEVER_MS = 3_600_000;

/** A projection that a test ends by hand. */
function byHand() {
  const underWay: PromiseWithResolvers<void>[] = [];
  const catchUp = new CatchUp(() => {
    underWay.push(Promise.withResolvers<void>());
    return underWay.at(-1)!.promise;
  }, NEVER_MS);
  return { catchUp, underWay };
}

test("readers bring in what was written, together and once", async () => {
  const { catchUp, underWay } = byHand();
  await catchUp.now();
  assert.equal(underWay.length, 0);
  catchUp.wrote();
  let read = 0;
  const readers = [catchUp.now(), catchUp.now()].map((reader) => reader.then(() => read++));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assert.equal(read, 0, "both wait for it");
  underWay[0]!.resolve();
  await Promise.all([...readers, catchUp.now()]);
  assert.equal(underWay.length, 1);
  catchUp.stop();
});

test("who reads after a write waits for one that began after it", async () => {
  const { catchUp, underWay } = byHand();
  catchUp.wrote();
  const first = catchUp.now();
  await Promise.resolve();
  catchUp.wrote();
  let read = false;
  const second = catchUp.now().then(() => {
    read = true;
  });
  underWay[0]!.resolve();
  await first;
  while (underWay.length < 2) await Promise.resolve();
  assert.equal(read, false);
  underWay[1]!.resolve();
  await second;
  catchUp.stop();
});

test("a name may be lacking until it was brought in; where there was no room it still is", async () => {
  const { catchUp, underWay } = byHand();
  catchUp.wroteName("i");
  catchUp.wrote();
  const failing = assert.rejects(catchUp.now(), StoreUnavailable);
  await Promise.resolve();
  assert.equal(catchUp.mayLack("i"), true);
  underWay[0]!.reject(new StoreUnavailable("full"));
  await failing;
  assert.equal(catchUp.mayLack("i"), true);
  const now = catchUp.now();
  await Promise.resolve();
  underWay[1]!.resolve();
  await now;
  assert.equal(catchUp.mayLack("i"), false);
  assert.equal(catchUp.mayLack("j"), false);
  catchUp.stop();
});
