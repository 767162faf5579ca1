/** Fields that only lines and people of the flow set, read or needed where no way comes by one that does. */
import type { FileAst, FlowAst, Name, RegionAst, StateBlockAst, TransitionAst } from "../ast.ts";
import type { Approval, Definition, Region, StateDefinition, Transition } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { type Machine, machinesOf, reachable, reversed, type Ways, waysOf } from "./graph.ts";
import type { Report } from "./report.ts";

/** A place that gives a field its value. */
interface Setting {
  readonly span: Span;
  /** The state of the flow's own machine from which on it has one; of what happens in branches, their parallel state. */
  readonly from: string;
}

/**
 * Warns of fields that a `set` or an `edit` gives their value, and no event, default or start that the file speaks of, where
 * they are read before all of these, or needed to leave the initial state. Only a start by hand could bring them.
 */
export function checkDataFlow(definition: Omit<Definition, "hash">, ast: FlowAst, file: FileAst, report: Report): void {
  const settings = settingsOf(definition, ast);
  if (settings.size === 0) return;
  const machines = machinesOf(definition, ast);
  const started = fieldsStarted(definition.flow, file);
  for (const field of definition.fields) {
    const found = settings.get(field.name);
    if (!found || started.has(field.name) || Object.hasOwn(definition.people, field.name)) continue;
    if (!field.optional) reportNeeded(field.name, found, definition, ast, report);
    else reportRead(field.name, found, machines, report);
  }
}

/** Of the fields that nothing else fills; most flows have none. */
function settingsOf(
  { fields, events, states, transitions }: Omit<Definition, "hash">,
  ast: FlowAst,
): ReadonlyMap<string, readonly Setting[]> {
  const carried = new Set(events.flatMap(({ payload }) => payload.flatMap(({ name, data }) => (data ? [name] : []))));
  const left = fields.filter((field) => field.default === undefined && !carried.has(field.name));
  const settings = new Map<string, Setting[]>(left.map(({ name }) => [name, []]));
  if (settings.size === 0) return settings;
  collect({ states, transitions }, ast, undefined, settings);
  for (const [name, found] of settings) if (found.length === 0) settings.delete(name);
  return settings;
}

/** @param outer the state of the flow's own machine within which the region lies, if it is a branch. */
function collect(
  { states, transitions }: Pick<Region, "states" | "transitions">,
  ast: RegionAst,
  outer: string | undefined,
  settings: ReadonlyMap<string, Setting[]>,
): void {
  for (const [index, { to, actions }] of transitions.entries()) {
    const written = ast.transitions[index];
    for (const [place, action] of actions.entries()) {
      if (action.kind !== "set" || !written) continue;
      settings.get(action.field)?.push({ span: written.actions[place]?.span ?? written.span, from: outer ?? to });
    }
  }
  for (const { name, approval, parallel } of states) {
    const block = ast.stateBlocks.find((one) => one.name.text === name);
    if (approval) collectPeople(approval, block, outer ?? name, settings);
    for (const [index, branch] of (parallel?.branches ?? []).entries()) {
      const written = block?.parallel?.branches[index];
      if (written) collect(branch, written, outer ?? name, settings);
    }
  }
}

/** What people may fill in, or pick for the stage after theirs. */
function collectPeople(
  { edit }: Approval,
  block: StateBlockAst | undefined,
  from: string,
  settings: ReadonlyMap<string, Setting[]>,
): void {
  const option = block?.approval?.options.find(({ kind }) => kind === "edit");
  for (const name of edit) if (option) settings.get(name)?.push({ span: option.span, from });
}

/** Fields that a test, a parent or another flow of the file gives this one when it starts it. */
function fieldsStarted(flow: string, file: FileAst): ReadonlySet<string> {
  const tested = file.tests.filter((test) => test.flow.text === flow);
  const inTests = tested.flatMap(({ statements }) =>
    statements.flatMap(({ body }) =>
      body.kind === "complete" && body.statement.kind === "start" ? body.statement.fields.map(({ name }) => name) : [],
    ),
  );
  const elsewhere = nodesIn(file.flows).flatMap((node) => {
    const isStart = (node["kind"] === "flow" || node["kind"] === "start") && isName(node["flow"]);
    if (!isStart || (node["flow"] as Name).text !== flow) return [];
    return (node["fields"] as readonly { readonly name: Name }[]).map(({ name }) => name.text);
  });
  return new Set([...inTests, ...elsewhere]);
}

