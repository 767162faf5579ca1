/** What steps ask: the conditions of a flow as operations, one object for each place in it. */
import type { Branch, Definition, Expression, MatrixUse, Stage } from "../definition.ts";
import type { Claim } from "./cases.ts";
import { and, or } from "./formula.ts";
import { conditionOfRow } from "./rows.ts";
import type { Operation } from "./steps.ts";
import type { Place, Vocabulary } from "./vocabulary.ts";

const TRUE: Expression = { kind: "literal", type: { kind: "bool" }, value: true };

/** That a condition holds, and that it doesn't. */
type Both = readonly [yes: Operation, no: Operation];

export class Claims {
  private readonly definition: Omit<Definition, "hash">;
  private readonly vocabulary: Vocabulary;
  private readonly place: Place;
  private readonly places = new Map<string, Place>();
  private readonly conditions = new Map<object, Both>();
  private readonly matrixRows = new Map<MatrixUse, readonly Expression[]>();
  private readonly outcomes = new Map<string, Operation>();

  constructor(definition: Omit<Definition, "hash">, vocabulary: Vocabulary, place: Place) {
    this.definition = definition;
    this.vocabulary = vocabulary;
    this.place = place;
  }

  /** All claims of at least one of the alternatives. `state`: what `state` means there, where that is known. */
  claim(alternatives: readonly (readonly Claim[])[], state?: string): Operation {
    const place = state === undefined ? this.place : this.placeIn(state);
    const holds = (claim: Claim) => this.vocabulary.condition(claim.condition, place)[claim.holds ? "yes" : "no"];
    const formula = or(...alternatives.map((claims) => and(...claims.map(holds))));
    return { kind: "claim", formula, alternatives };
  }

  /** That a branch is entered, or not. */
  branch(branch: Branch, holds: boolean): Operation {
    return this.both(branch, branch.condition ?? TRUE)[holds ? 0 : 1];
  }

  /** That a rule approves, or not. */
  auto(stage: Extract<Stage, { kind: "auto" }>, holds: boolean): Operation {
    return this.both(stage, stage.condition)[holds ? 0 : 1];
  }

  /** The condition of every row of a matrix for the arguments it is used with. */
  rows(use: MatrixUse): readonly Expression[] {
    const known = this.matrixRows.get(use);
    if (known) return known;
    const matrix = this.definition.matrices[use.matrix];
    const rows = (matrix?.rows ?? []).map(({ cells }) => conditionOfRow(cells, use.arguments));
    for (const row of rows) this.vocabulary.condition(row, this.place);
    this.matrixRows.set(use, rows);
    return rows;
  }

  outcomeIs(value: string): Operation {
    const operation = this.outcomes.get(value) ?? { kind: "know", path: "machine.outcome", value };
    this.outcomes.set(value, operation);
    return operation;
  }

  private both(of: object, condition: Expression): Both {
    const known = this.conditions.get(of);
    if (known) return known;
    const made: Both = [this.claim([[{ condition, holds: true }]]), this.claim([[{ condition, holds: false }]])];
    this.conditions.set(of, made);
    return made;
  }

  private placeIn(state: string): Place {
    const place = this.places.get(state) ?? { ...this.place, state };
    this.places.set(state, place);
    return place;
  }
}
