import type { Approval, Data, SagaDefinition } from "../dsl/index.ts";
import type { EpochMs, Json, Person } from "./basic-types.ts";

/** `waiting`: not its person's turn, because people added before or a delegate decide first. */
export type TaskStatus =
  | "open"
  | "waiting"
  | "approved"
  | "rejected"
  | "returned"
  | "abstained"
  | "handled"
  | "transferred"
  | "superseded"
  | "cancelled"
  | "expired";

export interface Task {
  /** `INSTANCE-N`. */
  readonly id: string;
  /** Empty as long as nobody has claimed a shared task. */
  readonly assignee: string;
  /** Of a shared task (认领): who may claim it. */
  readonly candidates?: readonly string[];
  /** The absent person for whom the assignee is the deputy. */
  readonly onBehalfOf?: string;
  readonly status: TaskStatus;
  readonly state: string;
  readonly stage: number;
  /** {@link PlaceAddress} of a task in a branch or a sub-flow. */
  readonly place?: string;
  /** Of a sub-flow's task: its flow. */
  readonly flow?: string;
  /** Why there is a task that is nobody's seat: added by another, asked for an opinion, or a saga is stuck. */
  readonly as?: HangingKind | "stuck";
  readonly openedAt: EpochMs;
  readonly dueAt?: EpochMs;
  readonly closedAt?: EpochMs;
  /** For `superseded`: who was first. */
  readonly closedBy?: string;
}

export type SeatStatus = Exclude<TaskStatus, "transferred">;

/** 前加签, 前加签 for advice only, 后加签, 委派. */
export type HangingKind = "before" | "advice" | "after" | "delegate";

/**
 * A place in a round. It has one open task at a time; a transfer moves the seat to another person. People who were added
 * before or after somebody, and delegates, have seats that hang on that person's: they don't count by themselves.
 */
export interface Seat {
  /** The present holder; empty as long as nobody has claimed it. */
  readonly person: string;
  readonly status: SeatStatus;
  /** The seat's newest task, if it ever had one. */
  readonly task?: Task;
  /** Of a shared seat: who may claim it. */
  readonly candidates?: readonly string[];
  /** The absent person whose seat it would be. */
  readonly onBehalfOf?: string;
  /** The groups of the stage in which it counts; absent: in the only one, with weight 1. */
  readonly counts?: readonly Membership[];
  /** Its rejection ends the stage. */
  readonly veto?: true;
  readonly hangs?: Hanging;
  /**
   * Where it hangs too: seats of one person that have become one. One that counts in groups hangs by these alone; its
   * decision is that of everybody it stands for.
   */
  readonly alsoHangs?: readonly Hanging[];
  /** Where it hung too until the others there had decided. */
  readonly hungToo?: readonly Hanging[];
  /** The seat whose holder added it, by index, and that person. */
  readonly added?: { readonly by: string; readonly seat: number };
  /** Its person approved and added others after; it counts once they are done. */
  readonly approvedBefore?: true;
  readonly decidedAt?: EpochMs;
  /** `collect: all`: decided when the result was certain already. */
  readonly late?: true;
  readonly reason?: string;
  readonly signature?: string;
  /** Decided by a rule, not by a person: which. */
  readonly auto?: string;
  readonly reminders: number;
}

export interface Membership {
  /** Index in {@link PeopleStage.groups}. */
  readonly group: number;
  /** Exact decimal; absent: 1. */
  readonly weight?: string;
}

export interface Hanging {
  /** Index of the seat it hangs on. */
  readonly on: number;
  readonly as: HangingKind;
  /** Index of the first of those who were added together. */
  readonly batch: number;
  /** Everybody of those added together must agree; absent: the first decision counts. */
  readonly all?: true;
}

export type RoundResult = "approved" | "rejected" | "done" | "returned" | "skipped" | "cancelled";

/** Entering a stage opens a round, which fixes its seats. */
export interface Round {
  readonly state: string;
  /** From 0. */
  readonly stage: number;
  /** From 1, counted per stage over the whole instance. */
  readonly number: number;
  readonly openedAt: EpochMs;
  readonly seats: readonly Seat[];
  /** What is special about a group of the stage, by its index. */
  readonly groups?: Readonly<Record<number, GroupMark>>;
  /** Rows of the matrices in the state's chain, in their order; looked up when the state was entered. */
  readonly rows?: readonly number[];
  /** What it goes by to its end, where the version that the instance has moved to since has another. */
  readonly approval?: Approval;
  /** `collect: all`: the result that is certain already, and who made it so. */
  readonly certain?: { readonly result: "approved" | "rejected"; readonly by: string };
  readonly result?: RoundResult;
  /** An administrator gave it that result. */
  readonly overridden?: true;
  readonly closedAt?: EpochMs;
}

/** What is needed to open a round again that had passed. */
export interface PassedRound extends Pick<Place, "path" | "enteredAt" | "remembered"> {
  readonly round: Round;
  /** Timers of the state's lines, as they stood. */
  readonly timers: readonly Timer[];
  /** Decisions of people downstream that still stand. */
  readonly after: number;
}

