import type { FlowAst, Name, RouteAst } from "../ast.ts";
import type { Approval, Definition, DocumentDefinition, People, Route, StateDefinition } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { hashOf } from "../hash.ts";
import type { Mentions } from "./actions.ts";
import { checkApproval } from "./approval.ts";
import { warnOnce } from "./calls.ts";
import { checkEvents, checkFields, reportTwice, unique, withDefaults } from "./declarations.ts";
import { checkDocument } from "./documents.ts";
import { plainScope } from "./expressions.ts";
import { checkOutcomes, checkReach, type Graph } from "./graph.ts";
import { currencyDecimals } from "./literals.ts";
import { checkOverlaps } from "./overlaps.ts";
import { checkPeople } from "./people.ts";
import { Report } from "./report.ts";
import { type FileScope, type FlowScope, isDamaged, isSound } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { checkTransitions, type Line, stateNamed } from "./transitions.ts";

/** A flow that was checked; without a definition, if it has errors. */
export interface CheckedFlow {
  readonly report: Report;
  readonly scope: FlowScope;
  readonly definition?: Definition;
}

/** Checks a flow. Where it can't be read as a whole, its names and types are still looked at, but not its graph. */
export function checkFlow(ast: FlowAst, file: FileScope): CheckedFlow {
  const report = new Report(file.file);
  const sound = isSound(ast, file);
  const scope = scopeOf(ast, file, report, sound);
  const mentions: Mentions = { documents: new Set(), emitted: new Set() };
  const people = checkNamedPeople(ast, scope);
  const approvals = checkApprovals(ast, scope);
  const lines = checkTransitions(ast, scope, mentions);
  const documents = checkDocuments(mentions, scope);
  const routes = checkRoutes(ast.routes, scope, mentions);
  if (!sound || !report.isClean || scope.initial === undefined) return { report, scope };
  checkGraph({ flow: scope, initial: scope.initial, lines, approvals }, ast);
  if (!report.isClean) return { report, scope };
  const parts = { people, approvals, lines, documents, routes };
  return { report, scope, definition: definitionOf(ast, scope, scope.initial, parts) };
}

function checkGraph(graph: Graph, ast: FlowAst): void {
  checkOutcomes(graph, ast);
  checkReach(graph, ast.final !== undefined);
  checkOverlaps(graph);
}

// ------------------------------------------------------------------------------------------------------------------ //
// Names
// ------------------------------------------------------------------------------------------------------------------ //

function scopeOf(ast: FlowAst, file: FileScope, report: Report, sound: boolean): FlowScope {
  const fields = checkFields(ast.fields, file, report);
  const triggered = ast.transitions.flatMap(({ trigger }) => (trigger.kind === "event" ? [trigger.event.text] : []));
  const states = new Map(unique(ast.states, (name) => name, "state", report).map(({ text, span }) => [text, span]));
  const { currency, decimals } = checkSettings(ast, report);
  const flow: FlowScope = {
    file,
    report,
    name: ast.name.text,
    label: settingOf(ast, "label"),
    fields,
    events: checkEvents(ast.events, triggered, fields, file, report),
    people: new Map(
      unique(ast.people, ({ name }) => name, "name", report).map(({ name, people }) => [name.text, people]),
    ),
    states,
    initial: undefined,
    finals: new Set(),
    routed: new Set(ast.routes.map(({ event }) => event.text)),
    currency,
    currencyDecimals: decimals,
    uses: new Map(),
  };
  const initial = checkInitial(ast, flow, sound);
  const named = { ...flow, initial, finals: finalStates(ast, flow) };
  return { ...named, fields: withDefaults(ast.fields, named) };
}

function settingOf(ast: FlowAst, wanted: string): string | undefined {
  return ast.settings.find(({ key }) => key.text === wanted)?.value.text;
}

function checkSettings(ast: FlowAst, report: Report): { readonly currency: string; readonly decimals: number } {
  const settings = unique(ast.settings, ({ key }) => key, "setting", report);
  const currency = settings.find(({ key }) => key.text === "currency")?.value;
  const decimals = currencyDecimals(currency?.text ?? "CNY");
  if (currency && decimals === undefined) {
    report.add("FLOW134", currency.span, `\`${currency.text}\` is no currency of ISO 4217.`);
  }
  return { currency: currency?.text ?? "CNY", decimals: decimals ?? 2 };
}

function checkInitial(ast: FlowAst, flow: FlowScope, sound: boolean): string | undefined {
  if (sound && ast.states.length === 0) {
    return flow.report.add("FLOW201", ast.name.span, `\`${ast.name.text}\` has no \`states\`.`);
  }
  if (ast.initial) return stateNamed(ast.initial, flow);
  if (!sound) return undefined;
  return flow.report.add("FLOW201", ast.name.span, `\`${ast.name.text}\` does not say its \`initial\` state.`);
}

/** Those that are listed; without a list, those that no line names as its start and that have no approval. */
function finalStates(ast: FlowAst, flow: FlowScope): ReadonlySet<string> {
  if (ast.final) {
    const finals = unique(ast.final, (name) => name, "final state", flow.report);
    return new Set(finals.flatMap((name) => stateNamed(name, flow) ?? []));
  }
  const left = new Set(ast.transitions.flatMap(({ from }) => (from === "any" ? [] : from.map(({ text }) => text))));
  for (const { name, approval } of ast.stateBlocks) if (approval) left.add(name.text);
  return new Set([...flow.states.keys()].filter((state) => !left.has(state)));
}

// ------------------------------------------------------------------------------------------------------------------ //
// Parts
// ------------------------------------------------------------------------------------------------------------------ //

