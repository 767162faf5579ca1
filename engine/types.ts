import type { Data, Definition, Outcome, Value } from "../dsl/index.ts";

/** Milliseconds since 1970-01-01T00:00Z. */
export type EpochMs = number;

/** Anything that JSON can hold. */
export type Json = boolean | number | string | null | readonly Json[] | { readonly [name: string]: Json };

/** Who started an instance, as known at that moment. */
export interface Person {
  readonly id: string;
  readonly name?: string;
  readonly org?: string;
  readonly tags?: readonly string[];
}

// ---------------------------------------------------------------------------------------------------------------- //
// Commands
// ---------------------------------------------------------------------------------------------------------------- //

interface CommandBase {
  /** Unique per instance and source; a repetition is answered with the first answer. */
  readonly id: string;
  /** The caller or the CloudEvents source. */
  readonly source: string;
  /** Digest of the command's body; the same id with another digest is refused (`id-reused`). */
  readonly digest: string;
  /** The user who acts; absent for timers, services and machines. */
  readonly actor?: string;
}

/** Payloads come as JSON from outside and are read against the flow's types while deciding. */
export type Payload = Readonly<Record<string, unknown>>;

export type Command = CommandBase &
  (
    | {
        readonly kind: "start";
        readonly tenant: string;
        readonly instance: string;
        readonly key: string;
        readonly initiator: Person;
        readonly data: Payload;
        /** A start with an event is one command: if the event is refused, no instance exists. */
        readonly event?: string;
        /** The event's payload; fields of the flow may be in `data` or here. */
        readonly payload?: Payload;
        readonly tag?: string;
      }
    | { readonly kind: "event"; readonly event: string; readonly payload: Payload }
    | {
        readonly kind: "decide";
        /** Absent: the actor's open task in the instance. */
        readonly task?: string;
        readonly decision: "approve" | "reject" | "abstain";
        readonly reason?: string;
        readonly payload?: Payload;
        /** Picks for `chosen(FIELD)` of the next stage. */
        readonly choose?: Payload;
      }
    | {
        readonly kind: "return";
        readonly task?: string;
        readonly to:
          | { readonly kind: "initiator" }
          | { readonly kind: "state"; readonly state: string }
          /** From 1, as people count: `returns to stage 1`. */
          | { readonly kind: "stage"; readonly stage: number };
        readonly reason?: string;
      }
    | { readonly kind: "transfer"; readonly task?: string; readonly to: string; readonly reason?: string }
    | { readonly kind: "withdraw"; readonly reason?: string }
    /** A timer of {@link Instance.timers} fired. A timer that is gone is refused; the other command was first. */
    | { readonly kind: "timer"; readonly timer: string }
    /** What became of an effect, for the history: a rendered document, a failed action. Possible in every state. */
    | { readonly kind: "report"; readonly effect: string; readonly report: EffectReport }
    /** A later status of the outside form; `withdraw` as if the initiator withdrew, whatever the stage allows. */
    | { readonly kind: "signal"; readonly status: string; readonly withdraw: boolean }
  );

export type EffectReport =
  | {
      readonly kind: "rendered";
      readonly document: string;
      readonly template: string;
      readonly templateHash: string;
      /** Of the file's bytes. */
      readonly sha256: string;
      readonly bytes: number;
      /** The document's fallback was rendered because this went wrong. */
      readonly fallbackBecause?: string;
    }
  | { readonly kind: "failed"; readonly what: string; readonly reason: string };

// ---------------------------------------------------------------------------------------------------------------- //
// Instance
// ---------------------------------------------------------------------------------------------------------------- //

export type TaskStatus =
  | "open"
  | "approved"
  | "rejected"
  | "returned"
  | "abstained"
  | "transferred"
  | "superseded"
  | "cancelled"
  | "expired";

