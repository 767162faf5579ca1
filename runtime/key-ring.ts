import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM with a random nonce: `nonce | tag | ciphertext` as base64.
 * Instances whose flow has secret fields are stored sealed, under a data key of their own.
 */
export function seal(key: Buffer, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** @throws if the text was sealed under another key or has been changed. */
export function unseal(key: Buffer, box: string): string {
  const bytes = Buffer.from(box, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
}

export const newDataKey = (): Buffer => randomBytes(32);

/** Keyed digest of a text that may hold secrets; a plain digest could be guessed. */
export const keyedDigest = (key: Buffer, text: string | Buffer): string =>
  createHmac("sha256", key).update(text).digest("base64url");

/** Wraps data keys. The newest key wraps, any key of the ring unwraps. */
export interface KeyRing {
  /** Id of the newest key. */
  readonly newest: string;
  wrap(dataKey: Buffer): string;
  /** @throws {MissingKey} if the key that wrapped it is not in the ring. */
  unwrap(wrapped: string): Buffer;
  /** Wrapped anew, where an older key had wrapped it; else `undefined`. @throws {MissingKey} */
  rewrapped(wrapped: string): string | undefined;
  /** {@link keyedDigest} under the newest key, of what has no data key. */
  digest(text: string | Buffer): string;
}

/** Something is sealed under a key that the ring does not have. */
export class MissingKey extends Error {
  override readonly name = "MissingKey";
}

/** @param setting `kid:base64,kid:base64`, newest first, 32 bytes each. @throws Error with what is wrong with it. */
export function keyRing(setting: string): KeyRing {
  const items = setting.split(",").map(readKey);
  const keys = new Map(items);
  if (keys.size < items.length) throw new Error("two keys of the ring have one id");
  const [newest] = keys.keys();
  if (newest === undefined) throw new Error("the key ring is empty");
  const wrap = (dataKey: Buffer): string => `${newest}:${seal(keys.get(newest)!, dataKey.toString("base64"))}`;
  const unwrap = (wrapped: string): Buffer => {
    const id = wrapped.slice(0, wrapped.indexOf(":"));
    const key = keys.get(id);
    if (!key)
      throw new MissingKey(`it is sealed under the key \`${id}\`, which the key ring (ASSENT_KEYS) does not have`);
    return Buffer.from(unseal(key, wrapped.slice(id.length + 1)), "base64");
  };
  return {
    newest,
    wrap,
    unwrap,
    rewrapped: (wrapped) => (wrapped.startsWith(`${newest}:`) ? undefined : wrap(unwrap(wrapped))),
    digest: (text) => keyedDigest(keys.get(newest)!, text),
  };
}

function readKey(item: string): [string, Buffer] {
  const [id, base64 = "", ...rest] = item.trim().split(":");
  const key = Buffer.from(base64, "base64");
  if (!id || rest.length > 0 || key.length !== 32) {
    throw new Error("a key of the ring is `kid:base64` with 32 bytes, several separated by commas");
  }
  return [id, key];
}

/** A ring with one fresh key, as the setting is written. */
export const newKeyRingSetting = (): string => `k1:${randomBytes(32).toString("base64")}`;
