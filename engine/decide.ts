import { decideTask, returnTask, transferTask } from "./decisions.ts";
import { Draft } from "./draft.ts";
import { newInstance, sendEvent, start } from "./events.ts";
import { fireTimer, isDue, spendTimer } from "./fired-timers.ts";
import { settle } from "./moves.ts";
import { prepare } from "./prepare.ts";
import { refuse, type Stop } from "./refusal.ts";
import { noteReport } from "./reports.ts";
import type { Command, Decide, Decision, Duplicate, Instance, Refusal } from "./types.ts";
import { signal, signalInVain, withdraw } from "./withdrawals.ts";

/**
 * What a command does to an instance, at an instant, given the answers of the world: a refusal, questions that must be
 * answered first, or the next instance with its history, its effects and the answers that were used.
 * Pure: the same arguments give the same decision. Never throws.
 * @param instance `undefined` for a `start`.
 * @param at not before {@link Instance.updatedAt}.
 */
export const decide: Decide = (definition, instance, command, at, answers) => {
  const before = instance && findRepetition(instance, command);
  if (before) return before;
  const prepared = prepare(definition);
  if (command.kind === "start") {
    if (instance) return refuseStarted(instance);
    const draft = new Draft(prepared, newInstance(prepared, command, at), command, at, answers);
    return start(draft, command) ?? settle(draft) ?? draft.accept();
  }
  if (!instance) return refuse("not-possible-in-state", "There is no such instance; it has to be started first.");
  const draft = new Draft(prepared, instance, command, at, answers);
  const stop = run(draft, command) ?? settle(draft);
  return stop ? stopped(draft, instance, stop) : draft.accept();
};

function run(draft: Draft, command: Exclude<Command, { kind: "start" }>): Stop | undefined {
  switch (command.kind) {
    case "event":
      return sendEvent(draft, command.event, command.payload);
    case "decide":
      return decideTask(draft, command);
    case "return":
      return returnTask(draft, command);
    case "transfer":
      return transferTask(draft, command);
    case "withdraw":
      return withdraw(draft, command);
    case "timer":
      return fireTimer(draft, command.timer);
    case "report":
      return noteReport(draft, command.report);
    case "signal":
      return signal(draft, command);
  }
}

/**
 * A timer or a signal has nobody to refuse to: unless it may go better later, it is accepted and changes nothing but the history.
 * The answers that led to it are kept, so that it replays.
 */
function stopped({ prepared, command, at, answers, used }: Draft, instance: Instance, stop: Stop): Decision {
  if (stop.kind === "needs" || stop.retryable) return stop;
  const vain = new Draft(prepared, instance, command, at, answers, used);
  if (command.kind === "timer" && isDue(vain, command.timer)) spendTimer(vain, command.timer, stop);
  else if (command.kind === "signal") signalInVain(vain, command, stop);
  else return stop;
  return vain.accept();
}

/** The same id with the same body is the same command; with another body it is a mistake of the sender. */
function findRepetition({ recent }: Instance, { source, id, digest }: Command): Duplicate | Refusal | undefined {
  const earlier = recent.findLast((one) => one.id === id && one.source === source);
  if (!earlier) return undefined;
  if (earlier.digest === digest) return { kind: "duplicate", version: earlier.version };
  return refuse("id-reused", `The id \`${id}\` was used for another command.`, { version: earlier.version });
}

function refuseStarted({ id, state, version }: Instance): Refusal {
  return refuse("not-possible-in-state", "This instance has been started already.", { instance: id, state, version });
}
