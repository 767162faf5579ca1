/** Definitions and histories by hand, for tests. */
import type {
  Action,
  Approval,
  Branch,
  Definition,
  EventDefinition,
  Expression,
  FieldDefinition,
  Group,
  Mode,
  Outcome,
  People,
  PeopleStage,
  Region,
  StateDefinition,
  Term,
  Transition,
  Trigger,
  Type,
  Value,
} from "../dsl/index.ts";
import { decide } from "./decide.ts";
import type { HistoryEntry } from "./replay.ts";
import { tell } from "./story.ts";
import { compareTimers } from "./timers.ts";
import type { Accepted, Answer, Command, Decision, Instance, Place, Question, Task } from "./types.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const START = Date.UTC(2026, 0, 5, 1);

export const users = (...ids: string[]): People => ({ kind: "users", ids });
export const quorum = (count: number): Mode => ({ kind: "quorum", threshold: { kind: "count", count } });
export const share = (part: number, of: number, strict = false): Mode => ({
  kind: "quorum",
  threshold: { kind: "share", part, of, strict },
});

export function group(
  people: People,
  mode: Mode | "any" | "all" | "sequence" = "any",
  reject?: Group["reject"],
  pick = false,
): Group {
  const full: Mode = typeof mode === "string" ? { kind: mode } : mode;
  return { people, mode: full, reject: reject ?? (full.kind === "quorum" ? "rest" : "one"), pick };
}

export function stage(...of: Parameters<typeof group>): PeopleStage {
  return { kind: "vote", groups: [group(...of)] };
}

export function handling(...of: Parameters<typeof group>): PeopleStage {
  return { kind: "handle", groups: [group(...of)] };
}

/** `due: D`, in ms. */
export const dueIn = (ms: number, perStage = false): NonNullable<Approval["due"]> => ({ term: natural(ms), perStage });

export const natural = (ms: number): Term => ({ kind: "natural", ms });

export function approval(chain: Approval["chain"], options: Partial<Approval> = {}): Approval {
  return {
    chain,
    overdue: [],
    overdueRepeat: 0,
    onEmpty: { kind: "hold" },
    onSelf: "ask",
    repeated: "ask",
    allow: [],
    onReturn: "restart",
    edit: [],
    editReopens: false,
    hide: [],
    abstain: "leaves",
    collectAll: false,
    reasonRequiredOn: [],
    signatureRequired: false,
    ...options,
  };
}

export const on = (event: string): Trigger => ({ kind: "event", event });
export const outcome = (name: Outcome): Trigger => ({
  kind: "outcome",
  outcome: name,
});
export const after = (ms: number): Trigger => ({ kind: "after", term: natural(ms) });

export function line(
  from: string | readonly string[],
  to: string,
  trigger: Trigger,
  options: Partial<Transition> & { readonly actions?: readonly Action[] } = {},
): Transition {
  return {
    from: typeof from === "string" ? [from] : from,
    any: false,
    to,
    trigger,
    otherwise: false,
    actions: [],
    ...options,
  };
}

export const text = (value: string): Expression => ({ kind: "literal", type: { kind: "text" }, value });
export const literal = (type: Type, value: Value): Expression => ({ kind: "literal", type, value });
export const field = (name: string, type: Type): Expression => ({ kind: "field", name, type });
export const MONEY: Type = { kind: "money", signed: false };
export const BOOL: Type = { kind: "bool" };

export const guard = (name: string, ...args: Expression[]): Expression => ({
  kind: "ask",
  function: "guard",
  name,
  arguments: args,
  type: BOOL,
});

/** `amount > 5000` in the main unit. */
export function moreThan(name: string, amount: number): Expression {
  const right = literal(MONEY, amount * 100);
  return { kind: "binary", operator: ">", left: field(name, MONEY), right, type: BOOL };
}

export function dataField(name: string, type: Type, options: Partial<FieldDefinition> = {}): FieldDefinition {
  return { name, type, optional: false, secret: false, ...options };
}

/** An approval, or whatever else a state has. */
export type StateOf = Approval | "final" | "plain" | Omit<StateDefinition, "name" | "final">;

