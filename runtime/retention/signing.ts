import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";

/** Ed25519 (RFC 8032): who has the public key can tell that what was signed has not been changed since. */

export interface Signer {
  /** SPKI in base64, as `--key` of `assent audit verify` takes it. */
  readonly publicKey: string;
  /** Names the key: the beginning of its SHA-256. */
  readonly id: string;
  /** In base64url. */
  sign(text: string): string;
}

/** PKCS #8 around the 32 bytes of an Ed25519 key (RFC 8410, section 7). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SEED_BYTES = 32;

/** @param setting 32 bytes in base64, PKCS #8 in base64, or PEM. @throws Error if it is none of these. */
export function signingKey(setting: string): Signer {
  const privateKey = readPrivateKey(setting.trim());
  if (privateKey.asymmetricKeyType !== "ed25519") throw new Error("the key is not an Ed25519 key");
  const publicKey = createPublicKey(privateKey);
  return {
    publicKey: spki(publicKey).toString("base64"),
    id: keyId(publicKey),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64url"),
  };
}

function readPrivateKey(text: string): KeyObject {
  if (text.startsWith("-----")) return createPrivateKey(text.replaceAll("\\n", "\n"));
  const bytes = Buffer.from(text, "base64");
  const key = bytes.length === SEED_BYTES ? Buffer.concat([PKCS8_HEAD, bytes]) : bytes;
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** The setting of a store under which `--dev` keeps its key. */
export const SIGNING_KEY = "signing-key";

/** As the setting is written. */
export const newSigningKeySetting = (): string => randomBytes(SEED_BYTES).toString("base64");

/** @param text SPKI in base64, or PEM. @throws Error if it is no Ed25519 key. */
export function verifyingKey(text: string): KeyObject {
  const key = text.trim().startsWith("-----")
    ? createPublicKey(text)
    : createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
  if (key.asymmetricKeyType !== "ed25519") throw new Error("the key is not an Ed25519 key");
  return key;
}

export const isSigned = (key: KeyObject, text: string, signature: string): boolean =>
  verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));

export const keyId = (key: KeyObject): string => createHash("sha256").update(spki(key)).digest("hex").slice(0, 16);

const spki = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" });
