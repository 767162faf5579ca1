import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ConnectionOptions,
  connect,
  createInbox,
  credsAuthenticator,
  headers,
  type JetStreamManager,
  type Msg,
  type MsgHdrs,
  MsgHdrsImpl,
  type NatsConnection,
  NatsError,
  type ServiceInfo,
  type TlsOptions,
} from "nats";
import { PARTITIONS } from "../cluster/partition.ts";
import type { Bus, BusMessage, Headers, Held, OutMessage, Service, ServiceInstance } from "../ports.ts";
import { BusUnavailable, NoResponders, NotSendable, RequestTimedOut, ServiceFailed } from "./bus-errors.ts";
import { type Confirmation, ConfirmedPublisher } from "./confirmed-publisher.ts";
import { ACK_WAIT_MS, NatsConsumers } from "./nats-consumers.ts";
import { toHeaders } from "./nats-headers.ts";
import { makeStreams } from "./nats-streams.ts";
import { isPublishable } from "./subjects.ts";

/** A server older than this lacks what is relied on here. */
const SERVER_MINIMUM = { major: 2, minor: 10 };
const CONNECT_TIMEOUT_MS = 10_000;
const RECONNECT_WAIT_MS = 200;
const CONSUMER = "assent";
const TICK_MS = 250;
const DRAIN_TIMEOUT_MS = 5_000;

export interface NatsBusOptions {
  /** `nats://[USER:PASSWORD@]HOST[:PORT]` or `tls://…`, comma separated: servers of one cluster. */
  readonly urls: string;
  /** Path of a `.creds` file; read again for every connection. */
  readonly credsFile?: string;
  /** Paths, for servers whose certificate has an authority of its own or that ask for ours. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** How many the store has; 16 by default. */
  readonly partitions?: number;
  /** Messages of one partition that are not acked. */
  readonly unsettledMax?: number;
  /** What went wrong and is being tried again. */
  readonly onProblem?: (error: unknown) => void;
}

/**
 * Connects and makes the streams if they are missing.
 * @throws Error with a line for the operator: unreachable for ten seconds, refused, too old, without JetStream.
 */
