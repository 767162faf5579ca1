import type { Outcome, Trigger } from "../dsl/index.ts";
import { applySets, deliver, perform } from "./actions.ts";
import { type Draft, fieldValue } from "./draft.ts";
import { durationText } from "./durations.ts";
import { evaluateShown } from "./evaluation.ts";
import { Guards } from "./guards.ts";
import { AUTOMATIC_MOVES_MAX, eventType, type MachineEvent } from "./machine.ts";
import { begunSince, goBack, walk } from "./path.ts";
import { isAmong } from "./people.ts";
import { chosenFields, type PreparedLine } from "./prepare.ts";
import { ask } from "./questions.ts";
import { refuse, type Stop } from "./refusal.ts";
import { leaveRound, openStage } from "./rounds.ts";
import { applyTimers } from "./timers.ts";
import type { Refusal } from "./types.ts";

/**
 * Takes the first line of the current state that applies to the machine's event: `by`, conditions, picks and checks are
 * looked at in this order, then the instance moves.
 * @param receive takes in what the event carries. It runs after `by`, so that nobody can let himself pass with it.
 */
export function takeLine(draft: Draft, type: string, receive?: () => Stop | undefined): Stop | undefined {
  const allowed = allowedLines(draft, draft.state.lines.get(type) ?? []);
  if (allowed && "kind" in allowed) return allowed;
  const unreadable = receive?.();
  if (unreadable) return unreadable;
  const guards = new Guards(draft, allowed);
  const event = guards.eventOf(type);
  const possible = draft.prepared.machine.can(draft.instance.state, event);
  const blocked = draft.blocked();
  if (blocked) return blocked;
  if (!possible) return guards.refusal();
  const line = draft.prepared.lines[guards.chosen!]!;
  const stop = refuseMissingPick(draft, line.transition.to) ?? refuseReturn(draft, line) ?? runChecks(draft, line);
  if (stop) return stop;
  moveAlong(draft, event, line);
  return undefined;
}

/** Lines of an event whose `by` holds; `undefined`: none of them has a `by`. */
function allowedLines(draft: Draft, lines: readonly number[]): ReadonlySet<number> | Stop | undefined {
  const transitions = draft.prepared.definition.transitions;
  if (lines.every((line) => !guardedBy(transitions[line]!))) return undefined;
  const allowed = new Set(
    lines.filter((line) => {
      const by = guardedBy(transitions[line]!);
      return !by || isAmong(draft, by, draft.actor);
    }),
  );
  return draft.blocked() ?? (allowed.size > 0 ? allowed : refuseActor(draft));
}

/** `by` is about who sends an event; outcomes and timers are sent by nobody. */
function guardedBy({ trigger, by }: PreparedLine["transition"]): PreparedLine["transition"]["by"] {
  return trigger.kind === "event" ? by : undefined;
}

function refuseActor({ actor, event, instance }: Draft): Refusal {
  const who = actor === undefined ? "Nobody in particular" : `\`${actor}\``;
  return refuse("not-authorized", `${who} may not send \`${event ?? ""}\` in \`${instance.state}\`.`, {
    state: instance.state,
  });
}

/** Going back over what can't be undone is refused. */
function refuseReturn(draft: Draft, { transition: { trigger, to } }: PreparedLine): Refusal | undefined {
  return trigger.kind === "outcome" && trigger.outcome === "returned" ? refuseDelivered(draft, to) : undefined;
}

export function refuseDelivered({ instance }: Draft, to: string): Refusal | undefined {
  const begun = begunSince(instance, to);
  if (begun.length === 0) return undefined;
  const message = `\`${to}\` can't be returned to: ${begun.join(", ")} can't be undone.`;
  return refuse("effects-delivered", message, { effects: begun });
}

