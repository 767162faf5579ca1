import type { IToken, ParserMethod } from "chevrotain";
import type { DocumentAst, FileAst, FlowAst, Name, SourceAst, SourceValueAst, TestAst } from "./ast.ts";
import type { Items } from "./parser-base.ts";
import { TestGrammar } from "./parser-tests.ts";
import * as t from "./tokens.ts";

const { K } = t;

type SourceField = { readonly name: Name; readonly value: SourceValueAst };
type Control = Extract<SourceValueAst, { kind: "control" }>;
type ControlOption = NonNullable<Control["options"]>[number];

interface FileParts {
  readonly flows: FlowAst[];
  readonly documents: DocumentAst[];
  readonly sources: SourceAst[];
  readonly tests: TestAst[];
}

const fileItems: Items = {
  expected: 'a declaration such as `state machine "x" { .. }`',
  heads: [K.state, K.document, K.source, K.test],
};
const documentItems: Items = { expected: "a field such as `total = amount`", heads: [K.template, K.fallback] };
const sourceItems: Items = { expected: 'a field such as `amount = control("Money-1")`', heads: [] };
const optionItems: Items = { expected: 'an option such as `"差旅": travel`', heads: [] };

/** The grammar of a file. The classes it builds on hold one part of the language each. */
export class FileParser extends TestGrammar {
  constructor(validate = false) {
    super(validate);
    this.performSelfAnalysis();
  }

  readonly file: ParserMethod<[], FileAst> = this.define("file", () => {
    const parts = newParts();
    this.MANY(() => this.OR(this.itemChoices(fileItems, () => this.SUBRULE(this.declaration, { ARGS: [parts] }))));
    return { ...parts, span: { start: 0, end: this.text.length } };
  });

  private readonly declaration: ParserMethod<[FileParts], void> = this.define("declaration", (parts = newParts()) => {
    this.OR([
      { ALT: () => this.collect(parts.flows, () => this.SUBRULE(this.flow))() },
      { ALT: () => this.collect(parts.documents, () => this.SUBRULE(this.document))() },
      { ALT: () => this.collect(parts.sources, () => this.SUBRULE(this.source))() },
      { ALT: () => this.collect(parts.tests, () => this.SUBRULE(this.test))() },
      {
        ALT: () => {
          const word = this.CONSUME(t.LeftOut);
          this.leaveOutItem(`\`${word.image}\``, word);
        },
      },
    ]);
  });

  private readonly document: ParserMethod<[], DocumentAst> = this.define("document", () => {
    const start = this.here();
    const settings: { key: IToken; value: Name }[] = [];
    const fields: DocumentAst["fields"][number][] = [];
    this.CONSUME(K.document);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.block(documentItems, () => {
      this.OR1([
        {
          GATE: () => this.LA(2).tokenType !== t.Equal,
          ALT: () => this.collect(settings, () => this.SUBRULE(this.documentSetting))(),
          IGNORE_AMBIGUITIES: true,
        },
        { ALT: () => this.collect(fields, () => this.SUBRULE(this.documentField))() },
      ]);
    });
    const template = settings.find((one) => one.key.tokenType === K.template)?.value;
    const fallback = settings.find((one) => one.key.tokenType === K.fallback)?.value;
    return { name, ...(template && { template }), ...(fallback && { fallback }), fields, span: this.from(start) };
  });

  private readonly documentSetting: ParserMethod<[], { key: IToken; value: Name }> = this.define(
    "documentSetting",
    () => {
      const key = this.OR([{ ALT: () => this.CONSUME(K.template) }, { ALT: () => this.CONSUME(K.fallback) }]);
      this.CONSUME(t.Colon);
      return { key, value: this.name(this.CONSUME(t.StringLiteral)) };
    },
  );

  private readonly documentField: ParserMethod<[], DocumentAst["fields"][number]> = this.define("documentField", () => {
    const name = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Equal);
    return { name, value: this.SUBRULE(this.expression) };
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Sources
  // -------------------------------------------------------------------------------------------------------------- //

  private readonly source: ParserMethod<[], SourceAst> = this.define("source", () => {
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
    this.choice<SourceValueAst>([
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
      { ALT: () => this.SUBRULE(this.property) },
    ]),
  );

  private readonly property: ParserMethod<[], SourceValueAst> = this.define("property", () => {
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
    return { kind: "control", id, ...(unit && { unit }), ...(options && { options }), span: this.from(start) };
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

/** One instance for all texts: building it analyses the whole grammar. */
export const parser = new FileParser();

function newParts(): FileParts {
  return { flows: [], documents: [], sources: [], tests: [] };
}