/** What is needed to enter a state again whose branches have joined, or whose sub-flow has ended, as it stood then. */
export interface PassedInside
  extends Omit<PassedRound, "round">,
    Pick<Place, "state" | "irrevocable" | "sagas" | "branches" | "child"> {
  readonly inside: true;
}

export interface GroupMark {
  /** Nobody was found and `onEmpty: hold` applies. */
  readonly held?: string;
  /** `onEmpty: assign` put other people in; they decide by `any`, whatever the group's mode is. */
  readonly assigned?: true;
  /** Nobody was found and `onEmpty: skip` applied. */
  readonly skipped?: true;
  /** It has approved, of several: who is added or leaves later does not change that. */
  readonly approved?: true;
}

/**
 * Names a place within the instance: branches by name, sub-flows by number, joined by `/`; the flow's own machine is the
 * empty text. `legal/2/finance` is the branch `finance` of the sub-flow 2 that a state of the branch `legal` runs.
 */
export type PlaceAddress = string;

/** Where a machine stands: the flow's own, or that of a branch. */
export interface Place {
  readonly state: string;
  readonly enteredAt: EpochMs;
  /** States passed since the beginning or since the last return behind them, the current one last. */
  readonly path: readonly string[];
  /** Effects that cannot be undone, with the position in `path` of the state they were begun in. */
  readonly irrevocable: readonly { readonly what: string; readonly at: number }[];
  /** The newest round of the current state. */
  readonly round?: Round;
  /**
   * Where approvals are remembered: the number of the newest round (see {@link Memory.rounds}), of the one that had passed
   * before it opened, and of the newest that passed.
   */
  readonly remembered?: { readonly round: number; readonly before: number; readonly passed: number };
  /** Rounds that passed and whose approvals may still be taken back (拿回), the oldest first. */
  readonly passed?: readonly (PassedRound | PassedInside)[];
  /** In a parallel state: the branches that were entered. */
  readonly branches?: Readonly<Record<string, Place>>;
  /** In a state that runs a saga. */
  readonly saga?: SagaRun;
  /** Sagas that finished in states passed since, the oldest first: who goes back over one has its steps undone. */
  readonly sagas?: readonly LeftSaga[];
  /** In a state that runs a flow. */
  readonly child?: SubFlow;
}

/** A flow that runs: its own place, its data, and what it remembers. */
export interface FlowPlace extends Place {
  /** Of a sub-flow `PARENT/n`. */
  readonly id: string;
  readonly flow: string;
  /** {@link Definition.hash}; it stays on the version it started with. */
  readonly definition: string;
  readonly label?: string;
  /** Name of the final state reached, or `VOIDED`. */
  readonly outcome?: string;
  readonly data: Data;
  /** Decisions since the flow left `initial` last, but those that were taken back. Opinions are none. */
  readonly touched: number;
  /** Only in flows that ask for it. */
  readonly memory?: Memory;
}

/** `run flow`: it lives inside the instance that runs it. */
export type SubFlow = FlowPlace;

/** What later stages want to know of earlier ones. */
export interface Memory {
  /** Counts the rounds that were remembered; names them below. */
  readonly rounds: number;
  /** For `repeated`: each person's approvals since the last return, with what they saw. */
  readonly approvals: readonly RememberedApproval[];
  /** For `different people in [..]`: who decided, by state (`BRANCH.STATE` in a branch). */
  readonly deciders: Readonly<Record<string, readonly string[]>>;
  /** Number of the command that changed a secret field last, by field. */
  readonly secrets?: Readonly<Record<string, number>>;
  /** For `onReturn: resume`: what the people of each approved stage saw, by `stageKey`. */
  readonly passed: Readonly<Record<string, View>>;
  /** After a return that is to resume: stages that keep their approval, and the returner's stage. */
  readonly resume?: { readonly until: string; readonly kept: Readonly<Record<string, View>> };
}

export interface RememberedApproval {
  readonly person: string;
  /** Number of the round, see {@link Memory.rounds}. */
  readonly round: number;
  /** Number of the command that decided, for the history: `because of decision #k`. */
  readonly decision: number;
  readonly view: View;
}

/** What somebody saw: for each field that was visible and set, a digest of its value (of a secret: when it changed last). */
export type View = Readonly<Record<string, string>>;

/** A saga under way, or being undone. */
export interface SagaRun {
  readonly saga: string;
  readonly phase: "running" | "undoing" | "stuck";
  /** Items of {@link SagaDefinition.steps} begun so far, each with the state of its steps. */
  readonly items: readonly (readonly StepRun[])[];
  /** Arguments that an administrator has set for steps to come: by `ITEM/STEP` (from 0), then by field name or position. */
  readonly changed?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Of the people who are asked to do what an undo keeps failing to do; one of them is enough. */
  readonly tasks?: readonly Task[];
  /** What it goes by to its end, where the version that the instance has moved to since has another. */
  readonly definition?: SagaDefinition;
}

