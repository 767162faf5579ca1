/** What a test speaks of and nothing in the flow has: such a line shows nothing, or can't come true. */
import type { TestStatementAst } from "../ast.ts";
import type { Span } from "../diagnostic.ts";
import { REFUSAL_CODES } from "../refusal-codes.ts";
import type { Expectation, Fact, StatementBody } from "../test-block.ts";
import type { FileScope, FlowScope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

/** Where a statement of a test stands. */
export interface Speaking {
  readonly flow: FlowScope;
  /** Flows that are run in it. */
  readonly inner: readonly FlowScope[];
  /** It runs flows that are not known here: any name may be theirs. */
  readonly runsUnknown: boolean;
  /** Instances that were started before, by name; "" is the first. Absent: the test starts none. */
  readonly started: Set<string> | undefined;
}

/** Statements that need no instance. */
const WITHOUT_INSTANCE: ReadonlySet<StatementBody["kind"]> = new Set([
  "as",
  "given",
  "start",
  "advance",
  "advance-to",
  "expect",
]);

/** Warns of an instance that is not there yet, and of names and codes that nothing has. */
export function reportMentions(statement: StatementBody, ast: TestStatementAst, at: Speaking): void {
  const { flow, started } = at;
  const wanted = ast.on?.text ?? "";
  if (started && !started.has(wanted) && !WITHOUT_INSTANCE.has(statement.kind)) {
    const message = ast.on
      ? `No instance \`${wanted}\` was started before this.`
      : "No instance was started before this.";
    flow.report.add("FLOW310", ast.span, message);
    // Once is enough.
    started.add(wanted);
  }
  if (statement.kind === "expect") reportExpected(statement.expectation, ast, at);
  const facts = statement.kind === "as" ? statement.facts : statement.kind === "given" ? [statement.fact] : [];
  for (const fact of facts) reportFact(fact, ast, at);
}

function reportExpected(expectation: Expectation, ast: TestStatementAst, at: Speaking): void {
  if (expectation.kind === "refused") {
    if (REFUSAL_CODES.some((code) => code === expectation.code)) return;
    report(`Nothing is refused with \`${expectation.code}\`.`, expectation.code, REFUSAL_CODES, true, ast, at);
  }
  if (expectation.kind === "emitted" && !expectation.not) {
    const { emitted } = namesFor(at);
    if (at.runsUnknown || emitted.has(expectation.event)) return;
    report(`Nothing emits \`${expectation.event}\` here.`, expectation.event, emitted, true, ast, at);
  }
}

function reportFact(fact: Fact, ast: TestStatementAst, at: Speaking): void {
  if (fact.kind !== "answer" && fact.kind !== "fails" && fact.kind !== "takes") return;
  const { asked } = namesFor(at);
  if (at.runsUnknown || asked.has(fact.name) || at.flow.file.damaged.has(fact.name)) return;
  report(`Nothing asks \`${fact.name}\` here.`, fact.name, asked, false, ast, at);
}

function report(
  message: string,
  name: string,
  known: Iterable<string>,
  quoted: boolean,
  ast: TestStatementAst,
  { flow }: Speaking,
): void {
  const span = wordIn(name, quoted, ast);
  flow.report.add("FLOW310", span, message, didYouMean(name, known, span, quoted));
}

function wordIn(name: string, quoted: boolean, { text, span }: TestStatementAst): Span {
  const written = quoted ? JSON.stringify(name) : name;
  const at = text.indexOf(written);
  return at < 0 ? span : { start: span.start + at, end: span.start + at + written.length };
}

// ------------------------------------------------------------------------------------------------------------------ //
// What there is
// ------------------------------------------------------------------------------------------------------------------ //

interface Names {
  /** Functions, steps of sagas and services. */
  readonly asked: ReadonlySet<string>;
  readonly emitted: ReadonlySet<string>;
}

const known = new WeakMap<FlowScope["ast"], Names>();

function namesFor({ flow, inner }: Speaking): Names {
  const all = [flow, ...inner].map(namesOf);
  const declared = [...flow.file.functions.keys(), ...flow.file.services];
  return {
    asked: new Set([...declared, ...all.flatMap(({ asked }) => [...asked])]),
    emitted: new Set(all.flatMap(({ emitted }) => [...emitted])),
  };
}

/** Of a flow and of what is declared beside it. Looked for once per flow. */
function namesOf({ ast, file }: FlowScope): Names {
  const before = known.get(ast);
  if (before) return before;
  const names = { asked: new Set<string>(), emitted: new Set<string>() };
  collect([ast, ...sharedIn(file)], names);
  known.set(ast, names);
  return names;
}

function sharedIn({ matrices, sagas, documents }: FileScope): readonly object[] {
  return [matrices, sagas, documents].flatMap((shared) => [...shared.values()].map((one): object => one.ast));
}

/** Calls, weights and services, wherever they stand in the tree. */
function collect(node: unknown, names: { readonly asked: Set<string>; readonly emitted: Set<string> }): void {
  if (typeof node !== "object" || node === null) return;
  if (Array.isArray(node)) {
    for (const part of node) collect(part, names);
    return;
  }
  const { kind, name, arguments: args, weight } = node as Readonly<Record<string, unknown>>;
  const [called, weighed] = [textOf(name), textOf(weight)];
  if (kind === "service" && typeof name === "string") names.asked.add(name);
  if (called !== undefined && Array.isArray(args)) {
    names.asked.add(called);
    const [first] = args as readonly { readonly kind?: unknown; readonly value?: unknown }[];
    if (called === "emit" && first?.kind === "text") names.emitted.add(String(first.value));
  }
  if (weighed !== undefined) names.asked.add(weighed);
  for (const part of Object.values(node)) collect(part, names);
}

function textOf(name: unknown): string | undefined {
  const text = typeof name === "object" && name !== null ? (name as { readonly text?: unknown }).text : undefined;
  return typeof text === "string" ? text : undefined;
}