export interface Flow {
  readonly states: Readonly<Record<string, StateOf>>;
  readonly transitions: readonly Transition[];
  readonly fields?: readonly FieldDefinition[];
  /** Payload by event; fields of the flow by name. */
  readonly events?: Readonly<Record<string, readonly (string | FieldDefinition)[]>>;
  readonly more?: Partial<Definition>;
}

export function definition({ states, transitions, fields = [], events = {}, more = {} }: Flow): Definition {
  const named = eventsIn({ states: statesOf(states), transitions });
  return {
    format: 1,
    hash: "0".repeat(64),
    flow: "test",
    currency: "CNY",
    currencyDecimals: 2,
    initial: Object.keys(states)[0]!,
    states: statesOf(states),
    fields,
    events: [...new Set([...named, ...Object.keys(events)])].map((name) =>
      eventNamed(name, fields, events[name] ?? []),
    ),
    people: {},
    transitions,
    routes: [],
    documents: {},
    matrices: {},
    sagas: {},
    ensure: [],
    migrations: [],
    functions: [],
    ...more,
  };
}

export function statesOf(states: Readonly<Record<string, StateOf>>): StateDefinition[] {
  return Object.entries(states).map(([name, is]) => ({
    name,
    final: is === "final",
    ...(typeof is === "object" && ("chain" in is ? { approval: is } : is)),
  }));
}

/** A branch of a parallel state. */
export function branch(
  name: string,
  states: Readonly<Record<string, StateOf>>,
  transitions: readonly Transition[],
  more: Partial<Branch> = {},
): Branch {
  return { name, otherwise: false, initial: Object.keys(states)[0]!, states: statesOf(states), transitions, ...more };
}

/** Events that lines name, in branches too. */
function eventsIn({ states, transitions }: Pick<Region, "states" | "transitions">): string[] {
  return [
    ...transitions.flatMap(({ trigger }) => (trigger.kind === "event" ? [trigger.event] : [])),
    ...states.flatMap(({ parallel }) => parallel?.branches.flatMap(eventsIn) ?? []),
  ];
}

function eventNamed(
  name: string,
  fields: readonly FieldDefinition[],
  payload: readonly (string | FieldDefinition)[],
): EventDefinition {
  return {
    name,
    payload: payload.map((one) =>
      typeof one === "string"
        ? { ...fields.find((field) => field.name === one)!, data: true }
        : { ...one, data: false },
    ),
  };
}

/** A draft that is submitted to one approval; the shortest flow with everything. */
export function simple(review: Approval, more: Partial<Flow> = {}): Definition {
  return definition({
    states: { DRAFT: "plain", REVIEW: review, APPROVED: "final", REJECTED: "final", CANCELLED: "final" },
    transitions: [
      line("DRAFT", "REVIEW", on("submit")),
      line("REVIEW", "APPROVED", outcome("approved")),
      line("REVIEW", "REJECTED", outcome("rejected")),
      line("REVIEW", "DRAFT", outcome("returned")),
      line(["DRAFT", "REVIEW"], "CANCELLED", on("cancel"), { any: true }),
    ],
    ...more,
  });
}

export type Sent = Command extends infer Each
  ? Each extends Command
    ? Omit<Each, "id" | "source" | "digest">
    : never
  : never;

/** What the world answers, by question key or by `KIND:NAME`. Users exist unless said. */
export type World = Readonly<Record<string, Answer | undefined>>;

export const answerFrom =
  (world: World) =>
  (question: Question): Answer | undefined => {
    const short = `${question.kind}:${question.name}`;
    if (question.key in world) return world[question.key];
    if (short in world) return world[short];
    if (short === "people:user") return { people: [question.arguments[0] as string] };
    if (question.kind === "people") return { people: [] };
    if (question.kind === "absences") return { absences: {} };
    return question.kind === "check" ? { ok: true } : undefined;
  };

function waitingIn({ round, branches = {}, child }: Place): string[] {
  const open = (round?.seats ?? []).flatMap(({ status, person, candidates = [] }) =>
    status === "open" ? (person === "" ? candidates : [person]) : [],
  );
  return [...open, ...Object.values(branches).flatMap(waitingIn), ...(child ? waitingIn(child) : [])];
}

