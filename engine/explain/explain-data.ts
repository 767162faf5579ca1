import {
  type Approval,
  type Branch,
  type Definition,
  describer,
  type Expression,
  type MatrixUse,
  type Region,
  type StateDefinition,
} from "../../dsl/index.ts";
import { type Assumptions, contextOf, defaultAssumptions, isOptional, typeAt } from "../conditions/assumptions.ts";
import {
  type Alternatives,
  type ConditionCompiler,
  conditionCompiler,
  type Outcome,
  outcomesOf,
  type Setting,
} from "../conditions/choices.ts";
import { type Change, nearestChanges } from "../conditions/nearest-change.ts";
import { ANSWER, isKnown, readsOf } from "../conditions/reads.ts";
import { rowCondition } from "../conditions/row-conditions.ts";
import { atomsOf, attempt } from "../conditions/watched-conditions.ts";
import type { FlowPosition, RegionPath } from "../flow-position.ts";
import { linesOf } from "../machine.ts";
import { visit } from "../secrets.ts";
import type { Json } from "../types.ts";
import { currencyOf, MASK, showValue } from "../values.ts";

/** What a flow would do with some data. */
export interface DataExplanation {
  readonly flow: string;
  readonly label?: string;
  /** Everything that is assumed, defaults too, as the outside sees values; null is absent. */
  readonly given: { readonly [path: string]: Json };
  readonly choices: readonly ExplainedChoice[];
}

/** One place where data decides: a trigger in a state, a matrix, a rule instead of people, the branches of a parallel state. */
export interface ExplainedChoice {
  readonly kind: "trigger" | "matrix" | "rule" | "branch";
  /** `BRANCH.STATE` in a branch. */
  readonly state: string;
  /** `on "submit"`, `signOff(amount, kind)`, `branch finance`. */
  readonly what: string;
  readonly alternatives: readonly Alternative[];
  /** One, if what matters is known; else one for each way in which unknown parts can come out. */
  readonly outcomes: readonly Outcome[];
  /** The nearest change of a single value with which it comes out otherwise. */
  readonly nearest: readonly NearestChange[];
}

/** A line, a row, a result. */
export interface Alternative {
  /** `→ PAYING`, `manager then finance`, `approve`. */
  readonly text: string;
  readonly at: FlowPosition;
  readonly by?: string;
  readonly condition?: string;
  /** Whether each comparison holds, with the values that it saw; one that rests on something unknown has no `holds`. */
  readonly comparisons: readonly Comparison[];
}

export interface Comparison {
  readonly text: string;
  readonly holds?: boolean;
  /** Of what is known. */
  readonly values: { readonly [path: string]: Json };
  /** What would have to be known: fields, functions. */
  readonly unknown: readonly string[];
}

export interface NearestChange {
  readonly path: string;
  /** null: absent. */
  readonly value: Json;
  /** `amount = 5_000`, as the language writes it. */
  readonly text: string;
  readonly outcomes: readonly Outcome[];
}

/**
 * What every state and trigger would do with this data, why, and with which nearest other value it would do something else.
 * Functions and what is not given stay unknown.
 * @param state only this one (`BRANCH.STATE` in a branch).
 */
export function explainData(definition: Definition, given: Assumptions, state?: string): DataExplanation {
  const assumed = new Map([...defaultAssumptions(definition), ...given]);
  const explaining = new Explaining(definition, assumed);
  return {
    flow: definition.flow,
    ...(definition.label !== undefined && { label: definition.label }),
    given: Object.fromEntries([...assumed].map(([path]) => [path, explaining.shown(path)])),
    choices: explaining.region(definition, [], "").filter((choice) => state === undefined || choice.state === state),
  };
}

/** Explains the parts of one flow with the same assumptions. */
export class Explaining {
  private readonly definition: Definition;
  private readonly assumed: Assumptions;
  private readonly describe: ReturnType<typeof describer>;
  private readonly fields: readonly string[];
  private readonly compiled: ConditionCompiler;

  constructor(definition: Definition, assumed: Assumptions) {
    this.definition = definition;
    this.assumed = assumed;
    this.describe = describer(definition);
    this.compiled = conditionCompiler(currencyOf(definition));
    this.fields = definition.fields.map(({ name }) => name);
  }

  region(region: Region, path: RegionPath, prefix: string): ExplainedChoice[] {
    return region.states.flatMap((state) => [
      ...this.approval(state, path, prefix),
      ...this.branches(state, path, prefix),
      ...this.triggers(region, state.name, path, prefix),
    ]);
  }

  // Where data decides ------------------------------------------------------------------------------------------- //

  triggers(region: Region, state: string, path: RegionPath, prefix: string): ExplainedChoice[] {
    const byTrigger = new Map<string, number[]>();
    for (const line of linesOf(region, state)) {
      const trigger = this.describe.trigger(region.transitions[line]!.trigger);
      byTrigger.set(trigger, [...(byTrigger.get(trigger) ?? []), line]);
    }
    return [...byTrigger].map(([what, lines]) => {
      const taken = lines.map((line) => region.transitions[line]!);
      const alternatives = taken.map(
        ({ to, up, by, condition }, index): Alternative => ({
          text: `→ ${up === undefined ? prefix : ""}${to}`,
          at: { kind: "line", region: path, line: lines[index]! },
          ...(by && { by: this.describe.people(by) }),
          ...this.reasons(condition, state),
        }),
      );
      const conditions = taken.map(({ condition }) => condition);
      return this.choice({ kind: "trigger", state: prefix + state, what, alternatives }, conditions, state);
    });
  }

