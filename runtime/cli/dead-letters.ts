import { Command } from "commander";
import type { Answer, Client } from "./client.ts";
import { counted, EXIT, type Io, printJson, UsageError } from "./io.ts";

interface Options {
  readonly state: string;
  readonly retry?: true;
  readonly discard?: true;
  readonly all?: true;
  readonly as?: string;
  readonly cursor?: string;
  readonly json?: boolean;
}

const HEADINGS = ["id", "kind", "state", "error"];

export const deadLettersCommand = (io: Io): Command =>
  new Command("dead-letters")
    .description("effects and messages that did not get through: look, send again, discard (administrators)")
    .argument("[id...]", "as the list shows them; without one, the list")
    .option("--state <state>", "of the list: pending, stuck or dead", "dead")
    .option("--retry", "sends them again")
    .option("--discard", "gives them up for good")
    .option("--all", "with --retry or --discard: all of the list")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--cursor <cursor>", "the next page of the list")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent dead-letters --retry --all --as admin")
    .action(async (ids: readonly string[], options: Options) => {
      io.exitCode = await deadLetters(ids, options, io);
    });

async function deadLetters(ids: readonly string[], options: Options, io: Io): Promise<number> {
  const { retry, discard, all, as, state, cursor, json = false } = options;
  if (retry && discard) throw new UsageError("`--retry` or `--discard`, not both");
  const what = retry ? "retry" : discard ? "discard" : undefined;
  if (all && (what === undefined || ids.length > 0))
    throw new UsageError("`--all` stands with `--retry` or `--discard`, and without ids");
  if (what !== undefined && !all && ids.length === 0) throw new UsageError(`which? Name ids, or \`--all\``);
  const { connect, respond } = await import("./client.ts");
  const client = connect(io, as);
  if (what !== undefined) return each(client, all ? undefined : ids, { what, state, json }, io);
  const { pageText } = await import("./views.ts");
  if (ids.length === 0) {
    const show = { json, text: (page: object) => pageText({ ...page }, HEADINGS, "nothing here") };
    return respond(io, show, () => client.get("/v1/effects", { state, cursor }));
  }
  const text = (body: object) => JSON.stringify(body, undefined, 2);
  const codes: number[] = [];
  for (const id of ids) codes.push(await respond(io, { json, text }, () => client.get(pathOf(id))));
  return Math.max(...codes);
}

interface Wish {
  readonly what: "retry" | "discard";
  readonly state: string;
  readonly json: boolean;
}

/** One after the other; what is refused is told, and the others go on. */
async function each(client: Client, ids: readonly string[] | undefined, wish: Wish, io: Io): Promise<number> {
  const { Unreachable } = await import("./client.ts");
  try {
    const results: object[] = [];
    for (const id of ids ?? (await allIds(client, wish.state))) {
      const { ok, body } = await client.post(`${pathOf(id)}/${wish.what}`, {});
      results.push({ id, ok, ...(!ok && { code: body["code"], detail: body["detail"] }) });
      if (!ok) io.err(`${id}: refused (${String(body["code"])}): ${String(body["detail"])}`);
    }
    const failed = results.filter((result) => !("ok" in result) || result.ok !== true).length;
    if (wish.json) printJson(io, { items: results });
    else {
      const did = wish.what === "retry" ? "sent again" : "discarded";
      io.out(`${counted(results.length - failed, "letter")} ${did}${failed > 0 ? `, ${failed} refused` : ""}`);
    }
    return failed > 0 ? EXIT.no : EXIT.ok;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    if (wish.json) printJson(io, { code: "unreachable", detail: error.message });
    io.err(`error: ${error.message}`);
    return EXIT.unreachable;
  }
}

/** Read to the end before anything is done: what is sent again and refused comes back to the list. */
async function allIds(client: Client, state: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const { ok, body }: Answer = await client.get("/v1/effects", { state, cursor, limit: "200" });
    if (!ok) throw new UsageError(`the list can't be read: ${String(body["detail"])}`);
    ids.push(...(body["items"] as readonly { readonly id: string }[]).map(({ id }) => id));
    cursor = body["cursor"] as string | undefined;
  } while (cursor !== undefined);
  return ids;
}

const pathOf = (id: string): string => `/v1/effects/${encodeURIComponent(id)}`;
