import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import JSZip from "jszip";
import { packEntry, readZip, unpackEntry, writeZip, type ZipEntry } from "./zip.ts";

const LIMITS = { entriesMax: 10, entryBytesMax: 1000, totalBytesMax: 2000 };
const text = (value: string) => Buffer.from(value);

function entriesOf(file: Uint8Array): readonly ZipEntry[] {
  const read = readZip(file, LIMITS);
  assert.ok(!("kind" in read), "kind" in read ? read.message : "");
  return read;
}

test("what is written reads back, here and by another reader", async () => {
  const file = writeZip([packEntry("a.xml", text("一二三")), packEntry("word/空.bin", text("x"), 0)]);
  assert.deepEqual(
    entriesOf(file).map((entry) => [entry.path, Buffer.from(unpackEntry(entry)).toString()]),
    [
      ["a.xml", "一二三"],
      ["word/空.bin", "x"],
    ],
  );
  const other = await JSZip.loadAsync(file, { checkCRC32: true });
  assert.equal(await other.file("a.xml")?.async("text"), "一二三");
  assert.equal(await other.file("word/空.bin")?.async("text"), "x");
});

test("the same entries give the same bytes", () => {
  assert.deepEqual(writeZip([packEntry("a", text("b"))]), writeZip([packEntry("a", text("b"))]));
});

test("zip files of another writer are read, folders left out", async () => {
  const zip = new JSZip().file("word/document.xml", "<a/>").file("stored", "s", { compression: "STORE" });
  const file = await zip.generateAsync({
    type: "uint8array",
    compression: "DEFLATE",
    streamFiles: true,
    comment: "a comment",
  });
  assert.deepEqual(
    entriesOf(file).map(({ path }) => path),
    ["word/document.xml", "stored"],
  );
});

const one = packEntry("a", text("hello hello hello"));
const refused: readonly (readonly [string, Uint8Array, "not-a-zip" | "too-large"])[] = [
  ["nothing", new Uint8Array(), "not-a-zip"],
  ["text", text("this is not a zip file, whatever its name says"), "not-a-zip"],
  ["a cut file", writeZip([one]).slice(0, -30), "not-a-zip"],
  [
    "too many entries",
    writeZip(Array.from({ length: 11 }, (_, index) => packEntry(`a${index}`, text("")))),
    "too-large",
  ],
  ["a large entry", writeZip([packEntry("a", new Uint8Array(1001))]), "too-large"],
  [
    "large entries together",
    writeZip(["a", "b", "c"].map((path) => packEntry(path, new Uint8Array(900)))),
    "too-large",
  ],
  ["a bomb that says it is small", writeZip([{ ...packEntry("a", new Uint8Array(5e6)), bytes: 10 }]), "not-a-zip"],
  ["a wrong checksum", writeZip([{ ...one, crc32: 1 }]), "not-a-zip"],
  ["no deflate data", writeZip([{ ...one, packed: text("????") }]), "not-a-zip"],
  ["one name twice", writeZip([one, { ...one, path: "A" }]), "not-a-zip"],
  ["a path that leads out", writeZip([{ ...one, path: "../a" }]), "not-a-zip"],
  ["an absolute path", writeZip([{ ...one, path: "/a" }]), "not-a-zip"],
  ["a path with a backslash", writeZip([{ ...one, path: "a\\b" }]), "not-a-zip"],
];
for (const [what, file, kind] of refused) {
  test(`refused: ${what}`, () => {
    const read = readZip(file, LIMITS);
    assert.equal("kind" in read && read.kind, kind);
  });
}

test("an encrypted entry is refused", () => {
  const file = writeZip([one]);
  const directory = Buffer.from(file.buffer).indexOf(Buffer.from("PK\u0001\u0002"));
  file[directory + 8]! |= 1;
  assert.match((readZip(file, LIMITS) as { message: string }).message, /encrypted/);
});

test("a damaged file is an answer, never an exception", () => {
  const file = writeZip([one, packEntry("b", text("second"))]);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const damaged = file.slice();
      for (const [at, value] of changes) damaged[at] = value;
      const read = readZip(damaged, LIMITS);
      assert.ok("kind" in read || read.length <= LIMITS.entriesMax);
    }),
  );
});
