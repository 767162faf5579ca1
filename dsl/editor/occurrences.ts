import type {
  ActionAst,
  ApprovalAst,
  BranchAst,
  ExpressionAst,
  FileAst,
  FlowAst,
  MatrixAst,
  Name,
  OptionAst,
  PeopleAst,
  PropertyAst,
  QualifiedNameAst,
  RegionAst,
  StageAst,
  StateBlockAst,
  TestAst,
  TransitionAst,
  TypeAst,
} from "../ast.ts";
import type { Span } from "../diagnostic.ts";
import { occurrencesInTest } from "./test-occurrences.ts";

export type SymbolKind =
  | "flow"
  | "state"
  | "branch"
  | "field"
  | "payload"
  | "event"
  | "people"
  | "function"
  | "document"
  | "matrix"
  | "parameter"
  | "saga"
  | "calendar"
  | "type"
  | "member"
  | "rollout"
  | "test";

/** A name in the text, and what it stands for. */
export interface Occurrence {
  readonly kind: SymbolKind;
  readonly name: string;
  /** With its quotes, where it has them. */
  readonly span: Span;
  readonly declares: boolean;
  /**
   * Within what the name is known: a flow, or a branch or matrix in it. Empty: the whole file and those that `use` it.
   * `matrix:NAME`, `saga:NAME`, `document:NAME`: a field or people of every flow that uses it. Two occurrences of one kind,
   * name and scope are one symbol.
   */
  readonly scope: string;
}

/**
 * Everything in the file that has a name, in no particular order.
 * @param used the files that it uses.
 */
export function occurrencesOf(own: FileAst, used: readonly FileAst[] = []): Occurrence[] {
  const found: Occurrence[] = [];
  const ast: Known = { ...own, knownMatrices: [own, ...used].flatMap(({ matrices }) => matrices) };
  const file = new Collector(found, ast);
  for (const flow of ast.flows) new FlowCollector(found, ast, flow).flow();
  for (const matrix of ast.matrices) file.matrix(matrix);
  for (const { name, steps, onStuck } of ast.sagas) {
    file.add("saga", name, true);
    const shared = new SharedCollector(found, ast, `saga:${name.text}`);
    for (const step of steps.flat()) {
      shared.call(step.call);
      if (step.undo) shared.call(step.undo);
    }
    if (onStuck) shared.people(onStuck.to);
  }
  for (const { name } of ast.calendars) file.add("calendar", name, true);
  for (const { name, fields } of ast.documents) {
    file.add("document", name, true);
    const shared = new SharedCollector(found, ast, `document:${name.text}`);
    for (const { value } of fields) shared.expression(value);
  }
  for (const { flow, event, fields } of ast.sources) {
    file.add("flow", flow, false);
    const started = ast.flows.findLast(({ name }) => name.text === flow.text);
    if (!started) continue;
    const inFlow = new FlowCollector(found, ast, started);
    if (event) inFlow.add("event", event, false, inFlow.scope);
    for (const { name } of fields) {
      if (name.text !== "key" && name.text !== "initiator") inFlow.add("field", name, false, inFlow.scope);
    }
  }
  for (const { name, flow } of ast.rollouts) {
    file.add("rollout", name, true);
    file.add("flow", flow, false);
  }
  for (const test of ast.tests) collectTest(found, ast, test);
  return found;
}

function collectTest(found: Occurrence[], ast: Known, test: TestAst): void {
  const file = new Collector(found, ast);
  file.add("test", test.name, true);
  file.add("flow", test.flow, false);
  const flow = ast.flows.findLast(({ name }) => name.text === test.flow.text);
  if (!flow) return;
  const inFlow = new FlowCollector(found, ast, flow);
  for (const statement of test.statements) {
    if (statement.body.kind === "condition") inFlow.expression(statement.body.condition);
    else found.push(...occurrencesInTest(statement, flow, inFlow.scope));
  }
}

