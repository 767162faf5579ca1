import { createHash } from "node:crypto";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { PARTITIONS_MAX } from "./cluster/partition.ts";
import { WECOM_API, type WecomApp } from "./connectors/wecom/index.ts";
import { keyRing } from "./key-ring.ts";
import { signingKey } from "./retention/signing.ts";
import { type TenantsSettings, tenantsShape } from "./tenants/tenant-settings.ts";

/** What a node is told from outside, checked. */
export interface Settings {
  readonly dev: boolean;
  readonly store: StoreSetting;
  /** Absent: the in-process bus. */
  readonly nats?: { readonly servers: readonly string[]; readonly credsFile?: string };
  readonly http: { readonly host: string; readonly port: number };
  /** Folder of documents. */
  readonly dataFolder: string;
  /** OIDC issuer URL or path of a JWKS file; set unless `dev`. */
  readonly auth?: string;
  /** `aud` that tokens must name. Absent: not checked. */
  readonly audience?: string;
  /** `iss` that tokens must name; for a JWKS file, since an issuer URL names itself. */
  readonly issuer?: string;
  /** File of the API keys of machines. */
  readonly apiKeysFile?: string;
  /** Key ring as the setting is written. Absent in `dev`: made on the first start and kept in the store. */
  readonly keys?: string;
  /** How many partitions the store has. Absent: as many as it was made with, 16 if it is made now. */
  readonly partitions?: number;
  readonly logLevel: LogLevel;
  readonly wecom: readonly WecomApp[];
  /** HTTP services by name. */
  readonly services: Readonly<Record<string, string>>;
  /** Quotas and retention by tenant. */
  readonly tenants: TenantsSettings;
  /** Signs checkpoints and exports. Absent in `dev`: made on the first start and kept in the store. */
  readonly signingKey?: string;
}

export type StoreSetting =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "mongodb"; readonly url: string }
  | { readonly kind: "memory" };

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A value and where it came from, for `--print-config`; secrets are masked. */
export interface SettingSource {
  readonly name: string;
  readonly value: string;
  readonly from: "flag" | "environment" | "file" | "default";
}

/** Where settings come from, all by the names of the variables. */
export interface SettingInputs {
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `assent.config.json`, parsed; `undefined` where there is none. */
  readonly file: unknown;
  readonly dev: boolean;
}

export type SettingsResult =
  | { readonly settings: Settings; readonly sources: readonly SettingSource[] }
  | { readonly errors: readonly string[] };

/** Where and as whom client commands act. */
export interface ClientSettings {
  /** Absent: where a node listens unless told, or where the newest one with `--dev` does. */
  readonly url?: string;
  readonly token?: string;
}

/** flag > environment > file. Unknown and malformed settings are errors, each a line of its own. */
export function readSettings({ flags, env, file, dev }: SettingInputs): SettingsResult {
  const layers = readLayers({ flags, env, file });
  const values = dev ? withDefaults(layers.values, devDefaults()) : withDefaults(layers.values, DEFAULTS);
  const { parsed, errors: malformed } = parseValues(values);
  const apps = readWecomApps(values);
  const errors = [...layers.errors, ...malformed, ...apps.errors, ...wantsIdentity(values, parsed, dev)];
  if (errors.length > 0) return { errors };
  return {
    settings: settingsFrom(parsed, dev, apps.apps, layers),
    sources: sourcesOf(values, layers),
  };
}

/** The two settings of client commands, by the same rules; what else is set is checked by its name only. */
export function readClientSettings(
  inputs: Omit<SettingInputs, "dev">,
): { readonly client: ClientSettings } | { readonly errors: readonly string[] } {
  const layers = readLayers(inputs);
  const url = layers.values.get("ASSENT_URL")?.text;
  const token = layers.values.get("ASSENT_TOKEN")?.text;
  const read = httpUrl.optional().safeParse(url);
  const errors = [...layers.errors, ...(read.success ? [] : [`\`ASSENT_URL\` ${messageOf(read.error)}`])];
  if (errors.length > 0) return { errors };
  return {
    client: { ...(url !== undefined && { url: url.replace(/\/$/, "") }), ...(token !== undefined && { token }) },
  };
}

/** What is needed of a store by commands that work on it without a node. */
export interface StoreSettings {
  readonly store: StoreSetting;
  /** As in {@link Settings}. */
  readonly keys?: string;
  readonly signingKey?: string;
}

