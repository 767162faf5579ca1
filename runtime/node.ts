import type { Definition } from "../dsl/index.ts";
import { definitionsOf, type Person } from "../engine/index.ts";
import { createRenderer } from "../templates/index.ts";
import { Admission } from "./admission.ts";
import type { EventBus } from "./bus/event-bus.ts";
import { COMMANDS } from "./bus/subjects.ts";
import { BusIngress } from "./bus-ingress.ts";
import { within } from "./clock.ts";
import { type Cluster, joinCluster } from "./cluster/cluster.ts";
import { PARTITIONS } from "./cluster/partition.ts";
import { commandRequests } from "./command-requests.ts";
import { type WecomApp, wecomApi } from "./connectors/wecom/index.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { FlowFiles } from "./deployment.ts";
import { EffectPerformer } from "./effects.ts";
import { decodeEffect } from "./entry.ts";
import { readHistory } from "./history.ts";
import type { HistoryItem } from "./http/ports.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Figures } from "./metrics.ts";
import { type NodeEvent, nodeEvents } from "./node-events.ts";
import { Outbox } from "./outbox.ts";
import type {
  Bus,
  Clock,
  Directory,
  DocumentStore,
  Effect,
  InstanceKey,
  RawEffect,
  Service,
  Store,
  StoredEffect,
} from "./ports.ts";
import { askers } from "./questions.ts";
import { Registry } from "./registry.ts";
import { isRekeyDue, rekey } from "./rekey.ts";
import { type PrunedHistory, prunedHistory } from "./retention/checkpoint.ts";
import type { Retained } from "./retention/retention.ts";
import { RetentionWorker } from "./retention/retention-worker.ts";
import type { Signer } from "./retention/signing.ts";
import { discreetFunctions, discreetServices } from "./secret-words.ts";
import type { CallObserver } from "./services/calls.ts";
import { Services } from "./services/services.ts";
import { type Quota, Quotas } from "./tenants/quotas.ts";
import { type TenantsSettings, tenantSettings } from "./tenants/tenant-settings.ts";
import { TimerWorker } from "./timer-worker.ts";
import { trustedFunctions } from "./trusted-functions.ts";
import { type Committed, type Envelope, Overloaded, type Reply, TURN_LIMITS, type TurnLimits, Turns } from "./turn.ts";
import { WecomIngress } from "./wecom-ingress.ts";
import { wecomMessages } from "./wecom-messages.ts";

export interface NodePorts {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  /** For jitter, from 0 to less than 1; absent: the system's. */
  readonly random?: () => number;
  /** This node's name, which no other on the store has or had; absent: one is made. */
  readonly node?: string;
  /** How many the store has; 16 by default. */
  readonly partitions?: number;
  /** Between two looks at other nodes on the store. */
  readonly lookMs?: number;
  readonly keys: KeyRing;
  readonly directory: Directory;
  readonly documents: DocumentStore;
  /** HTTP services by name. */
  readonly services: Readonly<Record<string, string>>;
  readonly wecom: readonly WecomApp[];
  /** Where flows are read from; absent: the disk. */
  readonly flows?: FlowFiles;
  readonly limits?: Partial<TurnLimits>;
  /** Quotas and retention by tenant; absent: no quotas, and nothing is pruned. */
  readonly tenants?: TenantsSettings;
  /** Signs checkpoints; absent: nothing is pruned. */
  readonly signer?: Signer;
  /** For the log: why something came to nothing, as it should. */
  note?(fields: object, message: string): void;
  /** Something that somebody should look at; errors among them have an event or a list that tells more. */
  alert?(fields: object, message: string): void;
  /** An error that no caller waits for. */
  onError(error: unknown, doing: string): void;
  /** What was decided, carried out and written, for the figures. */
  readonly observe?: NodeObserver;
}

