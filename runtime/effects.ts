import type { Effect, Instance, Json, OutEvent } from "../engine/index.ts";
import { instanceId } from "../engine/index.ts";
import type { PreparedTemplate, Rendering, TemplateData } from "../templates/index.ts";
import { OutEvents } from "./bus/out-events.ts";
import { signalled } from "./clock.ts";
import { EffectFailures } from "./effect-failures.ts";
import { EffectOrder } from "./effect-order.ts";
import { EffectReports } from "./effect-reports.ts";
import type { Work, WorkResult } from "./outbox.ts";
import type { Bus, Carried, Clock, DocumentStore, Functions, OutMessage, RawEffect, Store } from "./ports.ts";
import { ServiceCallFailed } from "./services/service-call-failed.ts";
import type { Services } from "./services/services.ts";
import { StepPerformer } from "./step-performer.ts";
import { STUCK_ATTEMPTS } from "./stores/limits.ts";
import type { Envelope, Reply } from "./turn.ts";

export interface EffectPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  /** For jitter, from 0 to less than 1; absent: the system's. */
  readonly random?: () => number;
  readonly store: Pick<Store, "effectsOfDecision">;
  readonly functions: Functions;
  readonly services: Pick<Services, "perform" | "deliver">;
  readonly documents: DocumentStore;
  /** Tells people of a tenant by another way than the bus; `undefined` where there is none. */
  messenger?(tenant: string): Messenger | undefined;
  /** The template that lies beside the flow. */
  template(name: string, flow: string): PreparedTemplate | undefined;
  render(template: PreparedTemplate, data: TemplateData): Promise<Rendering>;
  submit(envelope: Envelope): Promise<Reply>;
  /** As it is now, or at an earlier version. */
  instanceOf(work: Work, version?: number): Promise<Instance | undefined>;
  ingest(effect: RawEffect, work: Work): Promise<WorkResult>;
  /** Somebody should look at it. */
  alert(fields: object, message: string): void;
}

/** @throws {ServiceCallFailed} */
export type Messenger = (effect: EffectOf<"notify">, about: Pick<Instance, "flow" | "key">) => Promise<void>;

const ACTION_TIMEOUT_MS = 30_000;

const DONE: WorkResult = { kind: "done" };

type About = NonNullable<Work["about"]>;

type EffectOf<Kind extends Effect["kind"]> = Extract<Effect, { kind: Kind }>;

/** Carries out effects. All events of a batch go to the bus in one publish; the rest goes side by side. */
export class EffectPerformer {
  readonly #ports: EffectPorts;
  readonly #events = new OutEvents();
  readonly #order: EffectOrder;
  readonly #failures: EffectFailures;
  readonly #reports: EffectReports;
  readonly #steps: StepPerformer;

