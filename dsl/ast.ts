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
  readonly flows: readonly FlowAst[];
  readonly documents: readonly DocumentAst[];
  readonly sources: readonly SourceAst[];
  readonly tests: readonly TestAst[];
}

export interface FlowAst extends Node {
  readonly name: Name;
  /** `title`, `label`, `currency`: string items. */
  readonly settings: readonly { readonly key: Name; readonly value: Name }[];
  readonly fields: readonly FieldAst[];
  readonly events: readonly EventAst[];
  readonly people: readonly { readonly name: Name; readonly people: PeopleAst }[];
  readonly initial?: Name;
  readonly states: readonly Name[];
  /** Where `states` stands; absent when it is missing. */
  readonly statesSpan?: Span;
  readonly final?: readonly Name[];
  readonly stateBlocks: readonly StateBlockAst[];
  readonly transitions: readonly TransitionAst[];
  readonly routes: readonly RouteAst[];
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
  readonly payload: readonly { readonly name: Name; readonly type?: TypeAst; readonly optional: boolean }[];
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

export interface StateBlockAst extends Node {
  readonly name: Name;
  readonly approval?: ApprovalAst;
}

export interface ApprovalAst extends Node {
  readonly stages: readonly StageAst[];
  readonly options: readonly OptionAst[];
}

export interface StageAst extends Node {
  readonly people: PeopleAst;
  /** Absent: any. */
  readonly mode?: ModeAst;
}

export type ModeAst = Node &
  (
    | { readonly kind: "any" | "all" | "sequence" }
    | { readonly kind: "count"; readonly count: number }
    | { readonly kind: "ratio"; readonly part: number; readonly of: number }
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
    /** `withdraw untouched` is one entry with `qualifier`. */
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
