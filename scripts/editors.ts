import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { flowConfiguration, grammar } from "../editors/index.ts";

/** `npm run editors`: writes the files of the VS Code extension that are made from the word lists in `editors/`. */
export const GENERATED: Readonly<Record<string, unknown>> = {
  "syntaxes/flow.tmLanguage.json": grammar,
  "language-configuration.json": flowConfiguration,
};

export const pathOf = (file: string): string => fileURLToPath(new URL(`../editors/vscode/${file}`, import.meta.url));

if (import.meta.main) {
  for (const [file, content] of Object.entries(GENERATED)) {
    writeFileSync(pathOf(file), `${JSON.stringify(content, undefined, 2)}\n`);
  }
}
