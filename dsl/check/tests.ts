import type { ExpressionAst, Name, TestAst, TestStatementAst } from "../ast.ts";
import type { Type } from "../definition.ts";
import type { Expectation, Statement, StatementBody, TestBlock } from "../test-block.ts";
import { warnOnce } from "./calls.ts";
import { condition } from "./checked.ts";
import { plainScope } from "./expressions.ts";
import { nameIsKnown } from "./names.ts";
import { branchesOf } from "./properties.ts";
import type { Report } from "./report.ts";
import { type FileScope, type FlowScope, isDamaged, isLost, isSound, type Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { reportMentions } from "./test-mentions.ts";
import { reportPayload } from "./test-payloads.ts";

/** Where any final state may be the outcome, `VOIDED` too. */
const ANY_OUTCOME: Type = { kind: "enum", name: "outcome", members: [] };

/** What the statements of a test may name. */
interface TestScope {
  readonly flow: FlowScope;
  readonly states: ReadonlySet<string>;
  /** Branches, with their states. */
  readonly branches: ReadonlyMap<string, ReadonlySet<string>>;
  /** Flows that are run in it, at any depth: their tasks are the instance's. */
  readonly inner: readonly FlowScope[];
  /** It runs flows that are not known here: what is said of their tasks may be anything. */
  readonly runsUnknown: boolean;
}

/** A test whose names are known to its flow; `undefined` if it has errors. */
export function checkTest(ast: TestAst, file: FileScope, report: Report): TestBlock | undefined {
  const flow = versionOf(ast, file, report);
  if (flow === undefined) return undefined;
  let scope = scopeOf(ast, { ...flow, file, report, uses: new Map() });
  // Without any start, the test is only about what can be said.
  const started = ast.statements.some(isStart) ? new Set<string>() : undefined;
  const statements = ast.statements.flatMap((statement, index) => {
    // What is meant to be refused may be anything.
    const refused = isRefusal(ast.statements[index + 1]);
    const checked = checkStatement(statement, scope, refused);
    if (statement.body.kind === "complete") reportMentions(statement.body.statement, statement, { ...scope, started });
    if (!refused) noteStart(statement, started);
    if (!refused) scope = afterMigration(statement, scope);
    return checked ?? [];
  });
  if (!report.isClean || !isSound(ast, file)) return undefined;
  return {
    name: ast.name.text,
    flow: ast.flow.text,
    ...(ast.label ? { label: ast.label.text } : {}),
    file: file.file,
    span: ast.span,
    line: lineOf(ast.span.start, file.text),
    ...(ast.startsAt === undefined ? {} : { startsAt: ast.startsAt }),
    statements,
  };
}

/** The version that is tested: without a label, the current one. */
function versionOf({ flow: { text, span }, label }: TestAst, file: FileScope, report: Report): FlowScope | undefined {
  const versions = file.versions.get(text);
  const current = versions?.at(-1);
  if (versions === undefined || current === undefined) {
    if (isLost(text, { file, report })) return undefined;
    const message = `There is no flow \`${text}\` in this file.`;
    return report.add("FLOW110", span, message, didYouMean(text, file.versions.keys(), span, true));
  }
  const labelled = versions.findLast((version) => label && version.label === label.text);
  if (label && !labelled) warnLabel(label, versions, { file, report });
  return labelled ?? current;
}

function warnLabel(
  { text, span }: Name,
  versions: readonly FlowScope[],
  place: Pick<FlowScope, "file" | "report">,
): void {
  const [flow] = versions;
  const message = `No version of \`${flow?.name}\` with the label \`${text}\` is known here.`;
  const labels = versions.flatMap(({ label }) => label ?? []);
  warnOnce(place, "FLOW307", `label ${flow?.name} ${text}`, span, message, didYouMean(text, labels, span, true));
}

function scopeOf(ast: TestAst, flow: FlowScope): TestScope {
  // After a migration the instance may stand in a state of another version.
  const migrates = ast.statements.some(({ body }) => body.kind === "complete" && body.statement.kind === "migrate");
  const versions = migrates ? (flow.file.versions.get(flow.name) ?? [flow]) : [flow];
  const branches = new Map<string, Set<string>>();
  for (const version of versions) {
    for (const { name, states } of branchesOf(version.ast)) {
      branches.set(name, new Set([...(branches.get(name) ?? []), ...states]));
    }
  }
  const states = new Set(versions.flatMap((version) => [...version.states.keys()]));
  const inner = versions.flatMap((version) => subFlows(version, flow.file));
  return {
    flow,
    states,
    branches,
    inner: [...new Set(inner.flatMap((run) => run ?? []))],
    runsUnknown: inner.includes(undefined),
  };
}

function isStart({ body }: TestStatementAst): boolean {
  return body.kind === "complete" && body.statement.kind === "start";
}

/** The first instance needs no name; any start may be the first. */
function noteStart({ body }: TestStatementAst, started: Set<string> | undefined): void {
  if (body.kind !== "complete" || body.statement.kind !== "start") return;
  started?.add("").add(body.statement.alias ?? "");
}

/** What follows `migrate to label "2"` speaks of that version's fields and events. */
function afterMigration({ body, on }: TestStatementAst, scope: TestScope): TestScope {
  if (body.kind !== "complete" || body.statement.kind !== "migrate" || on) return scope;
  const { label } = body.statement;
  const { file, report, uses, name } = scope.flow;
  const version = file.versions.get(name)?.findLast((one) => one.label === label);
  return version ? { ...scope, flow: { ...version, file, report, uses } } : scope;
}

/** The flows that are run in it, and in those; `undefined` for one that is not known. */
function subFlows(
  flow: FlowScope,
  file: FileScope,
  seen: ReadonlySet<string> = new Set(),
): readonly (FlowScope | undefined)[] {
  const runs = [flow.ast, ...regionsOf(flow.ast)].flatMap(({ stateBlocks }) =>
    stateBlocks.flatMap(({ run }) => (run?.kind === "flow" ? [run.flow.text] : [])),
  );
  return [...new Set(runs)].flatMap((name) => {
    if (seen.has(name)) return [];
    const target = file.versions.get(name)?.at(-1);
    return target === undefined ? [undefined] : [target, ...subFlows(target, file, new Set([...seen, name]))];
  });
}

function regionsOf(region: Pick<FlowScope["ast"], "stateBlocks">): readonly Pick<FlowScope["ast"], "stateBlocks">[] {
  return region.stateBlocks.flatMap(({ parallel }) =>
    (parallel?.branches ?? []).flatMap((branch) => [branch, ...regionsOf(branch)]),
  );
}

function lineOf(offset: number, text: string): number {
  return text.slice(0, offset).split("\n").length;
}

function isRefusal(ast: TestStatementAst | undefined): boolean {
  if (ast?.body.kind !== "complete") return false;
  const { statement } = ast.body;
  return statement.kind === "expect" && statement.expectation.kind === "refused";
}

// ------------------------------------------------------------------------------------------------------------------ //
// Statements
// ------------------------------------------------------------------------------------------------------------------ //

function checkStatement(ast: TestStatementAst, scope: TestScope, refused: boolean): Statement | undefined {
  const common = { span: ast.span, text: ast.text, ...(ast.on ? { on: ast.on.text } : {}) };
  if (ast.body.kind === "condition") {
    const expectation = checkCondition(ast.body.condition, scope);
    return expectation && { kind: "expect", expectation, ...common };
  }
  const { statement } = ast.body;
  const meant = statement.kind === "expect" ? conditionMeant(statement.expectation, ast, scope) : undefined;
  if (meant) {
    const expectation = checkCondition(meant, scope);
    return expectation && { kind: "expect", expectation, ...common };
  }
  if (!refused) {
    reportNames(statement, ast, scope);
    reportPayload(statement, ast, scope);
  }
  return { ...statement, ...common };
}

/** `expect urgent` and `expect address.confirmed` look like states; where there is none, they ask for data. */
function conditionMeant(
  expectation: Expectation,
  ast: TestStatementAst,
  { flow, states, branches }: TestScope,
): ExpressionAst | undefined {
  if (expectation.kind !== "state" || expectation.waiting) return undefined;
  const { branch, state } = expectation;
  const first = branch ?? state;
  if (branch === undefined ? states.has(state) : branches.has(branch)) return undefined;
  if (!nameIsKnown(first, plainScope(flow))) return undefined;
  const name = nameIn(first, false, ast);
  const of: ExpressionAst = { kind: "name", name, span: name.span };
  if (branch === undefined) return of;
  const span = { start: name.span.start, end: name.span.end + 1 + state.length };
  return {
    kind: "member",
    of,
    name: { text: state, quoted: false, span: { start: name.span.end + 1, end: span.end } },
    span,
  };
}

/** `expect A == B` compares data as it is now; nothing need be set, and what is absent makes the line fail. */
function checkCondition(ast: ExpressionAst, { flow, branches }: TestScope): Expectation | undefined {
  const everything = [...flow.fields.keys(), "machine.actor"];
  const scope: Scope = {
    ...plainScope(flow),
    narrowed: new Set(everything),
    outcome: ANY_OUTCOME,
    branches: new Map([...branches].map(([name, states]) => [name, { states: [...states], always: true }])),
  };
  const found = condition(ast, scope);
  return found && { kind: "condition", condition: found };
}

function reportNames(statement: StatementBody, ast: TestStatementAst, scope: TestScope): void {
  if ("in" in statement && statement.in !== undefined) reportPlace(statement.in, ast, scope);
  switch (statement.kind) {
    case "send":
      reportEvent(statement.event, ast, scope);
      break;
    case "return":
      if (statement.to.kind === "state") reportReturn(statement.to.state, ast, scope);
      break;
    case "admin":
      if (statement.operation.kind === "jump") {
        reportState(statement.operation.branch, statement.operation.state, ast, scope);
      }
      break;
    case "migrate":
      reportLabel(statement.label, ast, scope.flow);
      break;
    case "advance":
      reportTerm(statement.term.kind, ast, scope.flow);
      break;
    case "expect":
      reportExpectation(statement.expectation, ast, scope);
      break;
  }
}

function reportExpectation(expectation: Expectation, ast: TestStatementAst, scope: TestScope): void {
  if (expectation.kind === "state") reportState(expectation.branch, expectation.state, ast, scope);
  if (expectation.kind === "rendered") reportDocument(expectation.document, ast, scope.flow);
  if ("in" in expectation && expectation.in !== undefined) reportPlace(expectation.in, ast, scope);
}

/** Where a task is returned to: a state of any branch, of a sub-flow too, can be meant without naming more. */
function reportReturn(state: string, ast: TestStatementAst, scope: TestScope): void {
  const { branches, inner, runsUnknown } = scope;
  const isInside = inner.some(({ states, ast: run }) => {
    return states.has(state) || branchesOf(run).some((branch) => branch.states.includes(state));
  });
  if (runsUnknown || isInside || [...branches.values()].some((names) => names.has(state))) return;
  reportState(undefined, state, ast, scope);
}

function reportState(
  branch: string | undefined,
  state: string,
  ast: TestStatementAst,
  { flow, states, branches }: TestScope,
): void {
  const known = branch === undefined ? states : branches.get(branch);
  if (known?.has(state) || isDamaged(state, flow)) return;
  if (branch !== undefined && known === undefined) {
    reportBranch(branch, ast, { flow, branches });
    return;
  }
  if (flow.states.size === 0) return;
  const [there] = [...branches].find(([, names]) => names.has(state)) ?? [];
  const { span } = nameIn(state, false, ast);
  const hint = there === undefined ? {} : { hint: `Say the branch: \`${there}.${state}\`.` };
  flow.report.add("FLOW102", span, `There is no state \`${state}\`.`, {
    ...didYouMean(state, known ?? states, span),
    ...hint,
  });
}

/** `in` may name a branch or a state, of the flow or of one that is run in it. */
function reportPlace(
  place: string,
  ast: TestStatementAst,
  { flow, states, branches, inner, runsUnknown }: TestScope,
): void {
  if (runsUnknown || states.has(place) || branches.has(place)) return;
  if ([...branches.values()].some((names) => names.has(place))) return;
  if (inner.some((run) => isPlaceOf(place, run))) return;
  reportBranch(place, ast, { flow, branches });
}

function isPlaceOf(place: string, { states, ast }: FlowScope): boolean {
  return states.has(place) || branchesOf(ast).some(({ name, states: own }) => name === place || own.includes(place));
}

function reportBranch(
  branch: string,
  ast: TestStatementAst,
  { flow, branches }: Pick<TestScope, "flow" | "branches">,
): void {
  if (isDamaged(branch, flow)) return;
  const { span } = nameIn(branch, false, ast);
  flow.report.add("FLOW115", span, `There is no branch \`${branch}\`.`, didYouMean(branch, branches.keys(), span));
}

/** An event reaches the sub-flow that waits for it. */
function reportEvent(event: string, ast: TestStatementAst, { flow, inner, runsUnknown }: TestScope): void {
  if (runsUnknown || [flow, ...inner].some(({ events }) => events.has(event)) || isDamaged(event, flow)) return;
  const { span } = nameIn(event, true, ast);
  const known = [flow, ...inner].flatMap(({ events }) => [...events.keys()]);
  const message = `The flow \`${flow.name}\` waits for no event \`${event}\`.`;
  flow.report.add("FLOW112", span, message, didYouMean(event, known, span, true));
}

function reportLabel(label: string, ast: TestStatementAst, flow: FlowScope): void {
  const versions = flow.file.versions.get(flow.name) ?? [];
  if (versions.some((version) => version.label === label)) return;
  warnLabel(nameIn(label, true, ast), versions, flow);
}

function reportTerm(kind: "natural" | "workhours" | "workdays", ast: TestStatementAst, flow: FlowScope): void {
  if (kind === "natural" || flow.hasCalendar) return;
  flow.report.add("FLOW260", ast.span, "Working time needs a calendar, and the flow has none.", {
    hint: 'Write `calendar: "…"` in the flow.',
  });
}

function reportDocument(document: string, ast: TestStatementAst, flow: FlowScope): void {
  const { documents } = flow.file;
  if (documents.has(document) || isLost(document, flow)) return;
  const { span } = nameIn(document, true, ast);
  const message = `There is no document \`${document}\`.`;
  flow.report.add("FLOW106", span, message, didYouMean(document, documents.keys(), span, true));
}

/** Where the word stands in the statement; the whole statement if it is written otherwise. */
function nameIn(text: string, quoted: boolean, ast: TestStatementAst): Name {
  const written = quoted ? JSON.stringify(text) : text;
  const at = ast.text.indexOf(written);
  const start = ast.span.start + at;
  return { text, quoted, span: at === -1 ? ast.span : { start, end: start + written.length } };
}
