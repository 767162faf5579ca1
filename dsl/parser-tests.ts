import type { IToken, ParserMethod } from "chevrotain";
import type { Name, TestAst, TestStatementAst } from "./ast.ts";
import { ExpectationGrammar } from "./parser-expectations.ts";
import type { Items } from "./parser-items.ts";
import type { AdminOperation, Fact, LiteralRecord, StatementBody } from "./test-block.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

type Body = TestStatementAst["body"];
type Return = Extract<StatementBody, { kind: "return" }>;
type Decision = Extract<StatementBody, { kind: "decide" }>["decision"];

/** What may stand behind a statement. */
interface Clauses {
  id?: string;
  because?: string;
  in?: string;
  onBehalfOf?: string;
  setting?: LiteralRecord;
  signing?: true;
}
/**
 * Which clauses: of every command, of those about a task, of those that may be signed, of decisions. Each has those of the one
 * before.
 */
type ClauseLevel = "command" | "task" | "signed" | "decision";
interface TestParts {
  startsAt?: string;
  readonly statements: TestStatementAst[];
}

/** Returning is a decision, and so is adding after oneself. Nothing is known while the grammar is recorded. */
function isSigned(statement: StatementBody | undefined): boolean {
  return statement?.kind === "return" || (statement?.kind === "add" && statement.where === "after");
}

