import { EventBus } from "./bus/event-bus.ts";
import { OutEvents } from "./bus/out-events.ts";
import type { Bus, Clock, Json } from "./ports.ts";
import type { RegistryEvent } from "./registry.ts";
import type { Circuit } from "./services/circuit.ts";

/**
 * What a node tells of itself inside its process. Topics: `registry.activated`, `registry.refused`, `registry.removed`;
 * `service.open`, `service.half-open`, `service.closed` where one is no longer asked, is tried, is asked again.
 */
export type NodeEvent =
  | { readonly kind: "registry"; readonly change: RegistryEvent }
  | {
      readonly kind: "circuit";
      readonly service: string;
      /** Which of its endpoints. */
      readonly address: string;
      readonly circuit: Circuit["kind"];
    };

export interface NodeEventsPorts {
  readonly bus: Bus;
  readonly clock: Pick<Clock, "now">;
  onError(error: unknown): void;
}

/** A node's events; changes of the registry go out to `assent.out.>`, too. */
export function nodeEvents({ bus, clock, onError }: NodeEventsPorts): EventBus<NodeEvent> {
  const events = new EventBus<NodeEvent>(onError);
  const out = new OutEvents();
  events.subscribe("registry.*", (event) =>
    event.kind === "registry" ? bus.publish(registryMessages(event.change, clock.now(), out, bus)) : undefined,
  );
  return events;
}

function registryMessages(change: RegistryEvent, at: number, out: OutEvents, bus: Bus) {
  const { kind, file } = change;
  // What never was active has no flow to be told under.
  const flows = change.flows.length > 0 ? change.flows : [{ flow: "registry" }];
  const data = registryData(change);
  return flows.flatMap(({ flow }) => {
    const id = `registry:${kind}:${file}:${flow}:${at}`;
    const about = { tenant: "default", flow, instance: file, id, event: `registry.${kind}`, at, data, carried: {} };
    return out.message(about, bus) ?? [];
  });
}

function registryData(event: RegistryEvent): Json {
  const about = { file: event.file, flows: event.flows };
  if (event.kind !== "refused") return about;
  return { ...about, problems: event.diagnostics.map(({ code, message }) => ({ code, message })) };
}