  constructor(ports: EffectPorts) {
    this.#ports = ports;
    this.#order = new EffectOrder(ports.store, ports.clock);
    this.#failures = new EffectFailures(ports.bus, ports.random);
    this.#reports = new EffectReports((envelope) => ports.submit(envelope));
    this.#steps = new StepPerformer({
      ...{ clock: ports.clock, functions: ports.functions, services: ports.services },
      ...{ reports: this.#reports, failures: this.#failures },
      instanceOf: (work) => ports.instanceOf(work),
      carried: (work) => this.#carried(work),
    });
  }

  /** @param settled is told of each as soon as it is over. @returns all, in the same order. */
  async perform(
    batch: readonly Work[],
    settled: (work: Work, result: WorkResult) => void = () => {},
  ): Promise<readonly WorkResult[]> {
    const results = new Map<Work, WorkResult>();
    const over = (work: Work, result: WorkResult): void => {
      results.set(work, result);
      this.#watch(work, result);
      settled(work, result);
    };
    const published = this.#publish(batch.filter(leavesAtOnce));
    const first = published.then((leftAtOnce) => {
      for (const [work, result] of leftAtOnce) over(work, result);
    });
    const later = batch.filter((work) => !leavesAtOnce(work));
    await Promise.all([first, ...later.map(async (work) => over(work, await this.#inTurn(work, published)))]);
    return batch.map((work) => results.get(work)!);
  }

  #inTurn(work: Work, published: Promise<unknown>): Promise<WorkResult> {
    if (work.effect.kind === "ingest") return this.#one(work);
    return this.#order.run(work, published, async () =>
      isPublished(work.effect) ? (await this.#publish([work])).get(work)! : this.#one(work),
    );
  }

  /** One that failed often and is still tried is told of once. */
  #watch(work: Work, result: WorkResult): void {
    if (result.kind === "done") this.#failures.forget(work);
    if (result.kind !== "retry" || work.attempts + 1 !== STUCK_ATTEMPTS || work.effect.kind === "ingest") return;
    this.#ports.alert(alertOf(work, result.error), "an effect is stuck");
    this.#tellStuck(work, "stuck", result.error).catch(() => {
      // The bus may be what it is stuck on; the log and the list of effects tell it as well.
    });
  }

  /** Events leave together and are tried again together; the bus drops those that it has. */
  async #publish(batch: readonly Work[]): Promise<ReadonlyMap<Work, WorkResult>> {
    const results = new Map<Work, WorkResult>(batch.map((work) => [work, DONE]));
    const recalled = await this.#recall(batch, results);
    const messages = batch.map((work) => {
      const about = work.about ?? recalled.get(work);
      return about ? this.#messages(work, about) : [];
    });
    try {
      if (messages.length > 0) await this.#ports.bus.publish(messages.flat());
    } catch (error) {
      await this.#publishSingly(batch, messages, error, results);
    }
    for (const work of batch) {
      if (work.effect.kind === "notify" && results.get(work) === DONE) results.set(work, await this.#one(work));
      this.#order.note(work, results.get(work)!);
    }
    return results;
  }

  /** One message that can't be sent must not keep those beside it. */
  async #publishSingly(
    batch: readonly Work[],
    messages: readonly (readonly OutMessage[])[],
    error: unknown,
    results: Map<Work, WorkResult>,
  ): Promise<void> {
    const { bus } = this.#ports;
    const judged = (work: Work, failure: unknown) => {
      const unsendable = failure instanceof Error && failure.name === "NotSendable";
      results.set(
        work,
        unsendable ? { kind: "dead", error: failure.message } : this.#failures.untilItWorks(work, failure),
      );
    };
    const [only] = batch;
    if (!bus.connected) for (const work of batch) judged(work, error);
    else if (batch.length === 1) judged(only!, error);
    else {
      const each = batch.map((work, index) =>
        bus.publish(messages[index]!).catch((failure: unknown) => judged(work, failure)),
      );
      await Promise.all(each);
    }
  }

  /** What messages carry of the instances whose effects were read from the store; into `results` where it can't be told. */
  async #recall(batch: readonly Work[], results: Map<Work, WorkResult>): Promise<ReadonlyMap<Work, About>> {
    const recalled = new Map<Work, About>();
    const look = async (work: Work): Promise<void> => {
      try {
        recalled.set(work, await this.#aboutThen(work));
      } catch (error) {
        results.set(work, this.#failures.untilItWorks(work, error));
      }
    };
    await Promise.all(batch.filter(({ about }) => about === undefined).map(look));
    return recalled;
  }

  /** Only what somebody will see: a bus that keeps nothing needs no message that nobody listens to. */
  #messages(work: Work, about: About): OutMessage[] {
    const { effect } = work;
    if (effect.kind === "publish") return this.#written(work, about, effect.events);
    if (effect.kind !== "notify") return [];
    const { id, to, copy } = effect;
    const data = { to, copy, about: effect.about as unknown as Json, instance: work.instance };
    return this.#written(work, about, [{ id, event: "person.notified", data }]);
  }

  #written(work: Work, about: About, events: readonly OutEvent[]): OutMessage[] {
    const { tenant, instance } = work;
    const { tag, updatedAt: at } = about;
    const carried = carriedBy(work, tag);
    const messages: OutMessage[] = [];
    for (const { id, event, data, flow = about.flow } of events) {
      const message = this.#events.message({ tenant, flow, instance, id, event, data, at, carried }, this.#ports.bus);
      if (message) messages.push(message);
    }
    return messages;
  }

  /** The instance as it was after the decision, so that an event says the same however late it leaves. */
  async #aboutThen(work: Work): Promise<About> {
    const now = await this.#ports.instanceOf(work);
    if (!now) return { flow: "unknown", updatedAt: this.#ports.clock.now() };
    const version = versionOf(work.effect.id);
    return now.version === version ? now : ((await this.#ports.instanceOf(work, version)) ?? now);
  }

  async #one(work: Work): Promise<WorkResult> {
    try {
      return await this.#carryOut(work);
    } catch (error) {
      return this.#failures.judge(work, error);
    }
  }

  async #carryOut(work: Work): Promise<WorkResult> {
    const { effect } = work;
    switch (effect.kind) {
      case "render":
        return this.#render(work, effect);
      case "call":
        await this.#call(work, effect);
        return DONE;
      case "deliver":
        await this.#ports.services.deliver(effect, work.instance, await this.#carried(work));
        return DONE;
      case "notify":
        await this.#notify(work, effect);
        return DONE;
      case "start":
        return this.#start(work, effect);
      case "step":
        return this.#steps.perform(work, effect);
      case "ingest":
        return this.#ports.ingest(effect, work);
      default:
        return DONE;
    }
  }

  /** The bus knows already. */
  async #notify(work: Work, effect: EffectOf<"notify">): Promise<void> {
    const send = this.#ports.messenger?.(work.tenant);
    const about = send && (await this.#ports.instanceOf(work));
    if (send && about) await send(effect, about);
  }

  /** The document, else its fallback; then the history is told which, with the file's hash. */
  async #render(work: Work, effect: EffectOf<"render">): Promise<WorkResult> {
    const instance = await this.#ports.instanceOf(work);
    // Told, and not settled before a crash. A template that changed since must not make another document of it.
    if (instance && this.#reports.isTold(instance, effect, "rendered")) return DONE;
    const flow = effect.flow ?? instance?.flow ?? "";
    const first = await this.#try(effect.template, flow, effect.data);
    const useFallback = first.kind === "failed" && effect.fallback !== undefined;
    const rendering = useFallback ? await this.#try(effect.fallback!, flow, effect.data) : first;
    if (rendering.kind === "failed") throw new Error(rendering.message);
    await this.#ports.documents.put(work.tenant, work.instance, effect.document, rendering.bytes);
    await this.#reports.tell(work, {
      kind: "rendered",
      document: effect.document,
      template: useFallback ? effect.fallback! : effect.template,
      templateHash: rendering.templateHash,
      sha256: rendering.sha256,
      bytes: rendering.bytes.length,
      ...(first.kind === "failed" && { fallbackBecause: first.message }),
    });
    return DONE;
  }

  /** With the template as it was then: another may be deployed meanwhile. */
  async #try(name: string, flow: string, data: TemplateData): Promise<Rendering & { readonly templateHash: string }> {
    const template = this.#ports.template(name, flow);
    const templateHash = template?.hash ?? "";
    if (template) return { ...(await this.#ports.render(template, data)), templateHash };
    return { kind: "failed", code: "render-failed", message: `there is no template \`${name}\``, templateHash };
  }

  async #call(work: Work, effect: EffectOf<"call">): Promise<void> {
    const { function: name, arguments: args, context, id } = effect;
    const { functions, clock } = this.#ports;
    if (functions.has(name, context.flow))
      await signalled(clock, ACTION_TIMEOUT_MS, (signal) =>
        functions.perform(name, args, { key: id, context, signal }),
      );
    else await this.#ports.services.perform(name, args, context, { key: id, ...(await this.#carried(work)) });
  }

  async #carried(work: Work): Promise<Carried> {
    return carriedBy(work, (work.about ?? (await this.#ports.instanceOf(work)))?.tag);
  }

  async #start(work: Work, effect: EffectOf<"start">): Promise<WorkResult> {
    const { tenant } = work;
    const { flow, key, initiator, data, id } = effect;
    const instance = instanceId(tenant, flow, key);
    const { tag, ...carried } = await this.#carried(work);
    const about = { tenant, instance, key, initiator, data, ...(tag !== undefined && { tag }) };
    const command = { kind: "start" as const, id, source: "assent/start", ...about };
    const reply = await this.#ports.submit({ tenant, instance, flow, command, ...carried });
    if (reply.kind === "refused") {
      const { code, message, retryable } = reply.refusal;
      // A tenant at its quota may have room later.
      throw new ServiceCallFailed(message, retryable || code === "too-often" ? "failed" : "refused");
    }
    if (reply.kind === "not-found") return { kind: "dead", error: `there is no flow \`${flow}\`` };
    return DONE;
  }

  /** An effect was given up: the history says so, an event goes out, somebody should look. */
  async dead(work: Work, reason: string): Promise<void> {
    this.#ports.alert(alertOf(work, reason), "an effect was given up");
    if (work.effect.kind === "ingest") return;
    if (work.effect.kind === "step") await this.#steps.discard(work, reason);
    else await this.#reports.tell(work, { kind: "failed", what: describe(work.effect), reason });
    await this.#tellStuck(work, "dead", reason);
  }

  async #tellStuck(work: Work, state: "stuck" | "dead", reason: string): Promise<void> {
    const { instance, effect } = work;
    if (effect.kind === "ingest") return;
    const data = { effect: effect.id, kind: effect.kind, what: describe(effect), instance, state, reason };
    const about = work.about ?? (await this.#aboutThen(work));
    const messages = this.#written(work, about, [{ id: `${effect.id}:${state}`, event: "effect.stuck", data }]);
    if (messages.length > 0) await this.#ports.bus.publish(messages);
  }
}

