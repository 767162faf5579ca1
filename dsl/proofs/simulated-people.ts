/** People for a test: for every way of naming them some that a directory may give. */
import type { Data, Definition, Expression, People } from "../definition.ts";
import { resolved } from "./covering.ts";

export class SimulatedPeople {
  readonly initiator: string;
  private readonly names: Definition["people"];
  /** Members of groups and the like, by the fact's left side. */
  private readonly members = new Map<string, readonly string[]>();
  private readonly managers = new Map<string, string>();

  constructor(names: Definition["people"], initiator: string) {
    this.names = names;
    this.initiator = initiator;
  }

  /** At least `count` of them where the directory says who they are; `undefined`: a test can't say. */
  of(people: People, data: Data, count: number): readonly string[] | undefined {
    const meant = resolved(people, this.names);
    switch (meant.kind) {
      case "initiator":
        return [this.initiator];
      case "users":
        return meant.ids;
      case "group":
      case "role":
      case "dept":
      case "position":
      case "headOf":
        return this.membersOf(meant.kind, textOf(meant.argument, data), meant.kind === "headOf" ? 1 : count);
      case "managerOf":
        return this.superiors(meant.of, data, meant.level)?.slice(-1);
      case "managersOf": {
        const all = this.superiors(meant.of, data, meant.upTo === "top" ? 1 : meant.upTo);
        return meant.topDown ? all?.toReversed() : all;
      }
      case "value":
        return named(meant.value, data);
      case "chosen":
        return asList(data[meant.field]);
      default:
        return undefined;
    }
  }

  /** May it be left open who they are, so that they are nobody? */
  canBeNobody(people: People): boolean {
    const meant = resolved(people, this.names);
    if (meant.kind === "managerOf" || meant.kind === "managersOf") return this.managers.size === 0;
    if (!("argument" in meant)) return false;
    const argument = textOf(meant.argument, {});
    return argument !== undefined && !this.members.has(`${meant.kind}(${JSON.stringify(argument)})`);
  }

  hasManager(person: string): boolean {
    return this.managers.has(person);
  }

  /** As `given` says them. */
  facts(): readonly string[] {
    const managers = [...this.managers].map(
      ([of, manager]) => `managerOf(${JSON.stringify(of)}) = ${JSON.stringify(manager)}`,
    );
    const members = [...this.members].map(
      ([left, ids]) => `${left} = [${ids.map((id) => JSON.stringify(id)).join(", ")}]`,
    );
    return [...managers, ...members];
  }

  private membersOf(kind: string, argument: string | undefined, count: number): readonly string[] | undefined {
    if (argument === undefined) return undefined;
    const left = `${kind}(${JSON.stringify(argument)})`;
    const before = this.members.get(left) ?? [];
    const all = Array.from({ length: Math.max(count, before.length) }, (_, index) => `${argument}-${index + 1}`);
    this.members.set(left, all);
    return all;
  }

  private superiors(of: People, data: Data, levels: number): readonly string[] | undefined {
    const [first, ...others] = this.of(of, data, 1) ?? [];
    if (first === undefined || others.length > 0) return undefined;
    const found: string[] = [];
    for (let person = first; found.length < levels; ) {
      const manager: string = this.managers.get(person) ?? `${person}-manager`;
      this.managers.set(person, manager);
      found.push(manager);
      person = manager;
    }
    return found;
  }
}

function textOf(argument: Expression, data: Data): string | undefined {
  if (argument.kind === "literal") return String(argument.value);
  if (argument.kind !== "field") return undefined;
  const value = data[argument.name];
  return typeof value === "string" ? value : undefined;
}

function named(value: Expression, data: Data): readonly string[] | undefined {
  return value.kind === "field" ? asList(data[value.name]) : undefined;
}

function asList(value: Data[string] | undefined): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) && value.length > 0 ? value.map(String) : undefined;
}