/** `chosen(FIELD)` of the first stage ahead needs its pick before anything is asked of others. */
function refuseMissingPick({ prepared, instance }: Draft, to: string): Refusal | undefined {
  const people = prepared.states.get(to)!.approval?.stages[0]?.people;
  if (!people) return undefined;
  const field = chosenFields(people, prepared.definition.people).find((name) =>
    isEmpty(fieldValue(instance.data, name)),
  );
  if (field === undefined) return undefined;
  return refuse("choice-required", `Pick somebody for \`${field}\`, who decides in \`${to}\`.`, { field });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** Checks are asked together and veto in their order. */
function runChecks(draft: Draft, { checks }: PreparedLine): Stop | undefined {
  const asked = checks.map(({ name, arguments: expressions }) => {
    const args = expressions.map((expression) => evaluateShown(draft, expression));
    return { name, args, answer: draft.blocked()?.kind === "refused" ? undefined : ask(draft, "check", name, args) };
  });
  const blocked = draft.blocked();
  if (blocked) return blocked;
  for (const { name, answer } of asked) {
    if (!answer || !("ok" in answer)) {
      return refuse("function-failed", `\`${name}\` did not answer yes or no.`, { function: name });
    }
    const { ok, reason } = answer;
    const because = reason === undefined ? undefined : { reason };
    if (!ok)
      return refuse("check-failed", `\`${name}\` says no${reason ? `: ${reason}` : ""}.`, {
        function: name,
        ...because,
      });
    draft.tell({ kind: "checked", function: name, ok, ...because });
  }
  return undefined;
}

function moveAlong(draft: Draft, event: MachineEvent, { transition, functions }: PreparedLine): void {
  const { trigger, actions } = transition;
  const from = draft.instance.state;
  const back = trigger.kind === "outcome" && (trigger.outcome === "returned" || trigger.outcome === "withdrawn");
  leaveRound(draft, back && trigger.outcome === "returned" ? "returned" : "cancelled");
  applySets(draft, actions);
  enter(draft, event, { back, why: triggerText(trigger) });
  perform(draft, actions, from, functions);
  if (trigger.kind === "event") deliver(draft, trigger.event, functions);
  openApproval(draft);
}

/** Moves to a state without a line: a return to it, a withdrawal that no line takes. */
export function moveTo(draft: Draft, to: string, why: string): void {
  leaveRound(draft, "cancelled");
  enter(draft, new Guards(draft).eventOf(eventType.enter(to)), { back: true, why });
  openApproval(draft);
}

function enter(draft: Draft, event: MachineEvent, { back, why }: { back: boolean; why: string }): void {
  const { instance, prepared, at } = draft;
  const from = instance.state;
  const { to, line, timers } = prepared.machine.step(from, event);
  const way = back ? goBack(instance, to) : walk(instance, to);
  instance.path = way.path;
  instance.irrevocable = way.irrevocable;
  instance.state = to;
  instance.enteredAt = at;
  instance.round = undefined;
  if (from === prepared.definition.initial) instance.touched = false;
  applyTimers(draft, timers);
  draft.tell({ kind: "moved", from, to, ...(line !== undefined && { line }), why });
  draft.publish("instance.moved", { from, to });
  if (draft.state.final) finish(draft);
}

function finish(draft: Draft): void {
  const { instance } = draft;
  instance.outcome = instance.state;
  instance.timers = [];
  draft.tell({ kind: "finished", outcome: instance.state });
  draft.publish("instance.finished", { outcome: instance.state });
}

/** Begins in `initial`: its timers start and its approval opens. */
export function begin(draft: Draft): void {
  const { machine, definition } = draft.prepared;
  const { initial } = definition;
  applyTimers(draft, machine.step(initial, new Guards(draft).eventOf(eventType.enter(initial))).timers);
  if (draft.state.final) finish(draft);
  openApproval(draft);
}

/** Opens the entered state's approval, if it has one. */
function openApproval(draft: Draft): void {
  if (draft.state.approval) openStage(draft, 0);
}

/** Tells the machine what approvals came to until somebody has to act again. */
export function settle(draft: Draft): Stop | undefined {
  for (let moves = 0; draft.pending !== undefined; moves++) {
    const blocked = draft.blocked();
    if (blocked) return blocked;
    if (moves === AUTOMATIC_MOVES_MAX) return refuseEndless(draft);
    const outcome = draft.pending;
    draft.pending = undefined;
    const stop = takeOutcome(draft, outcome);
    if (stop) return stop;
  }
  return draft.blocked();
}

export function takeOutcome(draft: Draft, outcome: Outcome): Stop | undefined {
  const type = eventType.outcome(outcome);
  if (draft.state.lines.has(type)) return takeLine(draft, type);
  const { state } = draft.instance;
  if (outcome === "returned") return refuse("no-such-target", `\`${state}\` has no line \`on returned\`.`, { state });
  return refuse("not-possible-in-state", `\`${state}\` has no line \`on ${outcome}\`.`, { state });
}

function refuseEndless({ instance: { state } }: Draft): Refusal {
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
      return `after ${durationText(trigger.ms)}`;
    case "at":
      return "at its instant";
  }
}
