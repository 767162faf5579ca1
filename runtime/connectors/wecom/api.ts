import { z } from "zod";
import type { EpochMs } from "../../../engine/index.ts";
import type { WecomApp } from "./app.ts";
import { type ApprovalDetail, readDetail } from "./form.ts";

/** What became of a call. Reasons never hold a token or a secret. */
export type ApiOutcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly retry: true; readonly afterMs: number; readonly reason: string }
  /** It would go wrong again: somebody has to change something. */
  | { readonly ok: false; readonly retry: false; readonly reason: string };

/** WeCom's API (document/path/90664 and after), for all apps of the node. */
export interface WecomApi {
  /** The whole form of an approval number. */
  approvalDetail(app: WecomApp, spNo: string, signal?: AbortSignal): Promise<ApiOutcome<ApprovalDetail>>;
  /**
   * A text to people, of an app with an `agentId` (document/path/90236). WeCom drops a repetition within half an hour.
   * @param to user ids, at most {@link MESSAGE_USERS_MAX}. @param text at most 2048 bytes; WeCom cuts off the rest.
   */
  sendText(app: WecomApp, to: readonly string[], text: string, signal?: AbortSignal): Promise<ApiOutcome<undefined>>;
}

export interface WecomApiOptions {
  readonly clock: { now(): EpochMs };
  /** Of one HTTP exchange. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/** How an errcode is to be handled ("全局错误码" 90313, "访问频率限制" 90312). The code decides, never the text. */
export type ErrcodeClass =
  | { readonly kind: "ok" | "token" | "refused" }
  | { readonly kind: "retry"; readonly afterMs: number };

export function classifyErrcode(code: number): ErrcodeClass {
  if (code === 0) return { kind: "ok" };
  if (code === 40014 || code === 42001) return { kind: "token" };
  const afterMs = RETRY_AFTER_MS[code];
  return afterMs === undefined ? { kind: "refused" } : { kind: "retry", afterMs };
}

export function wecomApi({ clock, timeoutMs = TIMEOUT_MS, fetch = globalThis.fetch }: WecomApiOptions): WecomApi {
  const exchange: ExchangeWith = (app, path, query, init, signal) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const url = `${app.api.replace(/\/+$/, "")}/cgi-bin${path}?${new URLSearchParams(query)}`;
    const within = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    return exchangeJson(fetch, path, url, { ...init, signal: within });
  };
  const tokens = tokenCache(clock, (app) => fetchToken(app, exchange));

  async function post(app: WecomApp, path: string, body: unknown, signal?: AbortSignal): Promise<ApiOutcome<unknown>> {
    for (let attempt = 1; ; attempt++) {
      const token = await tokens.get(app);
      if (!token.ok) return token;
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const answer = await exchange(app, path, { access_token: token.value }, init, signal);
      if (answer.kind !== "answered") return answer.outcome;
      const outcome = judge(answer, path, [token.value, app.secret]);
      if (outcome !== "token") return outcome;
      tokens.drop(app, token.value);
      if (attempt === TOKEN_ATTEMPTS) return retry(RETRY_AFTER_MS[-1]!, `${path}: WeCom refuses a token it just gave`);
    }
  }

  return {
    async approvalDetail(app, spNo, signal) {
      const answer = await post(app, "/oa/getapprovaldetail", { sp_no: spNo }, signal);
      if (!answer.ok) return answer;
      const read = readDetail(answer.value);
      return read.ok ? { ok: true, value: read.detail } : refuse(read.reason);
    },
    async sendText(app, to, text, signal) {
      const message = { touser: to.join("|"), msgtype: "text", agentid: app.agentId, text: { content: text } };
      const answer = await post(app, "/message/send", { ...message, enable_duplicate_check: 1 }, signal);
      return answer.ok ? { ok: true, value: undefined } : answer;
    },
  };
}

/** People that one message may go to. */
export const MESSAGE_USERS_MAX = 1_000;

const TIMEOUT_MS = 10_000;
/** A token that was refused is fetched anew once, and the call repeated once. */
const TOKEN_ATTEMPTS = 2;
/** A token is not used in its last minutes: WeCom's clock and ours differ. */
const TOKEN_MARGIN_MS = 5 * 60 * 1000;
/** A wrong secret is not tried again for so long: repeated ones block the address for an hour. */
const REFUSED_TOKEN_MS = 60 * 1000;
const UNREACHABLE_AFTER_MS = 1000;

/** Worth another try, and when: busy, internal errors, too many at once, the limit per minute. */
const RETRY_AFTER_MS: Readonly<Record<number, number>> = {
  [-1]: 1000,
  6000: 1000,
  301026: 1000,
  45033: 2000,
  45009: 60_000,
};

/** What an operator should look at. */
const ADVICE: Readonly<Record<number, string>> = {
  40001: "the app's secret is wrong",
  40013: "the corp id is wrong",
  48002: "the app may not use this API",
  48006: "the app's right to this API was withdrawn",
  81013: "none of the people is known to WeCom or may see the app",
  60020: "this node's address is not among the app's trusted addresses",
  301025: "WeCom does not know the approval number, or the request is wrong",
  301055: "the app is not among those that may read approvals, or the person has left",
  301056: "the approval app is switched off",
};

type Exchange =
  | { readonly kind: "answered"; readonly errcode: number; readonly errmsg: string; readonly body: unknown }
  | { readonly kind: "failed"; readonly outcome: ApiOutcome<never> };

