import type { Definition, Expression, MatrixUse, Region, StateDefinition, Value } from "../../dsl/index.ts";
import { comparedPoints, isAt } from "../conditions/boundaries.ts";
import { ANSWER, readsOf } from "../conditions/reads.ts";
import { atomsOf, attempt, watchCondition } from "../conditions/watched-conditions.ts";
import { compileExpression, type EvaluationContext } from "../expressions.ts";
import { adopt, type Prepared, type PreparedRegion, prepare } from "../prepare.ts";
import { holds } from "../stages.ts";
import type { Currency } from "../values.ts";
import { type CoverageItems, type CoveredCondition, coverageItems, itemId, rowPoints } from "./coverage-items.ts";

/** A copy of a definition that is decided like any other, and counts what decisions come by. */
export class WatchedDefinition {
  readonly copy: Definition;
  readonly items: CoverageItems;
  readonly hits = new Map<string, number>();

  constructor(definition: Definition) {
    this.copy = { ...definition };
    this.items = coverageItems(this.copy);
    adopt(this.prepare(prepare(this.copy)));
  }

  hit(id: string): void {
    this.hits.set(id, (this.hits.get(id) ?? 0) + 1);
  }

  private prepare(prepared: Prepared): Prepared {
    const { currency } = prepared;
    const conditions = new Map(this.items.conditions.map((one) => [one.condition, this.condition(one, currency)]));
    const watchRegion = <Kind extends PreparedRegion>(region: Kind): Kind => ({
      ...region,
      lines: region.lines.map((line, index) => {
        const condition = line.transition.condition && conditions.get(line.transition.condition);
        return condition ? { ...line, condition: withRest(region, index, condition, conditions) } : line;
      }),
      states: new Map(
        [...region.states].map(([name, state]) => {
          const { parallel } = state;
          const branches = parallel && { parallel: { ...parallel, branches: parallel.branches.map(watchRegion) } };
          return [name, { ...state, ...branches }];
        }),
      ),
    });
    const looks = this.matrixArguments(currency);
    const compiled: Prepared["compiled"] = (expression) =>
      conditions.get(expression) ?? looks.get(expression) ?? prepared.compiled(expression);
    return { ...watchRegion(prepared), compiled };
  }

  private condition({ id, condition }: CoveredCondition, currency: Currency): (context: EvaluationContext) => boolean {
    const compared = atomsOf(condition).map(comparedPoints);
    const watch = {
      came: (outcome: boolean) => this.hit(itemId.outcome(id, outcome)),
      atomCame: (atom: number, outcome: boolean) => this.hit(itemId.atom(id, atom, outcome)),
      compared: (atom: number, value: Value) => {
        const { of, points } = compared[atom]!;
        for (const [index, point] of points.entries()) {
          if (isAt(of.type, point, value)) this.hit(itemId.comparedPoint(id, atom, index));
        }
      },
    };
    return watchCondition(
      condition,
      currency,
      watch,
      compared.map((one) => one?.of),
    );
  }

  /** The last argument of a matrix is looked at when all are known. */
  private matrixArguments(currency: Currency): ReadonlyMap<unknown, (context: EvaluationContext) => Value | undefined> {
    return new Map(
      usesIn(this.copy).flatMap((use) => {
        const runs = use.arguments.map((argument) => compileExpression(argument, currency));
        const last = use.arguments.at(-1);
        if (last === undefined) return [];
        const run = (context: EvaluationContext): Value | undefined => {
          this.looked(use.matrix, attempt(() => runs.map((one) => one(context))) ?? []);
          return runs.at(-1)!(context);
        };
        return [[last, run] as const];
      }),
    );
  }

  private looked(key: string, values: readonly (Value | undefined)[]): void {
    const matrix = this.copy.matrices[key]!;
    const { name, rows, parameters } = matrix;
    for (const [row, { cells }] of rows.entries()) {
      const outside = cells.flatMap((cell, column) => {
        return holds(cell, parameters[column]!.type, values[column]) ? [] : [column];
      });
      if (outside.length > 1) continue;
      for (const { column, number, point } of rowPoints(matrix, row)) {
        const value = values[column];
        // All other cells must hold, else the bound decides nothing.
        if (value === undefined || outside.some((other) => other !== column)) continue;
        if (isAt(parameters[column]!.type, point, value)) this.hit(itemId.rowPoint(name, row, column, number));
      }
    }
  }
}

function usesIn(region: Region): MatrixUse[] {
  const inState = ({ approval, parallel }: StateDefinition): MatrixUse[] => [
    ...(approval?.chain ?? []).filter((part) => part.kind === "matrix"),
    ...(parallel?.branches ?? []).flatMap(usesIn),
  ];
  return region.states.flatMap(inState);
}

type Test = (context: EvaluationContext) => boolean;

/**
 * The first line that applies is taken, and those below it are not looked at; that they don't apply is seen here all the
 * same. Lines that ask a function are left alone: a question must not be asked that the engine would not ask.
 */
function withRest(region: PreparedRegion, index: number, condition: Test, all: ReadonlyMap<Expression, Test>): Test {
  const rest = new Map([...region.states.keys()].map((state) => [state, testsBelow(region, state, index, all)]));
  return (context) => {
    const holds = condition(context);
    if (holds) for (const test of rest.get(context.state) ?? []) attempt(() => test(context));
    return holds;
  };
}

function testsBelow(
  { lines, states }: PreparedRegion,
  state: string,
  index: number,
  all: ReadonlyMap<Expression, Test>,
) {
  const same = [...(states.get(state)?.lines.values() ?? [])].find((own) => own.includes(index)) ?? [];
  return same.slice(same.indexOf(index) + 1).flatMap((line) => {
    const { condition, otherwise } = lines[line]!.transition;
    const test = condition && !otherwise && !readsOf(condition).includes(ANSWER) && all.get(condition);
    return test || [];
  });
}
