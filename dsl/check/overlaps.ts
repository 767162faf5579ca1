/** Lines of one state and trigger: which apply together, which never, and what none of them covers. */
import type { FlowAst, TransitionAst } from "../ast.ts";
import type { Definition, Expression, FieldDefinition, StateDefinition, Transition } from "../definition.ts";
import { type Claim, type Found, findCase, functionsAsked } from "../proofs/cases.ts";
import type { Budget } from "../proofs/formula.ts";
import { triggerKey } from "../proofs/lines.ts";
import { isComingTooLate, outcomesOf } from "../proofs/outcomes.ts";
import { showValue } from "../proofs/values.ts";
import type { Place } from "../proofs/vocabulary.ts";
import { areDisjoint } from "./disjoint.ts";
import { blockOf, isLeftFromOutside, type Machine, machinesOf, shownState } from "./graph.ts";
import { havePlainCase } from "./plain-cases.ts";
import type { Report } from "./report.ts";
import { BOOL } from "./types.ts";

/** A line with where it stands. */
interface Line {
  readonly transition: Transition;
  readonly ast: TransitionAst;
}

/** Lines that compete, in source order. */
interface Group {
  readonly state: string;
  readonly machine: Machine;
  /** Lines that name the state: they win over those of `any`. */
  readonly named: readonly Line[];
  readonly any: readonly Line[];
  /** Both, in the order in which they are looked at. */
  readonly lines: readonly Line[];
}

/** What all groups of one flow share. */
interface Flow {
  readonly definition: Omit<Definition, "hash">;
  readonly fields: ReadonlyMap<string, FieldDefinition>;
  readonly report: Report;
  /** What may still be looked at. */
  readonly budget: Budget;
}

/** Boxes of values that are looked at for one flow; past it the diagnostics say that nothing is proved. */
const BOXES_MAX = 400_000;

/** Reports overlaps, gaps on outcomes and lines that never apply. Each pair of lines is reported once. */
export function checkOverlaps(definition: Omit<Definition, "hash">, ast: FlowAst, report: Report): void {
  const fields = new Map(definition.fields.map((field) => [field.name, field] as const));
  const flow: Flow = { definition, fields, report, budget: { left: BOXES_MAX } };
  for (const machine of machinesOf(definition, ast)) {
    const groups = groupsOf(machine);
    const reported = new Set<string>();
    for (const line of linesOf(machine)) {
      const own = groups.filter(({ lines }) => lines.includes(line));
      if (own.length > 0) reportElse(line, own, flow);
    }
    for (const group of groups) {
      for (const lines of [group.named, group.any]) reportPairs(lines, group, flow, reported);
      reportGap(group, flow);
    }
    for (const lines of waitingOnly(groups)) reportWait(lines, flow);
    for (const state of machine.region.states) reportJoin(state, machine, flow);
  }
}

const linesByMachine = new WeakMap<Machine, readonly Line[]>();

function linesOf(machine: Machine): readonly Line[] {
  const before = linesByMachine.get(machine);
  if (before) return before;
  const lines = machine.region.transitions.flatMap((transition, index): readonly Line[] => {
    const ast = machine.ast.transitions[index];
    return ast ? [{ transition, ast }] : [];
  });
  linesByMachine.set(machine, lines);
  return lines;
}

function groupsOf(machine: Machine): readonly Group[] {
  const leaving = new Map<string, Map<string, Line[]>>();
  for (const line of linesOf(machine)) {
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
      return { state, machine, named, any, lines: [...named, ...any] };
    }),
  );
}

// ------------------------------------------------------------------------------------------------------------------ //
// Lines that never apply
// ------------------------------------------------------------------------------------------------------------------ //

/**
 * `else` needs something above, at least in one of the states; and what stands in all of them below lines that cover
 * everything it asks for never applies.
 */
function reportElse(line: Line, groups: readonly Group[], flow: Flow): void {
  const { ast, transition } = line;
  const { report } = flow;
  const above = groups.map(({ lines }) => lines.slice(0, lines.indexOf(line)));
  if (transition.otherwise && above.every((lines) => lines.length === 0)) {
    report.add("FLOW215", ast.span, "There is no line above for the same state and trigger, so `else` has no meaning.");
    return;
  }
  const covering = above.map((lines) => lines.find((other) => isCovering(other, line)));
  const [first] = covering;
  if (first && covering.every((other) => other !== undefined)) {
    report.add("FLOW214", ast.span, "This line never applies: a line above always does.", {
      related: [{ message: "This one always applies.", span: first.ast.span }],
    });
  } else if (groups.every(({ state, machine }) => isComingTooLate(transition, state, machine.region))) {
    report.add("FLOW214", ast.span, "This line never applies: another `after` always comes first.");
  } else if (transition.condition && groups.every((group) => neverHolds([], line, group, flow))) {
    report.add("FLOW242", ast.span, "This line never applies: its condition can't hold.");
  } else if (transition.otherwise && groups.every((group, index) => neverHolds(above[index]!, line, group, flow))) {
    report.add("FLOW214", ast.span, "This line never applies: the lines above cover every case.");
  }
}

