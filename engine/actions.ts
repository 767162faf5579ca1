import type { Action, Data, DocumentDefinition, FieldDefinition, Value } from "../dsl/index.ts";
import { changedFields, type Draft } from "./draft.ts";
import { evaluate, evaluateShown } from "./evaluation.ts";
import { findPeople } from "./people.ts";
import { contextOf, withoutSecrets } from "./questions.ts";
import type { DocumentValue } from "./types.ts";
import { presentValue } from "./values.ts";

/** The part of a line's actions that belongs to the commit: `set`, in order, each seeing the one before. */
export function applySets(draft: Draft, actions: readonly Action[]): void {
  const before = draft.instance.data;
  for (const action of actions) {
    if (action.kind === "set") setField(draft, action.field, evaluate(draft, action.value));
  }
  tellChanges(draft, before);
}

/** Replaces a field's value, or empties it. */
function setField(draft: Draft, name: string, value: Value | undefined): void {
  const { [name]: _, ...others } = draft.instance.data;
  const field = draft.prepared.fields.get(name)!;
  draft.instance.data = value === undefined ? others : { ...others, [name]: fitted(field, value) };
}

/** A whole number becomes a decimal where it is stored as one. */
function fitted({ type }: FieldDefinition, value: Value): Value {
  return type.kind === "decimal" && typeof value === "number" ? String(value) : value;
}

export function tellChanges(draft: Draft, before: Data): void {
  const fields = changedFields(draft.prepared.fields.values(), before, draft.instance.data);
  const by = draft.actor;
  if (fields.length > 0) draft.tell({ kind: "changed", fields, ...(by !== undefined && { by }) });
}

/** What a line does after the commit, in order, as effects. Runs in the state that was entered. */
export function perform(draft: Draft, actions: readonly Action[], from: string, functions: readonly string[]): void {
  for (const action of actions) {
    switch (action.kind) {
      case "emit":
        emit(draft, action.event, functions);
        break;
      case "notify":
      case "cc":
        notify(draft, action, from);
        break;
      case "render":
        render(draft, draft.prepared.definition.documents[action.document]!);
        break;
      case "start":
        start(draft, action);
        break;
      case "call":
        if (action.function === "action") call(draft, action);
        break;
      case "set":
        break; // Done before the state was entered.
    }
  }
}

type ActionOf<Kind extends Action["kind"]> = Extract<Action, { kind: Kind }>;

function emit(draft: Draft, event: string, functions: readonly string[]): void {
  const id = draft.publish(event, { data: draft.publicData() });
  draft.tell({ kind: "emitted", event, id });
  deliver(draft, event, functions);
}

/** Gives an event to the targets that its `routes` name. */
export function deliver(draft: Draft, event: string, functions: readonly string[]): void {
  const { id, key, state } = draft.instance;
  for (const route of draft.prepared.definition.routes) {
    if (route.event !== event) continue;
    for (const target of route.targets) {
      const data = { instance: id, key, state, data: draft.publicData() };
      draft.effect({ kind: "deliver", target, event, data, functions });
      draft.tell({ kind: "delivering", event, target: targetText(target) });
    }
  }
}

function targetText(target: Draft["prepared"]["definition"]["routes"][number]["targets"][number]): string {
  if (target.kind === "service") return target.name;
  const labels = Object.entries(target.labels).map(([label, value]) => `${label} = ${value}`);
  return `service(${labels.join(", ")})`;
}

/** Nobody gets a second copy in one instance. */
function notify(draft: Draft, { kind, to }: ActionOf<"notify" | "cc">, from: string): void {
  const { instance } = draft;
  const copy = kind === "cc";
  const people = findPeople(draft, to)?.filter((person) => !copy || !instance.copied.includes(person));
  if (!people || people.length === 0) return;
  if (copy) instance.copied = [...instance.copied, ...people];
  draft.notify(people, { kind: "moved", from, to: instance.state }, copy);
  draft.tell({ kind: "notified", to: people, copy });
}

function render(draft: Draft, { name, template, fallback, fields }: DocumentDefinition): void {
  const values = fields.map((field) => [field.name, presented(draft, field.value)] as const);
  draft.effect({
    kind: "render",
    document: name,
    template,
    ...(fallback !== undefined && { fallback }),
    data: Object.fromEntries(values),
  });
  draft.tell({ kind: "rendering", document: name });
  begin(draft, `the document \`${name}\``);
}

/** What is absent is the empty text. */
function presented(draft: Draft, expression: DocumentDefinition["fields"][number]["value"]): DocumentValue {
  const value = evaluate(draft, expression);
  return value === undefined ? "" : presentValue(expression.type, value, draft.prepared.currency);
}

function start(draft: Draft, action: ActionOf<"start">): void {
  const key = String(evaluateShown(draft, action.key) ?? "");
  const data = Object.fromEntries(
    Object.entries(action.fields)
      .map(([name, value]) => [name, evaluateShown(draft, value)] as const)
      .filter(([, value]) => value !== null),
  );
  draft.effect({ kind: "start", flow: action.flow, key, initiator: draft.instance.initiator, data });
  draft.tell({ kind: "starting", flow: action.flow, key });
  begin(draft, `the start of \`${action.flow}\``);
}

function call(draft: Draft, action: ActionOf<"call">): void {
  const args = action.arguments.map((argument) => evaluateShown(draft, argument));
  draft.effect({ kind: "call", function: action.name, arguments: args, context: contextOf(draft) });
  draft.tell({ kind: "calling", function: action.name, arguments: withoutSecrets(draft, action.name, args) });
  begin(draft, `the action \`${action.name}\``);
}

/** Notes what can't be undone: no return goes behind it. Of equal effects the newest counts. */
function begin(draft: Draft, what: string): void {
  const { instance } = draft;
  const others = instance.irrevocable.filter((effect) => effect.what !== what);
  instance.irrevocable = [...others, { what, at: instance.path.length - 1 }];
}
