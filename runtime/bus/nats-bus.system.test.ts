import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { connect } from "nats";
import { type NatsServer, needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { partitionOf } from "../cluster/partition.ts";
import type { BusMessage } from "../ports.ts";
import { Arrivals, consumeAll, describeBus, ids, into, out } from "./bus-contract.ts";
import { type NatsBus, openNatsBus } from "./nats-bus.ts";

const { skip } = needsNatsServer();

let server: NatsServer;
before(async () => {
  if (!skip) server = await startNatsServer();
});
after(() => server?.stop());

async function emptyStreams(): Promise<void> {
  const connection = await connect({ servers: server.url });
  const manager = await connection.jetstreamManager();
  for await (const { config } of manager.streams.list()) {
    await manager.streams.purge(config.name);
    await manager.streams.delete(config.name);
  }
  await connection.close();
}

describeBus({
  name: "NATS",
  skip,
  open: async (options) => {
    await emptyStreams();
    return openNatsBus({ urls: server.url, ...options });
  },
  restart: async (bus) => {
    await bus.close();
    return openNatsBus({ urls: server.url });
  },
});

const PARTITION_OF_K = partitionOf("t", "leave", "k", 16);
const CONSUMER_OF_K = `assent-${PARTITION_OF_K}-0`;

describe("the NATS bus and its server", { skip, timeout: 120_000 }, () => {
  let bus: NatsBus | undefined;
  afterEach(async () => {
    await bus?.close();
    bus = undefined;
  });

  test("the stream keeps one of two messages with the same id", async () => {
    await emptyStreams();
    bus = await openNatsBus({ urls: server.url });
    await bus.publish([out("assent.out.t.leave.approved", "o-1"), out("assent.out.t.leave.approved", "o-1")]);
    await bus.publish([out("assent.out.t.leave.approved", "o-1")]);
    const connection = await connect({ servers: server.url });
    const { state } = await (await connection.jetstreamManager()).streams.info("ASSENT_OUT");
    await connection.close();
    assert.equal(state.messages, 1);
  });

  for (const [name, value] of [
    ["X-Gray-Tag", "beta\r\nNats-Msg-Id: o-2"],
    ["X-Gray\nTag", "beta"],
  ] as const) {
    test(`a header \`${JSON.stringify(name)}: ${JSON.stringify(value)}\` is refused, and what is beside it is sent`, async () => {
      await emptyStreams();
      bus = await openNatsBus({ urls: server.url });
      const broken = { ...out("assent.out.t.leave.approved", "o-1"), headers: { [name]: value } };
      await assert.rejects(bus.publish([broken]), { name: "NotSendable" });
      await bus.publish([out("assent.out.t.leave.approved", "o-3")]);
    });
  }

  test("the server is killed again and again: all that was confirmed is consumed, in order", async () => {
    await emptyStreams();
    bus = await openNatsBus({ urls: server.url });
    const consumer = await consumeAll(bus);
    const confirmed = new Map<string, string[]>();
    let n = 0;
    async function publishSome(): Promise<void> {
      const batch = Array.from({ length: 50 }, () => into(`k${n % 5}`, `m-${n++}`));
      await bus!.publish(batch);
      for (const { subject, id } of batch) confirmed.set(subject, [...(confirmed.get(subject) ?? []), id]);
    }
    for (let kill = 0; kill < 3; kill++) {
      await publishSome();
      const during = [publishSome(), publishSome()];
      await server.kill();
      assert.equal(await becomes(() => bus!.connected === false), true);
      during.push(publishSome());
      await server.start();
      await Promise.all(during);
      await publishSome();
    }
    assert.equal(bus.connected, true);
    await becomes(() => new Set(ids(consumer.items)).size === n);
    for (const [subject, sent] of confirmed) {
      // An ack may be lost with the connection, so a message may come twice; its first coming is in order.
      const came = [...new Set(ids(consumer.items.filter((message) => message.subject === subject)))];
      assert.deepEqual(came, sent);
    }
  });

  test("a consumer deleted by an operator is made again", async () => {
    await emptyStreams();
    const problems = new Arrivals<unknown>();
    bus = await openNatsBus({ urls: server.url, onProblem: problems.add });
    const consumer = await consumeAll(bus);
    await bus.send(into("k", "m-1"));
    await consumer.reach(1);
    const connection = await connect({ servers: server.url });
    await (await connection.jetstreamManager()).consumers.delete("ASSENT_IN", CONSUMER_OF_K);
    await connection.close();
    await problems.reach(1);
    await bus.send(into("k", "m-2"));
    await becomes(() => ids(consumer.items).includes("m-2"));
    assert.equal(ids(consumer.items).at(-1), "m-2");
  });

  test("micro services are discovered with their labels and subjects, those that are gone are not", async () => {
    bus = await openNatsBus({ urls: server.url });
    const connection = await connect({ servers: server.url });
    const add = async (subject: string, zone: string) => {
      const service = await connection.services.add({ name: "bank", version: "1.0.0", metadata: { zone } });
      service.addEndpoint("score", { subject, handler: (_error, message) => void message.respond("{}") });
      return service;
    };
    const [cn, de] = [await add("assent.svc.bank.score", "cn"), await add("assent.svc.bank.score", "de")];
    await connection.flush();
    const found = await bus.discover(200);
    assert.deepEqual(found.map(({ id }) => id).toSorted(), [cn, de].map((service) => service.info().id).toSorted());
    const ofCn = found.find(({ id }) => id === cn.info().id)!;
    assert.deepEqual([ofCn.name, ofCn.metadata["zone"], ofCn.subjects], ["bank", "cn", ["assent.svc.bank.score"]]);
    await de.stop();
    const left = await bus.discover(200);
    assert.deepEqual(
      left.map(({ id }) => id),
      [cn.info().id],
    );
    await connection.close();
  });

  test("whoever has the later claim consumes, however late an earlier owner comes", async () => {
    await emptyStreams();
    const held = (epoch: number) => [{ partition: PARTITION_OF_K, epoch }];
    const [old, heir] = [new Arrivals<BusMessage>(), new Arrivals<BusMessage>()];
    const handler = (arrivals: Arrivals<BusMessage>) => async (messages: readonly BusMessage[]) => {
      for (const message of messages) {
        message.ack();
        arrivals.add(message);
      }
    };
    const before = await openNatsBus({ urls: server.url });
    bus = await openNatsBus({ urls: server.url });
    await before.consume(handler(old), held(1));
    await bus.send(into("k", "m-1"));
    await old.reach(1);
    await bus.consume(handler(heir), held(2));
    await bus.send(into("k", "m-2"));
    await heir.reach(1);
    // The earlier owner was paused, and does what it was about to do.
    void before.take([]).then(() => before.take(held(1)));
    await bus.send(into("k", "m-3"));
    await heir.reach(2);
    await bus.take([]);
    void bus.take(held(3));
    await bus.send(into("k", "m-4"));
    await heir.reach(3);
    assert.deepEqual([ids(old.items), ids(heir.items)], [["m-1"], ["m-2", "m-3", "m-4"]]);
    await before.close();
  });

  test("messages of partitions that nobody here has stay in the stream", async () => {
    await emptyStreams();
    bus = await openNatsBus({ urls: server.url });
    const arrivals = new Arrivals<BusMessage>();
    await bus.consume(
      async (messages) => {
        for (const message of messages) arrivals.add(message);
      },
      [{ partition: (PARTITION_OF_K + 1) % 16, epoch: 1 }],
    );
    await bus.publish([into("k", "m-1")]);
    assert.equal(arrivals.items.length, 0);
    await bus.take([{ partition: PARTITION_OF_K, epoch: 1 }]);
    await arrivals.reach(1);
    assert.equal(arrivals.items[0]!.subject, "assent.in.t.leave.submit.k");
  });

  test("a stream that is sorted otherwise is sorted anew while it is empty, and refused when it is not", async () => {
    await emptyStreams();
    bus = await openNatsBus({ urls: server.url, partitions: 4 });
    await bus.close();
    bus = await openNatsBus({ urls: server.url, partitions: 8 });
    await bus.send(into("k", "m-1"));
    await bus.close();
    await assert.rejects(
      openNatsBus({ urls: server.url, partitions: 16 }),
      /ASSENT_IN holds 1 messages that are not sorted into the 16 partitions of this store, but as `assent\.at\.\{\{partition\(8,/,
    );
  });

  test("a stream that keeps its messages is taken up where it was left", async () => {
    await emptyStreams();
    const connection = await connect({ servers: server.url });
    await (await connection.jetstreamManager()).streams.add({ name: "ASSENT_IN", subjects: ["assent.in.>"] });
    await connection.close();
    bus = await openNatsBus({ urls: server.url });
    const arrivals = new Arrivals<string>();
    await bus.consume(async (messages) => {
      for (const message of messages) {
        const [id = ""] = ids([message]);
        if (id === "m-1") message.ack();
        arrivals.add(id);
      }
    });
    await bus.publish([into("k", "m-1"), into("k", "m-2"), into("k", "m-3")]);
    await arrivals.reach(3);
    await bus.close();
    bus = await openNatsBus({ urls: server.url });
    const rest = await consumeAll(bus);
    await rest.reach(2);
    assert.deepEqual(ids(rest.items), ["m-2", "m-3"]);
  });

  for (const urls of ["http://127.0.0.1:4222", "nats://127.0.0.1:4222, ", "127.0.0.1:4222"]) {
    test(`\`${urls}\` is refused`, () => assert.rejects(openNatsBus({ urls }), /is no NATS server/));
  }

  test("a server without JetStream is refused, with what to do", async () => {
    const plain = await startNatsServer({ jetstream: false });
    await assert.rejects(openNatsBus({ urls: plain.url }), /runs without JetStream: start it with --jetstream/);
    await plain.stop();
  });

  test("a wrong password is refused at once, and the message doesn't show it", async () => {
    const locked = await startNatsServer({ args: ["--user", "assent", "--pass", "s3cret:/"] });
    const at = (password: string) => locked.url.replace("//", `//assent:${encodeURIComponent(password)}@`);
    await assert.rejects(openNatsBus({ urls: at("wrong") }), (error: Error) => {
      assert.match(error.message, /can't connect to NATS at nats:\/\/127/);
      assert.doesNotMatch(error.message, /wrong/);
      return true;
    });
    bus = await openNatsBus({ urls: at("s3cret:/") });
    assert.equal(bus.connected, true);
    await bus.close();
    await locked.stop();
  });

  test("an old server is refused", async () => {
    const old = createServer((socket) => {
      socket.on("error", () => {});
      socket.write('INFO {"server_id":"x","version":"2.9.10","headers":true,"max_payload":1048576}\r\n');
      socket.on("data", (data) => void (data.includes("PING") && socket.write("PONG\r\n")));
    });
    await new Promise<void>((listening) => old.listen(0, "127.0.0.1", listening));
    const { port } = old.address() as AddressInfo;
    await assert.rejects(
      openNatsBus({ urls: `nats://127.0.0.1:${port}` }),
      /nats-server 2\.9\.10 is too old: 2\.10 or later/,
    );
    await new Promise((closed) => old.close(closed));
  });
});

/** Resolves when it holds; the suite's own time-out ends a wait in vain. */
async function becomes(holds: () => boolean): Promise<boolean> {
  while (!holds()) await new Promise((again) => setTimeout(again, 5));
  return true;
}