const statementItems: Items = {
  expected: 'a statement such as `send "submit"` or `expect APPROVED`',
  heads: [K.at, K.on, K.as, K.given, K.start, K.send, K.advance, K.expect, K.admin, K.migrate],
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
    this.choiceWith("testItem", parts, (given) => [
      { ALT: () => this.SUBRULE(this.startsAt, { ARGS: [given()] }) },
      { ALT: () => this.collect(given().statements, () => this.SUBRULE(this.onStatement))() },
      { ALT: () => this.collect(given().statements, () => this.SUBRULE(this.plainStatement))() },
    ]);
  });

  /** `at 2026-10-09T17:30`, as the first line. */
  private readonly startsAt: ParserMethod<[TestParts], void> = this.define("startsAt", (parts = newParts()) => {
    const word = this.CONSUME(K.at);
    const at = this.CONSUME(t.DateTime);
    this.ACTION(() => {
      if (!this.atItemEnd()) return;
      if (parts.statements.length > 0 || parts.startsAt) {
        this.report.error("FLOW014", "`at` stands once, as the first line of the test.", spanOf(word));
      } else parts.startsAt = this.realDate(at);
    });
  });

  private readonly onStatement: ParserMethod<[], TestStatementAst> = this.define("onStatement", () => {
    const start = this.here();
    this.CONSUME(K.on);
    const on = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Colon);
    const body = this.SUBRULE(this.statement);
    return this.statementOf(start, body, on);
  });

  private readonly plainStatement: ParserMethod<[], TestStatementAst> = this.define("plainStatement", () => {
    const start = this.here();
    return this.statementOf(start, this.SUBRULE(this.statement));
  });

  private statementOf(start: number, body: Body, on?: Name): TestStatementAst {
    const span = this.from(start);
    return withPresent({ text: this.text.slice(span.start, span.end), body, span }, { on });
  }

  private readonly statement: ParserMethod<[], Body> = this.define("statement", () =>
    this.fixedChoice<Body>("statement", () => [
      { ALT: () => complete(this.SUBRULE(this.asStatement)) },
      { ALT: () => complete(this.SUBRULE(this.givenStatement)) },
      { ALT: () => complete(this.SUBRULE(this.startStatement)) },
      { ALT: () => complete(this.SUBRULE(this.sendStatement)) },
      { ALT: () => complete(this.SUBRULE(this.personStatement)) },
      { ALT: () => complete(this.SUBRULE(this.adminStatement)) },
      { ALT: () => complete(this.SUBRULE(this.migrateStatement)) },
      { ALT: () => complete(this.SUBRULE(this.advanceStatement)) },
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

  private readonly givenStatement: ParserMethod<[], StatementBody> = this.define("givenStatement", () => {
    this.CONSUME(K.given);
    return { kind: "given", fact: this.SUBRULE(this.fact) };
  });

  private readonly startStatement: ParserMethod<[], StatementBody> = this.define("startStatement", () => {
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
    const clauses = this.SUBRULE(this.clauses, { ARGS: ["command"] });
    return withPresent(withPresent({ kind: "start", fields }, { alias, key }), clauses);
  });

  private readonly sendStatement: ParserMethod<[], StatementBody> = this.define("sendStatement", () => {
    this.CONSUME(K.send);
    const event = this.textOf(this.CONSUME(t.StringLiteral));
    const payload = this.OPTION(() => this.SUBRULE(this.literalRecord)) ?? [];
    const by = this.OPTION1(() => {
      this.CONSUME(K.by);
      return this.textOf(this.CONSUME1(t.StringLiteral));
    });
    const clauses = this.SUBRULE(this.clauses, { ARGS: ["command"] });
    return withPresent(withPresent({ kind: "send", event, payload }, { by }), clauses);
  });

  /** `"u" VERB CLAUSES`. */
  private readonly personStatement: ParserMethod<[], StatementBody> = this.define("personStatement", () => {
    const user = this.textOf(this.CONSUME(t.StringLiteral));
    return this.choice<StatementBody>([
      { ALT: () => this.SUBRULE(this.decides, { ARGS: [user] }) },
      {
        ALT: () => {
          const statement = this.SUBRULE(this.acts, { ARGS: [user] });
          const level = isSigned(statement) ? "signed" : "task";
          return withPresent({ ...statement }, this.SUBRULE(this.clauses, { ARGS: [level] }));
        },
      },
    ]);
  });

  private readonly decides: ParserMethod<[string], StatementBody> = this.define("decides", (user) => {
    const decision = this.SUBRULE(this.decision);
    const { signing, ...clauses } = this.SUBRULE(this.clauses, { ARGS: ["decision"] });
    return withPresent({ kind: "decide", user, decision, signing: signing === true }, clauses);
  });

  private readonly decision: ParserMethod<[], Decision> = this.define("decision", () =>
    this.fixedChoice<Decision>("decision", () => [
      { ALT: () => this.CONSUME(K.approves) && "approve" },
      { ALT: () => this.CONSUME(K.rejects) && "reject" },
      { ALT: () => this.CONSUME(K.abstains) && "abstain" },
      { ALT: () => this.CONSUME(K.claims) && "claim" },
      { ALT: () => this.CONSUME(K.releases) && "release" },
      { ALT: () => this.CONSUME(K.withdraws) && "withdraw" },
      { ALT: () => this.CONSUME(K.handles) && "handle" },
      {
        ALT: () => {
          this.CONSUME(K.takes);
          return this.CONSUME(K.back) && "takeBack";
        },
      },
    ]),
  );

  private readonly acts: ParserMethod<[string], StatementBody> = this.define("acts", (user) =>
    this.choice<StatementBody>([
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
      {
        ALT: () => {
          this.CONSUME(K.delegates);
          this.CONSUME2(K.to);
          return { kind: "delegate", user, to: this.textOf(this.CONSUME1(t.StringLiteral)) };
        },
      },
      { ALT: () => this.SUBRULE(this.adds, { ARGS: [user] }) },
      {
        ALT: () => {
          this.CONSUME(K.removes);
          return { kind: "remove", user, person: this.textOf(this.CONSUME2(t.StringLiteral)) };
        },
      },
      { ALT: () => ({ kind: this.CONSUME(K.urges) && "urge", user }) },
      {
        ALT: () => {
          this.CONSUME(K.comments);
          return { kind: "comment", user, message: this.textOf(this.CONSUME3(t.StringLiteral)) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.asks);
          const to = this.textOf(this.CONSUME4(t.StringLiteral));
          return { kind: "ask", user, to, message: this.textOf(this.CONSUME5(t.StringLiteral)) };
        },
      },
    ]),
  );

  /** `adds before "v", "w" all advisory`. */
  private readonly adds: ParserMethod<[string], StatementBody> = this.define("adds", (user) => {
    this.CONSUME(K.adds);
    const where = this.choice<"before" | "after" | "beside">([
      { ALT: () => this.CONSUME(K.before) && "before" },
      { ALT: () => this.CONSUME(K.after) && "after" },
      { ALT: () => this.CONSUME(K.beside) && "beside" },
    ]);
    const people = this.SUBRULE(this.texts);
    const all = this.OPTION(() => this.CONSUME(K.all)) !== undefined;
    const advisory = this.OPTION1(() => this.CONSUME(K.advisory)) !== undefined;
    return { kind: "add", user, where, people, all, advisory };
  });

  private readonly returnTarget: ParserMethod<[], Return["to"]> = this.define("returnTarget", () =>
    this.fixedChoice<Return["to"]>("returnTarget", () => [
      {
        GATE: () => this.LA(2).tokenType === t.NumberLiteral,
        ALT: () => {
          this.CONSUME(K.stage);
          return { kind: "stage", stage: this.count(this.CONSUME(t.NumberLiteral)) };
        },
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => ({ kind: this.CONSUME(K.initiator) && "initiator" }), IGNORE_AMBIGUITIES: true },
      { ALT: () => ({ kind: "state", state: this.CONSUME(t.Name).image }) },
    ]),
  );

  // -------------------------------------------------------------------------------------------------------------- //
  // Administrators, and moving to another version
  // -------------------------------------------------------------------------------------------------------------- //

  private readonly adminStatement: ParserMethod<[], StatementBody> = this.define("adminStatement", () => {
    this.CONSUME(K.admin);
    const operation = this.SUBRULE(this.adminOperation);
    return { kind: "admin", operation, ...this.SUBRULE(this.clauses, { ARGS: ["task"] }) };
  });

  private readonly adminOperation: ParserMethod<[], AdminOperation> = this.define("adminOperation", () =>
    this.fixedChoice<AdminOperation>("adminOperation", () => [
      { ALT: () => ({ kind: this.CONSUME(K.suspends) && "suspend" }) },
      { ALT: () => ({ kind: this.CONSUME(K.resumes) && "resume" }) },
      { ALT: () => ({ kind: this.CONSUME(K.voids) && "void" }) },
      { ALT: () => this.SUBRULE(this.jumps) },
      { ALT: () => this.SUBRULE(this.overrides) },
      {
        ALT: () => {
          this.CONSUME(K.removes);
          return { kind: "remove", person: this.textOf(this.CONSUME(t.StringLiteral)) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.sets);
          this.CONSUME(K.saga);
          const step = this.CONSUME(t.Name).image;
          return { kind: "set-saga", step, arguments: this.SUBRULE(this.literalRecord) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.hands);
          this.CONSUME(K.over);
          const from = this.textOf(this.CONSUME1(t.StringLiteral));
          this.CONSUME(K.to);
          return { kind: "hand-over", from, to: this.textOf(this.CONSUME2(t.StringLiteral)) };
        },
      },
    ]),
  );

  /** `jumps to STATE`, `jumps to BRANCH.STATE`. */
  private readonly jumps: ParserMethod<[], AdminOperation> = this.define("jumps", () => {
    this.CONSUME(K.jumps);
    this.CONSUME(K.to);
    const first = this.CONSUME(t.Name).image;
    const second = this.OPTION(() => {
      this.CONSUME(t.Dot);
      return this.CONSUME1(t.Name).image;
    });
    return second === undefined ? { kind: "jump", state: first } : { kind: "jump", branch: first, state: second };
  });

  /** `overrides approve`; `in BRANCH` is a clause. */
  private readonly overrides: ParserMethod<[], AdminOperation> = this.define("overrides", () => {
    this.CONSUME(K.overrides);
    const decision = this.choice<"approve" | "reject">([
      { ALT: () => this.CONSUME(K.approve) && "approve" },
      { ALT: () => this.CONSUME(K.reject) && "reject" },
    ]);
    return { kind: "override", decision };
  });

  /** `migrate to label "3.0"`. */
  private readonly migrateStatement: ParserMethod<[], StatementBody> = this.define("migrateStatement", () => {
    this.CONSUME(K.migrate);
    this.CONSUME(K.to);
    this.CONSUME(K.label);
    const label = this.textOf(this.CONSUME(t.StringLiteral));
    return { kind: "migrate", label, ...this.SUBRULE(this.clauses, { ARGS: ["command"] }) };
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Clauses and time
  // -------------------------------------------------------------------------------------------------------------- //

  /** `because "…"`, `with id "…"`, `in BRANCH`, `on behalf of "v"`, `setting { … }`, `signing`, in any order. */
  private readonly clauses: ParserMethod<[ClauseLevel], Clauses> = this.define("clauses", (level) => {
    const found: Clauses = {};
    this.MANY(() => this.SUBRULE(this.clause, { ARGS: [level, found] }));
    // Behind a `}` an item may begin without a newline, but no statement begins with such a word.
    this.ACTION(() => this.LA(1).tokenType === t.Identifier && this.CONSUME(t.Separator));
    return found;
  });

  private readonly clause: ParserMethod<[ClauseLevel, Clauses], void> = this.define("clause", (level, found = {}) => {
    const word = this.LA(1);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(K.because);
          this.put(found, "because", this.textOf(this.CONSUME(t.StringLiteral)), word);
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.with);
          this.CONSUME(K.id);
          this.put(found, "id", this.textOf(this.CONSUME1(t.StringLiteral)), word);
        },
      },
      {
        GATE: () => level !== "command",
        ALT: () => this.put(found, "in", this.SUBRULE(this.inBranch), word),
      },
      {
        GATE: () => level !== "command",
        ALT: () => {
          this.CONSUME(K.on);
          this.CONSUME(K.behalf);
          this.CONSUME(K.of);
          this.put(found, "onBehalfOf", this.textOf(this.CONSUME2(t.StringLiteral)), word);
        },
      },
      {
        GATE: () => level === "decision",
        ALT: () => {
          this.CONSUME(K.setting);
          this.put(found, "setting", this.SUBRULE(this.literalRecord), word);
        },
      },
      {
        GATE: () => level === "signed" || level === "decision",
        ALT: () => this.put(found, "signing", this.CONSUME(K.signing) && true, word),
      },
    ]);
  });

  private put<Key extends keyof Clauses>(found: Clauses, key: Key, value: Clauses[Key], word: IToken): void {
    if (this.RECORDING_PHASE) return;
    if (key in found) this.report.error("FLOW014", `\`${word.image}\` stands here a second time.`, spanOf(word));
    else found[key] = value;
  }

  private readonly advanceStatement: ParserMethod<[], StatementBody> = this.define("advanceStatement", () => {
    this.CONSUME(K.advance);
    return this.choice<StatementBody>([
      {
        ALT: () => {
          this.CONSUME(K.to);
          const at = this.OR1([{ ALT: () => this.CONSUME(t.DateTime) }, { ALT: () => this.CONSUME(t.DateOnly) }]);
          return this.ACTION(() => ({ kind: "advance-to", to: this.realDate(at) }));
        },
      },
      { ALT: () => ({ kind: "advance", term: this.SUBRULE(this.term) }) },
    ]);
  });
}

function newParts(): TestParts {
  return { statements: [] };
}

function complete(statement: StatementBody): Body {
  return { kind: "complete", statement };
}
