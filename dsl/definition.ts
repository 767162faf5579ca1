/**
 * The compiled, immutable form of a flow: plain JSON, named by its content hash. Everything is resolved and typed;
 * nothing in here refers to positions in the text, so that a reformatted file has the same hash.
 */

/**
 * A value of a field, as it is held in memory and stored:
 * `bool` boolean · `int` safe integer · `decimal` exact decimal string (`"0.25"`) · `money` safe integer in minor units ·
 * `text`, `user`, `org`, `file`, enum member: string · `date` `"2026-10-01"` · `datetime` epoch ms · `duration` ms ·
 * lists: arrays · records: objects. An absent optional field is a missing key, never null.
 */
export type Value = boolean | number | string | readonly Value[] | { readonly [field: string]: Value };

/** The data of an instance by field name. */
export type Data = Readonly<Record<string, Value>>;

export type Type =
  | { readonly kind: "bool" | "int" | "decimal" | "text" | "date" | "datetime" | "duration" | "user" | "org" | "file" }
  | { readonly kind: "money"; readonly signed: boolean }
  | { readonly kind: "enum"; readonly name?: string; readonly members: readonly string[] }
  | { readonly kind: "list"; readonly of: Type }
  | { readonly kind: "record"; readonly fields: readonly RecordField[] };

export interface RecordField {
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
}

export interface FieldDefinition {
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
  /** Encrypted at rest, masked everywhere else. */
  readonly secret: boolean;
  readonly default?: Value;
}

export interface PayloadField {
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
  readonly secret: boolean;
  /** True: the event sets the data field of this name. False: a payload field, readable as `event.NAME` only. */
  readonly data: boolean;
}

export interface EventDefinition {
  readonly name: string;
  readonly payload: readonly PayloadField[];
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or";

/**
 * A typed expression. `type` is the static type of the result (what the checker proved); comparisons are `bool`.
 * Arithmetic on money is in minor units and exact; a quotient is an exact fraction until it is stored.
 */
export type Expression =
  | { readonly kind: "literal"; readonly type: Type; readonly value: Value }
  | { readonly kind: "list"; readonly type: Type; readonly items: readonly Expression[] }
  /** A data field of the flow. */
  | { readonly kind: "field"; readonly name: string; readonly type: Type }
  /** A field of the event being decided: `event.reviewer`. */
  | { readonly kind: "payload"; readonly name: string; readonly type: Type }
  /** `key` is the instance's business key. `elapsed`: since the state was entered. `approvals`: see language.md 11. */
  | {
      readonly kind: "builtin";
      readonly name: "actor" | "initiator" | "now" | "state" | "elapsed" | "approvals" | "key";
      readonly type: Type;
    }
  /** `initiator.name`, `.org`, `.tags`, a field of a record. */
  | { readonly kind: "member"; readonly of: Expression; readonly name: string; readonly type: Type }
  /** A field of the list item under test in the innermost `any … where` / `all … where` that has it; depth 0 is the innermost. */
  | { readonly kind: "item"; readonly depth: number; readonly name?: string; readonly type: Type }
  | { readonly kind: "not"; readonly of: Expression; readonly type: Type }
  | { readonly kind: "negate"; readonly of: Expression; readonly type: Type }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly type: Type;
    }
  /** `x in [a, b, c]`, or `"x" in initiator.tags` where `list` is an expression of a list type. */
  | { readonly kind: "in-list"; readonly of: Expression; readonly list: Expression; readonly type: Type }
  | { readonly kind: "in-interval"; readonly of: Expression; readonly interval: Interval; readonly type: Type }
  | { readonly kind: "is-set"; readonly of: Expression; readonly type: Type }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly then: Expression;
      readonly else: Expression;
      readonly type: Type;
    }
  | {
      readonly kind: "quantifier";
      readonly quantifier: "any" | "all";
      readonly list: Expression;
      readonly where: Expression;
      readonly type: Type;
    }
  /** `items.price`: the list of that field of every item. */
  | { readonly kind: "pluck"; readonly of: Expression; readonly name: string; readonly type: Type }
  /** Built in: formatDate, rmbUpper, dateOf, masked, count, sum. */
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[]; readonly type: Type }
  /** A guard or a value function that somebody else serves; one answer per decision and arguments. */
  | {
      readonly kind: "ask";
      readonly function: "guard" | "value";
      readonly name: string;
      readonly arguments: readonly Expression[];
      readonly type: Type;
    };

