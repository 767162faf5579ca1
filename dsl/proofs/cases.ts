/** Finds data for which conditions come out as asked, or shows that there are none. */
import type { Expression, FieldDefinition, Type, Value } from "../definition.ts";
import { holdsIn, NoValue } from "./evaluate.ts";
import { pinned, pinsFor } from "./factors.ts";
import {
  and,
  type Box,
  type Budget,
  evaluate,
  type Formula,
  holding,
  not,
  restricted,
  variablesOf,
} from "./formula.ts";
import { type Model, modelOf } from "./models.ts";
import { partsOf } from "./terms.ts";
import { wholeOf } from "./values.ts";
import type { Cell, Variable } from "./variables.ts";
import { type Place, Vocabulary } from "./vocabulary.ts";
import { type World, worldOf } from "./worlds.ts";

/** That the condition holds, or that it does not. */
export interface Claim {
  readonly condition: Expression;
  readonly holds: boolean;
}

export interface Found {
  /** `always`: whatever functions answer; `sometimes`: only for some answers; `unclear`: neither shown nor excluded. */
  readonly when: "always" | "sometimes" | "never" | "unclear";
  /** The values that matter, in stored form; null is absent. */
  readonly example: ReadonlyMap<string, { readonly type: Type; readonly value: Value | null }>;
  /** Functions on whose answers it depends. */
  readonly functions: readonly string[];
}

/** Boxes that are looked at for one question. */
const BOXES_MAX = 20_000;
/** The same while some factors are held. */
const PINNED_BOXES_MAX = 1_000;
/** Models that are tried out before it stays unclear. */
const TRIALS_MAX = 24;
/** Combinations of answers that are told apart. */
const ANSWERS_MAX = 256;

/**
 * Is there data for which all claims are so?
 * @param budget boxes that may still be looked at; what is looked at is taken off.
 */
export function findCase(
  claims: readonly Claim[],
  place: Place,
  fields: readonly FieldDefinition[],
  budget: Budget,
): Found {
  const found = look(claims, place, fields, budget);
  if (found.when !== "unclear") return found;
  const conditions = claims.map(({ condition }) => condition);
  let best = found;
  for (const pins of pinsFor(conditions, place)) {
    const own: Budget = { left: Math.min(PINNED_BOXES_MAX, budget.left) };
    const before = own.left;
    const held = look(claims, { ...place, pins }, fields, own);
    budget.left -= before - own.left;
    if (held.when === "always") return held;
    // What never holds for these constants may hold for others.
    if (held.when === "sometimes" && best === found) best = held;
  }
  return best;
}

function look(claims: readonly Claim[], place: Place, fields: readonly FieldDefinition[], budget: Budget): Found {
  const vocabulary = new Vocabulary();
  const formulas = claims.map(({ condition, holds }) => {
    const formula = vocabulary.condition(condition, place)[holds ? "yes" : "no"];
    return place.pins ? and(formula, pinned(place.pins, condition, vocabulary, place)) : formula;
  });
  const formula = and(...formulas);
  const sides = vocabulary.sides(place);
  vocabulary.seal();
  const search = new Search(vocabulary, claims, place, fields, budget);
  const first = search.model(and(formula, sides.data, sides.answers));
  if (typeof first === "string") return nothing(first);
  const unknown = [...variablesOf(formula)].filter((index) => vocabulary.variables[index]!.roots.has("answer"));
  const whatever = unknown.length === 0 ? formula : forAllAnswers(formula, unknown, vocabulary.variables);
  const safe = unknown.length === 0 ? first : whatever && search.model(and(whatever, sides.data));
  if (whatever && safe && typeof safe !== "string")
    return { when: "always", example: search.example(whatever, safe), functions: [] };
  return {
    when: "sometimes",
    example: search.example(and(formula, sides.answers), first),
    functions: functionsIn(unknown, vocabulary.variables),
  };
}

function nothing(when: "never" | "unclear"): Found {
  return { when, example: new Map(), functions: [] };
}

function functionsIn(unknown: readonly number[], variables: readonly Variable[]): readonly string[] {
  const names = new Set<string>();
  const collect = (index: number) => {
    const { kind, path, link, expression } = variables[index]!;
    if (kind === "answer") names.add(path);
    if (kind === "computed" && expression) for (const name of functionsAsked(expression)) names.add(name);
    if (link?.kind === "equal") for (const part of [link.left, link.right]) collect(part);
    else if (link) for (const part of link.of.terms.keys()) collect(part);
  };
  for (const index of unknown) collect(index);
  return [...names];
}

/** Functions that somebody else serves, anywhere in it. */
export function functionsAsked(expression: Expression): readonly string[] {
  const own = expression.kind === "ask" ? [expression.name] : [];
  return [...own, ...partsOf(expression).flatMap(functionsAsked)];
}

/** What holds whatever the unknown answers are; `undefined`: too many to tell. */
function forAllAnswers(
  formula: Formula,
  unknown: readonly number[],
  variables: readonly Variable[],
): Formula | undefined {
  let combinations: readonly ReadonlyMap<number, bigint>[] = [new Map()];
  for (const index of unknown) {
    const cells = variables[index]!.cells.map((_, cell) => 1n << BigInt(cell));
    combinations = combinations.flatMap((before) => cells.map((cell) => new Map([...before, [index, cell]])));
    if (combinations.length > ANSWERS_MAX) return undefined;
  }
  return and(...combinations.map((known) => restricted(formula, known)));
}

