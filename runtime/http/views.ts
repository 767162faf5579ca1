import type { Definition } from "../../dsl/index.ts";
import { type EpochMs, type Instance, showData, type Task } from "../../engine/index.ts";
import type { Opened } from "../dead-letters.ts";
import type { DeadLetter, InstanceKey, InstanceSummary, StoredEffect } from "../ports.ts";
import type { HistoryItem } from "./ports.ts";

/** What goes out: times as RFC 3339, users as their ids, secrets masked. */

export const time = (at: EpochMs): string => new Date(at).toISOString();

export function instanceView(instance: Instance, definition: Definition) {
  const open = openTasks(instance);
  const due = open.flatMap(({ dueAt }) => dueAt ?? []);
  return {
    id: instance.id,
    flow: instance.flow,
    definition: { hash: instance.definition, label: instance.label },
    key: instance.key,
    tenant: instance.tenant,
    initiator: instance.initiator.id,
    state: instance.state,
    outcome: instance.outcome,
    version: instance.version,
    data: showData(definition, instance.data),
    tasks: open.map((task) => taskView(task, instance.id, instance.flow)),
    documents: Object.entries(instance.documents).map(([name, { sha256, bytes }]) => ({ name, sha256, bytes })),
    startedAt: time(instance.startedAt),
    updatedAt: time(instance.updatedAt),
    dueAt: due.length > 0 ? time(Math.min(...due)) : undefined,
    tag: instance.tag,
  };
}

/** What somebody learns whose event was accepted, but who may not look into the instance. */
export function receiptView({ id, flow, state, outcome, version }: Instance) {
  return { id, flow, state, outcome, version };
}

export function taskView(task: Task, instance: string, flow: string) {
  return {
    id: task.id,
    instance,
    flow,
    assignee: task.assignee,
    status: task.status,
    state: task.state,
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

export function historyView({ sequence, version, at, definition, hash, command, lines }: HistoryItem) {
  return {
    sequence,
    version,
    at: time(at),
    definition,
    hash,
    command,
    lines: lines.map((line) =>
      "dueAt" in line && line.dueAt !== undefined ? { ...line, dueAt: time(line.dueAt) } : line,
    ),
  };
}

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

export function openTasks({ round }: Instance): Task[] {
  return (round?.seats ?? []).flatMap(({ task }) => (task?.status === "open" ? task : []));
}

/** The task if the instance still carries it: in the present round, or as somebody's newest closed one. */
export function carriedTask({ round, closedTasks }: Instance, id: string): Task | undefined {
  const seated = round?.seats.find(({ task }) => task?.id === id)?.task;
  return seated ?? Object.values(closedTasks).find((task) => task.id === id);
}

/** Somebody who started it, or has or had a task in it. */
export function takesPart({ initiator, round, closedTasks }: Instance, user: string): boolean {
  return (
    initiator.id === user ||
    Object.hasOwn(closedTasks, user) ||
    (round?.seats.some(({ task }) => task?.assignee === user) ?? false)
  );
}
