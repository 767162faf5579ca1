import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type RolloutDefinition } from "../dsl/index.ts";
import { type Newcomer, pickVersion } from "./rollouts.ts";

const VERSION = (label: string) => `state machine "expense" {
  label: "${label}"
  data {
    amount: money?
    kind: Kind = one of [travel, other] = travel
    days: int = 2
    since: date?
  }
  initial: DRAFT
  states: [DRAFT, DONE]
  transitions { DRAFT → DONE on "go" }
}`;

function rollouts(...bodies: readonly string[]) {
  const texts = bodies.map(
    (body, n) => `rollout "r${n}" of "expense" to label "${n === 0 ? "3.0" : "4.0"}" { ${body} }`,
  );
  const text = [
    VERSION("3.0"),
    VERSION("4.0").replace("Kind = ", ""),
    VERSION("2.0").replace("Kind = ", ""),
    ...texts,
  ].join("\n");
  const { rollouts: found, definitions, diagnostics } = compile(text, "test.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  const versions = new Map(definitions.map((definition) => [definition.label!, definition]));
  return (who: Partial<Newcomer>) =>
    pickVersion(found, versions, { key: "k", initiator: { id: "alice" }, data: {}, ...who })?.label;
}

const person = (parts: object) => ({ initiator: { id: "alice", ...parts } });
const data = (fields: object) => ({ data: fields as Newcomer["data"] });

const ROWS: readonly [body: string, who: Partial<Newcomer>, chosen: boolean][] = [
  ['tags: ["beta", "vip"]', person({ tags: ["old", "vip"] }), true],
  ['tags: ["beta", "vip"]', person({ tags: ["old"] }), false],
  ['tags: ["beta"]', person({}), false],
  ['orgs: ["org-1001", "cn-east-*"]', person({ org: "org-1001" }), true],
  ['orgs: ["org-1001", "cn-east-*"]', person({ org: "org-10012" }), false],
  ['orgs: ["org-1001", "cn-east-*"]', person({ org: "cn-east-7" }), true],
  ['orgs: ["org-1001", "cn-east-*"]', person({ org: "cn-west-7" }), false],
  ['orgs: ["org-1001"]', person({}), false],
  ["amount: [100, 5000)", data({ amount: "100" }), true],
  ["amount: [100, 5000)", data({ amount: 99.99 }), false],
  ["amount: [100, 5000)", data({ amount: "4999.99 CNY" }), true],
  ["amount: [100, 5000)", data({ amount: "5000.00" }), false],
  ["amount: [100, 5000)", data({}), false],
  ["amount: [100, 5000)", data({ amount: "much" }), false],
  ["amount: [100, 5000)", data({ amount: null }), false],
  ["kind: [other]", data({ kind: "other" }), true],
  ["kind: [other]", data({}), false],
  ["kind: [travel]", data({}), true],
  ["days: [1, 2]", data({}), true],
  ["days: [1, 2]", data({ days: 3 }), false],
  ["since: [2026-01-01, 2026-12-31]", data({ since: "2026-12-31" }), true],
  ["since: [2026-01-01, 2026-12-31]", data({ since: "2027-01-01" }), false],
  ["percent: 100", {}, true],
  ["percent: 0", {}, false],
  ['tags: ["beta"]; days: [1, 2]', { ...person({ tags: ["beta"] }), ...data({ days: 9 }) }, false],
];

for (const [body, who, chosen] of ROWS) {
  test(`{ ${body} } ${chosen ? "takes" : "leaves"} ${JSON.stringify(who)}`, () => {
    assert.equal(rollouts(body)(who), chosen ? "3.0" : undefined);
  });
}

test("the first rollout that is for an instance wins", () => {
  const pick = rollouts('tags: ["beta"]', "percent: 100");
  assert.equal(pick(person({ tags: ["beta"] })), "3.0");
  assert.equal(pick({}), "4.0");
});

test("a share is that share of the keys, and a key that is in it stays in when it grows", () => {
  const keys = Array.from({ length: 5_000 }, (_, n) => `K-${n}`);
  const chosen = (percent: string) => {
    const pick = rollouts(`percent: ${percent}`);
    return new Set(keys.filter((key) => pick({ key }) !== undefined));
  };
  const [small, large] = [chosen("12.5"), chosen("40")];
  assert.ok(Math.abs(small.size / keys.length - 0.125) < 0.02, `${small.size}`);
  assert.ok(Math.abs(large.size / keys.length - 0.4) < 0.02, `${large.size}`);
  assert.ok(small.isSubsetOf(large));
  assert.deepEqual(chosen("12.5"), small);
});

test("a version that is not there is passed over", () => {
  const rollout: RolloutDefinition = { name: "r", flow: "expense", label: "9.9", fields: [] };
  assert.equal(pickVersion([rollout], new Map(), { key: "k", initiator: { id: "a" }, data: {} }), undefined);
});
