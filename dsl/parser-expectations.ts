import { type IToken, type ParserMethod, tokenMatcher } from "chevrotain";
import type { TestStatementAst } from "./ast.ts";
import { LiteralGrammar } from "./parser-literals.ts";
import type { Expectation, SeatStatus, Waiting } from "./test-block.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

type Body = TestStatementAst["body"];

const statuses = new Set<string>(
  "approved rejected returned abstained handled transferred superseded cancelled expired open waiting".split(" "),
);

/** The `expect` statements of a `test`. */
export abstract class ExpectationGrammar extends LiteralGrammar {
  protected readonly expectStatement: ParserMethod<[], Body> = this.define("expectStatement", () => {
    this.CONSUME(K.expect);
    const not = this.OPTION({
      GATE: () => this.atEffect(2),
      DEF: () => this.CONSUME(K.not),
    });
    const body = this.choice<Body>([
      {
        GATE: () => this.atEffect(1),
        ALT: () => {
          const effect = this.SUBRULE(this.effect);
          return this.ACTION(() => expected(not ? this.negated(effect, not) : effect));
        },
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.atState(),
        ALT: () => expected(this.SUBRULE(this.stateExpectation)),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => ({ kind: "condition", condition: this.SUBRULE(this.expression) }) },
    ]);
    return body;
  });

  private negated(effect: Expectation, not: IToken): Expectation {
    if ("not" in effect) return { ...effect, not: true };
    this.report.error("FLOW010", "`not` can't stand before this.", spanOf(not));
    return this.abandon();
  }

  /** Whether the words from `ahead` on begin an expectation of its own kind, and not a field of that name. */
  private atEffect(ahead: number): boolean {
    const next = this.LA(ahead + 1).tokenType;
    switch (this.LA(ahead).tokenType) {
      case K.emitted:
      case K.notified:
      case K.rendered:
      case K.refused:
      case K.seat:
        return next === t.StringLiteral;
      case K.called:
      case K.undone:
        return tokenMatcher(this.LA(ahead + 1), t.Name) && !this.atWaiting(ahead + 1);
      case K.escalated:
      case K.reminded:
        return next === t.NumberLiteral || this.endsAt(ahead + 1) || this.atBranch(ahead + 1);
      case K.round:
        return next === t.NumberLiteral;
      case K.history:
        return next === K.containing;
      case K.nothing:
        return next === K.open;
      case K.waiting:
        return this.atWaiting(ahead);
      default:
        return false;
    }
  }

  private atWaiting(ahead: number): boolean {
    return this.LA(ahead).tokenType === K.waiting && this.LA(ahead + 1).tokenType === K.for;
  }

  private endsAt(ahead: number): boolean {
    const { tokenType } = this.LA(ahead);
    return tokenType === t.NewLine || tokenType === t.Semicolon || tokenType === t.RCurly || tokenType.name === "EOF";
  }

  /** `in BRANCH` to the end. */
  private atBranch(ahead: number): boolean {
    return (
      this.LA(ahead).tokenType === K.in && this.endsAt(ahead + 2) && this.LA(ahead + 1).tokenType !== t.StringLiteral
    );
  }

  /** A name that stands alone, or is followed by `waiting for`, is a state; `BRANCH.STATE` too, but for `data.FIELD`. */
  private atState(): boolean {
    if (this.LA(2).tokenType !== t.Dot) return this.endsAt(2) || this.LA(2).tokenType === K.waiting;
    if (this.LA(4).tokenType === K.waiting) return true;
    return this.endsAt(4) && this.LA(1).tokenType !== K.data;
  }

  private readonly stateExpectation: ParserMethod<[], Expectation> = this.define("stateExpectation", () => {
    const first = this.CONSUME(t.Name).image;
    const second = this.OPTION(() => {
      this.CONSUME(t.Dot);
      return this.CONSUME1(t.Name).image;
    });
    const waiting = this.OPTION1(() => this.SUBRULE(this.waitingFor));
    if (second === undefined) return withPresent({ kind: "state", state: first }, { waiting });
    return withPresent({ kind: "state", branch: first, state: second }, { waiting });
  });

