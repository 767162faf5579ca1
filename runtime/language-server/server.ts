import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type Connection,
  createConnection,
  DidChangeWatchedFilesNotification,
  type InitializeResult,
  ProposedFeatures,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
  type WorkspaceEdit,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import {
  type FunctionDeclaration,
  format,
  type Language,
  localize,
  localizeText,
  translate,
  Workspace,
} from "../../dsl/index.ts";
import { languageOf } from "../cli/language.ts";
import { flowFiles, loadFunctions } from "../deployment.ts";
import { readUsed } from "../flow-file.ts";
import {
  codeActions,
  completionItem,
  diagnosticOf,
  documentSymbol,
  edit,
  inlayHint,
  rangeOf,
  SEMANTIC_TOKENS,
  semanticTokens,
} from "./conversions.ts";
import { placeholdersBeside } from "./templates.ts";

/**
 * The language server on a stream pair: https://microsoft.github.io/language-server-protocol/ 3.18.
 * What it says comes from the same checker as `assent check`.
 */
export function startLanguageServer(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): void {
  new LanguageServer(createConnection(ProposedFeatures.all, input, output)).listen();
}

/** An LSP error for what can't be done: https://microsoft.github.io/language-server-protocol/ RequestFailed. */
const REQUEST_FAILED = -32803;

