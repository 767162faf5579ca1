import { EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";

/** What Chevrotain's parser has besides its declared face. */
interface Engine {
  readonly tokVector: readonly IToken[];
  currIdx: number;
  ruleShortNameIdx: number;
  readonly shortRuleNameToFull: string[];
  readonly fullRuleNameToShort: Record<string, number>;
  readonly lookAheadFuncsCache: readonly unknown[];
  currRuleShortName: number;
  currRuleLookaheadFuncs: unknown;
  consumeInternalError(type: TokenType, found: IToken, options: unknown): never;
  onBeforeParse(rule: string): void;
  onAfterParse(rule: string): void;
}

/** Rules take two values at most: to pass on any number of them costs an array per call. */
type Action = (first?: unknown, second?: unknown) => unknown;
interface Rule {
  readonly coreRule: Action;
}

/** What of the engine is to be as it was before, where a rule was left by a mistake. */
export interface RuleState {
  readonly name: number;
  readonly lookahead: unknown;
}

/**
 * Chevrotain's parser without what only its own recovery and its syntax trees need: stacks of rules and a `try` around
 * every rule and every token. A quarter of the time of a sound text went into that. A mistake leaves the rules without
 * tidying up; whoever catches it brings back the state that it kept (`ruleState`).
 *
 * Replaces `defineRule`, `subruleInternal` and `consumeInternal` of Chevrotain 13.2 (`recognizer_engine.ts`). Under other
 * names they would not be called, which costs nothing but the time.
 */
export abstract class LeanParser extends EmbeddedActionsParser {
  private get engine(): Engine {
    return this as unknown as Engine;
  }

  protected get ruleState(): RuleState {
    const { currRuleShortName: name, currRuleLookaheadFuncs: lookahead } = this.engine;
    return { name, lookahead };
  }

  /** Of the rule at hand; where a mistake was thrown, of the one that it broke. */
  protected get ruleName(): string {
    const { shortRuleNameToFull, currRuleShortName } = this.engine;
    return shortRuleNameToFull[currRuleShortName] ?? "";
  }

  protected set ruleState({ name, lookahead }: RuleState) {
    this.engine.currRuleShortName = name;
    this.engine.currRuleLookaheadFuncs = lookahead;
  }

  protected defineRule(name: string, implementation: Action): object {
    const engine = this.engine;
    const number = engine.ruleShortNameIdx++;
    engine.shortRuleNameToFull[number] = name;
    engine.fullRuleNameToShort[name] = number;
    const coreRule: Action = (first, second) => {
      const before = engine.currRuleShortName;
      const lookahead = engine.currRuleLookaheadFuncs;
      engine.currRuleShortName = number;
      engine.currRuleLookaheadFuncs = engine.lookAheadFuncsCache[number];
      const result = implementation(first, second);
      engine.currRuleShortName = before;
      engine.currRuleLookaheadFuncs = lookahead;
      return result;
    };
    const rootRule: Action = (first, second) => {
      engine.onBeforeParse(name);
      try {
        return coreRule(first, second);
      } finally {
        engine.onAfterParse(name);
      }
    };
    return Object.assign(rootRule, { ruleName: name, originalGrammarAction: implementation, coreRule });
  }

  protected subruleInternal({ coreRule }: Rule, _index: number, options?: { readonly ARGS?: readonly unknown[] }) {
    const given = options?.ARGS;
    return given === undefined ? coreRule() : coreRule(given[0], given[1]);
  }

  protected consumeInternal(type: TokenType, _index: number, options: unknown): IToken {
    const { engine } = this;
    const next = engine.tokVector[engine.currIdx + 1]!;
    const number = next.tokenTypeIdx;
    if (number !== type.tokenTypeIdx && !(type.isParent && type.categoryMatchesMap![number])) {
      engine.consumeInternalError(type, next, options);
    }
    engine.currIdx++;
    return next;
  }
}
