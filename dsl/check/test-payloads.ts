/** What a test sends: judged when it is sent, so that what does not fit is no more than a warning here. */
import type { TestStatementAst } from "../ast.ts";
import type { Type } from "../definition.ts";
import type { Literal, LiteralRecord, StatementBody } from "../test-block.ts";
import { article } from "./checked.ts";
import { isDate, minorUnits } from "./literals.ts";
import { type FlowScope, isDamaged } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

/** Flows by which a payload is judged: the one that is tested, and those that are run in it. */
interface Judges {
  readonly flow: FlowScope;
  readonly inner: readonly FlowScope[];
  /** It runs flows that are not known here. */
  readonly runsUnknown: boolean;
}

/** Warns of fields that the statement sends and the flow does not take. */
export function reportPayload(statement: StatementBody, ast: TestStatementAst, judges: Judges): void {
  const { flow, inner, runsUnknown } = judges;
  switch (statement.kind) {
    case "start":
      reportFields(statement.fields, [taken(flow.fields, flow)], ast, flow);
      break;
    case "send": {
      // It reaches the outermost flow that waits for it.
      const waiting = [flow, ...inner].flatMap((one) => {
        const event = one.events.get(statement.event);
        return event ? [taken(event.payload, one)] : [];
      });
      if (!runsUnknown) reportFields(statement.payload, waiting, ast, flow);
      break;
    }
    case "decide":
      if (statement.setting && !runsUnknown) {
        const judging = [flow, ...inner].map((one) => taken(one.fields, one));
        reportFields(statement.setting, judging, ast, flow);
      }
      break;
  }
}

/** What one flow takes. */
interface Taken {
  readonly fields: ReadonlyMap<string, { readonly type: Type; readonly optional: boolean } | undefined>;
  readonly flow: FlowScope;
}

function taken(fields: Taken["fields"], flow: FlowScope): Taken {
  return { fields, flow };
}

/** A field fits if one of the flows takes it: whose task it is shows only when the test runs. */
function reportFields(sent: LiteralRecord, takers: readonly Taken[], ast: TestStatementAst, flow: FlowScope): void {
  if (takers.length === 0) return;
  for (const { name, value } of sent) {
    if (isDamaged(name, flow)) continue;
    const having = takers.filter(({ fields }) => fields.has(name));
    const isTaken = having.some(({ fields, flow: own }) => {
      const field = fields.get(name);
      return field === undefined || (isNull(value) ? field.optional : fits(value, field.type, own));
    });
    if (isTaken) continue;
    const span = spanOf(name, ast);
    const type = having[0]?.fields.get(name)?.type;
    if (type) {
      const message = `\`${name}\` is ${article(type)}, so this is refused when it is sent.`;
      flow.report.add("FLOW309", span, message, { hint: HINT });
    } else {
      const known = takers.flatMap(({ fields }) => [...fields.keys()]);
      const message = `There is no field \`${name}\` here, so this is refused when it is sent.`;
      flow.report.add("FLOW309", span, message, { hint: HINT, ...didYouMean(name, known, span) });
    }
  }
}

/** Empties the field. */
function isNull(literal: Literal): boolean {
  return literal.kind === "name" && literal.name === "null";
}

const HINT = "If it is meant to be refused, let `expect refused` follow.";

/** The name before its colon. */
function spanOf(name: string, ast: TestStatementAst): TestStatementAst["span"] {
  const found = new RegExp(`(?<![\\p{L}\\p{N}_-])${RegExp.escape(name)}\\s*:`, "u").exec(ast.text);
  if (found === null) return ast.span;
  const start = ast.span.start + found.index;
  return { start, end: start + name.length };
}

function fits(literal: Literal, type: Type, flow: FlowScope): boolean {
  switch (type.kind) {
    case "bool":
      return literal.kind === "bool";
    case "int":
      return literal.kind === "number" && !literal.percent && Number.isSafeInteger(Number(literal.text));
    case "decimal":
      return literal.kind === "number";
    case "money":
      return literal.kind === "number" && isAmount(literal.text, type.signed, flow);
    case "enum":
      return (
        (literal.kind === "name" && type.members.includes(literal.name)) ||
        (literal.kind === "text" && type.members.includes(literal.value))
      );
    case "date":
      return literal.kind === "date" && isDate(literal.text);
    case "datetime":
    case "duration":
      return literal.kind === type.kind;
    case "list":
      return literal.kind === "list" && literal.items.every((item) => fits(item, type.of, flow));
    case "record":
      return literal.kind === "record" && fitsRecord(literal.fields, type.fields, flow);
    default:
      return literal.kind === "text";
  }
}

function isAmount(text: string, signed: boolean, { currencyDecimals }: FlowScope): boolean {
  const isNegative = text.startsWith("-");
  const minor = minorUnits(isNegative ? text.slice(1) : text, currencyDecimals);
  return typeof minor === "number" && (signed || !isNegative || minor === 0);
}

function fitsRecord(
  sent: LiteralRecord,
  fields: Extract<Type, { kind: "record" }>["fields"],
  flow: FlowScope,
): boolean {
  const isKnown = sent.every(({ name, value }) => {
    const field = fields.find((known) => known.name === name);
    return field !== undefined && fits(value, field.type, flow);
  });
  return isKnown && fields.every(({ name, optional }) => optional || sent.some((field) => field.name === name));
}
