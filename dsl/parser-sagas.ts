import type { IToken, ParserMethod } from "chevrotain";
import type { CallAst, ExpressionAst, PeopleAst, SagaAst, SagaStepAst } from "./ast.ts";
import type { Span } from "./diagnostic.ts";
import { plainNumber } from "./parser-expressions.ts";
import type { Items } from "./parser-items.ts";
import type { Once } from "./parser-regions.ts";
import { SourceGrammar } from "./parser-sources.ts";
import * as t from "./tokens.ts";

const { K } = t;

interface SagaParts {
  readonly steps: (readonly SagaStepAst[])[];
  readonly onStuck: Once<NonNullable<SagaAst["onStuck"]>>;
}

interface StepParts {
  readonly undo: Once<CallAst>;
  readonly retry: Once<number>;
  readonly backoff: Once<NonNullable<SagaStepAst["backoff"]>>;
  readonly jitter: Once<NonNullable<SagaStepAst["jitter"]>>;
  readonly timeout: Once<NonNullable<SagaStepAst["timeout"]>>;
}

const sagaItems: Items = {
  expected: "a step such as `step reserve(amount) undo release(amount)`",
  heads: [K.step, K.onStuck],
};

/** `saga "…" { … }`. */
export abstract class SagaGrammar extends SourceGrammar {
  protected readonly saga: ParserMethod<[], SagaAst> = this.define("saga", () => {
    const start = this.here();
    const parts = newSagaParts();
    this.CONSUME(K.saga);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.block(sagaItems, () => this.SUBRULE(this.sagaItem, { ARGS: [parts] }));
    const onStuck = this.only(parts.onStuck);
    return { name, steps: parts.steps, ...(onStuck && { onStuck }), span: this.from(start) };
  });

  private readonly sagaItem: ParserMethod<[SagaParts], void> = this.define("sagaItem", (parts = newSagaParts()) => {
    this.OR([
      { ALT: () => this.collect(parts.steps, () => this.SUBRULE(this.steps))() },
      { ALT: () => this.once(parts.onStuck, () => this.SUBRULE(this.onStuck)) },
    ]);
  });

  /** `step a(..) and b(..)`: side by side. */
  private readonly steps: ParserMethod<[], SagaStepAst[]> = this.define("steps", () => {
    const found: SagaStepAst[] = [];
    this.CONSUME(K.step);
    this.AT_LEAST_ONE_SEP({ SEP: K.and, DEF: () => found.push(this.SUBRULE(this.step)) });
    return found;
  });

  /** `transfer(card, amount) undo refund(amount) retry 5 backoff 200ms .. 30s jitter 25% timeout 10s`. */
  private readonly step: ParserMethod<[], SagaStepAst> = this.define("step", () => {
    const parts = newStepParts();
    const start = this.here();
    const call = this.SUBRULE(this.stepCall);
    this.MANY(() => this.SUBRULE(this.stepPolicy, { ARGS: [parts] }));
    const undo = this.only(parts.undo);
    const retry = this.only(parts.retry);
    const backoff = this.only(parts.backoff);
    const jitter = this.only(parts.jitter);
    const timeout = this.only(parts.timeout);
    return {
      call,
      ...(undo && { undo }),
      ...(retry !== undefined && { retry }),
      ...(backoff && { backoff }),
      ...(jitter && { jitter }),
      ...(timeout && { timeout }),
      span: this.from(start),
    };
  });

  private readonly stepCall: ParserMethod<[], CallAst> = this.define("stepCall", () => {
    const name = this.name(this.CONSUME(t.Name));
    const values = this.choice<ExpressionAst[]>([
      {
        GATE: () => name.text === "set" && this.LA(3).tokenType === t.Equal,
        ALT: () => this.SUBRULE(this.setArguments),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE(this.callArguments) },
    ]);
    return { name, arguments: values, span: this.from(name.span.start) };
  });

  /** `(field = value)`: the checker says that `set` is no step, so nothing need be said of its `=`. */
  private readonly setArguments: ParserMethod<[], ExpressionAst[]> = this.define("setArguments", () => {
    this.CONSUME(t.LParen);
    const field = this.bareName(this.CONSUME(t.Name));
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.expression);
    this.CONSUME(t.RParen);
    return [field, value];
  });

  private readonly stepPolicy: ParserMethod<[StepParts], void> = this.define("stepPolicy", (parts = newStepParts()) => {
    const word = this.LA(1);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(K.undo);
          put(parts.undo, word, this.SUBRULE(this.stepCall));
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.retry);
          put(parts.retry, word, this.count(this.CONSUME(t.NumberLiteral)));
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.backoff);
          put(parts.backoff, word, this.SUBRULE(this.backoff));
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.jitter);
          const percent = this.CONSUME(t.Percent);
          const span = this.from(word.startOffset);
          put(parts.jitter, word, { percent: plainNumber(percent.image.slice(0, -1)), span });
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.timeout);
          put(parts.timeout, word, this.SUBRULE(this.duration));
        },
      },
    ]);
  });

  /** `200ms`, `200ms .. 30s`. */
  private readonly backoff: ParserMethod<[], NonNullable<SagaStepAst["backoff"]>> = this.define("backoff", () => {
    const start = this.here();
    const from = this.SUBRULE(this.duration);
    const to = this.OPTION(() => {
      this.CONSUME(t.DotDot);
      return this.SUBRULE1(this.duration);
    });
    return { from, ...(to && { to }), span: this.from(start) };
  });

  /** `onStuck: assign P`. */
  private readonly onStuck: ParserMethod<[], { what: "assign"; to: PeopleAst; span: Span }> = this.define(
    "onStuck",
    () => {
      const start = this.here();
      this.CONSUME(K.onStuck);
      this.CONSUME(t.Colon);
      this.CONSUME(K.assign);
      return { what: "assign", to: this.SUBRULE(this.people), span: this.from(start) };
    },
  );
}

function put<T>(found: Once<T>, word: IToken, value: T): void {
  found.push({ value, word });
}

function newSagaParts(): SagaParts {
  return { steps: [], onStuck: [] };
}

function newStepParts(): StepParts {
  return { undo: [], retry: [], backoff: [], jitter: [], timeout: [] };
}
