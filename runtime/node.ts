import type { Definition } from "../dsl/index.ts";
import { definitionsOf, type Person } from "../engine/index.ts";
import { createRenderer } from "../templates/index.ts";
import { OutEvents } from "./bus/out-events.ts";
import { BusIngress } from "./bus-ingress.ts";
import { type WecomApp, wecomApi } from "./connectors/wecom/index.ts";
import { DeadLetters } from "./dead-letters.ts";
import { EffectPerformer } from "./effects.ts";
import { decodeEffect } from "./entry.ts";
import { readHistory } from "./history.ts";
import type { HistoryItem } from "./http/ports.ts";
import type { KeyRing } from "./key-ring.ts";
import { Outbox, type Work } from "./outbox.ts";
import type {
  Bus,
  Clock,
  Directory,
  DocumentStore,
  Effect,
  InstanceKey,
  Json,
  RawEffect,
  Store,
  StoredEffect,
} from "./ports.ts";
import { askers } from "./questions.ts";
import { Registry, type RegistryEvent } from "./registry.ts";
import { Services } from "./services.ts";
import { TimerWorker } from "./timer-worker.ts";
import { trustedFunctions } from "./trusted-functions.ts";
import { type Committed, type Envelope, type Reply, TURN_LIMITS, type TurnLimits, Turns } from "./turn.ts";
import { WecomIngress } from "./wecom-ingress.ts";
import { wecomMessages } from "./wecom-messages.ts";

export interface NodePorts {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly keys: KeyRing;
  readonly directory: Directory;
  readonly documents: DocumentStore;
  /** HTTP services by name. */
  readonly services: Readonly<Record<string, string>>;
  readonly wecom: readonly WecomApp[];
  readonly limits?: Partial<TurnLimits>;
  /** Something of the registry changed, for people to see. */
  registryChanged?(event: RegistryEvent): void;
  /** For the log: why something came to nothing, as it should. */
  note?(fields: object, message: string): void;
  /** Something that somebody should look at; errors among them have an event or a list that tells more. */
  alert?(fields: object, message: string): void;
  /** An error that no caller waits for. */
  onError(error: unknown, doing: string): void;
  /** What was decided, carried out and written, for the figures. */
  readonly observe?: NodeObserver;
}

export interface NodeObserver {
  decided(tenant: string, kind: string, result: string): void;
  performed(kind: string, result: string): void;
  committed(instances: number): void;
  journalWritten(seconds: number): void;
}

/** A running node: the turn, its workers and what feeds them. Adapters come in as ports; `main.ts` names them. */
export class AssentNode {
  readonly registry: Registry;
  readonly store: Store;
  readonly deadLetters: DeadLetters;
  readonly #ports: NodePorts;
  readonly #turns: Turns;
  readonly #outbox: Outbox;
  readonly #timers: TimerWorker;
  readonly #wecom: WecomIngress;
  readonly #ingress: BusIngress;
  readonly #renderer = createRenderer();
  readonly #registryEvents = new OutEvents();
  #state: "new" | "running" | "stopping" = "new";

