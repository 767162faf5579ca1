import type { Answer, Bus, Effect, Json, Question } from "./ports.ts";

type Delivery = Extract<Effect, { kind: "deliver" }>;

/** What a service was asked did not come: with `retryable`, it may come later. */
export class ServiceCallFailed extends Error {
  override readonly name = "ServiceCallFailed";
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean) {
    super(message);
    this.retryable = retryable;
  }
}

interface ServiceReply {
  readonly value?: Json;
  readonly ok?: boolean;
  readonly reason?: string;
  readonly error?: string;
  readonly retryable?: boolean;
}

const TIMEOUT_MS = 5_000;

/**
 * Services that serve functions and take events: over HTTP where the settings name a URL, else as request and reply on
 * `assent.svc.SERVICE.FUNCTION`.
 */
export class Services {
  readonly #bus: Bus;
  readonly #urls: Readonly<Record<string, string>>;
  /** Functions by service, as far as they answered: known from asking, since nobody declares them. */
  readonly #served = new Map<string, Set<string>>();

  constructor(bus: Bus, urls: Readonly<Record<string, string>>) {
    this.#bus = bus;
    this.#urls = urls;
  }

  /** Asks the services that the event's `routes` name, one after the other, until one serves the function. */
  async answer(question: Question): Promise<Answer> {
    const request = {
      instance: question.context.instance,
      arguments: question.arguments,
      context: question.context,
      idempotencyKey: question.key,
    };
    try {
      return toAnswer(question, await this.#ask(question.context.services, question.name, request, question.key));
    } catch (error) {
      return { failed: messageOf(error), retryable: error instanceof ServiceCallFailed && error.retryable };
    }
  }

  /** @throws {ServiceCallFailed} */
  async perform(name: string, args: readonly Json[], context: Question["context"], key: string): Promise<void> {
    const request = { instance: context.instance, arguments: args, context, idempotencyKey: key };
    const reply = await this.#ask(context.services, name, request, key);
    if (reply.ok === false) throw new ServiceCallFailed(reply.reason ?? `\`${name}\` said no`, false);
  }

  /** The first that serves it. One that may serve it later counts more than those that don't. */
  async #ask(services: readonly string[], name: string, request: unknown, key: string): Promise<ServiceReply> {
    let failed = new ServiceCallFailed(`nobody serves \`${name}\``, false);
    for (const service of services) {
      try {
        const reply = await this.#call(service, name, request, key);
        this.#learn(service, name);
        return reply;
      } catch (error) {
        if (!(error instanceof ServiceCallFailed)) throw error;
        if (!failed.retryable) failed = error;
      }
    }
    throw failed;
  }

  /**
   * Hands an event to a target of `routes`, but not to one that was asked for one of the transition's functions.
   * @throws {ServiceCallFailed}
   */
  async deliver({ target, event, data, functions, id: key }: Delivery): Promise<void> {
    if (target.kind === "selector") {
      throw new ServiceCallFailed(`no service carries the labels ${JSON.stringify(target.labels)}`, false);
    }
    if (functions.some((name) => this.#served.get(target.name)?.has(name))) return;
    await this.#call(target.name, "event", { event, data, idempotencyKey: key }, key);
  }

  #learn(service: string, name: string): void {
    const known = this.#served.get(service) ?? new Set();
    this.#served.set(service, known.add(name));
  }

  async #call(service: string, name: string, request: unknown, key: string): Promise<ServiceReply> {
    const url = this.#urls[service];
    const text = url ? await post(`${url}/${name}`, request, key) : await this.#request(service, name, request, key);
    const reply = parseReply(service, text);
    if (reply.error !== undefined) throw new ServiceCallFailed(reply.error, reply.retryable ?? false);
    return reply;
  }

  async #request(service: string, name: string, request: unknown, key: string): Promise<string> {
    const headers = { "Nats-Msg-Id": key };
    const subject = `assent.svc.${service}.${name}`;
    try {
      return await this.#bus.request(subject, JSON.stringify(request), { headers, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      const nobody = error instanceof Error && error.name === "NoResponders";
      throw new ServiceCallFailed(nobody ? `no service \`${service}\` is registered` : messageOf(error), !nobody);
    }
  }
}

async function post(url: string, request: unknown, key: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new ServiceCallFailed(messageOf(error), true);
  });
  if (!response.ok) throw new ServiceCallFailed(`the service answered ${response.status}`, response.status >= 500);
  return response.text();
}

function parseReply(service: string, text: string): ServiceReply {
  if (text === "") return {};
  try {
    return JSON.parse(text) as ServiceReply;
  } catch {
    throw new ServiceCallFailed(`the service \`${service}\` answered something that is not JSON`, false);
  }
}

function toAnswer({ kind, name }: Question, reply: ServiceReply): Answer {
  if (kind === "people" && Array.isArray(reply.value)) return { people: reply.value.map(String) };
  if (kind === "value" && reply.value !== undefined) return { value: reply.value };
  if (kind === "guard" && typeof reply.value === "boolean") return { ok: reply.value };
  if (reply.ok !== undefined) return { ok: reply.ok, ...(reply.reason !== undefined && { reason: reply.reason }) };
  return { failed: `\`${name}\` answered in a form that a ${kind} does not have`, retryable: false };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
