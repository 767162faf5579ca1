import type { Span } from "./diagnostic.ts";
import type { StatementBody } from "./test-block.ts";

/**
 * The syntax tree: what was written, with positions, names not yet looked up. A damaged item is left out of its list
 * (its diagnostic was reported); what is sound between two mistakes is there.
 */

interface Node {
  readonly span: Span;
}

/** A bare name or a string, with the place it stands at. */
export interface Name extends Node {
  readonly text: string;
  /** Written in double quotes. */
  readonly quoted: boolean;
}

export interface FileAst extends Node {
  readonly uses: readonly UseAst[];
  readonly calendars: readonly CalendarAst[];
  readonly matrices: readonly MatrixAst[];
  readonly sagas: readonly SagaAst[];
  readonly rollouts: readonly RolloutAst[];
  readonly flows: readonly FlowAst[];
  readonly documents: readonly DocumentAst[];
  readonly sources: readonly SourceAst[];
  readonly tests: readonly TestAst[];
}

/** `use "./rates.flow"`. */
export interface UseAst extends Node {
  readonly path: Name;
}

export interface CalendarAst extends Node {
  readonly name: Name;
  readonly timezone?: Name;
  /** `09:00 .. 18:00`, or a list of such. */
  readonly hours?: readonly { readonly from: TimeAst; readonly to: TimeAst; readonly span: Span }[];
  /** `sat`, `sun`: looked up by the checker. */
  readonly weekend?: readonly Name[];
  readonly holidays?: readonly DayRangeAst[];
  readonly workdays?: readonly DayRangeAst[];
}

/** `09:00` as written. */
export interface TimeAst extends Node {
  readonly text: string;
}

/** `2026-10-01`, `2026-10-01 .. 2026-10-07`. */
export interface DayRangeAst extends Node {
  readonly from: TimeAst;
  /** Absent: one day. */
  readonly to?: TimeAst;
}

/** `matrix signOff(amount: money, kind: Kind) { … }`. */
export interface MatrixAst extends Node {
  readonly name: Name;
  readonly parameters: readonly { readonly name: Name; readonly type: TypeAst; readonly span: Span }[];
  /** The first line: parameter names, then after the arrow a title for the result. */
  readonly header?: { readonly columns: readonly Name[]; readonly result: Name; readonly span: Span };
  readonly rows: readonly MatrixRowAst[];
  readonly doc?: string;
}

export interface MatrixRowAst extends Node {
  readonly cells: readonly MatrixCellAst[];
  readonly stages: readonly StageAst[];
}

export type MatrixCellAst = Node &
  /** `any`. */
  (
    | { readonly kind: "any" }
    /** Values and intervals, separated by commas. */
    | { readonly kind: "values"; readonly values: readonly ExpressionAst[] }
  );

export interface SagaAst extends Node {
  readonly name: Name;
  /** Steps of one item run side by side. */
  readonly steps: readonly (readonly SagaStepAst[])[];
  readonly onStuck?: { readonly what: "assign"; readonly to: PeopleAst; readonly span: Span };
}

export interface CallAst extends Node {
  readonly name: Name;
  readonly arguments: readonly ExpressionAst[];
}

export interface SagaStepAst extends Node {
  readonly call: CallAst;
  readonly undo?: CallAst;
  readonly retry?: number;
  readonly backoff?: { readonly from: DurationAst; readonly to?: DurationAst; readonly span: Span };
  /** `25%`: the number as written. */
  readonly jitter?: { readonly percent: string; readonly span: Span };
  readonly timeout?: DurationAst;
}

/** `rollout "v3-pilot" of "expense-approval" to label "3.0" { … }`. */
export interface RolloutAst extends Node {
  readonly name: Name;
  readonly flow: Name;
  readonly label: Name;
  /** `tags: ["beta"]`, `amount: [100, 5000)`, `percent: 10`: which of them is meant is the checker's to say. */
  readonly items: readonly { readonly name: Name; readonly value: ExpressionAst; readonly span: Span }[];
}

/** A machine: the flow itself, or a branch. */
export interface RegionAst {
  readonly initial?: Name;
  readonly states: readonly Name[];
  /** Doc comments of states, by name. */
  readonly stateDocs: Readonly<Record<string, string>>;
  /** Where `states` stands; absent when it is missing. */
  readonly statesSpan?: Span;
  readonly final?: readonly Name[];
  readonly stateBlocks: readonly StateBlockAst[];
  readonly transitions: readonly TransitionAst[];
}

