import assert from "node:assert/strict";
import { test } from "node:test";
import { readClientSettings, readSettings, type Settings, type SettingsResult } from "./settings.ts";

const NOTHING = { flags: {}, env: {}, file: undefined, dev: false };
const AUTH = { ASSENT_AUTH: "https://login.example" };
const KEY = `k1:${Buffer.alloc(32, 7).toString("base64")}`;
const AES_KEY = "a".repeat(43);
const APP = {
  ASSENT_WECOM_SALES_DESK_CORP_ID: "ww1",
  ASSENT_WECOM_SALES_DESK_TOKEN: "t0ken",
  ASSENT_WECOM_SALES_DESK_AES_KEY: AES_KEY,
  ASSENT_WECOM_SALES_DESK_SECRET: "hush",
};

function settingsOf(result: SettingsResult): Settings {
  assert.ok("settings" in result, JSON.stringify(result));
  return result.settings;
}

const errorsOf = (result: object): readonly string[] =>
  "errors" in result ? (result.errors as readonly string[]) : [];

test("a flag wins over the environment, which wins over the file, which wins over the default", () => {
  const file = { ASSENT_HTTP: "127.0.0.1:1", ASSENT_DATA: "from-file", ASSENT_LOG: "warn" };
  const env = { ...AUTH, ASSENT_HTTP: "127.0.0.1:2", ASSENT_DATA: "from-environment", OTHER: "x" };
  const result = readSettings({ ...NOTHING, flags: { ASSENT_HTTP: "127.0.0.1:3" }, env, file });
  const settings = settingsOf(result);
  assert.deepEqual(settings.http, { host: "127.0.0.1", port: 3 });
  assert.equal(settings.dataFolder, "from-environment");
  assert.equal(settings.logLevel, "warn");
  assert.deepEqual(settings.store, { kind: "sqlite", path: "./assent.db" });
  const sources = "sources" in result ? result.sources.map(({ name, from }) => `${name} ${from}`) : [];
  assert.deepEqual(sources, [
    "ASSENT_AUTH environment",
    "ASSENT_DATA environment",
    "ASSENT_HTTP flag",
    "ASSENT_LOG file",
    "ASSENT_STORE default",
  ]);
});

test("a store is a file, a database of MongoDB, or memory", () => {
  const storeOf = (text: string) =>
    settingsOf(readSettings({ ...NOTHING, env: { ...AUTH, ASSENT_STORE: text } })).store;
  assert.deepEqual(storeOf("memory:"), { kind: "memory" });
  assert.deepEqual(storeOf("sqlite:./a.db"), { kind: "sqlite", path: "./a.db" });
  const urls = [
    "mongodb://localhost/assent",
    "mongodb://me:hush@a:27017,b:27017/assent?replicaSet=rs0&authSource=admin",
    "mongodb+srv://cluster.example.com/assent",
  ];
  for (const url of urls) assert.deepEqual(storeOf(url), { kind: "mongodb", url });
});

test("an empty variable is not set", () => {
  assert.equal(settingsOf(readSettings({ ...NOTHING, env: { ...AUTH, ASSENT_NATS: "" } })).nats, undefined);
});

