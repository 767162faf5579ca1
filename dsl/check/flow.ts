import type { FlowAst, Name, RegionAst, RouteAst } from "../ast.ts";
import type { CalendarDefinition, Definition, DocumentDefinition, People, Region, Route } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { hashOf } from "../hash.ts";
import { warnOnce } from "./calls.ts";
import { checkEvents, checkFields, reportTwice, unique, withDefaults } from "./declarations.ts";
import { checkDocuments } from "./documents.ts";
import { noMentions } from "./elsewhere.ts";
import { plainScope } from "./expressions.ts";
import { currencyDecimals } from "./literals.ts";
import { checkMigrations } from "./migrations.ts";
import { checkPeople } from "./people.ts";
import { checkProperties } from "./properties.ts";
import { regionScope } from "./regions.ts";
import type { Report } from "./report.ts";
import { type FileScope, type FlowScope, isDamaged, isLost, isSound, type Labels } from "./scope.ts";
import { checkRegion } from "./states.ts";
import { didYouMean, nearest } from "./suggest.ts";

/**
 * Checks a flow whose names are known; nothing is proved yet. Where it can't be read as a whole, its names and types are
 * still looked at. `undefined`: a name or a type is wrong.
 */
export function checkFlow(flow: FlowScope): Definition | undefined {
  const { ast, report } = flow;
  const people = checkNamedPeople(ast, flow);
  const region = checkRegion(ast, flow);
  const ensure = checkProperties(ast, flow);
  const migrations = checkMigrations(ast, flow);
  const documents = checkDocuments(flow.mentions.documents, flow);
  const routes = checkRoutes(ast.routes, flow);
  reportMisspelt(ast, flow);
  if (!isSound(ast, flow.file) || !report.isClean || !region || !ensure || !migrations) return undefined;
  const definition = definitionOf(flow, { people, region, ensure, migrations, documents, routes });
  return { ...definition, hash: hashOf(definition) };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Names
// ------------------------------------------------------------------------------------------------------------------ //

/** The names that a flow declares, with a report for what is wrong in it. */
export function flowScope(ast: FlowAst, file: FileScope, report: Report): FlowScope {
  const sound = isSound(ast, file);
  const fields = checkFields(ast.fields, file, report);
  const region = regionScope(ast, { file, report, name: ast.name, sound }, { draft: false });
  const people = unique(ast.people, ({ name }) => name, "name", report);
  const flow: FlowScope = {
    ...region,
    file,
    report,
    ast,
    name: ast.name.text,
    label: settingOf(ast, "label")?.text,
    fields,
    events: checkEvents(
      ast.events,
      triggered(ast).map(({ text }) => text),
      fields,
      file,
      report,
    ),
    people: new Map(people.map(({ name, people: written }) => [name.text, written])),
    routed: new Set(ast.routes.map(({ event }) => event.text)),
    ...checkSettings(ast, file, report),
    initiatorNeverApproves: ast.ensure.some(
      (property) => property.kind === "never-approves" && isInitiator(property.people, ast),
    ),
    uses: new Map(),
    mentions: noMentions(),
  };
  return { ...flow, fields: withDefaults(ast.fields, flow) };
}

/** Events that a line of the flow or of one of its branches waits for. */
function triggered(region: RegionAst): readonly Name[] {
  const own = region.transitions.flatMap(({ trigger }) => (trigger.kind === "event" ? [trigger.event] : []));
  const branches = region.stateBlocks.flatMap(({ parallel }) => parallel?.branches ?? []);
  return branches.length === 0 ? own : [...own, ...branches.flatMap(triggered)];
}

/** An event that no line takes, beside one that `events` doesn't list and is spelt nearly so: one of them is misspelt. */
function reportMisspelt(ast: FlowAst, flow: FlowScope): void {
  if (ast.events.length === 0 || !isSound(ast, flow.file)) return;
  const lines = new Map(triggered(ast).map((event) => [event.text, event]));
  const listed = new Set(ast.events.map(({ name }) => name.text));
  const unlisted = [...lines.keys()].filter((event) => !listed.has(event));
  if (unlisted.length === 0) return;
  for (const { name } of ast.events) {
    const near = lines.has(name.text) ? undefined : nearest(name.text, unlisted);
    if (near === undefined) continue;
    const message = `No line takes the event \`${name.text}\`; one takes \`${near}\`, which \`events\` does not list.`;
    flow.report.add("FLOW230", name.span, message, {
      hint: "If they are the same event, spell both alike.",
      related: [{ message: "This is the line's event.", span: lines.get(near)!.span }],
    });
  }
}

function isInitiator(people: FlowAst["people"][number]["people"], ast: FlowAst): boolean {
  if (people.kind !== "name") return false;
  const { text } = people.name;
  const named = ast.people.find(({ name }) => name.text === text);
  if (named === undefined) return text === "initiator";
  return named.people.kind === "name" && named.people.name.text === "initiator";
}

function settingOf(ast: FlowAst, wanted: string): Name | undefined {
  return ast.settings.find(({ key }) => key.text === wanted)?.value;
}

type Settings = Pick<FlowScope, "currency" | "currencyDecimals" | "hasCalendar" | "calendar">;

function checkSettings(ast: FlowAst, file: FileScope, report: Report): Settings {
  unique(ast.settings, ({ key }) => key, "setting", report);
  const currency = settingOf(ast, "currency");
  const decimals = currencyDecimals(currency?.text ?? "CNY");
  if (currency && decimals === undefined) {
    report.add("FLOW134", currency.span, `\`${currency.text}\` is no currency of ISO 4217.`);
  }
  const calendar = settingOf(ast, "calendar");
  return {
    currency: currency?.text ?? "CNY",
    currencyDecimals: decimals ?? 2,
    hasCalendar: calendar !== undefined,
    calendar: calendar && calendarNamed(calendar, file, report),
  };
}

function calendarNamed({ text, span }: Name, file: FileScope, report: Report): CalendarDefinition | undefined {
  const calendar = file.calendars.get(text);
  if (calendar) return calendar;
  if (file.calendars.has(text)) {
    // What is wrong with it was said where it stands.
    report.isIncomplete = true;
    return undefined;
  }
  if (isLost(text, { file, report })) return undefined;
  const suggestion = didYouMean(text, file.calendars.keys(), span, true);
  return report.add("FLOW116", span, `There is no calendar \`${text}\`.`, suggestion);
}

/** Reports flows of one name and one label; those with different labels are versions. */
export function checkFlowNames(flows: readonly FlowAst[], report: Report): ReadonlySet<FlowAst> {
  const first = new Map<string, Span>();
  const doubles = new Set<FlowAst>();
  for (const flow of flows) {
    const key = JSON.stringify([flow.name.text, settingOf(flow, "label")?.text]);
    const before = first.get(key);
    if (before) {
      reportTwice(report, "flow", flow.name, before);
      doubles.add(flow);
    } else first.set(key, flow.name.span);
  }
  return doubles;
}

// ------------------------------------------------------------------------------------------------------------------ //
// People and routes
// ------------------------------------------------------------------------------------------------------------------ //

function checkNamedPeople(ast: FlowAst, flow: FlowScope): Readonly<Record<string, People>> {
  const people: Record<string, People> = {};
  const circular = new Set<string>();
  for (const { name, people: written } of ast.people) {
    if (flow.people.get(name.text) !== written) continue;
    const isCircular = mentionedBy(name.text, flow).has(name.text);
    if (isCircular && !circular.has(name.text)) {
      flow.report.add("FLOW111", name.span, `\`${name.text}\` is defined by itself.`);
      // All of one circle are one mistake.
      for (const other of mentionedBy(name.text, flow)) circular.add(other);
    }
    const found = isCircular ? undefined : checkPeople(written, { scope: plainScope(flow) });
    if (found) people[name.text] = found;
  }
  return people;
}

/** Names that stand in what the name means, at any depth. */
function mentionedBy(name: string, flow: FlowScope): ReadonlySet<string> {
  const mentioned = new Set<string>();
  const add = (from: string) => addNames(flow.people.get(from), flow.people, mentioned);
  add(name);
  for (const next of mentioned) add(next);
  return mentioned;
}

/** The people that are named anywhere in a tree. */
function addNames(ast: object | undefined, people: FlowScope["people"], names: Set<string>): void {
  if (ast === undefined) return;
  const { kind, name } = ast as { readonly kind?: unknown; readonly name?: Name };
  if (kind === "name" && name && people.has(name.text)) names.add(name.text);
  for (const part of Object.values(ast)) if (typeof part === "object" && part !== null) addNames(part, people, names);
}

function checkRoutes(asts: readonly RouteAst[], flow: FlowScope): readonly Route[] {
  const { emitted } = flow.mentions;
  return unique(asts, ({ event }) => event, "route of", flow.report).map(({ event, targets }) => {
    if (!flow.events.has(event.text) && !emitted.has(event.text) && !isDamaged(event.text, flow)) {
      const known = [...flow.events.keys(), ...emitted];
      const message = `No line waits for \`${event.text}\` or emits it.`;
      flow.report.add("FLOW305", event.span, message, didYouMean(event.text, known, event.span, true));
    }
    return { event: event.text, targets: targets.map((target) => routeTarget(target, flow)) };
  });
}

function routeTarget(target: RouteAst["targets"][number], flow: FlowScope): Route["targets"][number] {
  if (target.kind === "selector") {
    const written = unique(target.labels, ({ name }) => name, "label", flow.report);
    const labels = Object.fromEntries(written.map(({ name, value }) => [name.text, value.text]));
    if (!flow.file.labels.some((known) => carries(known, labels))) {
      const shown = written.map(({ name, value }) => `${name.text} = ${JSON.stringify(value.text)}`).join(", ");
      warnOnce(flow, "FLOW302", `labels ${shown}`, target.span, `No service with \`${shown}\` is registered.`);
    }
    return { kind: "selector", labels };
  }
  if (!flow.file.services.has(target.name)) {
    const message = `No service \`${target.name}\` is registered.`;
    const suggestion = didYouMean(target.name, flow.file.services, target.span);
    const { hint } = suggestion;
    warnOnce(flow, "FLOW302", `service ${target.name}`, target.span, message, hint ? { hint } : {});
  }
  return { kind: "service", name: target.name };
}

/** Does a service with the labels `known` have all that are wanted? */
function carries(known: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(known, name) && known[name] === value);
}

// ------------------------------------------------------------------------------------------------------------------ //
// Definition
// ------------------------------------------------------------------------------------------------------------------ //

interface Parts extends Pick<Definition, "people" | "ensure" | "migrations" | "routes"> {
  readonly region: Region;
  readonly documents: Readonly<Record<string, DocumentDefinition>>;
}

function definitionOf(flow: FlowScope, { region, ...parts }: Parts): Omit<Definition, "hash"> {
  const title = settingOf(flow.ast, "title")?.text;
  const { label, calendar, mentions } = flow;
  const sagas = [...mentions.sagas].flatMap(([name, saga]) => (saga ? [[name, saga] as const] : []));
  return {
    format: 1,
    flow: flow.name,
    ...(title === undefined ? {} : { title }),
    ...(label === undefined ? {} : { label }),
    currency: flow.currency,
    currencyDecimals: flow.currencyDecimals,
    ...region,
    fields: [...flow.fields.values()].filter((field) => field !== undefined),
    events: [...flow.events.values()].map(({ definition }) => definition),
    ...parts,
    ...(calendar ? { calendar } : {}),
    matrices: Object.fromEntries(mentions.matrices),
    sagas: Object.fromEntries(sagas),
    functions: [...flow.uses.values()],
  };
}
