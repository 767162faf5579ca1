import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** The way from a node to a server, which a test cuts. */
export class TcpProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #state: "open" | "silent" | "broken" = "open";

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    // Half open as the ends are: who has said all may still be answered.
    const server = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(server, targetPort);
    server.on("connection", (client) => proxy.#serve(client));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Nothing arrives and nobody is told, as when a cable is pulled: what was sent arrives after {@link heal}, perhaps much later. */
  silence(): void {
    this.#state = "silent";
    for (const socket of this.#sockets) socket.pause();
  }

  /** All connections end at once, and so does every new one. */
  break(): void {
    this.#state = "broken";
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#state = "open";
    for (const socket of this.#sockets) socket.resume();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.break();
    await closed;
  }

  #serve(client: Socket): void {
    if (this.#state === "broken") {
      client.destroy();
      return;
    }
    const target = connect({ port: this.#targetPort, host: "127.0.0.1", allowHalfOpen: true });
    this.#forward(client, target);
    this.#forward(target, client);
    if (this.#state !== "silent") return;
    client.pause();
    target.pause();
  }

  #forward(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from
      .on("data", (bytes) => to.write(bytes))
      .on("end", () => to.end())
      .on("error", () => to.destroy())
      .on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
  }
}
