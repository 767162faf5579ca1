/** An instance under a scenario, for looking for tests. */
import type { Data, Definition, Value } from "../../dsl/index.ts";
import type { SimulatedRun } from "../simulated-run.ts";
import { Simulation } from "../simulation.ts";
import type { Person, Place, Refusal } from "../types.ts";
import { currencyOf, showValue } from "../values.ts";
import { InventedWorld } from "./invented-world.ts";
import type { Scenario } from "./scenarios.ts";
import type { Move } from "./test-moves.ts";

/** Where tests begin that do not say: a Monday morning. */
export const STARTS_AT = Date.parse("2026-01-05T09:00:00+08:00");
const INITIATOR = "alice";

export class Play {
  readonly definition: Definition;
  readonly initiator: Person;
  /** What it starts with. */
  readonly data: Data;
  readonly world: InventedWorld;
  readonly simulation: Simulation;
  readonly run: SimulatedRun;

  /** @param definitions the flow itself, and those that run in it or are started by it. */
  constructor(definition: Definition, definitions: readonly Definition[], scenario: Scenario) {
    this.definition = definition;
    this.initiator = initiatorOf(scenario);
    this.data = dataOf(definition, scenario);
    this.world = new InventedWorld(definition, INITIATOR, choicesOf(scenario));
    this.simulation = new Simulation(definitions, STARTS_AT, this.world);
    this.run = this.simulation.run(definition, "test-1");
  }

  begin(): Refusal | undefined {
    const currency = currencyOf(this.definition);
    const types = new Map(this.definition.fields.map(({ name, type }) => [name, type]));
    const fields = Object.entries(this.data).map(([name, value]) => [
      name,
      showValue(types.get(name)!, value, currency),
    ]);
    return this.simulation.start(this.run, this.initiator, Object.fromEntries(fields));
  }

  make(move: Move): Refusal | undefined {
    return move.apply(this.simulation, this.run);
  }

  /** The states and stages in which it stands, whatever its data is. */
  where(): string {
    return this.run.instance ? JSON.stringify(statesOf(this.run.instance)) : "";
  }

  /** Equal for instances that go on in the same ways. */
  signature(): string {
    const { instance } = this.run;
    return instance ? JSON.stringify([placeSignature(instance), instance.data, instance.timers.length]) : "";
  }
}

function statesOf({ state, round, branches = {}, child }: Place): unknown {
  return [state, round?.stage, Object.values(branches).map(statesOf), child && statesOf(child)];
}

function placeSignature({ state, round, branches = {}, child, saga }: Place): unknown {
  const seats = round?.seats.map(({ person, status }) => [person, status]);
  const inside = Object.entries(branches).map(([name, branch]) => [name, placeSignature(branch)]);
  return [state, round?.stage, round?.result, seats, inside, child && placeSignature(child), saga?.phase];
}

function initiatorOf(scenario: Scenario): Person {
  const [org, tags] = [scenario.get("initiator.org"), scenario.get("initiator.tags")];
  return {
    id: INITIATOR,
    ...(typeof org === "string" && { org }),
    ...(Array.isArray(tags) && tags.length > 0 && { tags: tags.map(String) }),
  };
}

/** What is there by default need not be said. */
function dataOf({ fields }: Definition, scenario: Scenario): Data {
  const set = fields.flatMap(({ name, default: usual }): readonly (readonly [string, Value])[] => {
    const value = scenario.get(name) ?? null;
    return value === null || JSON.stringify(value) === JSON.stringify(usual) ? [] : [[name, value]];
  });
  return Object.fromEntries(set);
}

function choicesOf(scenario: Scenario) {
  const answers = new Map<string, Value>();
  const failing = new Set<string>();
  for (const [path, value] of scenario) {
    if (path.endsWith("()") && value !== null) answers.set(path.slice(0, -2), value);
    if (path.startsWith("fails ") && value === true) failing.add(path.slice("fails ".length));
  }
  return { answers, failing };
}