/** An absent bound is unbounded. Bounds are literals of the compared type. */
export interface Interval {
  readonly low?: { readonly value: Value; readonly included: boolean };
  readonly high?: { readonly value: Value; readonly included: boolean };
}

/** Who: resolved when a round opens (or when a `by` is checked). */
export type People =
  | { readonly kind: "initiator" }
  /** Only in `overdue`: the present holder of the seat. */
  | { readonly kind: "assignee" }
  /** Only in actions: who sent the event or decided last. */
  | { readonly kind: "actor" }
  | { readonly kind: "users"; readonly ids: readonly string[] }
  /** The argument is a text (or, for dept and headOf, an org) expression: usually a literal or a field. */
  | { readonly kind: "group" | "role" | "dept" | "position" | "headOf"; readonly argument: Expression }
  | { readonly kind: "managerOf"; readonly of: People; readonly level: number }
  | {
      readonly kind: "managersOf";
      readonly of: People;
      readonly upTo: number | "top";
      /** Default false: the nearest superior first. */
      readonly topDown: boolean;
    }
  /** The initiator's (or the approver before's) pick; absent or empty refuses the command (`choice-required`). */
  | { readonly kind: "chosen"; readonly field: string }
  /** A data field of type user or list of user, or `event.FIELD` in `by` and actions. */
  | { readonly kind: "value"; readonly value: Expression }
  /** A name of the flow's `people`. */
  | { readonly kind: "named"; readonly name: string }
  /** A people function that somebody else serves. */
  | { readonly kind: "ask"; readonly name: string; readonly arguments: readonly Expression[] };

export type Mode =
  | { readonly kind: "any" | "all" | "sequence" }
  | { readonly kind: "quorum"; readonly threshold: Threshold };

/** `count`: a ≥ n. `share`: a·of ≥ part·N in integers, or > with `strict`. `60%` is 60 of 100, `2/3` is 2 of 3. */
export type Threshold =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "share"; readonly part: number; readonly of: number; readonly strict: boolean };

export interface Stage {
  readonly people: People;
  readonly mode: Mode;
  /** A single rejection ends it, or only when approval can no longer be reached. The mode's default is filled in. */
  readonly reject: "one" | "rest";
}

/** What people may do beside approving and rejecting. The rest of the language's list is refused by the checker for now. */
export type Operation = "transfer" | "returnTo" | "withdraw" | "withdraw untouched" | "abstain";

export type Reasoned = "approve" | "reject" | "returnTo" | "abstain" | "transfer" | "withdraw";

export type OverdueStep =
  | { readonly kind: "remind" | "approve" | "reject"; readonly afterMs: number }
  | { readonly kind: "escalate" | "transfer"; readonly to: People; readonly afterMs: number };

export type OnEmpty = { readonly kind: "hold" | "skip" | "reject" } | { readonly kind: "assign"; readonly to: People };

export interface Approval {
  readonly stages: readonly Stage[];
  readonly due?: { readonly ms: number; readonly perStage: boolean };
  readonly remind?: { readonly everyMs: number; readonly atMost?: number };
  /** Counted from the seat's deadline, in this order. */
  readonly overdue: readonly OverdueStep[];
  /** How many more times the list runs after the first. */
  readonly overdueRepeat: number;
  readonly onEmpty: OnEmpty;
  readonly allow: readonly Operation[];
  readonly reasonRequiredOn: readonly Reasoned[];
}

export interface StateDefinition {
  readonly name: string;
  readonly final: boolean;
  readonly approval?: Approval;
}

export type Outcome = "approved" | "rejected" | "returned" | "withdrawn";

export type Trigger =
  | { readonly kind: "event"; readonly event: string }
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  /** Since the state was entered. */
  | { readonly kind: "after"; readonly ms: number }
  /** A datetime expression, taken when the state is entered. */
  | { readonly kind: "at"; readonly at: Expression };

