import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compile } from "../index.ts";

const KINDS = ["a", "b"] as const;
const SIZE = 4;

interface RandomLine {
  readonly from: number;
  readonly to: number;
  readonly kind: (typeof KINDS)[number] | undefined;
  /** Out of the branch, to OK. */
  readonly out: boolean;
}

interface RandomBranch {
  readonly lines: readonly RandomLine[];
  readonly kind: (typeof KINDS)[number] | undefined;
}

interface RandomFlow {
  readonly branches: readonly RandomBranch[];
  readonly join: "all" | "any";
  /** Y: this state of the first branch. */
  readonly watched: number;
  readonly wanted: (typeof KINDS)[number] | undefined;
}

function write({ branches, join, watched, wanted }: RandomFlow): string {
  const written = branches.map(({ lines, kind }, number) => {
    const own = lines.map(({ from, to, kind: when, out }, index) => {
      const target = out ? "OK" : `S${to}`;
      return `S${from} → ${target} on "e${number}_${index}"${when === undefined ? "" : ` if kind == ${when}`}`;
    });
    return `branch b${number}${kind === undefined ? "" : ` if kind == ${kind}`} { initial: S0; states: [S0, S1, S2, S3]
      transitions { ${own.join("\n")} } }`;
  });
  return `state machine "f" {
    data { kind: Kind = one of [a, b] = a }
    initial: D
    states: [D, R, OK, GONE]
    final: [OK, GONE]
    state R { parallel { ${written.join("\n")}\n join ${join} } }
    transitions { D → R on "go"\n R → OK on joined\n R → GONE on "gone" }
    ensure { never OK without b0.S${watched}${wanted === undefined ? "" : ` if kind == ${wanted}`} }
  }`;
}

/** Is there a way to OK without the watched state? By trying every situation. */
function isBroken({ branches, join, watched, wanted }: RandomFlow): boolean {
  return KINDS.some((kind) => {
    if (wanted !== undefined && wanted !== kind) return false;
    const start = branches.map((branch) => (branch.kind === undefined || branch.kind === kind ? 0 : -1));
    if (start[0] === 0 && watched === 0) return false;
    const seen = new Set([start.join(" ")]);
    for (const key of seen) {
      const at = key.split(" ").map(Number);
      const entered = at.flatMap((state, branch) => (state < 0 ? [] : [{ state, branch }]));
      const arrived = entered.filter(
        ({ state, branch }) => !branches[branch]!.lines.some(({ from }) => from === state),
      );
      if (arrived.length >= (join === "all" ? entered.length : Math.min(1, entered.length))) return true;
      for (const { state, branch } of entered) {
        for (const line of branches[branch]!.lines) {
          if (line.from !== state || (line.kind !== undefined && line.kind !== kind)) continue;
          if (line.out) return true;
          if (branch === 0 && line.to === watched) continue;
          seen.add(at.with(branch, line.to).join(" "));
        }
      }
    }
    return false;
  });
}

test("branches side by side: a property is broken exactly where a walk finds a way", () => {
  const kind = fc.constantFrom(undefined, ...KINDS);
  const state = fc.integer({ min: 0, max: SIZE - 1 });
  const line = fc.record({
    from: state,
    to: state,
    kind,
    out: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  });
  const branch = fc.record({ lines: fc.array(line, { minLength: 1, maxLength: 6 }), kind });
  const flow = fc.record({
    branches: fc.array(branch, { minLength: 2, maxLength: 3 }),
    join: fc.constantFrom<"all" | "any">("all", "any"),
    watched: state,
    wanted: kind,
  });
  fc.assert(
    fc.property(flow, (random) => {
      const text = write(random);
      const { diagnostics } = compile(text, "a.flow");
      // Only where nothing else is wrong properties are looked at.
      if (diagnostics.some(({ code, severity }) => severity === "error" && code !== "FLOW250")) return;
      assert.equal(
        diagnostics.some(({ code }) => code === "FLOW250"),
        isBroken(random),
        text,
      );
    }),
    { numRuns: 150 },
  );
});
