import type { Expression, Term } from "./definition.ts";
import type { Span } from "./diagnostic.ts";

/** A literal as written, not yet fitted to a type: whether it fits is judged when it is sent. */
export type Literal =
  | { readonly kind: "bool"; readonly value: boolean }
  /** Digits without `_`; `percent` for `60%`. */
  | { readonly kind: "number"; readonly text: string; readonly percent?: boolean }
  | { readonly kind: "text"; readonly value: string }
  /** A bare name: an enum member. */
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "date" | "datetime" | "time"; readonly text: string }
  | { readonly kind: "duration"; readonly ms: number }
  | { readonly kind: "list"; readonly items: readonly Literal[] }
  | { readonly kind: "record"; readonly fields: readonly { readonly name: string; readonly value: Literal }[] };

export type LiteralRecord = readonly { readonly name: string; readonly value: Literal }[];

/** What a `given` says of the simulated world. */
export type Fact =
  /** `managerOf("bob") = "carol"`, `managersOf("bob") = [..]`, `group("finance") = [..]`, `users …`. */
  | { readonly kind: "people"; readonly name: string; readonly argument: string; readonly people: readonly string[] }
  /** `users "a", "b"`, also as a list: people who are known, with nothing else to say about them. */
  | { readonly kind: "users"; readonly people: readonly string[] }
  /** `away "bob" from 2026-01-05 to 2026-01-09 deputy "dan"`. Both days included. */
  | {
      readonly kind: "away";
      readonly user: string;
      readonly from: string;
      readonly to: string;
      readonly deputy?: string;
    }
  /** `left "eve" handover "finn"`. */
  | { readonly kind: "left"; readonly user: string; readonly successor?: string }
  /** `checkBudget(80_000, travel) = yes`, `checkBudget = no "over budget"`, `scoreOf = 0.7`. */
  | {
      readonly kind: "answer";
      readonly name: string;
      readonly arguments?: readonly Literal[];
      readonly answer: { readonly ok: boolean; readonly reason?: string } | { readonly value: Literal };
    }
  /** `archive fails 2 times` (absent: always), `archive takes 30s`. */
  | { readonly kind: "fails"; readonly name: string; readonly times?: number }
  | { readonly kind: "takes"; readonly name: string; readonly ms: number };

/** Who is waited for. */
export type Waiting =
  | { readonly kind: "user"; readonly id: string }
  | { readonly kind: "group"; readonly name: string };

export type SeatStatus =
  | "approved"
  | "rejected"
  | "returned"
  | "abstained"
  | "handled"
  | "transferred"
  | "superseded"
  | "cancelled"
  | "expired"
  | "open"
  | "waiting";

export type Expectation =
  /** `expect legal.REVIEW` has a branch. */
  | {
      readonly kind: "state";
      readonly branch?: string;
      readonly state: string;
      readonly waiting?: readonly Waiting[];
    }
  /** Empty: nobody. */
  | { readonly kind: "waiting"; readonly waiting: readonly Waiting[] }
  | { readonly kind: "condition"; readonly condition: Expression }
  | { readonly kind: "emitted"; readonly event: string; readonly times?: number; readonly not: boolean }
  | {
      /** `undone`: the undo of a saga's step was carried out. */
      readonly kind: "called" | "undone";
      readonly name: string;
      readonly arguments?: readonly Literal[];
      readonly times?: number;
      readonly not: boolean;
    }
  | { readonly kind: "notified"; readonly user: string; readonly times?: number; readonly not: boolean }
  | {
      readonly kind: "rendered";
      readonly document: string;
      readonly containing?: string;
      readonly times?: number;
      readonly not: boolean;
    }
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "escalated"; readonly times?: number; readonly not: boolean; readonly in?: string }
  | { readonly kind: "reminded"; readonly times?: number; readonly not: boolean; readonly in?: string }
  | { readonly kind: "round"; readonly round: number; readonly in?: string }
  | { readonly kind: "seat"; readonly user: string; readonly status: SeatStatus; readonly in?: string }
  | { readonly kind: "history"; readonly containing: string; readonly not: boolean }
  | { readonly kind: "nothing-open" };

