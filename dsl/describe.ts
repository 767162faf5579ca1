import type {
  Action,
  Approval,
  CalendarDefinition,
  Definition,
  Expression,
  Group,
  Interval,
  MatrixCell,
  MatrixDefinition,
  Mode,
  People,
  Property,
  Stage,
  Term,
  Threshold,
  Trigger,
  Type,
  Value,
} from "./definition.ts";

/**
 * Parts of a definition as an author would write them: `amount >= 50_000`, `manager then finance quorum 2/3`,
 * `on "submit"`. For pictures, stories, reasons and comparisons; what is written here parses again.
 */
export interface Describer {
  expression(expression: Expression): string;
  people(people: People): string;
  /** A stage or a matrix of a chain. */
  stage(stage: Approval["chain"][number]): string;
  /** `manager then finance`. */
  chain(approval: Approval): string;
  trigger(trigger: Trigger): string;
  action(action: Action): string;
  property(property: Property): string;
  cell(cell: MatrixCell, type: Type): string;
  value(type: Type, value: Value): string;
}

/** What names stand for. */
export type Named = Pick<Definition, "people" | "matrices">;

/**
 * @param decimals of the flow's currency.
 * @param named names of people and matrices that are spelled out, so that two flows can be compared whatever they call them.
 */
export function describer(
  { currencyDecimals: decimals }: Pick<Definition, "currencyDecimals">,
  named: Named = { people: {}, matrices: {} },
): Describer {
  const expression = (one: Expression): string => written(one, decimals, STRENGTH.if);
  const people = (one: People): string => peopleText(one, expression, named.people);
  const stage = (one: Approval["chain"][number]): string => {
    const matrix = one.kind === "matrix" && Object.hasOwn(named.matrices, one.matrix) && named.matrices[one.matrix];
    if (!matrix) return stageText(one, people, expression);
    return `${rowsText(matrix, stage, decimals)}(${one.arguments.map(expression).join(", ")})`;
  };
  return {
    expression,
    people,
    stage,
    chain: ({ chain }) => chain.map(stage).join(" then "),
    trigger: (one) => triggerText(one, expression),
    action: (one) => actionText(one, people, expression),
    property: (one) => propertyText(one, people, expression),
    cell: (one, type) => cellText(one, type, decimals),
    value: (type, one) => literal(type, one, decimals),
  };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Expressions
// ------------------------------------------------------------------------------------------------------------------ //

/** From weakest to strongest, as the language binds. */
const STRENGTH = { if: 0, or: 1, and: 2, not: 3, compare: 4, add: 5, multiply: 6, negate: 7, atom: 8 } as const;

/** In brackets, if it binds weaker than its place asks. */
function written(expression: Expression, decimals: number, least: number): string {
  const text = plain(expression, decimals);
  return strengthOf(expression) < least ? `(${text})` : text;
}

function plain(expression: Expression, decimals: number): string {
  const inner = (part: Expression, least: number = STRENGTH.if) => written(part, decimals, least);
  const all = (parts: readonly Expression[]) => parts.map((part) => inner(part)).join(", ");
  switch (expression.kind) {
    case "literal":
      return literal(expression.type, expression.value, decimals);
    case "list":
      return `[${all(expression.items)}]`;
    case "field":
    case "builtin":
      return expression.name;
    case "branch-state":
      return `${expression.branch}.state`;
    case "payload":
      return `event.${expression.name}`;
    case "item":
      return expression.name ?? "item";
    case "member":
    case "pluck":
      return `${inner(expression.of, STRENGTH.atom)}.${expression.name}`;
    case "not":
      return `not ${inner(expression.of, STRENGTH.not)}`;
    case "negate":
      return `-${inner(expression.of, STRENGTH.negate)}`;
    case "binary": {
      const own = strengthOf(expression);
      const left = inner(expression.left, own === STRENGTH.compare ? own + 1 : own);
      return `${left} ${expression.operator} ${inner(expression.right, own + 1)}`;
    }
    case "in-list":
      return `${inner(expression.of, STRENGTH.add)} in ${inner(expression.list, STRENGTH.add)}`;
    case "in-interval":
      return `${inner(expression.of, STRENGTH.add)} in ${interval(expression.of.type, expression.interval, decimals)}`;
    case "is-set":
      return `${inner(expression.of, STRENGTH.add)} is set`;
    case "if":
      return `if ${inner(expression.condition)} then ${inner(expression.then)} else ${inner(expression.else)}`;
    case "quantifier":
      return `${expression.quantifier} ${inner(expression.list, STRENGTH.add)} where ${inner(expression.where)}`;
    case "call":
    case "ask":
      return `${expression.name}(${all(expression.arguments)})`;
  }
}

function strengthOf(expression: Expression): number {
  switch (expression.kind) {
    case "if":
    case "quantifier":
      return STRENGTH.if;
    case "not":
      return STRENGTH.not;
    case "negate":
      return STRENGTH.negate;
    case "in-list":
    case "in-interval":
    case "is-set":
      return STRENGTH.compare;
    case "binary":
      return operatorStrength(expression.operator);
    default:
      return STRENGTH.atom;
  }
}

function operatorStrength(operator: string): number {
  if (operator === "and" || operator === "or") return STRENGTH[operator];
  if (operator === "+" || operator === "-") return STRENGTH.add;
  return operator === "*" || operator === "/" ? STRENGTH.multiply : STRENGTH.compare;
}

function interval(type: Type, { low, high }: Interval, decimals: number): string {
  const from = low === undefined ? "(.." : `${low.included ? "[" : "("}${literal(type, low.value, decimals)}`;
  const to = high === undefined ? "..)" : `${literal(type, high.value, decimals)}${high.included ? "]" : ")"}`;
  return `${from}, ${to}`;
}

function literal(type: Type, value: Value, decimals: number): string {
  switch (type.kind) {
    case "money":
      return grouped(mainUnits(value as number, decimals));
    case "int":
    case "decimal":
      return grouped(String(value));
    case "datetime":
      return instantText(value as number);
    case "duration":
      return durationText(value as number);
    case "text":
    case "user":
    case "org":
    case "file":
      return JSON.stringify(value);
    case "list":
      return `[${(value as readonly Value[]).map((item) => literal(type.of, item, decimals)).join(", ")}]`;
    default:
      return String(value);
  }
}

/** Minor units in the main unit, without idle zeros: 500050 of 2 decimals is `5000.5`. */
function mainUnits(minor: number, decimals: number): string {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return `${minor < 0 ? "-" : ""}${whole}${part === "" ? "" : `.${part}`}`;
}

/** `50000.5` → `50_000.5`. */
function grouped(digits: string): string {
  const [whole = "", ...rest] = digits.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, "_"), ...rest].join(".");
}

