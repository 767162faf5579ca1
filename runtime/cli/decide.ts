import { Argument, Command, Option } from "commander";
import { type Io, UsageError } from "./io.ts";

interface Options {
  readonly to?: string;
  readonly people?: string;
  readonly where?: string;
  readonly all?: true;
  readonly advisory?: true;
  readonly text?: string;
  readonly reason?: string;
  readonly signature?: string;
  readonly onBehalfOf?: string;
  readonly data?: string;
  readonly choose?: string;
  readonly as?: string;
  readonly json?: boolean;
}

const DECISIONS = ["approve", "reject", "abstain", "handle", "return"];
const OPERATIONS = [
  "transfer",
  "delegate",
  "add",
  "remove",
  "claim",
  "release",
  "take-back",
  "urge",
  "comment",
  "ask",
  "cc",
];

export const decideCommand = (io: Io): Command =>
  new Command("decide")
    .description("decides a task, or does something else with it")
    .argument("<task>", "as `assent inbox` shows it")
    .addArgument(new Argument("<decision>").choices([...DECISIONS, ...OPERATIONS]))
    .option(
      "--to <target>",
      "return: initiator, a state, or the number of an earlier stage; transfer, delegate, ask: a person",
    )
    .option("--people <ids>", "add, remove, cc: people, comma separated")
    .addOption(
      new Option("--where <place>", "add: before, after or beside oneself").choices(["before", "after", "beside"]),
    )
    .option("--all", "add: each of them must agree")
    .option("--advisory", "add: they give advice only")
    .option("--text <text>", "comment, ask")
    .option("--reason <text>")
    .option("--signature <text>", "what signs it")
    .option("--on-behalf-of <user>", "the person for whom a deputy or delegate decides")
    .option("--data <json>", "fields that this decision sets")
    .option("--choose <json>", "people for the stages that let one choose")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--json", "one JSON value on standard output")
    .addHelpText(
      "after",
      `\nExample:\n  assent decide TASK reject --reason "not in the budget" --as bob\n  assent decide TASK add --where before --people dave,erin --as bob`,
    )
    .action(async (task: string, decision: string, options: Options) => {
      const { connect, readObject, respond } = await import("./client.ts");
      const { instanceText } = await import("./views.ts");
      const { as, json = false } = options;
      const data = readObject("--data", options.data);
      const choose = readObject("--choose", options.choose);
      const { path, body } = requestOf(decision, { ...options, data, choose });
      const client = connect(io, as);
      const url = `/v1/tasks/${encodeURIComponent(task)}/${path}`;
      io.exitCode = await respond(io, { json, text: instanceText }, () => client.post(url, body));
    });

type Given = Omit<Options, "data" | "choose"> & {
  readonly data: object | undefined;
  readonly choose: object | undefined;
};

/** @throws {UsageError} */
function requestOf(decision: string, given: Given): { readonly path: string; readonly body: object } {
  const { to, people, where, all, advisory, text, reason, signature, onBehalfOf, data, choose } = given;
  const list = people?.split(",").map((id) => id.trim());
  switch (decision) {
    case "transfer":
    case "delegate":
      return { path: decision, body: { to, reason, onBehalfOf } };
    case "add":
      return { path: "add", body: { where, people: list, all, advisory, reason, signature, onBehalfOf } };
    case "remove":
      if (list?.length !== 1) throw new UsageError("`remove` takes one person: `--people ID`");
      return { path: "remove", body: { person: list[0], reason } };
    case "claim":
    case "release":
    case "urge":
      return { path: decision, body: {} };
    case "take-back":
      return { path: "take-back", body: { reason } };
    case "comment":
      return { path: "comments", body: { text } };
    case "ask":
      return { path: "ask", body: { to, text } };
    case "cc":
      return { path: "cc", body: { people: list } };
    case "return":
      return { path: "decision", body: { decision, to: placeOf(to), reason, onBehalfOf } };
    default:
      return { path: "decision", body: { decision, reason, signature, onBehalfOf, data, choose } };
  }
}

const placeOf = (to: string | undefined): string | number | undefined =>
  to !== undefined && /^\d+$/.test(to) ? Number(to) : to;
