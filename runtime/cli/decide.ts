import { Argument, Command } from "commander";
import type { Io } from "./io.ts";

interface Options {
  readonly to?: string;
  readonly reason?: string;
  readonly data?: string;
  readonly choose?: string;
  readonly as?: string;
  readonly json?: boolean;
}

export const decideCommand = (io: Io): Command =>
  new Command("decide")
    .description("decides a task")
    .argument("<task>", "as `assent inbox` shows it")
    .addArgument(new Argument("<decision>").choices(["approve", "reject", "abstain", "return"]))
    .option("--to <place>", "return: initiator, a state, or the number of an earlier stage")
    .option("--reason <text>")
    .option("--data <json>", "fields that this decision sets")
    .option("--choose <json>", "people for the stages that let one choose")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", `\nExample:\n  assent decide TASK reject --reason "not in the budget" --as bob`)
    .action(async (task: string, decision: string, options: Options) => {
      const { connect, readObject, respond } = await import("./client.ts");
      const { instanceText } = await import("./views.ts");
      const { to, reason, json = false } = options;
      const body = {
        decision,
        reason,
        to: to !== undefined && /^\d+$/.test(to) ? Number(to) : to,
        data: readObject("--data", options.data),
        choose: readObject("--choose", options.choose),
      };
      const client = connect(io, options.as);
      const path = `/v1/tasks/${encodeURIComponent(task)}/decision`;
      io.exitCode = await respond(io, { json, text: instanceText }, () => client.post(path, body));
    });
