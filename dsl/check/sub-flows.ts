/** `run flow`, `start(..)`: what a flow says of another one. */
import type { ExpressionAst, FlowAst, Name, RunAst } from "../ast.ts";
import type { Expression, Run } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { warnOnce } from "./calls.ts";
import { fitted, isNegative, open, present } from "./checked.ts";
import { unique } from "./declarations.ts";
import { type FlowScope, isDamaged, isLost, type Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

type RunFlowAst = Extract<RunAst, { kind: "flow" }>;
interface FieldAst {
  readonly name: Name;
  readonly value: ExpressionAst;
}

/** The current version of the flow, if it stands in this file or in one that it uses; else perhaps a warning. */
export function flowNamed(name: Name, { file, report }: Pick<FlowScope, "file" | "report">): FlowScope | undefined {
  const known = file.versions.get(name.text)?.at(-1);
  if (known || file.flows.has(name.text) || isLost(name.text, { file, report })) return known;
  const message = `The flow \`${name.text}\` is not known here; it may be deployed apart.`;
  const suggestion = didYouMean(name.text, file.flows, name.span, true);
  return warnOnce({ file, report }, "FLOW303", `flow ${name.text}`, name.span, message, suggestion);
}

/** Fields that another flow is given, typed by it where it is known; else they are judged when it is started. */
export function checkFlowFields(
  target: FlowScope | undefined,
  name: Name,
  asts: readonly FieldAst[],
  scope: Scope,
): Readonly<Record<string, Expression>> | undefined {
  const fields = unique(asts, (field) => field.name, "field", scope.flow.report).map((field) =>
    checkField(target, name.text, field, scope),
  );
  return fields.every((field) => field !== undefined) ? Object.fromEntries(fields) : undefined;
}

function checkField(
  target: FlowScope | undefined,
  flow: string,
  { name, value }: FieldAst,
  scope: Scope,
): readonly [string, Expression] | undefined {
  const { report } = scope.flow;
  const field = target?.fields.get(name.text);
  if (target && !target.fields.has(name.text)) {
    const suggestion = didYouMean(name.text, target.fields.keys(), name.span);
    return report.add("FLOW103", name.span, `The flow \`${flow}\` has no field \`${name.text}\`.`, suggestion);
  }
  const checked = scope.check(value, scope, field?.type);
  if (!checked) return undefined;
  // What may be absent may be left out there.
  if (field && !field.optional && !present(checked, value, scope)) return undefined;
  if (!field?.secret && !open(checked, value, scope)) return undefined;
  const fitting = field ? fitted(checked.expression, value.span, scope, field.type) : checked.expression;
  if (fitting && field?.type.kind === "money" && !field.type.signed && isNegative(fitting)) {
    return report.add("FLOW125", value.span, "Money is never negative unless its type is `money signed`.");
  }
  return fitting && [name.text, fitting];
}

// ------------------------------------------------------------------------------------------------------------------ //
// `run flow`
// ------------------------------------------------------------------------------------------------------------------ //

/** `run flow "x" on "event" with { .. }`. */
export function checkSubFlow(ast: RunFlowAst, scope: Scope): Run | undefined {
  const { flow } = scope;
  const target = flowNamed(ast.flow, flow);
  const fields = checkFlowFields(target, ast.flow, ast.fields, scope);
  if (target) {
    reportMissing(ast, target, flow);
    if (ast.event) reportEvent(ast.event, target, flow);
    else reportWaiting(ast, target, flow);
    if (isEndless(ast, flow, new Set())) {
      const message = `\`${target.name}\` runs flows that run it again, before anybody can act.`;
      flow.report.add("FLOW277", headSpan(ast), message);
    }
  }
  if (!fields) return undefined;
  return { kind: "flow", flow: ast.flow.text, ...(ast.event ? { event: ast.event.text } : {}), fields };
}

function reportMissing(ast: RunFlowAst, target: FlowScope, { report }: FlowScope): void {
  const given = new Set(ast.fields.map(({ name }) => name.text));
  const missing = [...target.fields.values()].filter(
    (field) => field && !field.optional && field.default === undefined && !given.has(field.name),
  );
  if (missing.length === 0) return;
  const names = missing.map((field) => `\`${field?.name}\``).join(", ");
  report.add("FLOW274", headSpan(ast), `\`${target.name}\` needs ${names}, and \`with\` does not give it.`);
}

/** `run flow "x" on "event"` without the fields. */
function headSpan(ast: RunFlowAst): Span {
  return { start: ast.span.start, end: (ast.event ?? ast.flow).span.end };
}

/** The first event must lead out of the other flow's initial state. */
function reportEvent({ text, span }: Name, target: FlowScope, flow: FlowScope): void {
  const events = firstEvents(target.ast);
  if (events.has(text) || target.initial === undefined || isDamaged(text, target)) return;
  const message = `The flow \`${target.name}\` does not begin with \`${text}\`.`;
  flow.report.add("FLOW112", span, message, didYouMean(text, events, span, true));
}

/** Does the flow that is run go on, whatever the data, to one that was begun before? */
function isEndless(ast: RunFlowAst, flow: FlowScope, before: ReadonlySet<string>): boolean {
  const key = JSON.stringify([ast.flow.text, ast.event?.text]);
  if (before.has(key)) return true;
  const target = flow.file.versions.get(ast.flow.text)?.at(-1);
  if (target === undefined) return false;
  const entered = ast.event ? firstStates(ast.event.text, target) : [target.initial ?? ""];
  return entered.some((state) => {
    const run = target.blocks.get(state)?.run;
    return run?.kind === "flow" && isEndless(run, flow, new Set([...before, key]));
  });
}

/** Where the event leads from the initial state without any condition. */
function firstStates(event: string, { ast, initial }: FlowScope): readonly string[] {
  return ast.transitions.flatMap(({ from, trigger, to, condition, else: otherwise }) => {
    const isPlain = condition === undefined && !otherwise && trigger.kind === "event" && trigger.event.text === event;
    return isPlain && from !== "any" && from.some(({ text }) => text === initial) ? [to.text] : [];
  });
}

function firstEvents({ initial, transitions }: FlowAst): ReadonlySet<string> {
  return new Set(
    transitions.flatMap(({ from, trigger }) => {
      const isFirst = from === "any" || from.some(({ text }) => text === initial?.text);
      return isFirst && trigger.kind === "event" ? [trigger.event.text] : [];
    }),
  );
}

/** Nobody sends the first event, so the other flow must begin by itself. */
function reportWaiting(ast: RunFlowAst, target: FlowScope, { report }: FlowScope): void {
  const { initial } = target;
  if (initial === undefined || target.finals.has(initial)) return;
  const block = target.blocks.get(initial);
  if (block?.approval || block?.parallel || block?.run) return;
  const leavesByTime = target.ast.transitions.some(
    ({ from, trigger }) =>
      (trigger.kind === "after" || trigger.kind === "at") &&
      (from === "any" || from.some(({ text }) => text === initial)),
  );
  if (leavesByTime) return;
  report.add(
    "FLOW275",
    headSpan(ast),
    `\`${target.name}\` begins in \`${initial}\`, which waits for an event that nobody sends.`,
    {
      hint: 'Say which event is sent: `run flow "…" on "…"`.',
    },
  );
}
