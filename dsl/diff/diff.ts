import type { Definition, FieldDefinition, PayloadField, SagaDefinition, Type } from "../definition.ts";
import { type Describer, hoursText } from "../describe.ts";
import { compareApprovals, type Side, sideOf } from "./approvals.ts";
import { type Change, compareNamed, compareTexts, isSame, type Wording } from "./changes.ts";
import { compareLines, type Examples } from "./lines.ts";
import { compareMatrices } from "./matrices.ts";

/**
 * What changed in meaning from one set of flows to another; nothing for a reformat. Flows are matched by name, the last
 * of each name.
 * @param examples finds data for which a condition holds.
 */
export function diff(before: readonly Definition[], after: readonly Definition[], examples: Examples): Change[] {
  return compareNamed(byName(before), byName(after), {
    added: (flow) => ({ flow, about: "flow", kind: "added", message: `The flow \`${flow}\` is new.` }),
    removed: (flow) => ({ flow, about: "flow", kind: "removed", message: `The flow \`${flow}\` is gone.` }),
    both: (_, was, is) => (was.hash === is.hash ? [] : diffFlow(was, is, examples)),
  });
}

/** Of one flow. */
export function diffFlow(before: Definition, after: Definition, examples: Examples): Change[] {
  const { flow } = after;
  const was = sideOf(before);
  const is = sideOf(after);
  const texts = (about: Change["about"], noun: string, of: Texts) =>
    compareTexts(flow, about, noun, wordings(was, of), wordings(is, of));
  return [
    ...texts("setting", "setting", settings),
    ...texts("calendar", "calendar's part", calendarParts),
    ...compareFields(before, after),
    ...texts("event", "event", events),
    // One that came or went is a name; who is meant is compared where it is used.
    ...texts("people", "people", ({ people }, describe) =>
      Object.entries(people).map(([name, who]) => [name, describe.people(who)] as const),
    ).filter(({ kind }) => kind === "changed"),
    ...compareApprovals(flow, was, is),
    ...compareLines(flow, was, is, examples),
    ...compareMatrices(flow, was, is),
    ...texts("saga", "saga", ({ sagas }, describe) =>
      Object.values(sagas).map((saga) => [saga.name, sagaText(saga, describe)] as const),
    ),
    ...texts("route", "route", ({ routes }) => routes.map((route) => [route.event, JSON.stringify(route.targets)])),
    ...texts("document", "document", ({ documents }, describe) =>
      Object.values(documents).map(({ name, template, fields, fallback }) => {
        const parts = fields.map((field) => `${field.name} = ${describe.expression(field.value)}`).sort();
        return [name, [`template ${template}`, ...parts, ...(fallback ? [`fallback ${fallback}`] : [])].join("; ")];
      }),
    ),
    ...compareProperties(flow, properties(was), properties(is)),
    ...texts("migration", "migration from label", ({ migrations }) =>
      migrations.map(({ label, states }) => [label, JSON.stringify(states)] as const),
    ),
  ];
}

type Texts = (definition: Definition, describe: Describer) => Iterable<readonly [string, string]>;

function wordings(side: Side, of: Texts): ReadonlyMap<string, Wording> {
  const [texts, meanings] = side.both((describe) => new Map(of(side.definition, describe)));
  return new Map([...texts].map(([name, text]) => [name, { text, meaning: meanings.get(name)! }]));
}

const byName = (definitions: readonly Definition[]): Map<string, Definition> =>
  new Map(definitions.map((definition) => [definition.flow, definition]));

function* settings({ title, label, currency, initial }: Definition): Iterable<readonly [string, string]> {
  if (title !== undefined) yield ["title", title];
  if (label !== undefined) yield ["label", label];
  yield ["currency", currency];
  yield ["initial", initial];
}

function* calendarParts({ calendar }: Definition): Iterable<readonly [string, string]> {
  if (!calendar) return;
  yield ["timezone", calendar.timezone];
  yield ["hours", hoursText(calendar)];
  yield ["weekend", calendar.weekend.toSorted().join(", ") || "none"];
  for (const part of ["holidays", "workdays"] as const) {
    const days = calendar[part].map(({ from, to }) => (from === to ? from : `${from} .. ${to}`));
    yield [part, days.sort().join(", ") || "none"];
  }
}

function events({ events }: Definition): (readonly [string, string])[] {
  return events.map(({ name, payload }) => [name, payload.map(payloadText).sort().join(", ") || "nothing"] as const);
}

