import type { Answer, Bus, Carried, Clock, Effect, FunctionQuestion, Json, Question } from "./ports.ts";

type Delivery = Extract<Effect, { kind: "deliver" }>;

/**
 * What a service was asked did not come. `refused`: it never will, as it stands. `failed`: the service tried and could not,
 * it may another time. `away`: nobody was there to try.
 */
export class ServiceCallFailed extends Error {
  override readonly name = "ServiceCallFailed";
  readonly how: "refused" | "failed" | "away";
  /** Of `away`. `no-answer`: none came in time, it may have been done all the same. `not-sent`: the bus is away, nobody was asked. */
  readonly missed: "no-answer" | "not-sent" | undefined;

  constructor(message: string, how: "refused" | "failed" | "away", missed?: "no-answer" | "not-sent") {
    super(message);
    this.how = how;
    this.missed = missed;
  }

  get retryable(): boolean {
    return this.how !== "refused";
  }
}

interface ServiceReply {
  readonly value?: Json;
  readonly ok?: boolean;
  readonly reason?: string;
  readonly error?: string;
  readonly retryable?: boolean;
}

/** What goes to a service, beside who asks. */
interface Request extends Carried {
  readonly key: string;
  readonly body: object;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;

/**
 * Services that serve functions and take events: over HTTP where the settings name a URL, else as request and reply on
 * `assent.svc.SERVICE.FUNCTION`.
 */
export class Services {
  readonly #bus: Bus;
  readonly #urls: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  /** Functions by service, as far as they answered: known from asking, since nobody declares them. */
  readonly #served = new Map<string, Set<string>>();

  constructor(bus: Bus, urls: Readonly<Record<string, string>>, clock: Clock) {
    this.#bus = bus;
    this.#urls = urls;
    this.#clock = clock;
  }

  /** Asks the services that the event's `routes` name, else those of the settings, until one serves the function. */
  async answer(question: FunctionQuestion, carried: Carried = {}): Promise<Answer> {
    const { context, key, name } = question;
    const body = { instance: context.instance, arguments: question.arguments, context };
    try {
      return toAnswer(question, await this.#ask(context.services, name, { ...carried, key, body }));
    } catch (error) {
      return { failed: messageOf(error), retryable: error instanceof ServiceCallFailed && error.retryable };
    }
  }

  /** An action or a saga's step. @throws {ServiceCallFailed} */
  async perform(
    name: string,
    args: readonly Json[],
    context: Question["context"],
    { key, timeoutMs = TIMEOUT_MS, ...carried }: { readonly key: string; readonly timeoutMs?: number } & Carried,
  ): Promise<void> {
    const body = { instance: context.instance, arguments: args, context };
    const reply = await this.#ask(context.services, name, { ...carried, key, body, timeoutMs });
    if (reply.ok === false) throw new ServiceCallFailed(reply.reason ?? `\`${name}\` said no`, "refused");
  }

  /** The first that serves it. One that may serve it later counts more than those that don't. */
  async #ask(services: readonly string[], name: string, request: Request): Promise<ServiceReply> {
    let failed = new ServiceCallFailed(`nobody serves \`${name}\``, "refused");
    for (const service of this.#inOrder(services, name)) {
      try {
        const reply = await this.#call(service, name, request);
        this.#learn(service, name);
        return reply;
      } catch (error) {
        if (!(error instanceof ServiceCallFailed)) throw error;
        if (!failed.retryable) failed = error;
      }
    }
    throw failed;
  }

