import { decide } from "./decide.ts";
import type { Answer, Command, Definition, EpochMs, Instance } from "./types.ts";

/** An accepted command as it is kept. */
export interface HistoryEntry {
  readonly command: Command;
  readonly at: EpochMs;
  /** The answers that were used, by question key. */
  readonly answers: Readonly<Record<string, Answer>>;
}

/**
 * Decides a whole history again, from the start. Gives the instance that the last decision gave.
 * @throws Error if a command is not accepted as it was: another definition or another engine decided it.
 */
export function replay(definition: Definition, history: readonly HistoryEntry[]): Instance {
  let instance: Instance | undefined;
  for (const { command, at, answers } of history) {
    const decision = decide(definition, instance, command, at, (question) => answers[question.key]);
    if (decision.kind !== "accepted") {
      throw new Error(`history does not replay: command ${command.id} is ${decision.kind}`, { cause: decision });
    }
    instance = decision.instance;
  }
  if (!instance) throw new Error("an empty history has no instance");
  return instance;
}
