import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setup, transition } from "xstate";
import { compile, type Definition } from "../../dsl/index.ts";
import { type Accepted, type Answers, type Command, decide, type Instance } from "../../engine/index.ts";
import { FLOWS } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";

/** The engine alone: the approval that closes the paper, decided in memory. XState's part is the move and its action. */

const STEPS: Record<Size, number> = { quick: 2_000, full: 30_000 };
/** Instants are given, not read. */
const STARTED_AT = Date.UTC(2026, 0, 5, 1);
const APPROVED_AT = STARTED_AT + 3_600_000;
/** The line `REVIEW → APPROVED`. */
const LINE = 1;

export const engine: readonly Benchmark[] = [
  {
    id: "engine",
    what: "engine step alone: an approval that closes",
    unit: "µs",
    better: "lower",
    referenceName: "XState's bare transition()",
    ours: async (size) => ours(STEPS[size]),
    reference: async (size) => reference(STEPS[size]),
  },
];

function ours(steps: number): number {
  const definition = readDefinition();
  const submitted = accept(definition, undefined, START, STARTED_AT, "REVIEW");
  const approved = accept(definition, submitted.instance, APPROVE, APPROVED_AT, "APPROVED");
  const line = approved.story.find((told) => told.kind === "moved")?.line;
  if (line !== LINE) throw new Error(`moved by line ${line}, expected ${LINE}`);
  return microsecondsPer(steps, () => {
    const decision = decide(definition, submitted.instance, APPROVE, APPROVED_AT, answers);
    return decision.kind === "accepted" && decision.instance.outcome === "APPROVED";
  });
}

function reference(steps: number): number {
  const machine = machineByHand();
  const review = machine.resolveState({ value: "REVIEW", context: {} });
  const event = { type: "outcome:approved", environment: { applies: () => true } } as const;
  const [moved, actions] = transition(machine, review, event);
  const { params } = actions.find(({ type }) => type === "line") ?? {};
  if (moved.value !== "APPROVED" || (params as { line: number }).line !== LINE)
    throw new Error(`XState went to ${String(moved.value)}`);
  return microsecondsPer(steps, () => transition(machine, review, event)[0].value === "APPROVED");
}

/** As many steps again come first and are not counted. */
function microsecondsPer(steps: number, step: () => boolean): number {
  run(steps, step);
  const started = performance.now();
  run(steps, step);
  return ((performance.now() - started) * 1_000) / steps;
}

function run(steps: number, step: () => boolean): void {
  for (let n = 0; n < steps; n++) if (!step()) throw new Error("a step did not approve");
}

const names = { tenant: "default", instance: "default.bench-purchase.P-1", source: "bench" } as const;

const START: Command = {
  ...({ kind: "start", id: "start-1", digest: "1".repeat(64), actor: "alice", key: "P-1", event: "submit" } as const),
  ...{ ...names, initiator: { id: "alice" }, data: {} },
  payload: { title: "paper 1", amount: "1280.50", urgent: false },
};
const APPROVE: Command = {
  ...({ kind: "decide", id: "approve-1", digest: "2".repeat(64), source: "bench" } as const),
  ...({ actor: "bob", task: `${names.instance}-1`, decision: "approve" } as const),
};
const answers: Answers = ({ name }) => (name === "managerOf" ? { people: ["bob"] } : undefined);

function accept(
  definition: Definition,
  instance: Instance | undefined,
  command: Command,
  at: number,
  state: string,
): Accepted {
  const decision = decide(definition, instance, command, at, answers);
  if (decision.kind !== "accepted" || decision.instance.state !== state)
    throw new Error(`expected ${state}: ${JSON.stringify(decision)}`);
  return decision;
}

function readDefinition(): Definition {
  const file = join(FLOWS, "bench-purchase.flow");
  const [definition] = compile(readFileSync(file, "utf8"), file).definitions;
  if (definition === undefined) throw new Error(`${file} has no sound flow`);
  return definition;
}

/** The machine of `bench-purchase` as one writes it with XState: guards that ask the event, an action per line. */
function machineByHand() {
  const line = (target: string, number: number) => ({
    ...{ target, reenter: true, guard: { type: "applies" as const, params: { line: number } } },
    actions: { type: "line" as const, params: { line: number } },
  });
  return setup({
    types: {
      context: {} as Record<string, never>,
      events: {} as { readonly type: string; readonly environment: { applies(line: number): boolean } },
    },
    guards: { applies: ({ event }, { line }: { line: number }) => event.environment.applies(line) },
    actions: { line: (_, _params: { line: number }) => {} },
  }).createMachine({
    initial: "DRAFT",
    context: {},
    states: {
      DRAFT: { on: { "event:submit": [line("REVIEW", 0)] } },
      REVIEW: { on: { "outcome:approved": [line("APPROVED", 1)], "outcome:rejected": [line("REJECTED", 2)] } },
      APPROVED: { type: "final" },
      REJECTED: { type: "final" },
    },
  });
}
