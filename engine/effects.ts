import type { Definition } from "../dsl/index.ts";
import type { Json, Person } from "./basic-types.ts";
import type { QuestionContext } from "./types.ts";

/** An event for `assent.out.TENANT.FLOW.EVENT`. */
export interface OutEvent {
  /** Becomes the CloudEvents id and `Nats-Msg-Id`; derived, so that a replay repeats it. */
  readonly id: string;
  /** `onApproved`, `instance.moved`, `task.opened` … */
  readonly event: string;
  /** Of a sub-flow's event: its flow. */
  readonly flow?: string;
  readonly data: Json;
}

interface EffectBase {
  /** `INSTANCE:VERSION:INDEX`: never changes, becomes `Idempotency-Key` and `Nats-Msg-Id`. */
  readonly id: string;
  /** Of the command that caused it (W3C Trace Context), where it had one. Put on by the runtime. */
  readonly traceparent?: string;
  /** Of the same command, where it had one of its own, not the instance's. Put on by the runtime. */
  readonly tag?: string;
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
        /** Of a sub-flow's document: its flow, beside which the template lies. */
        readonly flow?: string;
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
    /** One try of a saga's step or of its undo; how it ended comes back as a `report` command with this effect's id. */
    | {
        readonly kind: "step";
        readonly saga: string;
        readonly function: string;
        readonly undo: boolean;
        readonly arguments: readonly Json[];
        readonly context: QuestionContext;
        /** The same for every try, so that the step is done once. */
        readonly idempotencyKey: string;
        /** After this it counts as failed. */
        readonly timeoutMs?: number;
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
  | { readonly kind: "task"; readonly task: string; readonly what: "opened" | "reminded" | "escalated" | "urged" }
  /** `text` is a comment or a question (征询) from `from`. */
  | { readonly kind: "message"; readonly from: string; readonly text: string }
  /** Somebody must look: a seat stays with an absent person, a saga can't be undone. */
  | { readonly kind: "alert"; readonly reason: string }
  | { readonly kind: "moved"; readonly from: string; readonly to: string }
  | { readonly kind: "held"; readonly state: string; readonly reason: string };

export type DocumentValue = string | boolean | readonly DocumentData[];
export interface DocumentData {
  readonly [name: string]: DocumentValue;
}
