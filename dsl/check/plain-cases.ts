/** Claims that leave room so plainly that no search is needed: most conditions of most flows. */
import type { BinaryOperator, Expression, Type, Value } from "../definition.ts";
import type { Claim } from "../proofs/cases.ts";
import { rangeOf } from "../proofs/variables.ts";

/** What is left of a field's numbers, both ends included; a date is the number of its day. */
interface Range {
  readonly low: number;
  readonly high: number;
  /** Its ends are not included (decimals, between any two of which there are more). */
  readonly open: boolean;
}

/** What the claims looked at so far have left of the fields that they ask for. */
type Left = Map<string, Range | "taken">;

/**
 * Is there plainly data for which all claims are so? They are looked at one after the other: comparisons with constants narrow
 * a field, anything else may ask for a field that nothing else asks for. `false` says nothing.
 */
export function havePlainCase(claims: readonly Claim[]): boolean {
  const left: Left = new Map();
  return claims.every(({ condition, holds }) => canBe(condition, holds, left));
}

function canBe(condition: Expression, wanted: boolean, left: Left): boolean {
  switch (condition.kind) {
    case "literal":
      return condition.value === wanted;
    case "not":
      return canBe(condition.of, !wanted, left);
    case "field":
      return takes(condition.name, left);
    case "is-set":
      // Whatever else is asked of the field needs that as well.
      return wanted && condition.of.kind === "field";
    case "in-list":
      return isAmong(condition, wanted, left);
    case "in-interval":
      return wanted && isWithin(condition, left);
    case "binary":
      return binary(condition, wanted, left);
    default:
      return false;
  }
}

function binary(condition: Extract<Expression, { kind: "binary" }>, wanted: boolean, left: Left): boolean {
  const { operator, left: one, right: other } = condition;
  if (operator === "and" || operator === "or") {
    if ((operator === "and") === wanted) return canBe(one, wanted, left) && canBe(other, wanted, left);
    return canBe(one, wanted, left) || (canBe(one, !wanted, left) && canBe(other, wanted, left));
  }
  if (one.kind !== "field" || other.kind !== "literal") return false;
  const asked = wanted ? operator : OPPOSITE[operator];
  return asked !== undefined && isCompared(one.name, one.type, asked, other, left);
}

const OPPOSITE: Partial<Record<BinaryOperator, BinaryOperator>> = {
  "==": "!=",
  "!=": "==",
  "<": ">=",
  ">=": "<",
  ">": "<=",
  "<=": ">",
};

function isCompared(
  field: string,
  type: Type,
  operator: BinaryOperator,
  { type: otherType, value }: Extract<Expression, { kind: "literal" }>,
  left: Left,
): boolean {
  if (STEPS[type.kind] !== undefined) {
    if (type.kind !== otherType.kind) return false;
    if (operator === "!=") return takes(field, left);
    return narrows(field, type, rangeFor(type, operator, value), left);
  }
  if (operator !== "==" && operator !== "!=") return false;
  return isOneOf(field, type, [value], operator === "==", left);
}

function isWithin({ of, interval }: Extract<Expression, { kind: "in-interval" }>, left: Left): boolean {
  if (of.kind !== "field") return false;
  const { type, name } = of;
  const { low, high } = interval;
  if (low && !narrows(name, type, rangeFor(type, low.included ? ">=" : ">", low.value), left)) return false;
  return !high || narrows(name, type, rangeFor(type, high.included ? "<=" : "<", high.value), left);
}

function isAmong({ of, list }: Extract<Expression, { kind: "in-list" }>, wanted: boolean, left: Left): boolean {
  if (of.kind !== "field" || list.kind !== "list" || STEPS[of.type.kind] !== undefined) return false;
  const values = list.items.flatMap((item) => (item.kind === "literal" ? [item.value] : []));
  return values.length === list.items.length && isOneOf(of.name, of.type, values, wanted, left);
}

// Names and texts ----------------------------------------------------------------------------------------------------- //

function isOneOf(field: string, type: Type, values: readonly Value[], wanted: boolean, left: Left): boolean {
  const members: readonly Value[] | undefined =
    type.kind === "enum" ? type.members : type.kind === "bool" ? [true, false] : undefined;
  const isPossible = members
    ? members.some((member) => values.includes(member) === wanted)
    : !wanted || values.length > 0;
  return isPossible && takes(field, left);
}

/** Nobody else asks for the field. */
function takes(field: string, left: Left): boolean {
  if (left.has(field)) return false;
  left.set(field, "taken");
  return true;
}

// Numbers ------------------------------------------------------------------------------------------------------------- //

/** How far a value of the type is from its neighbour; 0: as near as one likes. */
const STEPS: Partial<Record<Type["kind"], number>> = {
  int: 1,
  money: 1,
  duration: 1,
  datetime: 1,
  date: 1,
  decimal: 0,
};
const DAY_MS = 86_400_000;

/** So far apart there is a decimal between two numbers, even if JavaScript has rounded them. */
const DECIMAL_GAP = 1e-6;

function rangeFor(type: Type, operator: BinaryOperator, value: Value): Range | undefined {
  const step = STEPS[type.kind];
  if (step === undefined) return undefined;
  const at = type.kind === "date" ? Date.parse(`${value}T00:00:00Z`) / DAY_MS : Number(value);
  const open = step === 0;
  switch (operator) {
    case "==":
      return open ? undefined : { low: at, high: at, open };
    case "<":
    case "<=":
      return { low: -Infinity, high: operator === "<" ? at - step : at, open };
    case ">":
    case ">=":
      return { low: operator === ">" ? at + step : at, high: Infinity, open };
    default:
      return undefined;
  }
}

function narrows(field: string, type: Type, asked: Range | undefined, left: Left): boolean {
  const before = left.get(field) ?? everything(type);
  if (asked === undefined || before === "taken") return false;
  const low = Math.max(before.low, asked.low);
  const high = Math.min(before.high, asked.high);
  left.set(field, { low, high, open: asked.open });
  return asked.open ? high - low > DECIMAL_GAP : low <= high;
}

function everything(type: Type): Range {
  const { low, high } = rangeOf(type);
  const open = type.kind === "decimal";
  // Far from the ends of what a decimal can be, numbers of JavaScript are near enough.
  return open ? { low: -1e9, high: 1e9, open } : { low: Number(low), high: Number(high), open };
}
