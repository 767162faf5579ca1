/**
 * What a service was asked did not come. `refused`: it never will, as it stands. `failed`: the service tried and could not,
 * it may another time. `away`: nobody was there to try.
 */
export class ServiceCallFailed extends Error {
  override readonly name = "ServiceCallFailed";
  readonly how: "refused" | "failed" | "away";
  /** Of `away`. `no-answer`: none came in time, it may have been done all the same. `not-sent`: the bus is away, nobody was asked. */
  readonly missed: "no-answer" | "not-sent" | undefined;
  /** Before that another try is in vain, as far as is known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    how: "refused" | "failed" | "away",
    more: { readonly missed?: "no-answer" | "not-sent"; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message);
    this.how = how;
    this.missed = more.missed;
    this.retryAfterMs = more.retryAfterMs;
  }

  get retryable(): boolean {
    return this.how !== "refused";
  }

  /** Was it surely not done? Then another may be asked for the same. */
  get isUntouched(): boolean {
    return this.how === "refused" || (this.how === "away" && this.missed !== "no-answer");
  }
}
