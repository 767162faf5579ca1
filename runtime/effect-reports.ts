import { hash } from "node:crypto";
import type { EffectReport } from "../engine/index.ts";
import type { Work } from "./outbox.ts";
import type { Effect, Instance, RawEffect } from "./ports.ts";
import type { Envelope, Reply } from "./turn.ts";

const REPORTS = "assent/effects";

/** Tells instances what became of their effects. */
export class EffectReports {
  readonly #submit: (envelope: Envelope) => Promise<Reply>;

  constructor(submit: (envelope: Envelope) => Promise<Reply>) {
    this.#submit = submit;
  }

  /** Resolves when it is durable. Told again, it changes nothing. @throws Error if the history does not take it. */
  async tell({ tenant, instance, effect }: Work, report: EffectReport): Promise<void> {
    const command = { kind: "report" as const, id: idOf(effect, report), source: REPORTS, effect: effect.id, report };
    const { traceparent, tag } = effect.kind === "ingest" ? {} : effect;
    const carried = { ...(traceparent !== undefined && { traceparent }), ...(tag !== undefined && { tag }) };
    const reply = await this.#submit({ tenant, instance, command, ...carried });
    // Another end of the same try was told before.
    if (reply.kind !== "refused" || reply.refusal.code === "id-reused") return;
    throw new Error(`the history did not take the report: ${reply.refusal.message}`);
  }

  /** Was something like this told of the effect, and not settled before a crash? As far back as the instance remembers. */
  isTold(instance: Instance, effect: Effect, kind: EffectReport["kind"]): boolean {
    return instance.recent.some(({ source, id }) => source === REPORTS && id.startsWith(prefixOf(effect, kind)));
  }
}

const prefixOf = ({ id }: Effect | RawEffect, kind: EffectReport["kind"]): string => `report:${id}:${kind}:`;

/** Names what is told: a document that was rendered anew, or another reason, is another report; a try ends once. */
function idOf(effect: Effect | RawEffect, report: EffectReport): string {
  const prefix = prefixOf(effect, report.kind);
  if (report.kind === "step") return `${prefix}end`;
  const about = report.kind === "rendered" ? report.sha256 : hash("sha256", report.reason);
  return prefix + about.slice(0, 16);
}
