import type { SourceDefinition } from "../dsl/index.ts";
import { instanceId } from "../engine/index.ts";
import { partitionOfRaw } from "./cluster/partition.ts";
import {
  checkUrl,
  type Ingested,
  ingest,
  receive,
  type SignalPlan,
  type StartPlan,
  WECOM_SOURCE,
  type WecomApi,
  type WecomApp,
} from "./connectors/wecom/index.ts";
import { chain } from "./entry.ts";
import type { Work, WorkResult } from "./outbox.ts";
import type { Clock, DeadLetter, Directory, RawEffect, Store } from "./ports.ts";
import type { Envelope, Reply } from "./turn.ts";

export interface WecomPorts {
  readonly clock: Pick<Clock, "now">;
  readonly store: Pick<Store, "append">;
  readonly directory: Directory;
  readonly api: WecomApi;
  readonly apps: readonly WecomApp[];
  sources(): readonly SourceDefinition[];
  submit(envelope: Envelope): Promise<Reply>;
  exists(tenant: string, instance: string): Promise<boolean>;
  deadLetter(letter: DeadLetter): Promise<void>;
  readonly partitions: number;
  /** A raw event was stored; its effect is due. */
  stored(partition: number): void;
  /** For the log, where somebody looks who misses an instance. */
  note(fields: object, message: string): void;
}

export interface HookReply {
  readonly status: number;
  readonly body: string;
  readonly reason?: string;
}

const DONE: WorkResult = { kind: "done" };
/** Before the id of the raw event, `in/APP/SHA256`. */
const LETTER = "wecom/";
/** Tries to fetch a form before the event goes to the dead letters. */
const ATTEMPTS_MAX = 8;

/** WeCom's callbacks: the raw event is journalled before it is answered; what it means is an effect. */
export class WecomIngress {
  readonly #ports: WecomPorts;

  constructor(ports: WecomPorts) {
    this.#ports = ports;
  }

  /** @throws {StoreUnavailable} the event could not be stored; WeCom sends it again. */
  async hook(
    name: string,
    request: { readonly method: "GET" | "POST"; readonly query: URLSearchParams; readonly body: Buffer },
  ): Promise<HookReply> {
    const app = this.#ports.apps.find((candidate) => candidate.app === name);
    if (!app) return { status: 404, body: "", reason: `no WeCom app \`${name}\` is configured` };
    const query = Object.fromEntries(request.query);
    const now = this.#ports.clock.now();
    const answer =
      request.method === "GET" ? checkUrl(app, { query, now }) : receive(app, { query, body: request.body, now });
    if (answer.kind === "refused") return { status: answer.status, body: "", reason: answer.reason };
    if (answer.kind === "echo") return { status: 200, body: answer.body };
    await this.#store(app, answer.raw);
    return { status: 200, body: "" };
  }

