import type { IToken, ParserMethod } from "chevrotain";
import type { DurationAst } from "./ast.ts";
import type { Term } from "./definition.ts";
import { plainNumber } from "./parser-expressions.ts";
import { FlowGrammar } from "./parser-flow.ts";
import type { Items } from "./parser-items.ts";
import type { Fact, Literal, LiteralRecord } from "./test-block.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

type Field = LiteralRecord[number];
type Answered = { readonly ok: boolean; readonly reason?: string } | { readonly value: Literal };

const literalFields: Items = { expected: "a field such as `amount: 5_000`", heads: [] };
const peopleFunctions = new Set("managerOf managersOf group role users headOf dept position".split(" "));
const msPer = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** What the statements of a `test` say with literals: values, records, and facts about the simulated world. */
export abstract class LiteralGrammar extends FlowGrammar {
  protected readonly literalArguments: ParserMethod<[], Literal[]> = this.define("literalArguments", () => {
    const found: Literal[] = [];
    this.CONSUME(t.LParen);
    this.MANY(() => {
      found.push(this.SUBRULE(this.literal));
      this.comma(t.RParen);
    });
    this.CONSUME(t.RParen);
    return found;
  });

  protected readonly literalRecord: ParserMethod<[], Field[]> = this.define("literalRecord", () => {
    const found: Field[] = [];
    this.commaBlock(literalFields, found, () => {
      const name = this.CONSUME(t.Name).image;
      this.CONSUME(t.Colon);
      return { name, value: this.SUBRULE(this.literal) };
    });
    return found;
  });

  protected readonly literal: ParserMethod<[], Literal> = this.define("literal", () =>
    this.fixedChoice<Literal>("literal", () => [
      { ALT: () => ({ kind: "bool", value: this.CONSUME(K.true) !== undefined }), IGNORE_AMBIGUITIES: true },
      { ALT: () => ({ kind: "bool", value: this.CONSUME(K.false) === undefined }), IGNORE_AMBIGUITIES: true },
      { ALT: () => ({ kind: "name", name: this.CONSUME(t.Name).image }) },
      {
        ALT: () => {
          this.CONSUME(t.Minus);
          return { kind: "number", text: `-${plainNumber(this.CONSUME(t.NumberLiteral).image)}` };
        },
      },
      { ALT: () => ({ kind: "number", text: plainNumber(this.CONSUME1(t.NumberLiteral).image) }) },
      {
        ALT: () => ({
          kind: "number",
          text: plainNumber(this.CONSUME(t.Percent).image.slice(0, -1)),
          percent: true,
        }),
      },
      { ALT: () => ({ kind: "text", value: this.textOf(this.CONSUME(t.StringLiteral)) }) },
      { ALT: () => ({ kind: "date", text: this.realDate(this.CONSUME(t.DateOnly)) }) },
      { ALT: () => ({ kind: "datetime", text: this.realDate(this.CONSUME(t.DateTime)) }) },
      { ALT: () => ({ kind: "time", text: this.realDate(this.CONSUME(t.Time)) }) },
      { ALT: () => ({ kind: "duration", ms: this.literalDuration(this.CONSUME(t.Duration)) }) },
      { ALT: () => this.SUBRULE(this.literalList) },
      { ALT: () => ({ kind: "record", fields: this.SUBRULE(this.literalRecord) }) },
    ]),
  );

  private literalDuration(token: IToken): number {
    const unit = /[a-z]+$/.exec(token.image)?.[0] as keyof typeof msPer;
    return Math.round(Number.parseFloat(plainNumber(token.image)) * msPer[unit]);
  }

  private readonly literalList: ParserMethod<[], Literal> = this.define("literalList", () => {
    const items: Literal[] = [];
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      items.push(this.SUBRULE(this.literal));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return { kind: "list", items };
  });

  protected readonly strings: ParserMethod<[], string[]> = this.define("strings", () => {
    const found: string[] = [];
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      found.push(this.textOf(this.CONSUME(t.StringLiteral)));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return found;
  });

  /** What `given` and `with` say of the simulated world. */
  protected readonly fact: ParserMethod<[], Fact> = this.define("fact", () =>
    this.fixedChoice<Fact>("fact", () => [
      {
        GATE: () => this.LA(2).tokenType === t.StringLiteral,
        ALT: () => this.SUBRULE(this.away),
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType === t.StringLiteral,
        ALT: () => this.SUBRULE(this.left),
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType === t.StringLiteral || this.LA(2).tokenType === t.LSquare,
        ALT: () => this.SUBRULE(this.knownUsers),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE(this.answerFact) },
    ]),
  );

  /** `away "bob" from 2026-01-05 to 2026-01-09 deputy "dan"`. */
  private readonly away: ParserMethod<[], Fact> = this.define("away", () => {
    this.CONSUME(K.away);
    const user = this.textOf(this.CONSUME(t.StringLiteral));
    this.CONSUME(K.from);
    const from = this.date(this.CONSUME(t.DateOnly));
    this.CONSUME(K.to);
    const to = this.date(this.CONSUME1(t.DateOnly));
    const deputy = this.OPTION(() => {
      this.CONSUME(K.deputy);
      return this.textOf(this.CONSUME1(t.StringLiteral));
    });
    return { kind: "away", user, from, to, ...(deputy !== undefined && { deputy }) };
  });