export async function openNatsBus(options: NatsBusOptions): Promise<NatsBus> {
  const connection = await connectFirst(connectionOptions(options), options.urls);
  try {
    checkVersion(connection);
    const manager = await connection.jetstreamManager();
    await makeStreams(manager, options.partitions ?? PARTITIONS);
    return new NatsBus(connection, manager, options);
  } catch (error) {
    await connection.close();
    if (error instanceof NatsError && error.code === "503") {
      throw new Error(`the NATS server at ${options.urls} runs without JetStream: start it with --jetstream`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** The bus on NATS JetStream. Only the files `nats-…` know the package `nats`. */
export class NatsBus implements Bus {
  readonly kind = "nats";
  readonly #connection: NatsConnection;
  readonly #onProblem: (error: unknown) => void;
  readonly #publisher: ConfirmedPublisher;
  readonly #consumers: NatsConsumers;
  readonly #timers: readonly NodeJS.Timeout[];
  #connected = true;

  constructor(connection: NatsConnection, manager: JetStreamManager, options: NatsBusOptions) {
    this.#connection = connection;
    this.#onProblem = options.onProblem ?? (() => {});
    this.#consumers = new NatsConsumers({
      ...{ connection, manager, partitions: options.partitions ?? PARTITIONS, onProblem: this.#onProblem },
      ...(options.unsettledMax !== undefined && { unsettledMax: options.unsettledMax }),
    });
    this.#publisher = this.#makePublisher();
    this.#timers = [
      setInterval(() => this.#publisher.tick(), TICK_MS).unref(),
      setInterval(() => this.#announceWork(), ACK_WAIT_MS / 3).unref(),
    ];
    void this.#watchConnection();
  }

  get connected(): boolean {
    return this.#connected && !this.#connection.isClosed();
  }

  async publish(messages: readonly OutMessage[]): Promise<void> {
    this.#checkOpen();
    for (const { subject } of messages) {
      if (!isPublishable(subject)) throw new NotSendable(`\`${subject}\` is no subject to send to`);
    }
    await this.#publisher.publish(messages);
  }

  send(message: OutMessage): Promise<void> {
    return this.publish([message]);
  }

  async consume(
    handler: (messages: readonly BusMessage[]) => Promise<void>,
    held: "all" | readonly Held[] = "all",
  ): Promise<void> {
    this.#checkOpen();
    await this.#consumers.start(handler, held);
  }

  take(held: readonly Held[]): Promise<void> {
    return this.#consumers.take(held);
  }

  /** What is told while the connection is away is lost. */
  tell(subject: string): void {
    if (this.connected) this.#connection.publish(subject);
  }

  wants(): boolean {
    return true;
  }

  async subscribe(pattern: string, listener: (message: OutMessage) => void): Promise<() => void> {
    this.#checkOpen();
    const subscription = this.#connection.subscribe(pattern, {
      callback: (error, message) => {
        if (error) return this.#onProblem(error);
        try {
          listener(toOutMessage(message));
        } catch (failure) {
          this.#onProblem(failure);
        }
      },
    });
    await this.#connection.flush(); // From now on means: the server knows of it.
    return () => subscription.unsubscribe();
  }

  async serve(pattern: string, service: Service): Promise<() => void> {
    this.#checkOpen();
    const subscription = this.#connection.subscribe(pattern, {
      queue: CONSUMER,
      callback: (error, message) => void (error ? this.#onProblem(error) : this.#answer(message, service)),
    });
    await this.#connection.flush();
    return () => subscription.unsubscribe();
  }

  async request(subject: string, body: string, options: { headers: Headers; timeoutMs: number }): Promise<string> {
    this.#checkOpen();
    try {
      const reply = await this.#connection.request(subject, body, {
        timeout: options.timeoutMs,
        headers: toMsgHeaders(options.headers),
      });
      const code = reply.headers?.get("Nats-Service-Error-Code");
      if (code) {
        const { "Nats-Service-Error": message = "", ...others } = toHeaders(reply.headers);
        throw new ServiceFailed(code, message, reply.string(), others);
      }
      return reply.string();
    } catch (error) {
      throw requestError(error, subject, options.timeoutMs);
    }
  }

  /** @see https://docs.nats.io/using-nats/developer/services */
  async discover(waitMs: number): Promise<readonly ServiceInstance[]> {
    this.#checkOpen();
    const found: ServiceInstance[] = [];
    const inbox = createInbox();
    const subscription = this.#connection.subscribe(inbox, {
      callback: (error, message) => {
        const told = error ? undefined : readServiceInfo(message.string());
        if (told) found.push(told);
      },
    });
    this.#connection.publish("$SRV.INFO", "", { reply: inbox });
    await delay(waitMs);
    subscription.unsubscribe();
    return found;
  }

  stop(): Promise<void> {
    this.#consumers.stop();
    return Promise.resolve();
  }

  /** What was not acked is delivered again, in order, to whoever consumes next. */
  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    await this.stop();
    for (const timer of this.#timers) clearInterval(timer);
    this.#publisher.close();
    if (this.#connected)
      await Promise.race([this.#connection.drain(), delay(DRAIN_TIMEOUT_MS, undefined, { ref: false })]);
    await this.#connection.close();
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Connection
  // -------------------------------------------------------------------------------------------------------------- //

  async #watchConnection(): Promise<void> {
    for await (const { type, data } of this.#connection.status()) {
      if (type === "disconnect") this.#connected = false;
      else if (type === "reconnect") this.#reconnected();
      else if (type === "error") this.#onProblem(new Error(`NATS: ${String(data)}`));
    }
  }

  #reconnected(): void {
    this.#connected = true;
    this.#publisher.reconnected();
    this.#consumers.reconnected();
  }

  #checkOpen(): void {
    if (this.#connection.isClosed() || this.#connection.isDraining())
      throw new BusUnavailable("the connection to NATS is closed");
  }

  #makePublisher(): ConfirmedPublisher {
    const connection = this.#connection;
    const inbox = createInbox();
    connection.subscribe(`${inbox}.*`, {
      callback: (_error, message) =>
        this.#publisher.confirm(Number(message.subject.slice(inbox.length + 1)), confirmation(message)),
    });
    const connected = () => this.connected;
    return new ConfirmedPublisher({
      get connected() {
        return connected();
      },
      now: () => performance.now(),
      send: (message, token) => {
        try {
          connection.publish(message.subject, Buffer.from(message.body), {
            reply: `${inbox}.${token}`,
            headers: new SentHeaders(message),
          });
        } catch (error) {
          throw new NotSendable(`\`${message.subject}\`: ${messageOf(error)}`, { cause: error });
        }
      },
    });
  }

  #announceWork(): void {
    if (this.connected) this.#consumers.announceWork();
  }

  async #answer(request: Msg, service: Service): Promise<void> {
    try {
      request.respond(await service(request.string(), toHeaders(request.headers), request.subject));
    } catch (error) {
      const { code, headers, body } =
        error instanceof ServiceFailed ? error : new ServiceFailed("500", messageOf(error), "");
      const failure = toMsgHeaders({
        ...headers,
        "Nats-Service-Error-Code": code,
        "Nats-Service-Error": oneLine(messageOf(error)),
      });
      if (!this.#connection.isClosed()) request.respond(body, { headers: failure });
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------- //
// Connecting
// ---------------------------------------------------------------------------------------------------------------- //

function connectionOptions({ urls, credsFile, tls }: NatsBusOptions): ConnectionOptions {
  const parsed = urls.split(",").map((url) => parseUrl(url.trim()));
  const { username, password } = parsed[0]!;
  const user = decodeURIComponent(username);
  return {
    servers: parsed.map(({ host }) => host),
    name: CONSUMER,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    ignoreAuthErrorAbort: true, // Whoever rotates credentials may be a moment late with one side.
    pingInterval: 10_000,
    timeout: CONNECT_TIMEOUT_MS / 2,
    ...(user !== "" && password !== "" ? { user, pass: decodeURIComponent(password) } : {}),
    ...(user !== "" && password === "" ? { token: user } : {}),
    ...(credsFile === undefined ? {} : { authenticator: credsAuthenticator(() => readFileSync(credsFile)) }),
    ...(tls !== undefined || parsed.some(({ protocol }) => protocol === "tls:")
      ? { tls: tlsOptions(parsed, tls) }
      : {}),
  };
}

/**
 * By itself the client compares the certificate with host names only, and with `localhost` where the URL has an address;
 * `host` goes through it to `tls.connect`.
 */
function tlsOptions(servers: readonly URL[], files: NatsBusOptions["tls"]): TlsOptions {
  const [only] = servers;
  const address = only!.hostname.replace(/^\[|\]$/g, "");
  const byAddress = servers.length === 1 && isIP(address) !== 0;
  return { ...files, ...(byAddress && { host: address }) };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "nats:" && url.protocol !== "tls:") || url.hostname === "") {
    throw new Error(
      `\`${text}\` is no NATS server: write nats://HOST:PORT or tls://HOST:PORT, several separated by commas`,
    );
  }
  return url;
}

