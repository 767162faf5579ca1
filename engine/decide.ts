import { addPeople, removePerson } from "./additions.ts";
import { jump, override, resume, suspend, voidInstance } from "./administration.ts";
import { claimTask, releaseTask } from "./claims.ts";
import { refuseMalformed } from "./command-shape.ts";
import { decideTask } from "./decisions.ts";
import { delegateTask } from "./delegations.ts";
import { Draft } from "./draft.ts";
import { type CommandOf, newInstance, sendEvent, settleAll, start } from "./events.ts";
import { fireTimer, isDue, spendTimer } from "./fired-timers.ts";
import { handOver } from "./hand-over.ts";
import { migrate } from "./migration.ts";
import { ask, comment, copy, urge } from "./notes.ts";
import { prepare } from "./prepare.ts";
import { refuse, type Stop } from "./refusal.ts";
import { noteReport } from "./reports.ts";
import { returnTask } from "./returns.ts";
import { advance, noteStep } from "./sagas.ts";
import { setSaga } from "./set-saga.ts";
import { findStuck, handleStuck } from "./stuck-tasks.ts";
import { takeBack } from "./take-back.ts";
import { transferTask } from "./transfers.ts";
import type { Command, Decide, Decision, Definitions, Duplicate, Instance, Place, Refusal } from "./types.ts";
import { signal, signalInVain, withdraw } from "./withdrawals.ts";

/**
 * What a command does to an instance, at an instant, given the answers of the world: a refusal, questions that must be
 * answered first, or the next instance with its history, its effects and the answers that were used.
 * Pure: the same arguments give the same decision. Never throws.
 * @param instance `undefined` for a `start`.
 * @param at not before {@link Instance.updatedAt}.
 * @param definitions of the sub-flows that run in the instance, or are started.
 */
export const decide: Decide = (definition, instance, command, at, answers, definitions = NONE) => {
  const malformed = refuseMalformed(command);
  if (malformed) return malformed;
  const before = instance && findRepetition(instance, command);
  if (before) return before;
  const prepared = prepare(definition);
  const input = { prepared, command, at, answers, definitions };
  if (command.kind === "start") {
    if (instance) return refuseStarted(instance);
    const draft = new Draft({ ...input, instance: newInstance(prepared, command, at) });
    return start(draft, command) ?? settleAll(draft) ?? draft.accept();
  }
  if (!instance) return refuse("not-possible-in-state", "There is no such instance; it has to be started first.");
  const missing = missingDefinition(instance, definitions);
  if (missing) return missing;
  const draft = new Draft({ ...input, instance });
  const stop = run(draft, command) ?? settleAll(draft);
  return stop ? stopped(draft, instance, stop) : draft.accept();
};

const NONE: Definitions = () => undefined;

function run(draft: Draft, command: Exclude<Command, { kind: "start" }>): Stop | undefined {
  switch (command.kind) {
    case "event":
      return sendEvent(draft, command.event, command.payload);
    case "decide":
      return decideOn(draft, command);
    case "return":
      return returnTask(draft, command);
    case "transfer":
      return transferTask(draft, { ...command, kind: "transfer" });
    case "delegate":
      return delegateTask(draft, { ...command, kind: "delegate" });
    case "add":
      return addPeople(draft, command);
    case "remove":
      return removePerson(draft, command);
    case "claim":
      return claimTask(draft, { ...command, kind: "claim" });
    case "release":
      return releaseTask(draft, { ...command, kind: "release" });
    case "take-back":
      return takeBack(draft, { ...command, kind: "take-back" });
    case "withdraw":
      return withdraw(draft, command);
    case "urge":
      return urge(draft);
    case "comment":
      return comment(draft, command);
    case "ask":
      return ask(draft, command);
    case "cc":
      return copy(draft, command);
    case "timer":
      return fireTimer(draft, command.timer);
    case "report":
      return noteReport(draft, command);
    case "signal":
      return signal(draft, command);
    default:
      return administer(draft, command);
  }
}

/** On the seat of an open round, or on a saga that is stuck. */
function decideOn(draft: Draft, command: CommandOf<"decide">): Stop | undefined {
  const stuck = draft.instance.suspended ? undefined : findStuck(draft, command);
  if (!stuck) return decideTask(draft, command);
  return "kind" in stuck ? stuck : handleStuck(stuck, command, advance);
}

type Administration = "suspend" | "resume" | "void" | "jump" | "override" | "set-saga" | "hand-over" | "migrate";

function administer(draft: Draft, command: CommandOf<Administration>): Stop | undefined {
  switch (command.kind) {
    case "suspend":
      return suspend(draft, { ...command, kind: "suspend" });
    case "resume":
      return resume(draft, { ...command, kind: "resume" });
    case "void":
      return voidInstance(draft, { ...command, kind: "void" });
    case "jump":
      return jump(draft, command);
    case "override":
      return override(draft, command);
    case "set-saga":
      return setSaga(draft, command);
    case "hand-over":
      return handOver(draft, command);
    case "migrate":
      return migrate(draft, command);
  }
}

/**
 * A timer, a signal or a report on a saga's step has nobody to refuse to: unless it may go better later, it is accepted and
 * changes nothing but the history; a saga that can't go on is undone. The answers that led to it are kept, so that it replays.
 */
function stopped({ flow, command, at, answers, definitions, used }: Draft, instance: Instance, stop: Stop): Decision {
  if (stop.kind === "needs" || stop.retryable) return stop;
  const vain = new Draft({ prepared: flow.prepared, instance, command, at, answers, definitions }, used);
  if (command.kind === "timer" && isDue(vain, command.timer)) spendTimer(vain, command.timer, stop);
  else if (command.kind === "signal") signalInVain(vain, command, stop);
  else if (command.kind === "report" && command.report.kind === "step")
    noteStep(vain, command.effect, command.report, stop);
  else return stop;
  return settleAll(vain) ?? vain.accept();
}

/** The same id with the same body is the same command; with another body it is a mistake of the sender. */
function findRepetition({ recent }: Instance, { source, id, digest }: Command): Duplicate | Refusal | undefined {
  const earlier = recent.findLast((one) => one.id === id && one.source === source);
  if (!earlier) return undefined;
  if (earlier.digest === digest) return { kind: "duplicate", version: earlier.version };
  return refuse("id-reused", `The id \`${id}\` was used for another command.`, { version: earlier.version });
}

/** Sub-flows that run need their definitions, and so do those whose sagas may be undone. */
function missingDefinition(place: Place & Pick<Instance, "undoing">, definitions: Definitions): Refusal | undefined {
  const { branches, child, sagas, undoing } = place;
  if (!branches && !child && !sagas && !undoing) return undefined;
  const left = [...(sagas ?? []), ...(undoing ?? []).flatMap((one) => one.sagas)];
  const flows = [...(child ? [child] : []), ...left.flatMap(({ flow }) => flow ?? [])];
  for (const { flow, definition } of flows) {
    if (definitions(definition)) continue;
    const message = `The flow \`${flow}\` is not there in the version ${definition}.`;
    return refuse("function-failed", message, { flow }, { retryable: true });
  }
  for (const inner of [...(branches ? Object.values(branches) : []), ...(child ? [child] : [])]) {
    const missing = missingDefinition(inner, definitions);
    if (missing) return missing;
  }
  return undefined;
}

function refuseStarted({ id, state, version }: Instance): Refusal {
  return refuse("not-possible-in-state", "This instance has been started already.", { instance: id, state, version });
}
