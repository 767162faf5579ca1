import { decide } from "./decide.ts";
import type { Answer, Command, Definition, Definitions, EpochMs, Instance } from "./types.ts";

/** An accepted command as it is kept. */
export interface HistoryEntry {
  readonly command: Command;
  readonly at: EpochMs;
  /** The answers that were used, by question key. */
  readonly answers: Readonly<Record<string, Answer>>;
}

/**
 * Decides a whole history again, from the start. Gives the instance that the last decision gave.
 * @param definition on which it started.
 * @param definitions of sub-flows, and of the versions it was moved to.
 * @throws Error if a command is not accepted as it was: another definition or another engine decided it.
 */
export function replay(
  definition: Definition,
  history: readonly HistoryEntry[],
  definitions: Definitions = () => undefined,
): Instance {
  let instance: Instance | undefined;
  for (const { command, at, answers } of history) {
    const version = (instance && definitions(instance.definition)) ?? definition;
    const decision = decide(version, instance, command, at, (question) => answers[question.key], definitions);
    if (decision.kind !== "accepted") {
      throw new Error(`history does not replay: command ${command.id} is ${decision.kind}`, { cause: decision });
    }
    instance = decision.instance;
  }
  if (!instance) throw new Error("an empty history has no instance");
  return instance;
}
