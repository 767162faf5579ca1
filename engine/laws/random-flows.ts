/** Flows that nobody wrote: approvals of every mode, handlings, branches, sub-flows and sagas in any order. */
import fc from "fast-check";
import type { Approval, Branch, Definition, Group, Operation, Stage, Transition } from "../../dsl/index.ts";
import {
  after,
  approval,
  branch,
  DAY,
  dataField,
  definition,
  dueIn,
  field,
  group,
  HOUR,
  line,
  MONEY,
  moreThan,
  natural,
  on,
  outcome,
  quorum,
  type StateOf,
  share,
  users,
} from "../testing.ts";

/** Everybody who may be asked; `alice` is the initiator. */
export const PEOPLE = ["alice", "ann", "bob", "cid", "dan", "eve"];

const ALLOW: readonly Operation[] = [
  ...(["transfer", "delegate", "addBefore", "addBefore advisory", "addAfter", "addBeside", "remove"] as const),
  ...(["returnTo", "withdraw", "takeBack", "abstain", "claim"] as const),
];

/** A flow, and the definitions of those that it runs. */
export interface RandomFlow {
  readonly flow: Definition;
  readonly others: readonly Definition[];
}

// ---------------------------------------------------------------------------------------------------------------- //
// Stages
// ---------------------------------------------------------------------------------------------------------------- //

const named = fc.shuffledSubarray(PEOPLE, { minLength: 1, maxLength: 4 }).map((ids) => users(...ids));
/** Found in the world when the round opens; perhaps nobody. */
const found = { kind: "group", argument: { kind: "literal", type: { kind: "text" }, value: "f" } } as const;
const people = fc.oneof({ weight: 4, arbitrary: named }, { weight: 1, arbitrary: fc.constant(found) });

const modes = fc.constantFrom<Group["mode"]>(
  { kind: "any" },
  { kind: "all" },
  { kind: "sequence" },
  quorum(1),
  quorum(2),
  share(2, 3),
  share(60, 100),
  share(1, 2, true),
  { kind: "quorum", threshold: { kind: "share", part: 1, of: 2, strict: true }, weight: "shares" },
);
const groups = fc
  .record({ people, mode: modes, reject: fc.constantFrom<Group["reject"]>("one", "rest"), pick: fc.nat({ max: 9 }) })
  .map(({ people, mode, reject, pick }) => group(people, mode, reject, pick === 0));

const auto: Stage = { kind: "auto", condition: moreThan("amount", 3) };
const vote = fc
  .record({ groups: fc.array(groups, { minLength: 1, maxLength: 2 }), veto: fc.option(named, { nil: undefined }) })
  .map(({ groups, veto }): Stage => ({ kind: "vote", groups, ...(veto && { veto }) }));
const votes = fc.array(fc.oneof({ weight: 6, arbitrary: vote }, { weight: 1, arbitrary: fc.constant(auto) }), {
  minLength: 1,
  maxLength: 2,
});
const handling = groups.map((one): readonly Stage[] => [{ kind: "handle", groups: [one] }]);

const options: fc.Arbitrary<Partial<Approval>> = fc
  .record({
    onEmpty: fc.constantFrom<Approval["onEmpty"]>(
      { kind: "hold" },
      { kind: "skip" },
      { kind: "reject" },
      { kind: "assign", to: users("eve") },
    ),
    onSelf: fc.constantFrom<Approval["onSelf"]>("ask", "skip", "manager"),
    repeated: fc.constantFrom<Approval["repeated"]>("ask", "consecutive", "any"),
    onReturn: fc.constantFrom<Approval["onReturn"]>("restart", "resume"),
    abstain: fc.constantFrom<Approval["abstain"]>("leaves", "no"),
    collectAll: fc.boolean(),
    editReopens: fc.boolean(),
    overdueRepeat: fc.nat({ max: 1 }),
    timed: fc.boolean(),
  })
  .map(({ timed, ...rest }) => ({
    ...rest,
    allow: ALLOW,
    edit: ["amount"],
    maxReturns: 3,
    ...(timed && { due: dueIn(DAY), remind: { every: natural(9 * HOUR), atMost: 2 }, overdue: OVERDUE }),
  }));
const OVERDUE: Approval["overdue"] = [
  { kind: "escalate", to: { kind: "managerOf", of: { kind: "assignee" }, level: 1 }, after: natural(0) },
  { kind: "reject", after: natural(2 * DAY) },
];

const approvals = fc.tuple(votes, options).map(([chain, more]) => approval(chain, more));
const handlings = fc.tuple(handling, options).map(([chain, more]) => approval(chain, more));

// ---------------------------------------------------------------------------------------------------------------- //
// States
// ---------------------------------------------------------------------------------------------------------------- //

/** A state with the names of what it may come to: the way on, and the way that is none. */
interface Part {
  readonly state: StateOf;
  readonly on: readonly ("approved" | "done" | "joined")[];
  readonly off: readonly ("rejected" | "compensated")[];
}

