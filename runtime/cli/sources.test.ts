import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadUnit } from "../deployment.ts";
import { main } from "./main.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function call(...args: readonly string[]): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    env: {},
    color: false,
    readStdin: async () => new Uint8Array(),
    exitCode: 0,
  };
  return { code: await main(args, io), out: out.join("\n"), err: err.join("\n") };
}

async function inFolder(files: Readonly<Record<string, string | Uint8Array>>, work: (folder: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "assent-sources-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const MACHINE = (name: string) => `state machine "${name}" {
  calendar: "cn"
  initial: A
  states: [A, B]
  transitions { A → B on "go" }
}
`;
const USER = (name: string) => `use "./sub/shared.flow"\n${MACHINE(name)}`;
const TEST = `test "goes" of "a" {
  start {}
  send "go"
  expect B
}
`;
/** The mistake stands in line 3. */
const BROKEN = `calendar "cn" {
  timezone: "Asia/Shanghai"
  weekend: [sat, sonday]
}
`;
const SOUND = BROKEN.replace("sonday", "sun");

interface Found {
  /** Of a broken property. */
  readonly test?: string;
  readonly code: string;
  readonly file: string;
  readonly span: { readonly start: { readonly line: number; readonly column: number } };
  readonly related?: readonly { readonly file: string; readonly span: Found["span"] }[];
}

async function found(...args: readonly string[]): Promise<readonly Found[]> {
  const { out } = await call("check", "--json", ...args);
  const result = JSON.parse(out) as { errors: number; diagnostics: Found[] };
  const errors = result.diagnostics.filter((one) => (one as { severity?: string }).severity === "error");
  assert.equal(result.errors, errors.length, "what is counted is what is shown");
  return errors;
}

describe("what is wrong in a used file", () => {
  const files = { "a.flow": USER("a") + TEST, "b.flow": USER("b"), "sub/shared.flow": BROKEN };

  it("is said once, under that file, at its place there", () =>
    inFolder(files, async (folder) => {
      const shared = join(folder, "sub/shared.flow");
      for (const paths of [
        [folder],
        [join(folder, "a.flow"), join(folder, "b.flow")],
        [folder, `${folder}/./sub/shared.flow`],
      ]) {
        const [first, ...rest] = await found(...paths);
        assert.deepEqual([first?.file, first?.span.start], [shared, { line: 3, column: 18 }], paths.join());
        assert.deepEqual(rest, []);
      }
      const { out } = await call("check", join(folder, "a.flow"));
      assert.ok(out.includes(`${shared}:3:18\n3 │   weekend: [sat, sonday]\n  │                  ^^^^^^`), out);
    }));

  it("carries the name under which the file was named", () =>
    inFolder(files, async (folder) => {
      const named = `${folder}/./sub/../sub/shared.flow`;
      const errors = await found(join(folder, "a.flow"), named);
      assert.deepEqual(
        errors.map(({ file }) => file),
        [named],
      );
    }));

  it("keeps the tests of its users from being run, and they are told so", () =>
    inFolder(files, async (folder) => {
      const user = join(folder, "a.flow");
      const { code, out } = await call("test", user);
      assert.equal(code, 1);
      assert.ok(
        out.endsWith(
          `- ${user}: 1 test not run: a file that it uses has errors\n0 tests: 0 passed, 0 failed, 1 not run`,
        ),
        out,
      );
    }));
});

describe("a place in another file", () => {
  const files = { "a.flow": `${USER("a")}${SOUND}`, "sub/shared.flow": `// 日历\n\n${SOUND}` };

  it("is counted in that file's text", () =>
    inFolder(files, async (folder) => {
      const shared = join(folder, "sub/shared.flow");
      const errors = await found(join(folder, "a.flow"));
      assert.deepEqual(
        errors.map(({ code, related }) => [code, related]),
        [
          [
            "FLOW109",
            [
              {
                message: "It is declared here, too.",
                file: shared,
                span: { start: { line: 3, column: 10 }, end: { line: 3, column: 14 } },
              },
            ],
          ],
        ],
      );
      const { out } = await call("check", join(folder, "a.flow"));
      assert.ok(out.includes(`(${shared}:3:10)`), out);
    }));
});

describe("a mistake in functions.ts", () => {
  it("is said once for all flows beside it", () =>
    inFolder({ "a.flow": MACHINE("a"), "b.flow": MACHINE("b"), "functions.ts": "export const = ;" }, async (folder) => {
      const errors = await found(folder);
      assert.deepEqual(errors.map(({ code }) => code).toSorted(), ["FLOW116", "FLOW116", "FLOW401"]);
    }));
});

const STUCK = `state machine "a" {
  initial: A
  states: [A, B, C]
  final: [B]
  transitions {
    A → B on "go"
    A → C on "stop"
  }
}

${TEST}`;

const WITHOUT = `state machine "a" {
  initial: A
  states: [A, B, C]
  transitions {
    A → B on "go"
    A → C on "skip"
    B → C on "on"
  }
  ensure { never C without B }
}
`;

