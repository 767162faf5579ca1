import type { Definition, Expression, Region, Term, Transition, Type } from "../definition.ts";
import { termText } from "../describe.ts";
import { isShorter, type Side } from "./approvals.ts";
import { type Change, isSame, type Wording } from "./changes.ts";

/**
 * Data for which the condition holds in the flow, as a counter-example shows it; `undefined`: there is none, or none was
 * found. `isDraft`: required fields may be missing.
 */
export type Examples = (
  condition: Expression,
  definition: Definition,
  isDraft: boolean,
) => Readonly<Record<string, unknown>> | undefined;

/** A line of one state: what it takes, and when, the lines above an `else` taken into account. */
interface Way {
  readonly from: string;
  readonly trigger: string;
  readonly to: string;
  readonly by: Wording;
  readonly condition: Expression;
  readonly text: string;
  readonly actions: Wording;
  /** Required fields may be missing. */
  readonly isDraft: boolean;
  /** Of an `after` line. */
  readonly term?: Term;
}

/** Lines that came, went, or apply to other data than before. */
export function compareLines(flow: string, before: Side, after: Side, examples: Examples): Change[] {
  const was = grouped(waysOf(before.definition, before, ""));
  const is = grouped(waysOf(after.definition, after, ""));
  const change = (kind: "added" | "removed", way: Way): Change => ({
    flow,
    about: "transition",
    kind,
    message: `${wayText(way)} is ${kind === "added" ? "new" : "gone"}.`,
    [kind === "added" ? "after" : "before"]: way.text,
  });
  const onlyIn = (one: Map<string, Way[]>, other: Map<string, Way[]>) =>
    [...one].flatMap(([key, ways]) => (other.has(key) ? [] : ways));
  const { waits, gone: lost, come: won } = pairWaits(onlyIn(was, is), onlyIn(is, was));
  const gone = lost.map((way) => change("removed", way));
  const come = won.map((way) => change("added", way));
  const both = [...was].flatMap(([key, ways]) => {
    const others = is.get(key);
    return others ? compareWays(ways, others, after.definition, examples) : [];
  });
  return [...gone, ...waits.map(([before, after]) => compareWaits(flow, before, after)), ...both, ...come];
}

/** A timed line whose term changed is one line that waits for another time, not one that went and one that came. */
function pairWaits(gone: readonly Way[], come: readonly Way[]) {
  const waits: (readonly [before: Way, after: Way])[] = [];
  const paired = new Set<Way>();
  for (const before of gone) {
    const after = come.find((way) => isSameWait(before, way) && !paired.has(way));
    if (!after) continue;
    waits.push([before, after]);
    paired.add(before).add(after);
  }
  const rest = (ways: readonly Way[]) => ways.filter((way) => !paired.has(way));
  return { waits, gone: rest(gone), come: rest(come) };
}

const isSameWait = (one: Way, other: Way): boolean =>
  one.term !== undefined && other.term !== undefined && one.from === other.from && one.to === other.to;

function compareWaits(flow: string, { term: was }: Way, { term: is, from, to }: Way): Change {
  const how = isShorter(is!, was!) ? "comes sooner" : isShorter(was!, is!) ? "comes later" : "comes at another time";
  const message = `The timed way \`${from} → ${to}\` ${how}.`;
  const texts = { before: `after ${termText(was!)}`, after: `after ${termText(is!)}` };
  return { flow, about: "transition", kind: "changed", message, ...texts };
}

const wayText = ({ from, trigger, to }: Way): string => `The way \`${from} → ${to} ${trigger}\``;

/** By state, trigger and target: several lines may lead the same way under different conditions. */
function grouped(ways: readonly Way[]): Map<string, Way[]> {
  return Map.groupBy(ways, ({ from, trigger, to }) => JSON.stringify([from, trigger, to]));
}

function compareWays(was: readonly Way[], is: readonly Way[], definition: Definition, examples: Examples): Change[] {
  const base = { flow: definition.flow, about: "transition", kind: "changed" } as const;
  const way = is[0]!;
  const isDraft = is.some((one) => one.isDraft);
  const changes: Change[] = [];
  const compare = (of: (way: Way) => Wording, what: string): void => {
    const [before, after] = [joined(was.map(of)), joined(is.map(of))];
    if (isSame(before, after)) return;
    changes.push({ ...base, message: `${wayText(way)} ${what}.`, before: before.text, after: after.text });
  };
  compare(({ by }) => by, "is for other people");
  compare(({ actions }) => actions, "does something else");
  return [...changes, ...compareConditions(base, was, is, (condition) => examples(condition, definition, isDraft))];
}

