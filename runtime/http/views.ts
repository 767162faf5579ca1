import { type EpochMs, type Instance, type Task, tasksOf } from "../../engine/index.ts";
import type { Opened } from "../dead-letters.ts";
import type { DeadLetter, InstanceKey, InstanceSummary, StoredEffect } from "../ports.ts";
import type { PrunedHistory } from "../retention/checkpoint.ts";
import type { HistoryItem } from "./ports.ts";

/** What goes out, beside instances (see instance-view.ts): times as RFC 3339, users as their ids. */

export const time = (at: EpochMs): string => new Date(at).toISOString();

/** What somebody learns whose event was accepted, but who may not look into the instance. */
export function receiptView({ id, flow, state, outcome, version }: Instance) {
  return { id, flow, state, outcome, version };
}

/** @param flow of the instance; a task of a sub-flow names its own. */
export function taskView(task: Task, instance: string, flow: string) {
  const { id, assignee, candidates, onBehalfOf, status, state, place, as } = task;
  return {
    id,
    instance,
    flow: task.flow ?? flow,
    assignee,
    candidates,
    onBehalfOf,
    status,
    state,
    in: place,
    as,
    stage: task.stage + 1, // As people count.
    openedAt: time(task.openedAt),
    dueAt: task.dueAt === undefined ? undefined : time(task.dueAt),
    closedAt: task.closedAt === undefined ? undefined : time(task.closedAt),
    closedBy: task.closedBy,
  };
}

export function summaryView(row: InstanceKey & InstanceSummary) {
  return {
    id: row.instance,
    flow: row.flow,
    definition: { hash: row.definition },
    key: row.key,
    tenant: row.tenant,
    initiator: row.initiator,
    state: row.state,
    outcome: row.outcome,
    version: row.version,
    startedAt: time(row.startedAt),
    updatedAt: time(row.updatedAt),
  };
}

export function historyView({ lines, at, ...item }: HistoryItem) {
  const { sequence, version, definition, hash, command, dataDigest, functions } = item;
  return {
    sequence,
    version,
    at: time(at),
    definition,
    hash,
    command,
    dataDigest,
    functions,
    lines: lines.map((line) =>
      "dueAt" in line && line.dueAt !== undefined ? { ...line, dueAt: time(line.dueAt) } : line,
    ),
  };
}

/** What is known of entries that are gone. */
export const prunedView = ({ through, at, hash }: PrunedHistory) => ({ through, at: time(at), hash });

/** An effect without what it carries, which may be confidential. */
export function effectView({ instance, effect, state, attempts, nextAt, error }: StoredEffect) {
  return { id: effect.id, instance, kind: effect.kind, state, attempts, nextAt: time(nextAt), error };
}

/** A dead letter without what it carries, for the same reason. */
export function deadLetterView({ id, at, origin, reason }: DeadLetter) {
  return { id, at: time(at), origin, reason };
}

/** A dead letter among dead effects. */
export function letterAsEffectView({ id, at, origin, reason }: DeadLetter) {
  return { id, kind: "message", origin, state: "dead", at: time(at), error: reason };
}

/** With what it carries. */
export function openedView(opened: Opened) {
  const { content } = opened;
  return opened.kind === "effect"
    ? { ...effectView(opened.stored), kind: kindOf(content), content }
    : { ...letterAsEffectView(opened.letter), content };
}

/** A sealed effect shows its kind only when it is opened. */
const kindOf = (content: Opened["content"]) => (content as { readonly kind?: string }).kind;

/** The task if the instance still carries it: of a seat that is there, or as somebody's newest closed one. */
export function carriedTask(instance: Instance, id: string): Task | undefined {
  const isIt = (task: Task): boolean => task.id === id;
  return tasksOf(instance).find(isIt) ?? Object.values(instance.closedTasks).find(isIt);
}

/** Somebody who started it, got a copy, or has or had a task in it or might have claimed one. */
export function takesPart(instance: Instance, user: string): boolean {
  const { initiator, copied, closedTasks } = instance;
  return (
    initiator.id === user ||
    Object.hasOwn(closedTasks, user) ||
    copied.includes(user) ||
    tasksOf(instance).some((task) => concerns(task, user))
  );
}

export const concerns = ({ assignee, candidates }: Task, user: string): boolean =>
  assignee === user || (candidates?.includes(user) ?? false);
