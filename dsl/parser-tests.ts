import type { IToken, ParserMethod } from "chevrotain";
import type { Name, TestAst, TestStatementAst } from "./ast.ts";
import { spanOf } from "./layout.ts";
import type { Items } from "./parser-base.ts";
import { ExpectationGrammar } from "./parser-expectations.ts";
import { plainNumber } from "./parser-expressions.ts";
import type { Fact, LiteralRecord, StatementBody } from "./test-block.ts";
import * as t from "./tokens.ts";

const { K } = t;

type Body = TestStatementAst["body"];
interface Clauses {
  id?: string;
  because?: string;
  setting?: LiteralRecord;
}
interface TestParts {
  startsAt?: string;
  readonly statements: TestStatementAst[];
}

const statementItems: Items = {
  expected: 'a statement such as `send "submit"` or `expect APPROVED`',
  heads: [K.as, K.given, K.start, K.send, K.advance, K.expect],
};

/** `test "…" of "flow" { … }` and its statements but `expect`. */
export abstract class TestGrammar extends ExpectationGrammar {
  protected readonly test: ParserMethod<[], TestAst> = this.define("test", () => {
    const start = this.here();
    const parts = newParts();
    this.CONSUME(K.test);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.CONSUME(K.of);
    const flow = this.name(this.CONSUME1(t.StringLiteral));
    const label = this.OPTION(() => {
      this.CONSUME(K.label);
      return this.name(this.CONSUME2(t.StringLiteral));
    });
    this.block(statementItems, () => this.SUBRULE(this.testItem, { ARGS: [parts] }));
    return { name, flow, ...(label && { label }), ...parts, span: this.from(start) };
  });

  private readonly testItem: ParserMethod<[TestParts], void> = this.define("testItem", (parts = newParts()) => {
    this.OR([
      { ALT: () => this.SUBRULE(this.startsAt, { ARGS: [parts] }) },
      {
        ALT: () => {
          const word = this.OR1([{ ALT: () => this.CONSUME(K.admin) }, { ALT: () => this.CONSUME(K.migrate) }]);
          this.leaveOutItem(`\`${word.image}\` in a test`, word);
        },
      },
      { ALT: () => this.collect(parts.statements, () => this.SUBRULE(this.onStatement))() },
      { ALT: () => this.collect(parts.statements, () => this.SUBRULE(this.plainStatement))() },
    ]);
  });

  /** `at 2026-10-09T17:30`, as the first line. */
  private readonly startsAt: ParserMethod<[TestParts], void> = this.define("startsAt", (parts = newParts()) => {
    const word = this.CONSUME(K.at);
    const at = this.CONSUME(t.DateTime);
    this.ACTION(() => {
      if (parts.statements.length > 0 || parts.startsAt) {
        this.report.error("FLOW014", "`at` stands once, as the first line of the test.", spanOf(word));
      } else parts.startsAt = this.realDate(at);
    });
  });

