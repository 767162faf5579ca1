import { BLOCKS, CONNECTIVES, CONSTANTS, DECLARATIONS, MODES, OPTIONS, OUTCOMES, TYPES } from "./words.ts";

/** How VS Code colours a `.flow` text: a TextMate grammar. `npm run editors` writes it to `syntaxes/`. */
export const grammar = {
  $schema: "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
  name: "Flow",
  scopeName: "source.flow",
  patterns: [
    { name: "comment.line.documentation.flow", match: "///.*$" },
    { name: "comment.line.double-slash.flow", match: "//.*$" },
    { name: "comment.block.flow", begin: "/\\*", end: "\\*/" },
    {
      name: "string.quoted.double.flow",
      begin: '"',
      end: '"|$',
      patterns: [
        { name: "constant.character.escape.flow", match: '\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})' },
        { name: "invalid.illegal.escape.flow", match: "\\\\." },
      ],
    },
    { name: "storage.type.flow", match: edge(["state\\s+machine", ...DECLARATIONS].join("|")) },
    { name: "keyword.operator.arrow.flow", match: "→|->" },
    {
      name: "constant.numeric.date.flow",
      match: "\\d{4}-\\d{2}-\\d{2}(?:T\\d{2}:\\d{2}(?::\\d{2})?(?:Z|[+-]\\d{2}:\\d{2})?)?",
    },
    { name: "constant.numeric.time.flow", match: "\\b\\d{1,2}:\\d{2}\\b" },
    { name: "constant.numeric.flow", match: "\\b\\d[\\d_]*(?:\\.\\d[\\d_]*)?(?:ms|[smhdw]\\b|%)?" },
    { name: "keyword.control.flow", match: edge([...BLOCKS, ...CONNECTIVES, ...OPTIONS].join("|")) },
    { name: "constant.language.flow", match: edge([...MODES, ...OUTCOMES].join("|")) },
    { name: "support.type.flow", match: edge(TYPES.join("|")) },
    { name: "variable.language.flow", match: edge(CONSTANTS.join("|")) },
    {
      name: "entity.name.function.flow",
      match: "[\\p{L}_](?:[\\p{L}\\p{N}_]|-(?=[\\p{L}\\p{N}]))*(?=\\s*\\()",
    },
    { name: "variable.other.flow", match: "[\\p{L}_](?:[\\p{L}\\p{N}_]|-(?=[\\p{L}\\p{N}]))*" },
    { name: "keyword.operator.flow", match: "==|!=|<=|>=|\\.\\.|[<>=+\\-*/?]" },
  ],
};

/** Whole words: a `-` between letters belongs to a name. */
function edge(words: string): string {
  return `(?<![\\p{L}\\p{N}_-])(?:${words})(?![\\p{L}\\p{N}_]|-[\\p{L}\\p{N}])`;
}
