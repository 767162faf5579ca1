import type { Expression, People } from "../dsl/index.ts";
import { type Draft, fieldValue } from "./draft.ts";
import { evaluate, evaluateShown } from "./evaluation.ts";
import { askPeople } from "./questions.ts";
import { refuse } from "./refusal.ts";

/**
 * Who is meant, each once, in order. `undefined`: not known yet, or it failed ({@link Draft.blocked} tells);
 * everything that can be asked at once is asked at once.
 * @param assignee the present holder of the seat, in overdue steps.
 */
export function findPeople(draft: Draft, people: People, assignee?: string): readonly string[] | undefined {
  const found = find(draft, people, assignee);
  return found === undefined || found.length < 2 ? found : [...new Set(found)];
}

/** Is this user among them? `undefined` as in {@link findPeople}. */
export function isAmong(draft: Draft, people: People, user: string | undefined): boolean | undefined {
  return user === undefined ? false : findPeople(draft, people)?.includes(user);
}

/** Does the directory know this user? `undefined` as in {@link findPeople}. */
export function isKnown(draft: Draft, user: string): boolean | undefined {
  const answer = askPeople(draft, "user", [user]);
  return answer && answer.length > 0;
}

function find(draft: Draft, people: People, assignee: string | undefined): readonly string[] | undefined {
  switch (people.kind) {
    case "initiator":
      return [draft.instance.initiator.id];
    case "assignee":
      return assignee === undefined ? [] : [assignee];
    case "actor":
      return draft.actor === undefined ? [] : [draft.actor];
    case "users":
      return people.ids;
    case "group":
    case "role":
    case "dept":
    case "position":
    case "headOf": {
      const argument = usersIn(draft, people.argument)?.[0];
      return argument === undefined ? unlessBlocked(draft) : askPeople(draft, people.kind, [argument]);
    }
    case "managerOf":
      return managers(draft, find(draft, people.of, assignee), people.level);
    case "managersOf":
      return chain(draft, find(draft, people.of, assignee), people);
    case "chosen":
      return chosen(draft, people.field);
    case "value":
      return usersIn(draft, people.value);
    case "named": {
      const meant = draft.prepared.definition.people[people.name];
      return meant ? find(draft, meant, assignee) : [];
    }
    case "ask": {
      const args = people.arguments.map((argument) => evaluateShown(draft, argument));
      return draft.blocked() ? undefined : askPeople(draft, people.name, args);
    }
  }
}

/** Level 2 is the manager's manager. Who has none drops out. */
function managers(draft: Draft, of: readonly string[] | undefined, level: number): readonly string[] | undefined {
  let holders = of;
  for (let step = 0; step < level; step++) {
    holders = askEach(holders, (holder) => askPeople(draft, "managerOf", [holder])?.slice(0, 1));
  }
  return holders;
}

function chain(
  draft: Draft,
  of: readonly string[] | undefined,
  { upTo, topDown }: Extract<People, { kind: "managersOf" }>,
): readonly string[] | undefined {
  const initiator = draft.instance.initiator.id;
  return askEach(of, (holder) => {
    const all = askPeople(draft, "managersOf", [holder])?.filter((manager) => manager !== initiator);
    const part = upTo === "top" ? all : all?.slice(0, upTo);
    return topDown ? part?.toReversed() : part;
  });
}

/** Asks for all of them before giving up on one. */
function askEach(
  holders: readonly string[] | undefined,
  asking: (holder: string) => readonly string[] | undefined,
): readonly string[] | undefined {
  const answers = holders?.map(asking);
  return answers?.every((answer) => answer !== undefined) ? answers.flat() : undefined;
}

/** The pick; without one the command that needs it is refused. */
function chosen(draft: Draft, field: string): readonly string[] | undefined {
  const picked = userList(fieldValue(draft.instance.data, field));
  if (picked.length > 0) return picked;
  draft.fail(refuse("choice-required", `Pick somebody for \`${field}\`.`, { field }));
  return undefined;
}

/** The users (or the one text) that an expression names; none if it is absent. */
function usersIn(draft: Draft, expression: Expression): readonly string[] | undefined {
  const value = evaluate(draft, expression);
  return value === undefined ? unlessBlocked(draft) : userList(value);
}

function userList(value: unknown): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function unlessBlocked(draft: Draft): readonly string[] | undefined {
  return draft.blocked() ? undefined : [];
}
