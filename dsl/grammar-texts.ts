import {
  Alternation,
  Alternative,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  RepetitionMandatoryWithSeparator,
  RepetitionWithSeparator,
  Terminal,
  type TokenType,
} from "chevrotain";
import { parser } from "./parser.ts";
import * as t from "./tokens.ts";

/** Texts made from the grammar itself, for the tests: most of them are sound. */

const samples = new Map<TokenType, readonly string[]>([
  [
    t.Name,
    ["a", "b", "A", "财务", "leave-days", "_x1", "state", "and", "on", "any", "by", "if", "data", "level", "auto"],
  ],
  [t.BinaryOperator, ["+", "-", "*", "/", "==", "!=", "<", ">=", "and", "or", "in"]],
  [t.PrefixOperator, ["not", "-"]],
  [t.Quantifier, ["any", "all"]],
  [t.WorkUnit, ["workdays", "workhours"]],
  [t.Open, ["(", "["]],
  [t.Close, [")", "]"]],
  [t.Separator, ["\n", "; ", "\n\n\n", " // why\n", "\n/* 为什么 */\n"]],
  [t.StringLiteral, ['"x"', '"差旅 🎉"', '"a, b"', '"\\u4e2d\\n"', '""']],
  [t.NumberLiteral, ["1", "5_000", "0.25"]],
  [t.Percent, ["60%"]],
  [t.DateOnly, ["2026-10-01"]],
  [t.DateTime, ["2026-10-01T09:00", "2026-10-01T09:00:30Z"]],
  [t.Time, ["09:00"]],
  [t.Duration, ["48h", "200ms"]],
  [t.Arrow, ["→", "->"]],
]);

/** A text of the grammar; `choices` say which way is taken, and where they end the shortest way is. */
export function textOf(choices: readonly number[]): string {
  return new Writer(choices).write();
}

class Writer {
  private readonly choices: readonly number[];
  private next = 0;
  private readonly out: string[] = [];

  constructor(choices: readonly number[]) {
    this.choices = choices;
  }

  write(): string {
    this.all(parser.getGAstProductions()["file"]!.definition);
    return this.out.join("");
  }

  /** 0 ≤ n < `below`; 0 once the choices are used up. */
  private choose(below: number): number {
    const choice = this.choices[this.next++] ?? 0;
    return choice % below;
  }

  private all(productions: readonly IProduction[]): void {
    for (const production of productions) this.one(production);
  }

  private one(production: IProduction): void {
    if (production instanceof Terminal) this.put(production.terminalType);
    else if (production instanceof NonTerminal) this.all(production.referencedRule.definition);
    else if (production instanceof Alternation) this.oneOf(production.definition);
    else if (production instanceof Option) {
      if (isComma(production) || this.choose(2) === 1) this.all(production.definition);
    } else if (production instanceof Repetition) this.times(production.definition, this.choose(4));
    else if (production instanceof RepetitionMandatory) this.times(production.definition, 1 + this.choose(3));
    else if (production instanceof RepetitionWithSeparator || production instanceof RepetitionMandatoryWithSeparator) {
      this.times(production.definition, 1 + this.choose(3), production.separator);
    } else if (production instanceof Alternative) this.all(production.definition);
  }

  private times(definition: readonly IProduction[], times: number, separator?: TokenType): void {
    for (let count = 0; count < times; count++) {
      if (separator && count > 0) this.put(separator);
      this.all(definition);
    }
  }

  /** Where items are listed, an item and its end; what is skipped as damaged is no choice. */
  private oneOf(alternatives: readonly IProduction[]): void {
    const ways = alternatives.filter((one) => one instanceof Alternative);
    const items = ways.filter(({ definition: [only] }) => !isOf(only, listing));
    const isList = items.length < alternatives.length;
    const chosen = items[this.choose(items.length)];
    if (chosen) this.all(chosen.definition);
    if (isList) this.put(t.Separator);
  }

  private put(type: TokenType): void {
    const texts = samples.get(type) ?? [type.name.replace("keyword ", "")];
    const text = texts[this.choose(texts.length)]!;
    this.out.push(text, text.endsWith("\n") ? "" : " ");
  }
}

const listing = new Set<TokenType>([t.Separator, t.Comma, t.Inside]);

function isOf(production: IProduction | undefined, types: ReadonlySet<TokenType>): boolean {
  return production instanceof Terminal && types.has(production.terminalType);
}

function isComma({ definition }: Option): boolean {
  return definition.length === 1 && isOf(definition[0], new Set([t.Comma]));
}
