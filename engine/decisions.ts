import type { Approval, PayloadField } from "../dsl/index.ts";
import { tellChanges } from "./actions.ts";
import type { Draft } from "./draft.ts";
import { type CommandOf, setData } from "./events.ts";
import { moveTo, refuseDelivered, takeOutcome } from "./moves.ts";
import { dominates } from "./path.ts";
import { isKnown } from "./people.ts";
import { refuse, refusePayload, type Stop } from "./refusal.ts";
import {
  approvalOf,
  countVotes,
  decideSeat,
  leaveRound,
  moveSeat,
  movingFallsBelow,
  openStage,
  roundOf,
} from "./rounds.ts";
import { findSeat, refuseOperation, refuseWithoutReason } from "./seats.ts";
import type { Payload, Refusal } from "./types.ts";
import { readPayload } from "./values.ts";

/** Approve, reject or abstain. */
export function decideTask(draft: Draft, command: CommandOf<"decide">): Stop | undefined {
  const seat = findSeat(draft, command.task);
  if (typeof seat !== "number") return seat;
  const { decision, reason } = command;
  const approval = approvalOf(draft);
  const stop =
    (decision === "abstain" ? refuseOperation(draft, approval, "abstain") : undefined) ??
    refuseEdits(draft, command) ??
    refuseWithoutReason(approval, decision, reason) ??
    takePicks(draft, command);
  if (stop) return stop;
  const by = draft.actor!;
  decideSeat(draft, seat, { decision: DECIDED[decision], by, reason });
  countVotes(draft, by);
  return undefined;
}

const DECIDED = { approve: "approved", reject: "rejected", abstain: "abstained" } as const;

function picksOf({ payload, choose }: CommandOf<"decide">): Payload {
  return payload || choose ? { ...payload, ...choose } : NONE;
}

const NONE: Payload = {};

function choosable(draft: Draft): readonly PayloadField[] {
  return draft.state.choosable[roundOf(draft).stage] ?? [];
}

/** Fields of the flow that are no picks for what comes next are not this decision's to change. */
function refuseEdits(draft: Draft, command: CommandOf<"decide">): Refusal | undefined {
  const picks = picksOf(command);
  if (picks === NONE) return undefined;
  const fields = choosable(draft);
  const edited = Object.keys(picks).find(
    (name) => draft.prepared.fields.has(name) && !fields.some((field) => field.name === name),
  );
  if (edited === undefined) return undefined;
  return refuse("not-allowed", `\`${edited}\` can't be changed with this decision.`, { field: edited });
}

/** Picks for `chosen(FIELD)` become part of the decision. */
function takePicks(draft: Draft, command: CommandOf<"decide">): Refusal | undefined {
  const picks = picksOf(command);
  if (picks === NONE) return undefined;
  const read = readPayload(choosable(draft), picks, draft.prepared.currency);
  if ("faults" in read) return refusePayload(read.faults);
  const { data } = draft.instance;
  setData(draft, read.values, read.cleared);
  tellChanges(draft, data);
  return undefined;
}

/** Sends the form back: to who started it, to a state that was passed, or to an earlier stage. */
export function returnTask(draft: Draft, command: CommandOf<"return">): Stop | undefined {
  const seat = findSeat(draft, command.task);
  if (typeof seat !== "number") return seat;
  const { to, reason } = command;
  const approval = approvalOf(draft);
  const stop =
    refuseOperation(draft, approval, "returnTo") ??
    refuseWithoutReason(approval, "returnTo", reason) ??
    refuseTarget(draft, approval, to);
  if (stop) return stop;
  const by = draft.actor!;
  decideSeat(draft, seat, { decision: "returned", by, reason });
  return goBackTo(draft, to, by);
}

type ReturnTarget = CommandOf<"return">["to"];

function refuseTarget(draft: Draft, { stages }: Approval, to: ReturnTarget): Refusal | undefined {
  const { path } = draft.instance;
  switch (to.kind) {
    case "initiator":
      return undefined; // The line `on returned` says where that is.
    case "state":
      if (dominates(path, to.state)) return refuseDelivered(draft, to.state);
      return refuse("no-such-target", `\`${to.state}\` is not a state that every way here has passed.`, {
        state: to.state,
      });
    case "stage": {
      const { stage } = roundOf(draft);
      if (Number.isInteger(to.stage) && to.stage >= 1 && to.stage <= stage && to.stage <= stages.length)
        return undefined;
      return refuse("no-such-target", `Stage ${to.stage} is not before the present stage ${stage + 1}.`, {
        stage: to.stage,
      });
    }
  }
}

function goBackTo(draft: Draft, to: ReturnTarget, by: string): Stop | undefined {
  if (to.kind === "initiator") return takeOutcome(draft, "returned");
  leaveRound(draft, "returned");
  if (to.kind === "state") moveTo(draft, to.state, `returned by ${by}`);
  else openStage(draft, to.stage - 1);
  return undefined;
}

/** Hands the seat over for good. */
export function transferTask(draft: Draft, command: CommandOf<"transfer">): Stop | undefined {
  const seat = findSeat(draft, command.task);
  if (typeof seat !== "number") return seat;
  const { to, reason } = command;
  const approval = approvalOf(draft);
  const stop =
    refuseOperation(draft, approval, "transfer") ??
    refuseWithoutReason(approval, "transfer", reason) ??
    refuseSuccessor(draft, seat, to);
  if (stop) return stop;
  const from = draft.actor!;
  const { id: task } = roundOf(draft).seats[seat]!.task!;
  draft.tell({ kind: "transferred", task, from, to, ...(reason !== undefined && { reason }) });
  moveSeat(draft, seat, to, "transferred", from);
  return undefined;
}

function refuseSuccessor(draft: Draft, seat: number, to: string): Stop | undefined {
  const known = isKnown(draft, to);
  const blocked = draft.blocked();
  if (blocked) return blocked;
  if (!known) return refuse("unknown-user", `Nobody here is called \`${to}\`.`, { user: to });
  if (to === draft.actor) return refuse("same-person", "The task is yours already.", { user: to });
  if (!movingFallsBelow(draft, seat, to)) return undefined;
  return refuse("below-threshold", `\`${to}\` has a seat already; too few would be left to approve.`, { user: to });
}