/** The scope of what a flow declares. Versions of one name are told apart by their places. */
export const scopeOf = (flow: FlowAst): string => `flow@${flow.span.start}`;

/** A file with the matrices of those that it uses. */
interface Known extends FileAst {
  readonly knownMatrices: readonly MatrixAst[];
}

/** What is known in the whole file. */
class Collector {
  readonly #found: Occurrence[];
  protected readonly file: Known;

  constructor(found: Occurrence[], file: Known) {
    this.#found = found;
    this.file = file;
  }

  add(kind: SymbolKind, { text, span }: Name, declares: boolean, scope = ""): void {
    this.#found.push({ kind, name: text, span, declares, scope });
  }

  matrix({ name, parameters, header, rows, span }: MatrixAst): void {
    this.add("matrix", name, true);
    const scope = `matrix@${span.start}`;
    for (const parameter of parameters) {
      this.add("parameter", parameter.name, true, scope);
      this.type(parameter.type);
    }
    for (const column of header?.columns ?? []) this.add("parameter", column, false, scope);
    const shared = new SharedCollector(this.#found, this.file, `matrix:${name.text}`);
    for (const { cells, stages } of rows) {
      for (const cell of cells) if (cell.kind === "values") for (const value of cell.values) this.expression(value);
      for (const stage of stages) shared.stage(stage);
    }
  }

  type(type: TypeAst): void {
    switch (type.kind) {
      case "name":
        if (!BUILT_IN_TYPES.has(type.name.text)) this.add("type", type.name, false);
        break;
      case "enum":
        if (type.name) this.add("type", type.name, true);
        for (const member of type.members) this.add("member", member, true);
        break;
      case "list":
        this.type(type.of);
        break;
      case "record":
        for (const field of type.fields) this.type(field.type);
    }
  }

  stage(stage: StageAst): void {
    if (stage.kind === "auto") this.expression(stage.condition);
    else {
      for (const { people, mode } of stage.groups) {
        this.people(people);
        if (mode?.weight) this.add("function", mode.weight, false);
      }
      if (stage.veto) this.people(stage.veto);
    }
  }

  people(people: PeopleAst): void {
    switch (people.kind) {
      case "name":
        this.name(people.name);
        break;
      case "value":
        this.expression(people.value);
        break;
      case "call":
        this.call({
          name: people.name,
          arguments: people.arguments.flatMap((argument) => (argument.kind === "expression" ? [argument.value] : [])),
        });
    }
  }

  call({ name, arguments: values }: { readonly name: Name; readonly arguments: readonly ExpressionAst[] }): void {
    if (this.file.knownMatrices.some((matrix) => matrix.name.text === name.text)) this.add("matrix", name, false);
    else if (!BUILT_IN_FUNCTIONS.has(name.text)) this.add("function", name, false);
    for (const value of values) this.expression(value);
  }

  /** A bare name in an expression or among people. */
  name(name: Name): void {
    if (this.isMember(name)) this.add("member", name, false);
  }

  protected isMember({ text }: Name): boolean {
    return this.#declaredMembers().some((member) => member === text);
  }

  *#declaredMembers(): Generator<string> {
    for (const { fields } of this.file.flows) for (const { type } of fields) yield* membersIn(type);
    for (const { parameters } of this.file.knownMatrices) for (const { type } of parameters) yield* membersIn(type);
  }

  member(of: ExpressionAst, _name: Name): void {
    this.expression(of);
  }

  expression(expression: ExpressionAst): void {
    if (expression.kind === "name") this.name(expression.name);
    else if (expression.kind === "member") this.member(expression.of, expression.name);
    else if (expression.kind === "call") this.call(expression);
    else if (expression.kind === "people") this.people(expression.people);
    else for (const part of partsOf(expression)) if (part) this.expression(part);
  }
}

