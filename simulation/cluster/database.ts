/** Documents and what the MongoDB store asks of them: as much of the server's language as it uses, and no more. */

export type Doc = { readonly _id: string } & Readonly<Record<string, unknown>>;
export type Filter = Readonly<Record<string, unknown>>;
export type Update = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Scalar = string | number;

export interface FindOptions {
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly limit?: number;
  readonly projection?: Readonly<Record<string, 1>>;
}

/** The documents of one collection. Each of these is atomic. */
export class Documents {
  readonly #documents = new Map<string, Doc>();

  get size(): number {
    return this.#documents.size;
  }

  /** @returns false if the `_id` is taken. */
  insert(document: Doc): boolean {
    if (this.#documents.has(document._id)) return false;
    this.#documents.set(document._id, withoutUndefined(document));
    return true;
  }

  find(filter: Filter, { sort = {}, limit = 0, projection }: FindOptions = {}): Doc[] {
    const found = this.#candidates(filter).filter((document) => matches(document, filter));
    const order = Object.entries(sort);
    if (order.length > 0) found.sort((a, b) => compare(a, b, order));
    const some = limit > 0 ? found.slice(0, limit) : found;
    return some.map((document) => (projection ? projected(document, projection) : document));
  }

  /** The first one; made where there is none, if asked for. @returns false if it can't be made because its `_id` is taken. */
  update(filter: Filter, update: Update, upsert: boolean): boolean {
    const [found] = this.find(filter);
    if (found) this.#documents.set(found._id, updated(found, update, false));
    return found !== undefined || !upsert || this.insert(updated({ _id: String(filter["_id"]) }, update, true));
  }

  /** As {@link update}, with all of it; made where there is none. */
  replace(filter: Filter, replacement: Readonly<Record<string, unknown>>): boolean {
    const [found] = this.find(filter);
    const document = { ...replacement, _id: String(filter["_id"]) };
    if (found) this.#documents.set(found._id, withoutUndefined(document));
    return found !== undefined || this.insert(document);
  }

  delete(id: string): void {
    this.#documents.delete(id);
  }

  /** Most are asked for by their `_id`s. */
  #candidates({ _id }: Filter): Doc[] {
    if (typeof _id === "string") return this.#byIds([_id]);
    const { $in } = (_id ?? {}) as { readonly $in?: readonly string[] };
    return $in ? this.#byIds($in) : [...this.#documents.values()];
  }

  #byIds(ids: readonly string[]): Doc[] {
    return [...new Set(ids)].flatMap((id) => this.#documents.get(id) ?? []);
  }
}

function matches(document: Doc, filter: Filter): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    if (field === "$or") return (wanted as readonly Filter[]).some((one) => matches(document, one));
    return isWanted(document[field], wanted);
  });
}

function isWanted(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null)
    return Array.isArray(value) ? value.includes(wanted) : value === wanted;
  return Object.entries(wanted).every(([operator, operand]) => OPERATORS[operator]!(value, operand));
}

type Operator = (value: unknown, operand: unknown) => boolean;

const OPERATORS: Readonly<Record<string, Operator>> = {
  $in: (value, operand) => (operand as readonly unknown[]).includes(value),
  $nin: (value, operand) => !(operand as readonly unknown[]).includes(value),
  $lt: (value, operand) => value !== undefined && (value as Scalar) < (operand as Scalar),
  $lte: (value, operand) => value !== undefined && (value as Scalar) <= (operand as Scalar),
  $gt: (value, operand) => value !== undefined && (value as Scalar) > (operand as Scalar),
  $gte: (value, operand) => value !== undefined && (value as Scalar) >= (operand as Scalar),
  $not: (value, operand) => !isWanted(value, operand),
  $exists: (value, operand) => (value !== undefined) === operand,
  $regex: (value, operand) => new RegExp(String(operand)).test(String(value)),
};

function updated(document: Doc, update: Update, isNew: boolean): Doc {
  const changed: Record<string, unknown> & { _id: string } = { ...document };
  Object.assign(changed, update["$set"], isNew && update["$setOnInsert"]);
  for (const field in update["$unset"]) delete changed[field];
  for (const [field, by] of Object.entries(update["$inc"] ?? {}))
    changed[field] = Number(changed[field] ?? 0) + Number(by);
  for (const [field, than] of Object.entries(update["$min"] ?? {})) {
    const value = changed[field];
    if (value === undefined || (than as Scalar) < (value as Scalar)) changed[field] = than;
  }
  return withoutUndefined(changed);
}

function withoutUndefined(document: Doc): Doc {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined)) as Doc;
}

const projected = (document: Doc, projection: Readonly<Record<string, 1>>): Doc =>
  Object.fromEntries(Object.entries(document).filter(([field]) => field === "_id" || field in projection)) as Doc;

function compare(a: Doc, b: Doc, order: readonly (readonly [string, 1 | -1])[]): number {
  for (const [field, direction] of order) {
    const [one, other] = [a[field] as Scalar, b[field] as Scalar];
    if (one !== other) return one < other ? -direction : direction;
  }
  return 0;
}
