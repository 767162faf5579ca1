import assert from "node:assert/strict";
import { test } from "node:test";
import { progressBar } from "./progress.ts";

/** Every file takes this long. */
function linesFor(files: number, msPerFile: number): readonly string[] {
  const lines: string[] = [];
  let now = 1000;
  const tell = progressBar({ status: (line) => lines.push(line) }, () => now)!;
  for (let done = 0; done < files; done += 1) {
    tell(done, files);
    now += msPerFile;
  }
  tell(files, files);
  return lines;
}

test("a bar shows how far it is, redrawn now and then, and goes away", () => {
  const lines = linesFor(1000, 1);
  assert.equal(lines.length, 9, "at 250 ms, then every 100 ms, then the end");
  assert.equal(lines[0], `${"█".repeat(7)}${"░".repeat(23)} 250/1000`);
  assert.equal(lines[7], `${"█".repeat(28)}${"░".repeat(2)} 950/1000`);
  assert.equal(lines.at(-1), "");
});

test("what is done soon shows no bar, nor does what no terminal shows", () => {
  assert.deepEqual(linesFor(200, 1), []);
  assert.equal(progressBar({}), undefined);
});