/** What all statements that are commands may carry. */
export interface CommandClauses {
  readonly id?: string;
  readonly because?: string;
}

/** What statements about somebody's task may carry. */
export interface TaskClauses extends CommandClauses {
  /** `in BRANCH`: which task is meant. */
  readonly in?: string;
  readonly onBehalfOf?: string;
}

export type AdminOperation =
  | { readonly kind: "suspend" | "resume" | "void" }
  /** `jumps to STATE`, `jumps to BRANCH.STATE`. */
  | { readonly kind: "jump"; readonly branch?: string; readonly state: string }
  | { readonly kind: "override"; readonly decision: "approve" | "reject" }
  | { readonly kind: "remove"; readonly person: string }
  | { readonly kind: "set-saga"; readonly step: string; readonly arguments: LiteralRecord }
  | { readonly kind: "hand-over"; readonly from: string; readonly to: string };

export type StatementBody =
  | {
      readonly kind: "as";
      readonly user: string;
      readonly org?: string;
      readonly tags?: readonly string[];
      readonly facts: readonly Fact[];
    }
  | { readonly kind: "given"; readonly fact: Fact }
  | ({
      readonly kind: "start";
      readonly alias?: string;
      readonly fields: LiteralRecord;
      readonly key?: string;
    } & CommandClauses)
  | ({
      readonly kind: "send";
      readonly event: string;
      readonly payload: LiteralRecord;
      readonly by?: string;
    } & CommandClauses)
  | ({
      readonly kind: "decide";
      readonly user: string;
      readonly decision: "approve" | "reject" | "abstain" | "withdraw" | "handle" | "claim" | "release" | "takeBack";
      readonly setting?: LiteralRecord;
      readonly signing: boolean;
    } & TaskClauses)
  | ({
      readonly kind: "return";
      readonly user: string;
      readonly to:
        | { readonly kind: "initiator" }
        | { readonly kind: "state"; readonly state: string }
        | { readonly kind: "stage"; readonly stage: number };
      readonly signing?: true;
    } & TaskClauses)
  | ({ readonly kind: "transfer" | "delegate"; readonly user: string; readonly to: string } & TaskClauses)
  /** `adds before "v", "w" all advisory`. */
  | ({
      readonly kind: "add";
      readonly user: string;
      readonly where: "before" | "after" | "beside";
      readonly people: readonly string[];
      readonly all: boolean;
      readonly advisory: boolean;
      /** One who adds after approves, and signs where that is asked for. */
      readonly signing?: true;
    } & TaskClauses)
  | ({ readonly kind: "remove"; readonly user: string; readonly person: string } & TaskClauses)
  | ({ readonly kind: "urge"; readonly user: string } & TaskClauses)
  | ({ readonly kind: "comment"; readonly user: string; readonly message: string } & TaskClauses)
  | ({ readonly kind: "ask"; readonly user: string; readonly to: string; readonly message: string } & TaskClauses)
  | ({ readonly kind: "admin"; readonly operation: AdminOperation } & TaskClauses)
  /** `migrate to label "3.0"`. */
  | ({ readonly kind: "migrate"; readonly label: string } & CommandClauses)
  /** `3 workdays` in the flow's calendar. */
  | { readonly kind: "advance"; readonly term: Term }
  /** Local time `YYYY-MM-DDTHH:MM[:SS]` (+08:00 unless an offset is written) or a date. */
  | { readonly kind: "advance-to"; readonly to: string }
  | { readonly kind: "expect"; readonly expectation: Expectation };

export type Statement = StatementBody & {
  readonly span: Span;
  /** The statement as written, for the report. */
  readonly text: string;
  /** `on second: …`: which of the started instances; absent: the first. */
  readonly on?: string;
};

/** A `test "…" of "flow" { … }` block, ready to run. */
export interface TestBlock {
  readonly name: string;
  readonly flow: string;
  readonly label?: string;
  readonly file: string;
  readonly span: Span;
  /** 1-based line of the block. */
  readonly line: number;
  /** `at 2026-10-09T17:30` as the first line; else 2026-01-05T09:00+08:00. */
  readonly startsAt?: string;
  readonly statements: readonly Statement[];
}