export interface Task {
  /** `INSTANCE-N`. */
  readonly id: string;
  readonly assignee: string;
  readonly status: TaskStatus;
  readonly state: string;
  readonly stage: number;
  readonly openedAt: EpochMs;
  readonly dueAt?: EpochMs;
  readonly closedAt?: EpochMs;
  /** For `superseded`: who was first. */
  readonly closedBy?: string;
}

export type SeatStatus =
  | "waiting"
  | "open"
  | "approved"
  | "rejected"
  | "returned"
  | "abstained"
  | "superseded"
  | "cancelled";

/** A place in a round. It has one open task at a time; a transfer moves the seat to another person. */
export interface Seat {
  readonly person: string;
  readonly status: SeatStatus;
  /** The seat's newest task, if it ever had one. */
  readonly task?: Task;
  readonly decidedAt?: EpochMs;
  readonly reason?: string;
  /** Decided by a rule, not by a person: which. */
  readonly auto?: string;
  readonly reminders: number;
}

/** Entering a stage opens a round, which fixes its seats. */
export interface Round {
  readonly state: string;
  /** From 0. */
  readonly stage: number;
  /** From 1, counted per stage over the whole instance. */
  readonly number: number;
  readonly openedAt: EpochMs;
  readonly seats: readonly Seat[];
  /** Nobody was found and `onEmpty: hold` applies. */
  readonly held?: string;
  /** `onEmpty: assign` put other people in; they decide by `any`, whatever the stage's mode is. */
  readonly assigned?: true;
  readonly result?: "approved" | "rejected" | "returned" | "skipped" | "cancelled";
  readonly closedAt?: EpochMs;
}

export type TimerPurpose =
  /** `after` and `at` lines: the event for the machine. */
  | { readonly kind: "line"; readonly event: string }
  | { readonly kind: "remind"; readonly seat: number }
  /** Step of the overdue list, and the pass (0 is the first). A step at the deadline itself also marks the task overdue. */
  | { readonly kind: "overdue"; readonly seat: number; readonly step: number; readonly pass: number }
  /** The deadline itself, where no overdue step stands at it: marks the task overdue. */
  | { readonly kind: "due"; readonly seat: number };

export interface Timer {
  /** Unique in the instance, never reused. */
  readonly id: string;
  readonly dueAt: EpochMs;
  readonly purpose: TimerPurpose;
}

export interface RecentCommand {
  readonly source: string;
  readonly id: string;
  readonly digest: string;
  /** {@link Instance.version} after it. */
  readonly version: number;
}

/** One running approval. A value: deciding makes a new one. Plain JSON, so that it can be stored as it is. */
export interface Instance {
  readonly tenant: string;
  readonly id: string;
  readonly flow: string;
  readonly key: string;
  /** {@link Definition.hash}; it stays on the version it started with. */
  readonly definition: string;
  readonly label?: string;
  readonly tag?: string;
  readonly initiator: Person;
  readonly state: string;
  /** Name of the final state reached. */
  readonly outcome?: string;
  readonly data: Data;
  /** Number of accepted commands. */
  readonly version: number;
  readonly startedAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly enteredAt: EpochMs;
  /** States passed since the beginning or since the last return behind them, the current one last. */
  readonly path: readonly string[];
  /** The newest round of the current state. */
  readonly round?: Round;
  /** Rounds opened so far by `STATE/STAGE`. */
  readonly rounds: Readonly<Record<string, number>>;
  /** The newest closed task of each person, for honest refusals. */
  readonly closedTasks: Readonly<Record<string, Task>>;
  readonly timers: readonly Timer[];
  /** Numbers handed out so far; never reused. */
  readonly counters: { readonly task: number; readonly timer: number };
  /** Somebody decided since the instance left `initial` last. */
  readonly touched: boolean;
  /** Rendered documents by name, newest. */
  readonly documents: Readonly<
    Record<string, { readonly sha256: string; readonly bytes: number; readonly template: string }>
  >;
  /** People who got a copy already. */
  readonly copied: readonly string[];
  /** Effects that cannot be undone, with the position in `path` of the state they were begun in. */
  readonly irrevocable: readonly { readonly what: string; readonly at: number }[];
  /** The newest 64 accepted commands, oldest first. */
  readonly recent: readonly RecentCommand[];
}

