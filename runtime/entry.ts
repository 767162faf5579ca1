import { hash } from "node:crypto";
import type {
  Accepted,
  Answer,
  Answers,
  Command,
  Definitions,
  Effect,
  EpochMs,
  Instance,
  StoryLine,
} from "../engine/index.ts";
import { decide } from "../engine/index.ts";
import { seal, unseal } from "./key-ring.ts";
import type { RawEffect, SealedEffect, StoredEntry } from "./ports.ts";

/** What one turn did to one instance; the journal's unit. */
export interface Entry {
  /** Hash of the definition that decided. One that moves the instance to another version is the last of its entry. */
  readonly definition: string;
  readonly at: EpochMs;
  readonly decisions: readonly EntryDecision[];
}

export interface EntryDecision {
  readonly command: Command;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly story: readonly StoryLine[];
  /** {@link Instance.version} after it. */
  readonly version: number;
  /** Of the data after it, see `digestData`. */
  readonly dataDigest: string;
}

export const entryDecision = (command: Command, accepted: Accepted, dataDigest: string): EntryDecision => ({
  command,
  answers: accepted.answers,
  story: accepted.story,
  version: accepted.instance.version,
  dataDigest,
});

/** The chain's link: over the bytes as they are stored. */
export const chain = (previous: string, body: string): string => hash("sha256", `${previous}\n${body}`, "hex");

const SEALED = "sealed:";

/** JSON, sealed under the data key where the flow has secrets. */
export const encode = (value: unknown, key: Buffer | undefined): string =>
  key ? SEALED + seal(key, JSON.stringify(value)) : JSON.stringify(value);

export function decode<T>(text: string, key: Buffer | undefined): T {
  if (!text.startsWith(SEALED)) return JSON.parse(text) as T;
  if (!key) throw new Error("this instance is sealed and its data key is missing");
  return JSON.parse(unseal(key, text.slice(SEALED.length))) as T;
}

export const encodeEffects = (
  effects: readonly Effect[],
  key: Buffer | undefined,
): readonly (Effect | SealedEffect)[] => (key ? effects.map((effect) => sealed(effect, key)) : effects);

function sealed(effect: Effect, key: Buffer): SealedEffect {
  const box = { id: effect.id, kind: "sealed", box: encode(effect, key) } as const;
  return effect.kind === "step" ? { ...box, step: true } : box;
}

export const decodeEffect = (stored: Effect | RawEffect | SealedEffect, key: Buffer | undefined): Effect | RawEffect =>
  stored.kind === "sealed" ? decode<Effect>(stored.box, key) : stored;

/** Hashes of the definitions that an entry names: the one that decided, and those whose flows it started or moved to. */
export function definitionsIn({ definition, decisions }: Entry): readonly string[] {
  const chosen = decisions.flatMap(({ answers }) => versionsChosen(answers));
  return chosen.length === 0 ? [definition] : [definition, ...chosen];
}

/** Hashes of the versions of flows that a decision was given. */
export function versionsChosen(answers: EntryDecision["answers"]): readonly string[] {
  let chosen: string[] | undefined;
  for (const key in answers) {
    const answer = answers[key]!;
    if ("definition" in answer) chosen = [...(chosen ?? []), answer.definition];
  }
  return chosen ?? NONE;
}

const NONE: readonly string[] = [];

/**
 * Decides an entry's commands again, with the answers that were used. Gives the instance as it was after the entry.
 * @param seen gets each decision.
 * @throws Error if a decision does not come out as accepted: the definition or the code is not the one that decided.
 */
export function replayEntry(
  definitions: Definitions,
  instance: Instance | undefined,
  entry: Entry,
  seen?: (accepted: Accepted, decision: EntryDecision) => void,
): Instance {
  const definition = definitions(entry.definition);
  if (!definition) throw new Error(`definition ${entry.definition} is not loaded`);
  let current = instance;
  for (const decided of entry.decisions) {
    const { command, answers } = decided;
    const recorded: Answers = (question) => answers[question.key];
    const decision = decide(definition, current, command, entry.at, recorded, definitions);
    if (decision.kind !== "accepted") {
      throw new Error(`replay of command \`${command.id}\` gave \`${decision.kind}\`, the journal says accepted`);
    }
    seen?.(decision, decided);
    current = decision.instance;
  }
  if (!current) throw new Error("an entry without decisions");
  return current;
}

/**
 * @param before hash of what the entries go on from.
 * @returns index of the first entry whose hash does not follow from the one before, or -1.
 */
export function brokenLink(entries: readonly StoredEntry[], before = ""): number {
  let previous = before;
  return entries.findIndex(({ body, hash: stored }) => {
    const expected = chain(previous, body);
    previous = stored;
    return stored !== expected;
  });
}