/** UTC+8, as people here read it. */
function instantText(at: number): string {
  return `${new Date(at + 28_800_000).toISOString().slice(0, 19)}+08:00`;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Time
// ------------------------------------------------------------------------------------------------------------------ //

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** The duration in the largest unit up to days that holds it whole: `48h` is `2d`, `90m` stays `90m`. */
export function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return ms === 0 ? "0s" : `${ms / size}${unit}`;
}

/** `3d`, `4 workhours`, `2 workdays`. */
export function termText(term: Term): string {
  switch (term.kind) {
    case "natural":
      return durationText(term.ms);
    case "workhours":
      return `${term.ms / 3_600_000} workhours`;
    case "workdays":
      return `${term.days} workdays`;
  }
}

/** `09:00 .. 18:00`. */
export function hoursText({ hours }: CalendarDefinition): string {
  return hours.map(({ from, to }) => `${clock(from)} .. ${clock(to)}`).join(", ");
}

const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

// ------------------------------------------------------------------------------------------------------------------ //
// People and stages
// ------------------------------------------------------------------------------------------------------------------ //

type Text<Part> = (part: Part) => string;

function peopleText(people: People, expression: Text<Expression>, aliases: Named["people"]): string {
  const inner = (one: People) => peopleText(one, expression, aliases);
  switch (people.kind) {
    case "users":
      return `users(${people.ids.map((id) => JSON.stringify(id)).join(", ")})`;
    case "group":
    case "role":
    case "dept":
    case "position":
    case "headOf":
      return `${people.kind}(${expression(people.argument)})`;
    case "managerOf":
      return `managerOf(${inner(people.of)}${people.level === 1 ? "" : `, level ${people.level}`})`;
    case "managersOf": {
      const reach = people.upTo === "top" ? "to top" : `up to ${people.upTo}`;
      return `managersOf(${inner(people.of)}, ${reach}${people.topDown ? ", top-down" : ""})`;
    }
    case "chosen":
      return `chosen(${people.field})`;
    case "value":
      return expression(people.value);
    case "named":
      return Object.hasOwn(aliases, people.name) ? inner(aliases[people.name]!) : people.name;
    case "ask":
      return `${people.name}(${people.arguments.map(expression).join(", ")})`;
    default:
      return people.kind;
  }
}