export interface FlowAst extends Node, RegionAst {
  readonly name: Name;
  /** `title`, `label`, `currency`, `calendar`: string items. */
  readonly settings: readonly { readonly key: Name; readonly value: Name }[];
  readonly fields: readonly FieldAst[];
  readonly events: readonly EventAst[];
  readonly people: readonly { readonly name: Name; readonly people: PeopleAst }[];
  readonly routes: readonly RouteAst[];
  readonly ensure: readonly PropertyAst[];
  readonly migrations: readonly MigrationAst[];
  /** Doc comment `///` above it. */
  readonly doc?: string;
}

export interface FieldAst extends Node {
  readonly name: Name;
  readonly type: TypeAst;
  readonly optional: boolean;
  readonly secret: boolean;
  readonly default?: ExpressionAst;
}

export type TypeAst = Node &
  /** `text`, `money`, or the name of an enum declared elsewhere in the file. `signed` only after money. */
  (
    | { readonly kind: "name"; readonly name: Name; readonly signed: boolean }
    /** `one of [..]`, `Kind = one of [..]`. */
    | { readonly kind: "enum"; readonly name?: Name; readonly members: readonly Name[] }
    | { readonly kind: "list"; readonly of: TypeAst }
    | {
        readonly kind: "record";
        readonly fields: readonly { readonly name: Name; readonly type: TypeAst; readonly optional: boolean }[];
      }
  );

export interface EventAst extends Node {
  readonly name: Name;
  /** `amount`, or `reviewer: user` for a payload field that is not data. */
  readonly payload: readonly {
    readonly name: Name;
    readonly type?: TypeAst;
    readonly optional: boolean;
    readonly secret: boolean;
  }[];
}

/**
 * An expression that stands for people: `initiator`, `managerOf(initiator, level 2)`, `managersOf(p, up to 3)`,
 * `managersOf(p, to top, top-down)`, `users("a")`, a name of `people`, a field, `event.reviewer`.
 */
export type PeopleAst = Node &
  (
    | { readonly kind: "name"; readonly name: Name }
    | { readonly kind: "value"; readonly value: ExpressionAst }
    | { readonly kind: "call"; readonly name: Name; readonly arguments: readonly PeopleArgumentAst[] }
  );

export type PeopleArgumentAst =
  /** Strings, names, nested calls: which of them is meant depends on the function. */
  | { readonly kind: "expression"; readonly value: ExpressionAst }
  | { readonly kind: "level"; readonly level: number; readonly span: Span }
  | { readonly kind: "up-to"; readonly levels: number; readonly span: Span }
  | { readonly kind: "to-top"; readonly span: Span }
  | { readonly kind: "top-down"; readonly span: Span };

/** `state NAME { … }`. More than one of these in a block is for the checker to refuse. */
export interface StateBlockAst extends Node {
  readonly name: Name;
  readonly approval?: ApprovalAst;
  /** A `handle` beside an `approval`, or the other way round, which is an error. */
  readonly mixed?: ApprovalAst;
  readonly parallel?: ParallelAst;
  readonly run?: RunAst;
  readonly revocable?: { readonly duration: DurationAst; readonly span: Span };
  readonly doc?: string;
}

export interface ApprovalAst extends Node {
  /** `handle by` instead of `approval by`. */
  readonly handle: boolean;
  readonly stages: readonly StageAst[];
  readonly options: readonly OptionAst[];
}

export type StageAst = Node &
  (
    | {
        readonly kind: "people";
        readonly groups: readonly GroupAst[];
        readonly veto?: PeopleAst;
      }
    /** `auto approve if COND else reject`; `auto reject if COND else approve` has them swapped. */
    | {
        readonly kind: "auto";
        readonly condition: ExpressionAst;
        readonly then: "approve" | "reject";
        readonly else: "approve" | "reject";
      }
  );

/** `PEOPLE [MODE]`, `one of PEOPLE`. A call of a matrix is `people` of kind `call`: the checker knows. */
export interface GroupAst extends Node {
  readonly people: PeopleAst;
  /** Absent: any. */
  readonly mode?: ModeAst;
  readonly pick: boolean;
}

export interface ParallelAst extends Node {
  readonly branches: readonly BranchAst[];
  /** Absent: all. */
  readonly join?: { readonly rule: "all" | "any" | number; readonly span: Span };
  /** `reject: one`. */
  readonly reject?: Name;
}

export interface BranchAst extends Node, RegionAst {
  readonly name: Name;
  readonly condition?: ExpressionAst;
  readonly else: boolean;
}

