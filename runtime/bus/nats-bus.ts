import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  AckPolicy,
  type ConnectionOptions,
  type ConsumerConfig,
  type ConsumerInfo,
  type ConsumerMessages,
  connect,
  createInbox,
  credsAuthenticator,
  DeliverPolicy,
  headers,
  type JetStreamManager,
  type JsMsg,
  type Msg,
  type MsgHdrs,
  MsgHdrsImpl,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type TlsOptions,
} from "nats";
import type { Bus, BusMessage, Headers, OutMessage } from "../ports.ts";
import { BusUnavailable, NoResponders, NotSendable, RequestTimedOut, ServiceFailed } from "./bus-errors.ts";
import { type Confirmation, ConfirmedPublisher } from "./confirmed-publisher.ts";
import type { Service } from "./in-process-bus.ts";
import { type Delivery, Intake } from "./intake.ts";
import { isPublishable } from "./subjects.ts";

/** A server older than this lacks what is relied on here. */
const SERVER_MINIMUM = { major: 2, minor: 10 };
const CONNECT_TIMEOUT_MS = 10_000;
const RECONNECT_WAIT_MS = 200;
const DUPLICATE_WINDOW_MS = 120_000;
/** Events out are kept for so long for whoever reads them later; the journal has them for ever. */
const OUT_KEPT_MS = 30 * 24 * 3_600_000;
const CONSUMER = "assent";
/** What is held longer is announced as being worked on, three times in this time. */
const ACK_WAIT_MS = 30_000;
const UNSETTLED_MAX = 2_048;
const PULL_MAX = 1_024;
const TICK_MS = 250;
const SESSION_RETRY_MS = 500;
const DRAIN_TIMEOUT_MS = 5_000;

/** A work queue: a message stays until it is acked, so that the stream itself knows where consuming stopped. */
const STREAM_IN: Partial<StreamConfig> & { name: string } = {
  name: "ASSENT_IN",
  subjects: ["assent.in.>"],
  retention: RetentionPolicy.Workqueue,
  storage: StorageType.File,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
};
const STREAM_OUT: Partial<StreamConfig> & { name: string } = {
  name: "ASSENT_OUT",
  subjects: ["assent.out.>"],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_age: nanos(OUT_KEPT_MS),
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
};

export interface NatsBusOptions {
  /** `nats://[USER:PASSWORD@]HOST[:PORT]` or `tls://…`, comma separated: servers of one cluster. */
  readonly urls: string;
  /** Path of a `.creds` file; read again for every connection. */
  readonly credsFile?: string;
  /** Paths, for servers whose certificate has an authority of its own or that ask for ours. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
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
    await makeStreams(manager);
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

/** The bus on NATS JetStream. The only file that knows the package `nats`. */
export class NatsBus implements Bus {
  readonly kind = "nats";
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #unsettledMax: number;
  readonly #onProblem: (error: unknown) => void;
  readonly #publisher: ConfirmedPublisher;
  readonly #timers: readonly NodeJS.Timeout[];
  #connected = true;
  #intake: Intake<JetStreamDelivery> | undefined;
  #consuming = false;
  #pull: ConsumerMessages | undefined;
  /** Grows with each start of pulling; whoever belongs to an older one stops. */
  #session = 0;