function stageText(stage: Approval["chain"][number], people: Text<People>, expression: Text<Expression>): string {
  switch (stage.kind) {
    case "matrix":
      return `${stage.matrix}(${stage.arguments.map(expression).join(", ")})`;
    case "auto":
      return `auto approve if ${expression(stage.condition)} else reject`;
    default:
      return voteText(stage, people);
  }
}

function voteText({ groups, veto }: Extract<Stage, { groups: unknown }>, people: Text<People>): string {
  const all = groups.map((group) => groupText(group, people)).join(" and ");
  return veto ? `${all} veto ${people(veto)}` : all;
}

function groupText({ people: who, mode, pick }: Group, people: Text<People>): string {
  const written = mode.kind === "any" ? "" : ` ${modeText(mode)}`;
  return `${pick ? "one of " : ""}${people(who)}${written}`;
}

function modeText(mode: Mode): string {
  if (mode.kind !== "quorum") return mode.kind;
  return `quorum ${thresholdText(mode.threshold)}${mode.weight === undefined ? "" : ` weight ${mode.weight}`}`;
}

function thresholdText(threshold: Threshold): string {
  if (threshold.kind === "count") return String(threshold.count);
  const { part, of, strict } = threshold;
  // A percentage is so many of 100, with decimals of 1000 and so on.
  const isPercentage = /^100+$/.test(String(of));
  return `${strict ? "> " : ""}${isPercentage ? `${(part * 100) / of}%` : `${part}/${of}`}`;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Lines
// ------------------------------------------------------------------------------------------------------------------ //

function triggerText(trigger: Trigger, expression: Text<Expression>): string {
  switch (trigger.kind) {
    case "event":
      return `on ${JSON.stringify(trigger.event)}`;
    case "outcome":
      return `on ${trigger.outcome}`;
    case "after":
      return `after ${termText(trigger.term)}`;
    case "at":
      return `at ${expression(trigger.at)}`;
  }
}

function actionText(action: Action, people: Text<People>, expression: Text<Expression>): string {
  switch (action.kind) {
    case "emit":
      return `emit(${JSON.stringify(action.event)})`;
    case "notify":
    case "cc":
      return `${action.kind}(${people(action.to)})`;
    case "render":
      return `render(${JSON.stringify(action.document)})`;
    case "set":
      return `set(${action.field} = ${expression(action.value)})`;
    case "start": {
      const fields = Object.entries(action.fields).map(([name, value]) => `${name}: ${expression(value)}`);
      const given = fields.length === 0 ? "" : `, { ${fields.join(", ")} }`;
      return `start(${JSON.stringify(action.flow)}, ${expression(action.key)}${given})`;
    }
    case "call":
      return `${action.name}(${action.arguments.map(expression).join(", ")})`;
  }
}

function propertyText(property: Property, people: Text<People>, expression: Text<Expression>): string {
  const when = "condition" in property && property.condition ? ` if ${expression(property.condition)}` : "";
  switch (property.kind) {
    case "never-without-state":
      return `never ${property.state} without ${property.without}${when}`;
    case "never-without-approval":
      return `never ${property.state} without approval by ${people(property.by)}${when}`;
    case "never-approves":
      return `${people(property.people)} never approves`;
    case "different-people":
      return `different people in [${property.states.join(", ")}]`;
    case "reaches-final":
      return `reaches final within ${termText(property.within)}`;
  }
}

/** `[a → b; c → d]`, in an order that does not depend on that of the rows. */
function rowsText({ rows, parameters }: MatrixDefinition, stage: Text<Stage>, decimals: number): string {
  const texts = rows.map(({ cells, stages }) => {
    const columns = cells.map((cell, index) => cellText(cell, parameters[index]!.type, decimals));
    return `${columns.join(" | ")} → ${stages.map(stage).join(" then ")}`;
  });
  return `[${texts.sort().join("; ")}]`;
}

function cellText(cell: MatrixCell, type: Type, decimals: number): string {
  switch (cell.kind) {
    case "any":
      return "any";
    case "values":
      return cell.values.map((value) => literal(type, value, decimals)).join(", ");
    case "intervals":
      return cell.intervals.map((one) => intervalCell(one, type, decimals)).join(", ");
  }
}

function intervalCell(one: Interval, type: Type, decimals: number): string {
  const { low, high } = one;
  const single = low?.included && high?.included && low.value === high.value;
  return single ? literal(type, low.value, decimals) : interval(type, one, decimals);
}