export interface NodeObserver extends CallObserver {
  decided(tenant: string, kind: string, result: string): void;
  performed(kind: string, result: string): void;
  committed(instances: number): void;
  journalWritten(seconds: number): void;
  /** A tenant's command was refused for its quota. */
  overQuota(tenant: string, quota: Quota): void;
}

/** A node that stops waits so long for slow effects before others may have its partitions. */
const LET_GO_AFTER_MS = 5_000;

/** A running node: the turn, its workers and what feeds them. Adapters come in as ports; `main.ts` names them. */
export class AssentNode {
  readonly registry: Registry;
  readonly store: Store;
  readonly deadLetters: DeadLetters;
  /** What it tells of itself. */
  readonly events: EventBus<NodeEvent>;
  readonly #ports: NodePorts;
  readonly #turns: Turns;
  readonly #services: Services;
  readonly #admission: Admission;
  readonly #quotas: Quotas;
  readonly #cluster: Cluster;
  readonly #outbox: Outbox;
  readonly #timers: TimerWorker;
  readonly #retention: RetentionWorker;
  readonly #wecom: WecomIngress;
  readonly #ingress: BusIngress;
  readonly #renderer = createRenderer();
  #endRequests: () => void = () => {};
  #rekeying: Promise<void> = Promise.resolve();
  #state: "new" | "running" | "stopping" = "new";

