import type { ParserMethod } from "chevrotain";
import type { DocumentAst, ExpressionAst, Name, SourceAst, SourceValueAst } from "./ast.ts";
import type { Items } from "./parser-items.ts";
import type { Once } from "./parser-regions.ts";
import { TestGrammar } from "./parser-tests.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

type SourceField = SourceAst["fields"][number];
type ControlOption = NonNullable<Extract<SourceValueAst, { kind: "control" }>["options"]>[number];

interface DocumentParts {
  readonly template: Once<Name>;
  readonly fallback: Once<Name>;
  readonly fields: { readonly name: Name; readonly value: ExpressionAst }[];
}

const documentItems: Items = { expected: "a field such as `total = amount`", heads: [K.template, K.fallback] };
const sourceItems: Items = { expected: 'a field such as `amount = control("Money-1")`', heads: [] };
const optionItems: Items = { expected: 'an option such as `"差旅": travel`', heads: [K.else] };

/** What goes in and what goes out: `source` and `document`. */
export abstract class SourceGrammar extends TestGrammar {
  protected readonly document: ParserMethod<[], DocumentAst> = this.define("document", () => {
    const start = this.here();
    const parts = newDocumentParts();
    this.CONSUME(K.document);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.block(documentItems, () => this.SUBRULE(this.documentItem, { ARGS: [parts] }));
    const template = this.only(parts.template);
    const fallback = this.only(parts.fallback);
    const { fields } = parts;
    return { name, ...(template && { template }), ...(fallback && { fallback }), fields, span: this.from(start) };
  });

  private readonly documentItem: ParserMethod<[DocumentParts], void> = this.define(
    "documentItem",
    (parts = newDocumentParts()) => {
      this.OR([
        {
          GATE: () => this.LA(2).tokenType !== t.Equal,
          ALT: () => this.once(parts.template, () => this.SUBRULE(this.template)),
          IGNORE_AMBIGUITIES: true,
        },
        {
          GATE: () => this.LA(2).tokenType !== t.Equal,
          ALT: () => this.once(parts.fallback, () => this.SUBRULE(this.fallback)),
          IGNORE_AMBIGUITIES: true,
        },
        { ALT: () => this.collect(parts.fields, () => this.SUBRULE(this.documentField))() },
      ]);
    },
  );

  private readonly template: ParserMethod<[], Name> = this.define("template", () => {
    this.CONSUME(K.template);
    this.CONSUME(t.Colon);
    return this.name(this.CONSUME(t.StringLiteral));
  });

  private readonly fallback: ParserMethod<[], Name> = this.define("fallback", () => {
    this.CONSUME(K.fallback);
    this.CONSUME(t.Colon);
    return this.name(this.CONSUME(t.StringLiteral));
  });

  private readonly documentField: ParserMethod<[], DocumentParts["fields"][number]> = this.define(
    "documentField",
    () => {
      const name = this.name(this.CONSUME(t.Name));
      this.CONSUME(t.Equal);
      return { name, value: this.SUBRULE(this.expression) };
    },
  );

  // -------------------------------------------------------------------------------------------------------------- //
  // Sources
  // -------------------------------------------------------------------------------------------------------------- //

  protected readonly source: ParserMethod<[], SourceAst> = this.define("source", () => {
    const start = this.here();
    const fields: SourceField[] = [];
    this.CONSUME(K.source);
    const connector = this.name(this.CONSUME(t.Name));
    const template = this.name(this.CONSUME(t.StringLiteral));
    const when = this.OPTION(() => {
      this.CONSUME(K.when);
      return this.name(this.CONSUME1(t.Name));
    });
    this.CONSUME(K.starts);
    const flow = this.name(this.CONSUME1(t.StringLiteral));
    const event = this.OPTION1(() => {
      this.CONSUME(K.on);
      return this.name(this.CONSUME2(t.StringLiteral));
    });
    this.block(
      sourceItems,
      this.collect(fields, () => this.SUBRULE(this.sourceField)),
    );
    const span = this.from(start);
    return { connector, template, ...(when && { when }), flow, ...(event && { event }), fields, span };
  });

  private readonly sourceField: ParserMethod<[], SourceField> = this.define("sourceField", () => {
    const name = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Equal);
    return { name, value: this.SUBRULE(this.sourceValue) };
  });

  private readonly sourceValue: ParserMethod<[], SourceValueAst> = this.define("sourceValue", () =>
    this.fixedChoice<SourceValueAst>("sourceValue", () => [
      {
        GATE: () => this.LA(2).tokenType === t.LParen,
        ALT: () => this.SUBRULE(this.control),
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType === t.LParen,
        ALT: () => this.SUBRULE(this.table),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE(this.propertyPath) },
    ]),
  );

  private readonly propertyPath: ParserMethod<[], SourceValueAst> = this.define("propertyPath", () => {
    const start = this.here();
    const path: Name[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: t.Dot, DEF: () => path.push(this.name(this.CONSUME(t.Name))) });
    return { kind: "property", path, span: this.from(start) };
  });

  private readonly control: ParserMethod<[], SourceValueAst> = this.define("control", () => {
    const start = this.here();
    this.CONSUME(K.control);
    this.CONSUME(t.LParen);
    const id = this.name(this.CONSUME(t.StringLiteral));
    this.CONSUME(t.RParen);
    const unit = this.OPTION(() => {
      this.CONSUME(K.in);
      return this.name(this.CONSUME(t.Name));
    });
    const options = this.OPTION1(() => {
      this.CONSUME(K.one);
      this.CONSUME(K.of);
      return this.SUBRULE(this.controlOptions);
    });
    return withPresent({ kind: "control", id, span: this.from(start) }, { unit, options });
  });

  private readonly controlOptions: ParserMethod<[], ControlOption[]> = this.define("controlOptions", () => {
    const found: ControlOption[] = [];
    this.commaBlock(optionItems, found, () => {
      const text = this.choice<Name | "else">([
        { ALT: () => this.name(this.CONSUME(t.StringLiteral)) },
        { ALT: () => this.CONSUME(K.else) && "else" },
      ]);
      this.CONSUME(t.Colon);
      return { text, member: this.name(this.CONSUME(t.Name)) };
    });
    return found;
  });

  private readonly table: ParserMethod<[], SourceValueAst> = this.define("table", () => {
    const start = this.here();
    this.CONSUME(K.table);
    this.CONSUME(t.LParen);
    const id = this.name(this.CONSUME(t.StringLiteral));
    this.CONSUME(t.RParen);
    const columns = this.SUBRULE(this.columns);
    return { kind: "table", id, columns, span: this.from(start) };
  });

  private readonly columns: ParserMethod<[], SourceField[]> = this.define("columns", () => {
    const found: SourceField[] = [];
    this.commaBlock(sourceItems, found, () => this.SUBRULE(this.sourceField));
    return found;
  });
}

function newDocumentParts(): DocumentParts {
  return { template: [], fallback: [], fields: [] };
}