function checkNamedPeople(ast: FlowAst, flow: FlowScope): Readonly<Record<string, People>> {
  const people: Record<string, People> = {};
  for (const { name, people: written } of ast.people) {
    if (flow.people.get(name.text) !== written) continue;
    const circle = isCircle(name.text, flow);
    if (circle) flow.report.add("FLOW111", name.span, `\`${name.text}\` is defined by itself.`);
    const found = circle ? undefined : checkPeople(written, { scope: plainScope(flow) });
    if (found) people[name.text] = found;
  }
  return people;
}

function isCircle(name: string, flow: FlowScope): boolean {
  const seen = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const ast = flow.people.get(next);
    if (ast === undefined || seen.has(next)) continue;
    seen.add(next);
    const mentioned = namesIn(ast);
    if (mentioned.some(({ text }) => text === name)) return true;
    waiting.push(...mentioned.map(({ text }) => text));
  }
  return false;
}

function namesIn(ast: unknown): readonly Name[] {
  if (typeof ast !== "object" || ast === null) return [];
  const node = ast as { readonly kind?: unknown; readonly name?: Name };
  const parts = Object.values(node).flatMap(namesIn);
  return node.kind === "name" && node.name ? [node.name, ...parts] : parts;
}

function checkApprovals(ast: FlowAst, flow: FlowScope): ReadonlyMap<string, Approval> {
  const approvals = new Map<string, Approval>();
  for (const block of unique(ast.stateBlocks, ({ name }) => name, "state", flow.report)) {
    const state = stateNamed(block.name, flow);
    if (!block.approval) continue;
    if (state !== undefined && flow.finals.has(state)) {
      flow.report.add("FLOW220", block.name.span, `\`${state}\` is final, so nobody can approve there.`);
    }
    const approval = checkApproval(block.approval, plainScope(flow));
    if (state !== undefined && approval) approvals.set(state, approval);
  }
  return approvals;
}

function checkDocuments(mentions: Mentions, flow: FlowScope): Readonly<Record<string, DocumentDefinition>> {
  const documents: Record<string, DocumentDefinition> = {};
  for (const name of mentions.documents) {
    const ast = flow.file.documents.get(name);
    const document = ast && checkDocument(ast, flow);
    if (document) documents[name] = document;
  }
  return documents;
}

function checkRoutes(asts: readonly RouteAst[], flow: FlowScope, mentions: Mentions): readonly Route[] {
  return unique(asts, ({ event }) => event, "route of", flow.report).map(({ event, targets }) => {
    if (!flow.events.has(event.text) && !mentions.emitted.has(event.text) && !isDamaged(event.text, flow)) {
      const known = [...flow.events.keys(), ...mentions.emitted];
      const message = `No line waits for \`${event.text}\` or emits it.`;
      flow.report.add("FLOW305", event.span, message, didYouMean(event.text, known, event.span, true));
    }
    return { event: event.text, targets: targets.map((target) => routeTarget(target, flow)) };
  });
}

function routeTarget(target: RouteAst["targets"][number], flow: FlowScope): Route["targets"][number] {
  if (target.kind === "selector") {
    const labels = unique(target.labels, ({ name }) => name, "label", flow.report);
    return { kind: "selector", labels: Object.fromEntries(labels.map(({ name, value }) => [name.text, value.text])) };
  }
  if (!flow.file.services.has(target.name)) {
    const message = `No service \`${target.name}\` is registered.`;
    const suggestion = didYouMean(target.name, flow.file.services, target.span);
    const { hint } = suggestion;
    warnOnce(flow, "FLOW302", `service ${target.name}`, target.span, message, hint ? { hint } : {});
  }
  return { kind: "service", name: target.name };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Definition
// ------------------------------------------------------------------------------------------------------------------ //

interface Parts {
  readonly people: Readonly<Record<string, People>>;
  readonly approvals: ReadonlyMap<string, Approval>;
  readonly lines: readonly Line[];
  readonly documents: Readonly<Record<string, DocumentDefinition>>;
  readonly routes: readonly Route[];
}

function definitionOf(ast: FlowAst, flow: FlowScope, initial: string, parts: Parts): Definition {
  const title = settingOf(ast, "title");
  const { label } = flow;
  const definition: Omit<Definition, "hash"> = {
    format: 1,
    flow: ast.name.text,
    ...(title === undefined ? {} : { title }),
    ...(label === undefined ? {} : { label }),
    currency: flow.currency,
    currencyDecimals: flow.currencyDecimals,
    initial,
    states: [...flow.states.keys()].map((state) => stateDefinition(state, flow, parts.approvals)),
    fields: [...flow.fields.values()].filter((field) => field !== undefined),
    events: [...flow.events.values()].map(({ definition }) => definition),
    people: parts.people,
    transitions: parts.lines.map(({ transition }) => transition),
    routes: parts.routes,
    documents: parts.documents,
    functions: [...flow.uses.values()],
  };
  return { ...definition, hash: hashOf(definition) };
}

function stateDefinition(
  name: string,
  { finals }: FlowScope,
  approvals: ReadonlyMap<string, Approval>,
): StateDefinition {
  const approval = approvals.get(name);
  return { name, final: finals.has(name), ...(approval ? { approval } : {}) };
}

/** Reports flows of one name and one label; those with different labels are versions. */
export function checkFlowNames(flows: readonly FlowAst[], report: Report): ReadonlySet<FlowAst> {
  const first = new Map<string, Span>();
  const doubles = new Set<FlowAst>();
  for (const flow of flows) {
    const key = JSON.stringify([flow.name.text, settingOf(flow, "label")]);
    const before = first.get(key);
    if (before) {
      reportTwice(report, "flow", flow.name, before);
      doubles.add(flow);
    } else first.set(key, flow.name.span);
  }
  return doubles;
}
