/** 拿回: somebody undoes their own approval, or ends a delegation, as long as nobody has decided on top of it. */
import type { Definition, Stage } from "../dsl/index.ts";
import { archiveRound } from "./closed-tasks.ts";
import type { Draft } from "./draft.ts";
import { leaveState } from "./entering.ts";
import type { CommandOf } from "./events.ts";
import { Guards } from "./guards.ts";
import { eventType } from "./machine.ts";
import { roundOf, seatAt, setRound, setSeat } from "./open-round.ts";
import { forgetDecision } from "./passed-rounds.ts";
import { type PlaceDraft, placesBelow, type WorkingPlace } from "./place.ts";
import { type PreparedRegion, prepare } from "./prepare.ts";
import { isPutOff, putOff } from "./put-off.ts";
import { refuse, type Stop } from "./refusal.ts";
import { isDecidedAfter, leaveRound, proceed, putOffTurns } from "./rounds.ts";
import { restartSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import { endSeat, hangingOn, putOff as letWait, reopen } from "./seats.ts";
import { peopleStage, stagesIn } from "./stages.ts";
import {
  isIn,
  newestClosed,
  refuseFinished,
  refuseNoTask,
  refuseNotAllowed,
  refuseSuspended,
  refuseWithoutReason,
} from "./tasks.ts";
import { applyTimers } from "./timers.ts";
import type { PassedInside, PassedRound, Refusal, Round, Seat, Task } from "./types.ts";
import { stageKey } from "./views.ts";

type TakeBack = CommandOf<"take-back">;

/** What may be taken back: something in the open round, or in one that passed. */
interface Taking {
  readonly place: PlaceDraft;
  readonly what: "approved" | "delegated";
  readonly index: number;
  readonly task: Task;
  readonly round: Round;
  /** Where the round lies, in from the place: the last one is its own machine. */
  readonly levels: readonly Level[];
  /** Absent: the round is open. */
  readonly passed?: PassedRound | PassedInside;
}

/** A machine that would go back; one that is gone by now stands as it was kept. */
interface Level {
  readonly region: PreparedRegion;
  readonly definition: Definition;
  readonly now: Pick<WorkingPlace, "passed" | "irrevocable">;
  /** What it would go back to; absent: it is in that round. */
  readonly to?: PassedRound | PassedInside;
}

export function takeBack(draft: Draft, command: TakeBack): Stop | undefined {
  const { instance } = draft;
  if (instance.outcome !== undefined) return refuseFinished(instance.outcome);
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  const taking = newest(findAll(draft, command));
  if (!taking) return refuseNothing(draft, command);
  const stop = refuseTaking(taking, command.reason);
  if (stop) return stop;
  const { what, task, place, index } = taking;
  const { reason } = command;
  const because = reason === undefined ? undefined : { reason };
  draft.tell({ kind: "taken-back", task: task.id, by: draft.actor!, what, ...because });
  const { passed } = taking;
  if (what === "delegated") endDelegation(place, index);
  else if (!passed || !putOff(place, passed.path.length, { kind: "take-back", task: task.id })) takeApproval(taking);
  return undefined;
}

/** What lay on the way back is undone: the approval of this task is taken back. */
export function takeBackNow(place: PlaceDraft, task: string): void {
  const taking = newest(findAll(place.draft, { task }).filter((one) => one.what === "approved"));
  if (taking) takeApproval(taking);
}

function findAll(draft: Draft, { task, in: branch }: Pick<TakeBack, "task" | "in">): Taking[] {
  const { actor } = draft;
  const found: Taking[] = [];
  for (const place of placesBelow(draft.place)) {
    if (isPutOff(place)) continue;
    const { region, now, flow } = place;
    const isMeant = branch === undefined || isIn(place, branch);
    const level: Level = { region, definition: flow.prepared.definition, now };
    const { round } = now;
    if (isMeant && round && round.result === undefined) {
      found.push(...findIn(round, actor).map((one) => ({ ...one, place, levels: [level] })));
    }
    found.push(...findPassed(place, [], level, { actor, branch: isMeant ? undefined : branch }));
  }
  return found.filter((taking) => task === undefined || taking.task.id === task);
}

/** In rounds that passed, and in branches and sub-flows that are gone; with `branch` only in those of that name. */
function findPassed(
  place: PlaceDraft,
  outer: readonly Level[],
  level: Level,
  wanted: { readonly actor: string | undefined; readonly branch: string | undefined; readonly address?: string },
): Taking[] {
  const { actor, branch, address = place.address } = wanted;
  return (level.now.passed ?? []).flatMap((to): Taking[] => {
    const levels = [...outer, { ...level, to }];
    const passed = levels[0]!.to!;
    if ("inside" in to) {
      return insideOf(place.draft, level, to).flatMap(([name, inner]) =>
        findPassed(place, levels, inner, { actor, branch, address: address === "" ? name : `${address}/${name}` }),
      );
    }
    if (branch !== undefined && !isIn({ address }, branch)) return [];
    return findIn(to.round, actor).map((one) => ({ ...one, place, levels, passed }));
  });
}

/** Machines that were inside a state, by the last part of their address. */
function insideOf(
  { definitions }: Draft,
  { region, definition }: Level,
  { state, branches, child }: PassedInside,
): readonly (readonly [string, Level])[] {
  const parallel = region.states.get(state)?.parallel?.branches ?? [];
  const found = parallel.flatMap((branch): [string, Level][] => {
    const now = branches?.[branch.name];
    return now ? [[branch.name, { region: branch, definition, now }]] : [];
  });
  const flow = child && definitions(child.definition);
  if (!flow) return found;
  const number = child.id.slice(child.id.lastIndexOf("/") + 1);
  return [...found, [number, { region: prepare(flow), definition: flow, now: child }]];
}

function findIn(round: Round, actor: string | undefined): Omit<Taking, "place" | "levels">[] {
  const { seats, result } = round;
  return seats.flatMap((seat, index): Omit<Taking, "place" | "levels">[] => {
    const { task, person, status, auto } = seat;
    if (!task || person !== actor) return [];
    const approved = (status === "approved" && auto === undefined) || seat.approvedBefore;
    if (approved) return [{ what: "approved", index, task, round }];
    const delegated = status === "waiting" && result === undefined && delegateOf(seats, index) !== -1;
    return delegated ? [{ what: "delegated", index, task, round }] : [];
  });
}

function delegateOf(seats: readonly Seat[], index: number): number {
  return seats.findIndex(
    ({ hangs, status }) =>
      hangs?.on === index && hangs.as === "delegate" && (status === "open" || status === "waiting"),
  );
}

/** By the instant at which it was approved; a delegation is under way. */
function newest(all: readonly Taking[]): Taking | undefined {
  const at = ({ what, task }: Taking): number =>
    what === "delegated" ? Number.POSITIVE_INFINITY : (task.closedAt ?? 0);
  return all.reduce<Taking | undefined>((found, one) => (found && at(found) > at(one) ? found : one), undefined);
}

/** Nothing of theirs stands: it was not approved, or what was decided later has made it final. */
function refuseNothing(draft: Draft, { task }: TakeBack): Refusal {
  const closed = newestClosed(draft);
  if (closed?.status !== "approved" || (task !== undefined && task !== closed.id)) return refuseNoTask(draft, task);
  for (const place of placesBelow(draft.place)) {
    if (place.address !== (closed.place ?? "")) continue;
    const allow = place.region.states.get(closed.state)?.approval?.allow;
    if (allow && !allow.includes("takeBack")) return refuseNotAllowed(place, "takeBack");
  }
  return refuseDecided();
}

function refuseDecided(): Refusal {
  return refuse("not-possible-in-state", "Somebody has decided on top of it; it can't be taken back any more.");
}

function refuseTaking(
  { place, what, index, passed, round, levels }: Taking,
  reason: string | undefined,
): Refusal | undefined {
  if (what === "delegated") return undefined;
  const { region, definition } = levels.at(-1)!;
  const state = region.states.get(round.state)!;
  const approval = round.approval ?? state.approval!;
  if (!approval.allow.includes("takeBack")) return refuseNotAllowed(place, "takeBack");
  const unreasoned = refuseWithoutReason(approval, "takeBack", reason);
  if (unreasoned) return unreasoned;
  const stages = (round.approval?.chain as readonly Stage[] | undefined) ?? stagesIn(definition, state, round.rows);
  const stage = peopleStage(stages[round.stage]);
  if (stage && isDecidedAfter(stage, round, index)) return refuseDecided();
  return passed ? refuseBehind(levels) : refuseInRound(place, index);
}

/** On every machine that would go back: nobody has decided since, and nothing was done that can't be undone. */
function refuseBehind(levels: readonly Level[]): Refusal | undefined {
  const begun: string[] = [];
  for (const { now, to } of levels) {
    const all = now.passed!;
    if (all.slice(all.indexOf(to!)).some(({ after }) => after > 0)) return refuseDecided();
    const position = to!.path.length - 1;
    begun.push(...now.irrevocable.filter(({ at }) => at > position).map(({ what }) => what));
  }
  if (begun.length === 0) return undefined;
  return refuse("effects-delivered", `It can't be taken back: ${begun.join(", ")} can't be undone.`, {
    effects: begun,
  });
}

/** In a tree, the one it hangs on may have decided since, or those after it. */
function refuseInRound(place: PlaceDraft, index: number): Refusal | undefined {
  const { seats } = roundOf(place);
  const { hangs, approvedBefore } = seats[index]!;
  const above = hangs && seats[hangs.on]!;
  const isOver = above && above.status !== "open" && above.status !== "waiting";
  const afterIt = approvedBefore && seats.some((seat) => seat.hangs?.on === index && seat.decidedAt !== undefined);
  return isOver || afterIt ? refuseDecided() : undefined;
}

function endDelegation(place: PlaceDraft, index: number): void {
  for (const hanging of hangingOn(place, index)) endSeat(place, hanging, "cancelled", place.draft.actor);
  reopen(place, index);
}

function takeApproval({ place, index, passed, task }: Taking): void {
  const { draft } = place;
  if (passed && "inside" in passed) {
    enterAgain(place, passed);
    takeBackNow(place, task.id);
    return;
  }
  if (passed) goBack(place, passed);
  else forgetDecision(place);
  const { hangs } = seatAt(place, index);
  for (const hanging of hangingOn(place, index)) endSeat(place, hanging, "cancelled", draft.actor);
  openAgain(place);
  openSeatAgain(place, index);
  if (hangs && seatAt(place, hangs.on).status === "open") letWait(place, hangs.on);
  putOffTurns(place);
  forget(place, seatAt(place, index).person);
  proceed(place, draft.actor!);
}

/** Back into the state, and into its round as it was. */
function goBack(place: PlaceDraft, passed: PassedRound): void {
  const { now } = place;
  const { round, enteredAt, remembered } = passed;
  forgetSince(place, passed);
  forgetDecision(place);
  if (now.state === round.state && now.enteredAt === enteredAt) leaveRound(place, "cancelled");
  else returnTo(place, passed, round.state);
  now.remembered = remembered;
  const { result: _, closedAt: __, ...open } = round;
  archiveRound(place);
  now.round = open;
}

function forgetSince({ now }: PlaceDraft, passed: PassedRound | PassedInside): void {
  now.passed = now.passed!.slice(0, now.passed!.indexOf(passed));
}

function returnTo(place: PlaceDraft, { path, enteredAt, timers }: PassedRound | PassedInside, to: string): void {
  const { now, draft, region, flow } = place;
  const from = now.state;
  leaveState(place, "cancelled");
  const back = new Guards(place).eventOf(eventType.enter(to));
  const ended = region.machine.step(from, back).timers.filter(({ kind }) => kind === "cancel");
  applyTimers(place, ended);
  place.clear();
  draft.instance.timers = [...draft.instance.timers, ...timers];
  now.state = to;
  now.enteredAt = enteredAt;
  now.path = path;
  now.irrevocable = now.irrevocable.filter(({ at }) => at < path.length);
  draft.tell({ kind: "moved", from, to, why: `taken back by ${draft.actor}`, ...place.where });
  draft.publish(flow, "instance.moved", { from, to, ...place.where });
}

/** Back into a state whose branches had joined, or whose sub-flow had ended: everything in it stands as it did. */
function enterAgain(place: PlaceDraft, passed: PassedInside): void {
  const { now } = place;
  const { branches, child, remembered, sagas, irrevocable } = passed;
  forgetSince(place, passed);
  returnTo(place, passed, passed.state);
  now.irrevocable = irrevocable;
  now.sagas = sagas;
  now.remembered = remembered;
  for (const [name, branch] of Object.entries(branches ?? {})) place.openBranch(name, branch);
  if (child) {
    const { outcome: _, ...running } = child;
    place.openChild(running);
  }
  for (const inner of [...placesBelow(place)].slice(1)) reopenTasks(inner);
}

/** Tasks that ended with the state are there again. */
function reopenTasks(place: PlaceDraft): void {
  const { round } = place.now;
  if (!round || round.result !== undefined) return;
  round.seats.forEach(({ task, status }, index) => {
    if (!task || task.closedAt !== undefined) return;
    forgetClosed(place, task.id);
    if (status === "open") reopen(place, index);
    else place.draft.keep(task);
  });
}

function forgetClosed({ draft: { instance } }: PlaceDraft, id: string): void {
  instance.closedTasks = Object.fromEntries(Object.entries(instance.closedTasks).filter(([, task]) => task.id !== id));
}

/** Seats that ended because of the result have it before them again. */
function openAgain(place: PlaceDraft): void {
  const { certain: _, ...round } = roundOf(place);
  place.now.round = round;
  round.seats.forEach((seat, index) => {
    if (seat.status === "superseded" && !seat.hangs) openSeatAgain(place, index);
  });
}

function openSeatAgain(place: PlaceDraft, index: number): void {
  const { seats } = roundOf(place);
  const { decidedAt: _, reason: __, signature: ___, approvedBefore: ____, ...seat } = seats[index]!;
  setRound(place, { seats: seats.with(index, { ...seat, status: "waiting" }) });
  if (!seat.task) return; // Its turn comes, or not.
  forgetClosed(place, seat.task.id);
  if (seat.candidates) setSeat(place, index, { task: { ...seat.task, assignee: seat.person } });
  reopen(place, index);
  stopSeatTimers(place, index);
  restartSeatTimers(place, index, seat.task.closedAt ?? place.draft.at);
}

/** Neither an earlier approval nor a passed stage any more. */
function forget(place: PlaceDraft, person: string): void {
  const { flow, now, state, address } = place;
  const { rules } = flow.prepared;
  if (rules.remembersApprovals) {
    const round = now.remembered?.round;
    const approvals = flow.memory.approvals.filter((one) => one.person !== person || one.round !== round);
    flow.remember({ approvals });
  }
  if (rules.remembersStages) {
    const { [stageKey(address, now.state, roundOf(place).stage)]: _, ...passed } = flow.memory.passed;
    flow.remember({ passed });
  }
  if (rules.apart.has(state.fullName)) {
    const { deciders } = flow.memory;
    const others = (deciders[state.fullName] ?? []).filter((one) => one !== person);
    flow.remember({ deciders: { ...deciders, [state.fullName]: others } });
  }
}
