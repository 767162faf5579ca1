import { type IToken, type ParserMethod, type TokenType, tokenMatcher } from "chevrotain";
import type { BinaryOperatorAst, DurationAst, ExpressionAst, Name, PeopleArgumentAst } from "./ast.ts";
import type { Span } from "./diagnostic.ts";
import { OperatorStack } from "./operator-stack.ts";
import { ItemParser, type Items } from "./parser-items.ts";
import { wordOf } from "./repairs.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";

const { K } = t;

const endsValue = new Set<TokenType>([t.Comma, t.RParen, t.RSquare, t.RCurly, t.NewLine, t.Semicolon]);

type FieldValue = { readonly name: Name; readonly value: ExpressionAst };

const recordFields: Items = { expected: "a field such as `name: value`", heads: [] };

/** Expressions and durations. */
export abstract class ExpressionGrammar extends ItemParser {
  /**
   * Section 7 of the language. Precedence is the {@link OperatorStack}'s business. One rule for what textbooks give
   * one rule per precedence: deep nesting must fit on the stack.
   */
  protected readonly expression: ParserMethod<[], ExpressionAst> = this.define("expression", () => {
    if (!this.RECORDING_PHASE && this.atLoneValue()) return this.SUBRULE(this.primary);
    const stack = new OperatorStack((sign, { span: { start, end } }) => {
      const fix = [{ span: { start: sign.start, end: sign.start }, text: `and ${this.text.slice(start, end)} ` }];
      this.report.error("FLOW015", "Comparisons do not chain; write `a < b and b < c`.", sign, { fix });
    });
    let operator: IToken | undefined;
    this.descend();
    this.AT_LEAST_ONE_SEP({
      SEP: t.BinaryOperator,
      DEF: () => {
        if (operator) this.operator(stack, this.LA(0));
        operator = this.LA(0);
        this.OR([
          {
            GATE: () => operator?.tokenType === K.in && this.atInterval(),
            ALT: () => this.operand(stack, this.SUBRULE(this.interval)),
            IGNORE_AMBIGUITIES: true,
          },
          {
            ALT: () => {
              this.MANY(() => this.prefix(stack, this.CONSUME(t.PrefixOperator)));
              const start = this.here();
              let value: ExpressionAst = this.SUBRULE(this.primary);
              this.MANY1(() => {
                this.CONSUME(t.Dot);
                const name = this.name(this.CONSUME(t.Name));
                value = { kind: "member", of: value, name, span: this.from(start) };
              });
              this.operand(stack, value);
            },
          },
        ]);
        this.OPTION(() => {
          const is = this.CONSUME(K.is);
          const set = this.CONSUME(K.set);
          this.ACTION(() => stack.isSet({ start: spanOf(is).start, end: spanOf(set).end }));
        });
      },
    });
    this.depth--;
    return this.ACTION(() => stack.finish());
  });

  /** A name or literal and nothing more, as most arguments are: then the operators need not be asked. */
  private atLoneValue(): boolean {
    const next = this.LA(1);
    const isValue =
      next.tokenType === t.StringLiteral ||
      next.tokenType === t.NumberLiteral ||
      (tokenMatcher(next, t.Name) && !tokenMatcher(next, t.PrefixOperator));
    return isValue && endsValue.has(this.LA(2).tokenType);
  }

  private operator(stack: OperatorStack, token: IToken): void {
    this.ACTION(() => stack.binary(this.operatorText(token), spanOf(token)));
  }

  private prefix(stack: OperatorStack, token: IToken): void {
    this.ACTION(() => stack.prefix(token.tokenType === t.Minus ? "negate" : "not", spanOf(token)));
  }

  private operand(stack: OperatorStack, value: ExpressionAst): void {
    this.ACTION(() => stack.operand(value));
  }

  /** A single `=` is what other languages write. */
  private operatorText(operator: IToken): BinaryOperatorAst {
    const type = operator.tokenType;
    if (type === t.Equal) {
      const span = spanOf(operator);
      const fix = [{ span, text: "==" }];
      if (operator.image === "=") {
        this.report.error("FLOW004", "Write `==` to compare; `=` gives a name its value.", span, { fix });
      } else this.report.restate(span, `Write \`==\` for \`${operator.image}\`.`, fix);
      return "==";
    }
    return wordOf(type) as BinaryOperatorAst;
  }

