/** People for a test: for every way of naming them some that a directory may give. */
import type { Data, Definition, Expression, People } from "../../definition.ts";
import { resolved } from "../covering.ts";

export class SimulatedPeople {
  readonly initiator: string;
  private readonly names: Definition["people"];
  /** Fields whose value the path says. */
  private readonly fixed: ReadonlySet<string> | undefined;
  /** Members of groups and the like, by the fact's left side. */
  private readonly members = new Map<string, readonly string[]>();
  private readonly managers = new Map<string, string>();
  private readonly picked = new Map<string, string>();

  /** @param fixed fields in which nobody else may be picked; absent: in none. */
  constructor(names: Definition["people"], initiator: string, fixed: ReadonlySet<string> | undefined) {
    this.names = names;
    this.initiator = initiator;
    this.fixed = fixed;
  }

  /** The same people, in a flow that runs in this one. */
  inFlow(names: Definition["people"]): SimulatedPeople {
    const inner = new SimulatedPeople(names, this.initiator, undefined);
    return Object.assign(inner, { members: this.members, managers: this.managers });
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
        return meant.value.kind === "field" ? this.inField(meant.value.name, data) : undefined;
      case "chosen":
        return this.inField(meant.field, data);
      default:
        return undefined;
    }
  }

  /** So many of them, with this person; `undefined`: a test can't have him among them. */
  including(people: People, person: string, count: number): readonly string[] | undefined {
    const meant = resolved(people, this.names);
    const left = "argument" in meant ? this.leftSide(meant.kind, textOf(meant.argument, {})) : undefined;
    if (left !== undefined && !this.members.has(left) && meant.kind !== "headOf") this.members.set(left, [person]);
    if (meant.kind === "managerOf" && !this.managers.has(person)) this.managers.set(person, person);
    const found = this.of(people, {}, count);
    return found?.includes(person) ? found : undefined;
  }

  /** People whom the initiator has picked, by field. */
  picks(): Data {
    return Object.fromEntries(this.picked);
  }

  /** May it be left open who they are, so that they are nobody? */
  canBeNobody(people: People): boolean {
    const meant = resolved(people, this.names);
    if (meant.kind === "managerOf" || meant.kind === "managersOf") return this.managers.size === 0;
    if (!("argument" in meant)) return false;
    const left = this.leftSide(meant.kind, textOf(meant.argument, {}));
    return left !== undefined && !this.members.has(left);
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
    const left = this.leftSide(kind, argument);
    if (left === undefined) return undefined;
    const before = this.members.get(left) ?? [];
    const others = Array.from({ length: Math.max(0, count - before.length) }, (_, index) => {
      return `${argument}-${before.length + index + 1}`;
    });
    const all = [...before, ...others];
    this.members.set(left, all);
    return all;
  }

  private leftSide(kind: string, argument: string | undefined): string | undefined {
    return argument === undefined ? undefined : `${kind}(${JSON.stringify(argument)})`;
  }

  /** Where the path leaves the field open, somebody. */
  private inField(name: string, data: Data): readonly string[] | undefined {
    const there = asList(data[name]);
    if (there || this.fixed === undefined || this.fixed.has(name)) return there;
    const somebody = `${name}-1`;
    this.picked.set(name, somebody);
    return [somebody];
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

function asList(value: Data[string] | undefined): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) && value.length > 0 ? value.map(String) : undefined;
}
