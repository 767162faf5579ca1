/** Who takes a seat that would fall to somebody: deputies (休假代理), successors (离职), and the rules about oneself. */
import { dateIn } from "./calendar.ts";
import { distinct } from "./distinct.ts";
import { approvalOf } from "./open-round.ts";
import { findPeople } from "./people.ts";
import type { PlaceDraft } from "./place.ts";
import { askAbsences, askPeople } from "./questions.ts";
import type { Absence } from "./types.ts";

export interface Sitter {
  readonly person: string;
  /** The absent person for whom this is the deputy. */
  readonly onBehalfOf?: string;
}

/** Most deputies and successors that follow one another. */
const CHAIN_MAX = 20;

/**
 * Who sits where these people would: absent ones are replaced, the initiator as `onSelf` says, who may not decide here is
 * dropped. Each once, in order. `undefined`: not known yet, or it failed ({@link Draft.blocked} tells).
 */
export function seated(place: PlaceDraft, people: readonly string[]): readonly Sitter[] | undefined {
  if (people.length === 0) return [];
  const present = replaceAbsent(place, people);
  if (!present) return undefined;
  const others = replaceSelf(place, present);
  const allowed = others && dropForbidden(place, others);
  return allowed && unique(allowed);
}

/** Who takes over a seat that is moved to this person; `"left"` if nobody does. `undefined` as in {@link seated}. */
export function takesOver(place: PlaceDraft, person: string): Sitter | "left" | undefined {
  const present = replaceAbsent(place, [person]);
  return present && (present[0] ?? "left");
}

/** Who decided a state that must be decided by others (`different people in [..]`). */
export function decidedApart({ flow, state }: PlaceDraft, person: string): boolean {
  const apart = flow.prepared.rules.apart.get(state.fullName);
  return apart?.some((other) => flow.memory.deciders[other]?.includes(person)) ?? false;
}

/** May this person never approve? `undefined` as in {@link seated}. */
export function neverApproves(place: PlaceDraft, person: string): boolean | undefined {
  for (const people of place.flow.prepared.rules.never) {
    const found = findPeople(place, people);
    if (!found) return undefined;
    if (found.includes(person)) return true;
  }
  return false;
}

/** Asks for all who are named at once, then for the deputies of those who are absent, and so on. */
function absencesOf(place: PlaceDraft, people: readonly string[]): ReadonlyMap<string, Absence> | undefined {
  let wave = distinct(people);
  let absences = askAbsences(place, wave);
  if (!absences || isEmpty(absences)) return absences && NOBODY;
  const known = new Map<string, Absence>();
  const asked = new Set<string>();
  for (let step = 1; absences; step++) {
    for (const person of wave) asked.add(person);
    const next = new Set<string>();
    for (const [person, absence] of Object.entries(absences)) {
      known.set(person, absence);
      const instead = insteadOf(place, absence);
      if (instead !== undefined && !asked.has(instead)) next.add(instead);
    }
    if (next.size === 0 || step === CHAIN_MAX) return known;
    wave = [...next];
    absences = askAbsences(place, wave);
  }
  return undefined;
}

const NOBODY: ReadonlyMap<string, Absence> = new Map();

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}

function insteadOf(place: PlaceDraft, absence: Absence): string | undefined {
  return absence.left ? absence.left.successor : deputyNow(place, absence);
}

/** Both days of an absence are absent as a whole, in the calendar's zone. */
function deputyNow({ draft, flow }: PlaceDraft, { away }: Absence): string | undefined {
  if (!away || away.length === 0) return undefined;
  const today = dateIn(draft.at, flow.prepared.definition.calendar);
  return away.find(({ from, to }) => from <= today && today <= to)?.deputy;
}

function replaceAbsent(place: PlaceDraft, people: readonly string[]): readonly Sitter[] | undefined {
  const absences = absencesOf(place, people);
  if (!absences) return undefined;
  if (absences.size === 0) return people.map((person) => ({ person }));
  return people.flatMap((person) => follow(place, person, absences) ?? []);
}

