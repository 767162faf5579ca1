import type { Definition } from "../../dsl/index.ts";
import type { Instance, Person, StoryLine } from "../../engine/index.ts";
import type { DeadLetters } from "../dead-letters.ts";
import type { Bus, DocumentStore, InstanceKey, Store } from "../ports.ts";
import type { PrunedHistory } from "../retention/checkpoint.ts";
import type { Envelope, Reply } from "../turn.ts";

/** Who calls, as the token says. */
export interface Caller {
  readonly tenant: string;
  readonly user: string;
  readonly person: Person;
  readonly roles: readonly string[];
}

/** A line of history as `…/history` shows it. */
export interface HistoryItem {
  readonly sequence: number;
  readonly version: number;
  readonly at: number;
  readonly definition: string;
  readonly hash: string;
  readonly command: { readonly kind: string; readonly id: string; readonly source: string; readonly actor?: string };
  /** Of the data after it, see `digestData`. */
  readonly dataDigest: string;
  /** Who answered for the functions that were asked, with its version, by name of the function. */
  readonly functions?: Readonly<Record<string, string>>;
  readonly lines: readonly (StoryLine & { readonly text: string })[];
}

/** What the HTTP layer needs of a node. */
export interface HttpPorts {
  submit(envelope: Envelope): Promise<Reply>;
  read(key: InstanceKey, version?: number): Promise<{ instance: Instance; definition: Definition } | undefined>;
  history(key: InstanceKey): Promise<readonly HistoryItem[]>;
  /** `undefined`: the history is whole. */
  pruned(key: InstanceKey): Promise<PrunedHistory | undefined>;
  readonly store: Pick<Store, "tasks" | "instances" | "effects" | "deadLetters">;
  readonly deadLetters: Pick<DeadLetters, "read" | "sendAgain" | "discard">;
  readonly documents: Pick<DocumentStore, "get">;
  readonly bus: Pick<Bus, "connected" | "kind" | "send">;
  /** The current version of a flow, or the one with that label. */
  activeDefinition(flow: string, label?: string): Definition | undefined;
  /** By hash, of all flows that run in what was read. */
  definition(hash: string): Definition | undefined;
  /** `undefined`: no valid identity. */
  identify(authorization: string | undefined): Promise<Caller | undefined>;
  /** May see everything of the tenant and look for others. */
  isAdmin(caller: Caller): boolean;
  /** The embedded directory's knowledge of a user, for `initiator` in a start on behalf of somebody. */
  person(tenant: string, user: string): Person;
  /** WeCom's hook: everything behind the route. `body` is raw, at most 1 MiB. */
  wecom(
    app: string,
    request: { readonly method: "GET" | "POST"; readonly query: URLSearchParams; readonly body: Buffer },
  ): Promise<{ readonly status: number; readonly body: string; readonly reason?: string }>;
  /** Text of `/metrics`. */
  metrics(): Promise<string>;
  /** `undefined` when ready, else what is missing. */
  readiness(): string | undefined;
  log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}
