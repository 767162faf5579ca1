/** Matrices: parameters and cells are those of the file, people those of each flow that uses them. */
import type { ExpressionAst, MatrixAst, Name, PeopleAst, StageAst } from "../ast.ts";
import type { MatrixCell, MatrixDefinition, MatrixUse, Stage, Type } from "../definition.ts";
import { proveMatrix } from "../proofs/prove.ts";
import { checkCell } from "./cells.ts";
import { article, typedValue } from "./checked.ts";
import { checkType, unique } from "./declarations.ts";
import { anyFlow, inFile, namelessFlow } from "./elsewhere.ts";
import { plainScope } from "./expressions.ts";
import { Report } from "./report.ts";
import { type FileScope, type FlowScope, isSound, type MatrixTable, type Scope, type Shared } from "./scope.ts";
import { checkStage, type StageOptions, withOptions } from "./stages.ts";
import { didYouMean } from "./suggest.ts";
import { isOrdered } from "./types.ts";

type CallAst = Extract<PeopleAst, { kind: "call" }>;

/** Options of a row's stage before the approval that uses it has its say. */
const NO_OPTIONS: StageOptions = { handle: false, reject: undefined };

// ------------------------------------------------------------------------------------------------------------------ //
// Uses
// ------------------------------------------------------------------------------------------------------------------ //

/** The call, if the stage is a matrix. */
export function matrixCallOf(ast: StageAst, { file }: FlowScope): CallAst | undefined {
  if (ast.kind !== "people") return undefined;
  const calls = ast.groups.map(({ people }) => people);
  return calls.find((people) => people.kind === "call" && file.matrices.has(people.name.text)) as CallAst | undefined;
}

/** Stages that are looked up in a matrix. */
export function checkMatrixStage(
  ast: StageAst,
  { name, arguments: args, span }: CallAst,
  options: StageOptions,
  scope: Scope,
): MatrixUse | undefined {
  const { flow } = scope;
  const [group, ...others] = ast.kind === "people" ? ast.groups : [];
  if (others.length > 0 || group?.mode || group?.pick || (ast.kind === "people" && ast.veto)) {
    const message = `The matrix \`${name.text}\` says whole stages, so nothing goes with it.`;
    return flow.report.add("FLOW228", ast.span, message, { hint: "Separate it by `then`." });
  }
  const matrix = flow.file.matrices.get(name.text)!;
  const table = tableOf(matrix, flow);
  const definition = definitionOf(matrix, table, flow, name);
  const values = table && checkArguments(name, args, span, table, scope);
  if (!definition || !values) {
    // What is wrong with a matrix is said where it stands.
    flow.report.isIncomplete = true;
    return undefined;
  }
  return { kind: "matrix", matrix: variant(definition, options, flow), handle: options.handle, arguments: values };
}

