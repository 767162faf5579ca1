/** One change in meaning between two versions of a flow. */
export interface Change {
  readonly flow: string;
  readonly about:
    | "flow"
    | "setting"
    | "field"
    | "event"
    | "people"
    | "state"
    | "approval"
    | "transition"
    | "route"
    | "document"
    | "matrix"
    | "saga"
    | "calendar"
    | "property"
    | "migration";
  readonly kind: "added" | "removed" | "changed";
  /** A plain sentence. */
  readonly message: string;
  /** What it was and what it is, where both can be written in a line. */
  readonly before?: string;
  readonly after?: string;
  /**
   * `loosened`: something passes that used to be refused, or fewer people decide; `tightened`: the other way round.
   * Absent where neither can be said.
   */
  readonly effect?: "loosened" | "tightened";
  /** Data with which the two versions differ, as in a diagnostic's counter-example. */
  readonly example?: Readonly<Record<string, unknown>>;
}

/** Compares named things: what only one of them has, and what differs in both. */
export function compareNamed<Thing>(
  before: ReadonlyMap<string, Thing>,
  after: ReadonlyMap<string, Thing>,
  tell: {
    added(name: string, thing: Thing): Change;
    removed(name: string, thing: Thing): Change;
    both(name: string, before: Thing, after: Thing): readonly Change[];
  },
): Change[] {
  return [
    ...[...before].flatMap(([name, thing]) => {
      const other = after.get(name);
      return other === undefined ? [tell.removed(name, thing)] : tell.both(name, thing, other);
    }),
    ...[...after].flatMap(([name, thing]) => (before.has(name) ? [] : [tell.added(name, thing)])),
  ];
}

/** A part of a flow in words. */
export interface Wording {
  readonly text: string;
  /** The same with the names of people and matrices spelled out. */
  readonly meaning: string;
}

/**
 * Nothing changed here: it is written alike, and what its names stand for is compared where they are declared; or it means
 * the same under other names.
 */
export const isSame = (before: Wording, after: Wording): boolean =>
  before.text === after.text || before.meaning === after.meaning;

/** Things that can be written in a line. */
export function compareTexts(
  flow: string,
  about: Change["about"],
  noun: string,
  before: ReadonlyMap<string, Wording>,
  after: ReadonlyMap<string, Wording>,
): Change[] {
  const named = (name: string): string => `The ${noun} \`${name}\``;
  return compareNamed(before, after, {
    added: (name, { text }) => ({ flow, about, kind: "added", message: `${named(name)} is new.`, after: text }),
    removed: (name, { text }) => ({ flow, about, kind: "removed", message: `${named(name)} is gone.`, before: text }),
    both: (name, was, is) =>
      isSame(was, is)
        ? []
        : [{ flow, about, kind: "changed", message: `${named(name)} changed.`, before: was.text, after: is.text }],
  });
}
