import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { serviceMetrics } from "./metrics-of-services.ts";
import type { NodeObserver } from "./node.ts";

/** Figures that are read when somebody asks for `/metrics`. */
export interface Figures {
  readonly waitingCommands: number;
  readonly pendingEffects: number;
  /** That this node carries out. */
  readonly ownedPartitions: number;
  /** Given up at those who listen in this process and asked for it. */
  readonly droppedEvents: number;
  /** Commands that may wait before callers from outside are turned away. */
  readonly waitingLimit: number;
}

export interface Metrics extends NodeObserver {
  journalWritten(seconds: number): void;
  /** Names where the gauges come from. */
  watch(figures: () => Figures): void;
  /** In Prometheus' text format, as `/metrics` answers. */
  text(): Promise<string>;
}

/** Tenants that get a label of their own; later ones count as `other`, so that figures stay few. */
const TENANTS_MAX = 50;
const ANSWERS = new Set(["accepted", "duplicate", "not-found"]);

/** A registry of its own: nothing is shared with other nodes in the process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const countCommand = counter(registry, {
    name: "assent_commands_total",
    help: "Commands decided.",
    labelNames: ["tenant", "kind", "result"],
  });
  const countRefusal = counter(registry, {
    name: "assent_refusals_total",
    help: "Commands refused, by the refusal's code.",
    labelNames: ["code"],
  });
  const countEffect = counter(registry, {
    name: "assent_effects_total",
    help: "Effects carried out.",
    labelNames: ["kind", "result"],
  });
  const countOverQuota = counter(registry, {
    name: "assent_quota_refusals_total",
    help: "Commands refused because their tenant has as much as it may.",
    labelNames: ["tenant", "quota"],
  });
  const batch = new Histogram({
    name: "assent_turn_instances",
    help: "Instances written in one turn.",
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  });
  const writes = new Histogram({
    name: "assent_journal_write_seconds",
    help: "Time of one write to the journal.",
    buckets: [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 4],
    registers,
  });
  const figures = addGauges(registry);
  const labelOf = tenantLabels();
  return {
    decided(tenant, kind, result) {
      const refused = !ANSWERS.has(result);
      countCommand(labelOf(tenant), kind, refused ? "refused" : result);
      if (refused) countRefusal(result);
    },
    ...serviceMetrics(registry),
    performed: (kind, result) => countEffect(kind, result),
    overQuota: (tenant, quota) => countOverQuota(labelOf(tenant), quota),
    committed: (instances) => batch.observe(instances),
    journalWritten: (seconds) => writes.observe(seconds),
    watch: figures.watch,
    text: () => registry.metrics(),
  };
}

interface CounterDescription {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/**
 * Makes a counter and gives the function that counts, by the values of its labels in their order. What is counted reaches
 * the registry when somebody asks for the figures: finding a counter by its labels there costs more than a command should.
 */
function counter(registry: Registry, { name, help, labelNames }: CounterDescription): (...values: string[]) => void {
  const counted = new Map<string, { readonly labels: Record<string, string>; count: number }>();
  new Counter({
    ...{ name, help, labelNames: [...labelNames], registers: [registry] },
    collect() {
      for (const { labels, count } of counted.values()) this.inc(labels, count);
      counted.clear();
    },
  });
  return (...values) => {
    const key = values.join("\u0000");
    const known = counted.get(key);
    if (known) known.count += 1;
    else
      counted.set(key, { labels: Object.fromEntries(labelNames.map((label, at) => [label, values[at]!])), count: 1 });
  };
}

const NOTHING: Figures = {
  waitingCommands: 0,
  waitingLimit: 0,
  pendingEffects: 0,
  ownedPartitions: 0,
  droppedEvents: 0,
};

function addGauges(registry: Registry): { watch(figures: () => Figures): void } {
  let read: () => Figures = () => NOTHING;
  const gauge = (name: string, help: string, figure: keyof Figures): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read()[figure]);
      },
    });
  };
  gauge("assent_waiting_commands", "Commands that wait for their answer.", "waitingCommands");
  gauge("assent_waiting_limit", "Commands that may wait before callers are turned away.", "waitingLimit");
  gauge("assent_dropped_events", "Given up at listeners in this process that asked for it.", "droppedEvents");
  gauge("assent_owned_partitions", "Partitions whose effects, timers and messages are this node's.", "ownedPartitions");
  gauge("assent_outbox_pending", "Effects handed over that are not done.", "pendingEffects");
  return {
    watch(figures) {
      read = figures;
    },
  };
}

function tenantLabels(): (tenant: string) => string {
  const known = new Set<string>();
  return (tenant) => {
    if (known.has(tenant)) return tenant;
    if (known.size >= TENANTS_MAX) return "other";
    known.add(tenant);
    return tenant;
  };
}
