import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import type { Stop } from "./refusal.ts";
import { noteStep } from "./sagas.ts";

/** Writes into the history what became of an effect; possible in every state. A saga goes on by it. */
export function noteReport(draft: Draft, { effect, report }: CommandOf<"report">): Stop | undefined {
  if (report.kind === "step") return noteStep(draft, effect, report);
  draft.tell(report.kind === "failed" ? { ...report, kind: "effect-failed" } : report);
  if (report.kind !== "rendered") return undefined;
  const { document, template, sha256, bytes } = report;
  draft.instance.documents = { ...draft.instance.documents, [document]: { sha256, bytes, template } };
  return undefined;
}
