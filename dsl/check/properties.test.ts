import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../index.ts";
import { flow, LINES } from "./flow-fixture.ts";

const BRANCHES = `state B { parallel {
    branch legal { initial: CHECK; states: [CHECK, OK]; state CHECK { approval by boss }; transitions { CHECK → OK on approved\n CHECK → D on rejected } }
    branch money { initial: LOOK; states: [LOOK, OK]; transitions { LOOK → OK on "ok" } }
  } }`;

/** Errors in names and types of a flow that ensures this. */
function ensuring(property: string, parts: Parameters<typeof flow>[0] = {}) {
  const text = flow({ ...parts, routes: `} ensure { ${property}` });
  const { diagnostics, definitions, unsound } = compile(text, "a.flow");
  const errors = diagnostics.filter(({ code }) => /^FLOW(1|21|22|26)/.test(code));
  const wrong = errors.map(({ code, span }) => [code, text.slice(span.start, span.end)]);
  return { wrong, ensure: [...definitions, ...unsound][0]?.ensure };
}

test("properties, as the definition has them", () => {
  const all = `never C without B; never C without approval by boss if amount >= 5_000; boss never approves
    different people in [A, B]; reaches final within 60d`;
  const { wrong, ensure } = ensuring(all);
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    ensure?.map((property) =>
      "condition" in property ? { ...property, condition: property.condition?.kind } : property,
    ),
    [
      { kind: "never-without-state", state: "C", without: "B" },
      { kind: "never-without-approval", state: "C", by: { kind: "named", name: "boss" }, condition: "binary" },
      { kind: "never-approves", people: { kind: "named", name: "boss" } },
      { kind: "different-people", states: ["A", "B"] },
      { kind: "reaches-final", within: { kind: "natural", ms: 5_184_000_000 } },
    ],
  );
});

test("states of a branch are named with it", () => {
  const parts = { blocks: BRANCHES, lines: "B → C on joined" };
  const { wrong, ensure } = ensuring("never legal.OK without legal.CHECK", parts);
  assert.deepEqual(wrong, []);
  assert.deepEqual(ensure, [{ kind: "never-without-state", state: "legal.OK", without: "legal.CHECK" }]);
  assert.deepEqual(ensuring("never lega.OK without B", parts).wrong, [["FLOW115", "lega"]]);
  assert.deepEqual(ensuring("never legal.LOOK without B", parts).wrong, [["FLOW102", "LOOK"]]);
  assert.deepEqual(ensuring("never C without LOOK", parts).wrong, [["FLOW102", "LOOK"]]);
});

test("what is wrong with a property, and where", () => {
  const rows: readonly (readonly [property: string, code: string, at: string])[] = [
    ["never Q without B", "FLOW102", "Q"],
    ["never C without Q", "FLOW102", "Q"],
    ["never C without approval by bos", "FLOW105", "bos"],
    ["never C without B if amont > 5", "FLOW101", "amont"],
    ["never C without B if amount", "FLOW120", "amount"],
    ["never C without B if days > 5", "FLOW122", "days"],
    ["bos never approves", "FLOW105", "bos"],
    ["different people in [B, Q]", "FLOW102", "Q"],
    ["reaches final within 0d", "FLOW125", "0d"],
    ["reaches final within 3 workdays", "FLOW260", "3 workdays"],
  ];
  for (const [property, code, at] of rows) assert.deepEqual(ensuring(property).wrong, [[code, at]], property);
});

// ------------------------------------------------------------------------------------------------------------------ //
// `migrate`
// ------------------------------------------------------------------------------------------------------------------ //

const OLD = flow({
  head: `label: "1"`,
  states: "initial: A; states: [A, B, OLD, C, D]; final: [C, D]",
  lines: `${LINES}\n B → OLD on "x"\n OLD → D on "y"`,
});

function migrating(lines: string, before = OLD, from = "1") {
  const text = `${before}\n${flow({ head: `label: "2"`, routes: `} migrate from label "${from}" { ${lines}` })}`;
  const { diagnostics, definitions } = compile(text, "a.flow");
  return {
    found: diagnostics.map(({ code, severity, span }) => [code, severity, text.slice(span.start, span.end)]),
    migrations: definitions.at(-1)?.migrations,
  };
}

test("`migrate` leads from states of the older version to states of this one", () => {
  assert.deepEqual(migrating("OLD → B; A → A"), {
    found: [],
    migrations: [{ label: "1", states: { OLD: "B", A: "A" } }],
  });
  assert.deepEqual(migrating("OLD → OLD").found, [["FLOW102", "error", "OLD"]]);
  assert.deepEqual(migrating("GONE → B").found, [["FLOW308", "warning", "GONE"]]);
  assert.deepEqual(migrating("OLD → B; OLD → A").found, [["FLOW109", "error", "OLD"]]);
  assert.deepEqual(migrating("WHATEVER → B", "", "1").found, [["FLOW307", "warning", '"1"']]);
  assert.deepEqual(migrating(`OLD → B } migrate from label "1" { A → A`).found, [["FLOW109", "error", '"1"']]);
});

test("`migrate` leads from states of a branch to states of that branch", () => {
  const version = (label: string, state: string, more = "") => `state machine "f" {
    label: "${label}"
    initial: A
    states: [A, B, C]
    final: [C]
    state B {
      parallel {
        branch legal { initial: ${state}; states: [${state}, OK]; transitions { ${state} → OK on "ok" } }
        branch money { initial: ${state}; states: [${state}, OK]; transitions { ${state} → OK on "paid" } }
        join all
      }
    }
    transitions { A → B on "go"; B → C on joined }
    ${more}
  }`;
  const moving = (lines: string) => {
    const text = `${version("1", "OLD")}\n${version("2", "NEW", `migrate from label "1" { ${lines} }`)}`;
    const { diagnostics, definitions } = compile(text, "a.flow");
    const found = diagnostics.map(({ code, span }) => [code, text.slice(span.start, span.end)]);
    return { found, states: definitions.at(-1)?.migrations[0]?.states };
  };
  assert.deepEqual(moving("legal.OLD → legal.NEW; money.OLD → money.OK"), {
    found: [],
    states: { "legal.OLD": "legal.NEW", "money.OLD": "money.OK" },
  });
  assert.deepEqual(moving("legal.OLD → money.NEW").found, [["FLOW102", "money.NEW"]]);
  assert.deepEqual(moving("legal.OLD → C").found, [["FLOW102", "C"]]);
  assert.deepEqual(moving("B → legal.NEW").found, [["FLOW102", "legal.NEW"]]);
  assert.deepEqual(moving("legal.OLD → legal.GONE").found, [["FLOW102", "GONE"]]);
  assert.deepEqual(moving("lega.OLD → lega.NEW").found, [
    ["FLOW308", "lega.OLD"],
    ["FLOW115", "lega"],
  ]);
  assert.deepEqual(moving("legal.GONE → legal.NEW").found, [["FLOW308", "legal.GONE"]]);
  assert.deepEqual(moving("legal.OLD → legal.NEW; legal.OLD → legal.OK").found, [["FLOW109", "legal.OLD"]]);
});