/** By the same rules. */
export function readStoreSettings(
  inputs: Omit<SettingInputs, "dev">,
): StoreSettings | { readonly errors: readonly string[] } {
  const layers = readLayers(inputs);
  const { parsed, errors: malformed } = parseValues(withDefaults(layers.values, DEFAULTS));
  const errors = [...layers.errors, ...malformed];
  if (errors.length > 0) return { errors };
  const { ASSENT_STORE: store, ASSENT_KEYS: keys, ASSENT_SIGNING_KEY: signs } = parsed;
  return { store: store!, ...(keys !== undefined && { keys }), ...(signs !== undefined && { signingKey: signs }) };
}

/** What `--dev` keeps where nothing else is set: one folder per user and working directory, in the system's temporary folder. */
export function devFolder(): string {
  const place = createHash("sha256").update(process.cwd()).digest("hex").slice(0, 8);
  return join(tmpdir(), `assent-dev-${userInfo().uid}`, place);
}

// ---------------------------------------------------------------------------------------------------------------- //
// What each setting may be
// ---------------------------------------------------------------------------------------------------------------- //

/** A string that `read` turns into a value, or into a sentence that says what it must be. */
const setting = <T>(read: (text: string) => T | undefined, expected: string) =>
  z.string().transform((text, context): T => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });

const httpUrl = setting((text) => (isUrl(text, ["http:", "https:"]) ? text : undefined), "must be a URL `http(s)://…`");

const SHAPES = z.object({
  ASSENT_STORE: setting(readStore, "must be `sqlite:PATH`, `mongodb://HOST/DATABASE` or `memory:`").optional(),
  ASSENT_NATS: setting(readServers, "must be `nats://…` or `tls://…`, several separated by commas").optional(),
  ASSENT_NATS_CREDS: z.string().optional(),
  ASSENT_HTTP: setting(readAddress, "must be `HOST:PORT`, like `127.0.0.1:7400`").optional(),
  ASSENT_DATA: z.string().optional(),
  ASSENT_AUTH: z.string().optional(),
  ASSENT_AUTH_AUDIENCE: z.string().optional(),
  ASSENT_AUTH_ISSUER: z.string().optional(),
  ASSENT_API_KEYS: z.string().optional(),
  ASSENT_KEYS: z
    .string()
    .superRefine((text, context) => {
      try {
        keyRing(text);
      } catch {
        const message = "must be `KID:BASE64` with 32 bytes each, several separated by commas, newest first";
        context.addIssue({ code: "custom", message });
      }
    })
    .optional(),
  ASSENT_SIGNING_KEY: z
    .string()
    .superRefine((text, context) => {
      try {
        signingKey(text);
      } catch {
        context.addIssue({ code: "custom", message: "must be an Ed25519 key: 32 bytes in base64, or PKCS #8" });
      }
    })
    .optional(),
  ASSENT_PARTITIONS: setting(readPartitions, `must be a number from 1 to ${PARTITIONS_MAX}`).optional(),
  ASSENT_LOG: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(", ")}` }).optional(),
  ASSENT_URL: httpUrl.optional(),
  ASSENT_TOKEN: z.string().optional(),
});

type Parsed = z.infer<typeof SHAPES>;

const KNOWN = new Set(Object.keys(SHAPES.shape));
/** Names that the design has and this version does not. */
const LATER = new Set(["ASSENT_ROLES"]);
const SECRET = /^ASSENT_(KEYS|SIGNING_KEY|TOKEN|WECOM_.+_(TOKEN|AES_KEY|SECRET))$/;
const WECOM = /^ASSENT_WECOM_([A-Z0-9_]+?)_(CORP_ID|TOKEN|AES_KEY|SECRET|API|TENANT|AGENT_ID)$/;

const DEFAULTS: Readonly<Record<string, string>> = {
  ASSENT_STORE: "sqlite:./assent.db",
  ASSENT_HTTP: "127.0.0.1:7400",
  ASSENT_DATA: "./assent-data",
  ASSENT_LOG: "info",
};

function devDefaults(): Readonly<Record<string, string>> {
  const folder = devFolder();
  return { ...DEFAULTS, ASSENT_STORE: `sqlite:${join(folder, "assent.db")}`, ASSENT_DATA: join(folder, "data") };
}

/** With the database's name: the driver's own default is one that nobody meant. */
const MONGODB = /^mongodb(\+srv)?:\/\/[^/?#\s]+\/[^/?#\s]+(\?\S*)?$/;

/** @returns `undefined` if it is none. */
export function readStore(text: string): StoreSetting | undefined {
  if (text === "memory:") return { kind: "memory" };
  if (MONGODB.test(text)) return { kind: "mongodb", url: text };
  const path = text.startsWith("sqlite:") ? text.slice("sqlite:".length) : "";
  return path === "" ? undefined : { kind: "sqlite", path };
}

function readServers(text: string): readonly string[] | undefined {
  const servers = text.split(",").map((server) => server.trim());
  return servers.every((server) => isUrl(server, ["nats:", "tls:"])) ? servers : undefined;
}

function readAddress(text: string): Settings["http"] | undefined {
  const [, host, port] = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function readPartitions(text: string): number | undefined {
  const partitions = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return partitions >= 1 && partitions <= PARTITIONS_MAX ? partitions : undefined;
}

const isUrl = (text: string, protocols: readonly string[]): boolean =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol);

// ---------------------------------------------------------------------------------------------------------------- //
// Layers
// ---------------------------------------------------------------------------------------------------------------- //

interface Value {
  readonly text: string;
  readonly from: SettingSource["from"];
}
type Values = ReadonlyMap<string, Value>;

const fileShape = z
  .object({ services: z.record(z.string(), httpUrl).default({}), tenants: tenantsShape.default({}) })
  .catchall(z.string());

function readLayers({ flags, env, file }: Omit<SettingInputs, "dev">) {
  const read = fileShape.safeParse(file ?? {});
  const { services = {}, tenants = {}, ...fromFile } = read.data ?? {};
  const values = new Map<string, Value>();
  const errors = read.success ? [] : read.error.issues.map(describeFileIssue);
  const strangers = Object.keys(fromFile).filter((name) => !name.startsWith("ASSENT_"));
  for (const name of strangers) errors.push(`\`${name}\` in assent.config.json is not a setting`);
  const layers = [
    ["file", fromFile],
    ["environment", env],
    ["flag", flags],
  ] as const;
  for (const [from, layer] of layers) {
    for (const [name, text] of Object.entries(layer)) {
      // An empty variable is how many tools say that it is not set.
      if (name.startsWith("ASSENT_") && typeof text === "string" && text !== "") values.set(name, { text, from });
    }
  }
  return { values, services, tenants, errors: [...errors, ...unknownNames(values)] };
}

