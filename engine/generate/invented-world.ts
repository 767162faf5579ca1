/** A directory and functions that make up whatever is asked, and remember what they made up. */
import { type Definition, type Describer, describer, plainValueOf, type Type, type Value } from "../../dsl/index.ts";
import { visit } from "../secrets.ts";
import { SimulatedWorld } from "../simulated-world.ts";
import type { Answer, Question } from "../types.ts";
import { currencyOf, showValue } from "../values.ts";

/** Names for those above the initiator, the nearest first. */
const SUPERIORS = ["bob", "carol", "dave", "erin"];
/** People of a group, unless a quorum asks for more. */
const MEMBERS_MIN = 2;

/** Answers that a scenario wants of functions, by name; and the saga steps that fail. */
export interface WorldChoices {
  readonly answers: ReadonlyMap<string, Value>;
  readonly failing: ReadonlySet<string>;
}

/** Everything is answered: people are found, guards say yes, checks too. {@link facts} tells a test block the same. */
export class InventedWorld extends SimulatedWorld {
  private readonly definition: Definition;
  private readonly describe: Describer;
  private readonly initiator: string;
  private readonly choices: WorldChoices;
  private readonly types: ReadonlyMap<string, Type>;
  private readonly members: number;
  private readonly told = new Map<string, string>();

  constructor(definition: Definition, initiator: string, choices: WorldChoices) {
    super();
    this.definition = definition;
    this.describe = describer(definition);
    this.initiator = initiator;
    this.choices = choices;
    this.types = answerTypes(definition);
    this.members = membersOf(definition);
    for (const name of choices.failing) {
      this.told.set(name, `${name} fails`);
      this.give({ kind: "fails", name });
    }
  }

  /** What a test has to give, as it is written after `given`, for everything that was asked. */
  facts(): readonly string[] {
    return [...this.told.values()];
  }

  override answer(question: Question): Answer {
    const { kind, name, arguments: args } = question;
    if (kind === "guard" || kind === "value") return this.inventAnswer(kind, name);
    if (kind === "people" && name !== "user") this.inventPeople(name, args[0]);
    return super.answer(question);
  }

  private inventPeople(name: string, argument: unknown): void {
    const about = typeof argument === "string" ? argument : "";
    const key = `${name}(${about})`;
    const people = this.told.has(key) ? [] : this.peopleFor(name, about);
    if (people.length === 0) return;
    this.give({ kind: "people", name, argument: about, people });
    const [first] = people;
    const names = name === "managerOf" || name === "headOf" ? quoted(first!) : `[${people.map(quoted).join(", ")}]`;
    this.told.set(key, `${about === "" ? name : `${name}(${quoted(about)})`} = ${names}`);
  }

  private peopleFor(name: string, argument: string): readonly string[] {
    switch (name) {
      case "managerOf":
        return this.above(argument).slice(0, 1);
      case "managersOf":
        return this.above(argument);
      case "headOf":
        return [`${slug(argument)}-head`];
      default:
        return Array.from({ length: this.members }, (_, index) => `${slug(argument || name)}-${index + 1}`);
    }
  }

  private above(user: string): readonly string[] {
    if (user === this.initiator) return SUPERIORS;
    const at = SUPERIORS.indexOf(user);
    if (at !== -1) return SUPERIORS.slice(at + 1);
    return user.endsWith("-lead") ? [] : [`${user}-lead`];
  }

  private inventAnswer(kind: "guard" | "value", name: string): Answer {
    const type = this.types.get(name) ?? WEIGHT;
    const value = this.choices.answers.get(name) ?? usualAnswer(type);
    if (kind === "guard") {
      this.told.set(name, `${name} = ${value === true ? "yes" : "no"}`);
      return { ok: value === true };
    }
    this.told.set(name, `${name} = ${this.describe.value(type, value)}`);
    return { value: showValue(type, value, currencyOf(this.definition)) };
  }
}

/** Of those whom nothing asks in an expression: everybody weighs the same. */
const WEIGHT: Type = { kind: "int" };

function usualAnswer(type: Type): Value {
  if (type === WEIGHT) return 1;
  return type.kind === "bool" ? true : plainValueOf(type);
}

/** What guards and value functions answer, by name. */
export function answerTypes(definition: Definition): ReadonlyMap<string, Type> {
  const types = new Map<string, Type>();
  visit(definition, (node) => {
    if (node["kind"] !== "ask" || !("function" in node)) return;
    types.set(String(node["name"]), node["function"] === "guard" ? { kind: "bool" } : (node["type"] as Type));
  });
  return types;
}

/** Enough for every quorum. */
function membersOf(definition: Definition): number {
  let members = MEMBERS_MIN;
  visit(definition, (node) => {
    const { kind, count } = node as { kind?: unknown; count?: unknown };
    if (kind === "count" && typeof count === "number") members = Math.max(members, count);
  });
  return members;
}

/** Ids are short and without blanks. */
function slug(text: string): string {
  return text.replaceAll(/\s+/g, "-");
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
