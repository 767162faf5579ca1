import type { IToken, ParserMethod } from "chevrotain";
import type { TestStatementAst } from "./ast.ts";
import { spanOf } from "./layout.ts";
import { plainNumber } from "./parser-expressions.ts";
import { LiteralGrammar } from "./parser-literals.ts";
import type { Expectation, SeatStatus, Waiting } from "./test-block.ts";
import * as t from "./tokens.ts";

const { K } = t;

type Body = TestStatementAst["body"];

const statuses = new Set<string>(
  "approved rejected returned abstained handled transferred superseded cancelled expired open waiting".split(" "),
);

/** The `expect` statements of a `test`. */
export abstract class ExpectationGrammar extends LiteralGrammar {
  protected readonly expectStatement: ParserMethod<[], Body | undefined> = this.define("expectStatement", () => {
    this.CONSUME(K.expect);
    const not = this.OPTION({
      GATE: () => this.atEffect(2),
      DEF: () => this.CONSUME(K.not),
    });
    const body = this.choice<Body>([
      {
        GATE: () => this.atEffect(1),
        ALT: () => expected(this.SUBRULE(this.effect, { ARGS: [not !== undefined] })),
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.atState(),
        ALT: () => expected(this.SUBRULE(this.stateExpectation)),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => ({ kind: "condition", condition: this.SUBRULE(this.expression) }) },
    ]);
    this.OPTION1(() => this.leaveOutClause(this.CONSUME(K.in), "`in` a branch"));
    return body;
  });

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
        return next === t.Identifier || (next.CATEGORIES ?? []).includes(t.Name);
      case K.escalated:
      case K.reminded:
        return next === t.NumberLiteral || this.endsAt(ahead + 1);
      case K.round:
        return next === t.NumberLiteral;
      case K.history:
        return next === K.containing;
      case K.nothing:
        return next === K.open;
      case K.waiting:
        return next === K.for;
      default:
        return false;
    }
  }

  private endsAt(ahead: number): boolean {
    const { tokenType } = this.LA(ahead);
    return tokenType === t.NewLine || tokenType === t.Semicolon || tokenType === t.RCurly || tokenType.name === "EOF";
  }

  /** A name that stands alone, or is followed by `waiting for`, is a state. */
  private atState(): boolean {
    return (
      this.endsAt(2) ||
      this.LA(2).tokenType === K.waiting ||
      (this.LA(2).tokenType === K.in && this.endsAt(4) && this.LA(3).tokenType === t.Identifier)
    );
  }

  private readonly stateExpectation: ParserMethod<[], Expectation> = this.define("stateExpectation", () => {
    const state = this.CONSUME(t.Name).image;
    const waiting = this.OPTION(() => this.SUBRULE(this.waitingFor));
    return { kind: "state", state, ...(waiting && { waiting }) };
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
    this.choice<Waiting>([
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

  private readonly effect: ParserMethod<[boolean], Expectation> = this.define("effect", (not) =>
    this.choice<Expectation>([
      { ALT: () => ({ kind: "waiting", waiting: this.SUBRULE(this.waitingFor) }) },
      {
        ALT: () => {
          this.CONSUME(K.emitted);
          const event = this.textOf(this.CONSUME(t.StringLiteral));
          return { kind: "emitted", event, ...timesOf(this.OPTION(() => this.SUBRULE(this.times))), not };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.notified);
          const user = this.textOf(this.CONSUME1(t.StringLiteral));
          return { kind: "notified", user, ...timesOf(this.OPTION1(() => this.SUBRULE1(this.times))), not };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.rendered);
          const document = this.textOf(this.CONSUME2(t.StringLiteral));
          const containing = this.OPTION2(() => {
            this.CONSUME(K.containing);
            return this.textOf(this.CONSUME3(t.StringLiteral));
          });
          const times = timesOf(this.OPTION3(() => this.SUBRULE2(this.times)));
          return { kind: "rendered", document, ...(containing !== undefined && { containing }), ...times, not };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.called);
          const name = this.CONSUME(t.Name).image;
          const values = this.OPTION4(() => this.SUBRULE(this.literalArguments));
          const times = timesOf(this.OPTION5(() => this.SUBRULE3(this.times)));
          return { kind: "called", name, ...(values && { arguments: values }), ...times, not };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.refused);
          return { kind: "refused", code: this.textOf(this.CONSUME4(t.StringLiteral)) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.escalated);
          return { kind: "escalated", ...timesOf(this.OPTION6(() => this.SUBRULE4(this.times))), not };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.reminded);
          return { kind: "reminded", ...timesOf(this.OPTION7(() => this.SUBRULE5(this.times))), not };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.round);
          return { kind: "round", round: Number(plainNumber(this.CONSUME(t.NumberLiteral).image)) };
        },
      },
      { ALT: () => this.SUBRULE(this.seat) },
      {
        ALT: () => {
          this.CONSUME(K.history);
          this.CONSUME1(K.containing);
          return { kind: "history", containing: this.textOf(this.CONSUME5(t.StringLiteral)), not };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.nothing);
          this.CONSUME(K.open);
          return { kind: "nothing-open" };
        },
      },
      {
        ALT: () => {
          this.leaveOutClause(this.CONSUME(K.undone), "`undone`");
          return { kind: "nothing-open" };
        },
      },
    ]),
  );

  private readonly seat: ParserMethod<[], Expectation> = this.define("seat", () => {
    this.CONSUME(K.seat);
    const user = this.textOf(this.CONSUME(t.StringLiteral));
    const status = this.CONSUME(t.Name);
    if (!statuses.has(status.image) && !this.RECORDING_PHASE) {
      this.report.error("FLOW010", `Expected a seat's status, found \`${status.image}\`.`, spanOf(status), {
        hint: `One of ${[...statuses].join(", ")}.`,
      });
      this.abandon();
    }
    return { kind: "seat", user, status: status.image as SeatStatus };
  });

  /** Refuses a clause, and with it its statement. */
  protected leaveOutClause(token: IToken, what: string): void {
    if (this.RECORDING_PHASE) return;
    this.leaveOut(what, spanOf(token));
    this.abandon();
  }
}

function expected(expectation: Expectation): Body {
  return { kind: "complete", statement: { kind: "expect", expectation } };
}

function timesOf(times: number | undefined): { times?: number } {
  return times === undefined ? {} : { times };
}