const describeFileIssue = ({ path, message }: { path: PropertyKey[]; message: string }): string =>
  path.length === 0
    ? "assent.config.json must be one object"
    : `\`${path.join(".")}\` in assent.config.json: ${message}`;

function unknownNames(values: Values): string[] {
  return [...values].flatMap(([name, { from }]) => {
    if (KNOWN.has(name) || WECOM.test(name)) return [];
    const why = LATER.has(name) ? "this version does not have it yet" : "there is no such setting";
    return [`\`${name}\` (${from}): ${why}`];
  });
}

function withDefaults(values: Values, defaults: Readonly<Record<string, string>>): Values {
  const known = Object.entries(defaults).map(([name, text]) => [name, { text, from: "default" }] as const);
  return new Map<string, Value>([...known, ...values]);
}

function parseValues(values: Values): { readonly parsed: Parsed; readonly errors: string[] } {
  const named = Object.fromEntries([...values].map(([name, { text }]) => [name, text]));
  const result = SHAPES.safeParse(named);
  if (result.success) return { parsed: result.data, errors: [] };
  const errors = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    // Secrets are not shown, not even malformed ones.
    return `\`${name}\` ${message}${SECRET.test(name) ? "" : `, not \`${masked(named[name] ?? "")}\``}`;
  });
  return { parsed: {}, errors };
}

// ---------------------------------------------------------------------------------------------------------------- //
// WeCom apps
// ---------------------------------------------------------------------------------------------------------------- //

const appShape = z.object({
  CORP_ID: z.string({ error: "is missing" }),
  TOKEN: z.string({ error: "is missing" }),
  AES_KEY: z
    .string({ error: "is missing" })
    .regex(/^[A-Za-z0-9+/]{43}$/, "must be the 43 characters of EncodingAESKey"),
  SECRET: z.string({ error: "is missing" }),
  API: httpUrl.default(WECOM_API),
  TENANT: z.string().default("default"),
  AGENT_ID: setting(
    (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
    "must be the app's number",
  ).optional(),
});

function readWecomApps(values: Values): { readonly apps: readonly WecomApp[]; readonly errors: readonly string[] } {
  const found = new Map<string, Record<string, string>>();
  for (const [name, { text }] of values) {
    const [, app, key] = WECOM.exec(name) ?? [];
    if (app !== undefined) found.set(app, { ...found.get(app), [key!]: text });
  }
  const apps: WecomApp[] = [];
  const errors: string[] = [];
  for (const [name, given] of found) {
    const result = appShape.safeParse(given);
    if (result.success) apps.push(wecomApp(name, result.data));
    else
      errors.push(
        ...result.error.issues.map(({ path, message }) => `\`ASSENT_WECOM_${name}_${String(path[0])}\` ${message}`),
      );
  }
  return { apps, errors };
}

