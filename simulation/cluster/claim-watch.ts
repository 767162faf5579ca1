import type { Claim, Member } from "../../runtime/index.ts";
import type { Scheduler } from "../scheduler.ts";

/** Whose heart was never silent for so long is alive for everybody: less than any lease. */
const ALIVE_MS = 3_000;
/** Who saw that a node was dead may claim what it had so much later, though it lives again. */
const LATE_MS = 10_000;

/** Watches at the store who claims what: a living node keeps its partitions until it lets them go. */
export class ClaimWatch {
  readonly wrong: string[] = [];
  readonly #scheduler: Scheduler;
  readonly #heardMs = new Map<string, number>();
  /** When a node that had been silent was heard again. */
  readonly #backMs = new Map<string, number>();
  readonly #newest = new Map<number, Claim>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  see(name: string, [given]: readonly unknown[]): void {
    if (name === "beat") this.#hear((given as Member).node);
    if (name === "bury") this.#bury(given as string);
    if (name === "claim") this.#claim(given as Claim);
  }

  /** Who is no member any more has nothing, though it may be heard again before others take what it had. */
  #bury(node: string): void {
    this.#heardMs.delete(node);
    this.#backMs.set(node, this.#scheduler.nowMs);
  }

  #hear(node: string): void {
    const { nowMs } = this.#scheduler;
    if (nowMs - (this.#heardMs.get(node) ?? nowMs) > ALIVE_MS) this.#backMs.set(node, nowMs);
    this.#heardMs.set(node, nowMs);
  }

  #claim(claim: Claim): void {
    const before = this.#newest.get(claim.partition);
    if (before && before.epoch >= claim.epoch) return;
    this.#newest.set(claim.partition, claim);
    if (before?.node === undefined || claim.node === undefined) return;
    // Itself, or the process that was there before and is dead.
    if (machineOf(before.node) === machineOf(claim.node)) return;
    const { nowMs } = this.#scheduler;
    if (nowMs - (this.#backMs.get(before.node) ?? Number.NEGATIVE_INFINITY) < LATE_MS) return;
    const silentMs = nowMs - (this.#heardMs.get(before.node) ?? Number.NEGATIVE_INFINITY);
    if (silentMs < ALIVE_MS)
      this.wrong.push(
        `${claim.node} took partition ${claim.partition} from ${before.node}, heard ${Math.round(silentMs)} ms ago`,
      );
  }
}

/** Processes are called `MACHINE.NUMBER`. */
const machineOf = (node: string): string => node.slice(0, node.indexOf("."));
