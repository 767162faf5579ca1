import { hash } from "node:crypto";
import type { Definition } from "../dsl/index.ts";
import type { Command, Instance, Newcomer, Refusal } from "../engine/index.ts";
import { keyedDigest } from "./key-ring.ts";
import type { Carried, EpochMs, InstanceKey } from "./ports.ts";

type WithoutDigest<C> = C extends Command ? Omit<C, "digest"> : never;

/** A command before its digest is taken: the digest of an instance with secrets needs the instance's key. */
export type CommandDraft = WithoutDigest<Command>;

/**
 * Commands that are sent at once and are to be decided in their order: after one that was not accepted those behind it are
 * not decided, so that whoever sent them can send it again before them.
 */
export interface Series {
  /** One was not accepted. */
  broken: boolean;
}

/** A command of a series before it was not accepted; nothing happened. */
export class HeldBack extends Error {
  override readonly name = "HeldBack";
}

export interface Envelope extends InstanceKey {
  /** For a start: the flow whose active version is taken. */
  readonly flow?: string;
  readonly command: CommandDraft;
  /** What is done instead where there is no instance yet: the same command, as a start. */
  readonly orStart?: CommandDraft;
  /** Refuse (`version-conflict`) unless the instance stands at this version. */
  readonly expectedVersion?: number;
  readonly series?: Series;
  /** W3C Trace Context of whoever sends it: its effects and questions carry it on. */
  readonly traceparent?: string;
  /** Its effects and questions carry it on, in place of the instance's. */
  readonly tag?: string;
  /** After this whoever sent it does not wait any more, and it is not begun. */
  readonly deadlineAt?: EpochMs;
}

/** Whoever sent the command does not wait any more; nothing happened. */
export class DeadlinePassed extends Error {
  override readonly name = "DeadlinePassed";
}

/** `created`: this command made the instance. `duplicate`: it was accepted before, this is the first answer. */
export type Reply =
  | {
      readonly kind: "accepted";
      readonly instance: Instance;
      readonly definition: Definition;
      readonly created: boolean;
      readonly duplicate: boolean;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly instance?: Instance }
  | { readonly kind: "not-found" };

/** Newest command ids that an instance carries; the engine keeps as many. */
const RECENT_MAX = 64;

/** A start in place of an event has the event's digest: delivered again, it is the same command. */
export function commandOf(envelope: Envelope, instance: Instance | undefined, key: Buffer | undefined): Command {
  const { command } = envelope;
  const chosen = instance ? command : (envelope.orStart ?? command); // Made when it is asked for.
  const earlier = key && instance?.recent.find(({ source, id }) => id === command.id && source === command.source);
  const isKnown = earlier && isSameBody(earlier.digest, command, key);
  return { ...chosen, digest: isKnown ? earlier.digest : digestOf(command, key) };
}

/** Is this the digest of that command? An instance may have got its key, with a version that has secrets, after the command. */
export const isSameBody = (digest: string, command: CommandDraft, key: Buffer | undefined): boolean =>
  digest === digestOf(command, key) || (key !== undefined && digest === digestOf(command, undefined));

/** The digest covers what the command asks for, not who brought it, nor what the directory knew of a person then. */
function digestOf(command: CommandDraft, key: Buffer | undefined): string {
  const { id: _id, source: _source, ...body } = command;
  const text = JSON.stringify(body.kind === "start" ? { ...body, initiator: body.initiator.id } : body);
  return key ? keyedDigest(key, text) : hash("sha256", text, "base64url");
}

/** What a rollout may look at. */
export const newcomerOf = ({ key, initiator, data, payload }: Extract<CommandDraft, { kind: "start" }>): Newcomer => ({
  key,
  initiator,
  data: payload ? { ...data, ...payload } : data,
});

/** Is the command among those that the instance carries? */
export const isRecent = ({ recent }: Instance, { source, id }: CommandDraft): boolean =>
  recent.some((one) => one.id === id && one.source === source);

/**
 * Only the store can tell whether the command was accepted long ago. Timers and reports carry ids of our own making, which
 * repeat only while they are among the newest.
 */
export const mayBeOld = (instance: Instance, command: CommandDraft): boolean =>
  instance.recent.length >= RECENT_MAX &&
  command.kind !== "timer" &&
  command.kind !== "report" &&
  !isRecent(instance, command);

export function carriedBy(envelope: Envelope, instance: Instance | undefined): Carried {
  const { traceparent, command, orStart, deadlineAt } = envelope;
  const starting = instance ? undefined : (orStart ?? command);
  const tag = envelope.tag ?? (starting?.kind === "start" ? starting.tag : instance?.tag);
  return {
    ...(traceparent !== undefined && { traceparent }),
    ...(tag !== undefined && { tag }),
    ...(deadlineAt !== undefined && { deadlineAt }),
  };
}

export const idReused = (id: string): Refusal => ({
  kind: "refused",
  code: "id-reused",
  message: `the id \`${id}\` was used by another command; take a fresh id for a new command`,
});

export const versionConflict = ({ version }: Instance): Refusal => ({
  kind: "refused",
  code: "version-conflict",
  message: `the instance has moved to version ${version}; look at it again and decide anew`,
  details: { version },
});

const secretFlows = new WeakMap<Definition, boolean>();

/** Does the flow have any secret field, in its data or in an event? */
export function hasSecrets(definition: Definition): boolean {
  let known = secretFlows.get(definition);
  if (known === undefined) {
    const payload = definition.events.flatMap((event) => event.payload);
    known = [...definition.fields, ...payload].some((field) => field.secret);
    secretFlows.set(definition, known);
  }
  return known;
}
