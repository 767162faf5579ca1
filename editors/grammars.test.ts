import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { compile } from "monaco-editor/editor/standalone/common/monarch/monarchCompile.js";
import { MonarchTokenizer } from "monaco-editor/editor/standalone/common/monarch/monarchLexer.js";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";
import { GENERATED, pathOf } from "../scripts/editors.ts";
import { flowLanguage } from "./monaco/flow-language.ts";
import { grammar } from "./textmate-grammar.ts";

/** Both grammars are run by the editors' own tokenizers. */

const FLOW = `/// Who signs
state machine "leave-approval" { // 休假
  data { amount: money = 5_000 }
  transitions { 草稿 → REVIEW on "submit" if amount >= 50_000 → checkBudget(amount) }
  /* a
     b */ state 财务复核 { approval by finance quorum 2/3 { due: 48h } }
}`;

interface Coloured {
  readonly text: string;
  readonly scope: string;
}

/** What the tests ask of both: the text of a token and a part of its scope. */
const EXPECTED: readonly (readonly [text: string, textmate: string, monaco: string])[] = [
  ["/// Who signs", "comment.line.documentation", "comment.doc"],
  ["state machine", "storage.type", "keyword.declaration"],
  ["submit", "string.quoted", "string"],
  ["// 休假", "comment.line.double-slash", "comment"],
  ["amount", "variable.other", "identifier"],
  ["money", "support.type", "type"],
  ["5_000", "constant.numeric", "number"],
  ["草稿", "variable.other", "identifier"],
  ["→", "keyword.operator.arrow", "operator.arrow"],
  ["checkBudget", "entity.name.function", "function"],
  ["if", "keyword.control", "keyword"],
  ["     b", "comment.block", "comment"],
  ["财务复核", "variable.other", "identifier"],
  ["quorum", "constant.language", "constant.language"],
  ["48h", "constant.numeric", "number"],
];

test("the TextMate grammar colours a flow", async () => {
  const tokens = await textmateTokens(FLOW);
  for (const [text, scope] of EXPECTED) assertColoured(tokens, text, scope);
});

test("the Monarch language colours a flow", () => {
  const tokens = monarchTokens(FLOW);
  for (const [text, , scope] of EXPECTED) assertColoured(tokens, text, scope);
});

test("the generated files of the extension are up to date", () => {
  for (const [file, content] of Object.entries(GENERATED)) {
    assert.deepEqual(JSON.parse(readFileSync(pathOf(file), "utf8")), content, `${file}: run \`npm run editors\``);
  }
});

function assertColoured(tokens: readonly Coloured[], text: string, scope: string): void {
  const found = tokens.filter((token) => token.text.replaceAll('"', "").startsWith(text));
  assert.ok(
    found.some((token) => token.scope.includes(scope)),
    `\`${text}\` is ${JSON.stringify(found)}, expected ${scope}; all: ${JSON.stringify(tokens.map((token) => token.text))}`,
  );
}

async function textmateTokens(text: string): Promise<Coloured[]> {
  const wasm = readFileSync(createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (sources: string[]) => new oniguruma.OnigScanner(sources),
      createOnigString: (source: string) => new oniguruma.OnigString(source),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(JSON.stringify(grammar), "flow.json"),
  });
  const loaded = await registry.loadGrammar("source.flow");
  assert.ok(loaded);
  const tokens: Coloured[] = [];
  let stack = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const result = loaded.tokenizeLine(line, stack);
    stack = result.ruleStack;
    for (const { startIndex, endIndex, scopes } of result.tokens) {
      tokens.push({ text: line.slice(startIndex, endIndex), scope: scopes.join(" ") });
    }
  }
  return tokens;
}

function monarchTokens(text: string): Coloured[] {
  const languages = {
    languageIdCodec: { encodeLanguageId: () => 1, decodeLanguageId: () => "flow" },
    isRegisteredLanguageId: () => false,
  };
  const themes = { getColorTheme: () => ({ tokenTheme: { match: () => 0 } }) };
  const settings = { getValue: () => 20_000, onDidChangeConfiguration: () => ({ dispose: () => {} }) };
  const tokenizer = new MonarchTokenizer(languages, themes, "flow", compile("flow", flowLanguage), settings);
  const tokens: Coloured[] = [];
  let state = tokenizer.getInitialState();
  for (const line of text.split("\n")) {
    const result = tokenizer.tokenize(line, true, state);
    state = result.endState;
    result.tokens.forEach(({ offset, type }, index) => {
      tokens.push({ text: line.slice(offset, result.tokens[index + 1]?.offset ?? line.length), scope: type });
    });
  }
  return tokens;
}
