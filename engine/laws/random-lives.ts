/** What may happen to an instance of a random flow, well meant or not, and a life that consists of it. */
import fc from "fast-check";
import { decide } from "../decide.ts";
import { answerFrom, DAY, Driver, HOUR, type Sent, type World } from "../testing.ts";
import type { Answer, Answers, Command, Decision } from "../types.ts";
import { PEOPLE, type RandomFlow, randomFlows } from "./random-flows.ts";
import { runsOf } from "./soundness.ts";

const person = fc.constantFrom(...PEOPLE);
const maybe = <Part extends object>(part: fc.Arbitrary<Part>): fc.Arbitrary<Part | object> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: part });
const clauses = fc
  .tuple(
    maybe(fc.constantFrom("x", "y", "x.y", "nowhere").map((name) => ({ in: name }))),
    maybe(fc.constant({ reason: "because" })),
  )
  .map(([one, other]) => ({ ...one, ...other }));
const payload = fc.constantFrom({}, {}, { payload: { amount: 1 } }, { payload: { amount: 5 } });
const state = fc.constantFrom("DRAFT", "FIRST", "SECOND", "THIRD", "X0", "CHECK", "OK", "?");
const reasoned = { reason: "because" };

const decisions = fc
  .tuple(fc.constantFrom("approve", "approve", "approve", "handle", "handle", "reject", "abstain"), payload, clauses)
  .map(([decision, more, rest]) => ({ kind: "decide", decision, ...more, ...rest }));
const target = fc.oneof(
  fc.constant({ kind: "initiator" }),
  state.map((name) => ({ kind: "state", state: name })),
  fc.integer({ min: 0, max: 3 }).map((stage) => ({ kind: "stage", stage })),
);
const operations = fc.oneof(
  fc.tuple(target, clauses).map(([to, rest]) => ({ kind: "return", to, ...rest })),
  fc.tuple(fc.constantFrom("transfer", "delegate"), person, clauses).map(([kind, to, rest]) => ({ kind, to, ...rest })),
  fc
    .record({
      kind: fc.constant("add"),
      where: fc.constantFrom("before", "after", "beside"),
      people: fc.array(person, { maxLength: 2 }),
      all: fc.boolean(),
      advisory: fc.boolean(),
    })
    .chain((add) => clauses.map((rest) => ({ ...add, ...rest }))),
  fc
    .tuple(fc.constantFrom("claim", "release", "take-back", "take-back"), clauses)
    .map(([kind, rest]) => ({ kind, ...rest })),
  fc
    .tuple(person, maybe(fc.constant({ admin: true })), clauses)
    .map(([one, admin, rest]) => ({ kind: "remove", person: one, ...admin, ...rest })),
);
const others = fc.oneof(
  fc
    .tuple(fc.constantFrom("submit", "submit", "amend", "begin", "?"), payload)
    .map(([event, more]) => ({ kind: "event", event, payload: "payload" in more ? more.payload : {} })),
  fc.constantFrom<Sent>(
    { kind: "withdraw" },
    { kind: "urge" },
    { kind: "comment", text: "t" },
    { kind: "ask", to: "eve", text: "t" },
    { kind: "cc", people: ["bob", "bob"] },
    { kind: "signal", status: "6", withdraw: true },
    { kind: "set-saga", step: "book", arguments: { amount: "9" }, ...reasoned },
    { kind: "migrate", label: "2", ...reasoned },
  ),
  fc.constantFrom("suspend", "resume", "resume").map((kind) => ({ kind, ...reasoned })),
  fc.tuple(state, maybe(fc.constant({ branch: "x" }))).map(([to, more]) => ({
    ...{ kind: "jump", state: to },
    ...more,
    ...reasoned,
  })),
  fc
    .tuple(fc.constantFrom("approve", "reject"), clauses)
    .map(([decision, rest]) => ({ kind: "override", decision, ...rest })),
  fc.tuple(person, person).map(([from, to]) => ({ kind: "hand-over", from, to })),
  fc.integer({ min: 0, max: 20 }).map((number) => ({ kind: "timer", timer: `t${number}` })),
  fc.constantFrom({}, {}, {}, reasoned).map((why) => ({ kind: "void", ...why })),
) as fc.Arbitrary<object>;

