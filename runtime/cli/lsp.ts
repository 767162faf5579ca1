import { Command } from "commander";
import type { Io } from "./io.ts";

export const lspCommand = (_io: Io): Command =>
  new Command("lsp")
    .description("the language server on standard input and output, for editors")
    // Editors append it, whatever the server.
    .option("--stdio", "the only way it talks; may be left out")
    .addHelpText("after", "\nThe folder `editors/vscode` has the extension that starts it.")
    .action(async () => {
      const { startLanguageServer } = await import("../language-server/server.ts");
      startLanguageServer(process.stdin, process.stdout);
      await new Promise<never>(() => {}); // The connection ends the process when its client goes.
    });