  constructor(ports: NodePorts) {
    this.#ports = ports;
    const { store, bus, clock, keys, directory, documents } = ports;
    this.store = store;
    this.registry = new Registry({
      store,
      services: Object.keys(ports.services),
      changed: (event) => this.#registryChanged(event),
      onError: (error) => ports.onError(error, "reloading"),
    });
    const functions = trustedFunctions((name, flow) => this.registry.current.function(name, flow));
    const services = new Services(bus, ports.services, clock);
    this.#turns = new Turns(
      {
        store,
        clock,
        keys,
        versionFor: (flow, newcomer) => this.registry.current.versionFor(flow, newcomer),
        definitions: this.registry.definitions,
        ask: askers({
          ...{ directory, functions, services },
          version: (flow, label) => this.registry.current.definition(flow, label),
        }),
        committed: (committed) => this.#committed(committed),
        written: (seconds) => ports.observe?.journalWritten(seconds),
      },
      { ...TURN_LIMITS, ...ports.limits },
    );
    const wecom = wecomApi({ clock });
    this.#wecom = new WecomIngress({
      clock,
      store,
      directory,
      api: wecom,
      apps: ports.wecom,
      sources: () => this.registry.current.sources,
      submit: this.submit,
      exists: async (tenant, instance) => (await this.#turns.read({ tenant, instance })) !== undefined,
      deadLetter: (letter) => store.deadLetter(letter),
      stored: () => this.#outbox.kick(),
      note: (fields, message) => ports.note?.(fields, message),
    });
    const performer = new EffectPerformer({
      bus,
      clock,
      store,
      functions,
      services,
      documents,
      template: (name, flow) => this.registry.current.template(name, flow),
      render: (template, data) => this.#renderer.render(template, data),
      submit: this.submit,
      instanceOf: async (work, version) => (await this.#turns.read(work, version))?.instance,
      messenger: wecomMessages(ports.wecom, wecom),
      alert: (fields, message) => ports.alert?.(fields, message),
      ingest: (effect, work) => this.#wecom.perform(effect, work),
    });
    this.#outbox = new Outbox({
      store,
      clock,
      perform: async (work) => this.#perform(performer, work),
      open: (key, stored) => this.#open(key, stored),
      dead: (work, error) => performer.dead(work, error),
      onError: (error) => ports.onError(error, "carrying out effects"),
    });
    this.#ingress = new BusIngress({
      clock,
      directory,
      keys,
      activeDefinition: this.activeDefinition,
      submit: this.submit,
      deadLetter: (letter) => store.deadLetter(letter),
      onError: (error) => ports.onError(error, "taking messages"),
    });
    this.deadLetters = new DeadLetters({
      store,
      clock,
      keys,
      activeDefinition: this.activeDefinition,
      definitionsOf: (key) => this.#definitionsOf(key),
      open: (stored) => this.#open(stored, stored),
      messages: this.#ingress,
      callbacks: this.#wecom,
      discarded: (stored, effect, by) => performer.dead({ ...stored, effect }, `discarded by ${by}`),
      renewed: () => this.#outbox.kick(),
    });
    this.#timers = new TimerWorker({
      store,
      clock,
      submit: this.submit,
      onError: (error) => ports.onError(error, "firing timers"),
    });
  }

  /** Resolves when the decision is durable. @throws {StoreUnavailable} @throws {Overloaded} */
  submit = async (envelope: Envelope): Promise<Reply> => {
    const reply = await this.#turns.submit(envelope);
    this.#ports.observe?.decided(envelope.tenant, envelope.command.kind, resultOf(reply));
    return reply;
  };

  read: Turns["read"] = (key, version) => this.#turns.read(key, version);

  async #open(key: InstanceKey, { effect }: StoredEffect): Promise<Effect | RawEffect> {
    return decodeEffect(effect, effect.kind === "sealed" ? await this.#turns.dataKey(key) : undefined);
  }

  async #definitionsOf(key: InstanceKey): Promise<readonly Definition[]> {
    const found = await this.#turns.read(key);
    return found ? definitionsOf(found.instance).flatMap((hash) => this.definition(hash) ?? []) : [];
  }

  async history(key: InstanceKey): Promise<readonly HistoryItem[]> {
    return readHistory(await this.store.history(key), await this.#turns.dataKey(key));
  }

  wecom: WecomIngress["hook"] = (app, request) => this.#wecom.hook(app, request);

  person = (tenant: string, user: string): Person => this.#ports.directory.person(tenant, user) ?? { id: user };

  activeDefinition = (flow: string, label?: string): Definition | undefined =>
    this.registry.current.definition(flow, label);

  /** By hash: those that are active, and those on which what was read goes by. */
  definition = (hash: string): Definition | undefined => this.registry.definitions.known(hash);

  /** `undefined`: ready; else what is missing. */
  readiness = (): string | undefined => {
    if (this.#state !== "running") return this.#state === "new" ? "the node is starting" : "the node is stopping";
    return this.#ports.bus.connected ? undefined : "the bus is away";
  };

  get figures(): { readonly waitingCommands: number; readonly pendingEffects: number } {
    return { waitingCommands: this.#turns.waiting, pendingEffects: this.#outbox.pending };
  }

  /** Starts the workers and takes messages. The registry was loaded before. */
  async start(): Promise<void> {
    this.#outbox.start();
    this.#timers.start();
    await this.#ports.bus.consume(this.#ingress.handle);
    this.#state = "running";
  }

  /** Takes nothing more, finishes what was taken, then closes. Effects that are left stay in the store. */
  async stop(): Promise<void> {
    this.#state = "stopping";
    await this.registry.close();
    await this.#ports.bus.stop();
    await this.#ingress.stop();
    await this.#timers.stop();
    await this.#turns.idle();
    await this.#outbox.stop();
    await this.#renderer.close();
    await this.#ports.bus.close();
    await this.store.close();
  }

  #committed(committed: readonly Committed[]): void {
    this.#outbox.accept(committed);
    this.#timers.accept(committed);
    this.#ports.observe?.committed(committed.length);
  }

  async #perform(performer: EffectPerformer, work: readonly Work[]) {
    const results = await performer.perform(work);
    for (const [index, { effect }] of work.entries()) this.#ports.observe?.performed(effect.kind, results[index]!.kind);
    return results;
  }

  #registryChanged(event: RegistryEvent): void {
    this.#ports.registryChanged?.(event);
    const { kind, file } = event;
    const at = this.#ports.clock.now();
    // What never was active has no flow to be told under.
    const flows = event.flows.length > 0 ? event.flows : [{ flow: "registry" }];
    const data = registryData(event);
    const messages = flows.flatMap(({ flow }) => {
      const id = `registry:${kind}:${file}:${flow}:${at}`;
      const about = { tenant: "default", flow, instance: file, id, event: `registry.${kind}`, at, data, carried: {} };
      return this.#registryEvents.message(about, this.#ports.bus) ?? [];
    });
    this.#ports.bus.publish(messages).catch((error: unknown) => this.#ports.onError(error, "telling of a change"));
  }
}

function registryData(event: RegistryEvent): Json {
  const about = { file: event.file, flows: event.flows };
  if (event.kind !== "refused") return about;
  return { ...about, problems: event.diagnostics.map(({ code, message }) => ({ code, message })) };
}

const resultOf = (reply: Reply): string => {
  if (reply.kind === "refused") return reply.refusal.code;
  return reply.kind === "accepted" && reply.duplicate ? "duplicate" : reply.kind;
};
