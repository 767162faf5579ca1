import { check, type Violation } from "./checks/checks.ts";
import { whatIsOpen } from "./checks/open-work.ts";
import { BusServer, PARTITIONS } from "./cluster/bus-server.ts";
import { planCalamities } from "./cluster/calamities.ts";
import { DatabaseServer } from "./cluster/database-server.ts";
import { drawDisturbances, Weather } from "./cluster/disturbances.ts";
import { MemoryServer } from "./cluster/memory-server.ts";
import { Machine } from "./cluster/node.ts";
import { MachineClock } from "./cluster/process.ts";
import { Receivers } from "./cluster/receivers.ts";
import type { StoreServer } from "./cluster/store-server.ts";
import { Clients } from "./load/clients.ts";
import { VERSIONS } from "./load/flows.ts";
import { answerService } from "./load/services.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Two runs of a seed have the same. */
  readonly traceHash: string;
  readonly happened: number;
  readonly figures: Readonly<Record<string, number>>;
}

export const TENANTS = ["acme", "globex"] as const;
const NODES = 3;
/** So long things go wrong; then they don't any more. */
const DISTURBED_MS = 90_000;
/** By then all terms have passed and all work is done. */
const OVER_MS = 60 * 60_000;

/** One world from its seed: disturbed at first, then calm until its work is done; then it is looked at. */
export async function simulate(seed: number, trace?: (line: string) => void): Promise<SimulationResult> {
  const world = new World(seed, trace);
  await world.run();
  const violations = await world.during(check(world));
  const { scheduler, clients, store, bus, receivers } = world;
  return {
    seed,
    violations: [...world.violations, ...violations],
    traceHash: scheduler.traceHash,
    happened: scheduler.happened,
    figures: {
      answers: clients.heard.length,
      messages: clients.sent.length,
      entries: store.entries,
      published: bus.published.length,
      calls: receivers.calls.length,
      minutes: Math.round(scheduler.nowMs / 60_000),
    },
  };
}

/** Three nodes, what they share, and who uses them. */
export class World {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly store: StoreServer;
  readonly bus: BusServer;
  readonly receivers: Receivers;
  readonly machines: readonly Machine[];
  readonly clients: Clients;
  readonly violations: Violation[] = [];
  readonly #random: Random;

  constructor(seed: number, trace?: (line: string) => void) {
    this.#random = new Random(seed);
    this.scheduler = new Scheduler(this.#random, trace);
    const disturbances = drawDisturbances(this.#random);
    const { scheduler } = this;
    this.weather = new Weather(disturbances);
    // Half of the worlds are on the store that promises least, half on the one that is used.
    this.store = new (seed % 2 === 0 ? MemoryServer : DatabaseServer)(scheduler, this.weather);
    const witness = (key: string) => this.store.witness(key);
    this.receivers = new Receivers(scheduler, this.weather, witness);
    this.bus = new BusServer(scheduler, this.weather, answerService(this.receivers), witness);
    const onError = (error: unknown, where: string) => this.#noteError(error, where);
    const around = { scheduler, store: this.store, bus: this.bus, receivers: this.receivers, onError };
    this.machines = Array.from({ length: NODES }, (_, index) => {
      const clock = new MachineClock(scheduler);
      clock.skewMs = this.#random.between(-1, 1) * disturbances.skewMs;
      return new Machine(`n${index + 1}`, clock, VERSIONS[0], around);
    });
    this.clients = new Clients({ scheduler, weather: this.weather, machines: this.machines, bus: this.bus });
  }

  async run(): Promise<void> {
    await this.store.prepare(PARTITIONS);
    for (const machine of this.machines) machine.start();
    for (const tenant of TENANTS) {
      for (let left = this.#random.whole(1, 3); left > 0; left--) this.clients.engage(tenant, `K-${left}`);
    }
    planCalamities(this);
    await this.scheduler.runUntil(() => false, DISTURBED_MS);
    this.#calm();
    await this.scheduler.runUntil(() => this.clients.areDone, OVER_MS / 2);
    this.clients.finish();
    while (!(await this.#isQuiet())) {
      if (this.scheduler.nowMs > OVER_MS) {
        this.violations.push({
          check: "open work empties at the end",
          what: `after an hour ${await this.during(whatIsOpen(this))}`,
        });
        return;
      }
      await this.scheduler.runUntil(() => false, this.scheduler.nowMs + 5_000);
    }
  }

  async #isQuiet(): Promise<boolean> {
    return this.clients.areDone && this.bus.isEmpty && (await this.during(whatIsOpen(this))) === "";
  }

  /** The world goes on while somebody looks at it. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    work.then(over, over);
    await this.scheduler.runUntil(() => isOver, Number.POSITIVE_INFINITY);
    return work;
  }

  #calm(): void {
    this.scheduler.note("calm");
    this.weather.calm();
    this.store.awayUntilMs = 0;
    this.store.slowUntilMs = 0;
    for (const machine of this.machines) {
      machine.running?.store.cut(0);
      machine.deploy(VERSIONS[1]);
    }
  }

  /** Each is told once. */
  #noteError(error: unknown, where: string): void {
    if (error instanceof Error && EXPECTED.has(error.name)) return;
    const what = `${where}: ${error instanceof Error ? error.stack : String(error)}`;
    if (this.violations.every((violation) => violation.what !== what))
      this.violations.push({ check: "no error of its own", what });
  }
}

/** What the world outside does to a node. Any other error is the node's own. */
const EXPECTED = new Set(["StoreUnavailable", "BusUnavailable", "Overloaded", "ServiceCallFailed", "FlowRefused"]);
