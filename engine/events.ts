import type { Data, PayloadField } from "../dsl/index.ts";
import { tellChanges } from "./actions.ts";
import type { Draft } from "./draft.ts";
import { begin, startOf } from "./entering.ts";
import { eventType } from "./machine.ts";
import { allowedLines, canTake, settle, takeLine } from "./moves.ts";
import { type FlowDraft, type PlaceDraft, placesBelow } from "./place.ts";
import type { Prepared } from "./prepare.ts";
import { isPutOff } from "./put-off.ts";
import { type Fault, refuse, refusePayload, type Stop } from "./refusal.ts";
import { resumeMove } from "./resumed-moves.ts";
import { refuseFinished, refuseSuspended } from "./tasks.ts";
import type { Command, EpochMs, Instance, Payload, Refusal } from "./types.ts";
import { readPayload } from "./values.ts";

/** Commands of one kind, also of one that shares its shape with others. */
export type CommandOf<Kind extends Command["kind"], Each = Command> = Each extends Command
  ? Kind extends Each["kind"]
    ? Each & { readonly kind: Kind }
    : never
  : never;

/** A new instance before its first command is accepted. */
export function newInstance({ definition, defaults }: Prepared, command: CommandOf<"start">, at: EpochMs): Instance {
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
    ...startOf(initial, at),
    data: defaults,
    version: 0,
    startedAt: at,
    updatedAt: at,
    rounds: {},
    closedTasks: {},
    timers: [],
    counters: { task: 0, timer: 0 },
    touched: 0,
    documents: {},
    copied: [],
    recent: [],
  };
}

/** Starts, and takes the first event if there is one: both or neither. */
export function start(draft: Draft, command: CommandOf<"start">): Stop | undefined {
  const { event, initiator, key } = command;
  const { flow } = draft;
  draft.actor ??= initiator.id;
  const listed = (event !== undefined && flow.prepared.events.get(event)) || [];
  const carried = { ...command.data, ...command.payload };
  const [forEvent, forData] = divide(carried, (field) => listed.some(({ name }) => name === field));
  const read = readData(flow, forData);
  if (event === undefined && read.faults) return refusePayload(read.faults);
  if (read.values) setData(flow, read.values, read.cleared);
  draft.tell({ kind: "started", by: draft.actor, key });
  draft.publish(flow, "instance.started", { initiator: initiator.id });
  begin(draft.place);
  const stop = settleAll(draft);
  if (stop || event === undefined) return stop;
  return sendEvent(draft, event, forEvent, read.faults);
}

/** The part of a payload that these fields hold, and the rest. */
function divide(payload: Payload, isWanted: (field: string) => boolean): readonly [Payload, Payload] {
  const names = Object.keys(payload);
  if (names.every(isWanted)) return [payload, NOTHING];
  const part = (wanted: boolean): Payload =>
    Object.fromEntries(Object.entries(payload).filter(([name]) => isWanted(name) === wanted));
  return [part(true), part(false)];
}

const NOTHING: Payload = {};

/** Goes on until somebody has to act again; sub-flows that were started get their event. */
export function settleAll(draft: Draft): Stop | undefined {
  return settle(draft, startChild, resumeMove);
}

/** In the name of the initiator, as if he had sent it; then the decision goes on as it was. */
function startChild({ draft, flow }: PlaceDraft, event: string): Stop | undefined {
  const { actor, event: before, payload } = draft;
  draft.actor = draft.instance.initiator.id;
  const stop = sendTo(flow, event, {}, []);
  draft.actor = actor;
  draft.event = before;
  draft.payload = payload;
  return stop;
}

/** An event from outside. @param faults of a start's other data, refused together with the payload's. */
export function sendEvent(
  draft: Draft,
  event: string,
  payload: Payload,
  faults: readonly Fault[] = [],
): Stop | undefined {
  const flow = flowFor(draft.flow, eventType.event(event)) ?? draft.flow;
  return refuseEvent(flow, event) ?? sendTo(flow, event, payload, faults);
}

/** The outermost flow in which somebody waits for the event. */
function flowFor(flow: FlowDraft, type: string): FlowDraft | undefined {
  if (listeners(flow.place, type).length > 0) return flow;
  for (const place of placesBelow(flow.place)) {
    const found = place.child && flowFor(place.child, type);
    if (found) return found;
  }
  return undefined;
}

/** Places of one flow whose state has a line for the event, the inner before the outer. */
function listeners(place: PlaceDraft, type: string): readonly PlaceDraft[] {
  const own = place.state.lines.has(type) && !isPutOff(place) ? [place] : [];
  if (place.branches.size === 0) return own;
  return [...[...place.branches.values()].flatMap((branch) => listeners(branch, type)), ...own];
}