export type Action =
  | { readonly kind: "emit"; readonly event: string }
  | { readonly kind: "notify" | "cc"; readonly to: People }
  | { readonly kind: "render"; readonly document: string }
  /** Part of the commit; every other action is an effect after it. */
  | { readonly kind: "set"; readonly field: string; readonly value: Expression }
  | {
      readonly kind: "start";
      readonly flow: string;
      readonly key: Expression;
      readonly fields: Readonly<Record<string, Expression>>;
    }
  /** `check` runs before the commit and can veto it; `action` is an effect after it. */
  | {
      readonly kind: "call";
      readonly function: "check" | "action";
      readonly name: string;
      readonly arguments: readonly Expression[];
    };

/** One line of `transitions`. Its place in {@link Definition.transitions} is its name in the history. */
export interface Transition {
  /** Expanded: `any` is every non-final state. */
  readonly from: readonly string[];
  /** Written as `any`: a line that names the state wins over it. */
  readonly any: boolean;
  readonly to: string;
  readonly trigger: Trigger;
  readonly by?: People;
  /** Applies only when no line above it for the same state and trigger did. */
  readonly otherwise: boolean;
  readonly condition?: Expression;
  readonly actions: readonly Action[];
}

export interface Route {
  readonly event: string;
  readonly targets: readonly (
    | { readonly kind: "service"; readonly name: string }
    | { readonly kind: "selector"; readonly labels: Readonly<Record<string, string>> }
  )[];
}

export interface DocumentDefinition {
  readonly name: string;
  /** The template's name: the file `NAME.docx` beside the flow or in `templates/` beside it. */
  readonly template: string;
  readonly fields: readonly { readonly name: string; readonly value: Expression }[];
  readonly fallback?: string;
}

export interface FunctionUse {
  readonly name: string;
  readonly kind: "guard" | "check" | "action" | "people" | "value";
}

export interface Definition {
  /** Version of this shape. */
  readonly format: 1;
  /** SHA-256 of the canonical JSON of everything else, in hex. */
  readonly hash: string;
  readonly flow: string;
  readonly title?: string;
  readonly label?: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Decimals of the currency's minor unit: 2 for CNY, 0 for JPY. */
  readonly currencyDecimals: number;
  readonly initial: string;
  readonly states: readonly StateDefinition[];
  readonly fields: readonly FieldDefinition[];
  /** Every event a transition names, those without a payload too. */
  readonly events: readonly EventDefinition[];
  readonly people: Readonly<Record<string, People>>;
  /** In source order. */
  readonly transitions: readonly Transition[];
  readonly routes: readonly Route[];
  readonly documents: Readonly<Record<string, DocumentDefinition>>;
  /** Functions somebody else must serve, one row per name and kind. */
  readonly functions: readonly FunctionUse[];
}

/** What a name of a `source` block stands for: a property of the form, or a control's value, converted to `type`. */
export type SourceValue =
  | { readonly kind: "property"; readonly path: readonly string[] }
  | { readonly kind: "control"; readonly id: string; readonly convert: SourceConversion; readonly type: Type }
  | {
      readonly kind: "table";
      readonly id: string;
      readonly columns: readonly { readonly name: string; readonly value: SourceValue }[];
      readonly type: Type;
    };

export type SourceConversion =
  /** By the field's type. */
  | { readonly kind: "natural" }
  | { readonly kind: "yuan" }
  | { readonly kind: "options"; readonly options: Readonly<Record<string, string>>; readonly otherwise?: string };

/** `source wecom "TPL" starts "flow" on "event" { … }`. */
export interface SourceDefinition {
  readonly connector: "wecom";
  readonly template: string;
  readonly when: "submitted" | "approved";
  readonly flow: string;
  readonly event?: string;
  readonly key: SourceValue;
  readonly initiator: SourceValue;
  readonly fields: readonly { readonly name: string; readonly optional: boolean; readonly value: SourceValue }[];
}

/** A function that a plugin, `functions.ts` or a service declares; it tells the checker kinds and types. */
export interface FunctionDeclaration {
  readonly name: string;
  readonly kind: FunctionUse["kind"];
  /** Result type of a value function. */
  readonly type?: Type;
}