// ------------------------------------------------------------------------------------------------------------------ //
// Reports
// ------------------------------------------------------------------------------------------------------------------ //

/** A required field: the initial state can't be left before it is there. */
function reportNeeded(
  field: string,
  settings: readonly Setting[],
  { initial, states }: Omit<Definition, "hash">,
  ast: FlowAst,
  report: Report,
): void {
  const written = ast.fields.find(({ name }) => name.text === field);
  if (!written || settings.some(({ from }) => from === initial) || !isLeft(initial, states, ast)) return;
  const message = `\`${field}\` is needed to leave \`${initial}\`, and only what comes after that sets it.`;
  report.add("FLOW233", written.name.span, message, {
    hint: "List it in the event that leaves the initial state, give it a default, or make it optional with `?`.",
    related: settings.slice(0, RELATED_MAX).map(({ span }) => ({ message: "It is set here.", span })),
  });
}

/** For a state that is not final: only that needs the fields. */
function isLeft(initial: string, states: readonly StateDefinition[], { transitions }: FlowAst): boolean {
  const finals = new Set(states.filter(({ final }) => final).map(({ name }) => name));
  return transitions.some(({ to }) => to.text !== initial && !finals.has(to.text));
}

/** An optional field: the first place where it is always absent. */
function reportRead(field: string, settings: readonly Setting[], machines: readonly Machine[], report: Report): void {
  const [root] = machines;
  const { ways } = waysOf(root!, machines);
  const filled = statesAfter(settings, ways, root!.region.states);
  const place = root!.region.transitions
    .map((line, index) => readInLine(field, line, root!.ast.transitions[index], filled))
    .concat(root!.ast.stateBlocks.map((block) => (filled.has(block.name.text) ? undefined : readIn(block, field))))
    .filter((span) => span !== undefined)
    .sort((one, other) => one.start - other.start)[0];
  if (!place) return;
  report.add("FLOW233", place, `\`${field}\` is always absent here: only what comes after this sets it.`, {
    hint: "Set it on the way to here, or list it in an event before this.",
    related: settings.slice(0, RELATED_MAX).map(({ span }) => ({ message: "It is set here.", span })),
  });
}

const RELATED_MAX = 3;

/** States in which the field may have a value; who may return it brings it back to where it was before. */
function statesAfter(
  settings: readonly Setting[],
  ways: Ways,
  states: readonly StateDefinition[],
): ReadonlySet<string> {
  const filled = reachable(
    settings.map(({ from }) => from),
    ways,
  );
  const returning = states.filter((state) => filled.has(state.name) && canReturn(state)).map(({ name }) => name);
  return returning.length === 0 ? filled : filled.union(reachable(returning, reversed(ways)));
}

function canReturn({ approval, parallel }: StateDefinition): boolean {
  if (approval?.allow.includes("returnTo")) return true;
  return parallel?.branches.some(({ states }) => states.some(canReturn)) ?? false;
}

/** A line that sets it itself may read it behind that. */
function readInLine(
  field: string,
  { from, actions }: Transition,
  written: TransitionAst | undefined,
  filled: ReadonlySet<string>,
): Span | undefined {
  if (!written || from.some((state) => filled.has(state))) return undefined;
  if (actions.some((action) => action.kind === "set" && action.field === field)) return undefined;
  return readIn(written, field);
}

/** Where a part of the tree first reads the field; in conditions on items their fields hide it. */
function readIn(part: object, field: string): Span | undefined {
  const found = nodesIn(part, (node) => isChosen(node) || node["kind"] === "quantifier").find(
    ({ kind, name }) => kind === "name" && isName(name) && name.text === field && !name.quoted,
  );
  return (found?.["name"] as Name | undefined)?.span;
}

/** That asks for the field. */
function isChosen({ kind, name }: Node): boolean {
  return kind === "call" && isName(name) && name.text === "chosen";
}

// ------------------------------------------------------------------------------------------------------------------ //
// Tree
// ------------------------------------------------------------------------------------------------------------------ //

type Node = Readonly<Record<string, unknown>>;

function isName(value: unknown): value is Name {
  return typeof value === "object" && value !== null && "text" in value && "quoted" in value;
}

/** Every part of a tree, in the order of its lists. */
function nodesIn(part: object, isSkipped: (node: Node) => boolean = () => false): readonly Node[] {
  const own = part as Node;
  if (isSkipped(own)) return [];
  const inner = Object.values(own).filter((value) => typeof value === "object" && value !== null);
  return [own, ...inner.flatMap((value) => nodesIn(value, isSkipped))];
}
