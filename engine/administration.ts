/** What administrators may do: 挂起, 恢复, 作废, 跳转, 强制. That the actor is one was seen to before. */
import type { Draft } from "./draft.ts";
import { end, leaveState } from "./entering.ts";
import type { CommandOf } from "./events.ts";
import { moveTo } from "./moves.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { closeRound } from "./rounds.ts";
import { resumeSagas, undoEverything } from "./sagas.ts";
import { resumeTimers, stopTimers } from "./suspension.ts";
import { isIn, refuseFinished, refuseNoReason, refuseSuspended } from "./tasks.ts";
import type { Refusal } from "./types.ts";

/** What `outcome` says of an instance that was ended where it stood. */
export const VOIDED = "VOIDED";

/** Marks what an administrator did. */
export function tellOverride(draft: Draft, what: string, reason: string | undefined): void {
  const by = draft.actor ?? "an administrator";
  draft.tell({ kind: "override", by, what, ...(reason !== undefined && { reason }) });
}

/** In this order: it has ended, it is suspended, there is no reason. */
export function refuseAdministrator(draft: Draft, operation: string, reason: string | undefined): Refusal | undefined {
  const { outcome } = draft.instance;
  if (outcome !== undefined) return refuseFinished(outcome);
  return refuseSuspended(draft) ?? refuseNoReason(operation, reason);
}

export function suspend(draft: Draft, { reason }: CommandOf<"suspend">): Stop | undefined {
  const stop = refuseAdministrator(draft, "suspend", reason);
  if (stop) return stop;
  tellOverride(draft, "suspended it", reason);
  stopTimers(draft);
  return undefined;
}

export function resume(draft: Draft, { reason }: CommandOf<"resume">): Stop | undefined {
  const { outcome, suspended } = draft.instance;
  if (outcome !== undefined) return refuseFinished(outcome);
  if (!suspended) return refuse("not-possible-in-state", "The instance is not suspended.");
  const stop = refuseNoReason("resume", reason);
  if (stop) return stop;
  tellOverride(draft, "resumed it", reason);
  resumeTimers(draft);
  resumeSagas(draft);
  return undefined;
}

/** It ends where it stands, with everything in it. */
export function voidInstance(draft: Draft, { reason }: CommandOf<"void">): Stop | undefined {
  const { instance, place } = draft;
  if (instance.outcome !== undefined) return refuseFinished(instance.outcome);
  const stop = refuseNoReason("void", reason);
  if (stop) return stop;
  tellOverride(draft, "voided it", reason);
  instance.suspended = undefined;
  undoEverything(place);
  leaveState(place, "cancelled");
  place.clear();
  end(place, VOIDED);
  resumeSagas(draft); // Tries of undoing that stood still with it.
  return undefined;
}

/** As a transition would, with a new round; effects are not undone. */
export function jump(draft: Draft, { state, branch, reason }: CommandOf<"jump">): Stop | undefined {
  const stop = refuseAdministrator(draft, "jump", reason);
  if (stop) return stop;
  const place = branch === undefined ? draft.place : findBranch(draft, branch);
  if (!place?.region.states.has(state)) {
    const target = branch === undefined ? state : `${branch}.${state}`;
    return refuse("no-such-target", `There is no state \`${target}\` to jump to now.`, { state: target });
  }
  tellOverride(draft, `jumped to ${place.state.fullName === place.now.state ? state : `${branch}.${state}`}`, reason);
  moveTo(place, state, `jumped by ${draft.actor ?? "an administrator"}`, false);
  return undefined;
}

function findBranch(draft: Draft, branch: string): PlaceDraft | undefined {
  for (const place of placesBelow(draft.place)) if (place.fork && endsWith(place, branch)) return place;
  return undefined;
}

function endsWith({ address }: PlaceDraft, branch: string): boolean {
  const wanted = branch.replaceAll(".", "/");
  return address === wanted || address.endsWith(`/${wanted}`);
}

/** Gives the open round this result. */
export function override(draft: Draft, { decision, in: branch, reason }: CommandOf<"override">): Stop | undefined {
  const stop = refuseAdministrator(draft, "override", reason);
  if (stop) return stop;
  const open = [...placesBelow(draft.place)].filter(
    (place) => place.now.round && place.now.round.result === undefined && (branch === undefined || isIn(place, branch)),
  );
  const [place] = open;
  if (!place) return refuse("not-possible-in-state", "No round is open whose result could be given.");
  if (open.length > 1) {
    const places = open.map(({ address }) => address.replaceAll("/", "."));
    return refuse("not-possible-in-state", "Several rounds are open; say in which branch.", { branches: places });
  }
  const by = draft.actor ?? "an administrator";
  tellOverride(draft, `${decision === "approve" ? "approved" : "rejected"} ${place.state.fullName}`, reason);
  closeRound(place, decision === "approve" ? "approved" : "rejected", by, "override", true);
  return undefined;
}
