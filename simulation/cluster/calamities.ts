import { BROKEN, VERSIONS } from "../load/flows.ts";
import type { World } from "../simulate.ts";
import { CALAMITIES, type Calamity } from "./disturbances.ts";
import type { Machine } from "./node.ts";

/** So long most of them last. */
const TYPICAL_MS = 4_000;
const JUMP_MS = 30_000;

/** Each comes again and again, at random, for as long as the world is disturbed. */
export function planCalamities(world: World): void {
  for (const calamity of CALAMITIES) plan(calamity, world);
}

function plan(calamity: Calamity, world: World): void {
  const { scheduler, weather, machines } = world;
  const rate = weather.now.perMinute[calamity];
  if (rate === 0) return;
  scheduler.after(scheduler.random.delayMs(60_000 / rate), calamity, () => {
    if (weather.now.perMinute[calamity] === 0) return;
    const machine = scheduler.random.pick(machines);
    scheduler.note(`${calamity}: ${machine.name}`);
    STRIKE[calamity](world, machine, scheduler.random.delayMs(TYPICAL_MS));
    plan(calamity, world);
  });
}

const STRIKE: Readonly<Record<Calamity, (world: World, machine: Machine, forMs: number) => void>> = {
  crash: (_, machine) => machine.crash(),
  restart: (_, machine) => machine.restart(),
  stop: (_, { running }, forMs) => running?.process.stop(forMs),
  "cut from the bus": (_, { running }, forMs) => running?.bus.cut(forMs),
  "cut from the store": (_, { running }, forMs) => running?.store.cut(forMs),
  "store away": ({ store, scheduler }, _, forMs) => {
    store.awayUntilMs = scheduler.nowMs + forMs;
  },
  "slow disk": ({ store, scheduler }, _, forMs) => {
    store.slowUntilMs = scheduler.nowMs + forMs;
  },
  "clock jump": ({ scheduler }, { clock }) => {
    clock.skewMs += scheduler.random.between(-JUMP_MS, JUMP_MS);
  },
  "new version": deploy,
};

/** Now and then a broken one; each machine sees it at its own time. */
function deploy({ scheduler, machines }: World): void {
  const { random } = scheduler;
  const text = random.chance(0.2) ? BROKEN : random.pick(VERSIONS);
  for (const machine of machines) {
    scheduler.after(random.delayMs(1_000), `${machine.name} is given a version`, () => machine.deploy(text));
  }
}
