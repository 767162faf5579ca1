/** Fills a path with data: what is started, sent and answered on the way, so that every condition comes out as the path says. */
import type { Data, Definition, Expression, FieldDefinition, Type, Value } from "../definition.ts";
import { type Claim, mattering, shownValues } from "./cases.ts";
import { holdsIn, NoValue, storedIn } from "./evaluate.ts";
import { type Pins, pinned, pinsFor } from "./factors.ts";
import { and, type Formula, holding, not, or, TRUE } from "./formula.ts";
import type { Machines } from "./machines.ts";
import { type Model, modelOf } from "./models.ts";
import type { Operation } from "./steps.ts";
import type { Variable } from "./variables.ts";
import { type Place, Vocabulary } from "./vocabulary.ts";
import type { Step } from "./watch.ts";
import { type World, worldOf } from "./worlds.ts";

export interface ConcretePath {
  readonly steps: readonly ConcreteStep[];
  /** The fields that matter, as they are in the end. */
  readonly example: ReadonlyMap<string, { readonly type: Type; readonly value: Value | null }>;
}

export interface ConcreteStep {
  readonly step: Step;
  /** As they are after the step. */
  readonly data: Data;
  /** Data fields that the event brings; absent ones are left out. */
  readonly sent: Data;
  /** Fields that people had changed before the step, where it stood. */
  readonly edited: readonly string[];
  /** What functions answer in this step. */
  readonly answers: readonly { readonly call: Extract<Expression, { kind: "ask" }>; readonly value: Value }[];
  /** Fields of the event that are not data. */
  readonly payload: Data;
  readonly world: World;
}

/** Boxes that are looked at for one path. */
const BOXES_MAX = 4_000;
const TRIALS_MAX = 16;
/** Constants for factors that are tried for one path. */
const PINS_MAX = 8;

/**
 * The path that ends with `last` and, if given, `condition` in the end; `undefined` if no data leads along it, or none was
 * found.
 * @param given what is so of the data with which it starts.
 */
export function concretePath(
  last: Step,
  machines: Machines,
  condition: Expression | undefined,
  given: readonly Claim[] = [],
): ConcretePath | undefined {
  const steps = stepsTo(last);
  const edits = steps.some(({ editable }) => editable.length > 0) ? [false, true] : [false];
  const ways: readonly Way[] = edits.map((withEdits) => ({ withEdits }));
  const asked = { condition, given };
  const found = firstPath(ways, steps, machines, asked);
  if (found) return found;
  const held = pinsOn(steps, condition).flatMap((pins) => edits.map((withEdits) => ({ withEdits, pins })));
  return firstPath(held, steps, machines, asked);
}

/** What the data must be like in the end, and at the start. */
interface Asked {
  readonly condition: Expression | undefined;
  readonly given: readonly Claim[];
}

/** How a path is written down. */
interface Way {
  /** People change what they may. */
  readonly withEdits: boolean;
  /** What is held at a value all the time. */
  readonly pins?: Pins;
}

function firstPath(
  ways: readonly Way[],
  steps: readonly Step[],
  machines: Machines,
  asked: Asked,
): ConcretePath | undefined {
  for (const way of ways) {
    const path = new Writing(steps, machines, asked, way).path();
    if (path) return path;
  }
  return undefined;
}

/** For what the path asks and sets. */
function pinsOn(steps: readonly Step[], condition: Expression | undefined): readonly Pins[] {
  const operations = steps.flatMap((step) => step.operations);
  const asked = operations.flatMap((operation) =>
    operation.kind === "claim" ? operation.alternatives.flat().map((claim) => claim.condition) : [],
  );
  // What a field is set to is a value worth a try, as if it were asked for.
  const set = operations.flatMap((operation): readonly Expression[] => {
    if (operation.kind !== "set") return [];
    const { field: name, value } = operation;
    const left: Expression = { kind: "field", name, type: value.type };
    return [{ kind: "binary", operator: "==", left, right: value, type: BOOL }];
  });
  return pinsFor([...asked, ...set, ...(condition ? [condition] : [])], ANYWHERE).slice(0, PINS_MAX);
}

const ANYWHERE: Place = { mayBeAbsent: () => true };

function stepsTo(last: Step): readonly Step[] {
  const steps: Step[] = [];
  for (let step: Step | undefined = last; step; step = step.before) steps.unshift(step);
  return steps;
}

/** What was read at one moment, to be looked at again with the data. */
interface Reading {
  readonly step: number;
  readonly isCurrent: IsCurrent;
  readonly alternatives: readonly (readonly { readonly condition: Expression; readonly holds: boolean }[])[];
}

/** Is the variable one of those that are read at a moment? */
type IsCurrent = (variable: Variable) => boolean;

/** That a field got a value. */
interface Setting {
  readonly step: number;
  readonly before: IsCurrent;
  readonly after: IsCurrent;
  readonly field: FieldDefinition;
  readonly value: Expression;
}