/** Drives one instance through the real engine and remembers its history. */
export class Driver {
  readonly definition: Definition;
  world: World;
  at = START;
  instance: Instance | undefined;
  last: Decision | undefined;
  readonly history: HistoryEntry[] = [];
  readonly accepted: Accepted[] = [];
  private commands = 0;

  /** Definitions of sub-flows. */
  readonly others: readonly Definition[];

  constructor(definition: Definition, world: World = {}, others: readonly Definition[] = []) {
    this.definition = definition;
    this.others = others;
    this.world = world;
    this.instance = undefined;
    this.last = undefined;
  }

  send(sent: Sent & { readonly id?: string; readonly digest?: string }): Decision {
    const id = sent.id ?? `c${++this.commands}`;
    const command = { source: "test", digest: JSON.stringify(sent), ...sent, id } as Command;
    const definitions = (hash: string) => this.others.find((one) => one.hash === hash);
    const decision = decide(this.definition, this.instance, command, this.at, answerFrom(this.world), definitions);
    this.last = decision;
    if (decision.kind === "accepted") {
      this.instance = decision.instance;
      this.accepted.push(decision);
      this.history.push({ command, at: this.at, answers: decision.answers });
    }
    return decision;
  }

  start(
    more: { data?: Record<string, unknown>; event?: string; payload?: Record<string, unknown>; actor?: string } = {},
  ): Decision {
    const base = { tenant: "t", instance: "i", key: "k", initiator: { id: "alice" }, data: {} };
    return this.send({ kind: "start", ...base, ...more });
  }

  event(event: string, actor?: string, payload: Record<string, unknown> = {}): Decision {
    return this.send({ kind: "event", event, payload, ...(actor !== undefined && { actor }) });
  }

  decides(
    actor: string,
    decision: "approve" | "reject" | "abstain" | "handle",
    more: { reason?: string; choose?: Record<string, unknown>; payload?: Record<string, unknown>; in?: string } = {},
  ): Decision {
    return this.send({ kind: "decide", actor, decision, ...more });
  }

  /** Sends it and says what became of it: `accepted`, or the refusal's code. */
  does(actor: string, sent: Sent): string {
    this.send({ ...sent, actor });
    return this.code;
  }

  /** Lets time pass: everything due fires, in the order of the engine. */
  advance(ms: number): void {
    const until = this.at + ms;
    for (;;) {
      const [next] = this.instance!.timers.filter((timer) => timer.dueAt <= until).sort(compareTimers);
      if (!next) break;
      this.at = Math.max(this.at, next.dueAt);
      this.send({ kind: "timer", timer: next.id });
      if (this.last!.kind !== "accepted") break;
    }
    this.at = until;
  }

  get code(): string {
    const { last } = this;
    return last?.kind === "refused" ? last.code : (last?.kind ?? "nothing");
  }

  /** Who has an open task. */
  get waiting(): string[] {
    return this.instance ? waitingIn(this.instance) : [];
  }

  /** Every task of the instance in its newest form. */
  get tasks(): Map<string, Task> {
    return new Map(this.accepted.flatMap(({ tasks }) => tasks.map((task) => [task.id, task] as const)));
  }

  /** Status of the person's newest task. */
  task(person: string): string | undefined {
    return [...this.tasks.values()].findLast(({ assignee }) => assignee === person)?.status;
  }

  /** Status of the person's seat in the open round of the instance's own machine. */
  seat(person: string): string | undefined {
    return this.instance?.round?.seats.findLast((seat) => seat.person === person)?.status;
  }

  /** The history in sentences. */
  get told(): string {
    return this.story.map((one) => tell(one)).join("\n");
  }

  get story(): Accepted["story"] {
    return this.accepted.flatMap(({ story }) => story);
  }

  /** Kinds of the last decision's story. */
  get kinds(): string[] {
    return this.last?.kind === "accepted" ? this.last.story.map(({ kind }) => kind) : [];
  }

  get effects(): Accepted["effects"] {
    return this.accepted.flatMap(({ effects }) => effects);
  }

  /** Names of the events that went out. */
  get emitted(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === "publish" ? effect.events.map(({ event }) => event) : []));
  }
}
