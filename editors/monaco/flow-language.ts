import { BLOCKS, CONNECTIVES, CONSTANTS, DECLARATIONS, MODES, OPTIONS, OUTCOMES, TYPES } from "../words.ts";

/** How Monaco colours a `.flow` text: a Monarch language, https://microsoft.github.io/monaco-editor/monarch.html. */
export const flowLanguage = {
  defaultToken: "",
  tokenPostfix: ".flow",
  unicode: true,
  declarations: DECLARATIONS,
  keywords: [...BLOCKS, ...CONNECTIVES, ...OPTIONS],
  modes: [...MODES, ...OUTCOMES],
  types: TYPES,
  constants: CONSTANTS,
  tokenizer: {
    root: [
      [/\/\/\/.*$/, "comment.doc"],
      [/\/\/.*$/, "comment"],
      [/\/\*/, { token: "comment", next: "@comment" }],
      [/"/, { token: "string", next: "@string" }],
      [/state\s+machine\b/, "keyword.declaration"],
      [/→|->/, "operator.arrow"],
      [/\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?/, "number.date"],
      [/\d{1,2}:\d{2}/, "number.time"],
      [/\d[\d_]*(?:\.\d[\d_]*)?(?:ms|[smhdw]\b|%)?/, "number"],
      [
        /[\p{L}_](?:[\p{L}\p{N}_]|-(?=[\p{L}\p{N}]))*(?=\s*\()/u,
        { cases: { "@keywords": "keyword", "@default": "function" } },
      ],
      [
        /[\p{L}_](?:[\p{L}\p{N}_]|-(?=[\p{L}\p{N}]))*/u,
        {
          cases: {
            "@declarations": "keyword.declaration",
            "@keywords": "keyword",
            "@modes": "constant.language",
            "@types": "type",
            "@constants": "variable.language",
            "@default": "identifier",
          },
        },
      ],
      [/[{}()[\]]/, "@brackets"],
      [/==|!=|<=|>=|[<>=+\-*/?]|\.\./, "operator"],
      [/[,;:.]/, "delimiter"],
    ],
    comment: [
      [/[^*]+/, "comment"],
      [/\*\//, { token: "comment", next: "@pop" }],
      [/\*/, "comment"],
    ],
    string: [
      [/[^"\\]+/, "string"],
      [/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/, "string.escape"],
      [/\\./, "string.invalid"],
      [/"/, { token: "string", next: "@pop" }],
    ],
  },
} as const;

/** Brackets, comments and what closes by itself: the same in both editors. */
export const flowConfiguration = {
  comments: { lineComment: "//", blockComment: ["/*", "*/"] },
  brackets: [
    ["{", "}"],
    ["[", "]"],
    ["(", ")"],
  ],
  autoClosingPairs: [
    { open: "{", close: "}" },
    { open: "[", close: "]" },
    { open: "(", close: ")" },
    { open: '"', close: '"' },
  ],
} as const;
