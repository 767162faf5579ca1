import { Command } from "commander";
import type { Answer, Client } from "./client.ts";
import type { Io } from "./io.ts";

interface Options {
  readonly history?: true;
  readonly as?: string;
  readonly json?: boolean;
}

export const showCommand = (io: Io): Command =>
  new Command("show")
    .description("an instance: its state, data, tasks and documents")
    .argument("<instance>", "its id, as `assent ls` shows it")
    .option("--history", "everything that happened to it, too")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent show INSTANCE --history --as alice")
    .action(async (instance: string, { as, history, json = false }: Options) => {
      const { connect, respond } = await import("./client.ts");
      const { historyText, instanceText } = await import("./views.ts");
      const client = connect(io, as);
      const text = ({ history: items, ...shown }: Answer["body"]): string =>
        instanceText(shown) + (items === undefined ? "" : `\n\n${historyText(items as readonly Answer["body"][])}`);
      io.exitCode = await respond(io, { json, text }, () => look(client, instance, history === true));
    });

/** The instance, with its history under `history` if that is wanted. */
async function look(client: Client, instance: string, withHistory: boolean): Promise<Answer> {
  const path = `/v1/instances/${encodeURIComponent(instance)}`;
  const shown = await client.get(path);
  if (!shown.ok || !withHistory) return shown;
  const history = await client.get(`${path}/history`);
  return history.ok ? { ...shown, body: { ...shown.body, history: history.body["items"] } } : history;
}