class Search {
  private readonly vocabulary: Vocabulary;
  private readonly claims: readonly Claim[];
  private readonly place: Place;
  private readonly fields: readonly FieldDefinition[];
  private readonly budget: Budget;

  constructor(
    vocabulary: Vocabulary,
    claims: readonly Claim[],
    place: Place,
    fields: readonly FieldDefinition[],
    budget: Budget,
  ) {
    this.vocabulary = vocabulary;
    this.claims = claims;
    this.place = place;
    this.fields = fields;
    this.budget = budget;
  }

  /** A model of the formula that stands the trial. */
  model(formula: Formula): Model | "never" | "unclear" {
    const { variables } = this.vocabulary;
    const own: Budget = { left: Math.min(BOXES_MAX, this.budget.left) };
    const before = own.left;
    let answer: "never" | "unclear" = "never";
    let trials = TRIALS_MAX;
    for (const box of holding(formula, this.vocabulary.everything(), own)) {
      const model = modelOf(variables, box);
      if (typeof model !== "string" && this.stands(model)) {
        this.budget.left -= before - own.left;
        return model;
      }
      if (model !== "none") answer = "unclear";
      trials -= 1;
      if (answer === "unclear" && trials < 0) break;
    }
    this.budget.left -= before - Math.max(own.left, 0);
    return own.left < 0 ? "unclear" : answer;
  }

  private stands(model: Model): boolean {
    const world = worldOf(this.vocabulary.variables, model, this.fields, this.place.state);
    try {
      return this.claims.every(({ condition, holds }) => holdsIn(condition, world) === holds);
    } catch (error) {
      if (error instanceof NoValue) return false;
      throw error;
    }
  }

  /** The values of a model without those that may be anything. */
  example(formula: Formula, model: Model): Found["example"] {
    const { variables } = this.vocabulary;
    const world = worldOf(variables, model, this.fields, this.place.state);
    return shownValues(mattering(formula, model, variables), model, this.fields, world);
  }
}

/** What is read, by its path; of what is computed, the lists from which that is done. */
export function shownValues(
  matter: readonly Variable[],
  model: Model,
  fields: readonly FieldDefinition[],
  { data, initiator }: World,
): Map<string, { readonly type: Type; readonly value: Value | null }> {
  const example = new Map<string, { readonly type: Type; readonly value: Value | null }>();
  for (const { kind, path, type, index, expression, roots } of matter) {
    if (kind === "data") example.set(shownPath(path), { type, value: model[index] ?? null });
    if (kind !== "computed") continue;
    for (const field of fields.filter(({ name }) => roots.has(name))) {
      example.set(field.name, { type: field.type, value: data[field.name] ?? null });
    }
    if (expression && readsTags(expression)) example.set("initiator.tags", { type: TAGS, value: [...initiator.tags] });
  }
  return example;
}

const TAGS: Type = { kind: "list", of: { kind: "text" } };

function readsTags(expression: Expression): boolean {
  return (expression.kind === "member" && expression.name === "tags") || partsOf(expression).some(readsTags);
}

/** What is read or computed and can't be just anything, for the formula to hold in this model. */
export function mattering(formula: Formula, model: Model, variables: readonly Variable[]): readonly Variable[] {
  const asked = variablesOf(formula);
  const tied = tiedIn(asked, variables);
  let box: Box = variables.map((variable) => cellWith(variable, model[variable.index] ?? null));
  const matter: Variable[] = [];
  for (const variable of variables) {
    if (!SHOWN.has(variable.kind) || !(asked.has(variable.index) || tied.has(variable.index))) continue;
    const freed = box.with(variable.index, variable.full);
    if (!tied.has(variable.index) && isEverywhere(formula, freed)) box = freed;
    else matter.push(variable);
  }
  return matter;
}

const SHOWN: ReadonlySet<Variable["kind"]> = new Set(["data", "computed"]);

function isEverywhere(formula: Formula, box: Box): boolean {
  if (evaluate(formula, box) === true) return true;
  for (const _ of holding(not(formula), box, { left: BOXES_MAX })) return false;
  return true;
}

/** What something in the formula is computed from. */
function tiedIn(asked: ReadonlySet<number>, variables: readonly Variable[]): ReadonlySet<number> {
  const tied = new Set<number>();
  const collect = (index: number) => {
    const { link } = variables[index]!;
    const parts = link?.kind === "equal" ? [link.left, link.right] : [...(link?.of.terms.keys() ?? [])];
    for (const part of parts) {
      tied.add(part);
      collect(part);
    }
  };
  for (const index of asked) collect(index);
  return tied;
}

/** The cell in which the value lies. */
function cellWith(variable: Variable, value: Value | null): bigint {
  const index = variable.cells.findIndex((cell) => contains(cell, variable, value));
  const other = variable.cells.findIndex(({ kind }) => kind === "other");
  const at = index >= 0 || value === null ? index : other;
  return at < 0 ? variable.full : 1n << BigInt(at);
}

function contains(cell: Cell, { type }: Variable, value: Value | null): boolean {
  if (value === null || cell.kind === "absent") return value === null && cell.kind === "absent";
  if (cell.kind === "range") {
    const whole = wholeOf(type, value);
    return whole >= cell.low && whole <= cell.high;
  }
  return cell.kind === "value" ? cell.value === String(value) : false;
}

/** As the author writes it: `state`, not `machine.state`. */
export function shownPath(path: string): string {
  return path.replace(/^machine\./, "");
}
