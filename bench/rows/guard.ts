import { compile } from "../../dsl/index.ts";
import { compileCondition, currencyOf, type EvaluationContext } from "../../engine/index.ts";
import type { Benchmark, Size } from "../harness.ts";

/** A condition of four parts, as the engine asks it, beside the same written by hand. Half of the data pass. */

const CONDITION =
  'amount >= 100 and amount < 5_000 and org in ["cn-east-1", "cn-north-2"] and "beta" in initiator.tags';
const ROUNDS: Record<Size, number> = { quick: 300, full: 3_000 };

export const guards: readonly Benchmark[] = [
  {
    id: "guard",
    what: "a condition of four parts: money, org, tags",
    unit: "ns",
    better: "lower",
    referenceName: "a closure by hand",
    goal: 0.5,
    ours: async (size) => nanosecondsEach(size, compiled()),
    reference: async (size) => nanosecondsEach(size, byHand),
  },
];

type Guard = (context: EvaluationContext) => boolean;

function compiled(): Guard {
  const text = `state machine "guarded" {
  data {
    amount: money
    org: org
  }
  events { "go" { amount, org } }
  initial: A
  states: [A, B, C]
  transitions {
    A → B on "go"
    B → C on "end" if ${CONDITION}
  }
}`;
  const { definitions, diagnostics } = compile(text, "guarded.flow");
  const condition = definitions[0]?.transitions[1]?.condition;
  if (!condition) throw new Error(`refused: ${diagnostics.map(({ message }) => message).join(" ")}`);
  return compileCondition(condition, currencyOf(definitions[0]!));
}

const orgs = new Set(["cn-east-1", "cn-north-2"]);

/** Amounts are in fen. */
function byHand({ data, initiator }: EvaluationContext): boolean {
  const amount = data["amount"] as number;
  return (
    amount >= 10_000 &&
    amount < 500_000 &&
    orgs.has(data["org"] as string) &&
    (initiator.tags?.includes("beta") ?? false)
  );
}

const contexts: readonly EvaluationContext[] = Array.from({ length: 1_024 }, (_, index) => ({
  data: { amount: index % 2 === 0 ? 20_000 + index : 500_000 + index, org: index % 4 < 2 ? "cn-east-1" : "cn-north-2" },
  payload: {},
  actor: "alice",
  initiator: { id: "alice", tags: ["alpha", "beta"] },
  at: Date.UTC(2026, 0, 5),
  state: "A",
  enteredAt: Date.UTC(2026, 0, 5),
  key: "K",
  outcome: undefined,
  branchState: () => undefined,
  approvals: [],
  ask: () => null,
}));

/** As many rounds again come first and are not counted. */
function nanosecondsEach(size: Size, guard: Guard): number {
  run(ROUNDS[size], guard);
  const started = performance.now();
  run(ROUNDS[size], guard);
  return ((performance.now() - started) * 1e6) / (ROUNDS[size] * contexts.length);
}

function run(rounds: number, guard: Guard): void {
  let passed = 0;
  for (let round = 0; round < rounds; round++) for (const context of contexts) if (guard(context)) passed++;
  if (passed * 2 !== rounds * contexts.length) throw new Error(`${passed} of ${rounds * contexts.length} passed`);
}
