import type { Action, Data, DocumentDefinition, FieldDefinition, Route, Value } from "../dsl/index.ts";
import { changedFields } from "./draft.ts";
import { evaluate, evaluateShown } from "./evaluation.ts";
import { findPeople } from "./people.ts";
import type { FlowDraft, PlaceDraft } from "./place.ts";
import { contextOf, withoutSecrets } from "./questions.ts";
import type { DocumentValue } from "./types.ts";
import { presentValue } from "./values.ts";
import { noteSecrets } from "./views.ts";

/** The part of a line's actions that belongs to the commit: `set`, in order, each seeing the one before. */
export function applySets(place: PlaceDraft, actions: readonly Action[]): void {
  const before = place.flow.now.data;
  for (const action of actions) {
    if (action.kind === "set") setField(place, action.field, evaluate(place, action.value));
  }
  tellChanges(place.flow, before);
}

/** Replaces a field's value, or empties it. */
function setField({ flow }: PlaceDraft, name: string, value: Value | undefined): void {
  const { [name]: _, ...others } = flow.now.data;
  const field = flow.prepared.fields.get(name)!;
  flow.now.data = value === undefined ? others : { ...others, [name]: fitted(field, value) };
}

/** A whole number becomes a decimal where it is stored as one. */
function fitted({ type }: FieldDefinition, value: Value): Value {
  return type.kind === "decimal" && typeof value === "number" ? String(value) : value;
}

/** Writes down which fields have another value than before. */
export function tellChanges(flow: FlowDraft, before: Data): void {
  const { draft, prepared, now } = flow;
  const fields = changedFields(prepared.fields.values(), before, now.data);
  const by = draft.actor;
  if (fields.length === 0) return;
  noteSecrets(flow, fields);
  draft.tell({ kind: "changed", fields, ...(by !== undefined && { by }) });
}

/** What a line does after the commit, in order, as effects. Runs in the state that was entered. */
export function perform(
  place: PlaceDraft,
  actions: readonly Action[],
  from: string,
  functions: readonly string[],
): void {
  for (const action of actions) {
    switch (action.kind) {
      case "emit":
        emit(place, action.event, functions);
        break;
      case "notify":
      case "cc":
        notify(place, action, from);
        break;
      case "render":
        render(place, place.flow.prepared.definition.documents[action.document]!);
        break;
      case "start":
        start(place, action);
        break;
      case "call":
        if (action.function === "action") call(place, action);
        break;
      case "set":
        break; // Done before the state was entered.
    }
  }
}

type ActionOf<Kind extends Action["kind"]> = Extract<Action, { kind: Kind }>;

function emit(place: PlaceDraft, event: string, functions: readonly string[]): void {
  const id = place.draft.publish(place.flow, event, { data: place.flow.publicData() });
  place.draft.tell({ kind: "emitted", event, id });
  deliver(place, event, functions);
}

/** Gives an event to the targets that its `routes` name. */
export function deliver({ draft, flow }: PlaceDraft, event: string, functions: readonly string[]): void {
  const { id, state } = flow.now;
  const { key } = draft.instance;
  for (const route of flow.prepared.definition.routes) {
    if (route.event !== event) continue;
    for (const target of route.targets) {
      const data = { instance: id, key, state, data: flow.publicData() };
      draft.effect({ kind: "deliver", target, event, data, functions });
      draft.tell({ kind: "delivering", event, target: targetText(target) });
    }
  }
}

function targetText(target: Route["targets"][number]): string {
  if (target.kind === "service") return target.name;
  const labels = Object.entries(target.labels).map(([label, value]) => `${label} = ${value}`);
  return `service(${labels.join(", ")})`;
}

/** Nobody gets a second copy in one instance. */
function notify(place: PlaceDraft, { kind, to }: ActionOf<"notify" | "cc">, from: string): void {
  const { draft, now } = place;
  const { instance } = draft;
  const copy = kind === "cc";
  const people = findPeople(place, to)?.filter((person) => !copy || !instance.copied.includes(person));
  if (!people || people.length === 0) return;
  if (copy) instance.copied = [...instance.copied, ...people];
  draft.notify(people, { kind: "moved", from, to: now.state }, copy);
  draft.tell({ kind: "notified", to: people, copy });
}

function render(place: PlaceDraft, { name, template, fallback, fields }: DocumentDefinition): void {
  const values = fields.map((field) => [field.name, presented(place, field.value)] as const);
  place.draft.effect({
    kind: "render",
    document: name,
    template,
    ...(fallback !== undefined && { fallback }),
    ...(place.flow.parent && { flow: place.flow.now.flow }),
    data: Object.fromEntries(values),
  });
  place.draft.tell({ kind: "rendering", document: name });
  begin(place, `the document \`${name}\``);
}

/** What is absent is the empty text. */
function presented(place: PlaceDraft, expression: DocumentDefinition["fields"][number]["value"]): DocumentValue {
  const value = evaluate(place, expression);
  return value === undefined ? "" : presentValue(expression.type, value, place.flow.prepared.currency);
}

function start(place: PlaceDraft, action: ActionOf<"start">): void {
  const key = String(evaluateShown(place, action.key) ?? "");
  const data = Object.fromEntries(
    Object.entries(action.fields)
      .map(([name, value]) => [name, evaluateShown(place, value)] as const)
      .filter(([, value]) => value !== null),
  );
  const { draft } = place;
  draft.effect({ kind: "start", flow: action.flow, key, initiator: draft.instance.initiator, data });
  draft.tell({ kind: "starting", flow: action.flow, key });
  begin(place, `the start of \`${action.flow}\``);
}

function call(place: PlaceDraft, action: ActionOf<"call">): void {
  const args = action.arguments.map((argument) => evaluateShown(place, argument));
  const { draft } = place;
  draft.effect({ kind: "call", function: action.name, arguments: args, context: contextOf(place) });
  draft.tell({ kind: "calling", function: action.name, arguments: withoutSecrets(place, action.name, args) });
  begin(place, `the action \`${action.name}\``);
}

/** Notes what can't be undone: no return goes behind it, here or further out. Of equal effects the newest counts. */
export function begin(place: PlaceDraft, what: string): void {
  for (let at: PlaceDraft | undefined = place; at; at = at.outer) {
    const { now } = at;
    const others = now.irrevocable.filter((effect) => effect.what !== what);
    now.irrevocable = [...others, { what, at: now.path.length - 1 }];
  }
}
