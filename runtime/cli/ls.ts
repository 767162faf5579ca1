import { Command } from "commander";
import type { Io } from "./io.ts";

interface Options {
  readonly flow?: string;
  readonly state?: string;
  readonly as?: string;
  readonly cursor?: string;
  readonly json?: boolean;
}

const HEADINGS = ["id", "flow", "key", "state", "initiator", "updatedAt"];

export const lsCommand = (io: Io): Command =>
  new Command("ls")
    .description("instances: one's own, an administrator sees all")
    .option("--flow <name>")
    .option("--state <name>")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--cursor <cursor>", "the next page")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent ls --flow my-flow --state MANAGER --as admin")
    .action(async ({ as, flow, state, cursor, json = false }: Options) => {
      const { connect, respond } = await import("./client.ts");
      const { pageText } = await import("./views.ts");
      const client = connect(io, as);
      const show = { json, text: (page: object) => pageText({ ...page }, HEADINGS, "no instances") };
      io.exitCode = await respond(io, show, () => client.get("/v1/instances", { flow, state, cursor }));
    });
