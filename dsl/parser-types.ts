import type { ParserMethod } from "chevrotain";
import type { ExpressionAst, Name, PeopleAst, TypeAst } from "./ast.ts";
import { ExpressionGrammar } from "./parser-expressions.ts";
import type { Items } from "./parser-items.ts";
import * as t from "./tokens.ts";

const { K } = t;

const typeFields: Items = { expected: "a field such as `name: text`", heads: [] };

/** Types, and expressions that stand for people. */
export abstract class TypeGrammar extends ExpressionGrammar {
  protected readonly type: ParserMethod<[], TypeAst> = this.define("type", () => {
    this.descend();
    const type = this.fixedChoice<TypeAst>("type", () => [
      { ALT: () => this.SUBRULE(this.enumType), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.listType), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.namedType) },
      { ALT: () => this.SUBRULE(this.recordType) },
    ]);
    this.depth--;
    return type;
  });

  private readonly enumType: ParserMethod<[], TypeAst> = this.define("enumType", () => {
    const start = this.here();
    this.CONSUME(K.one);
    this.CONSUME(K.of);
    const members = this.SUBRULE(this.names);
    return { kind: "enum", members, span: this.from(start) };
  });

  private readonly listType: ParserMethod<[], TypeAst> = this.define("listType", () => {
    const start = this.here();
    this.CONSUME(K.list);
    const of = this.choice<TypeAst>([
      {
        ALT: () => {
          this.CONSUME(K.of);
          return this.SUBRULE(this.type);
        },
      },
      { ALT: () => this.SUBRULE(this.recordType) },
    ]);
    return { kind: "list", of, span: this.from(start) };
  });

  private readonly recordType: ParserMethod<[], TypeAst> = this.define("recordType", () => {
    const start = this.here();
    const fields: { name: Name; type: TypeAst; optional: boolean }[] = [];
    this.commaBlock(typeFields, fields, () => {
      const name = this.name(this.CONSUME(t.Name));
      this.CONSUME(t.Colon);
      const type = this.SUBRULE(this.type);
      const optional = this.OPTION(() => this.CONSUME(t.Question)) !== undefined;
      return { name, type, optional };
    });
    return { kind: "record", fields, span: this.from(start) };
  });

  /** `text`, `money signed`, `Kind = one of [a, b]`. */
  private readonly namedType: ParserMethod<[], TypeAst> = this.define("namedType", () => {
    const name = this.name(this.CONSUME(t.Name));
    const signed = this.OPTION(() => this.CONSUME(K.signed)) !== undefined;
    const members = this.OPTION1({
      GATE: () => this.LA(2).tokenType === K.one && this.LA(3).tokenType === K.of,
      DEF: () => {
        this.CONSUME(t.Equal);
        this.CONSUME(K.one);
        this.CONSUME(K.of);
        return this.SUBRULE(this.names);
      },
    });
    const span = this.from(name.span.start);
    return members ? { kind: "enum", name, members, span } : { kind: "name", name, signed, span };
  });

  /** A bare name or a string. */
  protected readonly word: ParserMethod<[], Name> = this.define("word", () =>
    this.name(
      this.fixedChoice("word", () => [
        { ALT: () => this.CONSUME(t.Name) },
        { ALT: () => this.CONSUME(t.StringLiteral) },
      ]),
    ),
  );

  /** `[a, b, c]`, also over several lines. */
  protected readonly names: ParserMethod<[], Name[]> = this.define("names", () => {
    const found: Name[] = [];
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      found.push(this.name(this.CONSUME(t.Name)));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return found;
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // People
  // -------------------------------------------------------------------------------------------------------------- //

  protected readonly people: ParserMethod<[], PeopleAst> = this.define("people", () => {
    const word = this.CONSUME(t.Name);
    const name = this.name(word);
    return this.choice<PeopleAst>([
      {
        ALT: () => {
          const values = this.SUBRULE(this.peopleArguments);
          return { kind: "call", name, arguments: values, span: this.from(word.startOffset) };
        },
      },
      {
        ALT: () => {
          let value: ExpressionAst = { kind: "name", name, span: name.span };
          this.AT_LEAST_ONE(() => {
            this.CONSUME(t.Dot);
            const member = this.name(this.CONSUME1(t.Name));
            value = { kind: "member", of: value, name: member, span: this.from(word.startOffset) };
          });
          return { kind: "value", value, span: this.from(word.startOffset) };
        },
      },
      { ALT: () => ({ kind: "name", name, span: name.span }) },
    ]);
  });
}
