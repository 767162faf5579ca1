import type { Effect, Instance, Json } from "../engine/index.ts";
import { instanceId } from "../engine/index.ts";
import type { PreparedTemplate, Rendering, TemplateData } from "../templates/index.ts";
import { outSubject } from "./bus/subjects.ts";
import type { Work, WorkResult } from "./outbox.ts";
import {
  type Bus,
  type Clock,
  type DocumentStore,
  type Functions,
  type OutMessage,
  type RawEffect,
  StoreUnavailable,
} from "./ports.ts";
import { ServiceCallFailed, type Services } from "./services.ts";
import { type Envelope, Overloaded, type Reply } from "./turn.ts";

export interface EffectPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly functions: Functions;
  readonly services: Services;
  readonly documents: DocumentStore;
  /** The template that lies beside the flow. */
  template(name: string, flow: string): PreparedTemplate | undefined;
  render(template: PreparedTemplate, data: TemplateData): Promise<Rendering>;
  submit(envelope: Envelope): Promise<Reply>;
  instanceOf(work: Work): Promise<Instance | undefined>;
  ingest(effect: RawEffect, work: Work): Promise<WorkResult>;
}

/** Tries of an action or a delivery before it is given up. */
export const ATTEMPTS_MAX = 5;
const ACTION_TIMEOUT_MS = 30_000;

const DONE: WorkResult = { kind: "done" };

type EffectOf<Kind extends Effect["kind"]> = Extract<Effect, { kind: Kind }>;

/** Carries out effects. All events of a batch go to the bus in one publish; the rest goes side by side. */
export class EffectPerformer {
  readonly #ports: EffectPorts;
  /** The newest effect of each decision that is being carried out. */
  readonly #underWay = new Map<string, Promise<WorkResult>>();

  constructor(ports: EffectPorts) {
    this.#ports = ports;
  }

  async perform(batch: readonly Work[]): Promise<readonly WorkResult[]> {
    const published = this.#publish(batch.filter(leavesAtOnce));
    return Promise.all(
      batch.map(async (work) => (leavesAtOnce(work) ? (await published).get(work)! : this.#inTurn(work, published))),
    );
  }

  /** Actions of one decision run in order: each begins when the try of the one before has ended. */
  #inTurn(work: Work, published: Promise<unknown>): Promise<WorkResult> {
    const decision = decisionOf(work.effect);
    const before = this.#underWay.get(decision) ?? published;
    const mine = (async () => {
      await before;
      return isPublished(work.effect) ? (await this.#publish([work])).get(work)! : this.#one(work);
    })();
    this.#underWay.set(decision, mine);
    return mine.finally(() => {
      if (this.#underWay.get(decision) === mine) this.#underWay.delete(decision);
    });
  }

  /** Events leave together and are tried again together; the bus drops those that it has. */
  async #publish(batch: readonly Work[]): Promise<ReadonlyMap<Work, WorkResult>> {
    const results = new Map<Work, WorkResult>(batch.map((work) => [work, DONE]));
    const messages = await Promise.all(
      batch.map((work) =>
        this.#messages(work).catch((error: unknown) => {
          results.set(work, again(error));
          return [];
        }),
      ),
    );
    try {
      if (messages.length > 0) await this.#ports.bus.publish(messages.flat());
    } catch (error) {
      for (const work of batch) results.set(work, again(error));
    }
    return results;
  }