/** Does the line above leave nothing for the one below? Two lines without `else` overlap instead. */
function isCovering({ transition: above }: Line, { transition: below }: Line): boolean {
  if (above.condition !== undefined || above.any !== below.any) return false;
  return above.otherwise || below.otherwise;
}

function neverHolds(above: readonly Line[], line: Line, group: Group, flow: Flow): boolean {
  const claims = [claim(line, true), ...above.map((other) => claim(other, false))];
  return !havePlainCase(claims) && cased(claims, group, flow).when === "never";
}

// ------------------------------------------------------------------------------------------------------------------ //
// Overlaps
// ------------------------------------------------------------------------------------------------------------------ //

function reportPairs(lines: readonly Line[], group: Group, flow: Flow, reported: Set<string>): void {
  const plain = lines.filter(({ transition }) => !transition.otherwise);
  for (const [index, later] of plain.entries()) {
    for (const earlier of plain.slice(0, index)) {
      const key = `${earlier.ast.span.start} ${later.ast.span.start}`;
      if (!reported.has(key) && reportOverlap(earlier, later, group, flow)) {
        reported.add(key);
        break;
      }
    }
  }
}

function reportOverlap(earlier: Line, later: Line, group: Group, flow: Flow): boolean {
  const [one, other] = [earlier.transition.condition ?? TRUE, later.transition.condition ?? TRUE];
  if (areDisjoint(one, other)) return false;
  const looked = cased([claim(earlier, true), claim(later, true)], group, flow);
  if (looked.when === "never") return false;
  const found = looked.when === "unclear" && isSame(one, other) ? overlapOf(one, looked) : looked;
  const related = [{ message: "This line applies then, too.", span: earlier.ast.span }];
  const { report } = flow;
  if (found.when === "always") {
    report.add("FLOW210", later.ast.span, "This line and one above can apply together.", {
      hint: "Begin the condition with `else if`, or end with `else`.",
      ...(found.example.size > 0 ? exampleOf(found, flow) : {}),
      related,
    });
  } else if (found.when === "sometimes") {
    const message = `This line and one above apply together for some answers of ${namesOf(found)}.`;
    report.add("FLOW211", later.ast.span, message, { ...exampleOf(found, flow), related });
  } else {
    report.add("FLOW240", later.ast.span, "That this line and one above never apply together is not proved.", {
      hint: "Begin the condition with `else if` if the line above is to win.",
      related: [{ message: "This is the line above.", span: earlier.ast.span }],
    });
  }
  return true;
}

function isSame(one: Expression, other: Expression): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The same condition twice: wherever it holds, even if that is not known. */
function overlapOf(condition: Expression, found: Found): Found {
  const functions = [...new Set(functionsAsked(condition))];
  return { ...found, functions, when: functions.length === 0 ? "always" : "sometimes" };
}

function namesOf({ functions }: Found): string {
  return functions.map((name) => `\`${name}\``).join(", ");
}

// ------------------------------------------------------------------------------------------------------------------ //
// Gaps
// ------------------------------------------------------------------------------------------------------------------ //

/** What an outcome needs is a line for all data. */
function reportGap(group: Group, flow: Flow): void {
  const { lines, machine, state } = group;
  const [first] = lines;
  if (first?.transition.trigger.kind !== "outcome") return;
  const { outcome } = first.transition.trigger;
  const definition = machine.region.states.find(({ name }) => name === state);
  if (!definition || !outcomesOf(definition).possible.has(outcome)) return;
  if (lines.some(({ transition }) => transition.condition === undefined)) return;
  const found = cased(
    lines.map((line) => claim(line, false)),
    group,
    flow,
  );
  const hint = "Add a line with `else`.";
  const shown = shownState(state, machine);
  const { report } = flow;
  if (found.when === "always") {
    const message = `\`${shown}\` can be ${outcome} when no line applies.`;
    report.add("FLOW212", first.ast.span, message, { hint, ...exampleOf(found, flow) });
  }
  if (found.when === "sometimes") {
    const message = `\`${shown}\` can be ${outcome} when no line applies, for some answers of ${namesOf(found)}.`;
    report.add("FLOW213", first.ast.span, message, { hint, ...exampleOf(found, flow) });
  }
  if (found.when === "unclear") {
    const message = `That a line applies whenever \`${shown}\` is ${outcome} is not proved.`;
    report.add("FLOW241", first.ast.span, message, { hint });
  }
}