const payloadText = ({ name, type, optional, secret }: PayloadField): string =>
  `${name}: ${typeText(inOrder(type))}${optional ? "?" : ""}${secret ? " secret" : ""}`;

function sagaText({ steps, onStuck }: SagaDefinition, describe: Describer): string {
  const call = (one: { name: string; arguments: SagaDefinition["steps"][number][number]["arguments"] }) =>
    `${one.name}(${one.arguments.map(describe.expression).join(", ")})`;
  const written = steps.map((together) =>
    together
      .map(({ undo, retries, backoff, jitter, timeoutMs, ...step }) => {
        const policy = JSON.stringify({ retries, backoff, jitter, timeoutMs });
        return `${call(step)}${undo ? ` undo ${call(undo)}` : ""} ${policy}`;
      })
      .join(" and "),
  );
  return `${written.join("; ")}${onStuck ? `; onStuck ${describe.people(onStuck)}` : ""}`;
}

const properties = ({ definition, words }: Side): readonly Wording[] =>
  definition.ensure.map((property) => words((describe) => describe.property(property)));

function compareProperties(flow: string, before: readonly Wording[], after: readonly Wording[]): Change[] {
  const base = { flow, about: "property" } as const;
  const onlyIn = (all: readonly Wording[], others: readonly Wording[]) =>
    all.filter((one) => !others.some((other) => isSame(one, other)));
  return [
    ...onlyIn(before, after).map(
      ({ text }): Change => ({
        ...base,
        kind: "removed",
        message: `\`${text}\` is no longer ensured.`,
        before: text,
        effect: "loosened",
      }),
    ),
    ...onlyIn(after, before).map(
      ({ text }): Change => ({
        ...base,
        kind: "added",
        message: `\`${text}\` is ensured now.`,
        after: text,
        effect: "tightened",
      }),
    ),
  ];
}

// ------------------------------------------------------------------------------------------------------------------ //
// Data
// ------------------------------------------------------------------------------------------------------------------ //

function compareFields(before: Definition, after: Definition): Change[] {
  const { flow } = after;
  const fieldsOf = ({ fields }: Definition) => new Map(fields.map((field) => [field.name, field]));
  return compareNamed(fieldsOf(before), fieldsOf(after), {
    added: (name, field) => ({
      flow,
      about: "field",
      kind: "added",
      message: `The field \`${name}\` is new${field.optional || field.default !== undefined ? "" : " and must be set"}.`,
      after: fieldText(field),
    }),
    removed: (name, field) => ({
      flow,
      about: "field",
      kind: "removed",
      message: `The field \`${name}\` is gone.`,
      before: fieldText(field),
    }),
    both: (name, was, is) => {
      const [old, now] = [fieldText(was), fieldText(is)];
      if (old === now) return [];
      const secret = was.secret && !is.secret ? " and is no longer secret" : "";
      const message = `The field \`${name}\` changed${secret}.`;
      return [{ flow, about: "field", kind: "changed", message, before: old, after: now }];
    },
  });
}

function fieldText({ type, optional, secret, default: value }: FieldDefinition): string {
  const preset = value === undefined ? "" : ` = ${JSON.stringify(value)}`;
  return `${typeText(inOrder(type))}${optional ? "?" : ""}${secret ? " secret" : ""}${preset}`;
}

/** Members and fields by name: their order says nothing. */
function inOrder(type: Type): Type {
  switch (type.kind) {
    case "enum":
      return { ...type, members: type.members.toSorted() };
    case "list":
      return { ...type, of: inOrder(type.of) };
    case "record": {
      const fields = type.fields.map((field) => ({ ...field, type: inOrder(field.type) }));
      return { ...type, fields: fields.sort((one, other) => (one.name < other.name ? -1 : 1)) };
    }
    default:
      return type;
  }
}

/** The type as it is written. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "money":
      return type.signed ? "money signed" : "money";
    case "enum":
      return `one of [${type.members.join(", ")}]`;
    case "list":
      return type.of.kind === "record" ? `list ${typeText(type.of)}` : `list of ${typeText(type.of)}`;
    case "record":
      return `{ ${type.fields.map(({ name, type: of, optional }) => `${name}: ${typeText(of)}${optional ? "?" : ""}`).join(", ")} }`;
    default:
      return type.kind;
  }
}
