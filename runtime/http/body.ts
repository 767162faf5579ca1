import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { whyNotJson } from "../json-error.ts";
import { type Problem, problem } from "./problem.ts";

export const BODY_BYTES_MAX = 1024 * 1024;
/** Deepest nesting of arrays and objects; nothing that a flow can declare comes near it. */
export const NESTING_MAX = 64;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The whole body, at most {@link BODY_BYTES_MAX}. What comes after the limit is thrown away unread. */
export function readBody(request: IncomingMessage): Promise<Buffer | Problem> {
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES_MAX) {
    request.resume();
    return Promise.resolve(tooLarge());
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
      else resolve(tooLarge());
    });
    request.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on("error", () => resolve(malformed("the body ended before it was complete")));
  });
}

/** The body as JSON; an empty one counts as `{}`. */
export async function readJson(request: IncomingMessage): Promise<{ readonly json: unknown } | Problem> {
  const { "content-type": type, "content-encoding": encoding } = request.headers;
  if (type !== undefined && !JSON_TYPE.test(type)) return unsupported(`the body is \`${type}\`; send application/json`);
  if (encoding !== undefined && encoding !== "identity") {
    return unsupported(`the body is compressed with \`${encoding}\`; send it as it is`);
  }
  const body = await readBody(request);
  if (!Buffer.isBuffer(body)) return body;
  if (body.length === 0) return { json: {} };
  if (type === undefined) return unsupported("the body has no Content-Type; send application/json");
  return parseJson(body);
}

function parseJson(body: Buffer): { readonly json: unknown } | Problem {
  if (!isUtf8(body)) return malformed("the body is not UTF-8");
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch (error) {
    return malformed(`the body is not JSON: ${whyNotJson(error)}`);
  }
  const mayBeDeep = body.length > 2 * NESTING_MAX; // Each level is two brackets at least.
  return mayBeDeep && isDeeper(json, NESTING_MAX)
    ? malformed(`the body is nested deeper than ${NESTING_MAX}`)
    : { json };
}

function isDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (levels === 0) return true;
  for (const value of Object.values(json)) if (isDeeper(value, levels - 1)) return true;
  return false;
}

const malformed = (detail: string): Problem => problem(400, "malformed-body", detail);
const unsupported = (detail: string): Problem => problem(415, "unsupported-media-type", detail);
const tooLarge = (): Problem => problem(413, "body-too-large", `the body is larger than ${BODY_BYTES_MAX} bytes`);