/** The expressions of which one is made. */
function partsOf(expression: ExpressionAst): readonly (ExpressionAst | undefined)[] {
  switch (expression.kind) {
    case "list":
      return expression.items;
    case "interval":
      return [expression.low, expression.high];
    case "record":
      return expression.fields.map(({ value }) => value);
    case "not":
    case "negate":
    case "is-set":
      return [expression.of];
    case "binary":
      return [expression.left, expression.right];
    case "if":
      return [expression.condition, expression.then, expression.else];
    case "quantifier":
      return [expression.list, expression.where];
    default:
      return [];
  }
}

function* membersIn(type: TypeAst): Iterable<string> {
  if (type.kind === "enum") for (const { text } of type.members) yield text;
  else if (type.kind === "list") yield* membersIn(type.of);
  else if (type.kind === "record") for (const field of type.fields) yield* membersIn(field.type);
}

/** In what flows share, a name that the file does not know is a field or people of each flow that uses it. */
class SharedCollector extends Collector {
  readonly #scope: string;

  constructor(found: Occurrence[], file: Known, scope: string) {
    super(found, file);
    this.#scope = scope;
  }

  override people(people: PeopleAst): void {
    if (people.kind === "name") this.#open("people", people.name);
    else super.people(people);
  }

  override name(name: Name): void {
    if (this.isMember(name)) super.name(name);
    else this.#open("field", name);
  }

  #open(kind: "field" | "people", name: Name): void {
    if (!BUILT_IN_NAMES.has(name.text)) this.add(kind, name, false, this.#scope);
  }
}

/** What is known in one flow too. */
class FlowCollector extends Collector {
  readonly scope: string;
  readonly #flow: FlowAst;
  readonly #fields: ReadonlySet<string>;
  readonly #people: ReadonlySet<string>;
  /** The machines around, innermost first. */
  #regions: readonly { readonly scope: string; readonly states: ReadonlySet<string> }[] = [];

  constructor(found: Occurrence[], file: Known, flow: FlowAst) {
    super(found, file);
    this.#flow = flow;
    this.scope = scopeOf(flow);
    this.#fields = new Set(flow.fields.map(({ name }) => name.text));
    this.#people = new Set(flow.people.map(({ name }) => name.text));
  }

  flow(): void {
    const flow = this.#flow;
    this.add("flow", flow.name, true);
    for (const { key, value } of flow.settings) if (key.text === "calendar") this.add("calendar", value, false);
    for (const field of flow.fields) {
      this.add("field", field.name, true, this.scope);
      this.type(field.type);
      if (field.default) this.expression(field.default);
    }
    for (const event of flow.events) {
      this.add("event", event.name, true, this.scope);
      for (const { name, type } of event.payload) {
        this.add(type ? "payload" : "field", name, type !== undefined, this.scope);
        if (type) this.type(type);
      }
    }
    for (const { name, people } of flow.people) {
      this.add("people", name, true, this.scope);
      this.people(people);
    }
    this.#region(flow, this.scope);
    for (const { event } of flow.routes) this.add("event", event, false, this.scope);
    for (const property of flow.ensure) this.#property(property);
    for (const { lines } of flow.migrations) for (const { to } of lines) this.#qualified(to);
  }

  override name(name: Name): void {
    if (this.#fields.has(name.text)) this.add("field", name, false, this.scope);
    else if (this.#people.has(name.text)) this.add("people", name, false, this.scope);
    else super.name(name);
  }

  override member(of: ExpressionAst, name: Name): void {
    if (of.kind === "name" && of.name.text === "event") this.add("payload", name, false, this.scope);
    else super.member(of, name);
  }

  #region(region: RegionAst, scope: string): void {
    const outer = this.#regions;
    this.#regions = [{ scope, states: new Set(region.states.map(({ text }) => text)) }, ...outer];
    for (const state of region.states) this.add("state", state, true, scope);
    if (region.initial) this.#state(region.initial);
    for (const state of region.final ?? []) this.#state(state);
    for (const block of region.stateBlocks) this.#block(block, scope);
    for (const line of region.transitions) this.#line(line);
    this.#regions = outer;
  }

  /** Looked up in the innermost machine that has it. */
  #state(name: Name): void {
    const region = this.#regions.find(({ states }) => states.has(name.text)) ?? this.#regions[0];
    if (region) this.add("state", name, false, region.scope);
  }