async function connectFirst(options: ConnectionOptions, urls: string): Promise<NatsConnection> {
  const giveUpAt = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      return await connect(options);
    } catch (error) {
      if (isRefusal(error) || performance.now() >= giveUpAt)
        throw new Error(`can't connect to NATS at ${withoutPasswords(urls)}: ${messageOf(error)}`, { cause: error });
      await delay(RECONNECT_WAIT_MS);
    }
  }
}

/** Waiting won't help: who we are, or who they are, is not accepted. The codes are OpenSSL's, as Node names them. */
function isRefusal(error: unknown): boolean {
  if (error instanceof NatsError) return error.isAuthError();
  return error instanceof Error && "code" in error && /CERT|SIGNATURE/.test(String(error.code));
}

function checkVersion(connection: NatsConnection): void {
  const version = connection.info?.version ?? "0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > SERVER_MINIMUM.major || (major === SERVER_MINIMUM.major && minor >= SERVER_MINIMUM.minor)) return;
  throw new Error(
    `nats-server ${version} is too old: ${SERVER_MINIMUM.major}.${SERVER_MINIMUM.minor} or later is needed`,
  );
}

// ---------------------------------------------------------------------------------------------------------------- //
// Translation
// ---------------------------------------------------------------------------------------------------------------- //

/** The stream's answer to a publish: empty with a status when no stream takes the subject now, else JSON. */
function confirmation(message: Msg): Confirmation {
  const text = message.string();
  if (text === "") return { kind: "try-again", reason: "no stream takes this subject" };
  if (!text.includes('"error"')) return STORED;
  const { error } = JSON.parse(text) as { error?: { code: number; description: string } };
  if (error === undefined) return STORED;
  return { kind: error.code >= 500 ? "try-again" : "refused", reason: error.description };
}

const STORED: Confirmation = { kind: "stored" };
const BREAKS_LINE = /[\r\n]/;

/** The headers of one message, written down at once: as a map they cost several times as much, on the busiest path. */
class SentHeaders extends MsgHdrsImpl {
  readonly #message: OutMessage;

  constructor(message: OutMessage) {
    super();
    this.#message = message;
  }

  /** @throws Error if one would break the lines. */
  override encode(): Uint8Array {
    const { headers: given, id } = this.#message;
    let text = "NATS/1.0\r\n";
    for (const name in given) text += headerLine(name, given[name]!);
    return Buffer.from(`${text}${headerLine("Nats-Msg-Id", id)}\r\n`);
  }
}

function headerLine(name: string, value: string): string {
  if (BREAKS_LINE.test(value) || BREAKS_LINE.test(name)) throw new Error(`the header \`${name}\` holds a line break`);
  return `${name}: ${value}\r\n`;
}

function requestError(error: unknown, subject: string, timeoutMs: number): unknown {
  if (!(error instanceof NatsError)) return error;
  if (error.code === "503") return new NoResponders(subject);
  if (error.code === "TIMEOUT") return new RequestTimedOut(subject, timeoutMs);
  return new BusUnavailable(`the request on \`${subject}\` failed: ${error.message}`, { cause: error });
}

function toOutMessage(message: Msg): OutMessage {
  const { "Nats-Msg-Id": id = "", ...others } = toHeaders(message.headers);
  return { subject: message.subject, id, headers: others, body: message.string() };
}

function toMsgHeaders(given: Headers): MsgHdrs {
  const built = headers();
  for (const name in given) built.set(name, given[name]!);
  return built;
}

/** `undefined`: not what a micro service says. */
function readServiceInfo(text: string): ServiceInstance | undefined {
  try {
    const { name, id, metadata, endpoints } = JSON.parse(text) as ServiceInfo;
    const subjects = (endpoints ?? []).map(({ subject }) => subject);
    return { name, id, metadata: metadata ?? {}, subjects };
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}

function withoutPasswords(urls: string): string {
  return urls.replace(/\/\/[^@,/]*@/g, "//");
}