// ---------------------------------------------------------------------------------------------------------------- //
// Decisions
// ---------------------------------------------------------------------------------------------------------------- //

export type RefusalCode =
  | "not-possible-in-state"
  | "condition-failed"
  | "check-failed"
  | "not-your-task"
  | "task-closed"
  | "superseded"
  | "not-allowed"
  | "reason-required"
  | "signature-required"
  | "choice-required"
  | "unknown-event"
  | "unknown-field"
  | "missing-field"
  | "wrong-type"
  | "unknown-user"
  | "same-person"
  | "self-approval"
  | "already-seated"
  | "below-threshold"
  | "no-such-target"
  | "too-many-returns"
  | "effects-delivered"
  | "too-often"
  | "suspended"
  | "finished"
  | "version-conflict"
  | "not-authorized"
  | "tenant-mismatch"
  | "function-failed"
  | "id-reused";

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
}

/** A question that only the world can answer. Two questions with the same key have one answer within a decision. */
export interface Question {
  /** Canonical: `KIND:NAME(JSON of arguments)`. */
  readonly key: string;
  /**
   * `people`: `group`, `role`, `dept`, `position`, `headOf` with one text; `managerOf` with a user (answers at most one);
   * `managersOf` with a user (answers the whole chain, nearest first); `user` with an id (answers it if it exists); or a people function.
   */
  readonly kind: "people" | "guard" | "check" | "value";
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
  readonly at: EpochMs;
}

export type Answer =
  | { readonly people: readonly string[] }
  /** Of a guard or check. */
  | { readonly ok: boolean; readonly reason?: string }
  /** In the form that values take on the way in. */
  | { readonly value: Json }
  | { readonly failed: string; readonly retryable: boolean };

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

/** Everything `decide` reads, spelled out; see decide.ts. */
export type Decide = (
  definition: Definition,
  instance: Instance | undefined,
  command: Command,
  at: EpochMs,
  answers: Answers,
) => Decision;

// ---------------------------------------------------------------------------------------------------------------- //
// Effects
// ---------------------------------------------------------------------------------------------------------------- //

/** An event for `assent.out.TENANT.FLOW.EVENT`. */
export interface OutEvent {
  /** Becomes the CloudEvents id and `Nats-Msg-Id`; derived, so that a replay repeats it. */
  readonly id: string;
  /** `onApproved`, `instance.moved`, `task.opened` … */
  readonly event: string;
  readonly data: Json;
}

interface EffectBase {
  /** `INSTANCE:VERSION:INDEX`: never changes, becomes `Idempotency-Key` and `Nats-Msg-Id`. */
  readonly id: string;
  /** Of the command that caused it (W3C Trace Context), where it had one. Put on by the runtime. */
  readonly traceparent?: string;
}

export type Effect = EffectBase &
  /** All events of one decision, in order. */
  (
    | { readonly kind: "publish"; readonly events: readonly OutEvent[] }
    | {
        readonly kind: "notify";
        readonly to: readonly string[];
        readonly copy: boolean;
        readonly about: NotificationAbout;
      }
    /** `data`: by field name, already presented for people (money `1,280.50`, dates `2026年10月1日`), lists of records for loops. */
    | {
        readonly kind: "render";
        readonly document: string;
        readonly template: string;
        readonly fallback?: string;
        readonly data: DocumentData;
      }
    | {
        readonly kind: "call";
        readonly function: string;
        readonly arguments: readonly Json[];
        readonly context: QuestionContext;
      }
    /** `routes`: the event, for a service that serves none of the transition's functions. */
    | {
        readonly kind: "deliver";
        readonly target: Definition["routes"][number]["targets"][number];
        readonly event: string;
        readonly data: Json;
        /** Functions of the transition: a target that serves one of them is asked for it instead of getting the event. */
        readonly functions: readonly string[];
      }
    | {
        readonly kind: "start";
        readonly flow: string;
        readonly key: string;
        readonly initiator: Person;
        readonly data: { readonly [field: string]: Json };
      }
  );

