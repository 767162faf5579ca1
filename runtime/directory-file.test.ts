import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type DirectoryChange, directoryFile, type WatchedDirectory } from "./directory-file.ts";
import type { Question } from "./ports.ts";

const folder = mkdtempSync(join(tmpdir(), "assent-directory-"));
const file = join(folder, "directory.json");
after(() => rmSync(folder, { recursive: true }));

const write = (...groups: readonly (readonly [id: string, group: string])[]): void =>
  writeFileSync(file, JSON.stringify({ people: groups.map(([id, group]) => ({ id, groups: [group] })) }));
const finance = (directory: WatchedDirectory) =>
  directory.answer({ kind: "people", name: "group", arguments: ["finance"] } as unknown as Question);

test("who is in the file now is known; a broken or missing file leaves the people of the one before, and says so", () => {
  write(["ann", "finance"]);
  const directory = directoryFile([folder], false);
  assert.deepEqual(finance(directory), { people: ["ann"] });
  assert.equal(directory.look(), undefined);

  write(["ann", "finance"], ["ben", "finance"]);
  assert.deepEqual(directory.look(), { kind: "read", file, people: 2 });
  assert.deepEqual(finance(directory), { people: ["ann", "ben"] });
  assert.equal(directory.person("t", "ben")?.id, "ben");

  for (const broken of ["{", '{"people":[{"id":""}]}', '{"persons":[]}']) {
    writeFileSync(file, broken);
    const change = directory.look();
    assert.ok(
      change?.kind === "refused" && change.why.includes("is not a directory of people"),
      JSON.stringify(change),
    );
    assert.equal(directory.look(), undefined);
    assert.deepEqual(finance(directory), { people: ["ann", "ben"] });
  }

  rmSync(file);
  assert.deepEqual(directory.look(), { kind: "refused", file, why: "the file is gone" });
  assert.deepEqual(finance(directory), { people: ["ann", "ben"] });

  write(["cora", "finance"]);
  directory.look();
  assert.deepEqual(finance(directory), { people: ["cora"] });
  assert.equal(directory.person("t", "ann"), undefined);
});

test("with `--dev` the seeded people stay, and what the file says of one wins", () => {
  write(["dave", "sales"]);
  const directory = directoryFile([join(folder, "directory.json")], true);
  assert.deepEqual(finance(directory), { people: ["carol", "erin"] });
});

test("a file that is broken at the start is refused", () => {
  writeFileSync(file, "{");
  assert.throws(() => directoryFile([folder], false), /is not a directory of people/);
});

test("while it is watched changes are told", () => {
  rmSync(file, { force: true });
  const directory = directoryFile([folder], false);
  const told: DirectoryChange[] = [];
  let pass: (() => void) | undefined;
  const end = directory.watch((change) => told.push(change), {
    after: (_delayMs, callBack) => {
      pass = callBack;
      return () => {
        pass = undefined;
      };
    },
  });
  pass!();
  assert.deepEqual(told, []);
  // As editors do it.
  writeFileSync(`${file}.new`, '{"people":[{"id":"ann"}]}');
  renameSync(`${file}.new`, file);
  pass!();
  assert.deepEqual(told, [{ kind: "read", file, people: 1 }]);
  pass!();
  assert.equal(told.length, 1);
  end();
  assert.equal(pass, undefined);
});
