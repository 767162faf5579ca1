import { type ILookaheadStrategy, type IOrAlt, type IToken, LLkLookaheadStrategy } from "chevrotain";

type Options = Parameters<ILookaheadStrategy["buildLookaheadForAlternation"]>[0];
type Alternatives = IOrAlt<unknown>[];
/** What a lookahead function sees of the parser: the token that is `ahead`, from 1 on. */
interface Ahead {
  LA_FAST(ahead: number): IToken;
}

/**
 * Chevrotain's choice by the next token, faster where alternatives have gates: it tries all of them, one token type after
 * the other; this remembers which can begin with the token's type, and asks the gates of those alone.
 */
export class GatedLookahead extends LLkLookaheadStrategy {
  override buildLookaheadForAlternation(options: Options): (alternatives?: Alternatives) => number | undefined {
    const choose = super.buildLookaheadForAlternation(options);
    if (!options.hasPredicates) return choose;
    /** By the number of a token's type: the alternatives that may begin with it. */
    const possible: (readonly number[] | undefined)[] = [];
    return function (this: Ahead, alternatives: Alternatives = []): number | undefined {
      const next = this.LA_FAST(1);
      possible[next.tokenTypeIdx] ??= beginningWith(next, choose, alternatives);
      for (const index of possible[next.tokenTypeIdx]!) {
        const { GATE } = alternatives[index]!;
        if (GATE === undefined || GATE.call(this)) return index;
      }
      return undefined;
    };
  }
}

/** The alternatives that `choose` would take at this token, if their gates were the only open ones. */
function beginningWith(
  next: IToken,
  choose: (this: Ahead, alternatives?: Alternatives) => number | undefined,
  alternatives: Alternatives,
): readonly number[] {
  const ahead: Ahead = { LA_FAST: () => next };
  return [...alternatives.keys()].filter((wanted) => {
    const only = alternatives.map(({ ALT }, index) => ({ ALT, GATE: () => index === wanted }));
    return choose.call(ahead, only) === wanted;
  });
}