function refuseEvent({ prepared, now, draft, place }: FlowDraft, event: string): Refusal | undefined {
  if (!prepared.events.has(event)) {
    return refuse("unknown-event", `The flow \`${now.flow}\` has no event \`${event}\`.`, {
      events: [...prepared.events.keys()],
    });
  }
  if (draft.instance.outcome !== undefined) return refuseFinished(draft.instance.outcome);
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  if (listeners(place, eventType.event(event)).length > 0) return undefined;
  return refuse("not-possible-in-state", `\`${event}\` is not possible in \`${now.state}\`.`, { state: now.state });
}

function sendTo(flow: FlowDraft, event: string, payload: Payload, faults: readonly Fault[]): Stop | undefined {
  const { draft, prepared } = flow;
  const { actor } = draft;
  draft.event = event;
  draft.tell({ kind: "event", event, ...(actor !== undefined && { by: actor }) });
  const fields = prepared.events.get(event);
  if (!fields) return refuse("unknown-event", `The flow \`${flow.now.flow}\` has no event \`${event}\`.`);
  const read = readPayload(fields, payload, prepared.currency);
  draft.payload = "values" in read ? read.values : {};
  return dispatch(flow.place, eventType.event(event), () => {
    const all = "faults" in read ? [...faults, ...read.faults] : faults;
    if (all.length > 0) return refusePayload(all);
    const { data } = flow.now;
    setData(flow, dataOf(fields, draft.payload), "cleared" in read ? read.cleared : []);
    tellChanges(flow, data);
    return undefined;
  });
}

/**
 * Every branch that has a line for the event takes it; if none of them does, the state around them.
 * @param receive takes in what the event carries. It runs after `by`, so that nobody can let himself pass with it.
 */
function dispatch(root: PlaceDraft, type: string, receive: () => Stop | undefined): Stop | undefined {
  const all = listeners(root, type);
  const allowed = all.map((place) => allowedLines(place, type));
  const passing = all.filter((_, index) => !isStop(allowed[index]));
  const needs = allowed.find((one) => isStop(one) && one.kind === "needs");
  if (needs || passing.length === 0) return ((needs ?? allowed.at(-1)) as Stop | undefined) ?? refuseNowhere(root);
  const stop = receive();
  if (stop) return stop;
  const taken: PlaceDraft[] = [];
  for (const place of passing) {
    const lines = allowed[all.indexOf(place)] as ReadonlySet<number> | undefined;
    const isLast = place === passing.at(-1);
    if (place.gone || taken.some((inner) => isInside(inner, place))) continue;
    if (!(isLast && taken.length === 0) && !canTake(place, type, lines)) continue;
    const refused = takeLine(place, type, lines);
    if (refused) return refused;
    taken.push(place);
  }
  return root.draft.blocked();
}

function isStop(found: ReadonlySet<number> | Stop | undefined): found is Stop {
  return found !== undefined && "kind" in found;
}

function refuseNowhere({ now: { state } }: PlaceDraft): Refusal {
  return refuse("not-possible-in-state", `The event is not possible in \`${state}\`.`, { state });
}

function isInside(inner: PlaceDraft, outer: PlaceDraft): boolean {
  for (let at: PlaceDraft | undefined = inner; at; at = at.outer) if (at === outer) return true;
  return false;
}

interface Reading {
  readonly values?: Data;
  readonly cleared?: readonly string[];
  readonly faults?: readonly Fault[];
}

/** Any of the flow's fields. */
function readData({ prepared }: FlowDraft, payload: Payload): Reading {
  if (payload === NOTHING) return {};
  const fields = [...prepared.fields.values()].map((field) => ({ ...field, data: true }));
  return readPayload(fields, payload, prepared.currency);
}

export function setData({ now }: FlowDraft, values: Data, cleared: readonly string[] = []): void {
  const kept =
    cleared.length === 0
      ? now.data
      : Object.fromEntries(Object.entries(now.data).filter(([name]) => !cleared.includes(name)));
  now.data = { ...kept, ...values };
}

/** The part of a payload that the flow's fields hold. */
function dataOf(fields: readonly PayloadField[], payload: Data): Data {
  if (fields.every((field) => field.data)) return payload;
  const names = new Set(fields.filter((field) => field.data).map((field) => field.name));
  return Object.fromEntries(Object.entries(payload).filter(([name]) => names.has(name)));
}
