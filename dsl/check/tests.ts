import type { ExpressionAst, Name, TestAst, TestStatementAst } from "../ast.ts";
import type { Expectation, Statement, TestBlock } from "../test-block.ts";
import { condition } from "./checked.ts";
import { plainScope } from "./expressions.ts";
import type { Report } from "./report.ts";
import { type FileScope, type FlowScope, isDamaged, isSound } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { stateNamed } from "./transitions.ts";

/** A test whose names are known to its flow; `undefined` if it has errors. */
export function checkTest(
  ast: TestAst,
  flows: readonly FlowScope[],
  file: FileScope,
  report: Report,
): TestBlock | undefined {
  const versions = flows.filter(({ name }) => name === ast.flow.text);
  // Without a label, the last version is meant.
  const flow = versions.findLast(({ label }) => ast.label && label === ast.label.text) ?? versions.at(-1);
  if (flow === undefined) {
    if (isDamaged(ast.flow.text, { file, report })) return undefined;
    const message = `There is no flow \`${ast.flow.text}\` in this file.`;
    const known = flows.map(({ name }) => name);
    return report.add("FLOW110", ast.flow.span, message, didYouMean(ast.flow.text, known, ast.flow.span, true));
  }
  const scope: FlowScope = { ...flow, report, uses: new Map() };
  const statements = ast.statements.flatMap((statement, index) => {
    // What is meant to be refused may be anything.
    const refused = isRefusal(ast.statements[index + 1]);
    return checkStatement(statement, scope, refused) ?? [];
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

function lineOf(offset: number, text: string): number {
  return text.slice(0, offset).split("\n").length;
}

function isRefusal(ast: TestStatementAst | undefined): boolean {
  if (ast?.body.kind !== "complete") return false;
  const { statement } = ast.body;
  return statement.kind === "expect" && statement.expectation.kind === "refused";
}

function checkStatement(ast: TestStatementAst, flow: FlowScope, refused: boolean): Statement | undefined {
  const common = { span: ast.span, text: ast.text, ...(ast.on ? { on: ast.on.text } : {}) };
  if (ast.body.kind === "condition") {
    const expectation = checkCondition(ast.body.condition, flow);
    return expectation && { kind: "expect", expectation, ...common };
  }
  const { statement } = ast.body;
  if (!refused) reportUnknown(ast, flow);
  return { ...statement, ...common };
}

/** `expect A == B` compares data as it is now; nothing need be set, and what is absent makes the line fail. */
function checkCondition(ast: ExpressionAst, flow: FlowScope): Expectation | undefined {
  const everything = [...flow.fields.keys(), "machine.actor"];
  const found = condition(ast, { ...plainScope(flow), narrowed: new Set(everything) });
  return found && { kind: "condition", condition: found };
}

function reportUnknown(ast: TestStatementAst, flow: FlowScope): void {
  if (ast.body.kind !== "complete") return;
  const { statement } = ast.body;
  switch (statement.kind) {
    case "send":
      reportEvent(statement.event, ast, flow);
      break;
    case "return":
      if (statement.to.kind === "state") stateNamed(nameIn(statement.to.state, false, ast), flow);
      break;
    case "expect":
      if (statement.expectation.kind === "state") stateNamed(nameIn(statement.expectation.state, false, ast), flow);
      break;
  }
}

function reportEvent(event: string, ast: TestStatementAst, flow: FlowScope): void {
  if (flow.events.has(event) || isDamaged(event, flow)) return;
  const { span } = nameIn(event, true, ast);
  const message = `The flow \`${flow.name}\` waits for no event \`${event}\`.`;
  flow.report.add("FLOW112", span, message, didYouMean(event, flow.events.keys(), span, true));
}

/** Where the word stands in the statement; the whole statement if it is written otherwise. */
function nameIn(text: string, quoted: boolean, ast: TestStatementAst): Name {
  const written = quoted ? JSON.stringify(text) : text;
  const at = ast.text.indexOf(written);
  const start = ast.span.start + at;
  return { text, quoted, span: at === -1 ? ast.span : { start, end: start + written.length } };
}