export type RunAst = Node &
  (
    | { readonly kind: "saga"; readonly saga: Name }
    | {
        readonly kind: "flow";
        readonly flow: Name;
        readonly event?: Name;
        readonly fields: readonly { readonly name: Name; readonly value: ExpressionAst }[];
      }
  );

export type PropertyAst = Node &
  (
    | {
        readonly kind: "never-without";
        readonly state: QualifiedNameAst;
        readonly without:
          | { readonly kind: "state"; readonly state: QualifiedNameAst }
          | { readonly kind: "approval"; readonly by: PeopleAst };
        readonly condition?: ExpressionAst;
      }
    | { readonly kind: "never-approves"; readonly people: PeopleAst }
    | { readonly kind: "different-people"; readonly states: readonly QualifiedNameAst[] }
    | { readonly kind: "reaches-final"; readonly within: DurationAst }
  );

/** `APPROVED`, `legal.REVIEW`. */
export interface QualifiedNameAst extends Node {
  readonly branch?: Name;
  readonly name: Name;
}

export interface MigrationAst extends Node {
  readonly label: Name;
  readonly lines: readonly { readonly from: QualifiedNameAst; readonly to: QualifiedNameAst; readonly span: Span }[];
}

export type ModeAst = Node & {
  /** `weight W`: only after a quorum. */
  readonly weight?: Name;
} & (
    | { readonly kind: "any" | "all" | "sequence" }
    | { readonly kind: "count"; readonly count: number }
    | { readonly kind: "ratio"; readonly part: number; readonly of: number; readonly strict: boolean }
    /** `60%`, `> 50%`. The number as written. */
    | { readonly kind: "percent"; readonly percent: string; readonly strict: boolean }
  );

export type OptionAst = Node & { readonly key: Name } & (
    | { readonly kind: "reject"; readonly rule: "one" | "rest" }
    | { readonly kind: "due"; readonly duration: DurationAst; readonly perStage: boolean }
    | { readonly kind: "remind"; readonly every: DurationAst; readonly atMost?: number }
    | {
        readonly kind: "overdue";
        readonly steps: readonly {
          readonly step: "remind" | "approve" | "reject" | "escalate" | "transfer";
          readonly to?: PeopleAst;
          readonly after: DurationAst;
          readonly span: Span;
        }[];
        readonly repeat: number;
      }
    | { readonly kind: "onEmpty"; readonly what: "hold" | "skip" | "reject" | "assign"; readonly to?: PeopleAst }
    | { readonly kind: "onSelf"; readonly what: Name }
    /** `ask`, `skip consecutive`, `skip any`. */
    | { readonly kind: "repeated"; readonly what: Name; readonly qualifier?: Name }
    | { readonly kind: "onReturn" | "abstain" | "collect"; readonly what: Name }
    | { readonly kind: "maxReturns"; readonly count: number }
    | { readonly kind: "edit"; readonly fields: readonly Name[]; readonly reopens: boolean }
    | { readonly kind: "hide"; readonly fields: readonly Name[] }
    /** `sign: required`. */
    | { readonly kind: "sign"; readonly what: Name }
    /** `withdraw untouched`, `addBefore advisory` are one entry with `qualifier`. */
    | { readonly kind: "allow"; readonly operations: readonly { readonly name: Name; readonly qualifier?: Name }[] }
    | { readonly kind: "reason"; readonly on: readonly Name[] }
  );

export interface DurationAst extends Node {
  /** The number as written, without `_`. */
  readonly amount: string;
  readonly unit: "ms" | "s" | "m" | "h" | "d" | "w" | "workhours" | "workdays";
}

export interface TransitionAst extends Node {
  /** `any` when the line begins so. */
  readonly from: readonly Name[] | "any";
  readonly to: Name;
  readonly trigger: TriggerAst;
  readonly by?: PeopleAst;
  readonly else: boolean;
  readonly condition?: ExpressionAst;
  readonly actions: readonly ActionAst[];
}

export type TriggerAst = Node &
  (
    | { readonly kind: "event"; readonly event: Name }
    /** `approved`, `rejected`, `returned`, `withdrawn`, and `done`, `compensated`, `joined` for the checker to refuse. */
    | { readonly kind: "outcome"; readonly outcome: Name }
    | { readonly kind: "after"; readonly duration: DurationAst }
    | { readonly kind: "at"; readonly at: ExpressionAst }
  );

