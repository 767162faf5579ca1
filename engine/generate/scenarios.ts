/** Start data for tests: values at which conditions and matrices of a flow turn, put together so that each matters. */
import { type Definition, type Expression, plainValueOf, type Type, type Value } from "../../dsl/index.ts";
import { type Assumptions, isOptional, typeAt } from "../conditions/assumptions.ts";
import { isOrdered, neighbours } from "../conditions/boundaries.ts";
import { type ConditionCompiler, conditionCompiler, outcomesOf, type Setting } from "../conditions/choices.ts";
import { valuesToTry } from "../conditions/nearest-change.ts";
import { plainlyCompared, readsOf } from "../conditions/reads.ts";
import { atomsOf } from "../conditions/watched-conditions.ts";
import { visit } from "../secrets.ts";
import { currencyOf } from "../values.ts";
import { choicesIn, chosenIn, conditionsIn, gatesOf } from "./flow-conditions.ts";
import { answerTypes } from "./invented-world.ts";
import { STARTS_AT } from "./test-play.ts";
import { answerConstants, listValues, usualValue } from "./usual-values.ts";

/**
 * A way to begin: values by path (`amount`, `initiator.org`), answers of functions (`isOk()`), steps that fail (`fails pay`).
 * null is absent.
 */
export type Scenario = ReadonlyMap<string, Value | null>;

/** Values tried for one path. */
const VALUES_MAX = 24;
/** Combinations made of one condition's values. */
const COMBINATIONS_MAX = 60;
/** Scenarios in which everything is mixed. */
const MIXED = 40;
/** Ways in which the rest is changed until the flow can leave its initial state. */
const REPAIRS_MAX = 400;

export interface Scenarios {
  /** To begin with, the plainest first, each once. */
  readonly all: readonly Scenario[];
  /** The scenario with other values of what one choice looks at. */
  variationsOf(scenario: Scenario): readonly Scenario[];
}

/** Ways to begin a flow in which its conditions come out in all their ways, as far as a start decides them. */
export function scenariosOf(definition: Definition): Scenarios {
  const data = new Candidates(definition);
  const base = data.repaired(data.base, new Set());
  const vary = (from: Scenario, isRepaired: boolean): readonly Scenario[] =>
    interleaved(data.groups().map((paths) => data.combined(paths, from, isRepaired)));
  // Every other one as it comes, for the lines that are taken where nothing else applies.
  const mixed = Array.from({ length: MIXED }, (_, seed) => {
    const one = data.mixed(seed);
    return seed % 2 === 0 ? data.repaired(one, new Set()) : one;
  });
  return {
    all: distinct([base, ...vary(base, true), ...mixed]),
    variationsOf: (scenario) => distinct(vary(scenario, false)),
  };
}

function distinct(scenarios: readonly Scenario[]): readonly Scenario[] {
  return [...new Map(scenarios.map((one) => [textOf(one), one])).values()];
}

/** The first of each list, the second of each, and so on: what is tried runs out before one list does. */
function interleaved<Item>(lists: readonly (readonly Item[])[]): readonly Item[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat();
}

function textOf(scenario: Scenario): string {
  return JSON.stringify([...scenario].sort(([one], [other]) => (one < other ? -1 : 1)));
}

class Candidates {
  readonly base: Scenario;
  private readonly definition: Definition;
  private readonly conditions: readonly (readonly Expression[])[];
  private readonly answers: ReadonlyMap<string, Type>;
  private readonly compiled: ConditionCompiler;
  private readonly values = new Map<string, readonly (Value | null)[]>();

  constructor(definition: Definition) {
    this.definition = definition;
    this.answers = answerTypes(definition);
    this.compiled = conditionCompiler(currencyOf(definition));
    this.conditions = conditionsIn(definition, definition);
    this.base = this.plain();
    for (const path of this.paths()) this.values.set(path, this.valuesOf(path));
  }

  private plain(): Scenario {
    const chosen = chosenIn(this.definition);
    const fields = this.definition.fields.map(({ name, type, optional, default: usual }) => {
      return [name, usual ?? (optional && !chosen.has(name) ? null : usualValue(type))] as const;
    });
    return new Map<string, Value | null>(fields);
  }

  /** Everything that may be varied. */
  private paths(): readonly string[] {
    return [...new Set([...this.groups().flat()])];
  }

  /** Paths that belong together because one choice looks at them; saga steps stand alone. */
  groups(): readonly (readonly string[])[] {
    const conditions = [...this.conditions, ...choicesIn(this.definition)].map((parts) => [
      ...new Set(parts.flatMap((part) => this.pathsIn(part))),
    ]);
    const failing = Object.values(this.definition.sagas).flatMap(({ steps }) =>
      steps.flat().map(({ name }) => [`fails ${name}`]),
    );
    const all = [...conditions, ...failing].filter((paths) => paths.length > 0);
    return [...new Map(all.map((paths) => [[...paths].sort().join(" "), paths])).values()];
  }

  private pathsIn(condition: Expression): readonly string[] {
    const fields = new Set(this.definition.fields.map(({ name }) => name));
    const data = readsOf(condition).filter(
      (path) => fields.has(path) || path === "initiator.org" || path === "initiator.tags",
    );
    const asked: string[] = [];
    visit(condition, (node) => {
      if (node["kind"] === "ask") asked.push(`${String(node["name"])}()`);
    });
    return [...data, ...asked];
  }

  // Values --------------------------------------------------------------------------------------------------------- //

  private valuesOf(path: string): readonly (Value | null)[] {
    const all = path.startsWith("fails ")
      ? [null, true]
      : path.endsWith("()")
        ? this.answersOf(path)
        : this.fieldValues(path);
    const usual = this.base.get(path);
    return [...new Set(usual === undefined ? all : [usual, ...all])].slice(0, VALUES_MAX);
  }

