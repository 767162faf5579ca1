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
      readonly name: "actor" | "initiator" | "now" | "state" | "elapsed" | "approvals" | "key" | "outcome";
      readonly type: Type;
    }
  /** `BRANCH.state`, on `joined`: where that branch stands; absent if it was not entered. */
  | { readonly kind: "branch-state"; readonly branch: string; readonly type: Type }
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

/** A span of time from an instant. Working time counts in the flow's calendar: approval-semantics.md 3, Time. */
export type Term =
  | { readonly kind: "natural"; readonly ms: number }
  | { readonly kind: "workhours"; readonly ms: number }
  | { readonly kind: "workdays"; readonly days: number };

export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/** Both days included, `YYYY-MM-DD`. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

export interface CalendarDefinition {
  readonly name: string;
  /** IANA name. */
  readonly timezone: string;
  /** Of every working day, in order, not touching: minutes since midnight, `[from, to)`; 1440 is 24:00. */
  readonly hours: readonly { readonly from: number; readonly to: number }[];
  readonly weekend: readonly Weekday[];
  readonly holidays: readonly DayRange[];
  /** 调休: days that are worked though they are weekend or holiday. */
  readonly workdays: readonly DayRange[];
}

export type Mode =
  | { readonly kind: "any" | "all" | "sequence" }
  /** `weight`: the value function that is asked for each seat's person; absent: every seat weighs 1. */
  | { readonly kind: "quorum"; readonly threshold: Threshold; readonly weight?: string };

/** `count`: a ≥ n. `share`: a·of ≥ part·N in integers, or > with `strict`. `60%` is 60 of 100, `2/3` is 2 of 3. */
export type Threshold =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "share"; readonly part: number; readonly of: number; readonly strict: boolean };

/** People who must reach their own mode: 分组会签 has several in one stage. */
export interface Group {
  readonly people: People;
  readonly mode: Mode;
  /** A single rejection ends it, or only when approval can no longer be reached. The mode's default is filled in. */
  readonly reject: "one" | "rest";
  /** `one of PEOPLE`: one of them, picked by a pure function of round and list. */
  readonly pick: boolean;
}

export interface PeopleStage {
  /** `handle` is done, transferred or returned, never rejected. */
  readonly kind: "vote" | "handle";
  readonly groups: readonly Group[];
  /** Seats whose rejection ends the stage whatever the mode. Adds no seat. */
  readonly veto?: People;
}

export type Stage =
  | PeopleStage
  /** `auto approve if COND else reject`: nobody is asked. */
  | { readonly kind: "auto"; readonly condition: Expression };

/** Stages looked up in a matrix when the state is entered. */
export interface MatrixUse {
  readonly kind: "matrix";
  /** A key of {@link Definition.matrices}. */
  readonly matrix: string;
  /** Its rows are of kind `handle`. */
  readonly handle: boolean;
  readonly arguments: readonly Expression[];
}

export type MatrixCell =
  | { readonly kind: "any" }
  /** Enum members, booleans, users, texts. */
  | { readonly kind: "values"; readonly values: readonly Value[] }
  /** Numbers, money, dates, durations; a single value is `[v, v]`. */
  | { readonly kind: "intervals"; readonly intervals: readonly Interval[] };

/** Proved complete and free of overlap: exactly one row holds for any arguments. */
export interface MatrixDefinition {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: Type }[];
  readonly rows: readonly { readonly cells: readonly MatrixCell[]; readonly stages: readonly Stage[] }[];
}

/** What people may do beside approving and rejecting. `advisory`: those added before give advice only. */
export type Operation =
  | "transfer"
  | "delegate"
  | "addBefore"
  | "addBefore advisory"
  | "addAfter"
  | "addBeside"
  | "remove"
  | "returnTo"
  | "withdraw"
  | "withdraw untouched"
  | "takeBack"
  | "abstain"
  | "claim";