const wecomApp = (name: string, given: z.infer<typeof appShape>): WecomApp => ({
  app: name.toLowerCase(),
  tenant: given.TENANT,
  corpId: given.CORP_ID,
  token: given.TOKEN,
  aesKey: given.AES_KEY,
  secret: given.SECRET,
  api: given.API.replace(/\/$/, ""),
  ...(given.AGENT_ID !== undefined && { agentId: given.AGENT_ID }),
});

// ---------------------------------------------------------------------------------------------------------------- //
// The whole
// ---------------------------------------------------------------------------------------------------------------- //

function wantsIdentity(values: Values, parsed: Parsed, dev: boolean): string[] {
  if (!dev && !values.has("ASSENT_AUTH")) {
    return [
      "`ASSENT_AUTH` is not set: without an OIDC issuer URL or a JWKS file nobody could be known. `--dev` needs none",
    ];
  }
  if (dev && parsed.ASSENT_HTTP && !isLoopback(parsed.ASSENT_HTTP.host)) {
    return [`\`ASSENT_HTTP\` must be on loopback with \`--dev\`, not \`${parsed.ASSENT_HTTP.host}\``];
  }
  return [];
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

function settingsFrom(
  parsed: Parsed,
  dev: boolean,
  wecom: readonly WecomApp[],
  { services, tenants }: Pick<Settings, "services" | "tenants">,
): Settings {
  const { ASSENT_NATS: servers, ASSENT_NATS_CREDS: credsFile, ASSENT_AUTH: auth, ASSENT_KEYS: keys } = parsed;
  const {
    ASSENT_SIGNING_KEY: signs,
    ASSENT_AUTH_AUDIENCE: audience,
    ASSENT_AUTH_ISSUER: issuer,
    ASSENT_API_KEYS: apiKeysFile,
  } = parsed;
  return {
    dev,
    store: parsed.ASSENT_STORE!,
    ...(servers && { nats: { servers, ...(credsFile !== undefined && { credsFile }) } }),
    http: parsed.ASSENT_HTTP!,
    dataFolder: parsed.ASSENT_DATA!,
    ...(auth !== undefined && { auth }),
    ...(audience !== undefined && { audience }),
    ...(issuer !== undefined && { issuer }),
    ...(apiKeysFile !== undefined && { apiKeysFile }),
    ...(keys !== undefined && { keys }),
    ...(parsed.ASSENT_PARTITIONS !== undefined && { partitions: parsed.ASSENT_PARTITIONS }),
    logLevel: parsed.ASSENT_LOG!,
    wecom,
    services,
    tenants,
    ...(signs !== undefined && { signingKey: signs }),
  };
}

function sourcesOf(
  values: Values,
  { services, tenants }: Pick<Settings, "services" | "tenants">,
): readonly SettingSource[] {
  const named = [...values].map(([name, { text, from }]) => ({
    name,
    value: SECRET.test(name) ? "***" : masked(text),
    from,
  }));
  const urls = Object.entries(services).map(([name, url]) => ({
    name: `services.${name}`,
    value: masked(url),
    from: "file" as const,
  }));
  const quotas = Object.entries(tenants).flatMap(([tenant, settings]) =>
    Object.entries(settings).map(([name, value]) => ({
      name: `tenants.${tenant}.${name}`,
      value: String(value),
      from: "file" as const,
    })),
  );
  return [...named, ...urls, ...quotas].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A password inside a URL is a secret too. */
const masked = (text: string): string => text.replace(/(:\/\/[^/@\s:,]*):[^/@\s,]+@/g, "$1:***@");

const messageOf = (error: z.ZodError): string => error.issues[0]?.message ?? "is malformed";