  constructor(connection: NatsConnection, manager: JetStreamManager, options: NatsBusOptions) {
    this.#connection = connection;
    this.#manager = manager;
    this.#unsettledMax = options.unsettledMax ?? UNSETTLED_MAX;
    this.#onProblem = options.onProblem ?? (() => {});
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

  async consume(handler: (messages: readonly BusMessage[]) => Promise<void>): Promise<void> {
    this.#checkOpen();
    this.#intake?.stop();
    this.#intake = new Intake({ handler, onProblem: this.#onProblem });
    this.#consuming = true;
    await this.#startSession("take-over");
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

  /** Serves a subject, shared with other nodes that serve it. Returns the function that ends it. */
  async serve(subject: string, service: Service): Promise<() => void> {
    this.#checkOpen();
    const subscription = this.#connection.subscribe(subject, {
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
      if (code) throw new ServiceFailed(code, reply.headers!.get("Nats-Service-Error"), reply.string());
      return reply.string();
    } catch (error) {
      throw requestError(error, subject, options.timeoutMs);
    }
  }

  stop(): Promise<void> {
    this.#consuming = false;
    this.#session++;
    this.#pull?.stop();
    this.#intake?.stop();
    this.#intake?.forget();
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
    if (this.#consuming) void this.#startSession("take-over");
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

  async #answer(request: Msg, service: Service): Promise<void> {
    try {
      request.respond(await service(request.string(), toHeaders(request.headers)));
    } catch (error) {
      const failure = toMsgHeaders({
        "Nats-Service-Error-Code": "500",
        "Nats-Service-Error": oneLine(messageOf(error)),
      });
      if (!this.#connection.isClosed()) request.respond("", { headers: failure });
    }
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Consuming
  // -------------------------------------------------------------------------------------------------------------- //

  /**
   * Pulls until it is stopped or a newer session starts.
   *
   * Taking over, at the start and after every break of the connection, begins with the oldest message that is not acked:
   * what was on its way to a dead process or connection would else come only after the ack wait, behind later messages of
   * the same subject. Those that come a second time are known by their position here, else by their command's id.
   */
  async #startSession(how: "take-over" | "join"): Promise<void> {
    const session = ++this.#session;
    this.#pull?.stop();
    this.#intake?.forget();
    while (session === this.#session && !this.#connection.isClosed()) {
      try {
        await makeStreams(this.#manager);
        await makeConsumer(this.#manager, how, this.#unsettledMax);
        if (session === this.#session) await this.#startPull(session);
        return;
      } catch (error) {
        this.#onProblem(error);
        await delay(SESSION_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  async #startPull(session: number): Promise<void> {
    const consumer = await this.#connection.jetstream().consumers.get(STREAM_IN.name, CONSUMER);
    const pull = await consumer.consume({
      max_messages: Math.min(PULL_MAX, this.#unsettledMax),
      expires: ACK_WAIT_MS,
      idle_heartbeat: 5_000,
      callback: (message) => {
        if (session === this.#session) this.#intake?.offer(new JetStreamDelivery(message));
      },
    });
    if (session !== this.#session) return pull.stop();
    this.#pull = pull;
    void this.#watchPull(pull, session);
  }

  /** A consumer that somebody deleted is made again. Not taken over: two nodes would take it from each other for ever. */
  async #watchPull(pull: ConsumerMessages, session: number): Promise<void> {
    const gone = new Set(["consumer_deleted", "consumer_not_found", "stream_not_found"]);
    for await (const { type } of await pull.status()) {
      if (session !== this.#session) return;
      if (!gone.has(type)) continue;
      this.#onProblem(new Error(`NATS: ${type.replaceAll("_", " ")}`));
      await delay(SESSION_RETRY_MS, undefined, { ref: false });
      if (session === this.#session) void this.#startSession("join");
      return;
    }
  }

  #announceWork(): void {
    if (!this.connected || this.#intake === undefined) return;
    for (const delivery of this.#intake.unsettled()) delivery.working();
  }
}

class JetStreamDelivery implements Delivery {
  readonly position: number;
  readonly #message: JsMsg;
  #headers: Headers | undefined;

  constructor(message: JsMsg) {
    this.#message = message;
    this.position = message.seq;
  }

  get subject(): string {
    return this.#message.subject;
  }
  get body(): Uint8Array {
    return this.#message.data;
  }
  get headers(): Headers {
    this.#headers ??= toHeaders(this.#message.headers);
    return this.#headers;
  }
  get deliveries(): number {
    return this.#message.info.deliveryCount;
  }

  /** An ack that gets lost, as on a closed connection, means that the message comes again. */
  ack(): void {
    try {
      this.#message.ack();
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
    }
  }
  working(): void {
    this.#message.working();
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

async function makeStreams(manager: JetStreamManager): Promise<void> {
  for (const stream of [STREAM_IN, STREAM_OUT]) {
    const existing = await orMissing(manager.streams.info(stream.name));
    if (existing === undefined) await manager.streams.add(stream);
  }
}

async function makeConsumer(manager: JetStreamManager, how: "take-over" | "join", unsettledMax: number): Promise<void> {
  const existing = await orMissing(manager.consumers.info(STREAM_IN.name, CONSUMER));
  if (existing !== undefined && (how === "join" || existing.num_ack_pending === 0)) return;
  if (existing !== undefined) await orMissing(manager.consumers.delete(STREAM_IN.name, CONSUMER));
  await manager.consumers.add(STREAM_IN.name, {
    durable_name: CONSUMER,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: unsettledMax,
    ...(await startingPoint(manager, existing)),
  });
}

/** On a work queue all that is there is unacked. A stream that an operator made to keep messages has to be told where. */
async function startingPoint(
  manager: JetStreamManager,
  existing: ConsumerInfo | undefined,
): Promise<Partial<ConsumerConfig>> {
  const { config } = await manager.streams.info(STREAM_IN.name);
  if (existing === undefined || config.retention === RetentionPolicy.Workqueue)
    return { deliver_policy: DeliverPolicy.All };
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: existing.ack_floor.stream_seq + 1 };
}

async function orMissing<Found>(asked: Promise<Found>): Promise<Found | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw error;
  }
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

function toHeaders(received: MsgHdrs | undefined): Headers {
  const built: Record<string, string> = {};
  if (received !== undefined) for (const [name, values] of received) built[name] = values[0] ?? "";
  return built;
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
