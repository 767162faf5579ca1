import { readFileSync } from "node:fs";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from "jose";
import { z } from "zod";
import type { Person } from "../engine/index.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { Caller } from "./http/ports.ts";

export interface IdentityOptions {
  /** OIDC issuer URL, or path of a JWKS file. */
  readonly auth?: string;
  /** `aud` that tokens must name. Absent: not checked. */
  readonly audience?: string;
  /** `iss` that tokens must name; an issuer URL says it by itself. */
  readonly issuer?: string;
  readonly apiKeys?: ApiKeys;
  /** Base64 of the key that signs the tokens of `--dev`. Absent: such tokens are refused. */
  readonly devKey?: string;
  /** What the directory knows of a user; claims of the token win over it. */
  person(tenant: string, user: string): Person | undefined;
  /** Epoch ms; the system's clock unless told. */
  now?(): number;
}

export interface Identity {
  /** @returns `undefined` without a valid token. @throws {IdentityUnavailable} */
  identify(authorization: string | undefined): Promise<Caller | undefined>;
  isAdmin(caller: Caller): boolean;
  /** A token of `--dev`, valid for {@link DEV_TOKEN_DAYS} days on the same key. @throws without `devKey`. */
  issueDevToken(user: string): Promise<string>;
}

/** The identity provider can't be asked now: nobody was refused, come again. */
export class IdentityUnavailable extends Error {
  override readonly name = "IdentityUnavailable";
}

export const DEV_TOKEN_DAYS = 30;

const ADMIN = "admin";
const DEV_ISSUER = "assent-dev";
/** Signatures by a key that only the issuer has. Everything else, `none` and shared secrets above all, is refused. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const DISCOVERY_TIMEOUT_MS = 5_000;
const CLOCK_TOLERANCE_S = 5;
/** Verified tokens kept; the oldest goes first. */
const CACHE_MAX = 10_000;
/** So that a key which the issuer takes back stops counting soon. */
const CACHE_MS = 300_000;

const claimsShape = z.object({
  sub: z.string().min(1),
  tenant: z.string().min(1).default("default"),
  name: z.string().optional(),
  org: z.string().optional(),
  tags: z.array(z.string()).optional(),
  roles: z.array(z.string()).default([]),
});

/**
 * Who calls, by a signed token (RFC 7519): of an OIDC issuer found by discovery, of keys in a JWKS file, or of `--dev`.
 * @throws if the JWKS file can't be read.
 */
export function createIdentity(options: IdentityOptions): Identity {
  const { auth, audience, devKey } = options;
  const now = options.now ?? Date.now;
  const secret = devKey === undefined ? undefined : Buffer.from(devKey, "base64");
  const issuer = auth === undefined ? undefined : issuerOf(auth);
  /** By the whole header. */
  const known = new Map<string, { readonly caller: Caller; readonly untilMs: number }>();

  const verify = async (token: string): Promise<JWTPayload> => {
    const rules = { currentDate: new Date(now()), clockTolerance: CLOCK_TOLERANCE_S };
    if (secret && decodeProtectedHeader(token).alg === "HS256") {
      return (await jwtVerify(token, secret, { ...rules, algorithms: ["HS256"], issuer: DEV_ISSUER })).payload;
    }
    if (!issuer) throw new errors.JOSEAlgNotAllowed("no issuer is configured");
    const { keys, name = options.issuer } = await issuer();
    const named = { ...(name !== undefined && { issuer: name }), ...(audience !== undefined && { audience }) };
    return (await jwtVerify(token, keys, { ...rules, ...named, algorithms: ALGORITHMS })).payload;
  };

  const remember = (authorization: string, caller: Caller, expiresAtS: number | undefined): void => {
    if (known.size >= CACHE_MAX) known.delete(known.keys().next().value!);
    known.set(authorization, {
      caller,
      untilMs: Math.min((expiresAtS ?? Number.POSITIVE_INFINITY) * 1_000, now() + CACHE_MS),
    });
  };

  return {
    async identify(authorization) {
      if (authorization === undefined) return undefined;
      const seen = known.get(authorization);
      if (seen && now() < seen.untilMs) return seen.caller;
      known.delete(authorization);
      const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
      if (token === undefined) return undefined;
      try {
        const ofKey = options.apiKeys?.(token);
        const payload: JWTPayload = ofKey ? { ...ofKey } : await verify(token);
        const caller = callerOf(payload, options);
        if (caller) remember(authorization, caller, payload.exp);
        return caller;
      } catch (error) {
        return refused(error);
      }
    },
    isAdmin: ({ roles }) => roles.includes(ADMIN),
    async issueDevToken(user) {
      if (!secret) throw new Error("tokens are issued in `--dev` only");
      return new SignJWT({ tenant: "default", roles: user === ADMIN ? [ADMIN] : [] })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(user)
        .setIssuer(DEV_ISSUER)
        .setExpirationTime(Math.floor(now() / 1_000) + DEV_TOKEN_DAYS * 86_400)
        .sign(secret);
    },
  };
}

function callerOf(payload: JWTPayload, { person }: IdentityOptions): Caller | undefined {
  const claims = claimsShape.safeParse(payload);
  if (!claims.success) return undefined;
  const { sub: user, tenant, name, org, tags, roles } = claims.data;
  const said = { ...(name !== undefined && { name }), ...(org !== undefined && { org }), ...(tags && { tags }) };
  return { tenant, user, roles, person: { ...person(tenant, user), ...said, id: user } };
}

/** A bad token is nobody; a provider that does not answer is an error of its own. */
function refused(error: unknown): undefined {
  // `decodeProtectedHeader` throws TypeError for what isn't a token.
  if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
  throw error;
}

interface Issuer {
  readonly keys: JWTVerifyGetKey;
  /** The `iss` that tokens must carry; a JWKS file doesn't name one. */
  readonly name?: string;
}

function issuerOf(auth: string): () => Promise<Issuer> {
  if (!/^https?:\/\//.test(auth)) {
    const issuer = { keys: createLocalJWKSet(JSON.parse(readFileSync(auth, "utf8")) as JSONWebKeySet) };
    return () => Promise.resolve(issuer);
  }
  let found: Promise<Issuer> | undefined;
  return () => {
    found ??= discover(auth).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

const discoveryShape = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** OpenID Connect Discovery 1.0, section 4: the document must name the issuer that was asked. */
async function discover(issuer: string): Promise<Issuer> {
  const base = issuer.replace(/\/$/, "");
  try {
    const response = await fetch(`${base}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS),
    });
    const found = discoveryShape.parse(await response.json());
    if (found.issuer.replace(/\/$/, "") !== base) throw new Error(`it names itself \`${found.issuer}\``);
    return { keys: fetched(createRemoteJWKSet(new URL(found.jwks_uri))), name: found.issuer };
  } catch (cause) {
    throw new IdentityUnavailable(`the issuer \`${issuer}\` can't be asked`, { cause });
  }
}

const TOKENS_FAULT = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

/** Tells "no such key" (a bad token) from "could not be fetched". */
const fetched =
  (keys: JWTVerifyGetKey): JWTVerifyGetKey =>
  async (header, token) => {
    try {
      return await keys(header, token);
    } catch (cause) {
      if (TOKENS_FAULT.some((kind) => cause instanceof kind)) throw cause;
      throw new IdentityUnavailable("the issuer's keys can't be fetched", { cause });
    }
  };