  /** Journalled under the hash of its plain text: delivered again, the key is taken and nothing more happens. */
  async #store(app: WecomApp, { plaintext, sha256 }: { plaintext: string; sha256: string }): Promise<void> {
    const body = JSON.stringify({ connector: "wecom", app: app.app, xml: plaintext });
    const instance = `in/${app.app}/${sha256}`;
    const effect: RawEffect = { id: instance, kind: "ingest", connector: "wecom", app: app.app, xml: plaintext };
    const partition = partitionOfRaw(app.tenant, instance, this.#ports.partitions);
    const { taken } = await this.#ports.store.append([
      {
        tenant: app.tenant,
        instance,
        partition,
        sequence: 0,
        at: this.#ports.clock.now(),
        body,
        hash: chain("", body),
        projection: { tasks: [], timersSet: [], timersGone: [], effects: [effect], oldCommands: [] },
      },
    ]);
    if (taken.length === 0) this.#ports.stored(partition);
  }

  /** Fetches the form, maps it, and starts or moves its instance; what can't be done goes to the dead letters. */
  async perform(effect: RawEffect, work: Work): Promise<WorkResult> {
    const result = await this.#take(effect, work);
    return result.kind === "dead" ? this.#bury(effect, work, result.error) : result;
  }

  /** An event of the dead letters once more: `dead` and `retry` leave it where it is. */
  again({ tenant, id, body: xml }: DeadLetter): Promise<WorkResult> {
    const raw = id.slice(LETTER.length);
    const [, app = ""] = raw.split("/");
    const effect: RawEffect = { id: raw, kind: "ingest", connector: "wecom", app, xml };
    return this.#take(effect, { tenant, instance: raw, effect, attempts: 0 });
  }

  async #take(effect: RawEffect, work: Work): Promise<WorkResult> {
    const app = this.#ports.apps.find((candidate) => candidate.app === effect.app);
    if (!app) return dead(`the WeCom app \`${effect.app}\` is not configured any more`);
    if (app.tenant !== work.tenant) return dead(`the WeCom app \`${effect.app}\` belongs to another tenant now`);
    const result = await ingest(effect.xml, app, {
      sources: this.#ports.sources(),
      api: this.#ports.api,
      isKnown: (flow, key) => this.#ports.exists(app.tenant, instanceId(app.tenant, flow, key)),
    });
    return this.#follow(result, work, app);
  }

  async #follow(result: Ingested, work: Work, app: WecomApp): Promise<WorkResult> {
    switch (result.kind) {
      case "ignored":
        this.#ports.note({ app: app.app, event: work.effect.id, reason: result.reason }, "a WeCom event was ignored");
        return DONE;
      case "dead":
        return dead(result.reason);
      case "retry":
        if (work.attempts + 1 >= ATTEMPTS_MAX) return dead(result.reason);
        return { kind: "retry", error: result.reason, afterMs: result.afterMs };
      case "start":
        return this.#start(result, work, app);
      case "signal":
        return this.#signal(result, work, app);
    }
  }

  async #start(plan: StartPlan, work: Work, app: WecomApp): Promise<WorkResult> {
    const { tenant } = app;
    const instance = instanceId(tenant, plan.flow, plan.key);
    const reply = await this.#ports.submit({
      tenant,
      instance,
      flow: plan.flow,
      command: {
        kind: "start",
        id: plan.commandId,
        source: WECOM_SOURCE,
        actor: plan.initiator,
        tenant,
        instance,
        key: plan.key,
        initiator: this.#ports.directory.person(tenant, plan.initiator) ?? { id: plan.initiator },
        data: {},
        ...(plan.event === undefined ? { data: plan.data } : { event: plan.event, payload: plan.data }),
      },
    });
    if (reply.kind !== "accepted") return this.#refused(reply, plan.flow, work);
    return reply.created || !plan.otherwise ? DONE : this.#signal(plan.otherwise, work, app);
  }

  async #signal(plan: SignalPlan, work: Work, { tenant }: WecomApp): Promise<WorkResult> {
    const { commandId: id, status, withdraw } = plan;
    const reply = await this.#ports.submit({
      tenant,
      instance: instanceId(tenant, plan.flow, plan.key),
      command: { kind: "signal", id, source: WECOM_SOURCE, status, withdraw },
    });
    // A form that never started one has nothing to tell.
    return reply.kind === "accepted" || reply.kind === "not-found" ? DONE : this.#refused(reply, plan.flow, work);
  }

  #refused(reply: Exclude<Reply, { kind: "accepted" }>, flow: string, work: Work): WorkResult {
    if (reply.kind === "not-found") return dead(`there is no flow \`${flow}\``);
    const { code, message, fields, retryable } = reply.refusal;
    if (retryable && work.attempts + 1 < ATTEMPTS_MAX) return { kind: "retry", error: message };
    const detail = fields?.map((fault) => `${fault.field}: ${fault.message}`).join("; ");
    return dead(`${code}: ${detail ?? message}`);
  }

  async #bury(effect: RawEffect, { tenant }: Work, reason: string): Promise<WorkResult> {
    const letter = {
      id: `${LETTER}${effect.id}`,
      tenant,
      at: this.#ports.clock.now(),
      origin: "wecom",
      reason,
      body: effect.xml,
    };
    await this.#ports.deadLetter(letter);
    return DONE;
  }
}

const dead = (error: string): WorkResult => ({ kind: "dead", error });