  /** Only what somebody will see: a bus that keeps nothing needs no message that nobody listens to. */
  async #messages(work: Work): Promise<OutMessage[]> {
    const { effect, tenant, instance } = work;
    const about = work.about ?? (await this.#ports.instanceOf(work)) ?? { flow: "unknown" };
    const out = { tenant, instance, flow: about.flow, tag: about.tag };
    if (effect.kind === "publish") return effect.events.flatMap((event) => this.#message({ ...out, ...event }));
    if (effect.kind !== "notify") return [];
    const { id, to, copy } = effect;
    const data = { to, copy, about: effect.about as unknown as Json, instance };
    return this.#message({ ...out, id, event: "person.notified", data });
  }

  #message({ tenant, instance, flow, tag, id, event, data }: Out): OutMessage[] {
    const subject = outSubject({ tenant, flow, event });
    if (!this.#ports.bus.wants(subject)) return [];
    const source = `assent/${tenant}/${flow}`;
    const headers = { "content-type": "application/cloudevents+json", ...(tag !== undefined && { "X-Gray-Tag": tag }) };
    const body = cloudEvent({ id, source, type: event, subject: instance, data, at: this.#ports.clock.now() });
    return [{ subject, id, headers, body }];
  }

  async #one(work: Work): Promise<WorkResult> {
    try {
      return await this.#carryOut(work);
    } catch (error) {
      // The node has no room or the store is away: that says nothing of the effect.
      if (error instanceof Overloaded || error instanceof StoreUnavailable) return again(error);
      const hopeless = error instanceof ServiceCallFailed && !error.retryable;
      if (hopeless || work.attempts + 1 >= ATTEMPTS_MAX) return { kind: "dead", error: messageOf(error) };
      return { kind: "retry", error: messageOf(error) };
    }
  }

  async #carryOut(work: Work): Promise<WorkResult> {
    const { effect } = work;
    switch (effect.kind) {
      case "render":
        return this.#render(work, effect);
      case "call":
        await this.#call(effect);
        return DONE;
      case "deliver":
        await this.#ports.services.deliver(effect);
        return DONE;
      case "start":
        return this.#start(work, effect);
      case "ingest":
        return this.#ports.ingest(effect, work);
      default:
        return DONE;
    }
  }

  /** The document, else its fallback; then the history is told which, with the file's hash. */
  async #render(work: Work, effect: EffectOf<"render">): Promise<WorkResult> {
    const flow = (await this.#ports.instanceOf(work))?.flow ?? "";
    const first = await this.#try(effect.template, flow, effect.data);
    const useFallback = first.kind === "failed" && effect.fallback !== undefined;
    const rendering = useFallback ? await this.#try(effect.fallback!, flow, effect.data) : first;
    if (rendering.kind === "failed") throw new Error(rendering.message);
    const template = useFallback ? effect.fallback! : effect.template;
    await this.#ports.documents.put(work.tenant, work.instance, effect.document, rendering.bytes);
    await this.#report(work, {
      kind: "rendered",
      document: effect.document,
      template,
      templateHash: this.#ports.template(template, flow)?.hash ?? "",
      sha256: rendering.sha256,
      bytes: rendering.bytes.length,
      ...(first.kind === "failed" && { fallbackBecause: first.message }),
    });
    return DONE;
  }

  async #try(name: string, flow: string, data: TemplateData): Promise<Rendering> {
    const template = this.#ports.template(name, flow);
    if (!template) return { kind: "failed", code: "render-failed", message: `there is no template \`${name}\`` };
    return this.#ports.render(template, data);
  }

  async #call(effect: EffectOf<"call">): Promise<void> {
    const { function: name, arguments: args, context, id } = effect;
    const signal = AbortSignal.timeout(ACTION_TIMEOUT_MS);
    if (this.#ports.functions.has(name, context.flow))
      await this.#ports.functions.perform(name, args, { key: id, context, signal });
    else await this.#ports.services.perform(name, args, context, id);
  }

  async #start({ tenant }: Work, effect: EffectOf<"start">): Promise<WorkResult> {
    const { flow, key, initiator, data, id } = effect;
    const instance = instanceId(tenant, flow, key);
    const command = { kind: "start" as const, id, source: "assent/start", tenant, instance, key, initiator, data };
    const reply = await this.#ports.submit({ tenant, instance, flow, command });
    if (reply.kind === "refused") throw new ServiceCallFailed(reply.refusal.message, reply.refusal.retryable === true);
    if (reply.kind === "not-found") return { kind: "dead", error: `there is no flow \`${flow}\`` };
    return DONE;
  }

  /** An effect was given up: the history says so. */
  async dead(work: Work, reason: string): Promise<void> {
    if (work.effect.kind === "ingest") return;
    await this.#report(work, { kind: "failed", what: describe(work.effect), reason });
  }

  async #report(work: Work, report: Extract<Envelope["command"], { kind: "report" }>["report"]): Promise<void> {
    const { id: effect } = work.effect;
    const command = {
      kind: "report" as const,
      id: `report:${effect}:${report.kind}`,
      source: "assent/effects",
      effect,
      report,
    };
    const reply = await this.#ports.submit({ tenant: work.tenant, instance: work.instance, command });
    if (reply.kind === "refused") throw new Error(`the history did not take the report: ${reply.refusal.message}`);
  }
}

const again = (error: unknown): WorkResult => ({ kind: "retry", error: messageOf(error), afterMs: 1_000 });

/** Effects of one decision share their id up to the last colon. */
const decisionOf = ({ id }: Effect | RawEffect): string => id.slice(0, id.lastIndexOf(":"));

/** Nothing stands before the first effect of a decision. */
const leavesAtOnce = ({ effect }: Work): boolean => isPublished(effect) && effect.id.endsWith(":0");

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
    default:
      return effect.kind;
  }
}

interface Out {
  readonly tenant: string;
  readonly instance: string;
  readonly flow: string;
  readonly tag: string | undefined;
  readonly id: string;
  readonly event: string;
  readonly data: Json;
}

interface CloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Json;
  readonly at: number;
}

/** CloudEvents 1.0, structured JSON. */
const cloudEvent = ({ at, ...event }: CloudEvent): string =>
  JSON.stringify({
    specversion: "1.0",
    ...event,
    time: new Date(at).toISOString(),
    datacontenttype: "application/json",
  });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
