import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { nkeys } from "nats";
import { type NatsServer, needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { consumeAll, ids, into } from "./bus-contract.ts";
import { makeCertificate } from "./certificate-testing.ts";
import { type NatsBusOptions, openNatsBus } from "./nats-bus.ts";

/** Who may connect, against a real server: user and password, TLS, and credentials signed by an account. */

const folder = mkdtempSync(join(tmpdir(), "assent-nats-security-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function certificate(name: string): { readonly certFile: string; readonly keyFile: string } {
  const { certificate, key } = makeCertificate(name);
  return { certFile: file(`${name}.pem`, certificate), keyFile: file(`${name}-key.pem`, key) };
}

async function withServer(args: readonly string[], work: (server: NatsServer) => Promise<void>): Promise<void> {
  const server = await startNatsServer({ args });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

/** A message goes through the stream and back. */
async function assertWorks(options: NatsBusOptions): Promise<void> {
  const bus = await openNatsBus(options);
  try {
    const consumer = await consumeAll(bus);
    await bus.send(into("k", "m-1"));
    await consumer.reach(1);
    assert.deepEqual(ids(consumer.items), ["m-1"]);
  } finally {
    await bus.close();
  }
}

describe("connecting to NATS", { ...needsNatsServer(), timeout: 60_000 }, () => {
  test("user and password stand in the URL, percent-encoded", () =>
    withServer(["--user", "assent", "--pass", "s3cret:/@"], async ({ url }) => {
      const at = (user: string) => url.replace("//", `//${user}@`);
      await assertWorks({ urls: at(`assent:${encodeURIComponent("s3cret:/@")}`) });
      await assert.rejects(openNatsBus({ urls: at("assent:wrong") }), /can't connect to NATS/);
      await assert.rejects(openNatsBus({ urls: url }), /can't connect to NATS/);
    }));

  test("a token stands alone in the URL", () =>
    withServer(["--auth", "t0ken"], async ({ url }) => {
      await assertWorks({ urls: url.replace("//", "//t0ken@") });
      await assert.rejects(openNatsBus({ urls: url.replace("//", "//other@") }), /can't connect to NATS/);
    }));

  test("`tls://` speaks TLS with a server whose authority is known, and with no other", () => {
    const { certFile, keyFile } = certificate("server");
    return withServer(["--tls", "--tlscert", certFile, "--tlskey", keyFile], async ({ url }) => {
      const urls = url.replace("nats:", "tls:");
      await assertWorks({ urls, tls: { caFile: certFile } });
      await assert.rejects(openNatsBus({ urls }), /can't connect to NATS at tls:.*certificate/);
      const other = certificate("other");
      await assert.rejects(openNatsBus({ urls, tls: { caFile: other.certFile } }), /certificate/);
    });
  });

  test("the certificate's name must be the host's", () => {
    const { certFile, keyFile } = certificate("server");
    return withServer(["--tls", "--tlscert", certFile, "--tlskey", keyFile], async ({ url }) => {
      const urls = url.replace("nats://127.0.0.1", "tls://localhost");
      await assert.rejects(openNatsBus({ urls, tls: { caFile: certFile } }), /altnames/);
    });
  });

  test("a server that wants a certificate of ours gets it", () => {
    const server = certificate("server");
    const { certFile, keyFile } = certificate("client");
    const args = ["--tlscert", server.certFile, "--tlskey", server.keyFile, "--tlscacert", certFile];
    return withServer(["--tlsverify", ...args], async ({ url }) => {
      const urls = url.replace("nats:", "tls:");
      await assertWorks({ urls, tls: { caFile: server.certFile, certFile, keyFile } });
    });
  });

  test("a .creds file is shown, and read again for the next connection", async () => {
    const { config, creds, stranger } = accounts();
    await withServer(["--config", file("operator.conf", config)], async ({ url }) => {
      const credsFile = file("node.creds", creds);
      await assertWorks({ urls: url, credsFile });
      writeFileSync(credsFile, stranger);
      await assert.rejects(openNatsBus({ urls: url, credsFile }), /can't connect to NATS/);
    });
  });
});

// ---------------------------------------------------------------------------------------------------------------- //
// Accounts
// ---------------------------------------------------------------------------------------------------------------- //

interface KeyPair {
  getPublicKey(): string;
  getSeed(): Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}

/** An operator with an account that may use JetStream and a user of it, and a user whom nobody knows. */
function accounts(): { readonly config: string; readonly creds: string; readonly stranger: string } {
  const operator = nkeys.createOperator() as KeyPair;
  const [system, account, unknown] = [0, 1, 2].map(() => nkeys.createAccount() as KeyPair);
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, conn: -1, leaf: -1, wildcards: true };
  const jetStream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const claims = (pair: KeyPair, limits: object) =>
    signed(operator, pair.getPublicKey(), { type: "account", version: 2, limits });
  const config = `
    operator: ${signed(operator, operator.getPublicKey(), { type: "operator", version: 2 })}
    system_account: ${system!.getPublicKey()}
    resolver: MEMORY
    resolver_preload: {
      ${system!.getPublicKey()}: ${claims(system!, unlimited)}
      ${account!.getPublicKey()}: ${claims(account!, { ...unlimited, ...jetStream })}
    }`;
  return { config, creds: credentials(account!), stranger: credentials(unknown!) };
}

function credentials(account: KeyPair): string {
  const user = nkeys.createUser() as KeyPair;
  const jwt = signed(account, user.getPublicKey(), { type: "user", version: 2, subs: -1, data: -1, payload: -1 });
  const seed = new TextDecoder().decode(user.getSeed());
  const block = (what: string, text: string) => `-----BEGIN ${what}-----\n${text}\n------END ${what}------\n\n`;
  return block("NATS USER JWT", jwt) + block("USER NKEY SEED", seed);
}

/** A JWT as NATS signs it. @see https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt */
function signed(issuer: KeyPair, subject: string, nats: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = { jti: "test", iat: 1_767_225_600, iss: issuer.getPublicKey(), name: "test", sub: subject, nats };
  const text = `${encode({ typ: "JWT", alg: "ed25519-nkey" })}.${encode(claims)}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString("base64url")}`;
}
