import { Gauge, Histogram, type Registry } from "prom-client";
import type { CallObserver } from "./services/calls.ts";
import type { Circuit } from "./services/circuit.ts";

/** Services that get a label of their own; later ones count as `other`. */
const SERVICES_MAX = 100;

/** Figures of calls to services: how many ended how, how long they took, and how many of its endpoints are in which circuit. */
export function serviceMetrics(registry: Registry): Required<CallObserver> {
  const registers = [registry];
  const calls = new Histogram({
    name: "assent_service_call_seconds",
    help: "Calls to services, by how they ended; `not-asked`: the circuit was open.",
    labelNames: ["service", "result"],
    buckets: [0.001, 0.004, 0.016, 0.064, 0.256, 1, 5],
    registers,
  });
  const circuits = new Gauge({
    name: "assent_service_circuits",
    help: "Endpoints of a service that are not asked now (`open`), or tried by one call (`half-open`).",
    labelNames: ["service", "state"],
    registers,
  });
  const states = new Map<string, Circuit["kind"]>();
  const named = new Set<string>();
  const labelOf = (service: string): string => {
    if (named.size < SERVICES_MAX) named.add(service);
    return named.has(service) ? service : "other";
  };
  return {
    called: (service, result, seconds) => calls.observe({ service: labelOf(service), result }, seconds),
    circuit(service, address, state) {
      const before = states.get(address);
      if (before !== undefined) circuits.dec({ service: labelOf(service), state: before });
      states.delete(address);
      if (state === "closed") return;
      circuits.inc({ service: labelOf(service), state });
      states.set(address, state);
    },
  };
}
