import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { JetStreamClient, JetStreamManager } from "nats";

/** Who gets what the flows send out, and writes down everything that arrives. */

/** A call of an action, as the service got it. */
export interface Call {
  readonly instance: string;
  readonly idempotencyKey: string;
}

/** Every so many calls the service does what it is asked and its answer is lost. */
const ANSWERS_PER_LOSS = 7;

/** A service over HTTP. */
export class Ledger {
  readonly calls: Call[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Ledger> {
    const server = createServer(async (request, response) => {
      const { instance } = JSON.parse(await bodyOf(request)) as { instance: string };
      ledger.calls.push({ instance, idempotencyKey: String(request.headers["idempotency-key"]) });
      if (ledger.calls.length % ANSWERS_PER_LOSS === 0) request.socket.destroy();
      else response.end('{"ok":true}');
    });
    const ledger = new Ledger(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return ledger;
  }

  get url(): string {
    const { port } = this.#server.address() as { port: number };
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

/** An event of a flow, as a subscriber of `assent.out.>` gets it. */
export interface Received {
  readonly id: string;
  readonly event: string;
  readonly instance: string;
  readonly body: string;
}

/** How many events have left so far. */
export async function countEvents(manager: JetStreamManager): Promise<number> {
  return (await manager.streams.info("ASSENT_OUT")).state.messages;
}

/** Everything that the stream out has, in its order. */
export async function readEvents(jetStream: JetStreamClient, manager: JetStreamManager): Promise<readonly Received[]> {
  const total = await countEvents(manager);
  if (total === 0) return [];
  const consumer = await jetStream.consumers.get("ASSENT_OUT");
  const messages = await consumer.consume();
  const received: Received[] = [];
  for await (const message of messages) {
    const body = message.string();
    const { id, type: event, subject: instance } = JSON.parse(body) as { id: string; type: string; subject: string };
    received.push({ id, event, instance, body });
    if (message.info.pending === 0) break;
  }
  await consumer.delete();
  return received;
}
