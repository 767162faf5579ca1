import type { RegisteredServices } from "../deployment.ts";
import type { Answer, Bus, Carried, Clock, Effect, FunctionQuestion, Json, Question } from "../ports.ts";
import { type CallObserver, Calls } from "./calls.ts";
import { type Endpoint, inOrderOfChoice } from "./choice.ts";
import { KnownServices } from "./known-services.ts";
import { parseReply, type ServiceReply, toAnswer } from "./reply.ts";
import { ServiceCallFailed } from "./service-call-failed.ts";
import { type Group, nobodyWith, Targets } from "./targets.ts";
import { messageOf, send } from "./transport.ts";

type Delivery = Extract<Effect, { kind: "deliver" }>;

export interface ServicePorts {
  readonly bus: Bus;
  readonly clock: Clock;
  /** HTTP services by name. */
  readonly urls: Readonly<Record<string, string>>;
  /** How long a command waits for the answers to its questions. */
  readonly answerTimeoutMs?: number;
  readonly observer?: CallObserver;
}

/** What is asked, whoever is asked. */
interface Request extends Carried {
  readonly function: string;
  readonly key: string;
  /** Id of the instance. */
  readonly instance: string;
  readonly body: object;
  readonly timeoutMs?: number;
}

/** Of one call. */
const TIMEOUT_MS = 5_000;
/** Of all that are made for one question. */
const ANSWER_TIMEOUT_MS = 10_000;
/** What a target of `routes` is asked that takes an event. */
const EVENT = "event";

/**
 * Services that serve functions and take events: over HTTP where the settings name a URL, else as request and reply on
 * `assent.svc.SERVICE.FUNCTION`. One that keeps failing is not asked for a while.
 */
export class Services {
  readonly #ports: ServicePorts;
  readonly #calls: Calls;
  readonly #targets: Targets;
  /** Those on the bus. */
  readonly known: KnownServices;

  constructor(ports: ServicePorts) {
    this.#ports = ports;
    this.#calls = new Calls(ports.clock, ports.observer);
    this.known = new KnownServices(ports.bus, ports.clock);
    this.#targets = new Targets(ports.urls, this.known);
  }

  /** Those of the settings and those on the bus, as far as they are known. */
  registered(): RegisteredServices {
    const onBus = this.known.now();
    const names = new Set([...Object.keys(this.#ports.urls), ...onBus.map(({ name }) => name)]);
    return { names: [...names], labels: onBus.map(({ labels }) => labels) };
  }

  /** Asks one after the other until one answers. Never rejects. */
  async answer(question: FunctionQuestion, carried: Carried = {}): Promise<Answer> {
    const { context, key, name } = question;
    const { instance } = context;
    const body = { instance, arguments: question.arguments, context };
    const { clock, answerTimeoutMs = ANSWER_TIMEOUT_MS } = this.#ports;
    const deadlineAt = Math.min(clock.now() + answerTimeoutMs, carried.deadlineAt ?? Number.POSITIVE_INFINITY);
    try {
      const groups = this.#targets.forFunction(name, context);
      const request = { ...carried, deadlineAt, function: name, key, instance, body };
      const reply = await this.#ask(groups, request, () => true);
      return toAnswer(question, reply);
    } catch (error) {
      const { retryable = false, retryAfterMs } = error instanceof ServiceCallFailed ? error : {};
      return { failed: messageOf(error), retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    }
  }

  /** An action or a saga's step. Once one service may have done it no other is asked. @throws {ServiceCallFailed} */
  async perform(
    name: string,
    args: readonly Json[],
    context: Question["context"],
    call: { readonly key: string; readonly timeoutMs?: number } & Carried,
  ): Promise<void> {
    const { instance } = context;
    const request = { ...call, function: name, instance, body: { instance, arguments: args, context } };
    const reply = await this.#ask(this.#targets.forFunction(name, context), request, isUntouched);
    if (reply.ok === false) throw new ServiceCallFailed(reply.reason ?? `\`${name}\` said no`, "refused");
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
    const groups =
      target.kind === "service"
        ? this.#targets.named(target.name, EVENT)
        : await this.#targets.labelled(target.labels, EVENT);
    if (target.kind === "selector" && groups.length === 0) throw nobodyWith(target.labels, EVENT);
    if (groups.flat().some(({ service }) => this.#targets.serves(service, functions))) return;
    const request = { ...carried, function: EVENT, key, instance, body: { instance, event, data } };
    const reply = await this.#ask(groups, request, isUntouched);
    if (reply.ok === false) throw new ServiceCallFailed(reply.reason ?? "the service said no", "refused");
  }

  /**
   * The first that answers.
   * @param goesOn after a call that failed so, somebody else may be asked.
   * @throws {ServiceCallFailed} of those that failed, one that may answer later counts more.
   */
  async #ask(
    groups: AsyncIterable<Group> | Iterable<Group>,
    request: Request,
    goesOn: (failure: ServiceCallFailed) => boolean,
  ): Promise<ServiceReply> {
    let failed = new ServiceCallFailed(`nobody serves \`${request.function}\``, "refused");
    for await (const group of groups) {
      for (const endpoint of this.#inOrder(group, request.instance)) {
        try {
          const reply = await this.#calls.make(endpoint, () => this.#call(endpoint, request));
          this.#targets.learn(endpoint.service, request.function);
          return reply;
        } catch (error) {
          if (!(error instanceof ServiceCallFailed) || !goesOn(error)) throw error;
          if (!failed.retryable) failed = error;
        }
      }
    }
    throw failed;
  }

  /** Those that are not asked now come last: their failure says when they will be. */
  #inOrder(group: Group, instance: string): readonly Endpoint[] {
    if (group.length < 2) return group;
    const chosen = inOrderOfChoice(group, instance, this.#calls.loadOf);
    return [
      ...chosen.filter((endpoint) => !this.#calls.isOpen(endpoint)),
      ...chosen.filter((endpoint) => this.#calls.isOpen(endpoint)),
    ];
  }

  /** @throws {ServiceCallFailed} also when it is too late for a call. */
  async #call(endpoint: Endpoint, request: Request): Promise<ServiceReply> {
    const now = this.#ports.clock.now();
    const { body, function: name, key, tag, traceparent, timeoutMs: longestMs = TIMEOUT_MS } = request;
    const deadlineAt = Math.min(now + longestMs, request.deadlineAt ?? Number.POSITIVE_INFINITY);
    const timeoutMs = deadlineAt - now;
    if (timeoutMs <= 0) {
      const message = `the deadline passed before \`${endpoint.service}\` was asked for \`${name}\``;
      throw new ServiceCallFailed(message, "away", { missed: "not-sent" });
    }
    const deadline = new Date(deadlineAt).toISOString();
    const sent = JSON.stringify({ ...body, idempotencyKey: key, deadline, ...(tag !== undefined && { tag }) });
    const carried = { ...(traceparent !== undefined && { traceparent }), ...(tag !== undefined && { tag }) };
    const text = await send(endpoint, { ...carried, function: name, key, body: sent, timeoutMs }, this.#ports);
    return parseReply(endpoint.service, text);
  }
}

const isUntouched = (failure: ServiceCallFailed): boolean => failure.isUntouched;
