import type { Draft } from "./draft.ts";
import { type CommandOf, refuseFinished } from "./events.ts";
import { eventType } from "./machine.ts";
import { moveTo, takeLine } from "./moves.ts";
import { refuse, type Stop } from "./refusal.ts";
import { refuseOperation, refuseWithoutReason } from "./seats.ts";
import type { Refusal } from "./types.ts";

/** The initiator takes the form back, where the state's approval allows it. */
export function withdraw(draft: Draft, { reason }: CommandOf<"withdraw">): Stop | undefined {
  const { actor, instance } = draft;
  if (actor === undefined || actor !== instance.initiator.id) {
    return refuse("not-authorized", `Only \`${instance.initiator.id}\`, who started it, may withdraw it.`);
  }
  if (instance.outcome !== undefined) return refuseFinished(instance.outcome);
  return refuseWithdrawal(draft, reason) ?? takeBack(draft, actor, reason);
}

function refuseWithdrawal(draft: Draft, reason: string | undefined): Refusal | undefined {
  const { instance, state } = draft;
  const { approval } = state;
  if (!approval) return refuse("not-allowed", `\`${state.name}\` can't be withdrawn from.`, { state: state.name });
  if (approval.allow.includes("withdraw")) return refuseWithoutReason(approval, "withdraw", reason);
  const stop = refuseOperation(draft, approval, "withdraw untouched");
  if (stop) return refuseOperation(draft, approval, "withdraw");
  if (instance.touched) {
    return refuse("not-allowed", "Somebody has decided already; it can't be withdrawn any more.", {
      state: state.name,
    });
  }
  return refuseWithoutReason(approval, "withdraw", reason);
}

/** By the line `on withdrawn`, else back to `initial`. */
function takeBack(draft: Draft, by: string, reason?: string): Stop | undefined {
  draft.tell({ kind: "withdrawn", by, ...(reason !== undefined && { reason }) });
  const type = eventType.outcome("withdrawn");
  if (draft.state.lines.has(type)) return takeLine(draft, type);
  moveTo(draft, draft.prepared.definition.initial, `withdrawn by ${by}`);
  return undefined;
}

/** A later status of the outside form. It can withdraw whatever the stage allows, but not from `initial` to `initial`. */
export function signal(draft: Draft, { status, withdraw: away }: CommandOf<"signal">): Stop | undefined {
  const { instance, prepared, state } = draft;
  draft.tell({ kind: "signal", status });
  if (!away || instance.outcome !== undefined) return undefined;
  const isDraft = state.name === prepared.definition.initial && !state.approval;
  if (isDraft && !state.lines.has(eventType.outcome("withdrawn"))) return undefined;
  draft.actor = instance.initiator.id;
  return takeBack(draft, instance.initiator.id);
}

/** The withdrawal was refused: the status is noted all the same. */
export function signalInVain(draft: Draft, { status }: CommandOf<"signal">, why: Refusal): void {
  draft.tell({ kind: "signal", status });
  draft.tell({ kind: "not-moved", what: `status ${status}`, why: why.message });
}
