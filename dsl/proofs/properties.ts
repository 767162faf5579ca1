/** What `ensure` asks for, proved over all paths. */
import type { FlowAst, PropertyAst } from "../ast.ts";
import type { Report } from "../check/report.ts";
import type { Definition, People, Property, StateDefinition } from "../definition.ts";
import { describer } from "../describe.ts";
import { Boxes } from "./boxes.ts";
import { breakingTest, type Ending } from "./breaking-tests/breaking-test.ts";
import { type ConcretePath, concretePath } from "./concrete.ts";
import { proveDeadline } from "./deadlines.ts";
import { proveDuties } from "./duties.ts";
import { Explorer } from "./explore.ts";
import { variablesOf } from "./formula.ts";
import { inertSlots } from "./inert.ts";
import { Machines } from "./machines.ts";
import { weakPlaces } from "./related.ts";
import type { Slot } from "./steps.ts";
import { shownPath, storyOf } from "./story.ts";
import { showValue } from "./values.ts";
import { type Place, Vocabulary } from "./vocabulary.ts";
import type { Exploration, Step, Watch } from "./watch.ts";
import { type NeverWithout, type RunKnowledge, watchOf } from "./watches.ts";

/** What is known of one flow while its properties are proved. */
export interface Flow {
  readonly definition: Omit<Definition, "hash">;
  readonly vocabulary: Vocabulary;
  readonly machines: Machines;
  readonly runs: Runs;
}

/** Flows within flows within flows are looked into so deep. */
const DEPTH_MAX = 3;

/** Reports properties that a path breaks, that hold for nothing, or that are not proved, each at its line. */
export function proveProperties(
  definition: Omit<Definition, "hash">,
  ast: FlowAst,
  report: Report,
  flows: ReadonlyMap<string, Definition>,
): void {
  if (definition.ensure.length === 0) return;
  const flow = flowOf(definition, flows, 0);
  for (const [index, property] of definition.ensure.entries()) {
    const written = ast.ensure[index];
    if (written) prove(property, written, flow, ast, report);
  }
}

function prove(property: Property, written: PropertyAst, flow: Flow, ast: FlowAst, report: Report): void {
  switch (property.kind) {
    case "never-without-state":
    case "never-without-approval":
      reportNever(property, written, flow, ast, report);
      break;
    case "reaches-final":
      proveDeadline(property, written, flow, report);
      break;
    default:
      proveDuties(property, written, flow, ast, report);
  }
}

function flowOf(definition: Omit<Definition, "hash">, flows: ReadonlyMap<string, Definition>, depth: number): Flow {
  const vocabulary = new Vocabulary();
  const place = placeIn(definition);
  const machines = new Machines(definition, vocabulary, place);
  for (const property of definition.ensure) {
    if ("condition" in property && property.condition) vocabulary.condition(property.condition, place);
  }
  vocabulary.seal();
  return { definition, vocabulary, machines, runs: new Runs(flows, depth) };
}

const places = new WeakMap<object, Place>();

/** Anywhere in the flow. */
function placeIn(definition: Omit<Definition, "hash">): Place {
  const before = places.get(definition);
  if (before) return before;
  const fields = new Map(definition.fields.map((field) => [field.name, field] as const));
  const place: Place = {
    mayBeAbsent: (path) => {
      const field = fields.get(path);
      return field ? field.optional || field.default === undefined : true;
    },
  };
  places.set(definition, place);
  return place;
}

// ------------------------------------------------------------------------------------------------------------------ //
// never X without Y
// ------------------------------------------------------------------------------------------------------------------ //

interface Verdict {
  readonly exploration: Exploration;
  readonly path?: ConcretePath;
}

/**
 * From the quick to the exact. First branches in which nothing matters are not followed, and the data is left out but for
 * the fields of the property's own condition: what holds then holds. Next the branches are followed; a path that breaks the
 * property is filled with data, and if there is some, that is the answer. Only then everything is told apart.
 */
export function proveNever(property: NeverWithout, flow: Flow): Verdict {
  const { definition, vocabulary, machines, runs } = flow;
  const { condition } = property;
  const formula = condition && vocabulary.condition(condition, placeIn(definition)).yes;
  const watch: Watch = Object.assign(watchOf(property, machines, runs), formula ? { condition: formula } : {});
  const own = closed((formula ? variablesOf(formula) : new Set<number>()).union(endings(vocabulary)), vocabulary);
  let path: ConcretePath | undefined;
  const accept = (step: Step) => {
    path = concretePath(step, machines, condition);
    return path !== undefined;
  };
  const isAnswer = ({ kind, ...rest }: Exploration) =>
    kind === "holds" && (!condition || !("held" in rest && rest.held));
  const inert = inertSlots(machines, watch, fieldsOf(own, vocabulary));
  const rough = new Boxes(vocabulary, definition, own);
  if (inert.size > 0) {
    const quick = new Explorer(machines, rough, withInert(watch, inert), () => true).run();
    if (isAnswer(quick)) return { exploration: quick };
  }
  const followed = new Explorer(machines, rough, watch, accept).run();
  const isPlain = own.size === vocabulary.variables.length;
  const isSettled = isPlain || followed.kind === "broken" || isAnswer(followed);
  const exploration = isSettled
    ? followed
    : settled(followed, new Explorer(machines, new Boxes(vocabulary, definition), watch, accept).run());
  return { exploration, ...(path && exploration.kind === "broken" ? { path } : {}) };
}

/** How branches and sub-flows ended: each step knows that, whatever the data. */
function endings({ variables }: Vocabulary): ReadonlySet<number> {
  const found = variables.filter(
    ({ kind, path }) => kind === "data" && (path === "machine.outcome" || isBranchState(path)),
  );
  return new Set(found.map(({ index }) => index));
}

