/** What operations make of boxes. Boxes are numbered, and what was worked out once is remembered. */
import type { Definition, FieldDefinition } from "../definition.ts";
import { and, type Box, FALSE, type Formula, holding, or, TRUE } from "./formula.ts";
import { isPossible } from "./models.ts";
import type { Operation } from "./steps.ts";
import { wholeOf } from "./values.ts";
import { isNumeric, maskOfPresent, maskOfValues, type Variable } from "./variables.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Boxes one operation may be split into. */
const SPLIT_MAX = 512;

/** Boxes that a new one is compared with before its text is looked up. */
const COMPARED_MAX = 4;

/** What follows from which field, by numbers of variables. */
interface Dependencies {
  readonly definition: object;
  readonly fields: ReadonlyMap<string, FieldDefinition>;
  /** What depends on a field, by its name. */
  readonly dependent: ReadonlyMap<string, readonly number[]>;
  /** What lasts for one step only. */
  readonly passing: readonly number[];
}

/** Each property of a flow has boxes of its own. */
const known = new WeakMap<Vocabulary, Dependencies>();

function dependenciesOf(vocabulary: Vocabulary, definition: Omit<Definition, "hash">): Dependencies {
  const before = known.get(vocabulary);
  if (before?.definition === definition) return before;
  const fields = new Map(definition.fields.map((field) => [field.name, field] as const));
  const dependent = new Map<string, number[]>(definition.fields.map(({ name }) => [name, []]));
  const passing: number[] = [];
  for (const { index, roots } of vocabulary.variables) {
    let isPassing = false;
    for (const root of roots) {
      if (fields.has(root)) dependent.get(root)!.push(index);
      else isPassing = true;
    }
    if (isPassing) passing.push(index);
  }
  const made: Dependencies = { definition, fields, dependent, passing };
  known.set(vocabulary, made);
  return made;
}