/** Writes a path down as one formula, in which a field has another name each time it may have changed. */
class Writing {
  private readonly steps: readonly Step[];
  private readonly machines: Machines;
  private readonly definition: Omit<Definition, "hash">;
  private readonly fields: ReadonlyMap<string, FieldDefinition>;
  private readonly vocabulary = new Vocabulary();
  private readonly versions = new Map<string, number>();
  private readonly parts: Formula[] = [];
  /** That required fields are there. */
  private readonly given: Formula[] = [];
  private readonly readings: Reading[] = [];
  private readonly settings: Setting[] = [];
  private readonly ends: {
    readonly isCurrent: IsCurrent;
    /** What the event brought, before actions set something. */
    readonly sent: { readonly fields: readonly string[]; readonly isCurrent: IsCurrent };
    readonly edited: readonly string[];
  }[] = [];
  private readonly way: Way;
  private isDraft = true;

  constructor(steps: readonly Step[], machines: Machines, { condition, given }: Asked, way: Way) {
    this.steps = steps;
    this.machines = machines;
    this.definition = machines.definition;
    this.fields = new Map(this.definition.fields.map((field) => [field.name, field] as const));
    this.way = way;
    for (const [index, step] of steps.entries()) {
      this.write(step, index);
      if (index === 0 && given.length > 0) this.claim([given], index);
    }
    if (condition) this.claim([[{ condition, holds: true }]], steps.length - 1);
  }

  path(): ConcretePath | undefined {
    const formula = and(...this.parts);
    this.vocabulary.seal();
    const { variables } = this.vocabulary;
    let trials = TRIALS_MAX;
    for (const box of holding(and(formula, ...this.given), this.vocabulary.everything(), { left: BOXES_MAX })) {
      const model = modelOf(variables, box);
      if (typeof model !== "string" && this.stands(model)) return this.told(formula, model);
      trials -= 1;
      if (trials < 0) return undefined;
    }
    return undefined;
  }

  // Writing -------------------------------------------------------------------------------------------------------- //

  private write(step: Step, index: number): void {
    const edited = this.way.withEdits ? this.edit(this.steps[index - 1], index) : [];
    let sent: Writing["ends"][number]["sent"] = { fields: [], isCurrent: () => false };
    const known: Extract<Operation, { kind: "know" }>[] = [];
    for (const operation of step.operations) {
      switch (operation.kind) {
        case "change":
          // What the first event may bring can as well be given at the start.
          if (index === 1) break;
          for (const field of operation.fields) this.renew(field, index);
          sent = { fields: operation.fields, isCurrent: this.current(index) };
          break;
        case "claim":
          this.claim(operation.alternatives, index);
          break;
        case "set":
          this.set(operation, index);
          break;
        case "complete":
          for (const field of this.fields.values()) if (!field.optional) this.given.push(this.isSet(field, index));
          break;
        case "know":
          known.push(operation);
      }
    }
    for (const operation of known) this.parts.push(this.known(operation, index));
    this.isDraft = this.machines.standing(step.configuration).isDraft;
    this.ends.push({ isCurrent: this.current(index), sent, edited });
  }

  /** People changed what they may, before the step. */
  private edit(before: Step | undefined, index: number): readonly string[] {
    const fields = before?.editable ?? [];
    for (const field of fields) this.renew(field, index);
    return fields;
  }

  private renew(name: string, index: number): void {
    const field = this.fields.get(name);
    if (!field || field.optional) {
      this.versions.set(name, this.version(name) + 1);
      return;
    }
    // What is required can't be emptied, not in a draft either.
    const was = this.isDraft ? this.isSet(field, index) : TRUE;
    this.versions.set(name, this.version(name) + 1);
    this.given.push(or(not(was), this.isSet(field, index)));
  }

  private version(name: string): number {
    return this.versions.get(name) ?? 0;
  }

  private isSet({ name, type }: FieldDefinition, index: number): Formula {
    const of: Expression = { kind: "field", name, type };
    return this.vocabulary.condition({ kind: "is-set", of, type: BOOL }, this.place(index)).yes;
  }

  private claim(alternatives: Reading["alternatives"], index: number): void {
    const place = this.place(index);
    this.parts.push(
      or(
        ...alternatives.map((claims) =>
          and(
            ...claims.map(({ condition, holds }) => this.vocabulary.condition(condition, place)[holds ? "yes" : "no"]),
          ),
        ),
      ),
    );
    for (const { condition } of alternatives.flat()) this.hold(condition, place);
    this.readings.push({ step: index, isCurrent: this.current(index), alternatives });
  }

  private set({ field: name, value }: Extract<Operation, { kind: "set" }>, index: number): void {
    const field = this.fields.get(name);
    const [place, before] = [this.place(index), this.current(index)];
    this.hold(value, place);
    this.versions.set(name, this.version(name) + 1);
    if (!field) return;
    const key = `${name} ${this.version(name)}`;
    this.parts.push(this.vocabulary.equation(key, name, field.type, field.optional, value, place));
    this.settings.push({ step: index, before, after: this.current(index), field, value });
  }

