import { inflateRawSync } from "node:zlib";
import type { NodeProcess } from "./node-process.ts";

export interface TaskView {
  readonly id: string;
  readonly assignee: string;
  readonly status: string;
}

export interface InstanceView {
  readonly id: string;
  readonly key: string;
  readonly state: string;
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly tasks: readonly TaskView[];
}

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export type Line = Readonly<Record<string, unknown>> & {
  readonly kind: string;
  readonly text: string;
  readonly at: string;
};

const WAIT_MS = 20_000;

/** The HTTP API as the people of the demo use it. */
export class Client {
  readonly #node: NodeProcess;

  constructor(node: NodeProcess) {
    this.#node = node;
  }

  get<T>(user: string, path: string): Promise<T> {
    return this.#json<T>(user, path, { method: "GET" });
  }

  post<T>(user: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.#json<T>(user, path, { method: "POST", body: JSON.stringify(body), headers });
  }

  decide(user: string, task: string, decision: string): Promise<InstanceView> {
    return this.post<InstanceView>(user, `/v1/tasks/${task}/decision`, { decision });
  }

  async inbox(user: string): Promise<readonly TaskView[]> {
    const { items } = await this.get<{ items: TaskView[] }>(user, "/v1/tasks?assignee=me&status=open");
    return items;
  }

  /** The problem that a command is refused with. @throws if it is accepted. */
  async refused(user: string, path: string, body: unknown): Promise<Problem> {
    const response = await this.#fetch(user, path, { method: "POST", body: JSON.stringify(body) });
    if (response.ok) throw new Error(`${path} should have been refused`);
    return (await response.json()) as Problem;
  }

  /** The lines of the history, oldest first. */
  async story(user: string, instance: string): Promise<readonly Line[]> {
    const { items } = await this.get<{ items: { at: string; lines: Line[] }[] }>(
      user,
      `/v1/instances/${instance}/history`,
    );
    return items.flatMap(({ at, lines }) => lines.map((line) => ({ ...line, at })));
  }

  /** What needs no identity. */
  async text(path: string): Promise<string> {
    return (await fetch(`${this.#node.url}${path}`)).text();
  }

  async download(user: string, path: string): Promise<Uint8Array> {
    const response = await this.#fetch(user, path, { method: "GET" });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** The text of a Word document: that of the main part, without its markup. */
  docxText(bytes: Uint8Array): string {
    const zip = Buffer.from(bytes);
    const name = Buffer.from("word/document.xml");
    // The central directory names each part with its place; 46 bytes of header stand before the name.
    const entry = zip.lastIndexOf(name) - 46;
    const local = zip.readUInt32LE(entry + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const part = zip.subarray(start, start + zip.readUInt32LE(entry + 20));
    const xml = zip.readUInt16LE(entry + 10) === 8 ? inflateRawSync(part) : part;
    return xml.toString("utf8").replaceAll(/<[^>]+>/g, "");
  }

  /** Asks until there is an answer. @throws after 20 s. */
  async until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + WAIT_MS;
    while (performance.now() < deadline) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`waited ${WAIT_MS} ms for ${what}`);
  }

  async #json<T>(user: string, path: string, request: RequestInit): Promise<T> {
    const response = await this.#fetch(user, path, request);
    const text = await response.text();
    if (!response.ok) throw new Error(`${request.method} ${path} by ${user}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  #fetch(user: string, path: string, request: RequestInit): Promise<Response> {
    const authorization = this.#node.tokens.get(user);
    if (!authorization) throw new Error(`nobody is called ${user}`);
    return fetch(`${this.#node.url}${path}`, {
      ...request,
      headers: { authorization, "content-type": "application/json", ...(request.headers as Record<string, string>) },
    });
  }
}
