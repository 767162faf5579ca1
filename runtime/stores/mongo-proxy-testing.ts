import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { BSON } from "mongodb";

/**
 * The way to a MongoDB server, with what happens on it: a test says what becomes of a command. The driver speaks to it as
 * to the server.
 * @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ OP_MSG
 */

export type Fate =
  | "forward"
  /** The server does it, and the connection breaks before its answer arrives. */
  | "lose-answer"
  /** The connection breaks before the server has it. */
  | "lose-command"
  /** It arrives, but only when the test says {@link MongoProxy.deliverLate}; the connection breaks at once. */
  | "deliver-late"
  /** The answer of a server that isn't the primary any more. */
  | "not-primary";

/** @param collection empty where the command has none. */
export type Judge = (command: string, collection: string) => Fate;

const OP_MSG = 2013;
const HEADER_BYTES = 16;
/** After the flags and the section's kind. */
const BODY = HEADER_BYTES + 5;

export class MongoProxy {
  judge: Judge = () => "forward";
  readonly #server: Server;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #late: Buffer[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
  }

  /** @param port of the server behind it. */
  static async start(port: number): Promise<MongoProxy> {
    const server = createServer();
    const proxy = new MongoProxy(server, port);
    server.on("connection", (client) => proxy.#serve(client));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  url(database: string): string {
    const { port } = this.#server.address() as { port: number };
    return `mongodb://127.0.0.1:${port}/${database}`;
  }

  /** Everything that is open breaks, and nobody gets in until {@link open}. */
  async shut(): Promise<void> {
    this.judge = () => "lose-command";
    for (const socket of this.#sockets) socket.destroy();
  }

  open(): void {
    this.judge = () => "forward";
  }

  /** What was held back reaches the server now. Resolves when it has answered. */
  async deliverLate(): Promise<void> {
    for (const message of this.#late.splice(0)) {
      const server = connect(this.#port, "127.0.0.1");
      server.write(message);
      await once(server, "data");
      server.destroy();
    }
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(client: Socket): void {
    const server = connect(this.#port, "127.0.0.1");
    let deaf = false;
    const broken = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", broken).on("close", () => {
        this.#sockets.delete(socket);
        broken();
      });
    }
    server.on("data", (bytes) => (deaf ? broken() : client.write(bytes)));
    forEachMessage(client, (message) => {
      switch (this.judge(...commandOf(message))) {
        case "forward":
          server.write(message);
          break;
        case "lose-answer":
          deaf = true;
          server.write(message);
          break;
        case "lose-command":
          broken();
          break;
        case "deliver-late":
          this.#late.push(message);
          broken();
          break;
        case "not-primary":
          client.write(
            answerTo(message, { ok: 0, code: 10107, codeName: "NotWritablePrimary", errmsg: "not primary" }),
          );
      }
    });
  }
}

/** Messages begin with their length. */
function forEachMessage(socket: Socket, take: (message: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= HEADER_BYTES && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      take(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  });
}

/** A command's name is the first field of its document; its value is the collection. */
function commandOf(message: Buffer): [command: string, collection: string] {
  if (message.readInt32LE(12) !== OP_MSG) return ["", ""];
  const body = BSON.deserialize(message.subarray(BODY, BODY + message.readInt32LE(BODY)));
  const [command = "", collection] = Object.entries(body)[0] ?? [];
  return [command, typeof collection === "string" ? collection : ""];
}

function answerTo(message: Buffer, answer: object): Buffer {
  const body = BSON.serialize(answer);
  const bytes = Buffer.alloc(BODY + body.length);
  bytes.writeInt32LE(bytes.length, 0);
  bytes.writeInt32LE(message.readInt32LE(4), 8);
  bytes.writeInt32LE(OP_MSG, 12);
  Buffer.from(body).copy(bytes, BODY);
  return bytes;
}