function checkArguments(
  name: Name,
  args: CallAst["arguments"],
  span: CallAst["span"],
  { parameters }: MatrixTable,
  scope: Scope,
) {
  const values = args.flatMap((argument): ExpressionAst[] => (argument.kind === "expression" ? [argument.value] : []));
  if (values.length !== parameters.length || values.length !== args.length) {
    const message = `\`${name.text}\` takes ${parameters.map((parameter) => `\`${parameter.name}\``).join(", ")}.`;
    return scope.flow.report.add("FLOW108", span, message);
  }
  const typed = values.map((value, index) => typedValue(value, scope, parameters[index]!.type));
  return typed.every((value) => value !== undefined) ? typed : undefined;
}

/** Notes the matrix with the options of the approval that uses it, and says under which name. */
function variant(definition: MatrixDefinition, options: StageOptions, { mentions }: FlowScope): string {
  const handle = options.handle ? " handle" : "";
  const key = `${definition.name}${handle}${options.reject ? ` reject ${options.reject}` : ""}`;
  const rows = definition.rows.map(({ cells, stages }) => ({
    cells,
    stages: stages.map((stage) => withOptions(stage, options)),
  }));
  if (!mentions.matrices.has(key)) mentions.matrices.set(key, { ...definition, rows });
  return key;
}

/** The matrix with people of this flow, looked at once. */
function definitionOf(
  { ast, home }: Shared<MatrixAst>,
  table: MatrixTable | undefined,
  flow: FlowScope,
  use: Name,
): MatrixDefinition | undefined {
  const { rows } = flow.mentions;
  if (rows.has(ast.name.text)) return rows.get(ast.name.text);
  const stages = inFile(home, flow, use.span, (guest) => rowStages(ast, guest));
  const definition = table &&
    stages && { ...table, rows: table.rows.map(({ cells }, index) => ({ cells, stages: stages[index]! })) };
  rows.set(ast.name.text, definition);
  return definition;
}

function rowStages(ast: MatrixAst, flow: FlowScope): readonly (readonly Stage[])[] | undefined {
  const rows = ast.rows.map(({ stages }) => {
    const checked = stages.map((stage) => checkStage(stage, NO_OPTIONS, plainScope(flow)));
    return checked.every((stage) => stage !== undefined) ? checked : undefined;
  });
  return rows.every((row) => row !== undefined) ? rows : undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Parameters and cells
// ------------------------------------------------------------------------------------------------------------------ //

/** Checks a matrix that no flow of its file uses: of its people, those that are built in. */
export function checkUnusedMatrix(matrix: Shared<MatrixAst>): void {
  const report = new Report(matrix.home.file);
  const flow = anyFlow(matrix.home, report);
  tableOf(matrix, flow);
  rowStages(matrix.ast, flow);
  matrix.home.report.include(report);
}

/** Parameters and cells, with money as the flow's currency has it. What is wrong is reported under the matrix's file, once. */
function tableOf({ ast, home }: Shared<MatrixAst>, flow: FlowScope): MatrixTable | undefined {
  const key = `${ast.name.text} ${flow.currencyDecimals}`;
  if (home.tables.has(key)) return home.tables.get(key);
  const report = new Report(home.file);
  const { currency, currencyDecimals } = flow;
  const table = checkTable(ast, home, { ...namelessFlow(home, report), currency, currencyDecimals });
  const isProvable = table && report.isClean && isSound(ast, home);
  if (isProvable) {
    const matrix = { ...table, rows: table.rows.map(({ cells }) => ({ cells, stages: [] })) };
    proveMatrix(matrix, ast, currencyDecimals, report);
  }
  const found = isProvable && report.isClean ? table : undefined;
  home.report.include(report);
  home.tables.set(key, found);
  return found;
}

function checkTable(ast: MatrixAst, home: FileScope, flow: FlowScope): MatrixTable | undefined {
  const parameters = checkParameters(ast, home, flow);
  const columns = parameters && columnsOf(ast, parameters, flow);
  if (!parameters || !columns) return undefined;
  const rows = ast.rows.map((row) => {
    const cells = columns.map((column, index): MatrixCell | undefined => {
      const cell = row.cells[column];
      if (cell === undefined || cell.kind === "any") return { kind: "any" };
      return checkCell(cell.values, parameters[index]!.type, plainScope(flow));
    });
    if (row.cells.length !== columns.length) {
      const message = `The row has ${counted(row.cells.length, "cell")} for ${counted(columns.length, "column")}.`;
      return flow.report.add("FLOW263", row.span, message);
    }
    return cells.every((cell) => cell !== undefined) ? { cells } : undefined;
  });
  if (!rows.every((row) => row !== undefined)) return undefined;
  return { name: ast.name.text, parameters, rows };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function checkParameters(ast: MatrixAst, home: FileScope, flow: FlowScope): MatrixTable["parameters"] | undefined {
  const parameters = unique(ast.parameters, ({ name }) => name, "parameter", flow.report).map(
    ({ name, type: written }) => {
      const type = checkType(written, home, flow.report);
      if (type === undefined || isColumn(type)) return type && { name: name.text, type };
      return flow.report.add("FLOW263", written.span, `A column can't be ${article(type)}.`);
    },
  );
  return parameters.every((parameter) => parameter !== undefined) ? parameters : undefined;
}

function isColumn(type: Type): boolean {
  return isOrdered(type) || ["bool", "enum", "text", "user", "org"].includes(type.kind);
}

/** For each parameter, its place in a row. */
function columnsOf(
  { header }: MatrixAst,
  parameters: MatrixTable["parameters"],
  { report }: FlowScope,
): readonly number[] | undefined {
  if (header === undefined) return parameters.map((_, index) => index);
  const names = parameters.map(({ name }) => name);
  for (const { text, span } of unique(header.columns, (column) => column, "column", report)) {
    if (names.includes(text)) continue;
    report.add("FLOW103", span, `The matrix has no parameter \`${text}\`.`, didYouMean(text, names, span));
  }
  const columns = names.map((name) => {
    const column = header.columns.findIndex(({ text }) => text === name);
    if (column !== -1) return column;
    // A misspelt name was reported.
    if (header.columns.length < names.length) report.add("FLOW263", header.span, `There is no column for \`${name}\`.`);
    return undefined;
  });
  return columns.every((column) => column !== undefined) ? columns : undefined;
}
