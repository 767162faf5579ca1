import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "assent-coverage-"));
after(() => rmSync(folder, { recursive: true }));

const FLOW = `matrix who(amount: money) {
  amount     → people
  [0, 100)   → users("ann")
  [100, ..)  → users("ben")
}

state machine "pay" {
  data { amount: money }
  events { "ask" { amount } }
  initial: NEW
  states: [NEW, SIGN, PAID, NO]
  final: [PAID, NO]
  state SIGN { approval by who(amount) }
  transitions {
    NEW → SIGN on "ask" if amount > 0
    SIGN → PAID on approved
    SIGN → NO on rejected
  }
}

test "small" of "pay" {
  start { amount: 99.99 }
  send "ask"
  "ann" approves
  expect PAID
}
`;

let files = 0;

function write(text: string): string {
  files += 1;
  const file = join(folder, `pay-${files}.flow`);
  writeFileSync(file, text);
  return file;
}

async function call(...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    out: (line: string) => void out.push(`${line}\n`),
    err: (line: string) => void err.push(`${line}\n`),
    env: {},
    color: false,
    readStdin: async () => new Uint8Array(),
    exitCode: 0,
  };
  return { code: await main(args, io), out: out.join(""), err: err.join("") };
}

describe("assent test --coverage", () => {
  it("counts as JSON, and names what is missing with its line", async () => {
    const { code, out } = await call("test", write(FLOW), "--coverage", "--json");
    const { passed, coverage } = JSON.parse(out);
    assert.deepEqual([code, passed], [0, 1]);
    assert.deepEqual(coverage, {
      pay: {
        states: [3, 4],
        transitions: [2, 3],
        conditions: [1, 2],
        rows: [1, 2],
        boundaries: [2, 6],
        missing: [
          "state NO (line 11)",
          "transition SIGN → NO on rejected (line 17)",
          "condition `amount > 0` false (line 15)",
          "boundary amount = 0 (line 15)",
          "boundary amount = 0.01 (line 15)",
          "boundary amount = 100 at row 1 of who (line 3)",
          "row 2 of who (line 4)",
          "boundary amount = 100 at row 2 of who (line 4)",
        ],
      },
    });
  });

  it("shows a table, and nothing of it without being asked", async () => {
    const file = write(FLOW);
    const { out } = await call("test", file, "--coverage");
    assert.match(out, /^flow +states +transitions +conditions +rows +boundaries\npay +3\/4 +2\/3 +1\/2 +1\/2 +2\/6$/m);
    assert.match(out, new RegExp(`^ +${file}:17 +transition SIGN → NO on rejected$`, "m"));
    assert.doesNotMatch((await call("test", file)).out, /states/);
  });

  it("fails only below --coverage-min", async () => {
    const file = write(FLOW);
    assert.equal((await call("test", file, "--coverage-min", "52")).code, 0);
    const low = await call("test", file, "--coverage-min", "53");
    assert.deepEqual([low.code, low.err], [1, "covered are 52.9 %, less than 53 %\n"]);
    assert.equal((await call("test", file, "--coverage-min", "most")).code, 2);
  });

  it("writes lines and branches as lcov", async () => {
    const [file, report] = [write(FLOW), join(folder, "lcov.info")];
    await call("test", file, "--lcov", report);
    assert.deepEqual(readFileSync(report, "utf8").trim().split("\n"), [
      "TN:",
      `SF:${file}`,
      "BRDA:15,0,0,1",
      "BRDA:15,0,1,0",
      "BRF:2",
      "BRH:1",
      "DA:3,1",
      "DA:4,0",
      "DA:15,1",
      "DA:16,1",
      "DA:17,0",
      "LF:5",
      "LH:3",
      "end_of_record",
    ]);
  });
});

describe("assent test --generate", () => {
  it("writes tests that cover the rest and pass", async () => {
    const file = write(FLOW);
    const printed = await call("test", file, "--generate");
    assert.equal(printed.code, 0);
    assert.match(printed.out, /^test "NEW → SIGN → NO"/m);
    assert.equal(readFileSync(file, "utf8"), FLOW);
    assert.equal((await call("test", file, "--generate", "--write")).out, "");
    assert.equal(readFileSync(file, "utf8"), `${FLOW}\n${printed.out}`);
    const { failed, coverage } = JSON.parse((await call("test", file, "--coverage", "--json")).out);
    assert.deepEqual([failed, coverage.pay.missing], [0, []]);
    assert.equal((await call("test", file, "--generate")).out, "");
  });

  it("gives them as JSON, with file and flow", async () => {
    const file = write(FLOW);
    const { generated } = JSON.parse((await call("test", file, "--generate", "--json")).out);
    assert.ok(generated.length > 0);
    for (const one of generated) {
      assert.deepEqual([one.file, one.flow, one.text.startsWith("test ")], [file, "pay", true]);
    }
  });
});

describe("assent explain", () => {
  it("says which line decides, why, and the nearest change, with places in the text", async () => {
    const file = write(FLOW);
    const { code, out } = await call("explain", file, "--if", "amount=0");
    assert.equal(code, 0);
    assert.ok(
      out.includes(
        `NEW on "ask" changes nothing: no line applies\n  ✘ amount > 0: amount = 0.00 CNY  (for → SIGN)\n  nearest: amount = 0.01: → SIGN\n`,
      ),
      out,
    );
    assert.ok(out.includes(`SIGN who(amount) → users("ann") (${file}:3)\n`), out);
  });

  it("gives the same as JSON, for one state", async () => {
    const file = write(FLOW);
    const { out } = await call("explain", file, "--if", "amount=100", "--state", "SIGN", "--json");
    const { flow, given, choices } = JSON.parse(out);
    assert.deepEqual([flow, given], ["pay", { amount: "100.00 CNY" }]);
    assert.deepEqual(
      choices.map((choice: { what: string }) => choice.what),
      ["who(amount)", "on approved", "on rejected"],
    );
    const [matrix] = choices;
    assert.deepEqual(matrix.outcomes, [{ when: [], taken: 1 }]);
    assert.deepEqual([matrix.alternatives[1].file, matrix.alternatives[1].line], [file, 4]);
    assert.deepEqual(matrix.nearest, [
      { path: "amount", value: "99.99 CNY", text: "amount = 99.99", outcomes: [{ when: [], taken: 0 }] },
    ]);
  });

  const WRONG: readonly (readonly [about: string, args: readonly string[], message: string])[] = [
    ["a field", ["--if", "colour=red"], "error: `pay` has no field `colour`.\n"],
    ["a value", ["--if", "amount=much"], "error: `amount` must be an amount"],
    ["a state", ["--state", "GONE"], "error: `pay` has no state `GONE`"],
    ["a flow", ["--flow", "other"], "holds no sound flow `other`"],
  ];
  for (const [about, args, message] of WRONG) {
    it(`refuses ${about} that is not there`, async () => {
      const { code, err } = await call("explain", write(FLOW), ...args);
      assert.ok(err.includes(message), err);
      assert.equal(code, about === "a flow" ? 1 : 2);
    });
  }

  it("refuses a flow with errors", async () => {
    const { code, err } = await call("explain", write(FLOW.replace("[100", "[101")), "--if", "amount=1");
    assert.equal(code, 1);
    assert.match(err, /holds no sound flow/);
  });
});