const SIGNING_KEY = Buffer.alloc(32, 9).toString("base64");
const MALFORMED: readonly [env: Record<string, string>, file: unknown, error: RegExp][] = [
  [{ ASSENT_STROE: "memory:" }, undefined, /`ASSENT_STROE` \(environment\): there is no such setting/],
  [{ ASSENT_ROLES: "{}" }, undefined, /`ASSENT_ROLES` .*does not have it yet/],
  [
    { ASSENT_STORE: "mongodb://me:hush@db" },
    undefined,
    /`ASSENT_STORE` must be .*`mongodb:\/\/HOST\/DATABASE` .*, not `mongodb:\/\/me:\*\*\*@db`/,
  ],
  [{ ASSENT_STORE: "sqlite:" }, undefined, /`ASSENT_STORE` must be/],
  [{ ASSENT_NATS: "nats://a,http://b" }, undefined, /`ASSENT_NATS` must be/],
  [{ ASSENT_HTTP: "7400" }, undefined, /`ASSENT_HTTP` must be `HOST:PORT`/],
  [{ ASSENT_HTTP: "127.0.0.1:70000" }, undefined, /`ASSENT_HTTP` must be `HOST:PORT`/],
  [{ ASSENT_PARTITIONS: "0" }, undefined, /`ASSENT_PARTITIONS` must be a number from 1 to 1024, not `0`/],
  [{ ASSENT_PARTITIONS: "16.5" }, undefined, /`ASSENT_PARTITIONS` must be/],
  [{ ASSENT_PARTITIONS: "1025" }, undefined, /`ASSENT_PARTITIONS` must be/],
  [{ ASSENT_LOG: "loud" }, undefined, /`ASSENT_LOG` must be one of trace/],
  [{ ASSENT_KEYS: "k1:c2hvcnQ=" }, undefined, /^`ASSENT_KEYS` must be `KID:BASE64`[^`]*$/],
  [{ ASSENT_WECOM_HR_TOKEN: "t" }, undefined, /`ASSENT_WECOM_HR_CORP_ID` is missing/],
  [{ ...APP, ASSENT_WECOM_SALES_DESK_AES_KEY: "short" }, undefined, /_AES_KEY` must be the 43 characters/],
  [{}, { store: "memory:" }, /`store` in assent.config.json is not a setting/],
  [{}, { ASSENT_LOG: 3 }, /`ASSENT_LOG` in assent.config.json/],
  [{}, { services: { legal: "nowhere" } }, /`services.legal` in assent.config.json: must be a URL/],
  [{}, { tenants: { acme: { instances: 1 } } }, /`tenants.acme` in assent.config.json: .*instances/],
  [{}, { tenants: { acme: { keepDays: -1 } } }, /`tenants.acme.keepDays` in assent.config.json/],
  [{}, { tenants: { acme: { commandsPerSecondMax: 0 } } }, /`tenants.acme.commandsPerSecondMax` in assent.config/],
  [{ ASSENT_SIGNING_KEY: "c2hvcnQ=" }, undefined, /^`ASSENT_SIGNING_KEY` must be an Ed25519 key[^`]*$/],
  [{}, [], /assent.config.json must be one object/],
];

test("what is unknown or malformed is refused by name", () => {
  for (const [env, file, error] of MALFORMED) {
    const errors = errorsOf(readSettings({ ...NOTHING, env: { ...AUTH, ...env }, file }));
    assert.ok(
      errors.some((line) => error.test(line)),
      `${error} in ${JSON.stringify(errors)}`,
    );
  }
});

test("every mistake has its line", () => {
  const env = { ...AUTH, ASSENT_LOG: "loud", ASSENT_HTTP: "x", ASSENT_NOPE: "1" };
  assert.equal(errorsOf(readSettings({ ...NOTHING, env })).length, 3);
});

test("without --dev an identity provider is needed", () => {
  assert.match(errorsOf(readSettings(NOTHING)).join("\n"), /`ASSENT_AUTH` is not set/);
  assert.equal(settingsOf(readSettings({ ...NOTHING, dev: true })).auth, undefined);
});

test("--dev changes defaults only, and stays on loopback", () => {
  const settings = settingsOf(readSettings({ ...NOTHING, dev: true, env: { ASSENT_STORE: "sqlite:./mine.db" } }));
  assert.deepEqual(settings.store, { kind: "sqlite", path: "./mine.db" });
  assert.notEqual(settings.dataFolder, "./assent-data");
  const open = readSettings({ ...NOTHING, dev: true, env: { ASSENT_HTTP: "0.0.0.0:7400" } });
  assert.match(errorsOf(open).join("\n"), /must be on loopback/);
  assert.equal(settingsOf(readSettings({ ...NOTHING, dev: true, env: { ASSENT_HTTP: "[::1]:0" } })).http.host, "::1");
});

test("WeCom's apps are found by their variables", () => {
  const [app] = settingsOf(readSettings({ ...NOTHING, env: { ...AUTH, ...APP } })).wecom;
  assert.deepEqual(app, {
    app: "sales_desk",
    tenant: "default",
    corpId: "ww1",
    token: "t0ken",
    aesKey: AES_KEY,
    secret: "hush",
    api: "https://qyapi.weixin.qq.com",
  });
});

test("secrets are masked where they are shown", () => {
  const env = { ...AUTH, ...APP, ASSENT_KEYS: KEY, ASSENT_TOKEN: "abc", ASSENT_NATS: "nats://me:hush@n:4222" };
  const result = readSettings({ ...NOTHING, env });
  assert.ok("sources" in result);
  const shown = JSON.stringify(result.sources);
  for (const secret of ["hush", "t0ken", AES_KEY, KEY, "abc"]) assert.ok(!shown.includes(secret), secret);
  assert.ok(shown.includes("ww1"));
});

test("client commands read where and as whom", () => {
  const inputs = { flags: {}, env: { ASSENT_TOKEN: "t", ASSENT_URL: "http://node:1/" }, file: undefined };
  assert.deepEqual(readClientSettings(inputs), { client: { url: "http://node:1", token: "t" } });
  assert.deepEqual(readClientSettings({ ...inputs, env: {} }), { client: {} });
  assert.match(errorsOf(readClientSettings({ ...inputs, env: { ASSENT_URL: "node" } })).join(), /`ASSENT_URL` must be/);
});

test("quotas and retention of tenants come from the file, and are shown", () => {
  const tenants = { "*": { keepDays: 365 }, acme: { instancesMax: 10, commandsPerSecondMax: 0.5, storageMiBMax: 100 } };
  const result = readSettings({ ...NOTHING, env: { ...AUTH, ASSENT_SIGNING_KEY: SIGNING_KEY }, file: { tenants } });
  assert.deepEqual(settingsOf(result).tenants, tenants);
  assert.equal(settingsOf(result).signingKey, SIGNING_KEY);
  assert.ok("sources" in result);
  assert.ok(!JSON.stringify(result.sources).includes(SIGNING_KEY));
  const shown = result.sources.filter(({ name }) => name.startsWith("tenants"));
  assert.deepEqual(
    shown.map(({ name, value, from }) => `${name} ${value} ${from}`),
    [
      "tenants.*.keepDays 365 file",
      "tenants.acme.commandsPerSecondMax 0.5 file",
      "tenants.acme.instancesMax 10 file",
      "tenants.acme.storageMiBMax 100 file",
    ],
  );
});

test("what tokens must name, the keys of machines and WeCom's agent are read where they are set", () => {
  const agent = { ASSENT_WECOM_SALES_DESK_AGENT_ID: "1000002" };
  const named = { ASSENT_AUTH_AUDIENCE: "assent", ASSENT_AUTH_ISSUER: "https://i.example", ASSENT_API_KEYS: "k.json" };
  const settings = settingsOf(readSettings({ ...NOTHING, env: { ...AUTH, ...APP, ...agent, ...named } }));
  const { audience, issuer, apiKeysFile, wecom } = settings;
  assert.deepEqual([audience, issuer, apiKeysFile], ["assent", "https://i.example", "k.json"]);
  assert.equal(wecom[0]?.agentId, 1_000_002);
  const wrong = { ...AUTH, ...APP, ASSENT_WECOM_SALES_DESK_AGENT_ID: "x" };
  assert.match(errorsOf(readSettings({ ...NOTHING, env: wrong })).join(), /AGENT_ID.* must be the app's number/);
});
