import type { ExpressionAst } from "../ast.ts";
import type { Type } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { callIsKnown } from "./calls.ts";
import { plain } from "./checked.ts";
import { canonicalDecimal, durationMs, instantMs, isDate, isWorkingTime, minorUnits, shifted } from "./literals.ts";
import { nameIsKnown } from "./names.ts";
import type { Checked, Scope } from "./scope.ts";
import { BOOL, DATE, DATETIME, DECIMAL, DURATION, INT, TEXT } from "./types.ts";

/** Takes its type from what stands around it: a number, a member of an enum, an id; and an `if` of such. */
export function isOpen(ast: ExpressionAst, scope: Scope): boolean {
  switch (ast.kind) {
    case "number":
    case "text":
      return true;
    case "name":
      return !nameIsKnown(ast.name.text, scope);
    case "negate":
      return isOpen(ast.of, scope);
    case "if":
      return isOpen(ast.then, scope) && isOpen(ast.else, scope);
    case "list":
      return ast.items.every((item) => isOpen(item, scope));
    case "binary":
      return "+-*/".includes(ast.operator) && isOpen(ast.left, scope) && isOpen(ast.right, scope);
    case "call":
      return !callIsKnown(ast.name.text, scope);
    default:
      return false;
  }
}

/** A literal that is no name and holds no other expression. */
export function literal(
  ast: Extract<
    ExpressionAst,
    { kind: "bool" | "number" | "percent" | "text" | "date" | "time" | "datetime" | "duration" }
  >,
  scope: Scope,
  expected: Type | undefined,
): Checked | undefined {
  const { report } = scope.flow;
  switch (ast.kind) {
    case "bool":
      return plain({ kind: "literal", type: BOOL, value: ast.value });
    case "number":
      return numberLiteral(ast.text, ast.span, scope, expected);
    case "percent":
      return plain({ kind: "literal", type: DECIMAL, value: shifted(ast.text, -2) });
    case "text": {
      const isId = expected?.kind === "user" || expected?.kind === "org";
      return plain({ kind: "literal", type: isId ? expected : TEXT, value: ast.value });
    }
    case "date":
      if (isDate(ast.text)) return plain({ kind: "literal", type: DATE, value: ast.text });
      return report.add("FLOW017", ast.span, `There is no day \`${ast.text}\`.`);
    case "datetime": {
      const at = instantMs(ast.text);
      if (at !== undefined) return plain({ kind: "literal", type: DATETIME, value: at });
      return report.add("FLOW017", ast.span, `There is no time \`${ast.text}\`.`);
    }
    case "time":
      return report.add(
        "FLOW121",
        ast.span,
        `\`${ast.text}\` is a time of day; an expression takes a date and time, such as \`2026-10-01T${ast.text}\`.`,
      );
    case "duration":
      return durationLiteral(ast, scope);
  }
}

function durationLiteral(
  { duration, span }: Extract<ExpressionAst, { kind: "duration" }>,
  { flow }: Scope,
): Checked | undefined {
  const ms = durationMs(duration);
  if (ms !== undefined) return plain({ kind: "literal", type: DURATION, value: ms });
  if (!isWorkingTime(duration)) {
    return flow.report.add("FLOW125", span, "A duration is a whole number of milliseconds.");
  }
  return flow.report.add(
    "FLOW121",
    span,
    "How long working time is depends on when it begins, so it can't be computed with.",
    {
      hint: "Write natural time, such as `48h` or `2d`.",
    },
  );
}

/** A number takes the type that is asked for; if nothing asks, it is an int, or a decimal when it has a point. */
export function numberLiteral(text: string, span: Span, scope: Scope, expected: Type | undefined): Checked | undefined {
  if (expected?.kind === "money") return moneyLiteral(text, span, scope, expected.signed);
  if (expected?.kind === "decimal" || text.includes(".")) {
    return plain({ kind: "literal", type: DECIMAL, value: canonicalDecimal(text) });
  }
  const whole = Number(text);
  if (Number.isSafeInteger(whole)) return plain({ kind: "literal", type: INT, value: whole + 0 });
  return scope.flow.report.add("FLOW125", span, `\`${text}\` is too large for an int.`);
}

function moneyLiteral(text: string, span: Span, { flow }: Scope, signed: boolean): Checked | undefined {
  const negative = text.startsWith("-");
  const minor = minorUnits(negative ? text.slice(1) : text, flow.currencyDecimals);
  if (minor === "too-large") return flow.report.add("FLOW125", span, `\`${text}\` is too large an amount.`);
  if (minor === "too-many-decimals") {
    const { currency, currencyDecimals } = flow;
    return flow.report.add("FLOW124", span, `\`${text}\` has more decimals than ${currency} has: ${currencyDecimals}.`);
  }
  const type: Type = { kind: "money", signed: signed || negative };
  return plain({ kind: "literal", type, value: negative && minor !== 0 ? -minor : minor });
}
