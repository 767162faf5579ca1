import type { Fact } from "../dsl/index.ts";
import { literalEquals, literalToJson } from "./test-literals.ts";
import type { Absence, Answer, Question } from "./types.ts";

/** People questions that every directory answers: with nobody, where the test says nothing. */
const DIRECTORY = new Set(["group", "role", "dept", "position", "headOf", "managerOf", "managersOf", "user"]);

type AnswerFact = Extract<Fact, { kind: "answer" }>;

/** What is wrong with a test itself, as opposed to the flow. */
export class TestFault extends Error {}

/** The directory, functions and services around a test: what its `given`s say, the newest winning. */
export class SimulatedWorld {
  private readonly people = new Map<string, readonly string[]>();
  private readonly given: AnswerFact[] = [];
  private readonly failuresLeft = new Map<string, number>();
  private readonly durations = new Map<string, number>();
  private readonly absent = new Map<string, Absence>();
  private listed: Set<string> | undefined;

  give(fact: Fact): void {
    switch (fact.kind) {
      case "people":
        this.people.set(personKey(fact.name, fact.argument), fact.people);
        break;
      case "users":
        this.listed = new Set([...(this.listed ?? []), ...fact.people]);
        break;
      case "away":
        this.addAbsence(fact);
        break;
      case "left":
        this.absent.set(fact.user, { left: { ...(fact.successor !== undefined && { successor: fact.successor }) } });
        break;
      case "answer":
        this.given.push(fact);
        break;
      case "fails":
        this.failuresLeft.set(fact.name, fact.times ?? Number.POSITIVE_INFINITY);
        break;
      case "takes":
        this.durations.set(fact.name, fact.ms);
        break;
    }
  }

  private addAbsence({ user, from, to, deputy }: Extract<Fact, { kind: "away" }>): void {
    const earlier = this.absent.get(user);
    const away = { from, to, ...(deputy !== undefined && { deputy }) };
    this.absent.set(user, { ...earlier, away: [away, ...(earlier?.away ?? [])] });
  }

  /** How long a service or action takes. */
  durationMs(name: string): number {
    return this.durations.get(name) ?? 0;
  }

  /** Does it fail this time? Uses up one of the failures that the test gives it. */
  fails(name: string): boolean {
    const left = this.failuresLeft.get(name) ?? 0;
    if (left <= 0) return false;
    this.failuresLeft.set(name, left - 1);
    return true;
  }

  group(name: string): readonly string[] {
    return this.people.get(personKey("group", name)) ?? [];
  }

  /** @throws TestFault where only the test could say the answer and does not. */
  answer(question: Question): Answer {
    const { kind, name } = question;
    if (kind === "absences") return { absences: this.absencesOf(question.arguments.map(String)) };
    if (kind === "people" && DIRECTORY.has(name)) return { people: this.directory(question) };
    if (this.fails(name)) return { failed: "the test lets it fail", retryable: true };
    const people = kind === "people" ? this.people.get(personKey(name, question.arguments[0])) : undefined;
    if (people) return { people };
    const fact = this.factFor(question);
    if (fact) return answerOf(question, fact);
    if (kind === "check") return { ok: true };
    throw new TestFault(`Nothing is given for the ${kind} function \`${name}\`; say \`given ${name} = …\`.`);
  }

  private absencesOf(users: readonly string[]): Readonly<Record<string, Absence>> {
    return Object.fromEntries(
      users.flatMap((user) => {
        const absence = this.absent.get(user);
        return absence ? [[user, absence] as const] : [];
      }),
    );
  }

  /** A fact for just these arguments goes before one for all. */
  private factFor({ name, arguments: args }: Question): AnswerFact | undefined {
    const facts = this.given.filter((fact) => fact.name === name);
    const exact = facts.findLast(
      ({ arguments: wanted }) =>
        wanted?.length === args.length && wanted.every((literal, index) => literalEquals(literal, args[index])),
    );
    return exact ?? facts.findLast((fact) => fact.arguments === undefined);
  }

  private directory({ name, arguments: [argument], context }: Question): readonly string[] {
    const user = String(argument);
    if (name === "user") return this.listed === undefined || this.listed.has(user) ? [user] : [];
    const given = this.people.get(personKey(name, user));
    if (given || name !== "managersOf") return given ?? [];
    return this.managersAbove(user).filter((manager) => manager !== context.initiator.id);
  }

  /** Follows `managerOf` upward, and stops where it would turn in a circle. */
  private managersAbove(user: string): string[] {
    const chain = new Set<string>();
    let manager = this.people.get(personKey("managerOf", user))?.[0];
    while (manager !== undefined && manager !== user && !chain.has(manager)) {
      chain.add(manager);
      manager = this.people.get(personKey("managerOf", manager))?.[0];
    }
    return [...chain];
  }
}

function personKey(name: string, argument: unknown): string {
  return `${name}(${argument ?? ""})`;
}

function answerOf({ kind, name }: Question, { answer }: AnswerFact): Answer {
  const value = "value" in answer ? literalToJson(answer.value) : answer.ok;
  switch (kind) {
    case "value":
      return { value };
    case "people":
      if (typeof value === "string") return { people: [value] };
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return { people: value };
      throw new TestFault(`\`${name}\` finds people; give it users like \`["ann"]\`.`);
    default:
      if (typeof value !== "boolean") throw new TestFault(`\`${name}\` is a ${kind}; give it \`yes\` or \`no\`.`);
      return "ok" in answer ? answer : { ok: value };
  }
}
