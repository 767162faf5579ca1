import type { PayloadField } from "../dsl/index.ts";
import { tellChanges } from "./actions.ts";
import { claim } from "./claims.ts";
import { archiveRound } from "./closed-tasks.ts";
import { changedFields, type Draft } from "./draft.ts";
import { type CommandOf, setData } from "./events.ts";
import { afterDecision } from "./hanging.ts";
import { approvalOf, roundOf, setRound } from "./open-round.ts";
import { forgetDecision } from "./passed-rounds.ts";
import { choosable } from "./picks.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse, refusePayload, type Stop } from "./refusal.ts";
import { proceed } from "./rounds.ts";
import { stopSeatTimers } from "./seat-timers.ts";
import { endHangingOn } from "./seats.ts";
import { isHandling } from "./stages.ts";
import {
  findTask,
  type Held,
  refuseAsDelegate,
  refuseNotAllowed,
  refuseOperation,
  refuseWithoutReason,
  sharedBeside,
} from "./tasks.ts";
import type { Payload, Refusal, Seat } from "./types.ts";
import { readPayload } from "./values.ts";
import { decideSeat, refuseUnsigned } from "./votes.ts";

type Decide = CommandOf<"decide">;

/** Approve, reject, abstain, or say that it is done. */
export function decideTask(draft: Draft, command: Decide): Stop | undefined {
  const held = findTask(draft, command);
  if ("kind" in held) return held;
  const { place, index } = held;
  const { decision, reason, signature } = command;
  const values = valuesOf(command);
  const fields = values === NONE ? [] : editable(place);
  const before = place.flow.now.data;
  const stop =
    refuseDecision(held, decision) ??
    refuseEdits(held, values, fields) ??
    refuseWithoutReason(approvalOf(place), decision, reason) ??
    refuseUnsigned(place, signature) ??
    takeEdits(place, values, fields);
  if (stop) return stop;
  const by = draft.actor!;
  claim(place, index, by);
  const others = sharedBeside(place, index, by);
  for (const at of [index, ...others]) {
    decideSeat(place, at, { decision: DECIDED[decision], by, reason, signature });
  }
  const isAskedAgain = place.flow.now.data !== before && askAgain(place, index, before);
  afterDecision(place, index, by);
  if (isAskedAgain) proceed(place, by);
  return undefined;
}

const DECIDED = { approve: "approved", reject: "rejected", abstain: "abstained", handle: "handled" } as const;

/** Who handles something does it, or hands it on; who approves does not handle. */
function refuseDecision(held: Held, decision: Decide["decision"]): Refusal | undefined {
  const { place } = held;
  if (isHandling(place) !== (decision === "handle")) return refuseNotAllowed(place, decision);
  if (decision !== "abstain") return undefined;
  return refuseAsDelegate(held, decision) ?? refuseOperation(place, "abstain");
}

function valuesOf({ payload, choose }: Decide): Payload {
  return payload || choose ? { ...payload, ...choose } : NONE;
}

const NONE: Payload = {};

/** Fields that the stage's people may change, and picks for what comes next. */
function editable(place: PlaceDraft): readonly PayloadField[] {
  const { edit } = approvalOf(place);
  const picks = choosable(place);
  const edits = [...place.flow.prepared.fields.values()].filter(({ name }) => edit.includes(name));
  return [...edits.map((field) => ({ ...field, data: true })), ...picks.filter(({ name }) => !edit.includes(name))];
}

/** Other fields of the flow are not this decision's to change; with an opinion nothing is. */
function refuseEdits(held: Held, values: Payload, fields: readonly PayloadField[]): Refusal | undefined {
  if (values === NONE) return undefined;
  const { place } = held;
  const opinion = refuseAsDelegate(held, "edit");
  if (opinion) return opinion;
  const edited = Object.keys(values).find(
    (name) => place.flow.prepared.fields.has(name) && !fields.some((field) => field.name === name),
  );
  if (edited === undefined) return undefined;
  return refuse("not-allowed", `\`${edited}\` can't be changed with this decision.`, { field: edited });
}

/** Edits and picks become part of the decision. */
function takeEdits({ flow }: PlaceDraft, values: Payload, fields: readonly PayloadField[]): Refusal | undefined {
  if (values === NONE) return undefined;
  const read = readPayload(fields, values, flow.prepared.currency);
  if ("faults" in read) return refusePayload(read.faults);
  const { data } = flow.now;
  setData(flow, read.values, read.cleared);
  tellChanges(flow, data);
  return undefined;
}

/** `edit: [..] reopens`: who had decided on other data decides again. @returns whether anybody does. */
function askAgain(place: PlaceDraft, index: number, before: PlaceDraft["flow"]["now"]["data"]): boolean {
  const { edit, editReopens } = approvalOf(place);
  const { prepared, now } = place.flow;
  if (!editReopens) return false;
  const changed = changedFields(prepared.fields.values(), before, now.data);
  const fields = changed.filter((name) => edit.includes(name));
  const { seats } = roundOf(place);
  const others = seats.flatMap((seat, at) => (at === index || seat.hangs || !hasDecided(seat) ? [] : [at]));
  if (fields.length === 0 || others.length === 0) return false;
  const by = place.draft.actor!;
  for (const at of others) {
    endHangingOn(place, at, "cancelled", by);
    stopSeatTimers(place, at);
    if (seats[at]!.auto === undefined) forgetDecision(place);
  }
  archiveRound(place);
  setRound(place, { seats: roundOf(place).seats.map((seat, at) => (others.includes(at) ? anew(seat) : seat)) });
  place.draft.tell({ kind: "asked-again", by, people: others.map((at) => seats[at]!.person), fields });
  return true;
}

/** Who approved and waits for those added after has decided too. */
function hasDecided({ status, approvedBefore }: Seat): boolean {
  return (
    approvedBefore === true ||
    status === "approved" ||
    status === "rejected" ||
    status === "abstained" ||
    status === "handled"
  );
}

/** The seat as it was before anybody was asked. */
function anew({ person, onBehalfOf, counts, veto, added, candidates }: Seat): Seat {
  return {
    person: candidates ? "" : person,
    status: "waiting",
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    ...(counts && { counts }),
    ...(veto && { veto }),
    ...(added && { added }),
    ...(candidates && { candidates }),
    reminders: 0,
  };
}
