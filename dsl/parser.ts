import type { ParserMethod } from "chevrotain";
import type {
  CalendarAst,
  DocumentAst,
  FileAst,
  FlowAst,
  MatrixAst,
  RolloutAst,
  SagaAst,
  SourceAst,
  TestAst,
  UseAst,
} from "./ast.ts";
import { DeclarationGrammar } from "./parser-declarations.ts";
import type { Items } from "./parser-items.ts";
import * as t from "./tokens.ts";

const { K } = t;

/** A file while its declarations come in. */
interface FileParts {
  readonly uses: UseAst[];
  readonly calendars: CalendarAst[];
  readonly matrices: MatrixAst[];
  readonly sagas: SagaAst[];
  readonly rollouts: RolloutAst[];
  readonly flows: FlowAst[];
  readonly documents: DocumentAst[];
  readonly sources: SourceAst[];
  readonly tests: TestAst[];
}

const fileItems: Items = {
  expected: 'a declaration such as `state machine "x" { .. }`',
  heads: [K.state, K.document, K.source, K.test, K.use, K.calendar, K.matrix, K.saga, K.rollout],
};

/** The grammar of a file. The classes it builds on hold one part of the language each. */
export class FileParser extends DeclarationGrammar {
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
    this.choiceWith("declaration", parts, (given) => [
      { ALT: () => this.collect(given().flows, () => this.SUBRULE(this.flow))() },
      { ALT: () => this.collect(given().documents, () => this.SUBRULE(this.document))() },
      { ALT: () => this.collect(given().sources, () => this.SUBRULE(this.source))() },
      { ALT: () => this.collect(given().tests, () => this.SUBRULE(this.test))() },
      { ALT: () => this.collect(given().uses, () => this.SUBRULE(this.use))() },
      { ALT: () => this.collect(given().calendars, () => this.SUBRULE(this.calendar))() },
      { ALT: () => this.collect(given().matrices, () => this.SUBRULE(this.matrix))() },
      { ALT: () => this.collect(given().sagas, () => this.SUBRULE(this.saga))() },
      { ALT: () => this.collect(given().rollouts, () => this.SUBRULE(this.rollout))() },
    ]);
  });
}

/** One instance for all texts: building it analyses the whole grammar. */
export const parser = new FileParser();

function newParts(): FileParts {
  return {
    uses: [],
    calendars: [],
    matrices: [],
    sagas: [],
    rollouts: [],
    flows: [],
    documents: [],
    sources: [],
    tests: [],
  };
}
