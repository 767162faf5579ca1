import { EventEmitter } from "node:events";
import { EventBus } from "../../runtime/index.ts";
import { microsecondsPer } from "../cpu.ts";
import type { Benchmark, Size } from "../harness.ts";

/** One event to two handlers: on the bus inside the process, through three middlewares, and on a bare EventEmitter. */

const TOPIC = "assent.out.default.leave.approved";
const COUNTS: Record<Size, number> = { quick: 200_000, full: 5_000_000 };
/** So many are timed one by one for the percentiles. */
const TIMED: Record<Size, number> = { quick: 20_000, full: 1_000_000 };

interface Message {
  readonly id: string;
  readonly size: number;
}

export const bus: readonly Benchmark[] = [
  {
    id: "bus",
    what: "an event in process: 3 middlewares, 2 handlers",
    unit: "ns",
    better: "lower",
    referenceName: "EventEmitter, 2 handlers",
    goal: 1 / 1.3,
    ours: async (size) => mean(throughBus(), size),
    reference: async (size) => mean(throughEmitter(), size),
  },
  ...([50, 99] as const).map(
    (percent): Benchmark => ({
      id: `bus-p${percent}`,
      what: `the same, p${percent} of single events, with the clock's own time`,
      unit: "ns",
      better: "lower",
      referenceName: "EventEmitter, 2 handlers",
      ours: async (size) => percentile(throughBus(), size, percent),
      reference: async (size) => percentile(throughEmitter(), size, percent),
    }),
  ),
];

interface Way {
  send(message: Message): void;
  /** How many events the handlers have seen. */
  readonly seen: { first: number; second: number };
}

function throughBus(): Way {
  const seen = { first: 0, second: 0 };
  const events = new EventBus<Message>();
  const passed = { events: 0, bytes: 0 };
  events.use((message) => {
    passed.events += 1;
    return message;
  });
  events.use((message) => (message.id === "" ? undefined : message));
  events.use((message) => {
    passed.bytes += message.size;
    return message;
  });
  events.subscribe("assent.out.*.leave.>", (message) => {
    seen.first += Math.sign(message.size);
  });
  events.subscribe(TOPIC, (message) => {
    seen.second += Math.sign(message.size);
  });
  return { send: (message) => void events.publish(TOPIC, message), seen };
}

function throughEmitter(): Way {
  const seen = { first: 0, second: 0 };
  const events = new EventEmitter();
  events.on(TOPIC, (message: Message) => {
    seen.first += Math.sign(message.size);
  });
  events.on(TOPIC, (message: Message) => {
    seen.second += Math.sign(message.size);
  });
  return { send: (message) => void events.emit(TOPIC, message), seen };
}

const messages: readonly Message[] = Array.from({ length: 64 }, (_, n) => ({ id: `m-${n}`, size: n + 1 }));

/** Processor time: the clock would count what neighbours take. */
function mean({ send, seen }: Way, size: Size): number {
  const count = COUNTS[size];
  let next = 0;
  const microseconds = microsecondsPer(count, () => {
    send(messages[next++ % messages.length]!);
    return true;
  });
  check(seen, 2 * count);
  return microseconds * 1_000;
}

function percentile({ send, seen }: Way, size: Size, percent: number): number {
  const count = TIMED[size];
  for (let n = 0; n < count; n++) send(messages[n % messages.length]!);
  const times = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    const started = process.hrtime.bigint();
    send(messages[n % messages.length]!);
    times[n] = Number(process.hrtime.bigint() - started);
  }
  check(seen, 2 * count);
  return times.sort()[Math.floor((count * percent) / 100)]!;
}

function check(seen: Way["seen"], sent: number): void {
  if (seen.first !== sent || seen.second !== sent) throw new Error(`${sent} sent, ${JSON.stringify(seen)} arrived`);
}
