import assert from "node:assert/strict";
import { compile, type Definition } from "../../dsl/index.ts";
import { type Answers, type Command, decide, type Instance, type Task } from "../../engine/index.ts";
import type { Happening } from "./round-model.ts";
import type { Mode, Stage } from "./stage.ts";

/** A Monday morning; every command comes a second after the one before. */
const AT = Date.UTC(2026, 0, 5, 1);
const SECOND_MS = 1000;

/** The engine, run along, with what it has told of tasks. */
export class EngineRun {
  instance: Instance;
  private readonly definition: Definition;
  private readonly answers: Answers;
  private readonly tasks = new Map<string, Task>();
  private commands = 0;

  constructor(stage: Stage) {
    this.definition = definitionOf(stage);
    this.answers = ({ kind, arguments: args }) => {
      if (kind === "value") return { value: stage.weights?.[String(args[0])] ?? 1 };
      return kind === "absences" ? { absences: {} } : { people: args.map(String) };
    };
    const start = {
      id: "start",
      source: "model",
      digest: "",
      kind: "start",
      tenant: "t",
      instance: "i",
      key: "k",
    } as const;
    const started = decide(
      this.definition,
      undefined,
      { ...start, initiator: { id: "alice" }, actor: "alice", data: {}, event: "submit" },
      AT,
      this.answers,
    );
    assert.equal(started.kind, "accepted", JSON.stringify(started));
    assert(started.kind === "accepted");
    this.instance = started.instance;
    this.note(started.tasks);
  }

  /** `undefined`: accepted. */
  do(what: Happening): string | undefined {
    this.commands += 1;
    const command = commandOf(what, `c-${this.commands}`);
    const at = AT + this.commands * SECOND_MS;
    const decision = decide(this.definition, this.instance, command, at, this.answers);
    if (decision.kind === "refused") return decision.code;
    assert(decision.kind === "accepted", JSON.stringify(decision));
    this.instance = decision.instance;
    this.note(decision.tasks);
    const again = decide(this.definition, this.instance, command, at, this.answers);
    assert.equal(again.kind, "duplicate", "the same command again");
    return undefined;
  }

  /** People with open tasks. */
  open(): readonly string[] {
    return [...this.tasks.values()]
      .filter(({ status }) => status === "open")
      .map(({ assignee }) => assignee)
      .sort();
  }

  /** Tasks that nobody has brought to an end. */
  unfinished(): readonly Task[] {
    return [...this.tasks.values()].filter(({ status }) => status === "open" || status === "waiting");
  }

  newest(person: string): string | undefined {
    return [...this.tasks.values()].findLast(({ assignee }) => assignee === person)?.status;
  }

  private note(tasks: readonly Task[]): void {
    for (const task of tasks) this.tasks.set(task.id, task);
  }
}

function modeText(mode: Mode, stage: Stage): string {
  switch (mode.kind) {
    case "count":
      return `quorum ${mode.count}`;
    case "share": {
      const ratio = mode.of === 100 ? `${mode.strict ? "> " : ""}${mode.part}%` : `${mode.part}/${mode.of}`;
      return `quorum ${ratio}${stage.weights ? " weight weightOf" : ""}`;
    }
    default:
      return mode.kind;
  }
}

const usersText = (ids: readonly string[]) => `users(${ids.map((id) => `"${id}"`).join(", ")})`;

export function flowText(stage: Stage): string {
  const groups = stage.groups.map(({ people, mode }) => `${usersText(people)} ${modeText(mode, stage)}`).join(" and ");
  return `state machine "model" {
  initial: DRAFT
  states: [DRAFT, REVIEW, YES, NO]
  final: [YES, NO]
  state REVIEW {
    approval by ${groups}${stage.veto.length > 0 ? ` veto ${usersText(stage.veto)}` : ""} {
      allow: [transfer, delegate, addBefore, addBefore advisory, addAfter, addBeside, remove, takeBack, abstain]
      reject: ${stage.reject}
      abstain: ${stage.abstain}
      onEmpty: ${stage.onEmpty}
      ${stage.collect ? "collect: all" : ""}
    }
  }
  transitions {
    DRAFT → REVIEW on "submit"
    REVIEW → YES on approved
    REVIEW → NO on rejected
  }
}
`;
}

const compiled = new Map<string, Definition>();

function definitionOf(stage: Stage): Definition {
  const text = flowText(stage);
  let definition = compiled.get(text);
  if (!definition) {
    const { definitions, diagnostics } = compile(text, "model.flow");
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.deepEqual(
      errors.map(({ message }) => message),
      [],
      text,
    );
    definition = definitions[0]!;
    compiled.set(text, definition);
  }
  return definition;
}

const DECISIONS = { approved: "approve", rejected: "reject", abstained: "abstain" } as const;

function commandOf(what: Happening, id: string): Command {
  const base = { id, source: "model", digest: JSON.stringify(what) };
  switch (what.kind) {
    case "decide":
      return { ...base, kind: "decide", actor: what.actor, decision: DECISIONS[what.opinion] };
    case "add":
      return { ...base, ...what };
    case "admin-remove":
      return { ...base, kind: "remove", admin: true, person: what.person, reason: "model" };
    case "override":
      return {
        ...base,
        kind: "override",
        decision: what.result === "approved" ? "approve" : "reject",
        reason: "model",
      };
    case "hand-over":
      return { ...base, ...what };
    default:
      return { ...base, ...what };
  }
}