export type Reasoned =
  | "approve"
  | "reject"
  | "returnTo"
  | "abstain"
  | "transfer"
  | "withdraw"
  | "delegate"
  | "addBefore"
  | "addAfter"
  | "addBeside"
  | "remove"
  | "takeBack"
  | "handle";

export type OverdueStep =
  | { readonly kind: "remind" | "approve" | "reject"; readonly after: Term }
  | { readonly kind: "escalate" | "transfer"; readonly to: People; readonly after: Term };

export type OnEmpty = { readonly kind: "hold" | "skip" | "reject" } | { readonly kind: "assign"; readonly to: People };

/** `approval by …` or `handle by …` of a state. Options hold for every stage. */
export interface Approval {
  /** In order; a matrix stands for the stages of its row. All of kind `handle`, or none. */
  readonly chain: readonly (Stage | MatrixUse)[];
  readonly due?: { readonly term: Term; readonly perStage: boolean };
  readonly remind?: { readonly every: Term; readonly atMost?: number };
  /** Counted from the seat's deadline, in this order. */
  readonly overdue: readonly OverdueStep[];
  /** How many more times the list runs after the first. */
  readonly overdueRepeat: number;
  readonly onEmpty: OnEmpty;
  /** Default `ask`; `manager` where the flow ensures `initiator never approves`. */
  readonly onSelf: "ask" | "skip" | "manager";
  readonly repeated: "ask" | "consecutive" | "any";
  readonly allow: readonly Operation[];
  readonly onReturn: "restart" | "resume";
  readonly maxReturns?: number;
  /** Fields that this stage's people may change while approving. */
  readonly edit: readonly string[];
  /** `edit: [..] reopens`: a change asks the others of the round again. */
  readonly editReopens: boolean;
  /** Fields that this stage's people must not see. */
  readonly hide: readonly string[];
  /** What an abstention counts. */
  readonly abstain: "leaves" | "no";
  /** `collect: all`: the stage stays open for every opinion. */
  readonly collectAll: boolean;
  readonly reasonRequiredOn: readonly Reasoned[];
  readonly signatureRequired: boolean;
}

/** `parallel { branch … join … }`. */
export interface Parallel {
  readonly branches: readonly Branch[];
  readonly join: { readonly kind: "all" | "any" } | { readonly kind: "count"; readonly count: number };
  /** `reject: one`: the first rejection that its branch does not handle ends the parallel by `on rejected`. */
  readonly rejectOne: boolean;
}

/** A branch is a machine without data: it sees the flow's. */
export interface Branch extends Region {
  readonly name: string;
  /** Entered only if it holds. */
  readonly condition?: Expression;
  /** `branch NAME else`: entered when no conditional branch is. */
  readonly otherwise: boolean;
}

export type Run =
  /** A key of {@link Definition.sagas}. */
  | { readonly kind: "saga"; readonly saga: string }
  /** Lives inside this instance; started with these fields and sent the event, in the name of the initiator. */
  | {
      readonly kind: "flow";
      readonly flow: string;
      readonly event?: string;
      readonly fields: Readonly<Record<string, Expression>>;
    };

export interface SagaCall {
  readonly name: string;
  readonly arguments: readonly Expression[];
}

export interface SagaStep extends SagaCall {
  readonly undo?: SagaCall;
  /** More tries after the first. */
  readonly retries: number;
  readonly backoff?: { readonly fromMs: number; readonly toMs: number };
  /** Share of the delay by which it varies: 0.25 is ± 25 %. */
  readonly jitter?: number;
  readonly timeoutMs?: number;
}

export interface SagaDefinition {
  readonly name: string;
  /** In order; steps of one item run side by side (`step a(..) and b(..)`). */
  readonly steps: readonly (readonly SagaStep[])[];
  /** Who gets the task when compensation keeps failing. */
  readonly onStuck?: People;
}

