import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ApprovalForm } from "./purchase-contract-form.ts";

/** What runs in the place of `qyapi.weixin.qq.com`: tokens, approval forms, messages, in WeCom's shapes. */
export interface WecomStandIn {
  /** For `ASSENT_WECOM_<APP>_API`. */
  readonly url: string;
  /** Adds a form, or puts it in the place of the one with its number. */
  put(form: ApprovalForm): void;
  /** As when WeCom takes tokens back early: those given so far answer 42001. */
  expireTokens(): void;
  /** Calls so far, by path under `/cgi-bin`. */
  calls(path: string): number;
  /** Bodies of `message/send`. */
  readonly messages: readonly unknown[];
  close(): Promise<void>;
}

export interface WecomStandInOptions {
  readonly corpId: string;
  readonly secret: string;
  readonly forms?: readonly ApprovalForm[];
  /** Default: any free one. */
  readonly port?: number;
}

/** Starts it on loopback. */
export async function startWecomStandIn(options: WecomStandInOptions): Promise<WecomStandIn> {
  const state: State = {
    options,
    forms: new Map(options.forms?.map((form) => [form.sp_no, form])),
    tokens: new Map(),
    calls: new Map(),
    messages: [],
  };
  const server = createServer((request, response) => void respond(state, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    put: (form) => void state.forms.set(form.sp_no, form),
    expireTokens: () => {
      for (const token of state.tokens.keys()) state.tokens.set(token, "expired");
    },
    calls: (path) => state.calls.get(path) ?? 0,
    messages: state.messages,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface State {
  readonly options: WecomStandInOptions;
  readonly forms: Map<string, ApprovalForm>;
  readonly tokens: Map<string, "good" | "expired">;
  readonly calls: Map<string, number>;
  readonly messages: unknown[];
}

const BODY_BYTES_MAX = 1024 * 1024;
const TOKEN_SECONDS = 7200;

/** WeCom answers 200 whatever happened; `errcode` says what. */
async function respond(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  const path = pathname.replace(/^\/cgi-bin\//, "");
  state.calls.set(path, (state.calls.get(path) ?? 0) + 1);
  const answer = answerTo(state, path, searchParams, await bodyOf(request));
  response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(answer ?? {}));
}

function answerTo(state: State, path: string, query: URLSearchParams, body: unknown): object | undefined {
  if (path === "gettoken") return giveToken(state, query);
  if (path !== "oa/getapprovaldetail" && path !== "message/send") return undefined;
  const token = state.tokens.get(query.get("access_token") ?? "");
  if (token === undefined) return failure(40014, "invalid access_token");
  if (token === "expired") return failure(42001, "access_token expired");
  return path === "message/send" ? sendMessage(state, body) : approvalDetail(state, body);
}

function giveToken({ options, tokens }: State, query: URLSearchParams): object {
  if (query.get("corpid") !== options.corpId) return failure(40013, "invalid corpid");
  if (query.get("corpsecret") !== options.secret) return failure(40001, "invalid credential");
  const token = randomUUID();
  tokens.set(token, "good");
  return { errcode: 0, errmsg: "ok", access_token: token, expires_in: TOKEN_SECONDS };
}

function approvalDetail({ forms }: State, body: unknown): object {
  const info = forms.get(String((body as { readonly sp_no?: unknown } | null)?.sp_no));
  return info === undefined ? failure(301025, "get approval param error") : { errcode: 0, errmsg: "ok", info };
}

function sendMessage({ messages }: State, body: unknown): object {
  messages.push(body);
  return { errcode: 0, errmsg: "ok", invaliduser: "", invalidparty: "", invalidtag: "", msgid: randomUUID() };
}

function failure(errcode: number, errmsg: string): object {
  return { errcode, errmsg };
}

/** The JSON of a body; null for none, for what is no JSON, and for too much. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return null;
  }
}
