import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { dirname, join } from "node:path";
import { z } from "zod";
import { renderDiagnostic } from "../dsl/index.ts";
import { type ApiKeys, readApiKeys } from "./api-keys.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { openNatsBus } from "./bus/nats-bus.ts";
import { writeDevTokens } from "./dev-tokens.ts";
import { type DirectoryFile, directoryShape, embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { documentFiles } from "./document-files.ts";
import { createHttpApp } from "./http/app.ts";
import { createIdentity } from "./identity.ts";
import { keyRing, newKeyRingSetting } from "./key-ring.ts";
import { createLog, type Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { AssentNode } from "./node.ts";
import type { Bus, Store } from "./ports.ts";
import type { RegistryEvent } from "./registry.ts";
import type { Settings } from "./settings.ts";
import { openStore } from "./stores/open-store.ts";

export interface ServeOptions {
  /** Files and folders whose flows are loaded and watched. */
  readonly paths: readonly string[];
  readonly settings: Settings;
}

/** Something is wrong with what the node was told; the message is for the operator. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
}

const SEEDED_USERS = SEEDED_PEOPLE.people.map((person) => person.id);

/**
 * The node: opens the adapters that the settings name, loads the flows, serves until SIGTERM or SIGINT.
 * @returns the exit code. @throws {CannotStart} {@link StoreUnavailable}
 */
export async function serve({ paths, settings }: ServeOptions): Promise<number> {
  if (settings.keys === undefined && !settings.dev) {
    throw new CannotStart("`ASSENT_KEYS` is not set: without a key ring secrets can't be kept. `--dev` makes one");
  }
  const stopping = firstSignal();
  const log = await createLog({ level: settings.logLevel, pretty: process.stderr.isTTY === true });
  const apiKeys = settings.apiKeysFile === undefined ? undefined : apiKeysOf(settings.apiKeysFile);
  const directoryFile = readDirectory(paths, settings.dev);
  const directory = embeddedDirectory(directoryFile);
  const store = await openStore(settings.store);
  let bus: Bus | undefined;
  try {
    bus = await openBus(settings, log);
    const metrics = createMetrics();
    const node = new AssentNode({
      store,
      bus,
      clock: { now: Date.now },
      keys: keyRing(settings.keys ?? (await kept(store, "keys", newKeyRingSetting))),
      directory,
      documents: documentFiles(settings.dataFolder),
      services: settings.services,
      wecom: settings.wecom,
      observe: metrics,
      registryChanged: (event) => tellOfChange(log, event),
      note: (fields, message) => log.info(fields, message),
      alert: (fields, message) => log.error(fields, message),
      onError: (error, doing) => log.error({ err: error }, doing),
    });
    metrics.watch(() => node.figures);
    await load(node, paths, log);
    const identity = createIdentity({
      ...(settings.auth !== undefined && { auth: settings.auth }),
      ...(settings.audience !== undefined && { audience: settings.audience }),
      ...(settings.issuer !== undefined && { issuer: settings.issuer }),
      ...(apiKeys && { apiKeys }),
      ...(settings.dev && { devKey: await kept(store, "dev-key", () => randomBytes(32).toString("base64")) }),
      person: directory.person,
    });
    const app = createHttpApp({
      submit: node.submit,
      read: node.read,
      history: (key) => node.history(key),
      store,
      deadLetters: node.deadLetters,
      documents: documentFiles(settings.dataFolder),
      bus,
      activeDefinition: node.activeDefinition,
      definition: node.definition,
      identify: identity.identify,
      isAdmin: identity.isAdmin,
      person: node.person,
      wecom: node.wecom,
      metrics: metrics.text,
      readiness: node.readiness,
      log,
    });
    const server = await listen(settings, app.callback());
    await node.start();
    node.registry.watch();
    if (settings.dev) await printTokens(identity.issueDevToken, urlOf(server));
    log.info(
      { url: urlOf(server), bus: bus.kind, flows: node.registry.current.flows().map(({ flow }) => flow) },
      "ready",
    );
    const signal = await stopping;
    log.info({ signal }, "stopping");
    await stop(node, server);
    log.info({}, "stopped");
    return signal === "SIGINT" ? 130 : 0;
  } catch (error) {
    await bus?.close();
    await store.close();
    throw error;
  }
}

async function openBus({ nats }: Settings, log: Log): Promise<Bus> {
  const onProblem = (error: unknown): void => log.warn({ err: error }, "the bus has a problem");
  if (!nats) return new InProcessBus({ onProblem });
  const { servers, credsFile } = nats;
  return openNatsBus({ urls: servers.join(","), ...(credsFile !== undefined && { credsFile }), onProblem });
}

function apiKeysOf(file: string): ApiKeys {
  try {
    return readApiKeys(file);
  } catch (error) {
    throw new CannotStart((error as Error).message);
  }
}

/** A value made on the first start and kept in the store. */
async function kept(store: Store, name: string, make: () => string): Promise<string> {
  const known = await store.getSetting(name);
  if (known !== undefined) return known;
  const made = make();
  await store.setSetting(name, made);
  return made;
}

/** `directory.json` beside the flows; the seeded people of `--dev` where there is none. */
function readDirectory(paths: readonly string[], dev: boolean): DirectoryFile {
  const folders = paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path)));
  const file = folders.map((folder) => join(folder, "directory.json")).find(existsSync);
  if (!file) return dev ? SEEDED_PEOPLE : { people: [] };
  try {
    const read = directoryShape.parse(JSON.parse(readFileSync(file, "utf8")));
    return dev ? withSeeds(read) : read;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new CannotStart(`\`${file}\` is not a directory of people: ${why}`);
  }
}

