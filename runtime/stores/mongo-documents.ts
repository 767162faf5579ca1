import { hash } from "node:crypto";
import type { Collection, Db, IndexDescription } from "mongodb";
import type {
  Claim,
  EpochMs,
  InstanceSummary,
  OldCommand,
  Projection,
  StoredCheckpoint,
  Task,
  Timer,
} from "../ports.ts";
import { isClaimable, taskRank } from "./task-rank.ts";

/**
 * What lies in MongoDB. Every `_id` of an instance's documents begins with the instance's name, a hash: it is short whatever
 * the instance is called, it spreads instances evenly, and it keeps those of one instance together. On a sharded cluster
 * `_id` is the shard key (`docs/decisions/0009-mongodb.md`).
 */

/** An entry. `_id` is {@link entryId}; that nobody else has it is all the atomicity that is asked of the server. */
export interface JournalDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly instance: string;
  readonly partition: number;
  readonly sequence: number;
  readonly at: EpochMs;
  readonly body: string;
  readonly hash: string;
  /** Of the append that wrote it; tells a writer who lost his connection whether the entry is his. */
  readonly batch: string;
  /** {@link JournaledProjection} as JSON. */
  readonly projection: string;
  /** The instance's data key came with it, and lies in {@link Collections.keys} under {@link keyId}. */
  readonly keyed?: true;
  /** Body and hash lie in {@link Collections.history} under the same `_id`, or were pruned; here the key stays taken. */
  readonly moved?: true;
}

/** An entry that was moved. */
export interface HistoryDocument {
  readonly _id: string;
  readonly sequence: number;
  readonly at: EpochMs;
  readonly body: string;
  readonly hash: string;
}

/** Of the instance by that name. */
export interface CheckpointDocument extends StoredCheckpoint {
  readonly _id: string;
}

/** Of the tenant by that name. */
export interface UsageDocument {
  readonly _id: string;
  readonly bytes: number;
}

/** What follows from an entry, but for what can be left out: whoever takes over a dead node's work brings it in. */
export interface JournaledProjection extends Omit<Projection, "snapshot" | "wrappedKey"> {
  /** Place of the first of its effects, and of its instance if it is new, in the order of writing. */
  readonly position: number;
}

/** Of an entry that was moved: it was projected long ago. */
export const EMPTY_PROJECTION = JSON.stringify({
  ...{ tasks: [], timersSet: [], timersGone: [], effects: [], oldCommands: [], position: 0 },
} satisfies JournaledProjection);

/** An append is under way, or not projected yet. Inserted before its entries, deleted after projecting them. */
export interface IntentDocument {
  readonly _id: string;
  readonly node: string;
  /** {@link entryId} of each entry. */
  readonly entries: readonly string[];
}

/** A data key wrapped by the key ring, outside the journal, so that rotation rewraps it. */
export interface KeyDocument {
  readonly _id: string;
  readonly wrappedKey: string;
}

export interface SnapshotDocument {
  readonly _id: string;
  readonly sequence: number;
  readonly hash: string;
  readonly body: string;
}

export interface InstanceDocument extends InstanceSummary {
  readonly _id: string;
  readonly tenant: string;
  readonly instance: string;
  readonly partition: number;
  /** Everything that follows from entries up to this one is in its place. */
  readonly sequence: number;
  readonly position: number;
  /** {@link keyedBy}: the least of those that were written. */
  readonly keyed?: string;
  /** Entries up to this one lie in the history. */
  readonly archived?: number;
  /** Entries up to this one were removed from there. */
  readonly pruned?: number;
}

export interface TaskDocument {
  readonly _id: string;
  readonly name: string;
  readonly tenant: string;
  readonly instance: string;
  readonly flow: string;
  /** In whose list it is: its assignee, or all who may claim it. */
  readonly people: readonly string[];
  /** Of `RANKS`. */
  readonly rank: number;
  readonly openedAt: EpochMs;
  /** Of the entry that it is as of. */
  readonly sequence: number;
  readonly body: string;
}

export interface TimerDocument {
  readonly _id: string;
  readonly name: string;
  readonly tenant: string;
  readonly instance: string;
  readonly partition: number;
  readonly dueAt: EpochMs;
  /** As of a task. */
  readonly sequence: number;
  readonly body: string;
}

export interface EffectDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly instance: string;
  readonly partition: number;
  /** {@link nameOf} tenant and decision. */
  readonly decision: string;
  readonly dead: boolean;
  readonly attempts: number;
  readonly nextAt: EpochMs;
  readonly position: number;
  readonly error?: string;
  readonly body: string;
}

export interface CommandDocument extends Omit<OldCommand, "source" | "id"> {
  readonly _id: string;
}

export interface LetterDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly id: string;
  readonly at: EpochMs;
  readonly origin: string;
  readonly reason: string;
  readonly body: string;
  readonly position: number;
}

/** `_id` is `PARTITION:EPOCH`. */
export interface ClaimDocument extends Claim {
  readonly _id: string;
}

/** `_id` is the node's name. */
export interface MemberDocument {
  readonly _id: string;
  readonly beats: number;
  readonly place?: string;
  readonly isAway?: true;
}