  private date(token: IToken): string {
    return this.ACTION(() => this.realDate(token));
  }

  /** `left "eve" handover "finn"`. */
  private readonly left: ParserMethod<[], Fact> = this.define("left", () => {
    this.CONSUME(K.left);
    const user = this.textOf(this.CONSUME(t.StringLiteral));
    const successor = this.OPTION(() => {
      this.CONSUME(K.handover);
      return this.textOf(this.CONSUME1(t.StringLiteral));
    });
    return { kind: "left", user, ...(successor !== undefined && { successor }) };
  });

  /** `users "a", "b"`, `users ["a", "b"]`. */
  private readonly knownUsers: ParserMethod<[], Fact> = this.define("knownUsers", () => {
    this.CONSUME(K.users);
    return this.choice<Fact>([
      { ALT: () => ({ kind: "users", people: this.SUBRULE(this.strings) }) },
      { ALT: () => ({ kind: "users", people: this.SUBRULE(this.texts) }) },
    ]);
  });

  /** `"a", "b"`; a comma before something else belongs to what is around. */
  protected readonly texts: ParserMethod<[], string[]> = this.define("texts", () => {
    const found = [this.textOf(this.CONSUME(t.StringLiteral))];
    this.MANY({
      GATE: () => this.LA(2).tokenType === t.StringLiteral,
      DEF: () => {
        this.CONSUME(t.Comma);
        found.push(this.textOf(this.CONSUME1(t.StringLiteral)));
      },
    });
    return found;
  });

  /** `NAME(..) = ANSWER`, `NAME fails [N times]`, `NAME takes D`; a service may stand in quotes. */
  private readonly answerFact: ParserMethod<[], Fact> = this.define("answerFact", () => {
    const name = this.SUBRULE(this.word)?.text;
    const values = this.OPTION(() => this.SUBRULE(this.literalArguments));
    return this.choice<Fact>([
      {
        ALT: () => {
          this.CONSUME(t.Equal);
          const answer = this.SUBRULE(this.answer);
          return this.ACTION(() => factOf(name, values, answer));
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.fails);
          const times = this.OPTION1(() => this.SUBRULE(this.times));
          return { kind: "fails", name, ...(times !== undefined && { times }) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.takes);
          return { kind: "takes", name, ms: this.SUBRULE(this.milliseconds) };
        },
      },
    ]);
  });

  private readonly answer: ParserMethod<[], Answered> = this.define("answer", () =>
    this.fixedChoice<Answered>("answer", () => [
      { ALT: () => ({ ok: this.CONSUME(K.yes) !== undefined }), IGNORE_AMBIGUITIES: true },
      {
        ALT: () => {
          this.CONSUME(K.no);
          const reason = this.OPTION(() => this.textOf(this.CONSUME(t.StringLiteral)));
          return { ok: false, ...(reason !== undefined && { reason }) };
        },
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => ({ value: this.SUBRULE(this.literal) }) },
    ]),
  );

  protected readonly times: ParserMethod<[], number> = this.define("times", () => {
    const times = Number(plainNumber(this.CONSUME(t.NumberLiteral).image));
    this.CONSUME(K.times);
    return times;
  });

  /** A natural duration. */
  private readonly milliseconds: ParserMethod<[], number> = this.define("milliseconds", () => {
    const duration = this.SUBRULE(this.duration);
    return this.ACTION(() => {
      const term = termOf(duration);
      if (term.kind === "natural") return term.ms;
      this.report.error("FLOW010", `Expected a natural duration such as \`30s\`, found working time.`, duration.span);
      return this.abandon();
    });
  });

  protected readonly term: ParserMethod<[], Term> = this.define("term", () => {
    const duration = this.SUBRULE(this.duration);
    return this.ACTION(() => termOf(duration));
  });
}

function termOf({ amount, unit }: DurationAst): Term {
  switch (unit) {
    case "workdays":
      return { kind: "workdays", days: Number(amount) };
    case "workhours":
      return { kind: "workhours", ms: Math.round(Number(amount) * msPer.h) };
    default:
      return { kind: "natural", ms: Math.round(Number(amount) * msPer[unit]) };
  }
}

/** People where a function of people is given users, else an answer. */
function factOf(name: string, values: readonly Literal[] | undefined, answer: Answered): Fact {
  const [argument, more] = values ?? [];
  const people = "value" in answer ? usersOf(answer.value) : undefined;
  if (people && argument?.kind === "text" && !more && peopleFunctions.has(name)) {
    return { kind: "people", name, argument: argument.value, people };
  }
  return withPresent({ kind: "answer", name, answer }, { arguments: values });
}

function usersOf(value: Literal): string[] | undefined {
  if (value.kind === "text") return [value.value];
  if (value.kind !== "list" || !value.items.every((item) => item.kind === "text")) return undefined;
  return value.items.map((item) => item.value);
}