export interface StepRun {
  /** `stuck`: its undo has failed for good, and a person has to do it. */
  readonly status: "running" | "retrying" | "done" | "failed" | "undoing" | "undo-retrying" | "stuck" | "undone";
  /** Tries begun of what is under way now: the step, or its undo. */
  readonly tries: number;
  /** Id of the newest try's effect, which its report names. */
  readonly effect: string;
  /** Idempotency key of all its tries: the id of the first one's effect. */
  readonly key: string;
  /** As they were given to the step; secret ones are `null`. */
  readonly arguments: readonly Json[];
  readonly undoArguments: readonly Json[];
  /** A try took too long: it may have been done all the same. */
  readonly timedOut?: true;
}

/** A saga whose state was left. */
export interface LeftSaga {
  readonly run: SagaRun;
  /** Where it ran. */
  readonly state: string;
  readonly place?: PlaceAddress;
  /** Position of that state in the path of the place that keeps the saga. */
  readonly at: number;
  /** Of a sub-flow, which may be gone by then: what undoing asks it for. */
  readonly flow?: SubFlow;
}

/** Sagas that are undone one after the other although their states were left. */
export interface Compensation {
  /** Still to be undone; the first one is at present. */
  readonly sagas: readonly LeftSaga[];
  /** What waits for that. */
  readonly move?: PutOffMove;
}

/** A way back that was decided and is taken once the sagas that lie on it are undone. */
export type PutOffMove = {
  /** The machine that is to move; nothing in its state is open any more. */
  readonly place: PlaceAddress;
  readonly by?: string;
} & (
  | {
      readonly kind: "line";
      /** Where the line stands: here, or in a branch that is gone. */
      readonly from: PlaceAddress;
      /** Where the machines stood from `place` to `from`. */
      readonly states: readonly string[];
      /** Index in {@link Region.transitions}. */
      readonly line: number;
    }
  | { readonly kind: "state"; readonly to: string; readonly why: string }
  /** Of an approval, by its task. */
  | { readonly kind: "take-back"; readonly task: string }
);

export type TimerPurpose =
  /** `after` and `at` lines: the event for the machine. */
  | { readonly kind: "line"; readonly event: string }
  /** `from`: the instant that the next one counts from, where this one waits for the next opening. */
  | { readonly kind: "remind"; readonly seat: number; readonly from?: EpochMs }
  /** Step of the overdue list, and the pass (0 is the first). A step at the deadline itself also marks the task overdue. */
  | { readonly kind: "overdue"; readonly seat: number; readonly step: number; readonly pass: number }
  /** The deadline itself, where no overdue step stands at it: marks the task overdue. */
  | { readonly kind: "due"; readonly seat: number }
  /** The next try of a saga's step or of its undo. */
  | { readonly kind: "retry"; readonly item: number; readonly step: number; readonly effect: string };

export interface Timer {
  /** Unique in the instance, never reused. */
  readonly id: string;
  readonly dueAt: EpochMs;
  readonly purpose: TimerPurpose;
  /** {@link PlaceAddress}; absent: the flow's own machine. */
  readonly place?: PlaceAddress;
  /** Its term counts in working time: it moves by that after a suspension. */
  readonly working?: true;
}

export interface RecentCommand {
  readonly source: string;
  readonly id: string;
  readonly digest: string;
  /** {@link Instance.version} after it. */
  readonly version: number;
}

/** One running approval. A value: deciding makes a new one. Plain JSON, so that it can be stored as it is. */
export interface Instance extends FlowPlace {
  readonly tenant: string;
  readonly key: string;
  readonly tag?: string;
  readonly initiator: Person;
  /** Number of accepted commands. */
  readonly version: number;
  readonly startedAt: EpochMs;
  readonly updatedAt: EpochMs;
  /** Rounds opened so far by `stageKey`. */
  readonly rounds: Readonly<Record<string, number>>;
  /** The newest closed task of each person, for honest refusals. */
  readonly closedTasks: Readonly<Record<string, Task>>;
  readonly timers: readonly Timer[];
  /** Numbers handed out so far; never reused. */
  readonly counters: { readonly task: number; readonly timer: number; readonly child?: number };
  /** Returns so far. */
  readonly returns?: number;
  /** Sagas of states that were left, on their way to being undone. */
  readonly undoing?: readonly Compensation[];
  /** Since when nothing goes on, and the timers that stand still. */
  readonly suspended?: { readonly at: EpochMs; readonly timers: readonly Timer[] };
  readonly urgedAt?: EpochMs;
  /** Rendered documents by name, newest. */
  readonly documents: Readonly<
    Record<string, { readonly sha256: string; readonly bytes: number; readonly template: string }>
  >;
  /** People who got a copy already. */
  readonly copied: readonly string[];
  /**
   * The newest 64 accepted commands, oldest first. The engine alone knows a repetition only among these; whoever stores
   * instances looks up older ones.
   */
  readonly recent: readonly RecentCommand[];
}