const asked = approvals.map((state): Part => ({ state, on: ["approved"], off: ["rejected"] }));
const handled = handlings.map((state): Part => ({ state, on: ["done"], off: [] }));
const saga: Part = { state: { run: { kind: "saga", saga: "pay-out" } }, on: ["done"], off: ["compensated"] };
const child: Part = {
  state: { run: { kind: "flow", flow: "child", event: "begin", fields: { amount: field("amount", MONEY) } } },
  on: ["done"],
  off: [],
};
const simple = fc.oneof(
  { weight: 5, arbitrary: asked },
  { weight: 1, arbitrary: handled },
  { weight: 1, arbitrary: fc.constantFrom(saga, child) },
);

const branches = fc
  .record({ parts: fc.array(simple, { minLength: 1, maxLength: 2 }), conditional: fc.boolean(), leaves: fc.boolean() })
  .map(({ parts, conditional, leaves }) => (name: string): Branch => {
    const states = parts.map((_, index) => `${name.toUpperCase()}${index}`);
    const [first] = states;
    return branch(
      name,
      { ...Object.fromEntries(parts.map(({ state }, index) => [states[index]!, state])), END: "final" },
      [
        ...parts.flatMap(({ on, off }, index) => [
          ...on.map((one) => line(states[index]!, states[index + 1] ?? "END", outcome(one))),
          ...off.map((one) => line(states[index]!, "END", outcome(one))),
        ]),
        ...(leaves ? [line(first!, "DRAFT", outcome("returned"), { up: 1 })] : []),
        line(first!, first!, on("amend")),
      ],
      conditional ? { condition: moreThan("amount", 2) } : {},
    );
  });
const forks = fc
  .record({
    branches: fc.array(branches, { minLength: 2, maxLength: 3 }),
    join: fc.constantFrom({ kind: "all" } as const, { kind: "any" } as const, { kind: "count", count: 2 } as const),
    rejectOne: fc.boolean(),
  })
  .map(({ branches, join, rejectOne }): Part => {
    const parallel = { branches: branches.map((make, index) => make(["x", "y", "z"][index]!)), join, rejectOne };
    return { state: { parallel }, on: ["joined"], off: ["rejected"] };
  });
const parts = fc.array(fc.oneof({ weight: 4, arbitrary: simple }, { weight: 1, arbitrary: forks }), {
  minLength: 1,
  maxLength: 3,
});

// ---------------------------------------------------------------------------------------------------------------- //
// Flows
// ---------------------------------------------------------------------------------------------------------------- //

const childFlow = approvals.map((review) =>
  definition({
    states: { OPEN: "plain", CHECK: review, YES: "final", NO: "final" },
    fields: [dataField("amount", MONEY)],
    transitions: [
      line("OPEN", "CHECK", on("begin")),
      line("CHECK", "YES", outcome("approved")),
      line("CHECK", "NO", outcome("rejected")),
      line("CHECK", "OPEN", outcome("returned")),
      line("OPEN", "CHECK", after(DAY)),
    ],
    more: { flow: "child", hash: "child", sagas: {} },
  }),
);

const step = (name: string, undo?: string) => ({
  ...{ name, arguments: [field("amount", MONEY)], retries: 1 },
  ...(undo !== undefined && { undo: { name: undo, arguments: [] } }),
});
const SAGAS: Definition["sagas"] = {
  "pay-out": {
    name: "pay-out",
    steps: [
      [step("reserve", "release"), step("note", "unnote")],
      [{ ...step("book", "unbook"), backoff: { fromMs: 1_000, toMs: 30_000 }, jitter: 0.25, timeoutMs: 10_000 }],
    ],
    onStuck: users("eve"),
  },
};

const NAMES = ["FIRST", "SECOND", "THIRD"];

function flowOf(parts: readonly Part[], apart: boolean): Definition {
  const names = NAMES.slice(0, parts.length);
  const next = (index: number): string => names[index + 1] ?? "OK";
  const lines: Transition[] = parts.flatMap(({ on, off }, index) => [
    ...on.map((one) => line(names[index]!, next(index), outcome(one))),
    ...off.map((one) => line(names[index]!, "NO", outcome(one))),
  ]);
  return definition({
    states: {
      DRAFT: "plain",
      ...Object.fromEntries(parts.map(({ state }, index) => [names[index]!, state])),
      OK: "final",
      NO: "final",
    },
    fields: [
      dataField("amount", MONEY),
      dataField("note", { kind: "text" }, { optional: true }),
      dataField("card", { kind: "text" }, { optional: true, secret: true }),
    ],
    events: { submit: ["amount", "note", "card"] },
    transitions: [
      line("DRAFT", names[0]!, on("submit")),
      ...lines,
      line(names, "DRAFT", outcome("returned")),
      line(names, "DRAFT", outcome("withdrawn")),
      line(names.at(-1)!, names[0]!, on("amend")),
      line(names.at(-1)!, "NO", after(9 * DAY)),
    ],
    more: {
      sagas: SAGAS,
      ...(apart && names.length > 1 && { ensure: [{ kind: "different-people", states: names.slice(0, 2) }] }),
    },
  });
}

export const randomFlows: fc.Arbitrary<RandomFlow> = fc
  .record({ parts, child: childFlow, apart: fc.boolean() })
  .map(({ parts, child, apart }) => ({ flow: flowOf(parts, apart), others: [child] }));
