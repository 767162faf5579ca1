/** What holds of an instance at every moment of its life. */
import assert from "node:assert/strict";
import { placesOf } from "../instance-parts.ts";
import { hangingsOf, isUndecided } from "../open-round.ts";
import type { Driver } from "../testing.ts";
import type { Instance, Place, SagaRun, Seat } from "../types.ts";

/** Every open task is that of a seat whose turn it is, or of a saga that is stuck; what has ended has nothing open. */
export function assertSound(driver: Driver): void {
  const instance = driver.instance!;
  const places = new Map(placesOf(instance).map(({ address, place }) => [address, place]));
  const open = new Set<string>();
  for (const place of places.values()) {
    assert.equal(place.path.at(-1), place.state);
    assertRound(place, open);
  }
  const held = [...driver.tasks.values()].filter(({ closedAt }) => closedAt === undefined);
  const stuck = runsOf(instance).flatMap(({ tasks = [] }) => tasks.filter(({ closedAt }) => closedAt === undefined));
  const owned = [...open, ...stuck.map(({ id }) => id)];
  assert.deepEqual(new Set(held.map(({ id }) => id)), new Set(owned), "no task is open that belongs to nobody");
  for (const { purpose, place = "" } of [...instance.timers, ...(instance.suspended?.timers ?? [])]) {
    const at = places.get(place);
    assert.ok(at, `a timer for ${place}`);
    if ("seat" in purpose) assert.match(at.round?.seats[purpose.seat]?.status ?? "gone", /^(open|waiting)$/);
  }
  for (const task of Object.values(instance.closedTasks)) assert.notEqual(task.closedAt, undefined);
  if (instance.outcome !== undefined) assertEnded(instance, open);
}

function assertRound({ round }: Place, open: Set<string>): void {
  if (!round) return;
  const people = round.seats
    .filter(({ status, person }) => status === "open" && person !== "")
    .map(({ person }) => person);
  assert.equal(new Set(people).size, people.length, "one open task per person");
  for (const [index, seat] of round.seats.entries()) {
    const { task, status } = seat;
    if (task && task.closedAt === undefined) {
      open.add(task.id);
      assert.deepEqual([task.status, task.assignee], [status, seat.person]);
    }
    if (round.result !== undefined) assert.ok(!isUndecided(seat), "a closed round has no open seat");
    if (isUndecided(seat)) {
      for (const { on } of hangingsOf(seat))
        assert.equal(round.seats[on]?.status, "waiting", "who hangs is waited for");
    }
    if (status === "waiting" && task && task.closedAt === undefined) {
      // For those who hang on it, or, in a sequence, for those before it.
      const isFirst = (one: Seat, at: number): boolean =>
        hangingsOf(one).some(({ on }) => on === index) || (at < index && !one.hangs);
      assert.ok(
        round.seats.some((one, at) => isUndecided(one) && isFirst(one, at)),
        "who waits waits for somebody",
      );
    }
  }
}

/** What remains of an ended instance is its compensation. */
function assertEnded({ round, branches, child, timers, suspended, saga }: Instance, open: ReadonlySet<string>): void {
  assert.deepEqual([round, branches, child, suspended, saga], [undefined, undefined, undefined, undefined, undefined]);
  assert.equal(open.size, 0);
  assert.ok(timers.every(({ purpose }) => purpose.kind === "retry"));
}

/** Sagas that run, or are being undone. */
export function runsOf(instance: Instance): SagaRun[] {
  const inside = placesOf(instance).flatMap(({ place: { saga } }) => (saga ? [saga] : []));
  return [...inside, ...(instance.undoing ?? []).flatMap(({ sagas }) => sagas.map(({ run }) => run))];
}