class LanguageServer {
  readonly #connection: Connection;
  readonly #documents = new TextDocuments(TextDocument);
  readonly #workspace = new Workspace();
  readonly #folders = new Set<string>();
  /** Files whose diagnostics are to be sent, in one go when nothing else waits. */
  readonly #outdated = new Set<string>();
  #scheduled = false;
  /** That of the client. */
  #language: Language = "en";

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#workspace.environment = { file: readText };
    this.#register();
  }

  listen(): void {
    this.#documents.listen(this.#connection);
    this.#connection.listen();
  }

  #register(): void {
    const connection = this.#connection;
    connection.onInitialize(({ workspaceFolders, rootUri, locale }) => {
      this.#language = languageOf(locale);
      const folders = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri ? [rootUri] : []);
      for (const folder of folders) this.#folders.add(pathOf(folder));
      return CAPABILITIES;
    });
    connection.onInitialized(() => void this.#begin());
    this.#documents.onDidOpen(({ document }) => this.#changed(pathOf(document.uri), document.getText()));
    this.#documents.onDidChangeContent(({ document }) => this.#changed(pathOf(document.uri), document.getText()));
    this.#documents.onDidClose(({ document }) => this.#fromDisk(pathOf(document.uri)));
    connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const { uri } of changes) if (!this.#documents.get(uri)) this.#fromDisk(pathOf(uri));
    });
    this.#registerNames();
    this.#registerText();
  }

  #registerNames(): void {
    const connection = this.#connection;
    connection.onDefinition(({ textDocument, position }) =>
      this.#at(textDocument.uri, position, (path, offset) =>
        this.#locations(this.#workspace.declarations(path, offset)),
      ),
    );
    connection.onReferences(({ textDocument, position }) =>
      this.#at(textDocument.uri, position, (path, offset) => this.#locations(this.#workspace.references(path, offset))),
    );
    connection.onPrepareRename(({ textDocument, position }) =>
      this.#at(textDocument.uri, position, (path, offset) => {
        const found = this.#workspace.occurrenceAt(path, offset);
        return found ? { range: rangeOf(this.#text(path), found.span), placeholder: found.name } : null;
      }),
    );
    connection.onRenameRequest(({ textDocument, position, newName }) =>
      this.#at(textDocument.uri, position, (path, offset) => this.#rename(path, offset, newName)),
    );
    connection.onHover(({ textDocument, position }) =>
      this.#at(textDocument.uri, position, (path, offset) => {
        const found = this.#workspace.hover(path, offset);
        if (!found) return null;
        const range = rangeOf(this.#text(path), found.span);
        return { contents: { kind: "markdown" as const, value: localizeText(found.text, this.#language) }, range };
      }),
    );
    connection.onCompletion(({ textDocument, position }) =>
      this.#at(textDocument.uri, position, (path, offset) =>
        this.#workspace.complete(path, offset).map((one) => completionItem(one, this.#language)),
      ),
    );
  }

  #registerText(): void {
    const connection = this.#connection;
    connection.onDocumentSymbol(({ textDocument: { uri } }) => {
      const path = pathOf(uri);
      return this.#workspace.outline(path).map((item) => documentSymbol(this.#text(path), item));
    });
    connection.onDocumentFormatting(({ textDocument: { uri } }) => {
      const text = this.#text(pathOf(uri));
      const formatted = format(text);
      if (!("text" in formatted) || formatted.text === text) return [];
      return [edit(text, { span: { start: 0, end: text.length }, text: formatted.text })];
    });
    connection.onCodeAction(({ textDocument: { uri }, range }) => {
      const path = pathOf(uri);
      return codeActions(uri, this.#text(path), range, this.#diagnostics(path));
    });
    connection.languages.semanticTokens.on(({ textDocument: { uri } }) => {
      const path = pathOf(uri);
      return semanticTokens(this.#text(path), this.#workspace.occurrences(path));
    });
    connection.languages.inlayHint.on(({ textDocument: { uri } }) => {
      const path = pathOf(uri);
      return this.#workspace.inlays(path).map((inlay) => inlayHint(this.#text(path), inlay));
    });
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Files
  // -------------------------------------------------------------------------------------------------------------- //

  /** All flows of the workspace are known from the beginning, so that references reach across files. */
  async #begin(): Promise<void> {
    const files = [...this.#folders].flatMap((folder) => (existsSync(folder) ? flowFiles(folder) : []));
    const folders = new Set([...this.#folders, ...files.map((file) => dirname(file))]);
    const functions: FunctionDeclaration[] = [];
    for (const folder of folders) functions.push(...(await declaredIn(folder)));
    const templates = new Map([...folders].flatMap((folder) => [...placeholdersBeside(folder)]));
    this.#workspace.environment = { ...this.#workspace.environment, functions };
    this.#workspace.world = { functions, templates };
    for (const path of files) if (!this.#workspace.file(path)) this.#fromDisk(path);
    for (const path of this.#workspace.paths) this.#publishLater([path]);
    await this.#connection.client.register(DidChangeWatchedFilesNotification.type, {
      watchers: [{ globPattern: "**/*.flow" }],
    });
  }

  #changed(path: string, text: string): void {
    this.#publishLater(this.#workspace.set(path, text));
    // What it uses may lie outside of the folders that are open.
    for (const used of this.#workspace.file(path)?.uses ?? []) {
      const missing = this.#workspace.file(used) ? undefined : readText(used);
      if (missing !== undefined) this.#publishLater(this.#workspace.set(used, missing));
    }
  }

  #fromDisk(path: string): void {
    const text = readText(path);
    this.#publishLater(text === undefined ? this.#workspace.remove(path) : this.#workspace.set(path, text));
  }

  /** After what waits already, so that of several keystrokes the last is checked. */
  #publishLater(paths: readonly string[]): void {
    for (const path of paths) this.#outdated.add(path);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const due = [...this.#outdated];
      this.#outdated.clear();
      for (const path of due) this.#publish(path);
    });
  }

  #publish(path: string): void {
    const text = this.#text(path);
    const diagnostics = this.#diagnostics(path).map((one) =>
      diagnosticOf(text, one, (file) => [pathToFileURL(file).href, this.#text(file)]),
    );
    void this.#connection.sendDiagnostics({ uri: pathToFileURL(path).href, diagnostics });
  }

  /** Of the file itself, in the client's language. */
  #diagnostics(path: string) {
    const all = this.#workspace.compiled(path)?.diagnostics ?? [];
    return all.filter(({ file }) => file === path).map((one) => localize(one, this.#language));
  }

  #text(path: string): string {
    return this.#workspace.file(path)?.text ?? readText(path) ?? "";
  }

  #at<Result>(
    uri: string,
    position: { readonly line: number; readonly character: number },
    answer: (path: string, offset: number) => Result,
  ): Result {
    const path = pathOf(uri);
    const document = this.#documents.get(uri) ?? TextDocument.create(uri, "flow", 0, this.#text(path));
    return answer(path, document.offsetAt(position));
  }

  #locations(found: ReturnType<Workspace["references"]>) {
    return found.map(({ path, span }) => ({ uri: pathToFileURL(path).href, range: rangeOf(this.#text(path), span) }));
  }

  #rename(path: string, offset: number, name: string): WorkspaceEdit {
    const renamed = this.#workspace.rename(path, offset, name);
    if (renamed.kind === "refused") {
      const why = this.#language === "en" ? renamed.why : (translate(renamed.why) ?? renamed.why);
      throw new ResponseError(REQUEST_FAILED, why);
    }
    const changes = [...renamed.edits].map(([file, edits]) => {
      const text = this.#text(file);
      return [pathToFileURL(file).href, edits.map((one) => edit(text, one))] as const;
    });
    return { changes: Object.fromEntries(changes) };
  }
}

const CAPABILITIES: InitializeResult = {
  serverInfo: { name: "assent" },
  capabilities: {
    textDocumentSync: TextDocumentSyncKind.Incremental,
    definitionProvider: true,
    referencesProvider: true,
    renameProvider: { prepareProvider: true },
    hoverProvider: true,
    completionProvider: { triggerCharacters: ['"', " ", "→", ":", "(", "[", ".", "{"] },
    documentSymbolProvider: true,
    documentFormattingProvider: true,
    codeActionProvider: { codeActionKinds: ["quickfix"] },
    semanticTokensProvider: { legend: SEMANTIC_TOKENS, full: true },
    inlayHintProvider: true,
  },
};

const pathOf = (uri: string): string => (uri.startsWith("file:") ? fileURLToPath(uri) : uri);

function readText(path: string): string | undefined {
  try {
    return readUsed(resolve(path));
  } catch {
    return undefined;
  }
}

async function declaredIn(folder: string): Promise<FunctionDeclaration[]> {
  const functions = await loadFunctions(folder);
  if ("fault" in functions) return [];
  return [...functions.found].map(([name, { kind, type }]) => ({ name, kind, ...(type && { type }) }));
}