/** A state has at most one of `approval`, `parallel` and `run`. */
export interface StateDefinition {
  readonly name: string;
  readonly final: boolean;
  readonly approval?: Approval;
  readonly parallel?: Parallel;
  readonly run?: Run;
  /** On a final state: how long the initiator may still withdraw. */
  readonly revocableFor?: Term;
}

/** Of the state's approval; `done` of its handling, saga or sub-flow; `compensated` of its saga; `joined` of its branches. */
export type Outcome = "approved" | "rejected" | "returned" | "withdrawn" | "done" | "compensated" | "joined";

export type Trigger =
  | { readonly kind: "event"; readonly event: string }
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  /** Since the state was entered. */
  | { readonly kind: "after"; readonly term: Term }
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

/** One line of `transitions`. Its place in {@link Region.transitions} is its name in the history. */
export interface Transition {
  /** Expanded: `any` is every non-final state. */
  readonly from: readonly string[];
  /** Written as `any`: a line that names the state wins over it. */
  readonly any: boolean;
  readonly to: string;
  /** In a branch: `to` is a state so many machines further out (1: the one that has the parallel state). Absent: 0. */
  readonly up?: number;
  readonly trigger: Trigger;
  readonly by?: People;
  /** Applies only when no line above it for the same state and trigger did. */
  readonly otherwise: boolean;
  readonly condition?: Expression;
  readonly actions: readonly Action[];
}

/** States and the lines between them: the flow's own machine, or that of a branch. */
export interface Region {
  readonly initial: string;
  readonly states: readonly StateDefinition[];
  /** In source order. */
  readonly transitions: readonly Transition[];
}

/** What `ensure` asks; proved by the checker. `never-approves` and `different-people` are enforced by the engine too. */
export type Property =
  | {
      readonly kind: "never-without-state";
      /** A state, `BRANCH.STATE` in a branch. */
      readonly state: string;
      readonly without: string;
      readonly condition?: Expression;
    }
  | {
      readonly kind: "never-without-approval";
      readonly state: string;
      readonly by: People;
      readonly condition?: Expression;
    }
  | { readonly kind: "never-approves"; readonly people: People }
  | { readonly kind: "different-people"; readonly states: readonly string[] }
  | { readonly kind: "reaches-final"; readonly within: Term };

/** `migrate from label "2.0" { OLD → NEW; legal.OLD → legal.NEW }`: states as `ensure` names them, `BRANCH.STATE` in branches. */
export interface Migration {
  readonly label: string;
  readonly states: Readonly<Record<string, string>>;
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

export interface Definition extends Region {
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
  readonly fields: readonly FieldDefinition[];
  /** Every event a transition names, those without a payload too. */
  readonly events: readonly EventDefinition[];
  readonly people: Readonly<Record<string, People>>;
  readonly routes: readonly Route[];
  readonly documents: Readonly<Record<string, DocumentDefinition>>;
  /** Working time; absent where the flow names no calendar. */
  readonly calendar?: CalendarDefinition;
  /** Those that its approvals use, with people resolved in this flow. */
  readonly matrices: Readonly<Record<string, MatrixDefinition>>;
  readonly sagas: Readonly<Record<string, SagaDefinition>>;
  readonly ensure: readonly Property[];
  readonly migrations: readonly Migration[];
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

/** `rollout "…" of "flow" to label "…" { … }`. All that is given must hold. */
export interface RolloutDefinition {
  readonly name: string;
  readonly flow: string;
  readonly label: string;
  /** The initiator carries any of these. */
  readonly tags?: readonly string[];
  /** Exact, or a prefix where `*` ends it. */
  readonly orgs?: readonly string[];
  readonly fields: readonly { readonly name: string; readonly cell: MatrixCell }[];
  /** 0 to 100, as an exact decimal; stable by instance key. */
  readonly percent?: string;
}

/** A function that a plugin, `functions.ts` or a service declares; it tells the checker kinds and types. */
export interface FunctionDeclaration {
  readonly name: string;
  readonly kind: FunctionUse["kind"];
  /** Result type of a value function. */
  readonly type?: Type;
}
