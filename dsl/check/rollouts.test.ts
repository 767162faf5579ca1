import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../index.ts";
import { flow } from "./flow-fixture.ts";

const VERSIONS = `${flow({ head: `label: "1"` })}\n${flow({ head: `label: "2"`, data: "level: int", events: `; "x" { level }` })}`;

function rolling(items: string, head = `"r" of "f" to label "2"`) {
  const text = `${VERSIONS}\nrollout ${head} { ${items} }`;
  const { rollouts, diagnostics } = compile(text, "a.flow");
  return {
    rollouts,
    found: diagnostics.map(({ code, severity, span }) => [code, severity, text.slice(span.start, span.end)]),
  };
}

test("a rollout, as the definition has it", () => {
  const { rollouts, found } = rolling(`tags: ["beta"]
    orgs: ["org-1001", "cn-east-*"]
    amount: [100, 5000)
    kind: [a, b]
    level: [1, 3]
    days: [1, 2, 5]
    yes: [true]
    percent: 12.5`);
  assert.deepEqual(found, []);
  const closed = (value: number) => ({ low: { value, included: true }, high: { value, included: true } });
  assert.deepEqual(rollouts, [
    {
      name: "r",
      flow: "f",
      label: "2",
      tags: ["beta"],
      orgs: ["org-1001", "cn-east-*"],
      fields: [
        {
          name: "amount",
          cell: {
            kind: "intervals",
            intervals: [{ low: { value: 10_000, included: true }, high: { value: 500_000, included: false } }],
          },
        },
        { name: "kind", cell: { kind: "values", values: ["a", "b"] } },
        {
          name: "level",
          cell: {
            kind: "intervals",
            intervals: [{ low: { value: 1, included: true }, high: { value: 3, included: true } }],
          },
        },
        { name: "days", cell: { kind: "intervals", intervals: [closed(1), closed(2), closed(5)] } },
        { name: "yes", cell: { kind: "values", values: [true] } },
      ],
      percent: "12.5",
    },
  ]);
});

test("what is wrong with a rollout, and where", () => {
  const rows: readonly (readonly [items: string, code: string, at: string])[] = [
    ["percent: 101", "FLOW276", "101"],
    ["percent: -1", "FLOW276", "-1"],
    ["percent: 10%", "FLOW276", "10%"],
    [`percent: "10"`, "FLOW276", `"10"`],
    ["percent: [1, 2]", "FLOW276", "[1, 2]"],
    [`tags: "beta"`, "FLOW276", `"beta"`],
    ["orgs: [a]", "FLOW276", "[a]"],
    ["amont: [1, 2]", "FLOW103", "amont"],
    ["kind: a", "FLOW276", "a"],
    ["kind: [c]", "FLOW107", "c"],
    ["kind: [a, ..)", "FLOW121", "[a, ..)"],
    ["amount: [0.001, 5]", "FLOW124", "0.001"],
    ["amount: [days, 5]", "FLOW101", "days"],
    [`card: ["x"]`, "FLOW123", "card"],
    ["percent: 1; percent: 2", "FLOW109", "percent"],
  ];
  for (const [items, code, at] of rows) {
    assert.deepEqual(rolling(items).found, [[code, "error", at]], items);
    assert.deepEqual(rolling(items).rollouts, [], items);
  }
});

test("a flow or a label that is not known here is a warning", () => {
  assert.deepEqual(rolling("percent: 5", `"r" of "g" to label "2"`).found, [["FLOW303", "warning", `"g"`]]);
  assert.deepEqual(rolling("percent: 5", `"r" of "f" to label "3"`).found, [["FLOW307", "warning", `"3"`]]);
  assert.equal(rolling("percent: 5", `"r" of "g" to label "2"`).rollouts.length, 1);
});

test("two rollouts of one name are one too many", () => {
  const twice = rolling(`percent: 5 } rollout "r" of "f" to label "1" { percent: 6`);
  assert.deepEqual(twice.found, [["FLOW109", "error", `"r"`]]);
});
