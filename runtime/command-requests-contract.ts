import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { ServiceFailed } from "./bus/bus-errors.ts";
import { COMMANDS } from "./bus/subjects.ts";
import { commandRequests } from "./command-requests.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import type { Bus, Headers } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { flow, keyOf, NOON, turnsOn } from "./testing.ts";
import { Overloaded, type Turns } from "./turn.ts";

/** What a request on `assent.cmd.…` is answered with, on any bus. */

export interface RequestsUnderTest {
  readonly name: string;
  openBus(): Promise<Bus>;
  readonly skip: string | false;
}

interface View {
  readonly id: string;
  readonly state: string;
  readonly initiator: string;
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
}

interface ProblemView {
  readonly status: number;
  readonly code: string;
  readonly errors?: readonly { readonly field: string }[];
}

export function describeRequests(under: RequestsUnderTest): void {
  describe(`requests on assent.cmd: ${under.name}`, { skip: under.skip, timeout: 60_000 }, () => {
    const opened: Bus[] = [];
    afterEach(async () => {
      for (const bus of opened.splice(0)) await bus.close();
    });

    async function serving(submit?: Turns["submit"]) {
      const bus = await under.openBus();
      opened.push(bus);
      const definition = flow();
      const turns = turnsOn({ store: openMemoryStore(), definition });
      const requests = commandRequests({
        directory: embeddedDirectory(SEEDED_PEOPLE),
        definition: () => definition,
        submit: submit ?? ((envelope) => turns.submit(envelope)),
        onError: () => {},
      });
      await bus.serve(COMMANDS, requests);
      return { bus, turns };
    }

    const ask = async (bus: Bus, event: string, body: unknown, headers: Headers = {}): Promise<View> => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return JSON.parse(
        await bus.request(`assent.cmd.t.expense.${event}`, text, { headers, timeoutMs: 5_000 }),
      ) as View;
    };

    const problem = async (asked: Promise<unknown>): Promise<ProblemView & { readonly headers: Headers }> => {
      const error = await asked.then(
        () => assert.fail("it was answered"),
        (failure: unknown) => failure,
      );
      assert.ok(error instanceof ServiceFailed);
      assert.equal(error.headers["Content-Type"], "application/problem+json");
      const told = JSON.parse(error.body) as ProblemView;
      assert.equal(error.code, String(told.status));
      return { ...told, headers: error.headers };
    };

    test("an event starts an instance and moves it on, and the answer is the instance after it", async () => {
      const { bus, turns } = await serving();
      const about = { "Assent-Key": "K", "Assent-Initiator": "alice" };
      const started = await ask(bus, "remark", { note: "n" }, { ...about, "Nats-Msg-Id": "c-1" });
      const { state, initiator, version, data } = started;
      assert.deepEqual([state, initiator, version, data["note"]], ["DRAFT", "alice", 1, "n"]);
      const event = {
        specversion: "1.0",
        id: "c-2",
        source: "shop",
        type: "submit",
        subject: "K",
        assentactor: "alice",
      };
      const moved = await ask(bus, "submit", { ...event, data: { amount: "12.50" } });
      assert.deepEqual([moved.id, moved.state, moved.data["amount"]], [started.id, "REVIEW", "12.50 CNY"]);
      assert.equal((await turns.read(keyOf("K")))!.instance.version, 2);
    });

    test("the same message id is the same command: the first answer comes again", async () => {
      const { bus, turns } = await serving();
      const once = { "Assent-Key": "K", "Assent-Initiator": "alice", "Nats-Msg-Id": "c-1" };
      const first = await ask(bus, "remark", { note: "n" }, once);
      assert.deepEqual(await ask(bus, "remark", { note: "n" }, once), first);
      const other = await problem(ask(bus, "remark", { note: "other" }, once));
      assert.deepEqual([other.status, other.code], [422, "id-reused"]);
      assert.equal((await turns.read(keyOf("K")))!.instance.version, 1);
    });

    const PROBLEMS: readonly [
      what: string,
      event: string,
      body: unknown,
      headers: Headers,
      status: number,
      code: string,
    ][] = [
      ["no key", "remark", {}, {}, 422, "missing-field"],
      ["no JSON", "remark", "{", { "Assent-Key": "K" }, 400, "malformed-body"],
      ["no object", "remark", [], { "Assent-Key": "K" }, 422, "wrong-type"],
      ["another CloudEvents", "remark", { specversion: "2.0" }, { "Assent-Key": "K" }, 400, "malformed-body"],
      ["a field that the event does not have", "remark", { x: 1 }, { "Assent-Key": "K" }, 422, "unknown-field"],
      ["an event that the flow does not have", "withdrawn", {}, { "Assent-Key": "K" }, 409, "unknown-event"],
      [
        "a deadline that is none",
        "remark",
        {},
        { "Assent-Key": "K", "Assent-Deadline": "soon" },
        400,
        "malformed-header",
      ],
      [
        "a deadline that has passed",
        "remark",
        {},
        { "Assent-Key": "K", "Assent-Deadline": new Date(NOON - 1).toISOString() },
        504,
        "deadline-passed",
      ],
    ];
    for (const [what, event, body, headers, status, code] of PROBLEMS) {
      test(`${what}: the problem is ${status} ${code}, and nothing was changed`, async () => {
        const { bus, turns } = await serving();
        const told = await problem(ask(bus, event, body, headers));
        assert.deepEqual([told.status, told.code], [status, code]);
        assert.equal(await turns.read(keyOf("K")), undefined);
      });
    }

    test("a flow that is not there is 404, a subject of another form 400", async () => {
      const { bus } = await serving();
      const options = { headers: { "Assent-Key": "K" }, timeoutMs: 5_000 };
      assert.equal((await problem(bus.request("assent.cmd.t.nothing.go", "{}", options))).status, 404);
      assert.equal((await problem(bus.request("assent.cmd.t.expense", "{}", options))).status, 400);
    });

    test("who is turned away learns when to come again", async () => {
      const { bus } = await serving(() => Promise.reject(new Overloaded("full", 2_100)));
      const told = await problem(ask(bus, "remark", {}, { "Assent-Key": "K" }));
      assert.deepEqual([told.status, told.code, told.headers["Retry-After"]], [503, "overloaded", "3"]);
    });
  });
}
