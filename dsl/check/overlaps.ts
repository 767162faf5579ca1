/** Lines of one state and trigger: which apply together, which never, and what none of them covers. */
import type { Expression, Type, Value } from "../definition.ts";
import { areDisjoint } from "./disjoint.ts";
import type { Graph } from "./graph.ts";
import { shifted } from "./literals.ts";
import { type Found, satisfy } from "./satisfy.ts";
import { type Line, triggerKey } from "./transitions.ts";
import { BOOL } from "./types.ts";

/** Lines that compete, in source order. */
interface Group {
  readonly graph: Graph;
  readonly state: string;
  /** Lines that name the state: they win over those of `any`. */
  readonly named: readonly Line[];
  readonly any: readonly Line[];
  /** Both, in the order in which they are looked at. */
  readonly lines: readonly Line[];
  /** What may still be tried out. */
  readonly budget: { tests: number };
}

/** Combinations of values that are tried for one flow; beyond it nothing is proved, hence nothing reported. */
const TESTS_MAX = 500_000;

/** Reports overlaps, gaps on outcomes and lines that never apply. Each pair of lines is reported once. */
export function checkOverlaps(graph: Graph): void {
  const reported = new Set<string>();
  const budget = { tests: TESTS_MAX };
  const groups = groupsOf(graph, budget);
  const byLine = new Map<Line, Group[]>(graph.lines.map((line) => [line, []]));
  for (const group of groups) for (const line of group.lines) byLine.get(line)?.push(group);
  for (const [line, own] of byLine) if (own.length > 0) reportElse(line, own);
  for (const group of groups) {
    for (const lines of [group.named, group.any]) reportPairs(lines, group, reported);
    reportGap(group);
  }
}

function groupsOf(graph: Graph, budget: Group["budget"]): readonly Group[] {
  const leaving = new Map<string, Map<string, Line[]>>();
  for (const line of graph.lines) {
    const key = triggerKey(line.transition.trigger);
    for (const state of line.transition.from) {
      const byTrigger = leaving.get(state) ?? new Map<string, Line[]>();
      leaving.set(state, byTrigger);
      const lines = byTrigger.get(key);
      if (lines) lines.push(line);
      else byTrigger.set(key, [line]);
    }
  }
  return [...leaving].flatMap(([state, byTrigger]) =>
    [...byTrigger.values()].map((lines): Group => {
      const named = lines.filter(({ transition }) => !transition.any);
      const any = lines.filter(({ transition }) => transition.any);
      return { graph, state, named, any, lines: [...named, ...any], budget };
    }),
  );
}

/**
 * `else` needs something above, at least in one of the states; and what stands in all of them below a line that always
 * applies never does.
 */
function reportElse(line: Line, groups: readonly Group[]): void {
  const { ast, transition } = line;
  const { report } = groups[0]!.graph.flow;
  const above = groups.map(({ lines }) => lines.slice(0, lines.indexOf(line)));
  if (transition.otherwise && above.every((lines) => lines.length === 0)) {
    report.add("FLOW215", ast.span, "There is no line above for the same state and trigger, so `else` has no meaning.");
    return;
  }
  const covering = above.map((lines) => lines.find((other) => isCovering(other, line)));
  const [first] = covering;
  if (first === undefined || !covering.every((other) => other !== undefined)) return;
  report.add("FLOW214", ast.span, "This line never applies: a line above always does.", {
    related: [{ message: "This one always applies.", span: first.ast.span }],
  });
}

/** Does the line above leave nothing for the one below? Two lines without `else` overlap instead. */
function isCovering({ transition: above }: Line, { transition: below }: Line): boolean {
  if (above.condition !== undefined || above.any !== below.any) return false;
  return above.otherwise || below.otherwise;
}

