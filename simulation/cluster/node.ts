import {
  AssentNode,
  type DocumentStore,
  type Envelope,
  InProcessBus,
  type KeyRing,
  keyRing,
  type Reply,
  type Store,
  systemClock,
} from "../../runtime/index.ts";
import { type ActionName, FlowFolder } from "../load/flows.ts";
import { DIRECTORY } from "../load/people.ts";
import type { Scheduler } from "../scheduler.ts";
import { BusConnection } from "./bus-connection.ts";
import { type BusServer, PARTITIONS } from "./bus-server.ts";
import { clockOf, type MachineClock, Process } from "./process.ts";
import type { Receivers } from "./receivers.ts";
import { StoreLink, type StoreServer } from "./store-server.ts";

export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly store: StoreServer;
  readonly bus: BusServer;
  readonly receivers: Receivers;
  /** What is wrong though no caller waits for it. */
  readonly onError: (error: unknown, where: string) => void;
}

export const KEYS_SETTING = `sim:${Buffer.alloc(32, 5).toString("base64")}`;
export const KEYS: KeyRing = keyRing(KEYS_SETTING);

/** A node of no cluster, that has nothing in memory yet and reads what is durable at once. */
export function freshNode(disk: Store): AssentNode {
  return new AssentNode({
    ...{ store: disk, bus: new InProcessBus(), clock: systemClock, keys: KEYS, directory: DIRECTORY },
    ...{ documents: NO_DOCUMENTS, services: {}, wecom: [], onError: () => {} },
  });
}

const NO_DOCUMENTS: DocumentStore = {
  put: () => Promise.reject(new Error("nothing is rendered here")),
  get: () => Promise.resolve(undefined),
};

/** Snapshots come often, so that there are some; answers are not waited for long. */
const LIMITS = { snapshotEvery: 4, answerTimeoutMs: 3_000 };

/** A process that is dead is started again after up to so long. */
const DOWN_MS = 4_000;

/** A machine with its clock, on which one process of the node runs after the other. */
export class Machine {
  readonly name: string;
  readonly clock: MachineClock;
  readonly #around: Surroundings;
  #starts = 0;
  #text: string;
  #running: Running | undefined;

  constructor(name: string, clock: MachineClock, text: string, around: Surroundings) {
    this.name = name;
    this.clock = clock;
    this.#around = around;
    this.#text = text;
  }

  get running(): Running | undefined {
    return this.#running;
  }

  start(): void {
    if (this.#running) return;
    this.#starts += 1;
    const running = new Running(
      new Process(`${this.name}.${this.#starts}`, this.#around.scheduler),
      this,
      this.#text,
      this.#around,
    );
    this.#running = running;
    running.boot().catch((error: unknown) => {
      // It could not start: the process ends, and is started again.
      this.#around.onError(error, "starting");
      this.crash();
    });
  }

  crash(): void {
    this.#running?.kill();
    this.#gone();
  }

  /** As SIGTERM: it finishes what it has begun. */
  restart(): void {
    const running = this.#running;
    if (!running?.isUp) return;
    running.shutDown().then(
      () => {
        if (this.#running !== running) return;
        running.kill();
        this.#gone();
      },
      (error: unknown) => this.#around.onError(error, "stopping"),
    );
  }

  /** Another text of the flow is on its disk; it takes a moment until it is seen. */
  deploy(text: string): void {
    this.#text = text;
    this.#running?.deploy(text);
  }

  #gone(): void {
    if (!this.#running) return;
    this.#running = undefined;
    const { scheduler } = this.#around;
    scheduler.after(scheduler.random.between(10, DOWN_MS), `${this.name} is started`, () => this.start());
  }
}

/** A node does not start with a flow that is refused. */
class FlowRefused extends Error {
  override readonly name = "FlowRefused";
}

/** A node that runs in a process. */
export class Running {
  readonly process: Process;
  readonly store: StoreLink;
  readonly bus: BusConnection;
  readonly #machine: Machine;
  readonly #around: Surroundings;
  readonly #folder: FlowFolder;
  #node: AssentNode | undefined;
  #isUp = false;

  constructor(process: Process, machine: Machine, text: string, around: Surroundings) {
    const { scheduler, bus, receivers } = around;
    this.process = process;
    this.#machine = machine;
    this.#around = around;
    this.store = new StoreLink(process, scheduler);
    this.bus = new BusConnection(bus, process);
    this.#folder = new FlowFolder(text, (name, { arguments: args, idempotencyKey, context }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      scheduler.after(scheduler.random.delayMs(20), `${name} is called by ${process.name}: ${idempotencyKey}`, () => {
        const call = {
          key: idempotencyKey!,
          name: name as ActionName,
          ...{ tenant: context.tenant, by: process.name },
          what: JSON.stringify(args),
        };
        const end = receivers.take(call);
        if (end.kind === "silent") return;
        process.after(scheduler.random.delayMs(20), `hears from ${name}: ${idempotencyKey}`, () =>
          end.kind === "done" ? resolve() : reject(new Error(end.why)),
        );
      });
      return promise;
    });
  }

  /** It takes commands. */
  get isUp(): boolean {
    return this.#isUp && this.process.isAlive;
  }

  /** Once it is up. */
  get node(): AssentNode {
    return this.#node!;
  }

  async boot(): Promise<void> {
    const { scheduler, store, onError } = this.#around;
    const clock = clockOf(this.process, this.#machine.clock, scheduler);
    const node = new AssentNode({
      ...{ store: await store.open(this.store, clock), bus: this.bus, clock, random: scheduler.random.next, onError },
      ...{ keys: KEYS, directory: DIRECTORY, flows: this.#folder, documents: NO_DOCUMENTS, services: {}, wecom: [] },
      ...{ node: this.process.name, partitions: PARTITIONS, limits: LIMITS },
    });
    const events = await node.registry.load(["/flows"]);
    const refused = events.find(({ kind }) => kind === "refused");
    if (refused) throw new FlowRefused(refused.file);
    this.#node = node;
    await node.start(this.#machine.name);
    this.#isUp = true;
  }

  submit(envelope: Envelope): Promise<Reply> {
    return this.node.request(envelope);
  }

  deploy(text: string): void {
    this.#folder.write(text);
    this.process.after(1, "sees another version", () => void this.#node?.registry.reload());
  }

  shutDown(): Promise<void> {
    this.#isUp = false;
    return this.node.stop();
  }

  kill(): void {
    this.#isUp = false;
    this.process.kill();
    this.bus.lose();
  }
}