  private answersOf(path: string): readonly Value[] {
    const type = this.answers.get(path.slice(0, -2)) ?? { kind: "bool" };
    if (type.kind === "bool") return [true, false];
    const constants = this.conditions
      .flat()
      .flatMap(atomsOf)
      .flatMap((atom) => answerConstants(atom, path.slice(0, -2)));
    return [plainValueOf(type), ...constants];
  }

  private fieldValues(path: string): readonly (Value | null)[] {
    const type = typeAt(this.definition, path);
    if (!type) return [];
    const atoms = this.conditions
      .flat()
      .flatMap(atomsOf)
      .filter((atom) => readsOf(atom).includes(path));
    const absent = this.definition.fields.some(({ name, optional }) => optional && name === path) ? [null] : [];
    if (type.kind === "list") return [...listValues(type, atoms), ...absent];
    if (path === "initiator.org") return [...atoms.flatMap((atom) => plainlyCompared(atom, path) ?? []), null];
    const plain = plainValueOf(type);
    const turning = valuesToTry(
      this.conditions.flat(),
      this.setting(new Map([...this.base, [path, plain]])),
      path,
      type,
    );
    // A turn is the first value behind a bound; the last one before it is as telling.
    const near = isOrdered(type)
      ? turning.flatMap((value) => neighbours(type, value).slice(0, 2).toReversed())
      : turning;
    return [plain, ...near, ...absent];
  }

  private setting(assumed: Assumptions): Setting {
    const fields = this.definition.fields.map(({ name }) => name);
    return {
      assumed: new Map([["now", STARTS_AT], ...assumed]),
      fields,
      state: this.definition.initial,
      currency: currencyOf(this.definition),
      compiled: this.compiled,
      isOptional: (path) => isOptional(this.definition, path),
    };
  }

  // Combinations --------------------------------------------------------------------------------------------------- //

  /** All combinations of the paths' values, as far as they are not too many. @param isRepaired the rest is so that the flow gets going. */
  combined(paths: readonly string[], base: Scenario, isRepaired: boolean): readonly Scenario[] {
    let all: readonly Scenario[] = [base];
    for (const path of paths) {
      const values = this.values.get(path) ?? [];
      const next = all.flatMap((one) => values.map((value) => new Map([...one, [path, value]])));
      all = next.length > COMBINATIONS_MAX ? thinned(next, COMBINATIONS_MAX) : next;
    }
    const fixed = new Set(paths);
    return !isRepaired ? all : all.map((one) => this.repaired(one, fixed));
  }

  /** A value for every path, each another with every seed. */
  mixed(seed: number): Scenario {
    let state = seed + 1;
    const picked = [...this.values].map(([path, values]) => {
      // Numerical Recipes' generator: any will do that spreads.
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return [path, values[state % values.length] ?? null] as const;
    });
    return new Map([...this.base, ...picked]);
  }

  /** Changes what is not fixed until a line out of the initial state applies; the same if none does. */
  repaired(scenario: Scenario, fixed: ReadonlySet<string>): Scenario {
    const gates = gatesOf(this.definition);
    if (gates.length === 0 || this.passes(gates, scenario)) return scenario;
    const free = [...new Set(gates.flatMap((gate) => this.pathsIn(gate)))].filter((path) => !fixed.has(path));
    let all: readonly Scenario[] = [scenario];
    for (const path of free) {
      all = all.flatMap((one) => this.valuesBeside(path, one, gates).map((value) => new Map([...one, [path, value]])));
      if (all.length > REPAIRS_MAX) all = thinned(all, REPAIRS_MAX);
      const found = all.find((one) => this.passes(gates, one));
      if (found) return found;
    }
    return scenario;
  }

  /** Values of a path, and those at which a gate turns beside the other values. */
  private valuesBeside(path: string, scenario: Scenario, gates: readonly Expression[]): readonly (Value | null)[] {
    const usual = this.values.get(path) ?? [];
    const type = typeAt(this.definition, path);
    if (type?.kind === "list") return [...usual, ...this.itemsLike(type, scenario)];
    if (!type || !isOrdered(type)) return usual;
    const assumed = new Map([...scenario, [path, scenario.get(path) ?? plainValueOf(type)]]);
    return [
      ...new Set([scenario.get(path) ?? null, ...usual, ...valuesToTry(gates, this.setting(assumed), path, type)]),
    ];
  }

  /** Lists of one item that holds a value which a field has: `sum(items.price) == amount`. */
  private itemsLike({ of }: Extract<Type, { kind: "list" }>, scenario: Scenario): readonly Value[] {
    if (of.kind !== "record") return [];
    const plain = plainValueOf(of) as Readonly<Record<string, Value>>;
    return this.definition.fields.flatMap(({ name, type }) => {
      const value = scenario.get(name) ?? null;
      const same = of.fields.filter((part) => value !== null && isOrdered(type) && part.type.kind === type.kind);
      return same.map((part) => [{ ...plain, [part.name]: value! }]);
    });
  }

  private passes(gates: readonly Expression[], scenario: Scenario): boolean {
    return gates.some((gate) => {
      const outcomes = outcomesOf([gate], this.setting(new Map([...scenario, ["initiator", "alice"]])));
      return outcomes.some(({ taken }) => taken === 0);
    });
  }
}

/** Some of them, spread without a pattern: every second one would be the same half of the last value's. */
function thinned<Item>(all: readonly Item[], max: number): readonly Item[] {
  const spread = all.map((item, index) => ({ item, key: Math.imul(index, KNUTH) >>> 0 }));
  return spread
    .sort((one, other) => one.key - other.key)
    .slice(0, max)
    .map(({ item }) => item);
}

/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. */
const KNUTH = 2654435761;