export const worlds: fc.Arbitrary<World> = fc.record({
  "people:group": fc.constantFrom<Answer>({ people: ["ann", "dan"] }, { people: [] }, { people: ["eve", "alice"] }),
  "people:managerOf": fc.constantFrom<Answer>({ people: ["dan"] }, { people: [] }, { people: ["alice"] }),
  "value:shares": fc.constantFrom<Answer>({ value: 1 }, { value: "0.5" }, { value: 0 }),
  "absences:absences": fc.constantFrom<Answer>(
    { absences: {} },
    { absences: { ann: { away: [{ from: "2026-01-01", to: "2026-12-31", deputy: "eve" }] } } },
    { absences: { bob: { left: { successor: "dan" } }, eve: { left: {} } } },
  ),
  "flow:child": fc.constant<Answer>({ definition: "child" }),
});

/** `turn`: by one of those who are waited for, so that lives get somewhere. `step`: how a try of a saga under way ends. */
export type Act =
  | { readonly sent: object; readonly turn?: number; readonly by?: string }
  | { readonly step: number; readonly ok: boolean }
  | { readonly advance: number }
  | { readonly world: World };
export const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(decisions, fc.nat()).map(([sent, turn]) => ({ sent, turn })) },
  { weight: 7, arbitrary: fc.tuple(operations, fc.nat()).map(([sent, turn]) => ({ sent, turn })) },
  { weight: 2, arbitrary: fc.tuple(fc.oneof(decisions, operations), person).map(([sent, by]) => ({ sent, by })) },
  { weight: 4, arbitrary: fc.tuple(others, person).map(([sent, by]) => ({ sent, by })) },
  { weight: 4, arbitrary: fc.record({ step: fc.nat(), ok: fc.constantFrom(true, true, true, false) }) },
  { weight: 2, arbitrary: fc.constantFrom(HOUR, 10 * HOUR, DAY, 3 * DAY).map((advance) => ({ advance })) },
  { weight: 1, arbitrary: worlds.map((world) => ({ world })) },
);

export const lives = fc.record({
  flow: randomFlows,
  world: worlds,
  acts: fc.array(acts, { minLength: 8, maxLength: 40, size: "max" }),
});
export type RandomLife = typeof lives extends fc.Arbitrary<infer One> ? One : never;

/** An instance of a random flow, from its start on. It is frozen: a decision that changed it would throw. */
export class Life extends Driver {
  constructor({ flow, others }: RandomFlow, world: World) {
    super(flow, world, others);
    this.start({ data: { amount: 5, card: "6222" } });
    this.event("submit", "alice");
  }

  act(act: Act): void {
    if ("world" in act) this.world = act.world;
    else if ("advance" in act) this.advance(act.advance);
    else if ("step" in act) this.report(act.step, act.ok);
    else {
      const { waiting } = this;
      const actor =
        act.turn === undefined || waiting.length === 0 ? (act.by ?? "x") : waiting[act.turn % waiting.length]!;
      this.send({ ...act.sent, actor } as Sent);
    }
  }

  override send(sent: Sent): Decision {
    const decision = super.send(sent);
    freeze(this.instance);
    return decision;
  }

  /** What would become of the command now; nothing comes of it. */
  ask(command: Command, answers: Answers = answerFrom(this.world)): Decision {
    const definitions = (hash: string) => this.others.find((one) => one.hash === hash);
    return decide(this.definition, this.instance, command, this.at, answers, definitions);
  }

  private report(which: number, ok: boolean): void {
    const tries = runsOf(this.instance!)
      .flatMap(({ items }) => items.flat())
      .filter(({ status }) => status === "running" || status === "undoing");
    const one = tries[which % tries.length];
    if (one) this.send({ kind: "report", effect: one.effect, report: { kind: "step", ok } });
  }
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}

/** Lives it to its end. @param after sees the life after each act; where it throws, the story so far goes with it. */
export function live({ flow, world, acts }: RandomLife, after: (life: Life) => void = () => {}): Life {
  const life = new Life(flow, world);
  try {
    after(life);
    for (const act of acts) {
      life.act(act);
      after(life);
    }
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${life.told}`, { cause });
  }
  return life;
}
