import { Command } from "commander";
import type { Io } from "./io.ts";

interface Options {
  readonly as?: string;
  readonly cursor?: string;
  readonly json?: boolean;
}

const HEADINGS = ["id", "flow", "state", "openedAt", "dueAt"];

export const inboxCommand = (io: Io): Command =>
  new Command("inbox")
    .description("open tasks of the caller")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--cursor <cursor>", "the next page")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent inbox --as bob")
    .action(async ({ as, cursor, json = false }: Options) => {
      const { connect, respond } = await import("./client.ts");
      const { pageText } = await import("./views.ts");
      const client = connect(io, as);
      const show = { json, text: (page: object) => pageText({ ...page }, HEADINGS, "nothing to decide") };
      io.exitCode = await respond(io, show, () => client.get("/v1/tasks", { assignee: "me", status: "open", cursor }));
    });
