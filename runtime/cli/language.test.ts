import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { languageOf } from "./language.ts";
import { main } from "./main.ts";

const MISSPELT = `state machine "x" {
  initail：A
  states: [A, B]
  transitions { A → B on "go" }
}
`;
const SOUND = MISSPELT.replace("initail：", "initial:");

const APPROVAL = `state machine "x" {
  data { amount: money }
  events { "submit" { amount } }
  initial: D
  states: [D, R, OK, NO]
  state R { approval by managerOf(initiator) { due: 2d } }
  transitions {
    D → R on "submit"
    R → OK on approved if amount >= 500
    R → NO on approved else
    R → NO on rejected
  }
}
`;

async function inFolder(
  text: string,
  work: (
    file: string,
    call: (args: readonly string[], env?: Record<string, string>) => Promise<Ended>,
  ) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "assent-language-"));
  try {
    const file = join(folder, "x.flow");
    writeFileSync(file, text);
    await work(file, call);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function call(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    env,
    color: false,
    readStdin: async () => Buffer.from(MISSPELT),
    exitCode: 0,
  };
  return { code: await main(args, io), out: out.join("\n"), err: err.join("\n") };
}

describe("languageOf", () => {
  for (const [locale, language] of [
    [undefined, "en"],
    ["", "en"],
    ["C.UTF-8", "en"],
    ["en_US.UTF-8", "en"],
    ["zh_CN.UTF-8", "zh"],
    ["zh", "zh"],
    ["zh-Hans", "zh"],
    ["ZH_tw@radical", "zh"],
    ["zhx_ZZ", "en"],
  ] as const) {
    it(`takes ${locale} for ${language}`, () => assert.equal(languageOf(locale), language));
  }
});

describe("--lang", () => {
  const chinese = /错误\[FLOW013\]: `initail` 在此处不是关键字/;
  const english = /error\[FLOW013\]: `initail` is not a word/;

  it("chooses the language of check, test and fmt", () =>
    inFolder(MISSPELT, async (file) => {
      for (const command of ["check", "test", "fmt"]) {
        const ended = await call([command, "--lang", "zh", file]);
        assert.match(ended.out + ended.err, chinese, command);
      }
      assert.match((await call(["fmt", "--lang", "zh", "-"])).err, chinese);
    }));

  it("chooses the language of diff, explain and coverage", () =>
    inFolder(APPROVAL, async (file) => {
      const other = file.replace("x.flow", "y.flow");
      writeFileSync(other, APPROVAL.replace("500", "400").replace("due: 2d", "due: 1d"));
      const changed = await call(["diff", "--lang", "zh", file, other]);
      assert.equal(changed.code, 1);
      assert.ok(changed.out.includes("~ x：`R` 的期限缩短了。\n    原为：2d\n    现为：1d"), changed.out);
      assert.match(changed.out, /以前不成立的情形下成立了。 \(放宽\)\n.*\n.*\n {4}例如：amount = 400/);
      const explained = await call(["explain", "--lang", "zh", file, "--if", "amount=450"]);
      assert.match(explained.out, /^x，其中 amount = 450.00 CNY\n/);
      assert.match(explained.out, /（用于 → OK）\n {2}最近的改动：amount = 500: → OK/);
      const covered = await call(["test", "--lang", "zh", "--coverage", "--coverage-min", "50", file]);
      assert.match(covered.out, /流程 +状态 +流转 +条件 +行 +边界/);
      assert.match(covered.out, /x：未覆盖\n/);
      assert.match(covered.err, /覆盖率 0.0 %，低于 50 %/);
    }));

  it("is stronger than the environment, in which LC_ALL is stronger than LANG", () =>
    inFolder(MISSPELT, async (file) => {
      assert.match((await call(["check", file], { LANG: "zh_CN.UTF-8" })).out, chinese);
      assert.match((await call(["check", file], { LANG: "zh_CN.UTF-8", LC_ALL: "C" })).out, english);
      assert.match((await call(["check", file], { LANG: "en_US", LC_ALL: "" })).out, english);
      assert.match((await call(["check", "--lang", "en", file], { LANG: "zh_CN.UTF-8" })).out, english);
    }));

  it("counts for JSON, too", () =>
    inFolder(MISSPELT, async (file) => {
      const { out } = await call(["check", "--json", "--lang", "zh", file]);
      const { diagnostics } = JSON.parse(out) as { diagnostics: { message: string }[] };
      assert.deepEqual(
        diagnostics.map(({ message }) => message),
        ["`initail` 在此处不是关键字，是否想写 `initial`？", "请把 `：` 写作 `:`。"],
      );
    }));

  it("takes no other language", async () => assert.equal((await call(["check", "--lang", "fr", "."])).code, 2));
});

describe("check --fix", () => {
  it("writes the mended file, and says what is left", () =>
    inFolder(MISSPELT, async (file) => {
      const { code, out, err } = await call(["check", "--fix", file]);
      assert.equal(code, 0);
      assert.equal(err, "2 fixes applied");
      assert.match(out, /fine/);
      assert.equal(readFileSync(file, "utf8"), SOUND);
    }));

  it("leaves warnings and what has no fix as they are", () =>
    inFolder(SOUND.replace(`on "go"`, `on "go" if isOk() and amont > 1`), async (file) => {
      const before = readFileSync(file, "utf8");
      const { code, err } = await call(["check", "--fix", file]);
      assert.equal(code, 1);
      assert.equal(err, "0 fixes applied");
      assert.equal(readFileSync(file, "utf8"), before);
    }));
});
