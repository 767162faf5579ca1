import type { Expression, Value } from "../dsl/index.ts";
import { EvaluationError, MissingAnswer } from "./evaluation-error.ts";
import type { EvaluationContext } from "./expressions.ts";
import type { PlaceDraft } from "./place.ts";
import { ask } from "./questions.ts";
import { refuse } from "./refusal.ts";
import type { Json, Seat } from "./types.ts";
import { showValue } from "./values.ts";

/** What an expression may read, as the draft stands at that moment. */
class PlaceContext implements EvaluationContext {
  private readonly place: PlaceDraft;
  readonly at: number;

  constructor(place: PlaceDraft) {
    this.place = place;
    this.at = place.draft.at;
  }
  get data() {
    return this.place.flow.now.data;
  }
  get payload() {
    return this.place.draft.payload;
  }
  get actor() {
    return this.place.draft.actor;
  }
  get initiator() {
    return this.place.draft.instance.initiator;
  }
  get state() {
    return this.place.now.state;
  }
  get enteredAt() {
    return this.place.now.enteredAt;
  }
  get key() {
    return this.place.draft.instance.key;
  }
  get outcome() {
    return this.place.child?.now.outcome;
  }
  get approvals() {
    const { round } = this.place.now;
    if (!round) return [];
    const stage = round.stage + 1; // People count from 1.
    return round.seats.flatMap((seat) =>
      seat.decidedAt !== undefined && isDecision(seat.status)
        ? [{ user: seat.person, stage, decision: seat.status, at: seat.decidedAt }]
        : [],
    );
  }

  branchState(branch: string): string | undefined {
    return this.place.branches.get(branch)?.now.state;
  }

  readonly ask = (kind: "guard" | "value", name: string, args: readonly Json[]): Json => {
    const { draft } = this.place;
    const answer = ask(this.place, kind, name, args);
    if (answer === undefined) {
      if (draft.needsAnswers) throw new MissingAnswer(name);
      throw new EvaluationError("function-failed", `\`${name}\` could not answer.`);
    }
    if (kind === "value" && "value" in answer) return answer.value;
    if (kind === "guard" && "ok" in answer) {
      if (!answer.ok && answer.reason !== undefined) draft.reasons.push(answer.reason);
      return answer.ok;
    }
    throw new EvaluationError("function-failed", `\`${name}\` did not answer as a ${kind}.`);
  };
}

const DECISIONS: ReadonlySet<string> = new Set(["approved", "rejected", "returned", "abstained", "handled"]);

function isDecision(status: Seat["status"]): boolean {
  return DECISIONS.has(status);
}

/** Runs compiled code. `undefined`: no value, not known yet, or it failed; {@link Draft.blocked} tells the last two. */
export function evaluateWith<Result>(
  place: PlaceDraft,
  run: (context: EvaluationContext) => Result | undefined,
): Result | undefined {
  try {
    return run(new PlaceContext(place));
  } catch (error) {
    if (error instanceof MissingAnswer) return undefined; // The question is on the draft's list.
    if (!(error instanceof EvaluationError)) throw error;
    place.draft.fail(refuse(error.code, error.message, undefined, error.retryable ? { retryable: true } : undefined));
    return undefined;
  }
}

/** The value of an expression of the definition, as {@link evaluateWith}. */
export function evaluate(place: PlaceDraft, expression: Expression): Value | undefined {
  return evaluateWith(place, place.flow.prepared.compiled(expression));
}

/** As it is given to others; `null` where it is absent. */
export function evaluateShown(place: PlaceDraft, expression: Expression): Json {
  const value = evaluate(place, expression);
  return value === undefined ? null : showValue(expression.type, value, place.flow.prepared.currency);
}
