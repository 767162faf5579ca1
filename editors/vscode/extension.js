// The extension: starts `assent lsp` and connects the editor to it.
const { workspace } = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

exports.activate = async () => {
  const [command, ...args] = workspace.getConfiguration("assent").get("command");
  client = new LanguageClient(
    "assent",
    "Assent",
    { command, args, transport: TransportKind.stdio },
    { documentSelector: [{ language: "flow" }] },
  );
  await client.start();
};

exports.deactivate = () => client?.stop();
