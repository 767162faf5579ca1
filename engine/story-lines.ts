import type { EpochMs, Json } from "./basic-types.ts";
import type { HangingKind, PlaceAddress } from "./instance.ts";

/** What happened in a branch or a sub-flow says where. */
export interface Placed {
  readonly in?: PlaceAddress;
}

export interface OfStage extends Placed {
  readonly state: string;
  /** From 0. */
  readonly stage: number;
}

export interface Reasoned {
  readonly reason?: string;
}

/** One line of history, for people and programs; `tell` makes a sentence of it. Never holds a secret. */
export type StoryLine = FlowLine | StageLine | SeatLine | AdminLine | EffectLine | SagaLine;

export type FlowLine =
  | { readonly kind: "started"; readonly by: string; readonly key: string }
  | { readonly kind: "event"; readonly event: string; readonly by?: string }
  | { readonly kind: "changed"; readonly fields: readonly string[]; readonly by?: string }
  /** `line`: index in {@link Region.transitions}, absent for a move that no line wrote (a return to a state). */
  | (Placed & {
      readonly kind: "moved";
      readonly from: string;
      readonly to: string;
      readonly line?: number;
      readonly why: string;
    })
  /** A timer or a signal changed nothing: no line applied, or what it would have done was refused. */
  | { readonly kind: "not-moved"; readonly what: string; readonly why: string }
  | { readonly kind: "checked"; readonly function: string; readonly ok: boolean; readonly reason?: string }
  | (Placed & { readonly kind: "forked"; readonly state: string; readonly branches: readonly string[] })
  | (Placed & { readonly kind: "child-started"; readonly flow: string; readonly id: string })
  | (Placed & { readonly kind: "child-ended"; readonly id: string; readonly outcome: string })
  | (Reasoned & { readonly kind: "withdrawn"; readonly by: string })
  /** Versions by label, without one by hash. */
  | (Reasoned & { readonly kind: "migrated"; readonly from: string; readonly to: string; readonly by?: string })
  | { readonly kind: "signal"; readonly status: string }
  | (Placed & { readonly kind: "finished"; readonly outcome: string });

export type StageLine =
  | (OfStage & { readonly kind: "round-opened"; readonly round: number; readonly seats: readonly string[] })
  | (OfStage & {
      readonly kind: "round-closed";
      readonly round: number;
      readonly result: string;
      /** Closed by a rule, not by a decision: which. */
      readonly auto?: string;
    })
  | (OfStage & { readonly kind: "skipped" | "held"; readonly why: string })
  /** `row`: of the matrix, from 0. */
  | (Placed & { readonly kind: "looked-up"; readonly matrix: string; readonly row: number });

export type SeatLine =
  | {
      readonly kind: "task-opened";
      readonly task: string;
      readonly assignee: string;
      readonly candidates?: readonly string[];
      readonly dueAt?: EpochMs;
    }
  | (Reasoned & {
      readonly kind: "decided";
      readonly task: string;
      readonly by: string;
      readonly decision: "approved" | "rejected" | "abstained" | "returned" | "handled";
      /** The absent person for whom `by` is the deputy, or who delegated. */
      readonly onBehalfOf?: string;
      /** Given by somebody added or a delegate. */
      readonly as?: HangingKind;
      readonly signature?: string;
      /** Decided by a rule: which. */
      readonly auto?: string;
    })
  | (Reasoned & {
      readonly kind: "transferred";
      readonly task: string;
      readonly from: string;
      readonly to: string;
      /** By a rule: which. */
      readonly auto?: string;
    })
  /** Somebody sits in two places of a round no longer. */
  | { readonly kind: "collapsed"; readonly person: string; readonly from: string }
  | (Reasoned & { readonly kind: "delegated"; readonly task: string; readonly from: string; readonly to: string })
  | (Reasoned & {
      readonly kind: "added";
      readonly by: string;
      readonly people: readonly string[];
      readonly where: "before" | "after" | "beside";
      readonly all: boolean;
      readonly advisory: boolean;
    })
  /** `edit: [..] reopens`: they had decided on what these fields were before. */
  | {
      readonly kind: "asked-again";
      readonly by: string;
      readonly people: readonly string[];
      readonly fields: readonly string[];
    }
  | (Reasoned & { readonly kind: "removed"; readonly by: string; readonly person: string })
  | { readonly kind: "claimed" | "released"; readonly task: string; readonly by: string }
  | (Reasoned & {
      readonly kind: "taken-back";
      readonly task: string;
      readonly by: string;
      readonly what: "approved" | "delegated";
    })
  | { readonly kind: "stood-in"; readonly for: string; readonly by: string; readonly why: "away" | "left" | "self" }
  | { readonly kind: "dropped"; readonly person: string; readonly why: string }
  | { readonly kind: "escalated"; readonly task: string; readonly from: string; readonly to: readonly string[] }
  | {
      readonly kind: "reminded" | "overdue";
      readonly task: string;
      readonly assignee: string;
      /** Of a shared task that nobody has claimed. */
      readonly candidates?: readonly string[];
    }
  | { readonly kind: "urged"; readonly by: string; readonly people: readonly string[] }
  | { readonly kind: "commented"; readonly by: string; readonly text: string }
  | { readonly kind: "asked"; readonly by: string; readonly to: string; readonly text: string }
  | { readonly kind: "alert"; readonly why: string };

/** Marked as an override wherever it is shown. */
export type AdminLine =
  | (Reasoned & { readonly kind: "override"; readonly by: string; readonly what: string })
  | (Reasoned & { readonly kind: "handed-over"; readonly by: string; readonly from: string; readonly to: string });

export type EffectLine =
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
  | { readonly kind: "effect-failed"; readonly what: string; readonly reason: string };

export type SagaLine =
  | {
      readonly kind: "step-begun" | "undo-begun";
      readonly function: string;
      readonly arguments: readonly Json[];
      readonly attempt: number;
    }
  | { readonly kind: "step-done" | "undone"; readonly function: string; readonly byHand?: string }
  | {
      readonly kind: "step-failed" | "undo-failed";
      readonly function: string;
      readonly reason: string;
      readonly retryAt?: EpochMs;
    }
  | { readonly kind: "saga-ended"; readonly saga: string; readonly outcome: "done" | "compensated" }
  | { readonly kind: "stuck"; readonly saga: string; readonly function: string };