export type ActionAst = Node & { readonly name: Name } & (
    | { readonly kind: "call"; readonly arguments: readonly ExpressionAst[] }
    /** `set(field = expression)`. */
    | { readonly kind: "set"; readonly field: Name; readonly value: ExpressionAst }
    /** `start("flow", key, { field: expression })`. */
    | {
        readonly kind: "start";
        readonly flow: Name;
        readonly key: ExpressionAst;
        readonly fields: readonly { readonly name: Name; readonly value: ExpressionAst }[];
      }
  );

export interface RouteAst extends Node {
  readonly event: Name;
  readonly targets: readonly (
    | { readonly kind: "service"; readonly name: string; readonly span: Span }
    | {
        readonly kind: "selector";
        readonly labels: readonly { readonly name: Name; readonly value: Name }[];
        readonly span: Span;
      }
  )[];
}

export interface DocumentAst extends Node {
  readonly name: Name;
  readonly template?: Name;
  readonly fallback?: Name;
  readonly fields: readonly { readonly name: Name; readonly value: ExpressionAst }[];
}

export interface SourceAst extends Node {
  readonly connector: Name;
  readonly template: Name;
  readonly when?: Name;
  readonly flow: Name;
  readonly event?: Name;
  readonly fields: readonly { readonly name: Name; readonly value: SourceValueAst }[];
}

export type SourceValueAst = Node &
  (
    | { readonly kind: "property"; readonly path: readonly Name[] }
    | {
        readonly kind: "control";
        readonly id: Name;
        /** `in yuan`. */
        readonly unit?: Name;
        /** `one of { "差旅": travel, else: other }`. */
        readonly options?: readonly { readonly text: Name | "else"; readonly member: Name }[];
      }
    | {
        readonly kind: "table";
        readonly id: Name;
        readonly columns: readonly { readonly name: Name; readonly value: SourceValueAst }[];
      }
  );

export type ExpressionAst = Node &
  (
    | { readonly kind: "bool"; readonly value: boolean }
    /** Without `_`. */
    | { readonly kind: "number"; readonly text: string }
    | { readonly kind: "percent"; readonly text: string }
    | { readonly kind: "text"; readonly value: string }
    | { readonly kind: "date" | "time" | "datetime"; readonly text: string }
    | { readonly kind: "duration"; readonly duration: DurationAst }
    | { readonly kind: "name"; readonly name: Name }
    | { readonly kind: "list"; readonly items: readonly ExpressionAst[] }
    /** `[a, b)`, `(0, ..)`. Only after `in`. `[a, b]` with two items parses as a list; the checker reads it. */
    | {
        readonly kind: "interval";
        readonly low?: ExpressionAst;
        readonly high?: ExpressionAst;
        readonly lowIncluded: boolean;
        readonly highIncluded: boolean;
      }
    | { readonly kind: "record"; readonly fields: readonly { readonly name: Name; readonly value: ExpressionAst }[] }
    | { readonly kind: "member"; readonly of: ExpressionAst; readonly name: Name }
    | { readonly kind: "call"; readonly name: Name; readonly arguments: readonly ExpressionAst[] }
    /** A call that can only be of people, `managerOf(initiator, level 2)`: as an argument of actions, say. */
    | { readonly kind: "people"; readonly people: PeopleAst }
    | { readonly kind: "not" | "negate"; readonly of: ExpressionAst }
    | {
        readonly kind: "binary";
        readonly operator: BinaryOperatorAst;
        readonly left: ExpressionAst;
        readonly right: ExpressionAst;
      }
    | { readonly kind: "is-set"; readonly of: ExpressionAst }
    | {
        readonly kind: "if";
        readonly condition: ExpressionAst;
        readonly then: ExpressionAst;
        readonly else: ExpressionAst;
      }
    | {
        readonly kind: "quantifier";
        readonly quantifier: "any" | "all";
        readonly list: ExpressionAst;
        readonly where: ExpressionAst;
      }
  );

export type BinaryOperatorAst = "+" | "-" | "*" | "/" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or" | "in";

/**
 * A `test` block. Statements are parsed to the shape of test-block.ts but for the conditions in `expect`, which stay
 * expressions until the flow is known.
 */
export interface TestAst extends Node {
  readonly name: Name;
  readonly flow: Name;
  readonly label?: Name;
  readonly startsAt?: string;
  readonly statements: readonly TestStatementAst[];
}

export type TestStatementAst = Node & {
  /** As written. */
  readonly text: string;
  readonly on?: Name;
  readonly body:
    | { readonly kind: "condition"; readonly condition: ExpressionAst }
    /** Everything else is complete after parsing. */
    | { readonly kind: "complete"; readonly statement: StatementBody };
};
