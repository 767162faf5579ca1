import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { compile } from "../../dsl/index.ts";
import type { Answer } from "../../engine/index.ts";
import { InProcessBus } from "../bus/in-process-bus.ts";
import { BusIngress } from "../bus-ingress.ts";
import { systemClock } from "../clock.ts";
import { DeadLetters } from "../dead-letters.ts";
import { type DirectoryFile, embeddedDirectory, SEEDED_PEOPLE } from "../directory.ts";
import { decodeEffect } from "../entry.ts";
import { readHistory } from "../history.ts";
import { keyRing, newKeyRingSetting } from "../key-ring.ts";
import { type DocumentStore, type Store, StoreUnavailable } from "../ports.ts";
import { askers } from "../questions.ts";
import { prunedHistory } from "../retention/checkpoint.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { definitionsFrom } from "../testing.ts";
import { trustedFunctions } from "../trusted-functions.ts";
import { TURN_LIMITS, type TurnLimits, Turns } from "../turn.ts";
import { createHttpApp } from "./app.ts";
import type { Caller, HttpPorts } from "./ports.ts";

/** A real turn on the memory store behind a real HTTP server, for tests. */

const FLOW = `
state machine "expense" {
  label: "1.0"
  data {
    amount: money?
    note:   text?
    card:   text? secret
  }
  events {
    "submit" { amount, note, card }
    "remark" { note }
  }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED, CANCELLED]
  final:  [APPROVED, REJECTED, CANCELLED]
  state REVIEW {
    approval by users("bob") {
      allow: [transfer, returnTo, withdraw]
      reason: required on [reject]
    }
  }
  transitions {
    DRAFT  → REVIEW    on "submit" by initiator
    DRAFT  → DRAFT     on "remark"
    DRAFT  → DRAFT     on "verify" → solvent()
    REVIEW → APPROVED  on approved
    REVIEW → REJECTED  on rejected
    REVIEW → DRAFT     on returned
    REVIEW → CANCELLED on withdrawn
  }
}
`;

export interface WorldOptions {
  /** Text in place of the flow of this file; of flows of one name the last is current. */
  readonly flows?: string;
  /** In place of the seeded people. */
  readonly people?: DirectoryFile;
  readonly limits?: Partial<TurnLimits>;
  /** In place of the world's own. */
  readonly ports?: Partial<HttpPorts>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, loosely typed for assertions. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
  readonly json: any;
}