describe("test", () => {
  it("says that a file with errors is not run, and why", () =>
    inFolder({ "a.flow": STUCK }, async (folder) => {
      const file = join(folder, "a.flow");
      const { code, out } = await call("test", file);
      assert.equal(code, 1);
      assert.ok(
        out.endsWith(`- ${file}: 1 test not run: the file has errors\n0 tests: 0 passed, 0 failed, 1 not run`),
        out,
      );
      const { notRun } = JSON.parse((await call("test", file, "--json")).out) as { notRun: unknown };
      assert.deepEqual(notRun, [{ file, tests: 1, hasErrors: true }]);
    }));

  it("is run where nothing but a property is broken, as the diagnostic shows it", () =>
    inFolder({ "a.flow": WITHOUT }, async (folder) => {
      const file = join(folder, "a.flow");
      const [error] = await found(file);
      assert.equal(error?.code, "FLOW250");
      writeFileSync(file, `${WITHOUT}\n${error.test}`);
      const { code, out } = await call("test", file, "--json");
      const { failed, tests, notRun, diagnostics } = JSON.parse(out) as {
        failed: number;
        tests: { name: string; ok: boolean }[];
        notRun: unknown;
        diagnostics: { code: string }[];
      };
      assert.deepEqual([code, failed, tests.map(({ name, ok }) => [name, ok])], [1, 1, [["never C without B", false]]]);
      assert.deepEqual([notRun, diagnostics.map((one) => one.code)], [[], ["FLOW250"]]);
      assert.match((await call("test", file)).out, /^error\[FLOW250\][\s\S]*✘ a: never C without B/);
    }));
});

const FAILING = `state machine "a" {
  initial: A
  states: [A, B]
  state A { approval by users("u") }
  transitions {
    A → B on approved → emit("done")
    A → A on rejected
  }
}

test "state" of "a" {
  start {}
  expect B
}
test "waiting" of "a" {
  start {}
  expect A waiting for "v"
}
test "refusal" of "a" {
  start {}
  "v" approves
}
test "number" of "a" {
  start {}
  expect emitted "done" 2 times
}
test "fine" of "a" {
  start {}
  "u" approves
  expect B
}
`;

describe("--lang zh", () => {
  it("is the language of what `check` sums up", () =>
    inFolder({ "a.flow": STUCK, "b.flow": MACHINE("b").replace('calendar: "cn"', "") }, async (folder) => {
      const fine = await call("check", "--lang", "zh", join(folder, "b.flow"));
      assert.equal(fine.out, "1 个文件，1 个流程：没有问题");
      const faulty = await call("check", "--lang", "zh", folder);
      assert.match(faulty.out, /\n2 个文件，2 个流程：1 个错误，0 个警告$/);
    }));

  it("is the language of what `test` says", () =>
    inFolder({ "a.flow": FAILING, "broken/a.flow": STUCK }, async (folder) => {
      const { out } = await call("test", "--lang", "zh", folder);
      for (const line of [
        "期望：状态 B\n      实际：状态 A\n      经过：",
        "期望：等待 `v`\n      实际：等待 `u`",
        "期望：被接受\n      实际：被拒绝，代码 `not-your-task`",
        "期望：`done` 发出：2 次\n      实际：从未；目前：没有",
        "broken/a.flow: 1 个测试未运行：该文件有错误",
      ]) {
        assert.ok(out.includes(line), out);
      }
      assert.ok(out.endsWith("5 个测试：1 个通过，4 个失败，1 个未运行"), out);
      const none = await call("test", "--lang", "zh", "--name", "nope", folder);
      assert.match(none.err, /没有名称匹配 `nope` 的测试/);
    }));
});

describe("a JUnit report", () => {
  it("has the tests that did not run as skipped, with the reason", () =>
    inFolder({ "a.flow": FAILING, "broken/a.flow": STUCK }, async (folder) => {
      const report = join(folder, "report.xml");
      await call("test", "--junit", report, folder);
      const xml = readFileSync(report, "utf8");
      assert.match(xml, /<testsuite name="assent" tests="6" failures="4" errors="0" skipped="1" /);
      assert.match(xml, /<testcase [^>]*file="[^"]*broken\/a\.flow">\n {4}<skipped message="the file has errors"\/>/);
    }));
});

describe("a file that is no UTF-8", () => {
  const text = 'state machine "a" {\n  // D\u00e9penses\n}\n';
  const files = { "a.flow": Buffer.from(text, "latin1"), "b.flow": 'use "./a.flow"\n' };

  it("is an error at its first such byte, and nothing else", () =>
    inFolder(files, async (folder) => {
      const file = join(folder, "a.flow");
      const errors = await found(file);
      assert.deepEqual(
        errors.map(({ code, span }) => [code, span.start]),
        [["FLOW008", { line: 2, column: 7 }]],
      );
      for (const args of [["fmt"], ["check", "--fix"]]) {
        const { code, out, err } = await call(...args, file);
        assert.equal(code, 1);
        assert.match(out + err, /at byte offset 26 stands `0xE9`/);
        assert.deepEqual(readFileSync(file), files["a.flow"], "it is left as it is");
      }
      const unit = await loadUnit(file, { names: [], labels: [] });
      assert.deepEqual(unit.kind === "refused" && unit.diagnostics.map(({ code }) => code), ["FLOW008"]);
    }));

  it("can't be used by others", () =>
    inFolder(files, async (folder) => {
      const errors = await found(folder);
      assert.deepEqual(
        errors.map(({ code }) => code),
        ["FLOW008", "FLOW113"],
      );
    }));
});