export class Boxes {
  private readonly variables: readonly Variable[];
  private readonly fields: ReadonlyMap<string, FieldDefinition>;
  private readonly boxes: Box[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly results = new Map<Operation, Map<number, readonly number[]>>();
  private readonly settlements = new Map<readonly string[], Map<number, number>>();
  private readonly drafts = new Map<readonly string[], Map<number, number>>();
  private readonly projections = new Map<Formula, Formula>();
  private readonly relevant: ReadonlySet<number> | undefined;
  private readonly dependent: Dependencies["dependent"];
  private readonly passing: Dependencies["passing"];

  /** @param relevant the variables that are told apart; of the others everything is possible at any time. Absent: all. */
  constructor(vocabulary: Vocabulary, definition: Omit<Definition, "hash">, relevant?: ReadonlySet<number>) {
    this.variables = vocabulary.variables;
    this.relevant = relevant;
    const { fields, dependent, passing } = dependenciesOf(vocabulary, definition);
    this.fields = fields;
    this.dependent = dependent;
    this.passing = passing;
  }

  everything(): number {
    return this.numberOf(this.variables.map(({ full }) => full));
  }

  box(number: number): Box {
    return this.boxes[number]!;
  }

  /** Does all of the one lie in the other? */
  isWithin(inner: number, outer: number): boolean {
    if (inner === outer) return true;
    const [one, other] = [this.boxes[inner]!, this.boxes[outer]!];
    return one.every((mask, index) => (mask & ~other[index]!) === 0n);
  }

  afterAll(box: number, operations: readonly Operation[]): readonly number[] {
    let boxes: readonly number[] = [box];
    for (const operation of operations) {
      if (boxes.length === 0) break;
      boxes =
        boxes.length === 1
          ? this.after(boxes[0]!, operation)
          : [...new Set(boxes.flatMap((one) => this.after(one, operation)))];
    }
    return boxes;
  }

  after(box: number, operation: Operation): readonly number[] {
    const known = this.results.get(operation) ?? new Map<number, readonly number[]>();
    this.results.set(operation, known);
    const before = known.get(box);
    if (before) return before;
    const found = this.worked(this.boxes[box]!, operation).map((one) => this.numberOf(one));
    known.set(box, found);
    return found;
  }

  /** The parts of a box where the formula holds. */
  where(box: number, formula: Formula): readonly number[] {
    return this.split(this.boxes[box]!, formula).map((one) => this.numberOf(one));
  }

  /** The box once a step is over: what is asked or read for one step is open again, and so are the fields. */
  settled(box: number, fields: readonly string[], isDraft: boolean): number {
    const kind = isDraft ? this.drafts : this.settlements;
    const known = kind.get(fields) ?? new Map<number, number>();
    kind.set(fields, known);
    const before = known.get(box);
    if (before !== undefined) return before;
    const masks = [...this.boxes[box]!];
    for (const index of this.passing) masks[index] = this.variables[index]!.full;
    for (const field of fields) this.open(masks, field, isDraft);
    const number = this.numberOf(masks);
    known.set(box, number);
    return number;
  }

  private numberOf(box: Box): number {
    // Most boxes are one of the first few; a text of all masks takes longer than to compare them.
    for (let number = 0; number < COMPARED_MAX && number < this.boxes.length; number += 1) {
      if (isSame(this.boxes[number]!, box)) return number;
    }
    const key = box.join(",");
    const before = this.numbers.get(key);
    if (before !== undefined) return before;
    this.boxes.push(box);
    this.numbers.set(key, this.boxes.length - 1);
    return this.boxes.length - 1;
  }

  private worked(box: Box, operation: Operation): readonly Box[] {
    switch (operation.kind) {
      case "claim":
        return this.split(box, operation.formula);
      case "change": {
        const masks = [...box];
        for (const field of operation.fields) this.open(masks, field, true);
        return [masks];
      }
      case "set":
        return [this.set(box, operation)];
      case "complete":
        return this.completed(box);
      case "know":
        return this.known(box, operation);
    }
  }

  private split(box: Box, formula: Formula): readonly Box[] {
    const budget = { left: SPLIT_MAX };
    const found: Box[] = [];
    for (const one of holding(this.projected(formula), box, budget)) {
      // Only sums and equalities can make a box empty that has cells left everywhere.
      if (isPossible(this.variables, one)) found.push(one);
    }
    // Too many to tell apart: then more is taken to be possible than is.
    return budget.left >= 0 ? found : [box];
  }

  /** The formula as far as it is about what is told apart; what it says of the rest may be so. */
  private projected(formula: Formula): Formula {
    const { relevant } = this;
    if (relevant === undefined) return formula;
    const before = this.projections.get(formula);
    if (before) return before;
    const made = mayHold(formula, true, relevant);
    this.projections.set(formula, made);
    return made;
  }

  /** Any value. A required field stays set once the draft is over. */
  private open(masks: bigint[], field: string, isDraft: boolean): void {
    const mayBeAbsent = isDraft || this.fields.get(field)?.optional === true;
    for (const index of this.dependent.get(field) ?? []) {
      const variable = this.variables[index]!;
      masks[index] = mayBeAbsent || variable.path !== field ? variable.full : maskOfPresent(variable);
    }
  }

  private set(box: Box, { field, value }: Extract<Operation, { kind: "set" }>): Box {
    const masks = [...box];
    this.open(masks, field, false);
    const variable = this.variables.find(({ kind, path }) => kind === "data" && path === field);
    if (!variable || value.kind !== "literal") return masks;
    if (isNumeric(variable.type)) {
      const whole = wholeOf(variable.type, value.value);
      for (const [index, cell] of variable.cells.entries()) {
        if (cell.kind === "range" && cell.low <= whole && whole <= cell.high)
          masks[variable.index] = 1n << BigInt(index);
      }
      return masks;
    }
    const own = maskOfValues(variable, new Set([String(value.value)]));
    const other = variable.cells.findIndex(({ kind }) => kind === "other");
    masks[variable.index] = own !== 0n ? own : other < 0 ? variable.full : 1n << BigInt(other);
    return masks;
  }

  private completed(box: Box): readonly Box[] {
    const masks = [...box];
    for (const { kind, path, index } of this.variables) {
      const field = kind === "data" ? this.fields.get(path) : undefined;
      if (field && !field.optional) masks[index] = masks[index]! & maskOfPresent(this.variables[index]!);
    }
    return masks.includes(0n) ? [] : [masks];
  }

  private known(box: Box, { path, value }: Extract<Operation, { kind: "know" }>): readonly Box[] {
    const variable = this.variables.find((one) => one.kind === "data" && one.path === path);
    if (!variable) return [box];
    const present = maskOfPresent(variable);
    const own = maskOfValues(variable, new Set([value ?? ""]));
    const other = variable.cells.findIndex(({ kind }) => kind === "other");
    const mask = value === null ? variable.full & ~present : own !== 0n ? own : other < 0 ? 0n : 1n << BigInt(other);
    const left = box[variable.index]! & mask;
    return left === 0n ? [] : [box.with(variable.index, left)];
  }
}

function isSame(one: Box, other: Box): boolean {
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}

function mayHold(formula: Formula, wanted: boolean, relevant: ReadonlySet<number>): Formula {
  switch (formula.kind) {
    case "constant":
      return formula.value === wanted ? TRUE : FALSE;
    case "test":
      if (!relevant.has(formula.variable)) return TRUE;
      return wanted ? formula : { kind: "not", of: formula };
    case "not":
      return mayHold(formula.of, !wanted, relevant);
    default: {
      const parts = formula.parts.map((part) => mayHold(part, wanted, relevant));
      return (formula.kind === "and") === wanted ? and(...parts) : or(...parts);
    }
  }
}
