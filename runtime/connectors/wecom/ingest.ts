import type { SourceDefinition } from "../../../dsl/index.ts";
import type { Json } from "../../../engine/index.ts";
import type { WecomApi } from "./api.ts";
import type { WecomApp } from "./app.ts";
import { type ApprovalEvent, type ApprovalStatus, readEvent } from "./callback-xml.ts";
import type { ApprovalDetail } from "./form.ts";
import { keyOf, type MappingFault, mapForm } from "./mapping.ts";

/** Source of the command ids below: one for all apps, since two of them may report the same change. */
export const WECOM_SOURCE = "wecom";

/** Start an instance, unless one of this key exists already. */
export interface StartPlan {
  readonly kind: "start";
  readonly flow: string;
  readonly key: string;
  readonly initiator: string;
  readonly event?: string;
  readonly data: Readonly<Record<string, Json>>;
  readonly commandId: string;
  /** What to do where an instance of the key exists that another command started. */
  readonly otherwise?: SignalPlan;
}

/** Record the form's later status in the instance of this key; where there is none, nothing is to be done. */
export interface SignalPlan {
  readonly kind: "signal";
  readonly flow: string;
  readonly key: string;
  readonly status: ApprovalStatus;
  /** An instance that is not final is withdrawn. */
  readonly withdraw: boolean;
  readonly commandId: string;
}

export type Ingested =
  | StartPlan
  | SignalPlan
  | { readonly kind: "ignored"; readonly reason: string }
  | { readonly kind: "retry"; readonly afterMs: number; readonly reason: string }
  /** For the dead letters; `faults` where the form doesn't fit its `source`. */
  | { readonly kind: "dead"; readonly reason: string; readonly faults?: readonly MappingFault[] };

export interface IngestPorts {
  /** Of the flows that are active for the app's tenant. */
  readonly sources: readonly SourceDefinition[];
  readonly api: Pick<WecomApi, "approvalDetail">;
  /** Whether an instance of this key exists. Saves the look-up of forms whose start is long past; without it nothing is known. */
  readonly isKnown?: (flow: string, key: string) => boolean | Promise<boolean>;
  readonly signal?: AbortSignal;
}

/**
 * What a stored callback means. SpStatus decides, not what happened: a comment on an approved form arrives as approved,
 * and may be the first that is heard of it. Command ids are derived from number and status, so that a change that is
 * delivered in several texts is still done once.
 */
export async function ingest(plaintext: string, app: WecomApp, ports: IngestPorts): Promise<Ingested> {
  const read = readEvent(plaintext);
  if (!read.ok) return { kind: "dead", reason: read.reason };
  const { event } = read;
  if (event.kind !== "approval" || event.event !== "sys_approval_change") {
    return ignored(`\`${event.kind === "approval" ? event.event : event.name}\` is not a change of a form`);
  }
  const source = ports.sources.find((candidate) => candidate.template === event.template);
  if (source === undefined) return ignored(`no flow has a source for the template \`${event.template}\``);
  return (await withoutDetail(source, event, ports)) ?? withDetail(source, event, app, ports);
}

/** What the event alone tells, which is all that most events need: each approver's click sends one. */
async function withoutDetail(
  source: SourceDefinition,
  event: ApprovalEvent,
  ports: IngestPorts,
): Promise<Ingested | undefined> {
  const starts = mayStart(source, event);
  if (!starts && event.status === "pending") return ignored(`\`${event.spNo}\` is not approved yet`);
  const key = source.key.kind === "property" ? keyOf(source, event) : undefined;
  if (!key?.ok) return undefined;
  const known = await ports.isKnown?.(source.flow, key.value);
  if (known === true && event.status === "pending") return ignored(`\`${event.spNo}\` has been started before`);
  if (known === false && !starts)
    return ignored(`\`${event.spNo}\` has no instance, and a form that is ${event.status} starts none`);
  return known === true || !starts ? signalOf(source, key.value, event) : undefined;
}

async function withDetail(
  source: SourceDefinition,
  event: ApprovalEvent,
  app: WecomApp,
  ports: IngestPorts,
): Promise<Ingested> {
  const answer = await ports.api.approvalDetail(app, event.spNo, ports.signal);
  if (!answer.ok) {
    const reason = `the form \`${event.spNo}\` can't be fetched: ${answer.reason}`;
    return answer.retry ? { kind: "retry", afterMs: answer.afterMs, reason } : { kind: "dead", reason };
  }
  const detail = answer.value;
  // Events come late and out of order: a form that has been taken back meanwhile is not begun.
  const isOver = withdraws(detail.status);
  if (isOver && event.status === "pending") return ignored(`\`${event.spNo}\` is ${detail.status} by now`);
  return isOver || !mayStart(source, event) ? signalByForm(source, event, detail) : startOf(source, event, detail);
}

function startOf(source: SourceDefinition, event: ApprovalEvent, detail: ApprovalDetail): Ingested {
  const mapping = mapForm(source, detail, event);
  if (!mapping.ok) return unfit(source, event, mapping.faults);
  const start = {
    kind: "start",
    flow: source.flow,
    ...mapping.form,
    commandId: `start:${event.spNo}:${event.status}`,
  } as const;
  return event.status === "pending" ? start : { ...start, otherwise: signalOf(source, mapping.form.key, event) };
}

function signalByForm(source: SourceDefinition, event: ApprovalEvent, detail: ApprovalDetail): Ingested {
  const key = keyOf(source, event, detail);
  return key.ok ? signalOf(source, key.value, event) : unfit(source, event, [key.fault]);
}

function signalOf(source: SourceDefinition, key: string, event: ApprovalEvent): SignalPlan {
  return {
    kind: "signal",
    flow: source.flow,
    key,
    status: event.status,
    withdraw: withdraws(event.status),
    commandId: `status:${event.spNo}:${event.status}`,
  };
}

function mayStart(source: SourceDefinition, event: ApprovalEvent): boolean {
  return event.status === "approved" || (event.status === "pending" && source.when === "submitted");
}

/** Rejected, taken back, revoked after approval, deleted: the form no longer wants what it wanted. */
function withdraws(status: ApprovalStatus): boolean {
  return status === "rejected" || status === "cancelled" || status === "revoked" || status === "deleted";
}

function unfit(source: SourceDefinition, event: ApprovalEvent, faults: readonly MappingFault[]): Ingested {
  const list = faults.map((fault) => `\`${fault.control}\` for ${fault.field}: ${fault.message}`).join("; ");
  return {
    kind: "dead",
    reason: `the form \`${event.spNo}\` does not fit the flow \`${source.flow}\`: ${list}`,
    faults,
  };
}

function ignored(reason: string): Ingested {
  return { kind: "ignored", reason };
}
