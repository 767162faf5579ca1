/** Monaco's own tokenizer, which its types leave out; the tests run it. */
declare module "monaco-editor/editor/standalone/common/monarch/monarchCompile.js" {
  export function compile(id: string, language: unknown): unknown;
}

declare module "monaco-editor/editor/standalone/common/monarch/monarchLexer.js" {
  export class MonarchTokenizer {
    constructor(languages: unknown, themes: unknown, id: string, lexer: unknown, settings: unknown);
    getInitialState(): unknown;
    tokenize(
      line: string,
      endsWithNewline: boolean,
      state: unknown,
    ): { readonly tokens: readonly { readonly offset: number; readonly type: string }[]; readonly endState: unknown };
  }
}
