import type { Call, Received } from "./receivers-testing.ts";

/** What must hold after any faults, of what clients were told, what the store has and what receivers got. */

/** What a client sent until it was acknowledged. */
export interface Sent {
  readonly id: string;
  readonly instance: string;
  /** Those of a lane were sent one after the other, each when the one before was acknowledged. */
  readonly lane: string;
  /** `undecidable`: nobody can decide it, so it belongs to the dead letters. */
  readonly kind: "command" | "undecidable";
  readonly acknowledged: boolean;
  /** That was answered. Messages of the bus are only taken. */
  readonly version?: number;
}

/** An instance as the journal has it. */
export interface Journaled {
  readonly instance: string;
  readonly isChained: boolean;
  readonly state: string;
  readonly decisions: readonly Decided[];
}

export interface Decided {
  readonly command: string;
  readonly kind: string;
  readonly version: number;
  /** Ids of the events that it emitted. */
  readonly emitted: readonly string[];
  /** Did it make the service be called? */
  readonly calls: boolean;
}

export interface Evidence {
  readonly sent: readonly Sent[];
  /** What clients were refused, though nothing was wrong with it. */
  readonly refused: readonly string[];
  readonly journal: readonly Journaled[];
  readonly events: readonly Received[];
  readonly calls: readonly Call[];
  readonly letters: readonly { readonly id: string; readonly reason: string }[];
  /** Effects that are still to be carried out, and those that were given up. */
  readonly effectsLeft: readonly string[];
  /** What a rebuild from the journal finds different in the lists, or can't decide again. */
  readonly differing: readonly string[];
}

/** @returns a line for everything that was lost, doubled, out of order or left over. */
export function findFaults(evidence: Evidence): readonly string[] {
  return [
    ...evidence.refused.map((what) => `refused: ${what}`),
    ...faultsOfCommands(evidence),
    ...evidence.journal.flatMap(faultsOfInstance),
    ...faultsOfEvents(evidence),
    ...faultsOfCalls(evidence),
    ...faultsOfLetters(evidence),
    ...evidence.effectsLeft.map((id) => `effect ${id}: left over`),
    ...evidence.differing.map((what) => `lists differ from the journal: ${what}`),
  ];
}

/** Every acknowledged command is there once, in the order of its lane, and nothing is that nobody sent. */
function faultsOfCommands({ sent, journal }: Evidence): string[] {
  const faults: string[] = [];
  const decided = new Map<string, Decided>();
  /** Of what was sent: its place in the journal of its instance. */
  const places = new Map<string, number>();
  const known = new Set(sent.map(({ id }) => id));
  for (const { instance, decisions } of journal) {
    for (const [place, decision] of decisions.entries()) {
      if (decision.kind === "timer") continue;
      const { command } = decision;
      if (decided.has(command)) faults.push(`${command}: decided twice`);
      if (!known.has(command)) faults.push(`${command}: nobody sent it, ${instance} has it`);
      decided.set(command, decision);
      places.set(command, place);
    }
  }
  const last = new Map<string, number>();
  for (const { id, lane, kind, acknowledged, version } of sent) {
    const decision = decided.get(id);
    if (kind === "undecidable") continue;
    if (!decision) {
      if (acknowledged) faults.push(`${id}: acknowledged and lost`);
      continue;
    }
    if (version !== undefined && decision.version !== version)
      faults.push(`${id}: acknowledged with version ${version}, the journal has ${decision.version}`);
    const place = places.get(id)!;
    if (place < (last.get(lane) ?? -1)) faults.push(`${id}: out of order in ${lane}`);
    last.set(lane, place);
  }
  return faults;
}

function faultsOfInstance({ instance, isChained, state, decisions }: Journaled): string[] {
  const faults: string[] = [];
  if (!isChained) faults.push(`${instance}: the chain of hashes is broken`);
  for (const [index, { version }] of decisions.entries())
    if (version !== index + 1) faults.push(`${instance}: decision ${index + 1} has version ${version}`);
  const timers = decisions.filter(({ kind }) => kind === "timer").length;
  const expected = state === "DONE" ? 1 : 0;
  if (timers !== expected) faults.push(`${instance}: ${timers} timers fired instead of ${expected}`);
  if (state === "REVIEW" || state === "BOOKED") faults.push(`${instance}: stands still in ${state}`);
  return faults;
}

/** Each event at least once, and what a receiver keeps that looks at the id is each of them once. */
function faultsOfEvents({ journal, events }: Evidence): string[] {
  const emitted = journal.flatMap(({ decisions }) => decisions.flatMap((decision) => decision.emitted));
  const faults = repeated(emitted).map((id) => `event ${id}: emitted twice under one id`);
  const received = Map.groupBy(events, ({ id }) => id);
  for (const id of new Set(emitted)) if (!received.has(id)) faults.push(`event ${id}: never received`);
  const known = new Set(emitted);
  for (const [id, copies] of received) {
    if (!known.has(id)) faults.push(`event ${id}: received and never emitted`);
    if (new Set(copies.map(({ body }) => body)).size > 1) faults.push(`event ${id}: its copies differ`);
  }
  return faults;
}

/** Each action is called at least once, always under one key. */
function faultsOfCalls({ journal, calls }: Evidence): string[] {
  const keys = new Map<string, Set<string>>();
  for (const { instance, idempotencyKey } of calls)
    keys.getOrInsertComputed(instance, () => new Set()).add(idempotencyKey);
  const faults: string[] = [];
  for (const { instance, decisions } of journal) {
    const wanted = decisions.filter((decision) => decision.calls).length;
    const got = keys.get(instance)?.size ?? 0;
    if (wanted !== got) faults.push(`${instance}: ${wanted} calls, received under ${got} keys`);
  }
  const known = new Set(journal.map(({ instance }) => instance));
  for (const instance of keys.keys()) if (!known.has(instance)) faults.push(`${instance}: called for, and not there`);
  return faults;
}

/** Only what nobody can decide is a dead letter, and all of that is one. */
function faultsOfLetters({ sent, letters }: Evidence): string[] {
  const wanted = new Set(
    sent.filter(({ kind, acknowledged }) => kind === "undecidable" && acknowledged).map(({ id }) => id),
  );
  const known = new Set(sent.filter(({ kind }) => kind === "undecidable").map(({ id }) => id));
  const got = new Set(letters.map(({ id }) => id));
  return [
    ...[...wanted].filter((id) => !got.has(id)).map((id) => `${id}: neither decided nor a dead letter`),
    ...letters.filter(({ id }) => !known.has(id)).map(({ id, reason }) => `${id}: a dead letter, because ${reason}`),
  ];
}

function repeated(ids: readonly string[]): readonly string[] {
  return [...Map.groupBy(ids, (id) => id)].filter(([, all]) => all.length > 1).map(([id]) => id);
}