/** @param ofInstance its tag, unless the effect has one of its own. */
function carriedBy({ effect }: Work, ofInstance: string | undefined): Carried {
  const { traceparent, tag = ofInstance } = effect.kind === "ingest" ? {} : effect;
  return { ...(traceparent !== undefined && { traceparent }), ...(tag !== undefined && { tag }) };
}

/** The trace id is the second part of a W3C `traceparent`. */
function alertOf(work: Work, reason: string): object {
  const { tenant, instance, effect, attempts } = work;
  const what = effect.kind === "ingest" ? "raw event" : describe(effect);
  const traceId = carriedBy(work, undefined).traceparent?.split("-")[1];
  return { tenant, instance, effect: effect.id, what, reason, attempts: attempts + 1, ...(traceId && { traceId }) };
}

/** Ids are `INSTANCE:VERSION:INDEX`. */
const versionOf = (id: string): number => Number(id.split(":").at(-2));

/** Nothing stands before the first effect of a decision, and to tell people by another way than the bus may take long. */
const leavesAtOnce = ({ effect }: Work): boolean => effect.kind === "publish" && effect.id.endsWith(":0");

const isPublished = (effect: Effect | RawEffect): boolean => effect.kind === "publish" || effect.kind === "notify";

function describe(effect: Effect): string {
  switch (effect.kind) {
    case "render":
      return `document ${effect.document}`;
    case "call":
      return `action ${effect.function}`;
    case "deliver":
      return `event ${effect.event} to ${effect.target.kind === "service" ? effect.target.name : "a service"}`;
    case "start":
      return `start of ${effect.flow}`;
    case "step":
      return `${effect.undo ? "undo" : "step"} ${effect.function} of ${effect.saga}`;
    default:
      return effect.kind;
  }
}