/** What the file says of a seeded person wins. */
function withSeeds(file: DirectoryFile): DirectoryFile {
  const known = new Set(file.people.map((person) => person.id));
  const seeds = SEEDED_PEOPLE.people.filter((person) => !known.has(person.id));
  return { people: [...file.people, ...seeds], heads: { ...SEEDED_PEOPLE.heads, ...file.heads } };
}

async function load(node: AssentNode, paths: readonly string[], log: Log): Promise<void> {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new CannotStart(`there is no \`${missing.join("`, `")}\``);
  const events = await node.registry.load(paths);
  for (const event of events) tellOfChange(log, event);
  const refused = events.filter((event) => event.kind === "refused");
  if (refused.length > 0) throw new CannotStart(refused.map(problemsOf).join("\n"));
}

function tellOfChange(log: Log, event: RegistryEvent): void {
  const { kind, file, flows } = event;
  if (kind === "refused") {
    log.warn({ file, problems: problemsOf(event) }, kind);
    return;
  }
  const warnings = kind === "activated" ? event.warnings.map(({ code, message }) => `${code} ${message}`) : [];
  log.info({ file, flows, warnings }, kind);
}

/** What is wrong may stand in a file that it uses. */
function problemsOf({ file, text, diagnostics }: Extract<RegistryEvent, { kind: "refused" }>): string {
  const textOf = (other: string): string | undefined => {
    if (other === file) return text;
    return other.endsWith(".flow") && existsSync(other) ? readFileSync(other, "utf8") : undefined;
  };
  return diagnostics
    .map((diagnostic) => renderDiagnostic(diagnostic, textOf(diagnostic.file) ?? "", { color: false, textOf }))
    .join("\n");
}

async function listen({ http }: Settings, handler: RequestListener): Promise<Server> {
  const server = createServer(handler);
  server.listen(http.port, http.host);
  await Promise.race([
    once(server, "listening"),
    once(server, "error").then(([error]) => {
      throw new CannotStart(`can't listen on ${http.host}:${http.port}: ${(error as Error).message}`);
    }),
  ]);
  return server;
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as { address: string; port: number; family: string };
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

async function printTokens(issue: (user: string) => Promise<string>, url: string): Promise<void> {
  const tokens: Record<string, string> = {};
  for (const user of SEEDED_USERS) {
    tokens[user] = await issue(user);
    console.log(`${user} Bearer ${tokens[user]}`);
  }
  writeDevTokens(url, tokens);
}

/** Listened for from the beginning: a node that is still starting stops as cleanly. */
const firstSignal = (): Promise<string> =>
  new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => resolve(signal));
  });

/** Takes no new requests, answers those that came, then stops the node. */
async function stop(node: AssentNode, server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const patience = setTimeout(() => server.closeAllConnections(), 5_000);
  await node.stop();
  server.closeIdleConnections();
  await closed;
  clearTimeout(patience);
}
