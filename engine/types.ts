import type { Data, Definition, Outcome, RefusalCode, Value } from "../dsl/index.ts";
import type { EpochMs, Json, Person } from "./basic-types.ts";
import type { Command } from "./commands.ts";
import type { Effect } from "./effects.ts";
import type { Instance, Task } from "./instance.ts";
import type { StoryLine } from "./story-lines.ts";

export type { RefusalCode };

/** Engine says no: nothing changed, the command's id is not kept. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: RefusalCode;
  /** What, why, what to do; user input in backticks, no secrets. */
  readonly message: string;
  /** What a program may want: the state, the failed conditions, the winner's name. */
  readonly details?: { readonly [name: string]: Json };
  /** Faults of the payload, field by field. */
  readonly fields?: readonly { readonly field: string; readonly code: RefusalCode; readonly message: string }[];
  /** `function-failed` that may go better later. */
  readonly retryable?: boolean;
  /** Sooner is in vain, as far as is known. */
  readonly retryAfterMs?: number;
}

/** A question that only the world can answer. Two questions with the same key have one answer within a decision. */
export interface Question {
  /** Canonical: `KIND:NAME(JSON of arguments)`. */
  readonly key: string;
  /**
   * `people`: `group`, `role`, `dept`, `position`, `headOf` with one text; `managerOf` with a user (answers at most one);
   * `managersOf` with a user (answers the whole chain, nearest first); `user` with an id (answers it if it exists); or a people function.
   * `absences`: of these users, who is away or has left. `flow`: the current version of that flow, or, with a label as
   * its argument, that one; `name` is the flow's.
   */
  readonly kind: "people" | "guard" | "check" | "value" | "absences" | "flow";
  readonly name: string;
  readonly arguments: readonly Json[];
  /** What the instance knows, for functions; secrets are left out. */
  readonly context: QuestionContext;
}

export interface QuestionContext {
  readonly tenant: string;
  readonly flow: string;
  readonly instance: string;
  readonly key: string;
  readonly state: string;
  readonly event?: string;
  readonly actor?: string;
  readonly initiator: Person;
  readonly data: { readonly [field: string]: Json };
  /** Service names that the event's `routes` name. */
  readonly services: readonly string[];
  /** Labels of services that they name, where they do. */
  readonly selectors?: readonly { readonly [label: string]: string }[];
  readonly at: EpochMs;
}

/** `by`: who answered, and in which version, as the history names it: `functions.ts 3f2ac1d09be1a877`. */
export type Answer = { readonly by?: string } & (
  | { readonly people: readonly string[] }
  /** Of a guard or check. */
  | { readonly ok: boolean; readonly reason?: string }
  /** In the form that values take on the way in. */
  | { readonly value: Json }
  /** By user; nothing for those who are there. */
  | { readonly absences: Readonly<Record<string, Absence>> }
  /** {@link Definition.hash}. */
  | { readonly definition: string }
  /** `retryAfterMs`: sooner is in vain. */
  | { readonly failed: string; readonly retryable: boolean; readonly retryAfterMs?: number }
);

/** What the directory knows of a user who may not be there. */
export interface Absence {
  /** Left for good; the successor gets what would be his. */
  readonly left?: { readonly successor?: string };
  /** Both days included, `YYYY-MM-DD`. */
  readonly away?: readonly { readonly from: string; readonly to: string; readonly deputy?: string }[];
}

/** Finds the answer to a question, or `undefined` if it is not known yet. Must be pure while one decision lasts. */
export type Answers = (question: Question) => Answer | undefined;

export interface Needs {
  readonly kind: "needs";
  readonly questions: readonly Question[];
}

/** The command was accepted before. */
export interface Duplicate {
  readonly kind: "duplicate";
  /** {@link Instance.version} after the first acceptance. */
  readonly version: number;
}

export interface Accepted {
  readonly kind: "accepted";
  readonly instance: Instance;
  readonly story: readonly StoryLine[];
  readonly effects: readonly Effect[];
  /** Tasks that opened, moved or closed by this command, in their new form. */
  readonly tasks: readonly Task[];
  /** The answers that were used, by question key; with them the decision replays. */
  readonly answers: Readonly<Record<string, Answer>>;
}

export type Decision = Accepted | Refusal | Needs | Duplicate;

/** Everything `decide` reads, spelled out; see decide.ts. `definition`: that of {@link FlowPlace.definition}. */
export type Decide = (
  definition: Definition,
  instance: Instance | undefined,
  command: Command,
  at: EpochMs,
  answers: Answers,
  definitions?: Definitions,
) => Decision;

/** Finds a definition by its hash, for sub-flows; must be pure. */
export type Definitions = (hash: string) => Definition | undefined;

export type * from "./basic-types.ts";
export type * from "./commands.ts";
export type * from "./effects.ts";
export type * from "./instance.ts";
export type * from "./story-lines.ts";
export type { Data, Definition, Outcome, Value };
