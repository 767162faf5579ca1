import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createIdentity, IdentityUnavailable } from "./identity.ts";

const keys = await generateKeyPair("RS256");
const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "RS256" };

/** An issuer as OpenID Connect Discovery 1.0 has it, which can be made to fail. */
class Issuer {
  failing = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      if (this.failing) response.writeHead(500).end();
      else if (request.url === "/keys") response.end(JSON.stringify({ keys: [jwk] }));
      else response.end(JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys` }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const tokenOf = (issuer: string): Promise<string> =>
  new SignJWT({ sub: "alice" })
    .setProtectedHeader({ alg: "RS256", kid: "one" })
    .setIssuer(issuer)
    .setExpirationTime("1m")
    .sign(keys.privateKey);

test("an issuer is found by discovery; while it is away nobody is refused", async () => {
  const issuer = new Issuer();
  await issuer.open();
  try {
    const identity = createIdentity({ auth: issuer.url, person: () => undefined });
    const header = `Bearer ${await tokenOf(issuer.url)}`;
    issuer.failing = true;
    await assert.rejects(identity.identify(header), IdentityUnavailable);
    issuer.failing = false;
    assert.equal((await identity.identify(header))?.user, "alice");
    const elsewhere = `Bearer ${await tokenOf("https://elsewhere.example")}`;
    assert.equal(await identity.identify(elsewhere), undefined);
  } finally {
    issuer.close();
  }
});