  /** What is held has its value wherever it is read. */
  private hold(expression: Expression, place: Place): void {
    if (place.pins) this.parts.push(pinned(place.pins, expression, this.vocabulary, place));
  }

  private known({ path, value }: Extract<Operation, { kind: "know" }>, index: number): Formula {
    const variable = this.vocabulary.variableOf(`${path} s${index}`);
    if (!variable) return TRUE;
    if (value === null) return not(this.vocabulary.test(variable, { kind: "present" }));
    return this.vocabulary.test(variable, { kind: "values", values: new Set([value]) });
  }

  private place(index: number): Place {
    const versions = new Map(this.versions);
    const { isDraft } = this;
    const { pins } = this.way;
    const state = this.stateBefore(index);
    return {
      ...(pins ? { pins } : {}),
      ...(state === undefined ? {} : { state }),
      mayBeAbsent: (path) => {
        const field = this.fields.get(path);
        return field ? field.optional || (isDraft && field.default === undefined) : true;
      },
      moment: (root) => momentOf(root, versions, this.fields, index),
    };
  }

  /** The state of the flow's own machine in which a step was decided. */
  private stateBefore(index: number): string | undefined {
    const { root } = this.machines;
    const { from } = this.steps[index]!;
    const state = this.machines.stateOf(root, from);
    return state < 0 ? undefined : root.states[state]!.name;
  }

  private current(index: number): IsCurrent {
    const versions = new Map(this.versions);
    return ({ key, kind, path, expression, roots }) => {
      if (kind === "linked") return false;
      const moments = [...roots].map((root) => momentOf(root, versions, this.fields, index));
      return key === `${kind === "data" ? path : JSON.stringify(expression)} ${moments.join(" ")}`;
    };
  }

  // Trying out ----------------------------------------------------------------------------------------------------- //

  private stands(model: Model): boolean {
    const isRead = this.readings.every(({ isCurrent, alternatives, step }) => {
      const world = this.world(model, isCurrent, this.stateBefore(step));
      return alternatives.some((claims) => claims.every(({ condition, holds }) => isSo(condition, holds, world)));
    });
    return isRead && this.settings.every((setting) => this.isSetSo(setting, model));
  }

  private isSetSo({ before, after, step, field: { name, type }, value }: Setting, model: Model): boolean {
    const was = this.world(model, before, this.stateBefore(step));
    return this.world(model, after).data[name] === valueAfter(value, was, type);
  }

  private world(model: Model, isCurrent: IsCurrent, state?: string): World {
    return worldOf(this.vocabulary.variables.filter(isCurrent), model, this.definition.fields, state);
  }

  private told(formula: Formula, model: Model): ConcretePath {
    const { variables } = this.vocabulary;
    const steps = this.steps.map((step, index): ConcreteStep => {
      const { isCurrent, sent, edited } = this.ends[index]!;
      const world = this.world(model, isCurrent);
      const asked = variables.filter((variable) => variable.kind === "answer" && isCurrent(variable));
      const answers = asked.flatMap(({ expression, index: at }) =>
        expression?.kind === "ask" && model[at] !== null ? [{ call: expression, value: model[at]! }] : [],
      );
      const brought = Object.entries(this.world(model, sent.isCurrent).data).filter(([name]) =>
        sent.fields.includes(name),
      );
      return {
        step,
        data: world.data,
        sent: Object.fromEntries(brought),
        edited,
        answers,
        payload: world.payload,
        world,
      };
    });
    // Later versions of a field come later, so that the last one stays.
    const matter = mattering(formula, model, variables).filter(({ kind, path }) => {
      return (
        kind === "computed" ||
        this.fields.has(path) ||
        path.startsWith("machine.initiator.") ||
        !path.startsWith("machine.")
      );
    });
    const end = this.world(model, this.ends.at(-1)!.isCurrent);
    const example = shownValues(matter, model, this.definition.fields, end);
    return { steps, example };
  }
}

const BOOL: Type = { kind: "bool" };

function momentOf(
  root: string,
  versions: ReadonlyMap<string, number>,
  fields: ReadonlyMap<string, FieldDefinition>,
  step: number,
): string {
  if (fields.has(root)) return String(versions.get(root) ?? 0);
  // Who started the instance stays the same.
  return root === "machine.initiator" || root === "machine.key" ? "0" : `s${step}`;
}

function isSo(condition: Expression, holds: boolean, world: World): boolean {
  try {
    return holdsIn(condition, world) === holds;
  } catch (error) {
    if (error instanceof NoValue) return false;
    throw error;
  }
}

/** `undefined` where there is none. */
function valueAfter(expression: Expression, world: World, type: Type): Value | undefined {
  try {
    return storedIn(expression, world, type);
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
}