type ExchangeWith = (
  app: WecomApp,
  path: string,
  query: Readonly<Record<string, string>>,
  init: RequestInit,
  signal?: AbortSignal,
) => Promise<Exchange>;

const answerSchema = z.looseObject({ errcode: z.number().default(0), errmsg: z.string().default("") });
const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** HTTP 200 always carries an errcode; what is not JSON comes from something in between. */
async function exchangeJson(
  fetch: typeof globalThis.fetch,
  path: string,
  url: string,
  init: RequestInit,
): Promise<Exchange> {
  const failed = (outcome: ApiOutcome<never>): Exchange => ({ kind: "failed", outcome });
  try {
    // A redirect would carry the token in the address to somewhere else.
    const response = await fetch(url, { ...init, redirect: "error" });
    const text = await response.text();
    if (response.status === 429) return failed(retry(RETRY_AFTER_MS[45009]!, `${path}: HTTP 429`));
    if (response.status >= 400 && response.status < 500) return failed(refuse(`${path}: HTTP ${response.status}`));
    if (!response.ok) return failed(retry(UNREACHABLE_AFTER_MS, `${path}: HTTP ${response.status}`));
    const body: unknown = JSON.parse(text);
    const answer = answerSchema.parse(body);
    return { kind: "answered", errcode: answer.errcode, errmsg: answer.errmsg, body };
  } catch (error) {
    return failed(retry(UNREACHABLE_AFTER_MS, `${path}: ${failureOf(error)}`));
  }
}

/** In our own words: a message of `fetch` may quote the address, and with it the secret. */
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return "WeCom can't be reached";
  if (error.name === "TimeoutError") return "WeCom did not answer in time";
  if (error.name === "AbortError") return "stopped";
  if (error instanceof SyntaxError || error instanceof z.ZodError) return "the answer is not WeCom's JSON";
  const code: unknown = (error.cause as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "string" ? `WeCom can't be reached (${code})` : "WeCom can't be reached";
}

function judge(
  answer: Exchange & { kind: "answered" },
  path: string,
  secrets: readonly string[],
): ApiOutcome<unknown> | "token" {
  const { errcode } = answer;
  const handling = classifyErrcode(errcode);
  if (handling.kind === "ok") return { ok: true, value: answer.body };
  if (handling.kind === "token") return "token";
  const hidden = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]).filter((secret) => secret !== "");
  const said = hidden.reduce((text, secret) => text.replaceAll(secret, "***"), answer.errmsg).slice(0, 200);
  const reason = `${path}: errcode ${errcode}${ADVICE[errcode] ? `, ${ADVICE[errcode]}` : ""} (${said})`;
  return handling.kind === "retry" ? retry(handling.afterMs, reason) : refuse(reason);
}

async function fetchToken(
  app: WecomApp,
  exchange: ExchangeWith,
): Promise<ApiOutcome<{ readonly token: string; readonly expiresInMs: number }>> {
  const query = { corpid: app.corpId, corpsecret: app.secret };
  const answer = await exchange(app, "/gettoken", query, { method: "GET" });
  if (answer.kind === "failed") return answer.outcome;
  const outcome = judge(answer, "/gettoken", [app.secret]);
  if (outcome === "token") return refuse(`/gettoken: errcode ${answer.errcode}`);
  if (!outcome.ok) return outcome;
  const read = tokenSchema.safeParse(outcome.value);
  if (!read.success) return retry(UNREACHABLE_AFTER_MS, "/gettoken: the answer holds no token");
  return { ok: true, value: { token: read.data.access_token, expiresInMs: read.data.expires_in * 1000 } };
}

/** One token per corp and secret, fetched by the first who needs it while the others wait for the same answer. */
function tokenCache(clock: WecomApiOptions["clock"], fetchOne: (app: WecomApp) => ReturnType<typeof fetchToken>) {
  interface Entry {
    readonly outcome: Promise<ApiOutcome<string>>;
    token?: string;
    freshUntil: EpochMs;
  }
  const entries = new Map<string, Entry>();
  const keyOf = (app: WecomApp) => JSON.stringify([app.api, app.corpId, app.secret]);

  function fetchInto(app: WecomApp): Entry {
    const fetched = fetchOne(app);
    const entry: Entry = {
      freshUntil: Number.POSITIVE_INFINITY,
      outcome: fetched.then((answer) => {
        if (!answer.ok) {
          entry.freshUntil = answer.retry ? 0 : clock.now() + REFUSED_TOKEN_MS;
          return answer;
        }
        const { token, expiresInMs } = answer.value;
        entry.token = token;
        entry.freshUntil = clock.now() + expiresInMs - Math.min(TOKEN_MARGIN_MS, expiresInMs / 2);
        return { ok: true, value: token };
      }),
    };
    entries.set(keyOf(app), entry);
    return entry;
  }

  return {
    get(app: WecomApp): Promise<ApiOutcome<string>> {
      const entry = entries.get(keyOf(app));
      return (entry !== undefined && clock.now() < entry.freshUntil ? entry : fetchInto(app)).outcome;
    },
    /** Forgets this token, unless somebody has fetched another one since. */
    drop(app: WecomApp, token: string): void {
      if (entries.get(keyOf(app))?.token === token) entries.delete(keyOf(app));
    },
  };
}

function retry(afterMs: number, reason: string): ApiOutcome<never> {
  return { ok: false, retry: true, afterMs, reason };
}

function refuse(reason: string): ApiOutcome<never> {
  return { ok: false, retry: false, reason };
}