export interface SettingDocument {
  readonly _id: string;
  readonly value: string;
}

export interface Collections {
  readonly journal: Collection<JournalDocument>;
  readonly intents: Collection<IntentDocument>;
  readonly keys: Collection<KeyDocument>;
  readonly snapshots: Collection<SnapshotDocument>;
  readonly instances: Collection<InstanceDocument>;
  readonly tasks: Collection<TaskDocument>;
  readonly timers: Collection<TimerDocument>;
  readonly effects: Collection<EffectDocument>;
  readonly commands: Collection<CommandDocument>;
  readonly letters: Collection<LetterDocument>;
  readonly settings: Collection<SettingDocument>;
  readonly claims: Collection<ClaimDocument>;
  readonly members: Collection<MemberDocument>;
  readonly history: Collection<HistoryDocument>;
  readonly checkpoints: Collection<CheckpointDocument>;
  readonly usage: Collection<UsageDocument>;
}

export const collectionsOf = (db: Db): Collections => ({
  journal: db.collection("journal"),
  intents: db.collection("intents"),
  keys: db.collection("keys"),
  snapshots: db.collection("snapshots"),
  instances: db.collection("instances"),
  tasks: db.collection("tasks"),
  timers: db.collection("timers"),
  effects: db.collection("effects"),
  commands: db.collection("commands"),
  letters: db.collection("dead_letters"),
  settings: db.collection("settings"),
  claims: db.collection("claims"),
  members: db.collection("members"),
  history: db.collection("history"),
  checkpoints: db.collection("checkpoints"),
  usage: db.collection("usage"),
});

/** The journal has none besides `_id`: a second one would cost every decision. */
const INDEXES: Partial<Record<keyof Collections, readonly IndexDescription["key"][]>> = {
  instances: [
    { tenant: 1, position: -1 },
    { tenant: 1, initiator: 1, position: -1 },
  ],
  tasks: [{ tenant: 1, people: 1, rank: -1, openedAt: -1, _id: -1 }, { name: 1 }],
  // Of several partitions the server merges what it finds, each in its order.
  timers: [{ partition: 1, dueAt: 1 }, { name: 1 }],
  effects: [{ dead: 1, partition: 1, nextAt: 1, position: 1 }, { decision: 1 }],
  letters: [{ tenant: 1, position: -1 }],
};

/** Makes those that aren't there. */
export async function makeIndexes(collections: Collections, options: { readonly maxTimeMS: number }): Promise<void> {
  const wanted = Object.entries(INDEXES) as [keyof Collections, IndexDescription["key"][]][];
  const making = wanted.flatMap(([name, keys]) => keys.map((key) => collections[name].createIndex(key, options)));
  await Promise.all(making);
}

// ---------------------------------------------------------------------------------------------------------------- //
// Names
// ---------------------------------------------------------------------------------------------------------------- //

/** 162 bits: two different names give the same one never. */
const NAME_LENGTH = 27;
const SEQUENCE_DIGITS = 10;

/** One name for several, which may hold anything. */
export function nameOf(...parts: readonly string[]): string {
  const text = parts.map((part) => `${part.length}:${part}`).join("");
  return hash("sha256", text, "base64url").slice(0, NAME_LENGTH);
}

/** @param name of the instance. In the order of sequence. */
export const entryId = (name: string, sequence: number): string => `${name}:${digits(sequence)}`;

/** Of racing starts each has a key of its own, so it is named after the append. */
export const keyId = (name: string, batch: string): string => `${name}:${batch}`;

/** Which entry brought a data key, and the key's `_id`. In the order of sequence: the first one that came is the key. */
export const keyedBy = (sequence: number, key: string): string => `${digits(sequence)}:${key}`;

export const keyOf = (keyed: string): string => keyed.slice(SEQUENCE_DIGITS + 1);

const digits = (sequence: number): string => String(sequence).padStart(SEQUENCE_DIGITS, "0");

export const taskDocument = (
  { name, tenant, instance, flow, sequence }: Pick<TaskDocument, "name" | "tenant" | "instance" | "flow" | "sequence">,
  task: Task,
): TaskDocument => ({
  _id: `${name}:${task.id}`,
  ...{ name, tenant, instance, flow, sequence },
  people: isClaimable(task) ? (task.candidates ?? []) : [task.assignee],
  rank: taskRank(task),
  openedAt: task.openedAt,
  body: JSON.stringify(task),
});

export const timerId = (name: string, timer: string): string => `${name}:${timer}`;

export const timerDocument = (of: Omit<TimerDocument, "_id" | "dueAt" | "body">, timer: Timer): TimerDocument => ({
  _id: timerId(of.name, timer.id),
  ...{ name: of.name, tenant: of.tenant, instance: of.instance, partition: of.partition, sequence: of.sequence },
  dueAt: timer.dueAt,
  body: JSON.stringify(timer),
});

/** Effects' ids are `DECISION:INDEX`. */
export const decisionOf = (tenant: string, effect: string): string =>
  nameOf(tenant, effect.slice(0, Math.max(effect.lastIndexOf(":"), 0)));
