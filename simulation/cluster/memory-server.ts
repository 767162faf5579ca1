import {
  type AppendResult,
  type AppendRow,
  openMemoryStore,
  type Store,
  StoreUnavailable,
} from "../../runtime/index.ts";
import { PATIENCE_MS, type StoreLink, StoreServer } from "./store-server.ts";

/** The store in memory behind a network: what any store promises, at its worst. */
export class MemoryServer extends StoreServer {
  readonly landsLate = false;
  readonly disk: Store = openMemoryStore({ shared: true, later: (bringIn) => this.#bringInLater(bringIn) });

  prepare(partitions: number): Promise<void> {
    return this.disk.setSetting("partitions", String(partitions));
  }

  open(link: StoreLink): Promise<Store> {
    return Promise.resolve(connection(this, link));
  }

  async look(): Promise<Store> {
    await this.disk.caughtUp();
    return this.disk;
  }

  behind(): readonly string[] {
    return [];
  }

  async append(rows: readonly AppendRow[]): Promise<AppendResult> {
    const { taken } = await this.disk.append(rows);
    const lost = new Set(taken.map(({ instance }) => instance));
    for (const { instance, projection } of rows)
      if (!lost.has(instance)) this.wrote(instance, projection.summary?.version);
    return { taken };
  }

  /** Now and then once more, as by one who takes over from a dead node. */
  #bringInLater(bringIn: () => void): void {
    this.scheduler.after(this.delayMs(true), "store: brings in", bringIn);
    if (this.random.chance(this.weather.now.broughtInAgain))
      this.scheduler.after(this.random.delayMs(5_000), "store: brings in again", bringIn);
  }
}

const connection = (server: MemoryServer, link: StoreLink): Store =>
  new Proxy(server.disk, {
    get(disk, name) {
      const own = disk[name as keyof Store];
      if (typeof own !== "function") return own;
      return (...given: readonly unknown[]) => call(server, link, name as keyof Store, given);
    },
  });

const WRITES = /^(append|settle|drop|deadLetter$|set|reproject|claim|beat|bury|keep|archive|prune|rewrap)/;
/** What does not read the lists. */
const LISTS = /^(?!load$|history$|claim$|beat$|cluster$|getSetting$|setSetting$|keepSetting$)/;

function call(server: MemoryServer, link: StoreLink, name: keyof Store, given: readonly unknown[]): Promise<unknown> {
  if (name === "close") return Promise.resolve();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const { random, weather, scheduler } = server;
  const { process } = link;
  const answer = (settle: () => void, delayMs = server.delayMs(false)): void => {
    process.after(delayMs, `hears from the store: ${name}`, settle);
  };
  const fail = (): void =>
    answer(() => reject(new StoreUnavailable(`no answer: ${name}`)), random.between(1, PATIENCE_MS));
  const done = (value: unknown, isLost: boolean): void => {
    if (!isLost) answer(() => resolve(value));
    // Of a journal's entry a store finds out what became of it, before it says anything.
    else if (name === "append") answer(() => resolve(value), random.between(500, 8_000));
    else fail();
  };
  const arrive = (): void => {
    // What was sent before the process died may still arrive.
    if (!process.isAlive && random.chance(0.5)) return;
    if (server.isAway) {
      fail();
      return;
    }
    const isLost = link.isCut || random.chance(weather.now.storeAnswerLost);
    carryOut(server, link, name, given).then(
      (value) => done(value, isLost),
      (error: unknown) => answer(() => reject(error)),
    );
  };
  if (link.isCut || random.chance(weather.now.storeLost)) fail();
  else scheduler.after(server.delayMs(WRITES.test(name)), `store: ${name} of ${process.name}`, arrive);
  return promise;
}

function carryOut(server: MemoryServer, link: StoreLink, name: keyof Store, given: readonly unknown[]) {
  const { disk, random, weather } = server;
  if (name === "append") {
    const rows = given[0] as readonly AppendRow[];
    return random.chance(weather.now.torn) ? appendTorn(server, link, rows) : server.append(rows);
  }
  server.claims.see(name, given);
  // Whoever reads lists sees what was written before.
  if (LISTS.test(name)) void disk.caughtUp();
  return (disk[name] as (...all: readonly unknown[]) => Promise<unknown>).apply(disk, given as unknown[]);
}

/** Row by row, in any order, each at its own time. */
async function appendTorn(server: MemoryServer, link: StoreLink, rows: readonly AppendRow[]): Promise<AppendResult> {
  const results = await Promise.all(server.random.shuffled(rows).map((row) => appendOne(server, link, row)));
  return { taken: results.flatMap(({ taken }) => taken) };
}

function appendOne(server: MemoryServer, { process }: StoreLink, row: AppendRow): Promise<AppendResult> {
  const { promise, resolve, reject } = Promise.withResolvers<AppendResult>();
  server.scheduler.after(server.delayMs(true), `store: a row of ${process.name}`, () => {
    if (process.isAlive || server.random.chance(0.5)) server.append([row]).then(resolve, reject);
  });
  return promise;
}
