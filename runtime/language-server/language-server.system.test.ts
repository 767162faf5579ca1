import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  CodeActionRequest,
  CompletionRequest,
  createProtocolConnection,
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentFormattingRequest,
  DocumentSymbolRequest,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  InlayHintRequest,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  ReferencesRequest,
  RegistrationRequest,
  RenameRequest,
  SemanticTokensRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";

import { docxFile, paragraph } from "../../templates/index.ts";

/** The server as an editor starts it, driven by the protocol's own client over standard input and output. */

const SHARED = `calendar "cn" {
  timezone: "Asia/Shanghai"
  hours: 09:00 .. 18:00
}

matrix signOff(amount: money) {
  amount      → approvers
  [0, 5_000)  → managerOf(initiator)
  [5_000, ..) → managerOf(initiator) then group("finance")
}
`;

const FLOW = `use "./shared.flow"

/// 请假
state machine "leave" {
  calendar: "cn"
  data { amount: money; kind: Kind = one of [annual, sick] }
  events { "submit" { amount, kind } }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED]
  state REVIEW {
    approval by signOff(amount) { due: 2 workdays }
  }
  transitions {
    DRAFT → REVIEW on "submit"
    REVIEW → APPROVED on approved
    REVIEW → REJECTED on rejected
  }
}

test "small" of "leave" {
  as "alice"
  given managerOf("alice") = "bob"
  start { amount: 10, kind: annual }
  send "submit"
  expect REVIEW waiting for "bob"
}
`;

const FORM = `source wecom "T-1" starts "leave" on "submit" {
  key = SpNo
  initiator = Applyer.UserId
  amount = control("Money-1") in yuan
}
`;

let folder: string;
let child: ChildProcess;
let client: ProtocolConnection;
const published: PublishDiagnosticsParams[] = [];
let notify: () => void = () => {};

const uriOf = (file: string): string => pathToFileURL(join(folder, file)).href;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "assent-lsp-"));
  writeFileSync(join(folder, "shared.flow"), SHARED);
  writeFileSync(join(folder, "leave.flow"), FLOW);
  writeFileSync(join(folder, "form.flow"), FORM);
  writeFileSync(join(folder, "voucher.docx"), docxFile({ body: paragraph("合计：$total") }));
  const bin = new URL("../../bin/assent.js", import.meta.url).pathname;
  child = spawn(process.execPath, [bin, "lsp", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  child.once("exit", (code) => {
    if (code !== null) throw new Error(`the server ended with ${code}`);
  });
  client = createProtocolConnection(new StreamMessageReader(child.stdout!), new StreamMessageWriter(child.stdin!));
  client.onNotification(PublishDiagnosticsNotification.type, (params) => {
    published.push(params);
    notify();
  });
  client.onRequest(RegistrationRequest.type, () => {});
  client.listen();
  await client.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: {},
    locale: "zh-cn",
    workspaceFolders: [{ uri: pathToFileURL(folder).href, name: "test" }],
  });
  await client.sendNotification(InitializedNotification.type, {});
  await client.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri: uriOf("leave.flow"), languageId: "flow", version: 1, text: FLOW },
  });
});

after(() => {
  client.dispose();
  child.kill();
  rmSync(folder, { recursive: true });
});

/** The diagnostics published next for the file that fulfil the condition. */
async function diagnostics(
  file: string,
  fits: (params: PublishDiagnosticsParams) => boolean,
): Promise<PublishDiagnosticsParams> {
  for (;;) {
    const found = published.find((params) => params.uri === uriOf(file) && fits(params));
    if (found) return found;
    const { promise, resolve } = Promise.withResolvers<void>();
    notify = resolve;
    await promise;
  }
}

/** Line and character of the nth occurrence of a text, and of a place in it. */
function place(text: string, part: string, occurrence = 0): { line: number; character: number } {
  let offset = -1;
  for (let count = 0; count <= occurrence; count++) offset = text.indexOf(part, offset + 1);
  const before = text.slice(0, offset).split("\n");
  return { line: before.length - 1, character: before.at(-1)!.length };
}

const at = (part: string, occurrence = 0) => ({
  textDocument: { uri: uriOf("leave.flow") },
  position: place(FLOW, part, occurrence),
});

async function change(version: number, text: string): Promise<void> {
  published.length = 0;
  await client.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri: uriOf("leave.flow"), version },
    contentChanges: [{ text }],
  });
}

test("a sound file has no errors", async () => {
  const { diagnostics: found } = await diagnostics("leave.flow", () => true);
  assert.deepEqual(
    found.filter(({ severity }) => severity === 1),
    [],
  );
});

