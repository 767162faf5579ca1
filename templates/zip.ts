import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";

/**
 * Zip files as Word writes them (APPNOTE.TXT 6.3.10, methods "stored" and "deflate", no zip64, no encryption).
 * Our own because a template comes from outside: sizes are capped while inflating, not after it, and because what is
 * written must be the same bytes for the same parts (no dates, given order).
 */

/** One file in the archive, in its compressed form, so that what isn't touched is copied as it is. */
export interface ZipEntry {
  readonly path: string;
  readonly method: 0 | 8;
  readonly crc32: number;
  /** Of the inflated bytes. */
  readonly bytes: number;
  readonly packed: Uint8Array;
}

export interface ZipLimits {
  readonly entriesMax: number;
  /** Of one entry, inflated. */
  readonly entryBytesMax: number;
  /** Of all entries, inflated. */
  readonly totalBytesMax: number;
}

export type ZipProblem = { readonly kind: "not-a-zip" | "too-large"; readonly message: string };

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
/** The end record is 22 bytes and a comment of at most 64 KiB. */
const END_SEARCH_BYTES_MAX = 22 + 0xffff;
/** 1980-01-01, the first date a zip can say: the same parts make the same bytes on every day. */
const FIXED_DATE = 0x0021;
const UTF8_NAMES = 0x0800;
const ENCRYPTED = 0x0001;

/** The entries in the order of the directory, folders left out; every one was inflated once and matches its checksum. */
export function readZip(file: Uint8Array, limits: ZipLimits): readonly ZipEntry[] | ZipProblem {
  const buffer = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const end = findEnd(buffer);
  if (end === undefined) return notAZip("it has no directory");
  const count = buffer.readUInt16LE(end + 10);
  if (count > limits.entriesMax) return tooLarge(`it has ${count} entries, at most ${limits.entriesMax} are taken`);
  const entries: ZipEntry[] = [];
  const seen = new Set<string>();
  let at = buffer.readUInt32LE(end + 16);
  let left = limits.totalBytesMax;
  for (let index = 0; index < count; index++) {
    const read = readEntry(buffer, at, Math.min(left, limits.entryBytesMax));
    if ("kind" in read) return read;
    at = read.next;
    left -= read.entry.bytes;
    if (read.entry.path.endsWith("/")) continue;
    // Part names are the same in either case (OPC, ECMA-376 part 2): two of them would let readers differ.
    const name = read.entry.path.toLowerCase();
    if (seen.has(name)) return notAZip(`it has \`${read.entry.path}\` twice`);
    seen.add(name);
    entries.push(read.entry);
  }
  return entries;
}

/** Packs `bytes` as the entry `path`. */
export function packEntry(path: string, bytes: Uint8Array, level = 6): ZipEntry {
  const packed = level === 0 ? bytes : deflateRawSync(bytes, { level });
  return { path, method: level === 0 ? 0 : 8, crc32: crc32(bytes), bytes: bytes.byteLength, packed };
}

/** The inflated bytes of an entry that {@link readZip} or {@link packEntry} made. */
export function unpackEntry(entry: ZipEntry): Uint8Array {
  if (entry.method === 0) return entry.packed;
  return inflateRawSync(entry.packed, { maxOutputLength: Math.max(entry.bytes, 1) });
}

/** An archive with these entries in this order; the same entries give the same bytes. */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array<ArrayBuffer> {
  const body: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.path);
    const common = commonHeader(entry, name.length);
    const local = Buffer.concat([uint32(LOCAL_ENTRY), common, name]);
    body.push(local, entry.packed);
    // Made by version 2.0; then comment length, disk, internal and external attributes: all zero.
    directory.push(uint32(DIRECTORY_ENTRY), Buffer.from([20, 0]), common, Buffer.alloc(10), uint32(offset), name);
    offset += local.length + entry.packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END_OF_DIRECTORY, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  const file = new Uint8Array(offset + listed.length + end.length);
  let at = 0;
  for (const piece of [...body, listed, end]) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

/** What the local header and the directory say alike: version needed to extra length. */
function commonHeader(entry: ZipEntry, nameBytes: number): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(UTF8_NAMES, 2);
  header.writeUInt16LE(entry.method, 4);
  header.writeUInt16LE(0, 6);
  header.writeUInt16LE(FIXED_DATE, 8);
  header.writeUInt32LE(entry.crc32, 10);
  header.writeUInt32LE(entry.packed.length, 14);
  header.writeUInt32LE(entry.bytes, 18);
  header.writeUInt16LE(nameBytes, 22);
  return header;
}

function findEnd(buffer: Buffer): number | undefined {
  const lowest = Math.max(0, buffer.length - END_SEARCH_BYTES_MAX);
  for (let at = buffer.length - 22; at >= lowest; at--) if (buffer.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  return undefined;
}

function readEntry(buffer: Buffer, at: number, bytesMax: number): { entry: ZipEntry; next: number } | ZipProblem {
  if (at + 46 > buffer.length || buffer.readUInt32LE(at) !== DIRECTORY_ENTRY)
    return notAZip("its directory is damaged");
  const nameEnd = at + 46 + buffer.readUInt16LE(at + 28);
  const path = buffer.toString("utf8", at + 46, nameEnd);
  const next = nameEnd + buffer.readUInt16LE(at + 30) + buffer.readUInt16LE(at + 32);
  const method = buffer.readUInt16LE(at + 10);
  if (buffer.readUInt16LE(at + 8) & ENCRYPTED) return notAZip(`\`${path}\` in it is encrypted`);
  if (method !== 0 && method !== 8) return notAZip(`\`${path}\` in it is packed by an unknown method`);
  if (!isPlainPath(path)) return notAZip(`it has an entry with the path \`${path}\``);
  const bytes = buffer.readUInt32LE(at + 24);
  if (bytes > bytesMax) return tooLarge(`\`${path}\` in it unpacks to more than is taken (${bytes} bytes)`);
  const local = buffer.readUInt32LE(at + 42);
  if (local + 30 > buffer.length || buffer.readUInt32LE(local) !== LOCAL_ENTRY)
    return notAZip("its directory is damaged");
  const start = local + 30 + buffer.readUInt16LE(local + 26) + buffer.readUInt16LE(local + 28);
  const packed = buffer.subarray(start, start + buffer.readUInt32LE(at + 20));
  const entry: ZipEntry = { path, method, crc32: buffer.readUInt32LE(at + 16), bytes, packed: new Uint8Array(packed) };
  return isIntact(entry) ? { entry, next } : notAZip(`\`${path}\` in it is damaged or is not as large as it says`);
}

function isPlainPath(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !/[\\:\0]/.test(path) && !path.split("/").includes("..");
}

function isIntact(entry: ZipEntry): boolean {
  try {
    const bytes = unpackEntry(entry);
    return bytes.byteLength === entry.bytes && crc32(bytes) === entry.crc32;
  } catch {
    return false; // Not deflate data, or more of it than the directory admits.
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function notAZip(why: string): ZipProblem {
  return { kind: "not-a-zip", message: `the file is no .docx: ${why}` };
}

function tooLarge(why: string): ZipProblem {
  return { kind: "too-large", message: `the file is too large: ${why}` };
}