  constructor(ports: NodePorts) {
    this.#ports = ports;
    const { store, bus, clock, keys, directory, documents, partitions = PARTITIONS } = ports;
    this.store = store;
    this.events = nodeEvents({ bus, clock, onError: (error) => ports.onError(error, "telling of a change") });
    this.#cluster = joinCluster({
      ...{ store, bus, clock, partitions },
      ...(ports.node !== undefined && { node: ports.node }),
      ...(ports.lookMs !== undefined && { lookMs: ports.lookMs }),
      due: () => this.#due(),
      letGo: () => this.#outbox.letGo(),
      onError: (error) => ports.onError(error, "sharing work with other nodes"),
    });
    this.#services = new Services({
      ...{ bus, clock, urls: ports.services, observer: this.#callObserver() },
      answerTimeoutMs: ports.limits?.answerTimeoutMs ?? TURN_LIMITS.answerTimeoutMs,
    });
    this.registry = new Registry({
      ...{ store, clock, ...(ports.flows && { files: ports.flows }) },
      services: () => this.#services.registered(),
      changed: (change) => void this.events.publish(`registry.${change.kind}`, { kind: "registry", change }),
      onError: (error) => ports.onError(error, "reloading"),
    });
    const functions = discreetFunctions(
      trustedFunctions((name, flow) => this.registry.current.function(name, flow)),
      this.activeDefinition,
    );
    const services = discreetServices(this.#services, this.activeDefinition, () => this.registry.current.flows());
    this.#quotas = new Quotas({
      clock,
      settings: tenantSettings(ports.tenants ?? {}),
      usage: (tenant) => store.usage(tenant),
      refused: (tenant, quota) => ports.observe?.overQuota(tenant, quota),
      onError: (error) => ports.onError(error, "looking up what a tenant uses"),
    });
    this.#turns = new Turns(
      {
        store,
        clock,
        keys,
        partitions,
        versionFor: (flow, newcomer) => this.registry.current.versionFor(flow, newcomer),
        definitions: this.registry.definitions,
        ask: askers({
          ...{ directory, functions, services },
          version: (flow, label) => this.registry.current.definition(flow, label),
        }),
        mayStart: (envelope) => this.#quotas.mayStart(envelope),
        committed: (committed) => this.#committed(committed),
        written: (seconds) => ports.observe?.journalWritten(seconds),
      },
      { ...TURN_LIMITS, ...ports.limits },
    );
    this.#admission = new Admission({
      clock,
      waiting: () => this.#turns.queued,
      answered: () => this.#turns.answered,
    });
    const wecom = wecomApi({ clock });
    this.#wecom = new WecomIngress({
      clock,
      store,
      partitions,
      directory,
      api: wecom,
      apps: ports.wecom,
      sources: () => this.registry.current.sources,
      submit: this.#carryOn,
      exists: async (tenant, instance) => (await this.#turns.read({ tenant, instance })) !== undefined,
      deadLetter: (letter) => store.deadLetter(letter),
      stored: (partition) => this.#cluster.due(partition),
      note: (fields, message) => ports.note?.(fields, message),
    });
    const performer = new EffectPerformer({
      bus,
      clock,
      ...(ports.random && { random: ports.random }),
      store,
      functions,
      services,
      documents,
      template: (name, flow) => this.registry.current.template(name, flow),
      render: (template, data) => this.#renderer.render(template, data),
      submit: this.#carryOn,
      instanceOf: async (work, version) => (await this.#turns.read(work, version))?.instance,
      messenger: wecomMessages(ports.wecom, wecom),
      alert: (fields, message) => ports.alert?.(fields, message),
      ingest: (effect, work) => this.#wecom.perform(effect, work),
    });
    this.#outbox = new Outbox({
      store,
      owned: this.#cluster,
      clock,
      perform: (work, settled) =>
        performer.perform(work, (one, result) => {
          ports.observe?.performed(one.effect.kind, result.kind);
          settled(one, result);
        }),
      open: (key, stored) => this.#open(key, stored),
      dead: (work, error) => performer.dead(work, error),
      onError: (error) => ports.onError(error, "carrying out effects"),
    });
    this.#ingress = new BusIngress({
      ...(bus.kind === "nats" && { forward: (message) => bus.send(message) }),
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
      renewed: (partition) => this.#cluster.due(partition),
    });
    this.#timers = new TimerWorker({
      store,
      owned: this.#cluster,
      clock,
      submit: this.#carryOn,
      onError: (error) => ports.onError(error, "firing timers"),
    });
    this.#retention = new RetentionWorker({
      ...{ store, clock, keys, ...(ports.signer && { signer: ports.signer }) },
      definitions: this.registry.definitions,
      settings: tenantSettings(ports.tenants ?? {}),
      isMine: () => this.#cluster.has(0),
      done: (retained) => this.#retained(retained),
      onError: (error) => ports.onError(error, "moving and pruning old entries"),
    });
  }

  /** Resolves when the decision is durable. @throws {StoreUnavailable} {Overloaded} {TooOften} nothing happened. */
  submit = (envelope: Envelope): Promise<Reply> => this.#submit(envelope, "outside");

  /** As {@link submit}, for who can come again: turned away at once while too many wait. */
  request = (envelope: Envelope): Promise<Reply> => {
    const retryAfterMs = this.turnedAwayForMs();
    if (retryAfterMs === undefined) return this.submit(envelope);
    return Promise.reject(new Overloaded("too many commands are waiting", retryAfterMs));
  };

  /** @returns `undefined` if a command may come now, else when it is worth coming again. */
  turnedAwayForMs = (): number | undefined => this.#admission.turnedAwayForMs();

  /** What follows from what was let in: no rate holds it up. */
  #carryOn = (envelope: Envelope): Promise<Reply> => this.#submit(envelope, "inside");

  async #submit(envelope: Envelope, from: "outside" | "inside"): Promise<Reply> {
    const looking = this.#quotas.admit(envelope, from);
    if (looking) await looking;
    let reply: Reply | undefined;
    try {
      reply = await this.#turns.submit(envelope);
    } finally {
      this.#quotas.settle(envelope, reply);
    }
    this.#ports.observe?.decided(envelope.tenant, envelope.command.kind, resultOf(reply));
    return reply;
  }

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

  /** What is known of entries that were pruned; `undefined` if none were. */
  async pruned(key: InstanceKey): Promise<PrunedHistory | undefined> {
    const checkpoint = await this.store.checkpoint(key);
    return checkpoint && prunedHistory(checkpoint);
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

  get figures(): Figures {
    return {
      waitingCommands: this.#turns.waiting,
      waitingLimit: this.#admission.limit,
      pendingEffects: this.#outbox.pending,
      ownedPartitions: this.#cluster.count(),
      droppedEvents: this.events.figures.dropped + (this.#ports.bus.dropped ?? 0),
    };
  }

  /** Asks who is there on the bus, so that flows can be checked against it. */
  lookForServices(): Promise<void> {
    return this.#services.known.look();
  }

  /**
   * Starts the workers and takes messages. The registry was loaded before.
   * @param place where no other node can be now: what was there before is dead (`cluster/place.ts`).
   */
  async start(place?: string): Promise<void> {
    this.#outbox.start();
    this.#timers.start();
    await this.#cluster.start(this.#ingress.handle, place);
    this.#endRequests = await this.#ports.bus.serve(COMMANDS, this.#requests());
    this.#retention.start();
    this.#rekeying = this.#rekey();
    this.#state = "running";
  }

  /** Takes nothing more, finishes what was taken, then closes. Effects that are left stay in the store. */
  async stop(): Promise<void> {
    this.#state = "stopping";
    await this.registry.close();
    this.#endRequests();
    await this.#ports.bus.stop();
    await this.#ingress.stop();
    await this.#timers.stop();
    await Promise.all([this.#retention.stop(), this.#rekeying]);
    await this.#turns.idle();
    const carriedOut = this.#outbox.stop();
    await within(this.#ports.clock, LET_GO_AFTER_MS, carriedOut);
    await this.#cluster.stop();
    await carriedOut;
    await this.#renderer.close();
    await this.#ports.bus.close();
    await this.store.close();
  }

  #committed(committed: readonly Committed[]): void {
    this.#outbox.accept(committed);
    this.#timers.accept(committed);
    this.#cluster.committed(committed);
    this.#ports.observe?.committed(committed.length);
  }

  /** After the ring got a new key, what the older ones wrap is wrapped under it. */
  async #rekey(): Promise<void> {
    const { keys, note, alert, onError } = this.#ports;
    try {
      if (!(await isRekeyDue(this.store, keys))) return;
      const { problems, ...count } = await rekey(this.store, keys);
      if (problems.length > 0) alert?.({ ...count, problems }, "some of what is sealed can't be opened");
      else if (count.rewrapped > 0)
        note?.({ ...count, key: keys.newest }, "all data keys are wrapped under the newest key");
    } catch (error) {
      onError(error, "wrapping data keys anew");
    }
  }

  #retained({ archived, pruned, problems }: Retained): void {
    const { note, alert } = this.#ports;
    if (archived + pruned > 0) note?.({ archived, pruned }, "old entries were moved, or pruned");
    const [first] = problems;
    if (first) alert?.({ ...first, instances: problems.length }, "some instances' old entries were left as they are");
  }

  /** Something may be due in a partition of ours. */
  #due(): void {
    this.#outbox.kick();
    this.#timers.kick();
  }

  #requests(): Service {
    return commandRequests({
      directory: this.#ports.directory,
      definition: this.definition,
      submit: this.request,
      onError: (error) => this.#ports.onError(error, "answering a request"),
    });
  }

  #callObserver(): CallObserver {
    const { observe } = this.#ports;
    return {
      called: (service, result, seconds) => observe?.called?.(service, result, seconds),
      circuit: (service, address, circuit) => {
        observe?.circuit?.(service, address, circuit);
        void this.events.publish(`service.${circuit}`, { kind: "circuit", service, address, circuit });
      },
    };
  }
}

const resultOf = (reply: Reply): string => {
  if (reply.kind === "refused") return reply.refusal.code;
  return reply.kind === "accepted" && reply.duplicate ? "duplicate" : reply.kind;
};
