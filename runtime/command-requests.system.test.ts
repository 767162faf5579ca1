import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, headers } from "nats";
import { type NatsServer, needsNatsServer, startNatsServer } from "../scripts/nats-server.ts";
import { openNatsBus } from "./bus/nats-bus.ts";
import { COMMANDS } from "./bus/subjects.ts";
import { commandRequests } from "./command-requests.ts";
import { describeRequests } from "./command-requests-contract.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { flow, turnsOn } from "./testing.ts";

const { skip } = needsNatsServer();
let server: NatsServer;
before(async () => {
  if (!skip) server = await startNatsServer();
});
after(() => server?.stop());

describeRequests({ name: "NATS", skip, openBus: () => openNatsBus({ urls: server.url }) });

test("of two nodes one answers each request, to any client of NATS", { skip, timeout: 60_000 }, async (context) => {
  const definition = flow();
  const turns = turnsOn({ store: openMemoryStore(), definition });
  const answered = [0, 0];
  for (const node of [0, 1]) {
    const bus = await openNatsBus({ urls: server.url });
    context.after(() => bus.close());
    const requests = commandRequests({
      directory: embeddedDirectory(SEEDED_PEOPLE),
      definition: () => definition,
      submit: (envelope) => {
        answered[node]! += 1;
        return turns.submit(envelope);
      },
      onError: (error) => assert.ifError(error),
    });
    await bus.serve(COMMANDS, requests);
  }
  const client = await connect({ servers: server.url });
  context.after(() => client.close());
  for (let n = 0; n < 40; n++) {
    const about = headers();
    about.set("Assent-Key", `K-${n}`);
    about.set("Assent-Initiator", "alice");
    const reply = await client.request("assent.cmd.t.expense.remark", '{"note":"n"}', {
      headers: about,
      timeout: 5_000,
    });
    assert.equal(reply.json<{ state: string }>().state, "DRAFT");
  }
  assert.equal(answered[0]! + answered[1]!, 40);
  assert.ok(answered[0]! > 0 && answered[1]! > 0, `${answered}`);
  const refused = await client.request("assent.cmd.t.expense.remark", '{"x":1}', { timeout: 5_000 });
  const { status, code, traceId } = refused.json<{ status: number; code: string; traceId: string }>();
  assert.deepEqual([status, code], [422, "missing-field"]);
  assert.match(traceId, /^[0-9a-f]{32}$/);
  assert.equal(refused.headers?.get("Nats-Service-Error-Code"), "422");
});