  private readonly waitingFor: ParserMethod<[], Waiting[]> = this.define("waitingFor", () => {
    const found: Waiting[] = [];
    this.CONSUME(K.waiting);
    this.CONSUME(K.for);
    this.OR([
      { ALT: () => void this.CONSUME(K.nobody) },
      { ALT: () => this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => found.push(this.SUBRULE(this.waiter)) }) },
    ]);
    return found;
  });

  private readonly waiter: ParserMethod<[], Waiting> = this.define("waiter", () =>
    this.fixedChoice<Waiting>("waiter", () => [
      { ALT: () => ({ kind: "user", id: this.textOf(this.CONSUME(t.StringLiteral)) }) },
      {
        ALT: () => {
          this.CONSUME(K.group);
          this.CONSUME(t.LParen);
          const name = this.textOf(this.CONSUME1(t.StringLiteral));
          this.CONSUME(t.RParen);
          return { kind: "group", name };
        },
      },
    ]),
  );

  /** Everything but states and conditions. */
  private readonly effect: ParserMethod<[], Expectation> = this.define("effect", () =>
    this.fixedChoice<Expectation>("effect", () => [
      { ALT: () => ({ kind: "waiting", waiting: this.SUBRULE(this.waitingFor) }) },
      { ALT: () => this.SUBRULE(this.emitted) },
      { ALT: () => this.SUBRULE(this.notified) },
      { ALT: () => this.SUBRULE(this.rendered) },
      { ALT: () => this.SUBRULE(this.called) },
      { ALT: () => this.SUBRULE(this.refused) },
      { ALT: () => this.SUBRULE(this.counted) },
      { ALT: () => this.SUBRULE(this.round) },
      { ALT: () => this.SUBRULE(this.seat) },
      { ALT: () => this.SUBRULE(this.history) },
      { ALT: () => this.SUBRULE(this.nothing) },
    ]),
  );

  private readonly emitted: ParserMethod<[], Expectation> = this.define("emitted", () => {
    this.CONSUME(K.emitted);
    const event = this.textOf(this.CONSUME(t.StringLiteral));
    return withPresent({ kind: "emitted", event, not: false }, { times: this.OPTION(() => this.SUBRULE(this.times)) });
  });

  private readonly notified: ParserMethod<[], Expectation> = this.define("notified", () => {
    this.CONSUME(K.notified);
    const user = this.textOf(this.CONSUME(t.StringLiteral));
    return withPresent({ kind: "notified", user, not: false }, { times: this.OPTION(() => this.SUBRULE(this.times)) });
  });

  private readonly rendered: ParserMethod<[], Expectation> = this.define("rendered", () => {
    this.CONSUME(K.rendered);
    const document = this.textOf(this.CONSUME(t.StringLiteral));
    const containing = this.OPTION(() => this.SUBRULE(this.containing));
    const times = this.OPTION1(() => this.SUBRULE(this.times));
    return withPresent({ kind: "rendered", document, not: false }, { containing, times });
  });

  private readonly containing: ParserMethod<[], string> = this.define("containing", () => {
    this.CONSUME(K.containing);
    return this.textOf(this.CONSUME(t.StringLiteral));
  });

  /** `called transfer(..)`, `undone releaseBudget`. */
  private readonly called: ParserMethod<[], Expectation> = this.define("called", () => {
    const kind = this.choice<"called" | "undone">([
      { ALT: () => this.CONSUME(K.called) && "called" },
      { ALT: () => this.CONSUME(K.undone) && "undone" },
    ]);
    const name = this.CONSUME(t.Name).image;
    const values = this.OPTION(() => this.SUBRULE(this.literalArguments));
    const times = this.OPTION1(() => this.SUBRULE(this.times));
    return withPresent({ kind, name, not: false }, { arguments: values, times });
  });

  private readonly refused: ParserMethod<[], Expectation> = this.define("refused", () => {
    this.CONSUME(K.refused);
    return { kind: "refused", code: this.textOf(this.CONSUME(t.StringLiteral)) };
  });

  /** `escalated`, `reminded 2 times in legal`. */
  private readonly counted: ParserMethod<[], Expectation> = this.define("counted", () => {
    const kind = this.choice<"escalated" | "reminded">([
      { ALT: () => this.CONSUME(K.escalated) && "escalated" },
      { ALT: () => this.CONSUME(K.reminded) && "reminded" },
    ]);
    const times = this.OPTION(() => this.SUBRULE(this.times));
    return withPresent({ kind, not: false }, { times, in: this.OPTION1(() => this.SUBRULE(this.inBranch)) });
  });

  private readonly round: ParserMethod<[], Expectation> = this.define("round", () => {
    this.CONSUME(K.round);
    const round = this.count(this.CONSUME(t.NumberLiteral));
    return withPresent({ kind: "round", round }, { in: this.OPTION(() => this.SUBRULE(this.inBranch)) });
  });

  private readonly seat: ParserMethod<[], Expectation> = this.define("seat", () => {
    this.CONSUME(K.seat);
    const user = this.textOf(this.CONSUME(t.StringLiteral));
    const status = this.CONSUME(t.Name);
    if (!statuses.has(status.image) && !this.RECORDING_PHASE) {
      this.report.error("FLOW010", `Expected a seat's status, found \`${status.image}\`.`, spanOf(status), {
        hint: `One of ${[...statuses].map((known) => `\`${known}\``).join(", ")}.`,
      });
      this.abandon();
    }
    const branch = this.OPTION(() => this.SUBRULE(this.inBranch));
    return withPresent({ kind: "seat", user, status: status.image as SeatStatus }, { in: branch });
  });

  private readonly history: ParserMethod<[], Expectation> = this.define("history", () => {
    this.CONSUME(K.history);
    return { kind: "history", containing: this.SUBRULE(this.containing), not: false };
  });

  private readonly nothing: ParserMethod<[], Expectation> = this.define("nothing", () => {
    this.CONSUME(K.nothing);
    this.CONSUME(K.open);
    return { kind: "nothing-open" };
  });

  /** `in BRANCH`. */
  protected readonly inBranch: ParserMethod<[], string> = this.define("inBranch", () => {
    this.CONSUME(K.in);
    return this.CONSUME(t.Name).image;
  });
}

function expected(expectation: Expectation): Body {
  return { kind: "complete", statement: { kind: "expect", expectation } };
}