function reportPairs(lines: readonly Line[], group: Group, reported: Set<string>): void {
  const plain = lines.filter(({ transition }) => !transition.otherwise);
  for (const [index, later] of plain.entries()) {
    for (const earlier of plain.slice(0, index)) {
      const key = `${earlier.ast.span.start} ${later.ast.span.start}`;
      if (!reported.has(key) && reportOverlap(earlier, later, group)) {
        reported.add(key);
        break;
      }
    }
  }
}

function reportOverlap(earlier: Line, later: Line, group: Group): boolean {
  const [one, other] = [earlier.transition.condition ?? TRUE, later.transition.condition ?? TRUE];
  if (areDisjoint(one, other)) return false;
  const both: Expression = { kind: "binary", operator: "and", left: one, right: other, type: BOOL };
  const found = satisfied(both, group);
  if (found.when !== "always" && found.when !== "sometimes") return false;
  const details = {
    ...exampleOf(found, group),
    related: [{ message: "This line applies then, too.", span: earlier.ast.span }],
  };
  const { report } = group.graph.flow;
  if (found.when === "always") {
    report.add("FLOW210", later.ast.span, "This line and one above can apply together.", {
      hint: "Begin the condition with `else if`, or end with `else`.",
      ...details,
    });
  } else {
    const functions = found.functions.map((name) => `\`${name}\``).join(", ");
    report.add(
      "FLOW211",
      later.ast.span,
      `This line and one above apply together for some answers of ${functions}.`,
      details,
    );
  }
  return true;
}

/** What an outcome needs is a line for all data. */
function reportGap(group: Group): void {
  const { lines } = group;
  const [first] = lines;
  if (first?.transition.trigger.kind !== "outcome" || !group.graph.approvals.has(group.state)) return;
  if (lines.some(({ transition }) => transition.condition === undefined)) return;
  const none = lines
    .map(({ transition }): Expression => ({ kind: "not", of: transition.condition ?? TRUE, type: BOOL }))
    .reduce((left, right): Expression => ({ kind: "binary", operator: "and", left, right, type: BOOL }));
  const found = satisfied(none, group);
  const { report } = group.graph.flow;
  const { outcome } = first.transition.trigger;
  if (found.when === "always") {
    report.add("FLOW212", first.ast.span, `\`${group.state}\` can be ${outcome} when no line applies.`, {
      hint: "Add a line with `else`.",
      ...exampleOf(found, group),
    });
  } else if (found.when === "sometimes") {
    const functions = found.functions.map((name) => `\`${name}\``).join(", ");
    const message = `\`${group.state}\` can be ${outcome} when no line applies, for some answers of ${functions}.`;
    report.add("FLOW213", first.ast.span, message, { hint: "Add a line with `else`.", ...exampleOf(found, group) });
  }
}

const TRUE: Expression = { kind: "literal", type: BOOL, value: true };

function satisfied(condition: Expression, { graph, state, budget }: Group): Found {
  const { fields } = graph.flow;
  const draft = state === graph.initial;
  const mayBeAbsent = (path: string) => {
    const field = fields.get(path);
    return field ? field.optional || (draft && field.default === undefined) : true;
  };
  return satisfy(condition, state, mayBeAbsent, budget);
}

function exampleOf({ example }: Found, { graph }: Group) {
  const { currencyDecimals } = graph.flow;
  const shown = [...example].map(([name, { type, value }]) => [name, showValue(value, type, currencyDecimals)]);
  return { counterExample: Object.fromEntries(shown) as Record<string, unknown> };
}

/** As people write it: money as a decimal string in the main unit, times with their offset. */
function showValue(value: Value | null, type: Type, currencyDecimals: number): unknown {
  if (value === null) return null;
  if (type.kind === "money") {
    const amount = Number(value);
    return `${amount < 0 ? "-" : ""}${shifted(String(Math.abs(amount)), -currencyDecimals)}`;
  }
  if (type.kind === "datetime") return new Date(Number(value)).toISOString();
  return type.kind === "duration" ? `${value}ms` : value;
}
