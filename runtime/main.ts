import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { hostname } from "node:os";
import { renderDiagnostic } from "../dsl/index.ts";
import { type ApiKeys, readApiKeys } from "./api-keys.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { openNatsBus } from "./bus/nats-bus.ts";
import { systemClock } from "./clock.ts";
import { keepPartitions, OtherPartitions } from "./cluster/partition-count.ts";
import { placeOf } from "./cluster/place.ts";
import { writeDevTokens } from "./dev-tokens.ts";
import { SEEDED_PEOPLE } from "./directory.ts";
import { type DirectoryChange, directoryFile, type WatchedDirectory } from "./directory-file.ts";
import { documentFiles } from "./document-files.ts";
import { createHttpApp } from "./http/app.ts";
import { shedding } from "./http/shedding.ts";
import { createIdentity } from "./identity.ts";
import { keyRing, newKeyRingSetting } from "./key-ring.ts";
import { createLog, type Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { AssentNode } from "./node.ts";
import type { NodeEvent } from "./node-events.ts";
import type { Bus, Store } from "./ports.ts";
import type { RegistryEvent } from "./registry.ts";
import { newSigningKeySetting, SIGNING_KEY, type Signer, signingKey } from "./retention/signing.ts";
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
  const directory = openDirectory(paths, settings.dev);
  const name = `${hostname()}/${randomBytes(6).toString("hex")}`;
  const store = await openStore(settings.store, { node: name });
  let bus: Bus | undefined;
  try {
    const partitions = await partitionsOf(settings, store);
    bus = await openBus(settings, partitions, log);
    const metrics = createMetrics();
    const signer = await signerOf(settings, store);
    const node = new AssentNode({
      store,
      bus,
      clock: systemClock,
      ...{ node: name, partitions },
      keys: keyRing(settings.keys ?? (await kept(store, "keys", newKeyRingSetting))),
      directory,
      documents: documentFiles(settings.dataFolder),
      services: settings.services,
      wecom: settings.wecom,
      tenants: settings.tenants,
      ...(signer && { signer }),
      observe: metrics,
      note: (fields, message) => log.info(fields, message),
      alert: (fields, message) => log.error(fields, message),
      onError: (error, doing) => log.error({ err: error }, doing),
    });
    node.events.subscribe(">", (event) => tellOf(log, event));
    metrics.watch(() => node.figures);
    await node.lookForServices();
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
      submit: node.request,
      read: node.read,
      history: (key) => node.history(key),
      pruned: (key) => node.pruned(key),
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
    const server = await listen(settings, shedding(node.turnedAwayForMs, app.callback()));
    await node.start(placeOf(urlOf(server)));
    node.registry.watch();
    const endWatching = directory.watch((change) => tellOfDirectory(log, change), systemClock);
    if (settings.dev) await printTokens(identity.issueDevToken, urlOf(server));
    log.info(
      { url: urlOf(server), bus: bus.kind, flows: node.registry.current.flows().map(({ flow }) => flow) },
      "ready",
    );
    const signal = await stopping;
    log.info({ signal }, "stopping");
    endWatching();
    await stop(node, server);
    log.info({}, "stopped");
    return signal === "SIGINT" ? 130 : 0;
  } catch (error) {
    await bus?.close();
    await store.close();
    throw error;
  }
}

/** @throws {CannotStart} the store has another number. */
async function partitionsOf({ partitions }: Settings, store: Store): Promise<number> {
  try {
    return await keepPartitions(store, partitions);
  } catch (error) {
    throw error instanceof OtherPartitions ? new CannotStart(error.message) : error;
  }
}

async function openBus({ nats }: Settings, partitions: number, log: Log): Promise<Bus> {
  const onProblem = (error: unknown): void => log.warn({ err: error }, "the bus has a problem");
  if (!nats) return new InProcessBus({ onProblem });
  const { servers, credsFile } = nats;
  return openNatsBus({ urls: servers.join(","), partitions, ...(credsFile !== undefined && { credsFile }), onProblem });
}

function apiKeysOf(file: string): ApiKeys {
  try {
    return readApiKeys(file);
  } catch (error) {
    throw new CannotStart((error as Error).message);
  }
}

/** A value made on the first start and kept in the store; of nodes that start at once all get the same. */
const kept = (store: Store, name: string, make: () => string): Promise<string> => store.keepSetting(name, make());

/** @throws {CannotStart} if something is to be pruned and nothing could sign for it. */
async function signerOf({ signingKey: set, dev, tenants }: Settings, store: Store): Promise<Signer | undefined> {
  if (set !== undefined) return signingKey(set);
  if (dev) return signingKey(await kept(store, SIGNING_KEY, newSigningKeySetting));
  const pruned = Object.entries(tenants).find(([, { keepDays }]) => keepDays !== undefined);
  if (!pruned) return undefined;
  throw new CannotStart(
    `\`ASSENT_SIGNING_KEY\` is not set, and \`tenants.${pruned[0]}.keepDays\` is: what is pruned leaves a signed checkpoint`,
  );
}

function openDirectory(paths: readonly string[], dev: boolean): WatchedDirectory {
  try {
    return directoryFile(paths, dev);
  } catch (error) {
    throw new CannotStart((error as Error).message);
  }
}

function tellOfDirectory(log: Log, { kind, ...change }: DirectoryChange): void {
  if (kind === "read") log.info(change, "people were read anew");
  else log.warn(change, "people could not be read anew: those who were known stay");
}

async function load(node: AssentNode, paths: readonly string[], log: Log): Promise<void> {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new CannotStart(`there is no \`${missing.join("`, `")}\``);
  const events = await node.registry.load(paths);
  for (const event of events) tellOfChange(log, event);
  const refused = events.filter((event) => event.kind === "refused");
  if (refused.length > 0) throw new CannotStart(refused.map(problemsOf).join("\n"));
}

function tellOf(log: Log, event: NodeEvent): void {
  if (event.kind === "registry") tellOfChange(log, event.change);
  else {
    const { service, address, circuit } = event;
    log.warn({ service, address, circuit }, CIRCUITS[circuit]);
  }
}

const CIRCUITS = {
  open: "a service failed again and again and is not asked for a while",
  "half-open": "a service that failed is tried again",
  closed: "a service that failed answers again",
} as const;

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