  private approval({ name, approval }: StateDefinition, path: RegionPath, prefix: string): ExplainedChoice[] {
    return (approval?.chain ?? []).flatMap((stage, index): ExplainedChoice[] => {
      if (stage.kind === "matrix") return [this.matrix(stage, name, prefix)];
      if (stage.kind !== "auto") return [];
      const at = { kind: "stage", region: path, state: name, stage: index } as const;
      return [this.rule(stage.condition, name, prefix, this.describe.stage(stage), at, ["approve", "reject"])];
    });
  }

  private matrix(use: MatrixUse, state: string, prefix: string): ExplainedChoice {
    const { name, rows } = this.definition.matrices[use.matrix]!;
    const conditions = rows.map(({ cells }) => rowCondition(cells, use.arguments));
    const alternatives = rows.map(({ stages }, row): Alternative => {
      const approval = { chain: stages } as Approval;
      const at = { kind: "row", matrix: name, row } as const;
      return { text: this.describe.chain(approval), at, ...this.reasons(conditions[row], state) };
    });
    const what = this.describe.stage({ ...use, matrix: name });
    return this.choice({ kind: "matrix", state: prefix + state, what, alternatives }, conditions, state);
  }

  private branches({ name, parallel }: StateDefinition, path: RegionPath, prefix: string): ExplainedChoice[] {
    return (parallel?.branches ?? []).flatMap((branch: Branch): ExplainedChoice[] => {
      const at = { kind: "branch", region: path, state: name, branch: branch.name } as const;
      const own = branch.condition
        ? [this.rule(branch.condition, name, prefix, `branch ${branch.name}`, at, ["entered", "not entered"])]
        : [];
      const within = [...path, { state: name, branch: branch.name }];
      return [...own, ...this.region(branch, within, `${prefix}${branch.name}.`)];
    });
  }

  /** A condition alone: one thing if it holds, another if not. */
  private rule(
    condition: Expression,
    state: string,
    prefix: string,
    what: string,
    at: FlowPosition,
    [yes, no]: readonly [string, string],
  ): ExplainedChoice {
    const alternatives: Alternative[] = [
      { text: yes, at, ...this.reasons(condition, state) },
      { text: no, at, comparisons: [] },
    ];
    const kind = at.kind === "branch" ? "branch" : "rule";
    return this.choice({ kind, state: prefix + state, what, alternatives }, [condition, undefined], state);
  }

  private choice(
    parts: Omit<ExplainedChoice, "outcomes" | "nearest">,
    conditions: Alternatives,
    state: string,
  ): ExplainedChoice {
    const setting = this.setting(state);
    const outcomes = outcomesOf(conditions, setting);
    const changes = nearestChanges(conditions, setting, outcomes);
    return { ...parts, outcomes, nearest: changes.map((change) => this.nearest(change)) };
  }

  private setting(state: string): Setting {
    const { assumed, fields } = this;
    const currency = currencyOf(this.definition);
    return {
      assumed,
      fields,
      state,
      currency,
      compiled: this.compiled,
      isOptional: (path) => isOptional(this.definition, path),
    };
  }

  // Why ------------------------------------------------------------------------------------------------------------ //

  private reasons(condition: Expression | undefined, state: string): Pick<Alternative, "condition" | "comparisons"> {
    if (!condition) return { comparisons: [] };
    return {
      condition: this.describe.expression(condition),
      comparisons: atomsOf(condition).map((atom) => this.comparison(atom, state)),
    };
  }

  private comparison(atom: Expression, state: string): Comparison {
    const text = this.describe.expression(atom);
    const reads = readsOf(atom);
    const values = Object.fromEntries(
      reads.filter((path) => isKnown(path, this.assumed)).map((path) => [path, this.shown(path)]),
    );
    const unknown = reads.filter((path) => !isKnown(path, this.assumed)).flatMap((path) => this.named(path, atom));
    if (unknown.length > 0) return { text, values, unknown };
    const { assumed, fields, compiled } = this;
    const holds = attempt(() => compiled(atom)(contextOf(assumed, fields, state)));
    return { text, values, unknown, ...(holds !== undefined && { holds }) };
  }

  /** Functions by their calls. */
  private named(path: string, atom: Expression): readonly string[] {
    if (path !== ANSWER) return [path];
    const calls: string[] = [];
    visit(atom, (node) => {
      if (node["kind"] === "ask") calls.push(this.describe.expression(node as unknown as Expression));
    });
    return calls;
  }

  shown(path: string): Json {
    const value = this.assumed.get(path) ?? null;
    const type = typeAt(this.definition, path);
    if (value !== null && isSecret(this.definition, path)) return MASK;
    return value === null || !type ? null : showValue(type, value, currencyOf(this.definition));
  }

  private nearest({ path, type, value, outcomes }: Change): NearestChange {
    if (value === null) return { path, value: null, text: `${path} not set`, outcomes };
    const shown = showValue(type, value, currencyOf(this.definition));
    return { path, value: shown, text: `${path} = ${this.describe.value(type, value)}`, outcomes };
  }
}

function isSecret({ fields, events }: Definition, path: string): boolean {
  const payload = events.flatMap((event) => event.payload);
  return (
    fields.some(({ name, secret }) => secret && name === path) ||
    payload.some(({ name, secret }) => secret && `event.${name}` === path)
  );
}
