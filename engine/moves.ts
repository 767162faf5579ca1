/** Taking the lines of a flow. */
import type { Outcome, Trigger } from "../dsl/index.ts";
import { applySets, deliver, perform } from "./actions.ts";
import type { Draft } from "./draft.ts";
import { termText } from "./durations.ts";
import { enterState, leaveState, openState } from "./entering.ts";
import { evaluateShown } from "./evaluation.ts";
import { Guards } from "./guards.ts";
import { AUTOMATIC_MOVES_MAX, eventType, type MachineEvent } from "./machine.ts";
import { begunSince } from "./path.ts";
import { isAmong } from "./people.ts";
import { outward, refuseMissingPick } from "./picks.ts";
import type { PlaceDraft } from "./place.ts";
import type { PreparedLine } from "./prepare.ts";
import { putOff, undoneSince } from "./put-off.ts";
import { ask } from "./questions.ts";
import { refuse, type Stop } from "./refusal.ts";
import type { Refusal } from "./types.ts";

/**
 * Takes the first line of the place's state that applies to the machine's event: conditions, picks and checks are looked at
 * in this order, then the machine moves.
 * @param allowed lines whose `by` lets the actor pass; absent: all.
 */
export function takeLine(place: PlaceDraft, type: string, allowed?: ReadonlySet<number>): Stop | undefined {
  const guards = new Guards(place, allowed);
  const event = guards.eventOf(type);
  const possible = place.region.machine.can(place.now.state, event);
  const blocked = place.draft.blocked();
  if (blocked) return blocked;
  if (!possible) return guards.refusal();
  const line = place.region.lines[guards.chosen!]!;
  const target = outward(place, line.transition.up ?? 0);
  const stop = refuseMissingPick(target, line.transition.to) ?? refuseReturn(target, line) ?? runChecks(place, line);
  if (stop) return stop;
  if (!waitsForUndo(place, target, guards.chosen!)) moveAlong(place, target, event, guards.chosen!);
  return undefined;
}

/** Whoever goes back over finished sagas has them undone first. A withdrawal to a state that was not passed undoes all. */
function waitsForUndo(place: PlaceDraft, target: PlaceDraft, index: number): boolean {
  const { trigger, to } = place.region.lines[index]!.transition;
  if (trigger.kind !== "outcome" || (trigger.outcome !== "returned" && trigger.outcome !== "withdrawn")) return false;
  const states: string[] = [];
  for (let at: PlaceDraft = place; ; at = at.fork!) {
    states.unshift(at.now.state);
    if (at === target) break;
  }
  const move = { kind: "line" as const, from: place.address, states, line: index };
  const isReturn = trigger.outcome === "returned";
  return putOff(target, undoneSince(target, to, !isReturn), move, isReturn ? "returned" : "cancelled");
}

/** Does a line of the place's state apply to the event? {@link Draft.blocked} tells if that is not known. */
export function canTake(place: PlaceDraft, type: string, allowed?: ReadonlySet<number>): boolean {
  const guards = new Guards(place, allowed);
  return place.region.machine.can(place.now.state, guards.eventOf(type));
}

/** Lines of an event whose `by` holds; `undefined`: none of them has a `by`. */
export function allowedLines(place: PlaceDraft, type: string): ReadonlySet<number> | Stop | undefined {
  const { draft, region, state } = place;
  const lines = state.lines.get(type) ?? [];
  const byOf = (line: number) => region.lines[line]!.transition.by;
  if (lines.every((line) => !byOf(line))) return undefined;
  const allowed = new Set(
    lines.filter((line) => {
      const by = byOf(line);
      return !by || isAmong(place, by, draft.actor);
    }),
  );
  return draft.blocked() ?? (allowed.size > 0 ? allowed : refuseActor(place));
}

function refuseActor({ draft: { actor, event }, now: { state } }: PlaceDraft): Refusal {
  const who = actor === undefined ? "Nobody in particular" : `\`${actor}\``;
  return refuse("not-authorized", `${who} may not send \`${event ?? ""}\` in \`${state}\`.`, { state });
}

/** Going back over what can't be undone is refused. */
function refuseReturn(target: PlaceDraft, { transition: { trigger, to } }: PreparedLine): Refusal | undefined {
  return trigger.kind === "outcome" && trigger.outcome === "returned" ? refuseDelivered(target, to) : undefined;
}

export function refuseDelivered({ now }: PlaceDraft, to: string): Refusal | undefined {
  const begun = begunSince(now, to);
  if (begun.length === 0) return undefined;
  const message = `\`${to}\` can't be returned to: ${begun.join(", ")} can't be undone.`;
  return refuse("effects-delivered", message, { effects: begun });
}

