import { Command } from "commander";
import type { Answer, Client } from "./client.ts";
import { columns, counted, EXIT, type Io, printJson, UsageError } from "./io.ts";

interface Options {
  readonly to: string;
  readonly flow?: string;
  readonly reason?: string;
  readonly dryRun?: true;
  readonly as?: string;
  readonly json?: boolean;
}

export const migrateCommand = (io: Io): Command =>
  new Command("migrate")
    .description("moves running instances to another version of their flow (administrators)")
    .argument("[instance...]", "their ids; or all of a flow, by `--flow`")
    .requiredOption("--to <label>", "label of the version to go on with")
    .option("--flow <name>", "all instances of this flow that run")
    .option("--reason <text>", "for their history; needed unless nothing is done")
    .option("--dry-run", "only tells what would happen to each")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent migrate --flow my-flow --to 2.0 --dry-run --as admin")
    .action(async (ids: readonly string[], options: Options) => {
      io.exitCode = await migrate(ids, options, io);
    });

async function migrate(ids: readonly string[], options: Options, io: Io): Promise<number> {
  const { flow, dryRun = false, reason, as, json = false } = options;
  if ((ids.length === 0) === (flow === undefined))
    throw new UsageError("which? Name instances, or all of a flow by `--flow`");
  if (!dryRun && reason === undefined) throw new UsageError("`--reason` is missing: it goes into their history");
  const { connect, Unreachable } = await import("./client.ts");
  const client = connect(io, as);
  try {
    const results: Result[] = [];
    for (const id of flow === undefined ? ids : await runningOf(client, flow))
      results.push(await one(client, id, options));
    if (json) printJson(io, { items: results });
    else io.out(textOf(results, dryRun));
    return results.every(({ moves }) => moves) ? EXIT.ok : EXIT.no;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    if (json) printJson(io, { code: "unreachable", detail: error.message });
    io.err(`error: ${error.message}`);
    return EXIT.unreachable;
  }
}

interface Result {
  readonly instance: string;
  readonly moves: boolean;
  /** Where it stands, or why it stays. */
  readonly detail: string;
}

async function one(client: Client, instance: string, { to: label, dryRun, reason }: Options): Promise<Result> {
  const path = `/v1/instances/${encodeURIComponent(instance)}/migrate`;
  const { ok, body } = await client.post(path, { label, reason, ...(dryRun && { dryRun }) });
  if (!ok || body["moves"] === false) return { instance, moves: false, detail: `${body["code"]}: ${body["detail"]}` };
  return { instance, moves: true, detail: dryRun ? forecastText(body) : String(body["state"]) };
}

interface Forecast {
  readonly states?: readonly {
    readonly in?: string;
    readonly from: string;
    readonly to: string;
    readonly keeps: boolean;
  }[];
  readonly drops?: readonly string[];
  readonly fills?: readonly string[];
}

function forecastText(body: Answer["body"]): string {
  const { states = [], drops = [], fills = [] } = body as Forecast;
  const moves = states.map(({ in: place, from, to, keeps }) => {
    const where = place === undefined ? "" : `${place.replaceAll("/", ".")}.`;
    return `${where}${from === to ? from : `${from} → ${to}`}${keeps ? "" : " (begins anew)"}`;
  });
  const lost = drops.length > 0 ? [`leaves behind ${drops.join(", ")}`] : [];
  const filled = fills.length > 0 ? [`fills in ${fills.join(", ")}`] : [];
  return [...moves, ...lost, ...filled].join("; ");
}

function textOf(results: readonly Result[], dryRun: boolean): string {
  const moved = results.filter(({ moves }) => moves).length;
  const did = dryRun ? "would move" : "moved";
  const rest = results.length - moved;
  const sum = `${counted(moved, "instance")} ${did}${rest > 0 ? `, ${rest} ${dryRun ? "would stay" : "stayed"}` : ""}`;
  const rows = results.map(({ instance, moves, detail }) => [instance, moves ? did : "stays", detail]);
  return rows.length === 0 ? "no instances" : `${columns(rows)}\n${sum}`;
}

/** Read to the end before anything is done. */
async function runningOf(client: Client, flow: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const { ok, body }: Answer = await client.get("/v1/instances", { flow, cursor, limit: "200" });
    if (!ok) throw new UsageError(`the list can't be read: ${String(body["detail"])}`);
    const items = body["items"] as readonly { readonly id: string; readonly outcome?: string }[];
    ids.push(...items.flatMap(({ id, outcome }) => (outcome === undefined ? id : [])));
    cursor = body["cursor"] as string | undefined;
  } while (cursor !== undefined);
  return ids;
}
