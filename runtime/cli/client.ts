import { randomUUID } from "node:crypto";
import { readDevTokens } from "../dev-tokens.ts";
import { readClientSettings } from "../settings.ts";
import { readConfigFile } from "./config-file.ts";
import { EXIT, type Io, messageOf, paint, printJson, UsageError } from "./io.ts";

const DEFAULT_URL = "http://127.0.0.1:7400";
const TIMEOUT_MS = 30_000;

/** A node's answer; a refusal or another problem has `ok: false` and RFC 9457's fields in `body`. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Client {
  /** Claims of the token that name the caller's tenant. */
  readonly tenant: string;
  /** @throws {Unreachable} */
  get(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<Answer>;
  /** One command: repeating it within this call is recognized. @throws {Unreachable} */
  post(path: string, body: object): Promise<Answer>;
}

/** There is no node, or it did not answer: exit code 3. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** A client for the node that the settings name, as USER in `--dev`. @throws {UsageError} */
export function connect(io: Io, as: string | undefined): Client {
  const read = readClientSettings({ flags: {}, env: io.env, file: readConfigFile() });
  if ("errors" in read) throw new UsageError(read.errors.join("\n"));
  const { url, token } = read.client;
  const dev = as === undefined ? undefined : devToken(as);
  const bearer = dev?.token ?? token;
  if (bearer === undefined)
    throw new UsageError("who acts? Set `ASSENT_TOKEN`, or `--as USER` for a node with `--dev`");
  return clientOf(url ?? dev?.url ?? DEFAULT_URL, bearer);
}

function devToken(user: string): { readonly url: string; readonly token: string } {
  const found = readDevTokens();
  if (!found) throw new UsageError("`--as` needs a node with `--dev` on this machine; none has left its tokens");
  const token = Object.hasOwn(found.tokens, user) ? found.tokens[user] : undefined;
  if (token !== undefined) return { url: found.url, token };
  throw new UsageError(`\`--as\` knows ${Object.keys(found.tokens).join(", ")}, not \`${user}\``);
}

function clientOf(base: string, token: string): Client {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  return {
    tenant: tenantOf(token),
    get(path, query = {}) {
      const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
      const search = new URLSearchParams(given).toString();
      return ask(base, search === "" ? path : `${path}?${search}`, { headers });
    },
    post: (path, body) =>
      ask(base, path, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json", "idempotency-key": randomUUID() },
        body: JSON.stringify(body),
      }),
  };
}

async function ask(base: string, path: string, init: RequestInit): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(base + path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Unreachable(`can't reach ${base}: ${messageOf(cause)}`);
  }
  if (response.status === 503) throw new Unreachable(`${base} can't answer now: ${detailOf(parse(text, base))}`);
  return { ok: response.ok, status: response.status, body: parse(text, base) };
}

function parse(text: string, base: string): Answer["body"] {
  try {
    return JSON.parse(text) as Answer["body"];
  } catch {
    throw new Unreachable(`what answers at ${base} is not an Assent node`);
  }
}

/** The claim, unverified: the node verifies it. An instance's id is made of it. */
function tenantOf(token: string): string {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as {
      tenant?: unknown;
    };
    return typeof claims.tenant === "string" ? claims.tenant : "default";
  } catch {
    return "default";
  }
}

const detailOf = (body: Answer["body"]): string => String(body["detail"] ?? body["title"] ?? "no reason was given");

export interface Show {
  readonly json: boolean;
  /** For people. */
  text(body: Answer["body"]): string;
}

/** Runs a client command to its exit code: the answer, or why there is none. */
export async function respond(io: Io, { json, text }: Show, work: () => Promise<Answer>): Promise<number> {
  try {
    const { ok, body } = await work();
    if (json) printJson(io, body);
    else if (ok) io.out(text(body));
    if (ok) return EXIT.ok;
    io.err(`${paint(io, "red", "refused")} (${String(body["code"])}): ${detailOf(body)}`);
    return EXIT.no;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    if (json) printJson(io, { code: "unreachable", detail: error.message });
    io.err(`error: ${error.message}`);
    return EXIT.unreachable;
  }
}

/** A JSON object as an option gives it. @throws {UsageError} */
export function readObject(option: string, text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, like every other value that is no object.
  }
  throw new UsageError(`\`${option}\` must be a JSON object like '{"amount": "120.00"}', not \`${text}\``);
}
