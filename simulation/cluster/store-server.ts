import type { Clock, Store } from "../../runtime/index.ts";
import type { Random } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import { ClaimWatch } from "./claim-watch.ts";
import type { Weather } from "./disturbances.ts";
import type { Process } from "./process.ts";

/** How long a caller waits for a store that does not answer. */
export const PATIENCE_MS = 3_000;

/** What all nodes share and keep their data in, and what the simulation itself sees of it. */
export abstract class StoreServer {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  /** It takes nothing until then. */
  awayUntilMs = 0;
  slowUntilMs = 0;
  readonly claims: ClaimWatch;
  /** Entries that are durable. */
  entries = 0;
  /** Effects that reached somebody before what decided them was durable. */
  readonly early: string[] = [];
  /** The newest version of each instance that is durable. */
  readonly #versions = new Map<string, number>();

  constructor(scheduler: Scheduler, weather: Weather) {
    this.scheduler = scheduler;
    this.weather = weather;
    this.claims = new ClaimWatch(scheduler);
  }

  /** May a write land after whoever sent it has given up, and put back what was removed meanwhile? */
  abstract readonly landsLate: boolean;

  /** Before any node. */
  abstract prepare(partitions: number): Promise<void>;
  /** The store as a process sees it. */
  abstract open(link: StoreLink, clock: Clock): Promise<Store>;
  /** What is durable, read at once and whatever goes wrong. */
  abstract look(): Promise<Store>;
  /** What is written and does not stand in the lists yet, in words. */
  abstract behind(): readonly string[];

  get random(): Random {
    return this.scheduler.random;
  }

  get isAway(): boolean {
    return this.scheduler.nowMs < this.awayUntilMs;
  }

  /** How long a call is on its way, or a write takes. */
  delayMs(isWrite: boolean): number {
    const isSlow = isWrite && this.scheduler.nowMs < this.slowUntilMs;
    return this.random.delayMs(isSlow ? 400 : isWrite ? 2 : 0.5);
  }

  /** An entry is durable. @param version of the instance after it; raw events have none. */
  wrote(instance: string, version: number | undefined): void {
    this.entries += 1;
    if (version !== undefined) this.#versions.set(instance, version);
  }

  /** Something under this key has reached the world outside. Keys of effects begin with `INSTANCE:VERSION:`. */
  witness(key: string): void {
    const [instance = "", version] = key.split(":");
    const durable = this.#versions.get(instance);
    if (durable !== undefined ? Number(version) > durable : /^[\w-]{20,}:\d+:/.test(key)) this.early.push(key);
  }
}

/** One process's way to the store. */
export class StoreLink {
  readonly process: Process;
  readonly #scheduler: Scheduler;
  #cutUntilMs = 0;

  constructor(process: Process, scheduler: Scheduler) {
    this.process = process;
    this.#scheduler = scheduler;
  }

  get isCut(): boolean {
    return this.#scheduler.nowMs < this.#cutUntilMs;
  }

  /** Nothing gets through for so long. */
  cut(forMs: number): void {
    this.#cutUntilMs = this.#scheduler.nowMs + forMs;
  }
}
