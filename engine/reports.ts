import type { Draft } from "./draft.ts";
import type { EffectReport } from "./types.ts";

/** Writes into the history what became of an effect; possible in every state. */
export function noteReport(draft: Draft, report: EffectReport): undefined {
  draft.tell(report.kind === "failed" ? { ...report, kind: "effect-failed" } : report);
  if (report.kind !== "rendered") return;
  const { document, template, sha256, bytes } = report;
  draft.instance.documents = { ...draft.instance.documents, [document]: { sha256, bytes, template } };
}