  private readonly primary: ParserMethod<[], ExpressionAst> = this.define("primary", () =>
    this.fixedChoice("primary", () => [
      { ALT: () => this.constant(this.CONSUME(K.true)), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.constant(this.CONSUME(K.false)), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.condition), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.quantifier), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.nameOrCall) },
      { ALT: () => this.SUBRULE(this.numberOrDuration) },
      { ALT: () => this.written(this.CONSUME(t.Percent)) },
      { ALT: () => this.written(this.CONSUME(t.StringLiteral)) },
      { ALT: () => this.written(this.CONSUME(t.DateOnly)) },
      { ALT: () => this.written(this.CONSUME(t.DateTime)) },
      { ALT: () => this.written(this.CONSUME(t.Time)) },
      { ALT: () => this.written(this.CONSUME(t.Duration)) },
      { ALT: () => this.SUBRULE(this.parenthesised) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.SUBRULE(this.record) },
    ]),
  );

  private constant(token: IToken): ExpressionAst {
    return { kind: "bool", value: token.tokenType === K.true, span: spanOf(token) };
  }

  private written(token: IToken): ExpressionAst {
    const span = spanOf(token);
    switch (token.tokenType) {
      case t.Percent:
        return { kind: "percent", text: plainNumber(token.image.slice(0, -1)), span };
      case t.StringLiteral:
        return { kind: "text", value: this.textOf(token), span };
      case t.DateOnly:
        return { kind: "date", text: this.realDate(token), span };
      case t.DateTime:
        return { kind: "datetime", text: this.realDate(token), span };
      case t.Time:
        return { kind: "time", text: this.realDate(token), span };
      default:
        return { kind: "duration", duration: readDuration(token), span };
    }
  }

  /** The text of a date, datetime or time, reported if the calendar or the clock has none such. */
  protected realDate(token: IToken): string {
    const [, year, month, day, hour, minute, second] = /^(?:(\d{4})-(\d\d)-(\d\d))?T?(?:(\d\d):(\d\d)(?::(\d\d))?)?/
      .exec(token.image)!
      .map(Number);
    const date = new Date(Date.UTC(2000, month! - 1, day!));
    date.setUTCFullYear(year!, month! - 1, day!);
    const dateFits = Number.isNaN(year!) || (date.getUTCMonth() === month! - 1 && date.getUTCDate() === day!);
    const timeFits = Number.isNaN(hour!) || (hour! < 24 && minute! < 60 && !(second! > 59));
    if (!dateFits || !(timeFits || token.image === "24:00")) {
      this.report.error("FLOW017", `\`${token.image}\` does not exist.`, spanOf(token));
    }
    return token.image;
  }

  private readonly numberOrDuration: ParserMethod<[], ExpressionAst> = this.define("numberOrDuration", () => {
    const number = this.CONSUME(t.NumberLiteral);
    const unit = this.OPTION(() => this.CONSUME(t.WorkUnit));
    const text = plainNumber(number.image);
    if (!unit) return { kind: "number", text, span: spanOf(number) };
    const duration = this.workDuration(number, unit);
    return { kind: "duration", duration, span: duration.span };
  });

  private workDuration(number: IToken, unit: IToken): DurationAst {
    const span = this.from(number.startOffset);
    return { amount: plainNumber(number.image), unit: this.keyword(unit).text as DurationAst["unit"], span };
  }

  protected readonly duration: ParserMethod<[], DurationAst> = this.define("duration", () =>
    this.fixedChoice<DurationAst>("duration", () => [
      { ALT: () => readDuration(this.CONSUME(t.Duration)) },
      {
        ALT: () => {
          const number = this.CONSUME(t.NumberLiteral);
          return this.workDuration(number, this.CONSUME(t.WorkUnit, { ERR_MSG: "Expected a duration such as `48h`." }));
        },
      },
    ]),
  );

  private readonly condition: ParserMethod<[], ExpressionAst> = this.define("condition", () => {
    const start = this.here();
    this.CONSUME(K.if);
    const condition = this.SUBRULE(this.expression);
    this.CONSUME(K.then);
    const then = this.SUBRULE1(this.expression);
    this.CONSUME(K.else);
    const otherwise = this.SUBRULE2(this.expression);
    return { kind: "if", condition, then, else: otherwise, span: this.from(start) };
  });

  /** `any items where price > 100`; `any` and `all` are names too. */
  private readonly quantifier: ParserMethod<[], ExpressionAst> = this.define("quantifier", () => {
    const word = this.CONSUME(t.Quantifier);
    return this.choice<ExpressionAst>([
      {
        GATE: () => this.atQuantified(),
        ALT: () => {
          const list = this.SUBRULE(this.expression);
          this.CONSUME(K.where);
          const where = this.SUBRULE1(this.expression);
          const quantifier = word.tokenType === K.any ? "any" : "all";
          return { kind: "quantifier", quantifier, list, where, span: this.from(word.startOffset) };
        },
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE(this.call, { ARGS: [word] }), IGNORE_AMBIGUITIES: true },
      { ALT: () => ({ kind: "name", name: this.name(word), span: spanOf(word) }) },
    ]);
  });

  private atQuantified(): boolean {
    const next = this.LA(1);
    return (
      next.tokenType === t.LSquare ||
      (tokenMatcher(next, t.Name) &&
        !tokenMatcher(next, t.BinaryOperator) &&
        ![K.is, K.then, K.else, K.where, K.by, K.if].includes(next.tokenType as never))
    );
  }

  private readonly nameOrCall: ParserMethod<[], ExpressionAst> = this.define("nameOrCall", () => {
    const word = this.CONSUME(t.Name);
    const call = this.OPTION(() => this.SUBRULE(this.call, { ARGS: [word] }));
    return call ?? { kind: "name", name: this.name(word), span: spanOf(word) };
  });

  private readonly call: ParserMethod<[IToken], ExpressionAst> = this.define("call", (word) => {
    const values = this.SUBRULE(this.peopleArguments);
    return this.ACTION(() => callOf(this.name(word), values, this.from(word.startOffset)));
  });

  protected readonly callArguments: ParserMethod<[], ExpressionAst[]> = this.define("callArguments", () => {
    const values: ExpressionAst[] = [];
    this.CONSUME(t.LParen);
    this.MANY(() => {
      values.push(this.SUBRULE(this.expression));
      this.comma(t.RParen);
    });
    this.CONSUME(t.RParen);
    return values;
  });

  /** `(a, b)`, `(initiator, level 2)`. */
  protected readonly peopleArguments: ParserMethod<[], PeopleArgumentAst[]> = this.define("peopleArguments", () => {
    const values: PeopleArgumentAst[] = [];
    this.CONSUME(t.LParen);
    this.MANY(() => {
      values.push(this.SUBRULE(this.peopleArgument));
      this.comma(t.RParen);
    });
    this.CONSUME(t.RParen);
    return values;
  });

  private readonly peopleArgument: ParserMethod<[], PeopleArgumentAst> = this.define("peopleArgument", () =>
    this.fixedChoice<PeopleArgumentAst>("peopleArgument", () => [
      {
        GATE: () => this.LA(2).tokenType === t.NumberLiteral,
        ALT: () => {
          const start = this.here();
          this.CONSUME(K.level);
          const level = Number(plainNumber(this.CONSUME(t.NumberLiteral).image));
          return { kind: "level", level, span: this.from(start) };
        },
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType === K.to,
        ALT: () => {
          const start = this.here();
          this.CONSUME(K.up);
          this.CONSUME(K.to);
          const levels = Number(plainNumber(this.CONSUME1(t.NumberLiteral).image));
          return { kind: "up-to", levels, span: this.from(start) };
        },
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType === K.top,
        ALT: () => {
          const start = this.here();
          this.CONSUME1(K.to);
          this.CONSUME(K.top);
          return { kind: "to-top", span: this.from(start) };
        },
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => ({ kind: "top-down", span: spanOf(this.CONSUME(K["top-down"])) }), IGNORE_AMBIGUITIES: true },
      { ALT: () => ({ kind: "expression", value: this.SUBRULE(this.expression) }) },
    ]),
  );

  private readonly parenthesised: ParserMethod<[], ExpressionAst> = this.define("parenthesised", () => {
    const start = this.here();
    this.CONSUME(t.LParen);
    const value = this.SUBRULE(this.expression);
    this.CONSUME(t.RParen);
    return { ...value, span: this.from(start) };
  });

  private readonly list: ParserMethod<[], ExpressionAst> = this.define("list", () => {
    const start = this.here();
    const items: ExpressionAst[] = [];
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      items.push(this.SUBRULE(this.expression));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return { kind: "list", items, span: this.from(start) };
  });

  /** `{ a: 1, b: 2 }` with commas or newlines. */
  private readonly record: ParserMethod<[], ExpressionAst> = this.define("record", () => {
    const start = this.here();
    const fields = this.SUBRULE(this.recordFields);
    return { kind: "record", fields, span: this.from(start) };
  });

  protected readonly recordFields: ParserMethod<[], FieldValue[]> = this.define("recordFields", () => {
    const fields: FieldValue[] = [];
    this.commaBlock(recordFields, fields, () => {
      const name = this.name(this.CONSUME(t.Name));
      this.CONSUME(t.Colon);
      return { name, value: this.SUBRULE(this.expression) };
    });
    return fields;
  });

  /** Whether `(` or `[` begins an interval: two bounds, and a round bracket or `..` among them. */
  protected atInterval(): boolean {
    const open = this.LA(1).tokenType;
    if (open !== t.LParen && open !== t.LSquare) return false;
    let depth = 0;
    let commas = 0;
    let unbounded = false;
    for (let ahead = 1; ; ahead++) {
      const type = this.LA(ahead).tokenType;
      if (type === t.LParen || type === t.LSquare) depth++;
      else if (type === t.Comma && depth === 1) commas++;
      else if (type === t.DotDot) unbounded = true;
      else if (type === t.RParen || type === t.RSquare) {
        if (--depth === 0) return unbounded || (commas === 1 && (open === t.LParen || type === t.RParen));
      } else if (type.name === "EOF" || type === t.NewLine) return false;
    }
  }

  protected readonly interval: ParserMethod<[], ExpressionAst> = this.define("interval", () => {
    const open = this.CONSUME(t.Open);
    const low = this.SUBRULE(this.bound);
    this.CONSUME(t.Comma);
    const high = this.SUBRULE1(this.bound);
    const close = this.CONSUME(t.Close);
    if (!low && open.tokenType === t.LSquare) this.roundBracket(open, "(");
    if (!high && close.tokenType === t.RSquare) this.roundBracket(close, ")");
    return {
      kind: "interval",
      ...(low && { low }),
      ...(high && { high }),
      lowIncluded: open.tokenType === t.LSquare,
      highIncluded: close.tokenType === t.RSquare,
      span: this.from(open.startOffset),
    };
  });

  /** A literal, a name, a list or an interval: what stands in a cell of a matrix and in a rollout. */
  protected readonly plainValue: ParserMethod<[], ExpressionAst> = this.define("plainValue", () =>
    this.fixedChoice<ExpressionAst>("plainValue", () => [
      { GATE: () => this.atInterval(), ALT: () => this.SUBRULE(this.interval), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.constant(this.CONSUME(K.true)), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.constant(this.CONSUME(K.false)), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.bareName(this.CONSUME(t.Name)) },
      { ALT: () => this.SUBRULE(this.numberOrDuration) },
      { ALT: () => this.SUBRULE(this.negative) },
      { ALT: () => this.written(this.CONSUME(t.Percent)) },
      { ALT: () => this.written(this.CONSUME(t.StringLiteral)) },
      { ALT: () => this.written(this.CONSUME(t.DateOnly)) },
      { ALT: () => this.written(this.CONSUME(t.DateTime)) },
      { ALT: () => this.written(this.CONSUME(t.Time)) },
      { ALT: () => this.written(this.CONSUME(t.Duration)) },
    ]),
  );

  protected bareName(token: IToken): ExpressionAst {
    return { kind: "name", name: this.name(token), span: spanOf(token) };
  }

  private readonly negative: ParserMethod<[], ExpressionAst> = this.define("negative", () => {
    const start = this.here();
    this.CONSUME(t.Minus);
    return { kind: "negate", of: this.SUBRULE(this.plainValue), span: this.from(start) };
  });

  private roundBracket(token: IToken, text: string): void {
    this.report.error("FLOW016", `An open end takes a round bracket: write \`${text}\`.`, spanOf(token), {
      fix: [{ span: spanOf(token), text }],
    });
  }

  private readonly bound: ParserMethod<[], ExpressionAst | undefined> = this.define("bound", () =>
    this.fixedChoice<ExpressionAst | undefined>("bound", () => [
      { ALT: () => void this.CONSUME(t.DotDot) },
      { ALT: () => this.SUBRULE(this.expression) },
    ]),
  );
}

/** A call; of people, where an argument says so. */
function callOf(name: Name, values: readonly PeopleArgumentAst[], span: Span): ExpressionAst {
  const plain = values.flatMap((argument) => (argument.kind === "expression" ? [argument.value] : []));
  if (plain.length === values.length) return { kind: "call", name, arguments: plain, span };
  return { kind: "people", people: { kind: "call", name, arguments: values, span }, span };
}

/** A number's digits without `_`. */
export function plainNumber(image: string): string {
  return image.replaceAll("_", "");
}

function readDuration(token: IToken): DurationAst {
  const [, amount = "0", unit = "s"] = /^([\d_.]+)([a-z]+)$/.exec(token.image) ?? [];
  return { amount: plainNumber(amount), unit: unit as DurationAst["unit"], span: spanOf(token) };
}
