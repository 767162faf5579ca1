import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * The callback encryption of WeCom ("加解密方案说明", developer.work.weixin.qq.com/document/path/90968):
 * AES-256-CBC with the key's first half as the vector; inside are 16 random bytes, the length of the message, the
 * message and the receiver's id; padded to a multiple of 32. The signature is SHA-1 over the sorted parts.
 */

/** The return codes of WeCom's published libraries. */
export type CryptoCode = -40001 | -40002 | -40004 | -40005 | -40007 | -40008 | -40010;

export interface CryptoFault {
  readonly ok: false;
  readonly code: CryptoCode;
  readonly reason: string;
}

export interface Sealed {
  readonly timestamp: string;
  readonly nonce: string;
  readonly encrypt: string;
  readonly signature: string;
}

const RANDOM_BYTES = 16;
const LENGTH_BYTES = 4;
/** Twice AES's block: a usual PKCS#7 remover fails on it, so padding is done by hand here. */
const PAD_TO = 32;

/** Lower-case hex SHA-1 of the byte-wise sorted parts, joined. */
export function sign(token: string, timestamp: string, nonce: string, encrypt: string): string {
  return createHash("sha1").update([token, timestamp, nonce, encrypt].sort().join("")).digest("hex");
}

/** Checks the signature, then decrypts: the message, or the first thing that is wrong. */
export function open(
  keys: { readonly token: string; readonly aesKey: string; readonly receiveId: string },
  sealed: Sealed,
): { readonly ok: true; readonly message: Buffer } | CryptoFault {
  const expected = sign(keys.token, sealed.timestamp, sealed.nonce, sealed.encrypt);
  if (!equalInConstantTime(expected, sealed.signature)) return fault(-40001, "the signature is wrong");
  return decrypt(keys.aesKey, sealed.encrypt, keys.receiveId);
}

/** @param receiveId corp id of an own app; what was encrypted for another one is refused. */
export function decrypt(
  aesKey: string,
  encrypt: string,
  receiveId: string,
): { readonly ok: true; readonly message: Buffer; readonly random: Buffer } | CryptoFault {
  const key = keyFrom(aesKey);
  if (key === undefined) return fault(-40004, "the AES key is not of 43 base64 characters");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encrypt) || encrypt.length % 4 !== 0)
    return fault(-40010, "the text is not base64");
  const cipherText = Buffer.from(encrypt, "base64");
  if (cipherText.length % 16 !== 0) return fault(-40007, "the ciphertext has not the length of whole blocks");
  const decipher = createDecipheriv("aes-256-cbc", key, key.subarray(0, 16)).setAutoPadding(false);
  return unpack(Buffer.concat([decipher.update(cipherText), decipher.final()]), receiveId);
}

/**
 * The counterpart of {@link decrypt}.
 * @param random 16 bytes that make equal messages differ.
 */
export function encrypt(
  aesKey: string,
  message: Uint8Array,
  receiveId: string,
  random: Uint8Array = randomBytes(RANDOM_BYTES),
): { readonly ok: true; readonly encrypt: string } | CryptoFault {
  const key = keyFrom(aesKey);
  if (key === undefined) return fault(-40004, "the AES key is not of 43 base64 characters");
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(message.length);
  const content = Buffer.concat([random, length, message, Buffer.from(receiveId)]);
  const pad = PAD_TO - (content.length % PAD_TO);
  const cipher = createCipheriv("aes-256-cbc", key, key.subarray(0, 16)).setAutoPadding(false);
  const plain = Buffer.concat([content, Buffer.alloc(pad, pad)]);
  return { ok: true, encrypt: Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64") };
}

function unpack(padded: Buffer, receiveId: string): ReturnType<typeof decrypt> {
  const pad = padded.at(-1) ?? 0;
  const end = padded.length - pad;
  const isPadding = pad >= 1 && pad <= PAD_TO && end >= 0 && padded.subarray(end).every((byte) => byte === pad);
  if (!isPadding) return fault(-40008, "the padding is wrong");
  const start = RANDOM_BYTES + LENGTH_BYTES;
  if (end < start) return fault(-40008, "the message is cut off");
  const stop = start + padded.readUInt32BE(RANDOM_BYTES);
  if (stop > end) return fault(-40008, "the message is shorter than it says");
  if (padded.toString("utf8", stop, end) !== receiveId) return fault(-40005, "it was encrypted for another receiver");
  return { ok: true, message: padded.subarray(start, stop), random: padded.subarray(0, RANDOM_BYTES) };
}

/** The last character may carry bits beyond the 32 bytes (published keys do); Node's decoder drops them. */
function keyFrom(aesKey: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]{43}$/.test(aesKey) ? Buffer.from(`${aesKey}=`, "base64") : undefined;
}

function equalInConstantTime(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function fault(code: CryptoCode, reason: string): CryptoFault {
  return { ok: false, code, reason };
}
