import type { Random } from "../random.ts";

/** What goes wrong in one world, and how often. Rates are per call or message, from 0 to 1; 0: it never does. */
export interface Disturbances {
  /** A call doesn't reach the store. */
  readonly storeLost: number;
  /** The store did what it was asked, and its answer is lost, or comes seconds later. */
  readonly storeAnswerLost: number;
  /** Rows of one batch become durable one by one; if the node dies meanwhile, some never do. */
  readonly torn: number;
  /** What follows from an entry is brought into the lists once more. */
  readonly broughtInAgain: number;
  /** A request to a node, or its answer, is lost. */
  readonly requestLost: number;
  /** A client asks another node as well, without waiting for the first. */
  readonly requestDoubled: number;
  readonly publishLost: number;
  readonly publishAnswerLost: number;
  readonly ackLost: number;
  /** The stream delivers a message again although nothing is wrong. */
  readonly redelivered: number;
  /** A service or an action fails without having done anything. */
  readonly callFailed: number;
  /** It has done what it was asked, and its answer never comes. */
  readonly callAnswerLost: number;
  /** Of what happens to nodes and servers as a whole: how many per minute. */
  readonly perMinute: Readonly<Record<Calamity, number>>;
  /** Clocks of machines differ by up to so much. */
  readonly skewMs: number;
}

export const CALAMITIES = [
  "crash",
  "restart",
  "stop",
  "cut from the bus",
  "cut from the store",
  "store away",
  "slow disk",
  "clock jump",
  "new version",
] as const;
export type Calamity = (typeof CALAMITIES)[number];

const CALM: Disturbances = {
  ...{
    storeLost: 0,
    storeAnswerLost: 0,
    torn: 0,
    requestLost: 0,
    requestDoubled: 0,
    publishLost: 0,
    broughtInAgain: 0,
  },
  ...{ publishAnswerLost: 0, ackLost: 0, redelivered: 0, callFailed: 0, callAnswerLost: 0, skewMs: 0 },
  perMinute: Object.fromEntries(CALAMITIES.map((name) => [name, 0])) as Record<Calamity, number>,
};

/** Every world is disturbed in its own way: about half of what may go wrong does, so that each combination has its turn. */
export function drawDisturbances(random: Random): Disturbances {
  const rate = (most: number): number => (random.chance(0.5) ? random.between(most / 10, most) : 0);
  return {
    storeLost: rate(0.05),
    storeAnswerLost: rate(0.05),
    torn: rate(1),
    broughtInAgain: rate(0.2),
    requestLost: rate(0.2),
    requestDoubled: rate(0.3),
    publishLost: rate(0.1),
    publishAnswerLost: rate(0.1),
    ackLost: rate(0.1),
    redelivered: rate(0.1),
    callFailed: rate(0.4),
    callAnswerLost: rate(0.3),
    skewMs: random.chance(0.5) ? random.between(10, 20_000) : 0,
    perMinute: Object.fromEntries(CALAMITIES.map((name) => [name, rate(6)])) as Record<Calamity, number>,
  };
}

/** How the world is disturbed at present. */
export class Weather {
  now: Disturbances;

  constructor(disturbances: Disturbances) {
    this.now = disturbances;
  }

  /** Nothing goes wrong any more. */
  calm(): void {
    this.now = CALM;
  }
}
