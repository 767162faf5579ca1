import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, type Definition } from "../dsl/index.ts";
import { type Accepted, type Answers, type Command, decide, type Instance, instanceId } from "../engine/index.ts";
import { FLOWS } from "./folder.ts";

/** Instants are given, not read. */
const STARTED_AT = Date.UTC(2026, 0, 5, 1);
const MINUTE = 60_000;

type Part<Each = Command> = Each extends unknown
  ? Omit<Each, "id" | "source" | "digest" | "tenant" | "instance" | "key" | "initiator">
  : never;

type Payload = Extract<Command, { kind: "start" }>["payload"];

const submit = (payload: NonNullable<Payload>): Part => ({
  ...{ kind: "start", actor: "alice", data: {}, event: "submit", payload },
});

/** A step as it can be decided again and again: the same arguments give the same decision. */
export interface MemoryStep {
  /** As it comes from a store; `undefined` before the start. */
  readonly instance: Instance | undefined;
  readonly command: Command;
  readonly at: number;
  readonly accepted: Accepted;
}

/** One instance in memory that goes through a flow of the benchmarks, a minute per command. */
export class InMemory {
  readonly definition: Definition;
  readonly answers: Answers;
  instance: Instance | undefined;
  private number = 0;

  constructor(definition: Definition, answers: Answers) {
    this.definition = definition;
    this.answers = answers;
    this.instance = undefined;
  }

  /** Begins with `submit`, by `alice`. */
  start(payload: NonNullable<Payload> = {}): this {
    this.take(submit(payload));
    return this;
  }

  /** The start itself, as a step. */
  nextStart(payload: NonNullable<Payload>): MemoryStep {
    const { command, at } = this.commandOf(submit(payload));
    return { instance: undefined, command, at, accepted: this.accept(undefined, command, at) };
  }

  approve(...people: readonly string[]): this {
    for (const actor of people) this.take({ kind: "decide", actor, decision: "approve" });
    return this;
  }

  /** The next command, without going on: what is measured. */
  next(part: Part): MemoryStep {
    const { instance } = this;
    if (!instance) throw new Error("it has to be started first");
    const { command, at } = this.commandOf(part);
    const accepted = this.accept(instance, command, at);
    return { instance: JSON.parse(JSON.stringify(instance)) as Instance, command, at, accepted };
  }

  decide({ instance, command, at }: MemoryStep, definition: Definition = this.definition): Accepted | undefined {
    const decision = decide(definition, instance, command, at, this.answers);
    return decision.kind === "accepted" ? decision : undefined;
  }

  take(part: Part): void {
    const { command, at } = this.commandOf(part);
    this.instance = this.accept(this.instance, command, at).instance;
    this.number += 1;
  }

  private commandOf(part: Part): { command: Command; at: number } {
    const key = "P-2026-0001";
    const instance = instanceId("default", this.definition.flow, key);
    const number = String(this.number);
    const command = {
      ...part,
      id: `018f3c5a-7c2e-7000-8000-${number.padStart(12, "0")}`,
      digest: number.padStart(64, "0"),
      ...{ source: "bench", tenant: "default", instance, key, initiator: { id: "alice" } },
    } as Command;
    return { command, at: STARTED_AT + this.number * MINUTE };
  }

  private accept(instance: Instance | undefined, command: Command, at: number): Accepted {
    const decision = decide(this.definition, instance, command, at, this.answers);
    if (decision.kind !== "accepted") throw new Error(`\`${command.kind}\` gave ${JSON.stringify(decision)}`);
    return decision;
  }
}

/** Answers of a world where everybody is there. */
export function worldOf(people: Readonly<Record<string, readonly string[]>>): Answers {
  return ({ kind, name }) => {
    if (kind === "absences") return { absences: {} };
    const found = people[name];
    return found && { people: found };
  };
}

export function readDefinition(name: string): Definition {
  const file = join(FLOWS, `${name}.flow`);
  const [definition] = compile(readFileSync(file, "utf8"), file).definitions;
  if (definition === undefined) throw new Error(`${file} has no sound flow`);
  return definition;
}