const joined = (all: readonly Wording[]): Wording => ({
  text: all.map(({ text }) => text).join("; "),
  meaning: all.map(({ meaning }) => meaning).join("; "),
});

function compareConditions(
  base: Pick<Change, "flow" | "about" | "kind">,
  was: readonly Way[],
  is: readonly Way[],
  examples: (condition: Expression) => ReturnType<Examples>,
): Change[] {
  const [before, after] = [was.map(({ text }) => text).join("; "), is.map(({ text }) => text).join("; ")];
  const applied = anyOf(was.map(({ condition }) => condition));
  const applies = anyOf(is.map(({ condition }) => condition));
  if (JSON.stringify(applied) === JSON.stringify(applies)) return [];
  const widened = examples(both(applies, negated(applied)));
  const narrowed = examples(both(applied, negated(applies)));
  const way = is[0]!;
  const changes: Change[] = [];
  if (widened) {
    const message = `${wayText(way)} applies where it did not before.`;
    changes.push({ ...base, message, before, after, effect: "loosened", example: widened });
  }
  if (narrowed) {
    const message = `${wayText(way)} no longer applies where it did.`;
    changes.push({ ...base, message, before, after, effect: "tightened", example: narrowed });
  }
  return changes;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Conditions
// ------------------------------------------------------------------------------------------------------------------ //

function waysOf(region: Region, side: Side, prefix: string): Way[] {
  const own = region.states.flatMap(({ name }) => {
    const lines = region.transitions.filter(({ from }) => from.includes(name));
    const ordered = [...lines.filter(({ any }) => !any), ...lines.filter(({ any }) => any)];
    return ordered.map((line, index) => ({
      ...wayOf(line, ordered.slice(0, index), name, side, prefix),
      isDraft: prefix === "" && name === region.initial && !endsDraft(line, region),
    }));
  });
  const inner = region.states.flatMap(({ parallel }) =>
    (parallel?.branches ?? []).flatMap((branch) => waysOf(branch, side, `${prefix}${branch.name}.`)),
  );
  return [...own, ...inner];
}

/** What leaves the initial state for one that is not final needs every required field first. */
function endsDraft({ to }: Transition, { initial, states }: Region): boolean {
  return to !== initial && states.some(({ name, final }) => name === to && !final);
}

function wayOf(
  line: Transition,
  above: readonly Transition[],
  state: string,
  side: Side,
  prefix: string,
): Omit<Way, "isDraft"> {
  const { describe, words } = side;
  const { by, actions } = line;
  const trigger = describe.trigger(line.trigger);
  const before = above.filter((other) => describe.trigger(other.trigger) === trigger);
  const own = line.condition ?? TRUE;
  const condition = line.otherwise ? both(own, negated(anyOf(before.map(({ condition }) => condition ?? TRUE)))) : own;
  const when = line.condition ? ` if ${describe.expression(line.condition)}` : "";
  return {
    from: prefix + state,
    trigger,
    to: line.up === undefined ? prefix + line.to : line.to,
    by: words(({ people }) => (by ? people(by) : "anybody")),
    condition,
    text: line.otherwise ? `else${when}` : when.trim() || "always",
    actions: words(({ action }) => actions.map(action).join(" → ") || "nothing"),
    ...(line.trigger.kind === "after" && { term: line.trigger.term }),
  };
}

const BOOL: Type = { kind: "bool" };
const TRUE: Expression = { kind: "literal", type: BOOL, value: true };
const FALSE: Expression = { kind: "literal", type: BOOL, value: false };

const both = (left: Expression, right: Expression): Expression => ({
  kind: "binary",
  operator: "and",
  left,
  right,
  type: BOOL,
});

const negated = (of: Expression): Expression => ({ kind: "not", of, type: BOOL });

const anyOf = (conditions: readonly Expression[]): Expression =>
  conditions.reduce<Expression | undefined>(
    (left, right) => (left ? { kind: "binary", operator: "or", left, right, type: BOOL } : right),
    undefined,
  ) ?? FALSE;
