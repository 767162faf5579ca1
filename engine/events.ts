import type { Data, PayloadField } from "../dsl/index.ts";
import { tellChanges } from "./actions.ts";
import type { Draft } from "./draft.ts";
import { eventType } from "./machine.ts";
import { begin, settle, takeLine } from "./moves.ts";
import { type Fault, refuse, refusePayload, type Stop } from "./refusal.ts";
import type { Command, EpochMs, Instance, Payload, Refusal } from "./types.ts";
import { readPayload } from "./values.ts";

export type CommandOf<Kind extends Command["kind"]> = Extract<Command, { kind: Kind }>;

/** A new instance before its first command is accepted. */
export function newInstance(
  { definition, defaults }: Draft["prepared"],
  command: CommandOf<"start">,
  at: EpochMs,
): Instance {
  const { tenant, instance, key, initiator, tag } = command;
  const { flow, hash, label, initial } = definition;
  return {
    tenant,
    id: instance,
    flow,
    key,
    definition: hash,
    ...(label !== undefined && { label }),
    ...(tag !== undefined && { tag }),
    initiator,
    state: initial,
    data: defaults,
    version: 0,
    startedAt: at,
    updatedAt: at,
    enteredAt: at,
    path: [initial],
    rounds: {},
    closedTasks: {},
    timers: [],
    counters: { task: 0, timer: 0 },
    touched: false,
    documents: {},
    copied: [],
    irrevocable: [],
    recent: [],
  };
}

/** Starts, and takes the first event if there is one: both or neither. */
export function start(draft: Draft, command: CommandOf<"start">): Stop | undefined {
  const { event, initiator, key } = command;
  draft.actor ??= initiator.id;
  const carried = { ...command.data, ...command.payload };
  const listed = new Set((event === undefined ? [] : (draft.prepared.events.get(event) ?? [])).map(({ name }) => name));
  const forEvent = Object.entries(carried).filter(([name]) => listed.has(name));
  const forData = Object.entries(carried).filter(([name]) => !listed.has(name));
  const read = readData(draft, Object.fromEntries(forData));
  if (event === undefined && read.faults) return refusePayload(read.faults);
  if (read.values) setData(draft, read.values, read.cleared);
  draft.tell({ kind: "started", by: draft.actor, key });
  draft.publish("instance.started", { initiator: initiator.id });
  begin(draft);
  const stop = settle(draft);
  if (stop || event === undefined) return stop;
  return sendEvent(draft, event, Object.fromEntries(forEvent), read.faults);
}

/** An event from outside. @param faults of a start's other data, refused together with the payload's. */
export function sendEvent(
  draft: Draft,
  event: string,
  payload: Payload,
  faults: readonly Fault[] = [],
): Stop | undefined {
  const stop = refuseEvent(draft, event);
  if (stop) return stop;
  const { actor, prepared } = draft;
  draft.event = event;
  draft.tell({ kind: "event", event, ...(actor !== undefined && { by: actor }) });
  const fields = prepared.events.get(event)!;
  const read = readFields(draft, fields, payload);
  if (read.values) draft.payload = read.values;
  return takeLine(draft, eventType.event(event), () => {
    const all = [...faults, ...(read.faults ?? [])];
    if (all.length > 0) return refusePayload(all);
    const { data } = draft.instance;
    setData(draft, dataOf(fields, draft.payload), read.cleared ?? []);
    tellChanges(draft, data);
    return undefined;
  });
}

function refuseEvent({ prepared, instance, state }: Draft, event: string): Refusal | undefined {
  if (!prepared.events.has(event)) {
    return refuse("unknown-event", `The flow \`${instance.flow}\` has no event \`${event}\`.`, {
      events: [...prepared.events.keys()],
    });
  }
  if (instance.outcome !== undefined) return refuseFinished(instance.outcome);
  if (state.lines.has(eventType.event(event))) return undefined;
  return refuse("not-possible-in-state", `\`${event}\` is not possible in \`${instance.state}\`.`, {
    state: instance.state,
  });
}

export function refuseFinished(outcome: string): Refusal {
  return refuse("finished", `The instance has finished with \`${outcome}\`.`, { outcome });
}

interface Reading {
  readonly values?: Data;
  readonly cleared?: readonly string[];
  readonly faults?: readonly Fault[];
}

/** Any of the flow's fields. */
function readData(draft: Draft, payload: Payload): Reading {
  const fields = [...draft.prepared.fields.values()].map((field) => ({ ...field, data: true }));
  return readFields(draft, fields, payload);
}

function readFields({ prepared }: Draft, fields: readonly PayloadField[], payload: Payload): Reading {
  return readPayload(fields, payload, prepared.currency);
}

export function setData(draft: Draft, values: Data, cleared: readonly string[] = []): void {
  const { instance } = draft;
  const kept =
    cleared.length === 0
      ? instance.data
      : Object.fromEntries(Object.entries(instance.data).filter(([name]) => !cleared.includes(name)));
  instance.data = { ...kept, ...values };
}

/** The part of a payload that the flow's fields hold. */
function dataOf(fields: readonly PayloadField[], payload: Data): Data {
  const names = new Set(fields.filter((field) => field.data).map((field) => field.name));
  return Object.fromEntries(Object.entries(payload).filter(([name]) => names.has(name)));
}
