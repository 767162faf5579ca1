import type { Store } from "../../runtime/index.ts";
import type { World } from "../simulate.ts";
import { checkClaims } from "./claims.ts";
import { checkCommands } from "./commands.ts";
import { checkEffects } from "./effects.ts";
import { readJournal, type Story } from "./journal.ts";
import { checkModel } from "./model.ts";
import { checkStored } from "./stored.ts";
import { checkTenants } from "./tenants.ts";
import { checkTimers } from "./timers.ts";

/** A promise that was not kept. */
export interface Violation {
  readonly check: string;
  readonly what: string;
}

/** What the checks look at when all is over. */
export interface Outcome {
  readonly world: World;
  /** What is durable. */
  readonly disk: Store;
  readonly stories: readonly Story[];
  readonly byInstance: ReadonlyMap<string, Story>;
}

type Check = (outcome: Outcome) => Iterable<Violation> | AsyncIterable<Violation>;

const CHECKS: readonly Check[] = [
  checkStored,
  checkCommands,
  checkEffects,
  checkTimers,
  checkModel,
  checkTenants,
  checkClaims,
];

/** Compares what is durable, and what the world outside has seen, with what was promised. */
export async function check(world: World): Promise<readonly Violation[]> {
  const disk = await world.store.look();
  const stories = await readJournal(disk);
  const byInstance = new Map(stories.map((story) => [story.instance, story]));
  const violations: Violation[] = [];
  for (const one of CHECKS)
    for await (const violation of one({ world, disk, stories, byInstance })) violations.push(violation);
  return violations;
}
