import assert from "node:assert/strict";
import { test } from "node:test";
import { createActor, createMachine, initialTransition, transition } from "xstate";
import { compile } from "../dsl/index.ts";
import { publishedMachine } from "./published-machine.ts";

const FLOW = `state machine "loan" {
  data { amount: money }
  events { "submit" { amount } }
  people { risk = group("risk"); legal = group("legal") }
  initial: DRAFT
  states: [DRAFT, REVIEW, PAID, REFUSED]
  state REVIEW {
    parallel {
      branch legal {
        initial: READ
        states: [READ, FINE]
        state READ { approval by legal }
        transitions {
          READ → FINE on approved
          READ → REFUSED on rejected
        }
      }
      branch risk if amount > 5_000 {
        initial: RATE
        states: [RATE, RATED]
        state RATE { approval by risk }
        transitions {
          RATE → RATED on approved
          RATE → REFUSED on rejected
        }
      }
      join all
    }
  }
  transitions {
    DRAFT → REVIEW on "submit" by initiator
    REVIEW → PAID on joined → emit("onPaid")
    REVIEW → REFUSED after 14d
  }
}`;

function published() {
  const { definitions, diagnostics } = compile(FLOW, "loan.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return JSON.parse(JSON.stringify(publishedMachine(definitions[0]!))) as ReturnType<typeof publishedMachine>;
}

/** Every guard holds; the tools of XState need no more than names. */
const loaded = () =>
  createMachine(published() as never).provide({
    guards: { condition: () => true },
    actions: { emit: () => {} },
  } as never);

test("XState loads what is published, as JSON, and walks it", () => {
  const machine = loaded();
  const [start] = initialTransition(machine);
  assert.equal(start.value, "DRAFT");
  const [review] = transition(machine, start, { type: "submit" } as never);
  assert.deepEqual(review.value, { REVIEW: { legal: "READ", risk: "RATE" } });
  const [refused] = transition(machine, review, { type: "rejected" } as never);
  assert.equal(refused.value, "REFUSED");
  const [paid, actions] = transition(machine, review, { type: "joined" } as never);
  assert.equal(paid.value, "PAID");
  assert.ok(actions.some((action) => (action as { type: string }).type === "emit"));
});

test("conditions, people and terms stand in it as an author wrote them", () => {
  const { states } = published();
  assert.equal(states["DRAFT"]?.on?.["submit"]?.[0]?.guard?.params.text, "by initiator");
  assert.equal(states["REVIEW"]?.states?.["legal"]?.states?.["READ"]?.meta?.["approval"], "legal");
  assert.deepEqual(Object.keys(states["REVIEW"]?.after ?? {}), [String(14 * 86_400_000)]);
  assert.equal(createActor(loaded()).start().getSnapshot().value, "DRAFT");
});