export type NotificationAbout =
  | { readonly kind: "task"; readonly task: string; readonly what: "opened" | "reminded" | "escalated" }
  | { readonly kind: "moved"; readonly from: string; readonly to: string }
  | { readonly kind: "held"; readonly state: string; readonly reason: string };

export type DocumentValue = string | boolean | readonly DocumentData[];
export interface DocumentData {
  readonly [name: string]: DocumentValue;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Story
// ---------------------------------------------------------------------------------------------------------------- //

/** One line of history, for people and programs; `tell` makes a sentence of it. Never holds a secret. */
export type StoryLine =
  | { readonly kind: "started"; readonly by: string; readonly key: string }
  | { readonly kind: "event"; readonly event: string; readonly by?: string }
  | { readonly kind: "changed"; readonly fields: readonly string[]; readonly by?: string }
  /** `line`: index in {@link Definition.transitions}, absent for a move that no line wrote (a return to a state). */
  | { readonly kind: "moved"; readonly from: string; readonly to: string; readonly line?: number; readonly why: string }
  /** A timer or a signal changed nothing: no line applied, or what it would have done was refused. */
  | { readonly kind: "not-moved"; readonly what: string; readonly why: string }
  | { readonly kind: "checked"; readonly function: string; readonly ok: boolean; readonly reason?: string }
  | {
      readonly kind: "round-opened";
      readonly state: string;
      readonly stage: number;
      readonly round: number;
      readonly seats: readonly string[];
    }
  | {
      readonly kind: "round-closed";
      readonly state: string;
      readonly stage: number;
      readonly round: number;
      readonly result: string;
      /** Closed by a rule, not by a decision: which. */
      readonly auto?: string;
    }
  | { readonly kind: "task-opened"; readonly task: string; readonly assignee: string; readonly dueAt?: EpochMs }
  | {
      readonly kind: "decided";
      readonly task: string;
      readonly by: string;
      readonly decision: "approved" | "rejected" | "abstained" | "returned";
      readonly reason?: string;
      /** Decided by a rule as `system`: which. */
      readonly auto?: string;
    }
  | {
      readonly kind: "transferred";
      readonly task: string;
      readonly from: string;
      readonly to: string;
      readonly reason?: string;
    }
  | { readonly kind: "escalated"; readonly from: string; readonly to: readonly string[] }
  | { readonly kind: "reminded"; readonly task: string; readonly assignee: string }
  | { readonly kind: "overdue"; readonly task: string; readonly assignee: string }
  | { readonly kind: "withdrawn"; readonly by: string; readonly reason?: string }
  | { readonly kind: "skipped"; readonly state: string; readonly stage: number; readonly why: string }
  | { readonly kind: "held"; readonly state: string; readonly stage: number; readonly why: string }
  | { readonly kind: "emitted"; readonly event: string; readonly id: string }
  | { readonly kind: "notified"; readonly to: readonly string[]; readonly copy: boolean }
  | { readonly kind: "rendering"; readonly document: string }
  | {
      readonly kind: "rendered";
      readonly document: string;
      readonly template: string;
      readonly templateHash: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly fallbackBecause?: string;
    }
  | { readonly kind: "calling"; readonly function: string; readonly arguments: readonly Json[] }
  | { readonly kind: "delivering"; readonly event: string; readonly target: string }
  | { readonly kind: "starting"; readonly flow: string; readonly key: string }
  | { readonly kind: "effect-failed"; readonly what: string; readonly reason: string }
  | { readonly kind: "signal"; readonly status: string }
  | { readonly kind: "finished"; readonly outcome: string };

export type { Data, Definition, Outcome, Value };