/** Checks are asked together and veto in their order. */
function runChecks(place: PlaceDraft, { checks }: PreparedLine): Stop | undefined {
  const { draft } = place;
  const asked = checks.map(({ name, arguments: expressions }) => {
    const args = expressions.map((expression) => evaluateShown(place, expression));
    return { name, answer: draft.blocked()?.kind === "refused" ? undefined : ask(place, "check", name, args) };
  });
  const blocked = draft.blocked();
  if (blocked) return blocked;
  for (const { name, answer } of asked) {
    if (!answer || !("ok" in answer)) {
      return refuse("function-failed", `\`${name}\` did not answer yes or no.`, { function: name });
    }
    const { ok, reason } = answer;
    const because = reason === undefined ? undefined : { reason };
    if (!ok) {
      const message = `\`${name}\` says no${reason ? `: ${reason}` : ""}.`;
      return refuse("check-failed", message, { function: name, ...because });
    }
    draft.tell({ kind: "checked", function: name, ok, ...because });
  }
  return undefined;
}

/** Takes a line whose conditions and checks were looked at. @param target where it leads: the place or one further out. */
export function moveAlong(place: PlaceDraft, target: PlaceDraft, event: MachineEvent, index: number): void {
  const { transition, functions } = place.region.lines[index]!;
  const { trigger, actions, to } = transition;
  const from = place.now.state;
  const returned = trigger.kind === "outcome" && trigger.outcome === "returned";
  const back = returned || (trigger.kind === "outcome" && trigger.outcome === "withdrawn");
  leaveState(target, returned ? "returned" : "cancelled");
  applySets(place, actions);
  const entry = { back, why: triggerText(trigger) };
  if (target === place) enterState(place, event, entry);
  else enterState(target, new Guards(target).eventOf(eventType.enter(to)), { ...entry, from, line: index });
  perform(target, actions, from, functions);
  if (trigger.kind === "event") deliver(target, trigger.event, functions);
  openState(target);
}

/** Moves to a state without a line: a return to it, a withdrawal that no line takes, a jump. */
export function moveTo(place: PlaceDraft, to: string, why: string, back = true): void {
  if (back && putOff(place, undoneSince(place, to, true), { kind: "state", to, why })) return;
  leaveState(place, "cancelled");
  enterState(place, new Guards(place).eventOf(eventType.enter(to)), { back, why });
  openState(place);
}

/** Tells the machines what their states came to until somebody has to act again. */
export function settle(
  draft: Draft,
  start: (place: PlaceDraft, event: string) => Stop | undefined,
  resume: (draft: Draft) => boolean,
): Stop | undefined {
  for (let moves = 0; ; moves++) {
    const blocked = draft.blocked();
    if (blocked) return blocked;
    const place = placeAtWork(draft.place);
    if (moves === AUTOMATIC_MOVES_MAX) return refuseEndless(draft.place);
    if (!place) {
      if (!resume(draft)) return undefined;
    } else {
      const stop = goOn(place, start);
      if (stop) return stop;
    }
  }
}

/** The innermost comes first: what it comes to may be an outcome further out. */
function placeAtWork(place: PlaceDraft): PlaceDraft | undefined {
  for (const branch of place.branches.values()) {
    const found = branch.gone ? undefined : placeAtWork(branch);
    if (found) return found;
  }
  const found = place.child && placeAtWork(place.child.place);
  return found ?? (place.pending !== undefined || place.starting !== undefined ? place : undefined);
}

function goOn(place: PlaceDraft, start: (place: PlaceDraft, event: string) => Stop | undefined): Stop | undefined {
  const { pending, starting } = place;
  if (pending !== undefined) {
    place.pending = undefined;
    return takeOutcome(place, pending);
  }
  place.starting = undefined;
  return start(place, starting!);
}

/** Takes the line of an outcome; what a branch does not handle may be for the state around it. */
export function takeOutcome(place: PlaceDraft, outcome: Outcome): Stop | undefined {
  const type = eventType.outcome(outcome);
  if (place.state.lines.has(type)) return takeLine(place, type);
  const { fork, now } = place;
  const handled = outcome === "rejected" ? fork?.state.parallel?.rejectOne : outcome === "returned";
  if (fork && handled) return takeOutcome(fork, outcome);
  const { state } = now;
  if (outcome === "returned") return refuse("no-such-target", `\`${state}\` has no line \`on returned\`.`, { state });
  return refuse("not-possible-in-state", `\`${state}\` has no line \`on ${outcome}\`.`, { state });
}

function refuseEndless({ now: { state } }: PlaceDraft): Refusal {
  const message = `The flow moved by itself ${AUTOMATIC_MOVES_MAX} times and did not come to rest, last in \`${state}\`.`;
  return refuse("not-possible-in-state", message, { state });
}

export function triggerText(trigger: Trigger): string {
  switch (trigger.kind) {
    case "event":
      return `on "${trigger.event}"`;
    case "outcome":
      return `on ${trigger.outcome}`;
    case "after":
      return `after ${termText(trigger.term)}`;
    case "at":
      return "at its instant";
  }
}
