/** 退回: the form goes back to who started it, to a state that was passed, or to an earlier stage. */
import { claim } from "./claims.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { Guards } from "./guards.ts";
import { eventType } from "./machine.ts";
import { moveTo, refuseDelivered, takeOutcome } from "./moves.ts";
import { approvalOf, roundOf } from "./open-round.ts";
import { dominates } from "./path.ts";
import { outward } from "./picks.ts";
import type { PlaceDraft } from "./place.ts";
import type { PreparedRegion } from "./prepare.ts";
import { refuse, type Stop } from "./refusal.ts";
import { leaveRound, openStage } from "./rounds.ts";
import { stagesOf } from "./stages.ts";
import { findTask, refuseAsDelegate, refuseOperation, refuseWithoutReason } from "./tasks.ts";
import type { Refusal } from "./types.ts";
import { stageKey } from "./views.ts";
import { decideSeat, refuseUnsigned } from "./votes.ts";

type Return = CommandOf<"return">;

export function returnTask(draft: Draft, command: Return): Stop | undefined {
  const held = findTask(draft, command);
  if ("kind" in held) return held;
  const { place, index } = held;
  const { to, reason, signature } = command;
  const stop =
    refuseAsDelegate(held, "returnTo") ??
    refuseOperation(place, "returnTo") ??
    refuseWithoutReason(approvalOf(place), "returnTo", reason) ??
    refuseUnsigned(place, signature);
  if (stop) return stop;
  const target = findTarget(place, to);
  if ("code" in target) return target;
  const refused =
    refuseMore(place) ?? (target.kind === "state" ? refuseDelivered(target.place, target.state) : undefined);
  if (refused) return refused;
  const by = draft.actor!;
  claim(place, index, by);
  decideSeat(place, index, { decision: "returned", by, reason, signature });
  noteReturn(place, target);
  return goBackTo(place, target, by);
}

type Target =
  /** Where the line `on returned` leads. */
  | { readonly kind: "initiator" }
  | { readonly kind: "state"; readonly place: PlaceDraft; readonly state: string }
  /** From 0. */
  | { readonly kind: "stage"; readonly stage: number };

function findTarget(place: PlaceDraft, to: Return["to"]): Target | Refusal {
  switch (to.kind) {
    case "initiator":
      return to;
    case "state":
      return findState(place, to.state);
    case "stage":
      return findStage(place, to.stage);
  }
}

/** Looked up in the branch first, then further out: a state that every way here has passed. */
function findState(place: PlaceDraft, state: string): Target | Refusal {
  for (let at: PlaceDraft | undefined = place; at; at = at.fork) {
    if (!at.region.states.has(state)) continue;
    if (dominates(at.now.path, state)) return { kind: "state", place: at, state };
    break;
  }
  return refuse("no-such-target", `\`${state}\` is not a state that every way here has passed.`, { state });
}

function findStage(place: PlaceDraft, wanted: number): Target | Refusal {
  const { stage, rows } = roundOf(place);
  const isEarlier = Number.isInteger(wanted) && wanted >= 1 && wanted <= stage;
  const found = isEarlier ? stagesOf(place, rows)[wanted - 1] : undefined;
  if (found && found.kind !== "auto") return { kind: "stage", stage: wanted - 1 };
  const message = `Stage ${wanted} is not a stage of people before the present one, ${stage + 1}.`;
  return refuse("no-such-target", message, { stage: wanted });
}

/** Every return of the instance counts; the limit is that of the returner's stage. */
function refuseMore(place: PlaceDraft): Refusal | undefined {
  const { maxReturns } = approvalOf(place);
  const { returns = 0 } = place.draft.instance;
  if (maxReturns === undefined || returns < maxReturns) return undefined;
  const message = `It was returned ${returns} times already, which is the most; approve or reject it.`;
  return refuse("too-many-returns", message, { returns });
}

/** Earlier approvals count for nothing any more, but for coming back to the returner over what has not changed. */
function noteReturn(place: PlaceDraft, target: Target): void {
  const { draft, flow, address, now } = place;
  draft.instance.returns = (draft.instance.returns ?? 0) + 1;
  const { rules } = flow.prepared;
  if (!rules.remembersApprovals && !rules.remembersStages) return;
  const kept = Object.fromEntries(
    Object.entries(flow.memory.passed).filter(([key]) => !isReopened(place, target, key)),
  );
  flow.remember({ approvals: [], passed: {}, resume: undefined });
  if (approvalOf(place).onReturn !== "resume") return;
  flow.remember({ resume: { until: stageKey(address, now.state, roundOf(place).stage), kept } });
}

/** Is this stage asked anew, though nothing may have changed? Of a parallel state, those that its branches begin with. */
function isReopened(place: PlaceDraft, target: Target, key: string): boolean {
  if (target.kind === "stage") return key === stageKey(place.address, place.now.state, target.stage);
  const back = target.kind === "state" ? target : lineBack(place);
  return back !== undefined && beginnings(back.place.address, back.place.region, back.state).includes(key);
}

/** Where the line `on returned` leads, here or further out. */
function lineBack(place: PlaceDraft): { readonly place: PlaceDraft; readonly state: string } | undefined {
  const type = eventType.outcome("returned");
  for (let at: PlaceDraft | undefined = place; at; at = at.fork) {
    if (!at.state.lines.has(type)) continue;
    const guards = new Guards(at);
    at.region.machine.can(at.now.state, guards.eventOf(type));
    const line = guards.chosen === undefined ? undefined : at.region.lines[guards.chosen]!.transition;
    return line && { place: outward(at, line.up ?? 0), state: line.to };
  }
  return undefined;
}

/** Keys of the stages that entering a state opens. */
function beginnings(address: string, { states }: PreparedRegion, name: string): readonly string[] {
  const { parallel } = states.get(name)!;
  const branches = parallel?.branches ?? [];
  return [
    stageKey(address, name, 0),
    ...branches.flatMap((branch) =>
      beginnings(address === "" ? branch.name : `${address}/${branch.name}`, branch, branch.initial),
    ),
  ];
}

function goBackTo(place: PlaceDraft, target: Target, by: string): Stop | undefined {
  switch (target.kind) {
    case "initiator":
      return takeOutcome(place, "returned");
    case "state":
      leaveRound(place, "returned");
      moveTo(target.place, target.state, `returned by ${by}`);
      return undefined;
    case "stage": {
      const { rows } = roundOf(place);
      leaveRound(place, "returned");
      openStage(place, target.stage, rows);
      return undefined;
    }
  }
}
