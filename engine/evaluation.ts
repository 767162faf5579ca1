import type { Expression, Value } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { EvaluationError, MissingAnswer } from "./evaluation-error.ts";
import type { EvaluationContext } from "./expressions.ts";
import { ask } from "./questions.ts";
import { refuse } from "./refusal.ts";
import type { Json, Seat } from "./types.ts";
import { showValue } from "./values.ts";

/** What an expression may read, as the draft stands at that moment. */
class DraftContext implements EvaluationContext {
  private readonly draft: Draft;
  readonly at: number;

  constructor(draft: Draft) {
    this.draft = draft;
    this.at = draft.at;
  }
  get data() {
    return this.draft.instance.data;
  }
  get payload() {
    return this.draft.payload;
  }
  get actor() {
    return this.draft.actor;
  }
  get initiator() {
    return this.draft.instance.initiator;
  }
  get state() {
    return this.draft.instance.state;
  }
  get enteredAt() {
    return this.draft.instance.enteredAt;
  }
  get key() {
    return this.draft.instance.key;
  }
  get approvals() {
    const { round } = this.draft.instance;
    if (!round) return [];
    const stage = round.stage + 1; // People count from 1.
    return round.seats.flatMap((seat) =>
      seat.decidedAt !== undefined && isDecision(seat.status)
        ? [{ user: seat.person, stage, decision: seat.status, at: seat.decidedAt }]
        : [],
    );
  }

  readonly ask = (kind: "guard" | "value", name: string, args: readonly Json[]): Json => {
    const answer = ask(this.draft, kind, name, args);
    if (answer === undefined) {
      if (this.draft.questions.size > 0) throw new MissingAnswer(name);
      throw new EvaluationError("function-failed", `\`${name}\` could not answer.`);
    }
    if (kind === "value" && "value" in answer) return answer.value;
    if (kind === "guard" && "ok" in answer) {
      if (!answer.ok && answer.reason !== undefined) this.draft.reasons.push(answer.reason);
      return answer.ok;
    }
    throw new EvaluationError("function-failed", `\`${name}\` did not answer as a ${kind}.`);
  };
}

function isDecision(status: Seat["status"]): boolean {
  return status === "approved" || status === "rejected" || status === "returned" || status === "abstained";
}

/** Runs compiled code. `undefined`: no value, not known yet, or it failed; {@link Draft.blocked} tells the last two. */
export function evaluateWith<Result>(
  draft: Draft,
  run: (context: EvaluationContext) => Result | undefined,
): Result | undefined {
  try {
    return run(new DraftContext(draft));
  } catch (error) {
    if (error instanceof MissingAnswer) return undefined; // The question is on the draft's list.
    if (!(error instanceof EvaluationError)) throw error;
    draft.fail(refuse(error.code, error.message, undefined, error.retryable ? { retryable: true } : undefined));
    return undefined;
  }
}

/** The value of an expression of the definition, as {@link evaluateWith}. */
export function evaluate(draft: Draft, expression: Expression): Value | undefined {
  return evaluateWith(draft, draft.prepared.compiled(expression));
}

/** As it is given to others; `null` where it is absent. */
export function evaluateShown(draft: Draft, expression: Expression): Json {
  const value = evaluate(draft, expression);
  return value === undefined ? null : showValue(expression.type, value, draft.prepared.currency);
}