  private readonly onStatement: ParserMethod<[], TestStatementAst | undefined> = this.define("onStatement", () => {
    const start = this.here();
    this.CONSUME(K.on);
    const on = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Colon);
    const body = this.SUBRULE(this.statement);
    return this.statementOf(start, body, on);
  });

  private readonly plainStatement: ParserMethod<[], TestStatementAst | undefined> = this.define(
    "plainStatement",
    () => {
      const start = this.here();
      return this.statementOf(start, this.SUBRULE(this.statement));
    },
  );

  private statementOf(start: number, body: Body | undefined, on?: Name): TestStatementAst | undefined {
    if (!body) return undefined;
    const span = this.from(start);
    return { text: this.text.slice(span.start, span.end), ...(on && { on }), body, span };
  }

  /** Undefined: refused, and reported. */
  private readonly statement: ParserMethod<[], Body | undefined> = this.define("statement", () =>
    this.choice<Body | undefined>([
      { ALT: () => complete(this.SUBRULE(this.asStatement)) },
      { ALT: () => this.SUBRULE(this.givenStatement) },
      { ALT: () => complete(this.SUBRULE(this.startStatement)) },
      { ALT: () => complete(this.SUBRULE(this.sendStatement)) },
      { ALT: () => this.SUBRULE(this.personStatement) },
      { ALT: () => this.SUBRULE(this.advanceStatement) },
      { ALT: () => this.SUBRULE(this.expectStatement) },
    ]),
  );

  private readonly asStatement: ParserMethod<[], StatementBody> = this.define("asStatement", () => {
    const facts: Fact[] = [];
    this.CONSUME(K.as);
    const user = this.textOf(this.CONSUME(t.StringLiteral));
    const org = this.OPTION(() => {
      this.CONSUME(K.in);
      this.CONSUME(K.org);
      return this.textOf(this.CONSUME1(t.StringLiteral));
    });
    const tags = this.OPTION1(() => {
      this.CONSUME(K.tags);
      return this.SUBRULE(this.strings);
    });
    this.OPTION2(() => {
      this.CONSUME(K.with);
      this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => facts.push(this.SUBRULE(this.fact)) });
    });
    return { kind: "as", user, ...(org !== undefined && { org }), ...(tags && { tags }), facts };
  });

  private readonly givenStatement: ParserMethod<[], Body | undefined> = this.define("givenStatement", () => {
    const start = this.CONSUME(K.given);
    const left = this.OPTION({
      GATE: () => this.LA(2).tokenType === t.StringLiteral,
      DEF: () => this.OR([{ ALT: () => this.CONSUME(K.away) }, { ALT: () => this.CONSUME(K.left) }]),
    });
    if (left && !this.RECORDING_PHASE) return this.leaveOutItem(`\`given ${left.image}\``, start) as undefined;
    return complete({ kind: "given", fact: this.SUBRULE(this.fact) });
  });

  private readonly startStatement: ParserMethod<[], StatementBody> = this.define("startStatement", () => {
    const clauses: Clauses = {};
    this.CONSUME(K.start);
    const alias = this.OPTION(() => {
      this.CONSUME(K.as);
      return this.CONSUME(t.Name).image;
    });
    const fields = this.SUBRULE(this.literalRecord);
    const key = this.OPTION1(() => {
      this.CONSUME(K.key);
      return this.textOf(this.CONSUME(t.StringLiteral));
    });
    this.SUBRULE(this.clauses, { ARGS: [clauses] });
    const { setting: _, ...rest } = clauses;
    return { kind: "start", ...(alias && { alias }), fields, ...(key !== undefined && { key }), ...rest };
  });

  private readonly sendStatement: ParserMethod<[], StatementBody> = this.define("sendStatement", () => {
    const clauses: Clauses = {};
    this.CONSUME(K.send);
    const event = this.textOf(this.CONSUME(t.StringLiteral));
    const payload = this.OPTION(() => this.SUBRULE(this.literalRecord)) ?? [];
    const by = this.OPTION1(() => {
      this.CONSUME(K.by);
      return this.textOf(this.CONSUME1(t.StringLiteral));
    });
    this.SUBRULE(this.clauses, { ARGS: [clauses] });
    const { setting: _, ...rest } = clauses;
    return { kind: "send", event, payload, ...(by !== undefined && { by }), ...rest };
  });

  private readonly personStatement: ParserMethod<[], Body | undefined> = this.define("personStatement", () => {
    const person = this.CONSUME(t.StringLiteral);
    const clauses: Clauses = {};
    const statement = this.SUBRULE(this.verb, { ARGS: [this.textOf(person)] });
    if (!statement) {
      if (!this.RECORDING_PHASE) this.skipItem(person);
      return undefined;
    }
    this.SUBRULE(this.clauses, { ARGS: [clauses] });
    const { setting, ...rest } = clauses;
    if (statement.kind === "decide" && setting) return complete({ ...statement, setting, ...rest });
    return complete({ ...statement, ...rest });
  });

  private readonly verb: ParserMethod<[string], StatementBody | undefined> = this.define("verb", (user) =>
    this.choice<StatementBody | undefined>([
      { ALT: () => ({ kind: "decide", user, decision: this.CONSUME(K.approves) && "approve" }) },
      { ALT: () => ({ kind: "decide", user, decision: this.CONSUME(K.rejects) && "reject" }) },
      { ALT: () => ({ kind: "decide", user, decision: this.CONSUME(K.abstains) && "abstain" }) },
      { ALT: () => ({ kind: "decide", user, decision: this.CONSUME(K.withdraws) && "withdraw" }) },
      {
        ALT: () => {
          this.CONSUME(K.returns);
          this.CONSUME(K.to);
          return { kind: "return", user, to: this.SUBRULE(this.returnTarget) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.transfers);
          this.CONSUME1(K.to);
          return { kind: "transfer", user, to: this.textOf(this.CONSUME(t.StringLiteral)) };
        },
      },
      { ALT: () => this.leaveOutVerb(this.SUBRULE(this.otherVerb)) },
    ]),
  );

  private readonly otherVerb: ParserMethod<[], IToken> = this.define("otherVerb", () =>
    this.OR([
      { ALT: () => this.CONSUME(K.claims) },
      { ALT: () => this.CONSUME(K.releases) },
      { ALT: () => this.CONSUME(K.takes) },
      { ALT: () => this.CONSUME(K.handles) },
      { ALT: () => this.CONSUME(K.delegates) },
      { ALT: () => this.CONSUME(K.adds) },
      { ALT: () => this.CONSUME(K.removes) },
      { ALT: () => this.CONSUME(K.urges) },
      { ALT: () => this.CONSUME(K.comments) },
      { ALT: () => this.CONSUME(K.asks) },
    ]),
  );

  private leaveOutVerb(token: IToken): undefined {
    if (!this.RECORDING_PHASE) this.leaveOut(`\`${token.image}\``, spanOf(token));
  }

  private readonly returnTarget: ParserMethod<[], Extract<StatementBody, { kind: "return" }>["to"]> = this.define(
    "returnTarget",
    () =>
      this.choice<Extract<StatementBody, { kind: "return" }>["to"]>([
        {
          GATE: () => this.LA(2).tokenType === t.NumberLiteral,
          ALT: () => {
            this.CONSUME(K.stage);
            return { kind: "stage", stage: Number(plainNumber(this.CONSUME(t.NumberLiteral).image)) };
          },
          IGNORE_AMBIGUITIES: true,
        },
        { ALT: () => ({ kind: this.CONSUME(K.initiator) && "initiator" }), IGNORE_AMBIGUITIES: true },
        { ALT: () => ({ kind: "state", state: this.CONSUME(t.Name).image }) },
      ]),
  );

  /** `because "…"`, `setting { … }`, `with id "…"`, in any order. */
  private readonly clauses: ParserMethod<[Clauses], void> = this.define("clauses", (found = {}) => {
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(K.because);
            found.because = this.textOf(this.CONSUME(t.StringLiteral));
          },
        },
        {
          ALT: () => {
            this.CONSUME(K.with);
            this.CONSUME(K.id);
            found.id = this.textOf(this.CONSUME1(t.StringLiteral));
          },
        },
        {
          ALT: () => {
            this.CONSUME(K.setting);
            found.setting = this.SUBRULE(this.literalRecord);
          },
        },
        { ALT: () => this.leaveOutClause(this.CONSUME(K.on), "`on behalf of`") },
        { ALT: () => this.leaveOutClause(this.CONSUME(K.in), "`in` a branch") },
        { ALT: () => this.leaveOutClause(this.CONSUME(K.signing), "`signing`") },
      ]),
    );
  });

  private readonly advanceStatement: ParserMethod<[], Body | undefined> = this.define("advanceStatement", () => {
    this.CONSUME(K.advance);
    return this.choice<Body>([
      {
        ALT: () => {
          this.CONSUME(K.to);
          const at = this.OR1([{ ALT: () => this.CONSUME(t.DateTime) }, { ALT: () => this.CONSUME(t.DateOnly) }]);
          return complete({ kind: "advance-to", to: this.realDate(at) });
        },
      },
      { ALT: () => complete({ kind: "advance", ms: this.SUBRULE(this.milliseconds) }) },
    ]);
  });
}

function newParts(): TestParts {
  return { statements: [] };
}

function complete(statement: StatementBody): Body {
  return { kind: "complete", statement };
}
