import type { Payload, Person } from "./basic-types.ts";

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

/** What commands about somebody's task have in common. */
interface TaskPart {
  /** Absent: the actor's only open task, in the instance and its sub-flows. */
  readonly task?: string;
  /** `BRANCH`: which of several open tasks is meant. */
  readonly in?: string;
  /** The person for whom a deputy or delegate decides; absent: whoever the task is for. */
  readonly onBehalfOf?: string;
  readonly reason?: string;
}

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
    | (TaskPart & {
        readonly kind: "decide";
        readonly decision: "approve" | "reject" | "abstain" | "handle";
        /** What signed it, where the stage asks for a signature. */
        readonly signature?: string;
        readonly payload?: Payload;
        /** Picks for `chosen(FIELD)` of the next stage. */
        readonly choose?: Payload;
      })
    | (TaskPart & {
        readonly kind: "return";
        readonly to:
          | { readonly kind: "initiator" }
          | { readonly kind: "state"; readonly state: string }
          /** From 1, as people count: `returns to stage 1`. */
          | { readonly kind: "stage"; readonly stage: number };
        readonly signature?: string;
      })
    | (TaskPart & { readonly kind: "transfer" | "delegate"; readonly to: string })
    /** 加签. `all`: each of those added before or after must agree, else the first decision counts. */
    | (TaskPart & {
        readonly kind: "add";
        readonly where: "before" | "after" | "beside";
        readonly people: readonly string[];
        readonly all: boolean;
        readonly advisory: boolean;
        readonly signature?: string;
      })
    /** 减签: what the actor added, or, with `admin`, anybody. */
    | (TaskPart & { readonly kind: "remove"; readonly person: string; readonly admin?: true })
    | (TaskPart & { readonly kind: "claim" | "release" | "take-back" })
    /** `in`: the branch whose stage allows it. */
    | { readonly kind: "withdraw"; readonly in?: string; readonly reason?: string }
    | { readonly kind: "urge" }
    | (TaskPart & { readonly kind: "comment"; readonly text: string })
    | (TaskPart & { readonly kind: "ask"; readonly to: string; readonly text: string })
    | (TaskPart & { readonly kind: "cc"; readonly people: readonly string[] })
    /** Administrators' commands; that the actor is one was seen to before. */
    | { readonly kind: "suspend" | "resume" | "void"; readonly reason?: string }
    | { readonly kind: "jump"; readonly branch?: string; readonly state: string; readonly reason?: string }
    | {
        readonly kind: "override";
        readonly decision: "approve" | "reject";
        readonly in?: string;
        readonly reason?: string;
      }
    /** New arguments for a step of the running saga, by parameter position or name of a field. */
    | {
        readonly kind: "set-saga";
        readonly step: string;
        readonly arguments: Payload;
        readonly in?: string;
        readonly reason?: string;
      }
    /** 离职转办: every open seat of one goes to another. */
    | { readonly kind: "hand-over"; readonly from: string; readonly to: string; readonly reason?: string }
    /** Goes on with the version of this label of its flow. */
    | { readonly kind: "migrate"; readonly label: string; readonly reason?: string }
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
  | { readonly kind: "failed"; readonly what: string; readonly reason: string }
  /** How one try of a saga's step, or of its undo, ended. */
  | { readonly kind: "step"; readonly ok: boolean; readonly reason?: string; readonly timedOut?: true };
