import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { freePort } from "../../examples/demo/node-process.ts";
import { InProcessBus } from "../bus/in-process-bus.ts";
import { systemClock } from "../clock.ts";
import type { Question } from "../ports.ts";
import { ServiceCallFailed } from "./service-call-failed.ts";
import { Services } from "./services.ts";

/** Services over HTTP: what each answer means for a second try. */

const CONTEXT = { instance: "i", services: ["bank"] } as unknown as Question["context"];
let status = 200;
let server: Server;

before(async () => {
  server = createServer((_request, response) => response.writeHead(status).end('{"ok":true}'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const pay = (url: string): Promise<void> =>
  new Services({ bus: new InProcessBus(), clock: systemClock, urls: { bank: url } }).perform("pay", [], CONTEXT, {
    key: "k",
  });
const urlOf = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const STATUSES: readonly [number, ServiceCallFailed["how"]][] = [
  [400, "refused"],
  [404, "refused"],
  [408, "failed"],
  [429, "failed"],
  [500, "failed"],
  [502, "away"],
  [503, "away"],
];

test("a service's status tells whether another try may help", async () => {
  await pay(urlOf());
  for (const [answered, how] of STATUSES) {
    status = answered;
    await assert.rejects(
      pay(urlOf()),
      (error) => error instanceof ServiceCallFailed && error.how === how,
      `${answered}`,
    );
  }
});

test("a refused connection is a service that is away, and says so", async () => {
  await assert.rejects(
    pay(`http://127.0.0.1:${await freePort()}`),
    (error) => error instanceof ServiceCallFailed && error.how === "away" && /ECONNREFUSED/.test(error.message),
  );
});