  #block({ name, approval, parallel, run }: StateBlockAst, scope: string): void {
    this.#state(name);
    if (approval) this.#approval(approval);
    for (const branch of parallel?.branches ?? []) this.#branch(branch, scope);
    if (run?.kind === "saga") this.add("saga", run.saga, false);
    else if (run) {
      this.add("flow", run.flow, false);
      for (const { value } of run.fields) this.expression(value);
    }
  }

  #branch(branch: BranchAst, scope: string): void {
    this.add("branch", branch.name, true, this.scope);
    if (branch.condition) this.expression(branch.condition);
    this.#region(branch, `${scope}/${branch.name.text}`);
  }

  #approval({ stages, options }: ApprovalAst): void {
    for (const stage of stages) this.stage(stage);
    for (const option of options) this.#option(option);
  }

  #option(option: OptionAst): void {
    switch (option.kind) {
      case "overdue":
        for (const { to } of option.steps) if (to) this.people(to);
        break;
      case "onEmpty":
        if (option.to) this.people(option.to);
        break;
      case "edit":
      case "hide":
        for (const field of option.fields) this.add("field", field, false, this.scope);
    }
  }

  #line({ from, to, trigger, by, condition, actions }: TransitionAst): void {
    if (from !== "any") for (const state of from) this.#state(state);
    this.#state(to);
    if (trigger.kind === "event") this.add("event", trigger.event, false, this.scope);
    else if (trigger.kind === "at") this.expression(trigger.at);
    if (by) this.people(by);
    if (condition) this.expression(condition);
    for (const action of actions) this.#action(action);
  }

  #action(action: ActionAst): void {
    if (action.kind === "set") {
      this.add("field", action.field, false, this.scope);
      this.expression(action.value);
    } else if (action.kind === "start") {
      this.add("flow", action.flow, false);
      this.expression(action.key);
      for (const { value } of action.fields) this.expression(value);
    } else this.#actionCall(action);
  }

  #actionCall(action: Extract<ActionAst, { kind: "call" }>): void {
    const [first] = action.arguments;
    if (action.name.text === "render" && first?.kind === "text") {
      this.add("document", { text: first.value, span: first.span, quoted: true }, false);
    } else if (action.name.text !== "emit") this.call(action);
  }

  #property(property: PropertyAst): void {
    switch (property.kind) {
      case "never-without":
        this.#qualified(property.state);
        if (property.without.kind === "state") this.#qualified(property.without.state);
        else this.people(property.without.by);
        if (property.condition) this.expression(property.condition);
        break;
      case "never-approves":
        this.people(property.people);
        break;
      case "different-people":
        for (const state of property.states) this.#qualified(state);
    }
  }

  #qualified({ branch, name }: QualifiedNameAst): void {
    if (branch) this.add("branch", branch, false, this.scope);
    const scope = branch ? `${this.scope}/${branch.text}` : this.scope;
    this.add("state", name, false, scope);
  }
}

const BUILT_IN_TYPES: ReadonlySet<string> = new Set(
  "bool int decimal money text date datetime duration user org file".split(" "),
);

const BUILT_IN_NAMES: ReadonlySet<string> = new Set(
  "initiator actor assignee now state elapsed approvals key outcome data event machine".split(" "),
);

/** Names of the language itself, which nobody declares. */
export const BUILT_IN_FUNCTIONS: ReadonlySet<string> = new Set(
  (
    "users group role managerOf managersOf headOf dept position chosen formatDate rmbUpper dateOf masked count sum " +
    "emit notify cc render start set control table"
  ).split(" "),
);