/** `legal.state`; a record's field may be called so, too, and does no harm. */
function isBranchState(path: string): boolean {
  return path.endsWith(".state") && path !== "machine.state";
}

/** The watch keeps its state in methods, so it is not copied. */
function withInert(watch: Watch, inert: ReadonlySet<Slot>): Watch {
  return Object.assign(Object.create(watch) as Watch, { inert });
}

/** Data fields on which variables depend. */
function fieldsOf(indexes: ReadonlySet<number>, { variables }: Vocabulary): ReadonlySet<string> {
  return new Set([...indexes].flatMap((index) => [...variables[index]!.roots]));
}

/** What holds roughly holds; whether it holds for nothing only the exact look tells. */
function settled(rough: Exploration, exact: Exploration): Exploration {
  return rough.kind === "holds" && exact.kind !== "holds" ? rough : exact;
}

/** With everything that a variable follows from. */
function closed(wanted: ReadonlySet<number>, { variables }: Vocabulary): ReadonlySet<number> {
  const all = new Set(wanted);
  for (const index of all) {
    const { link } = variables[index]!;
    const parts = link?.kind === "equal" ? [link.left, link.right] : [...(link?.of.terms.keys() ?? [])];
    for (const part of parts) all.add(part);
  }
  return all;
}

function reportNever(property: NeverWithout, written: PropertyAst, flow: Flow, ast: FlowAst, report: Report): void {
  const { exploration, path } = proveNever(property, flow);
  const text = describer(flow.definition).property(property);
  if (exploration.kind === "broken" && path) reportBroken(property, written, path, flow, ast, report);
  if (exploration.kind === "unclear") {
    const why = exploration.limit
      ? "there is too much to look at"
      : "no data was found for the paths that might break it";
    report.add("FLOW252", written.span, `\`${text}\` is not proved: ${why}.`);
  }
  if (exploration.kind !== "holds") return;
  const { condition } = property;
  if (!exploration.reached) {
    const message = `\`${text}\` holds only because \`${property.state}\` can't be reached.`;
    report.add("FLOW251", written.span, message);
  } else if (condition && !exploration.held) {
    const shown = describer(flow.definition).expression(condition);
    report.add(
      "FLOW251",
      written.span,
      `\`${text}\` holds only because \`${shown}\` never holds in \`${property.state}\`.`,
    );
  }
}

function reportBroken(
  property: NeverWithout,
  written: PropertyAst,
  path: ConcretePath,
  flow: Flow,
  ast: FlowAst,
  report: Report,
): void {
  const { definition, machines } = flow;
  const describe = describer(definition);
  const without =
    property.kind === "never-without-state"
      ? `\`${property.without}\``
      : `an approval by \`${describe.people(property.by)}\``;
  const shown = [...path.example].filter(
    ([name]) =>
      name === "outcome" || name.startsWith("initiator.") || definition.fields.some((field) => field.name === name),
  );
  const example = shown.map(([name, { type, value }]) => [name, showValue(value, type, definition.currencyDecimals)]);
  const test = breakingTest(endingOf(property, flow), path, flow);
  const related = property.kind === "never-without-approval" ? weakPlaces(property.by, path, machines, ast) : [];
  report.add("FLOW250", written.span, `\`${property.state}\` can be reached without ${without}.`, {
    hint: storyOf(path, flow, property.kind === "never-without-approval" ? property.by : undefined),
    path: shownPath(path),
    ...(example.length > 0 ? { counterExample: Object.fromEntries(example) as Record<string, unknown> } : {}),
    ...(related.length > 0 ? { related } : {}),
    ...(test === undefined ? {} : { test }),
  });
}

function endingOf(property: NeverWithout, { definition }: Flow): Ending {
  return {
    title: describer(definition).property(property),
    lines: [`expect ${stateText(property.state)}`],
    ...(property.kind === "never-without-approval" ? { without: property.by } : {}),
  };
}

/** That it does not stand there. */
function stateText(state: string): string {
  const [branch, inner] = state.split(".");
  return inner === undefined ? `state != ${state}` : `${branch}.state != ${inner}`;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Sub-flows
// ------------------------------------------------------------------------------------------------------------------ //

class Runs implements RunKnowledge {
  private readonly flows: ReadonlyMap<string, Definition>;
  private readonly depth: number;
  private readonly known = new Map<string, boolean>();
  private readonly opened = new Map<string, Flow>();

  constructor(flows: ReadonlyMap<string, Definition>, depth: number) {
    this.flows = flows;
    this.depth = depth;
  }

  outcomesOf({ run }: StateDefinition): readonly string[] | undefined {
    const child = run?.kind === "flow" ? this.flows.get(run.flow) : undefined;
    return child?.states.filter(({ final }) => final).map(({ name }) => name);
  }

  flowOf(name: string): Flow | undefined {
    const definition = this.depth < DEPTH_MAX ? this.flows.get(name) : undefined;
    const flow = this.opened.get(name) ?? (definition && flowOf(definition, this.flows, this.depth + 1));
    if (flow) this.opened.set(name, flow);
    return flow;
  }

  isApprovedBy({ run }: StateDefinition, outcome: string, by: People): boolean {
    const flow = run?.kind === "flow" ? this.flowOf(run.flow) : undefined;
    if (!flow) return false;
    const key = JSON.stringify([flow.definition.flow, outcome, by]);
    const before = this.known.get(key);
    if (before !== undefined) return before;
    const { exploration } = proveNever({ kind: "never-without-approval", state: outcome, by }, flow);
    this.known.set(key, exploration.kind === "holds");
    return exploration.kind === "holds";
  }
}