  /** Those that `routes` name, then those of the settings; one that served the function before is asked before the others. */
  #inOrder(named: readonly string[], name: string): readonly string[] {
    const others = Object.keys(this.#urls).filter((service) => !named.includes(service));
    const known = others.filter((service) => this.#served.get(service)?.has(name));
    return [...named, ...known, ...others.filter((service) => !known.includes(service))];
  }

  /**
   * Hands an event to a target of `routes`, but not to one that was asked for one of the transition's functions.
   * @throws {ServiceCallFailed}
   */
  async deliver(
    { target, event, data, functions, id: key }: Delivery,
    instance: string,
    carried: Carried = {},
  ): Promise<void> {
    if (target.kind === "selector") {
      throw new ServiceCallFailed(`no service carries the labels ${JSON.stringify(target.labels)}`, "refused");
    }
    if (functions.some((name) => this.#served.get(target.name)?.has(name))) return;
    const reply = await this.#call(target.name, "event", { ...carried, key, body: { instance, event, data } });
    if (reply.ok === false) throw new ServiceCallFailed(reply.reason ?? `\`${target.name}\` said no`, "refused");
  }

  #learn(service: string, name: string): void {
    const known = this.#served.get(service) ?? new Set();
    this.#served.set(service, known.add(name));
  }

  /** @throws {ServiceCallFailed} */
  async #call(service: string, name: string, request: Request): Promise<ServiceReply> {
    const url = this.#urls[service];
    const { body, key, tag, timeoutMs = TIMEOUT_MS } = request;
    const deadline = new Date(this.#clock.now() + timeoutMs).toISOString();
    const sent = JSON.stringify({ ...body, idempotencyKey: key, deadline, ...(tag !== undefined && { tag }) });
    const text = await (url ? post(`${url}/${name}`, sent, request) : this.#request(service, name, sent, request));
    const reply = parseReply(service, text);
    if (reply.error !== undefined) throw new ServiceCallFailed(reply.error, reply.retryable ? "failed" : "refused");
    return reply;
  }

  async #request(service: string, name: string, body: string, request: Request): Promise<string> {
    const { key, timeoutMs = TIMEOUT_MS } = request;
    const headers = { "Nats-Msg-Id": key, ...headersOf(request) };
    try {
      return await this.#bus.request(`assent.svc.${service}.${name}`, body, { headers, timeoutMs });
    } catch (error) {
      throw busFailure(error, service);
    }
  }
}

function headersOf({ traceparent, tag }: Carried) {
  return { ...(traceparent !== undefined && { traceparent }), ...(tag !== undefined && { "X-Gray-Tag": tag }) };
}

/** Nobody there, no reply in time, no connection: it may be there later. An error of the service's own says so itself. */
function busFailure(error: unknown, service: string): ServiceCallFailed {
  if (!(error instanceof Error)) return new ServiceCallFailed(String(error), "away");
  switch (error.name) {
    case "NoResponders":
      return new ServiceCallFailed(`no service \`${service}\` is there`, "away");
    case "NotSendable":
      return new ServiceCallFailed(error.message, "refused");
    case "ServiceFailed":
      return new ServiceCallFailed(error.message, saysFinal(error) ? "refused" : "failed");
    case "RequestTimedOut":
      return new ServiceCallFailed(error.message, "away", "no-answer");
    case "BusUnavailable":
      return new ServiceCallFailed(error.message, "away", "not-sent");
    default:
      return new ServiceCallFailed(error.message, "away");
  }
}

/** NATS' micro services answer errors with a code like HTTP's, and perhaps `retryable` in the body. */
function saysFinal(error: Error): boolean {
  const { code = "", body = "" } = error as { readonly code?: string; readonly body?: string };
  try {
    const { retryable } = JSON.parse(body) as ServiceReply;
    if (retryable !== undefined) return !retryable;
  } catch {
    // No JSON: the code alone tells.
  }
  return isFinal(Number(code));
}

/** Too early, too many, or in time: those of the 4xx that pass. */
const PASSING = new Set([408, 425, 429]);
const isFinal = (status: number): boolean => status >= 400 && status < 500 && !PASSING.has(status);
/** Something between us and the service says that it is not there. */
const GATEWAY = new Set([502, 503, 504]);

async function post(url: string, body: string, request: Request): Promise<string> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "Idempotency-Key": request.key, ...headersOf(request) },
      body,
      signal: AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return text;
    const how = isFinal(response.status) ? "refused" : GATEWAY.has(response.status) ? "away" : "failed";
    throw new ServiceCallFailed(`the service answered ${response.status}`, how);
  } catch (error) {
    if (error instanceof ServiceCallFailed) throw error;
    // `fetch failed` alone tells nobody why.
    const { cause } = error as { readonly cause?: unknown };
    const missed = error instanceof Error && error.name === "TimeoutError" ? "no-answer" : undefined;
    throw new ServiceCallFailed(cause instanceof Error ? messageOf(cause) : messageOf(error), "away", missed);
  }
}

function parseReply(service: string, text: string): ServiceReply {
  if (text === "") return {};
  try {
    return JSON.parse(text) as ServiceReply;
  } catch {
    throw new ServiceCallFailed(`the service \`${service}\` answered something that is not JSON`, "refused");
  }
}

function toAnswer({ kind, name }: FunctionQuestion, reply: ServiceReply): Answer {
  if (kind === "people" && Array.isArray(reply.value)) return { people: reply.value.map(String) };
  if (kind === "value" && reply.value !== undefined) return { value: reply.value };
  if (kind === "guard" && typeof reply.value === "boolean") return { ok: reply.value };
  if (reply.ok !== undefined) return { ok: reply.ok, ...(reply.reason !== undefined && { reason: reply.reason }) };
  return { failed: `\`${name}\` answered in a form that a ${kind} does not have`, retryable: false };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