export interface World {
  readonly url: string;
  readonly bus: InProcessBus;
  readonly store: Store;
  readonly ingress: BusIngress;
  readonly turns: Turns;
  readonly documents: DocumentStore;
  readonly logged: { readonly fields: object; readonly message: string }[];
  /** What the check `solvent()` answers. */
  solvent: Answer;
  /** The store refuses to write. */
  full: boolean;
  /** @param user whose token is sent; `undefined`: none. `other/NAME` is somebody of another tenant. */
  send(
    user: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply>;
  close(): Promise<void>;
}

export async function openWorld({ limits, ports, flows = FLOW, people }: WorldOptions = {}): Promise<World> {
  const store = storeThatCanFill(() => world.full);
  const directory = embeddedDirectory(people ?? SEEDED_PEOPLE);
  const { definitions, diagnostics } = compile(flows, "expense.flow", {
    functions: [{ name: "solvent", kind: "check" }],
  });
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  const active = (flow: string, label?: string) =>
    definitions.findLast((one) => one.flow === flow && (label === undefined || one.label === label));
  const known = definitionsFrom(definitions);
  const turns = new Turns(
    {
      store,
      clock: systemClock,
      keys: keyRing(newKeyRingSetting()),
      versionFor: (flow) => active(flow),
      definitions: known,
      ask: askers({
        ...{ directory, version: active },
        functions: { ...trustedFunctions(() => undefined), answer: () => world.solvent },
        services: { answer: async () => world.solvent },
      }),
      committed: () => {},
    },
    { ...TURN_LIMITS, ...limits },
  );
  const person = (tenant: string, user: string) => directory.person(tenant, user) ?? { id: user };
  const documents = memoryDocuments();
  const logged: { fields: object; message: string }[] = [];
  const log = (fields: object, message: string) => void logged.push({ fields, message });
  const bus = new InProcessBus();
  const keys = keyRing(newKeyRingSetting());
  const ingress = new BusIngress({
    ...{ clock: systemClock, directory, keys, activeDefinition: active },
    submit: (envelope) => turns.submit(envelope),
    deadLetter: (letter) => store.deadLetter(letter),
    onError: (error) => assert.ifError(error),
  });
  const deadLetters = new DeadLetters({
    ...{ store, clock: systemClock, keys, activeDefinition: active, messages: ingress },
    definitionsOf: async (key) => [(await turns.read(key))?.definition].flatMap((one) => one ?? []),
    open: async (stored) =>
      decodeEffect(stored.effect, stored.effect.kind === "sealed" ? await turns.dataKey(stored) : undefined),
    callbacks: { again: async () => ({ kind: "dead", error: "no app" }) },
    discarded: async () => {},
    renewed: () => {},
  });
  const app = createHttpApp({
    submit: (envelope) => turns.submit(envelope),
    read: (key, version) => turns.read(key, version),
    pruned: async (key) => {
      const checkpoint = await store.checkpoint(key);
      return checkpoint && prunedHistory(checkpoint);
    },
    history: async (key) => readHistory(await store.history(key), await turns.dataKey(key)),
    store,
    deadLetters,
    documents,
    bus,
    activeDefinition: active,
    definition: known.known,
    identify: async (authorization) => callerOf(authorization, person),
    isAdmin: ({ roles }) => roles.includes("admin"),
    person,
    wecom: async (name, { method, query, body }) =>
      name === "main"
        ? { status: 200, body: `${method} ${query.get("echostr") ?? ""}${body.toString()}` }
        : { status: 404, body: "", reason: "no such app" },
    metrics: async () => "up 1\n",
    readiness: () => undefined,
    log: { info: log, warn: log, error: log },
    ...ports,
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const world: World = {
    url,
    bus,
    store,
    ingress,
    turns,
    documents,
    logged,
    solvent: { ok: true },
    full: false,
    send: (user, method, path, body, headers = {}) => send(`${url}${path}`, user, method, body, headers),
    close: () => close(server),
  };
  return world;
}

/** Tokens are `TENANT/USER`. */
function callerOf(authorization: string | undefined, person: HttpPorts["person"]): Caller | undefined {
  const [, tenant, user] = /^Bearer (\w+)\/(\w+)$/.exec(authorization ?? "") ?? [];
  if (tenant === undefined || user === undefined) return undefined;
  return { tenant, user, person: person(tenant, user), roles: user === "admin" ? ["admin"] : [] };
}

async function send(
  url: string,
  user: string | undefined,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Reply> {
  const token = user?.includes("/") ? user : `default/${user}`;
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      ...(user !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") && text !== "";
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

function storeThatCanFill(isFull: () => boolean) {
  const store = openMemoryStore();
  const append = store.append.bind(store);
  store.append = async (rows) => {
    if (isFull()) throw new StoreUnavailable("the disk is full");
    return append(rows);
  };
  return store;
}

function memoryDocuments(): DocumentStore {
  const files = new Map<string, Uint8Array>();
  const pathOf = (...parts: readonly string[]) => JSON.stringify(parts);
  return {
    async put(tenant, instance, name, bytes) {
      const path = pathOf(tenant, instance, name);
      files.set(path, bytes);
      return { sha256: createHash("sha256").update(bytes).digest("hex"), path };
    },
    get: async (tenant, instance, name) => files.get(pathOf(tenant, instance, name)),
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