test("hover tells who decides, and the doc comment of a flow", async () => {
  const state = await client.sendRequest(HoverRequest.type, at("REVIEW"));
  assert.match(JSON.stringify(state?.contents), /由 `signOff\(amount\)` 决定，期限 2 workdays/);
  const flow = await client.sendRequest(HoverRequest.type, at('"leave"'));
  assert.match(JSON.stringify(flow?.contents), /请假/);
  const matrix = await client.sendRequest(HoverRequest.type, at("signOff"));
  assert.match(JSON.stringify(matrix?.contents), /group\(/);
});

test("a name leads to its declaration, in another file too", async () => {
  const found = await client.sendRequest(DefinitionRequest.type, at("signOff"));
  assert.deepEqual(found, [
    { uri: uriOf("shared.flow"), range: { start: place(SHARED, "signOff"), end: place(SHARED, "(amount") } },
  ]);
});

test("references reach from the lines into the tests", async () => {
  const found = await client.sendRequest(ReferencesRequest.type, {
    ...at("REVIEW"),
    context: { includeDeclaration: true },
  });
  assert.equal(found?.length, FLOW.split("REVIEW").length - 1);
});

test("a file outside of the open folders is known with what it uses", async () => {
  const outside = mkdtempSync(join(tmpdir(), "assent-lsp-outside-"));
  try {
    writeFileSync(join(outside, "shared.flow"), SHARED);
    const textDocument = {
      uri: pathToFileURL(join(outside, "leave.flow")).href,
      languageId: "flow",
      version: 1,
      text: FLOW,
    };
    await client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    const matrix = await client.sendRequest(HoverRequest.type, { ...at("signOff"), textDocument });
    assert.match(JSON.stringify(matrix?.contents), /完整，各行互不重叠/);
  } finally {
    rmSync(outside, { recursive: true });
  }
});

test("the server speaks the language of the client", async () => {
  await assert.rejects(
    client.sendRequest(RenameRequest.type, { ...at("REVIEW"), newName: "APPROVED" }),
    /已经有另一个 `APPROVED`/,
  );
});

test("rename changes every reference", async () => {
  const edit = await client.sendRequest(RenameRequest.type, { ...at("REVIEW"), newName: "财务复核" });
  const edits = edit?.changes?.[uriOf("leave.flow")] ?? [];
  assert.equal(edits.length, FLOW.split("REVIEW").length - 1);
  assert.ok(edits.every(({ newText }) => newText === "财务复核"));
  await assert.rejects(client.sendRequest(RenameRequest.type, { ...at("REVIEW"), newName: "not a name" }));
});

test("completion fits the place", async () => {
  const inOptions = await client.sendRequest(CompletionRequest.type, at("due:"));
  const labels = (Array.isArray(inOptions) ? inOptions : (inOptions?.items ?? [])).map(({ label }) => label);
  assert.ok(labels.includes("overdue"), labels.join(" "));
  const line = await client.sendRequest(CompletionRequest.type, at("APPROVED on approved"));
  const states = (Array.isArray(line) ? line : (line?.items ?? [])).map(({ label }) => label);
  assert.ok(states.includes("REJECTED") && !states.includes("overdue"), states.join(" "));
  assert.match(JSON.stringify(inOptions), /从期限起计算的步骤。/, "in the language of the client");
});

test("completion knows the controls of other sources, and what templates ask for", async () => {
  const text = `document "slip" { template: "voucher"\n  \n}
source wecom "T-1" starts "leave" on "submit" { amount = control("") in yuan }
`;
  const textDocument = { uri: uriOf("slip.flow") };
  await client.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { ...textDocument, languageId: "flow", version: 1, text },
  });
  const labelsAt = async (line: number, character: number) => {
    const found = await client.sendRequest(CompletionRequest.type, { textDocument, position: { line, character } });
    return (Array.isArray(found) ? found : (found?.items ?? [])).map(({ label }) => label);
  };
  assert.ok((await labelsAt(1, 2)).includes("total"));
  assert.deepEqual((await labelsAt(3, text.split("\n")[3]!.indexOf('("') + 2)).filter(Boolean), ["Money-1"]);
});

test("outline, colours and notes in the line", async () => {
  const textDocument = { uri: uriOf("leave.flow") };
  const outline = (await client.sendRequest(DocumentSymbolRequest.type, { textDocument })) ?? [];
  assert.deepEqual(
    outline.map(({ name }) => name),
    ["leave", "small"],
  );
  const tokens = await client.sendRequest(SemanticTokensRequest.type, { textDocument });
  assert.ok((tokens?.data.length ?? 0) > 50);
  const inlays = await client.sendRequest(InlayHintRequest.type, {
    textDocument,
    range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
  });
  assert.match(JSON.stringify(inlays), /\[0, 5_000\)/);
});

test("a mistake is shown where it stands, with its fix, and goes away with it", async () => {
  const broken = FLOW.replace("REVIEW on", "REVEIW on");
  await change(2, broken);
  const { diagnostics: found } = await diagnostics("leave.flow", ({ diagnostics: list }) =>
    list.some(({ severity }) => severity === 1),
  );
  const [mistake] = found.filter(({ severity }) => severity === 1);
  assert.deepEqual(mistake?.range.start, place(broken, "REVEIW"));
  const actions = await client.sendRequest(CodeActionRequest.type, {
    textDocument: { uri: uriOf("leave.flow") },
    range: mistake!.range,
    context: { diagnostics: [] },
  });
  assert.match(JSON.stringify(actions), /"newText":"REVIEW"/);
  assert.match(String(mistake?.message), /没有状态 `REVEIW`/);
  await change(3, FLOW);
  await diagnostics("leave.flow", ({ diagnostics: list }) => list.every(({ severity }) => severity !== 1));
});

test("the mistake of a used file has no fix in the file that uses it", async () => {
  const broken = SHARED.replace("timezone", "timezome");
  published.length = 0;
  await client.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri: uriOf("shared.flow"), languageId: "flow", version: 1, text: broken },
  });
  await diagnostics("shared.flow", ({ diagnostics: list }) => list.some(({ severity }) => severity === 1));
  const found = await client.sendRequest(CodeActionRequest.type, {
    textDocument: { uri: uriOf("leave.flow") },
    range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
    context: { diagnostics: [] },
  });
  assert.doesNotMatch(JSON.stringify(found), /timezone/);
});

test("formatting gives the one layout", async () => {
  await change(4, FLOW.replace("  initial: DRAFT", "initial:DRAFT"));
  const edits = await client.sendRequest(DocumentFormattingRequest.type, {
    textDocument: { uri: uriOf("leave.flow") },
    options: { tabSize: 2, insertSpaces: true },
  });
  assert.match(JSON.stringify(edits), /\\n {2}initial: DRAFT\\n/);
});