/** Of the states that only time leaves, all lines: nobody can help where none of them applies. */
function waitingOnly(groups: readonly Group[]): readonly Group[] {
  const byState = Map.groupBy(groups, ({ state }) => state);
  return [...byState.values()].flatMap((own) => {
    const [first] = own;
    const isTimed = own.every(({ lines: [line] }) => line && TIMED.has(line.transition.trigger.kind));
    if (!first || !isTimed || isLeftFromOutside(first.machine)) return [];
    const lines = own.flatMap((group) => group.lines);
    return lines.every(({ transition }) => transition.condition && !isChanging(transition.condition))
      ? [{ ...first, lines }]
      : [];
  });
}

const TIMED: ReadonlySet<string> = new Set(["after", "at"]);

/** Does it ask something that becomes another by itself? */
function isChanging(condition: Expression): boolean {
  return /"name":"(now|elapsed)"/.test(JSON.stringify(condition));
}

/** Once the instants have passed, and no condition held, nothing happens any more. */
function reportWait(group: Group, flow: Flow): void {
  const { lines, machine, state } = group;
  const [first] = lines;
  const claims = lines.map((line) => claim(line, false));
  const found = cased(claims, group, flow);
  if (!first || found.when === "never") return;
  const { report } = flow;
  const shown = shownState(state, machine);
  const hint = "Add a line with `else`, or one for an event.";
  if (found.when === "always") {
    const message = `\`${shown}\` lasts for ever when no line applies.`;
    report.add("FLOW212", first.ast.span, message, { hint, ...exampleOf(found, flow) });
  } else if (found.when === "sometimes") {
    const message = `\`${shown}\` lasts for ever when no line applies, for some answers of ${namesOf(found)}.`;
    report.add("FLOW213", first.ast.span, message, { hint, ...exampleOf(found, flow) });
  } else {
    const message = `That a line applies in \`${shown}\` some time is not proved.`;
    report.add("FLOW241", first.ast.span, message, { hint });
  }
}

/** `join N` where fewer than N branches may be entered. */
function reportJoin(state: StateDefinition, machine: Machine, flow: Flow): void {
  const { parallel } = state;
  if (parallel?.join.kind !== "count" || parallel.join.count > parallel.branches.length) return;
  const { count } = parallel.join;
  const conditional = parallel.branches.filter(({ condition }) => condition !== undefined);
  const always = parallel.branches.filter(({ condition, otherwise }) => condition === undefined && !otherwise).length;
  if (always >= count) return;
  const group: Group = { state: state.name, machine, named: [], any: [], lines: [] };
  for (let entered = 0; entered < 2 ** Math.min(conditional.length, BRANCHES_MAX); entered += 1) {
    const chosen = conditional.map((_, index) => Boolean(entered & (1 << index)));
    const others = entered === 0 ? parallel.branches.filter(({ otherwise }) => otherwise).length : 0;
    const number = always + others + chosen.filter(Boolean).length;
    if (number >= count) continue;
    const found = cased(
      conditional.map(({ condition }, index) => ({ condition: condition ?? TRUE, holds: chosen[index]! })),
      group,
      flow,
    );
    if (found.when === "never") continue;
    const span = blockOf(state.name, machine)?.parallel?.join?.span ?? { start: 0, end: 0 };
    const message = `Only ${number} of the ${parallel.branches.length} branches may be entered, so \`join ${count}\` would wait for fewer.`;
    flow.report.add("FLOW243", span, message, { ...exampleOf(found, flow) });
    return;
  }
}

/** Conditional branches of one parallel that are tried in every combination. */
const BRANCHES_MAX = 8;

// ------------------------------------------------------------------------------------------------------------------ //
// Cases
// ------------------------------------------------------------------------------------------------------------------ //

const TRUE: Expression = { kind: "literal", type: BOOL, value: true };

function claim({ transition }: Line, holds: boolean): Claim {
  return { condition: transition.condition ?? TRUE, holds };
}

function cased(claims: readonly Claim[], group: Group, flow: Flow): Found {
  return findCase(claims, placeOf(group, flow), flow.definition.fields, flow.budget);
}

function placeOf({ machine, state }: Group, { fields, definition }: Flow): Place {
  const isDraft = machine.branch === undefined && state === definition.initial;
  return {
    ...(machine.branch ? {} : { state }),
    mayBeAbsent: (path) => {
      const field = fields.get(path);
      return field ? field.optional || (isDraft && field.default === undefined) : true;
    },
  };
}

function exampleOf({ example }: Found, { definition }: Flow) {
  const { currencyDecimals } = definition;
  const shown = [...example].map(([name, { type, value }]) => [name, showValue(value, type, currencyDecimals)]);
  return { counterExample: Object.fromEntries(shown) as Record<string, unknown> };
}
