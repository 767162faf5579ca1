import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { readApiKeys } from "./api-keys.ts";
import { createIdentity, DEV_TOKEN_DAYS, type Identity, type IdentityOptions } from "./identity.ts";

const NOW_S = 1_800_000_000;
const ALGORITHMS = ["RS256", "ES256", "EdDSA"];
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

const folder = mkdtempSync(join(tmpdir(), "assent-identity-"));
const jwks = join(folder, "jwks.json");
const keys = new Map<string, Keys>();

before(async () => {
  for (const alg of ALGORITHMS) keys.set(alg, await generateKeyPair(alg));
  const jwk = async ([alg, { publicKey }]: [string, Keys]) => ({ ...(await exportJWK(publicKey)), kid: alg, alg });
  writeFileSync(jwks, JSON.stringify({ keys: await Promise.all([...keys].map(jwk)) }));
});
after(() => rmSync(folder, { recursive: true }));

const identity = (options: Partial<IdentityOptions> = {}): Identity =>
  createIdentity({ auth: jwks, person: () => undefined, now: () => NOW_S * 1_000, ...options });

const signed = (claims: object, alg = "ES256", expiresAtS = NOW_S + 60): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg, kid: alg })
    .setExpirationTime(expiresAtS)
    .sign(keys.get(alg)!.privateKey);

const bearer = (token: string): string => `Bearer ${token}`;

test("claims become the caller, whatever the issuer's algorithm", async () => {
  const claims = { sub: "alice", tenant: "acme", name: "Alice", org: "o1", tags: ["vip"], roles: ["admin"] };
  for (const alg of ALGORITHMS) {
    const caller = await identity().identify(bearer(await signed(claims, alg)));
    assert.deepEqual(caller, {
      tenant: "acme",
      user: "alice",
      roles: ["admin"],
      person: { id: "alice", name: "Alice", org: "o1", tags: ["vip"] },
    });
  }
});

test("the directory fills in what the token does not say", async () => {
  const known = identity({ person: (_tenant, id) => ({ id, name: "From the directory", org: "o9" }) });
  const caller = await known.identify(bearer(await signed({ sub: "bob", name: "Bob" })));
  assert.deepEqual(caller?.person, { id: "bob", name: "Bob", org: "o9" });
  assert.equal(caller?.tenant, "default");
  assert.equal(known.isAdmin(caller!), false);
});

test("what proves nothing is nobody", async () => {
  const stranger = await generateKeyPair("ES256");
  const byStranger = new SignJWT({ sub: "alice" }).setProtectedHeader({ alg: "ES256", kid: "ES256" });
  const good = await signed({ sub: "alice" });
  const [head, , signature] = good.split(".");
  const forged = Buffer.from(JSON.stringify({ sub: "admin", exp: NOW_S + 60 })).toString("base64url");
  const sharedSecret = new SignJWT({ sub: "alice" }).setProtectedHeader({ alg: "HS256", kid: "ES256" });
  const rows: readonly [string, string | undefined][] = [
    ["no header", undefined],
    ["another scheme", `Basic ${good}`],
    ["not a token", bearer("abc")],
    ["no signature", bearer(new UnsecuredJWT({ sub: "alice" }).encode())],
    ["a stranger's signature", bearer(await byStranger.sign(stranger.privateKey))],
    ["other claims under the signature", bearer([head, forged, signature].join("."))],
    ["a shared secret where none is configured", bearer(await sharedSecret.sign(randomBytes(32)))],
    ["expired", bearer(await signed({ sub: "alice" }, "ES256", NOW_S - 60))],
    ["no subject", bearer(await signed({}))],
    ["roles that are no list", bearer(await signed({ sub: "alice", roles: "admin" }))],
  ];
  for (const [what, header] of rows) assert.equal(await identity().identify(header), undefined, what);
});

test("a token that was verified once expires all the same", async () => {
  let nowS = NOW_S;
  const watched = identity({ now: () => nowS * 1_000 });
  const header = bearer(await signed({ sub: "alice" }));
  const first = await watched.identify(header);
  assert.equal(first?.user, "alice");
  assert.equal(await watched.identify(header), first, "not verified again");
  nowS += 120;
  assert.equal(await watched.identify(header), undefined);
});

test("tokens of --dev hold on the same key, across restarts, and on no other", async () => {
  const devKey = randomBytes(32).toString("base64");
  const dev = (key: string, nowS = NOW_S) =>
    createIdentity({ devKey: key, person: () => undefined, now: () => nowS * 1_000 });
  const admin = bearer(await dev(devKey).issueDevToken("admin"));
  const bob = bearer(await dev(devKey).issueDevToken("bob"));
  const restarted = dev(devKey, NOW_S + 86_400);
  const [adminCaller, bobCaller] = [await restarted.identify(admin), await restarted.identify(bob)];
  assert.equal(restarted.isAdmin(adminCaller!), true);
  assert.equal(restarted.isAdmin(bobCaller!), false);
  assert.equal(await dev(randomBytes(32).toString("base64")).identify(bob), undefined);
  assert.equal(await dev(devKey, NOW_S + (DEV_TOKEN_DAYS + 1) * 86_400).identify(bob), undefined);
  assert.equal(await identity().identify(bob), undefined);
});

test("tokens of --dev are issued in --dev only", async () => {
  await assert.rejects(identity().issueDevToken("alice"), /--dev/);
});

test("audience and issuer are checked where they are set", async () => {
  const claims = { sub: "alice", aud: "assent", iss: "https://login.example" };
  const rows: readonly [Partial<IdentityOptions>, object, boolean][] = [
    [{}, claims, true],
    [{ audience: "assent" }, claims, true],
    [{ audience: "assent" }, { ...claims, aud: ["other", "assent"] }, true],
    [{ audience: "assent" }, { ...claims, aud: "other" }, false],
    [{ audience: "assent" }, { sub: "alice" }, false],
    [{ issuer: "https://login.example" }, claims, true],
    [{ issuer: "https://login.example" }, { ...claims, iss: "https://elsewhere.example" }, false],
    [{ issuer: "https://login.example" }, { sub: "alice" }, false],
  ];
  for (const [options, token, known] of rows) {
    const caller = await identity(options).identify(bearer(await signed(token)));
    assert.equal(caller !== undefined, known, JSON.stringify([options, token]));
  }
});

test("an API key acts as its file says, and only a key of the file does", async () => {
  const file = join(folder, "keys.json");
  const sha256 = createHash("sha256").update("long-and-random").digest("hex");
  writeFileSync(file, JSON.stringify([{ user: "erp", tenant: "acme", roles: ["admin"], sha256 }]));
  const machines = identity({ apiKeys: readApiKeys(file) });
  const caller = await machines.identify(bearer("long-and-random"));
  assert.deepEqual(caller, { tenant: "acme", user: "erp", roles: ["admin"], person: { id: "erp" } });
  for (const other of ["long-and-randon", sha256]) assert.equal(await machines.identify(bearer(other)), undefined);
  writeFileSync(file, JSON.stringify([{ user: "erp", key: "long-and-random" }]));
  assert.throws(() => readApiKeys(file), /keys\.json` is not a file of API keys/);
});
