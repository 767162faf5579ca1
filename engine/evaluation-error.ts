/**
 * An expression has no value: division by zero, a result beyond the safe range or an absent field (`condition-failed`),
 * or a function that could not answer (`function-failed`). Whoever evaluates turns it into a refusal.
 */
export class EvaluationError extends Error {
  readonly code: "condition-failed" | "function-failed";
  /** The same command may do better later. */
  readonly retryable: boolean;

  constructor(code: "condition-failed" | "function-failed", message: string, retryable = false) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

/** The answer of a guard or value function is not known yet. */
export class MissingAnswer extends Error {}
