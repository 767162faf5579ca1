import type { Expression, People } from "../dsl/index.ts";
import { distinct } from "./distinct.ts";
import { evaluate, evaluateShown } from "./evaluation.ts";
import type { PlaceDraft } from "./place.ts";
import { askPeople } from "./questions.ts";
import { refuse } from "./refusal.ts";
import { fieldValue } from "./values.ts";

/**
 * Who is meant, each once, in order. `undefined`: not known yet, or it failed ({@link Draft.blocked} tells);
 * everything that can be asked at once is asked at once.
 * @param assignee the present holder of the seat, in overdue steps.
 */
export function findPeople(place: PlaceDraft, people: People, assignee?: string): readonly string[] | undefined {
  return unique(find(place, people, { assignee }));
}

/** Who is meant to decide: as {@link findPeople}, but a department that the initiator heads goes one further up. */
export function findDeciders(place: PlaceDraft, people: People): readonly string[] | undefined {
  return unique(find(place, people, { decides: true }));
}

interface Purpose {
  readonly assignee?: string | undefined;
  readonly decides?: boolean;
}

function unique(found: readonly string[] | undefined): readonly string[] | undefined {
  return found && distinct(found);
}

/** Is this user among them? `undefined` as in {@link findPeople}. */
export function isAmong(place: PlaceDraft, people: People, user: string | undefined): boolean | undefined {
  return user === undefined ? false : findPeople(place, people)?.includes(user);
}

/** Does the directory know this user? `undefined` as in {@link findPeople}. */
export function isKnown(place: PlaceDraft, user: string): boolean | undefined {
  const answer = askPeople(place, "user", [user]);
  return answer && answer.length > 0;
}

function find(place: PlaceDraft, people: People, purpose: Purpose): readonly string[] | undefined {
  switch (people.kind) {
    case "initiator":
      return [place.draft.instance.initiator.id];
    case "assignee":
      return purpose.assignee === undefined ? [] : [purpose.assignee];
    case "actor":
      return place.draft.actor === undefined ? [] : [place.draft.actor];
    case "users":
      return people.ids;
    case "group":
    case "role":
    case "dept":
    case "position":
      return named(place, people.kind, people.argument);
    case "headOf": {
      const heads = named(place, "headOf", people.argument);
      return purpose.decides ? oneUp(place, heads) : heads;
    }
    case "managerOf":
      return managers(place, find(place, people.of, purpose), people.level);
    case "managersOf":
      return chain(place, find(place, people.of, purpose), people);
    case "chosen":
      return chosen(place, people.field);
    case "value":
      return usersIn(place, people.value);
    case "named": {
      const meant = place.flow.prepared.definition.people[people.name];
      return meant ? find(place, meant, purpose) : [];
    }
    case "ask": {
      const args = people.arguments.map((argument) => evaluateShown(place, argument));
      return place.draft.blocked() ? undefined : askPeople(place, people.name, args);
    }
  }
}

/** Members of what the argument names. */
function named(place: PlaceDraft, kind: string, argument: Expression): readonly string[] | undefined {
  const name = usersIn(place, argument)?.[0];
  return name === undefined ? unlessBlocked(place) : askPeople(place, kind, [name]);
}

/** Who heads the department does not decide on their own form: their superior does. */
function oneUp(place: PlaceDraft, heads: readonly string[] | undefined): readonly string[] | undefined {
  const initiator = place.draft.instance.initiator.id;
  if (!heads?.includes(initiator)) return heads;
  return askEach(heads, (head) => (head === initiator ? askPeople(place, "managerOf", [head])?.slice(0, 1) : [head]));
}

/** Level 2 is the manager's manager. Who has none drops out. */
function managers(place: PlaceDraft, of: readonly string[] | undefined, level: number): readonly string[] | undefined {
  let holders = of;
  for (let step = 0; step < level; step++) {
    holders = askEach(holders, (holder) => askPeople(place, "managerOf", [holder])?.slice(0, 1));
  }
  return holders;
}

function chain(
  place: PlaceDraft,
  of: readonly string[] | undefined,
  { upTo, topDown }: Extract<People, { kind: "managersOf" }>,
): readonly string[] | undefined {
  const initiator = place.draft.instance.initiator.id;
  return askEach(of, (holder) => {
    const all = askPeople(place, "managersOf", [holder])?.filter((manager) => manager !== initiator);
    const part = upTo === "top" ? all : all?.slice(0, upTo);
    return topDown ? part?.toReversed() : part;
  });
}

/** Asks for all of them before giving up on one. */
function askEach(
  holders: readonly string[] | undefined,
  asking: (holder: string) => readonly string[] | undefined,
): readonly string[] | undefined {
  if (holders?.length === 1) return asking(holders[0]!);
  const answers = holders?.map(asking);
  return answers?.every((answer) => answer !== undefined) ? answers.flat() : undefined;
}

/** The pick; without one the command that needs it is refused. */
function chosen(place: PlaceDraft, field: string): readonly string[] | undefined {
  const picked = userList(fieldValue(place.flow.now.data, field));
  if (picked.length > 0) return picked;
  place.draft.fail(refuse("choice-required", `Pick somebody for \`${field}\`.`, { field }));
  return undefined;
}

/** The users (or the one text) that an expression names; none if it is absent. */
function usersIn(place: PlaceDraft, expression: Expression): readonly string[] | undefined {
  const value = evaluate(place, expression);
  return value === undefined ? unlessBlocked(place) : userList(value);
}

function userList(value: unknown): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function unlessBlocked(place: PlaceDraft): readonly string[] | undefined {
  return place.draft.blocked() ? undefined : [];
}