/** To the first who is there; `undefined`: somebody left and nobody follows. */
function follow(place: PlaceDraft, first: string, absences: ReadonlyMap<string, Absence>): Sitter | undefined {
  const { draft } = place;
  const seen = new Set([first]);
  let person = first;
  let away: string | undefined;
  for (;;) {
    const absence = absences.get(person);
    const instead = absence && insteadOf(place, absence);
    if (instead === undefined && !absence?.left) break;
    if (!absence?.left) away ??= person;
    const isCircle = instead !== undefined && seen.has(instead);
    if (instead === undefined || isCircle) {
      if (away !== undefined)
        return stay(place, away, isCircle ? "the deputies stand for one another" : `${person} has left`);
      draft.tell({ kind: "dropped", person: first, why: `${person} has left` });
      return undefined;
    }
    seen.add(person);
    person = instead;
  }
  if (person === first) return { person };
  draft.tell({ kind: "stood-in", for: first, by: person, why: away === undefined ? "left" : "away" });
  return away === undefined ? { person } : { person, onBehalfOf: first };
}

/** Nobody who is there stands in for somebody who is away: the seat stays with them. */
function stay({ draft }: PlaceDraft, person: string, because: string): Sitter {
  const why = `nobody stands in for ${person}: ${because}`;
  draft.tell({ kind: "alert", why });
  draft.notify([draft.instance.initiator.id], { kind: "alert", reason: why });
  return { person };
}

function replaceSelf(place: PlaceDraft, sitters: readonly Sitter[]): readonly Sitter[] | undefined {
  const { draft } = place;
  const initiator = draft.instance.initiator.id;
  const { onSelf } = approvalOf(place);
  if (onSelf === "ask" || !sitters.some(({ person }) => person === initiator)) return sitters;
  const superior = onSelf === "manager" ? superiorOf(place, initiator) : null;
  if (superior === undefined) return undefined;
  if (superior) draft.tell({ kind: "stood-in", for: initiator, by: superior.person, why: "self" });
  else draft.tell({ kind: "dropped", person: initiator, why: "started it" });
  return sitters.flatMap((sitter) => (sitter.person === initiator ? (superior ?? []) : sitter));
}

/** `null`: there is none, or it leads back to the initiator. */
function superiorOf(place: PlaceDraft, initiator: string): Sitter | null | undefined {
  const superiors = askPeople(place, "managerOf", [initiator])?.slice(0, 1);
  const present = superiors && replaceAbsent(place, superiors);
  if (!present) return undefined;
  const [superior] = present;
  return superior && superior.person !== initiator ? superior : null;
}

function dropForbidden(place: PlaceDraft, sitters: readonly Sitter[]): readonly Sitter[] | undefined {
  const { never, apart } = place.flow.prepared.rules;
  if (never.length === 0 && apart.size === 0) return sitters;
  const kept: Sitter[] = [];
  for (const sitter of sitters) {
    const { person } = sitter;
    const forbidden = neverApproves(place, person);
    if (forbidden === undefined) return undefined;
    if (forbidden || decidedApart(place, person)) {
      const why = forbidden ? "never approves" : "decided a state that other people must decide";
      place.draft.tell({ kind: "dropped", person, why });
    } else kept.push(sitter);
  }
  return kept;
}

/** One's own seat goes before one that is held for another. */
function unique(sitters: readonly Sitter[]): readonly Sitter[] {
  const people = sitters.map(({ person }) => person);
  if (distinct(people) === people) return sitters;
  const byPerson = new Map<string, Sitter>();
  for (const sitter of sitters) {
    const known = byPerson.get(sitter.person);
    if (!known || (known.onBehalfOf !== undefined && sitter.onBehalfOf === undefined))
      byPerson.set(sitter.person, sitter);
  }
  return [...byPerson.values()];
}
