import type {
  ApprovalAst,
  FlowAst,
  GroupAst,
  PeopleAst,
  RegionAst,
  Span,
  StageAst,
  TextEdit,
} from "../../dsl/index.ts";
import {
  briefly,
  inserted,
  linesOf,
  type Mutant,
  machinesOf,
  type Operator,
  outcomeOf,
  removed,
  replaced,
  type Sample,
  textAt,
  withoutElement,
} from "./sample.ts";

/** Who approves, and what their approval is worth. */
export const approvalOperators: readonly Operator[] = [
  {
    name: "drop the approval of a state",
    mutants: (sample) =>
      approvalsIn(sample).map(({ approval, state }) => ({ edits: [removed(approval.span)], what: state })),
  },
  { name: "drop `due` under `overdue`", mutants: dueDropped },
  { name: "ask for more approvals than there are people", mutants: quorumsRaised },
  { name: "allow a return that no line takes", mutants: returnsAllowed },
  { name: "forbid a return that a line waits for", mutants: returnsForbidden },
  {
    name: "put others where a property needs these people",
    mutants: (sample) =>
      neededGroups(sample).map(({ group, state }) => ({
        edits: [replaced(group.people.span, 'users("somebody-else")')],
        what: `${briefly(sample.text, group.span)} in ${state}`,
      })),
  },
  { name: "drop people that a property needs", mutants: peopleDropped },
  {
    name: "skip them where nobody is found",
    mutants: (sample) => optionMutants(sample, neededApprovals(sample), { onEmpty: "skip" }),
  },
  {
    name: "let time approve in their place",
    mutants: (sample) => optionMutants(sample, neededApprovals(sample), { due: "1d", overdue: "[approve after 0h]" }),
  },
  {
    name: "let the initiator approve",
    mutants: (sample) => {
      const approvals = approvalsIn(sample).filter(
        ({ flow, approval }) => !approval.handle && protectsFromInitiator(flow),
      );
      return optionMutants(sample, approvals, { onSelf: "ask" });
    },
  },
];

interface Place {
  readonly flow: FlowAst;
  readonly region: RegionAst;
  readonly state: string;
  readonly approval: ApprovalAst;
}

export function approvalsIn(sample: Sample): readonly Place[] {
  return machinesOf(sample).flatMap(({ flow, region }) =>
    region.stateBlocks.flatMap(({ name, approval }) => {
      const hasPeople = approval?.stages.some(({ kind }) => kind === "people");
      return hasPeople ? [{ flow, region, state: name.text, approval: approval! }] : [];
    }),
  );
}

// ------------------------------------------------------------------------------------------------------------------ //
// Options
// ------------------------------------------------------------------------------------------------------------------ //

function optionMutants(
  sample: Sample,
  places: readonly Place[],
  options: Readonly<Record<string, string>>,
): readonly Mutant[] {
  const what = Object.entries(options)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ");
  return places.map(({ approval, state }) => ({
    edits: withOptions(approval, options, sample),
    what: `${what} in ${state}`,
  }));
}

/** With these options, in place of those of the same names. */
function withOptions(
  approval: ApprovalAst,
  options: Readonly<Record<string, string>>,
  { text }: Sample,
): readonly TextEdit[] {
  const old = approval.options.filter(({ key }) => key.text in options).map(({ span }) => removed(span));
  const lines = Object.entries(options).map(([key, value]) => `${key}: ${value}`);
  const isBlock = text[approval.span.end - 1] === "}";
  const added = isBlock
    ? inserted(approval.span.end - 1, `\n${lines.join("\n")}\n`)
    : inserted(approval.span.end, ` {\n${lines.join("\n")}\n}`);
  return [...old, added];
}

function dueDropped(sample: Sample): readonly Mutant[] {
  return approvalsIn(sample).flatMap(({ approval: { options }, state }) => {
    const due = options.find(({ kind }) => kind === "due");
    return due && options.some(({ kind }) => kind === "overdue") ? [{ edits: [removed(due.span)], what: state }] : [];
  });
}

function allowOf({ options }: ApprovalAst) {
  return options.find((option) => option.kind === "allow")?.operations ?? [];
}

function takesReturns({ region, state }: Place): boolean {
  return region.transitions.some(
    (line) => outcomeOf(line) === "returned" && line.from !== "any" && line.from.some(({ text }) => text === state),
  );
}

function returnsAllowed(sample: Sample): readonly Mutant[] {
  const without = approvalsIn(sample).filter((place) => !takesReturns(place));
  return without.map(({ approval, state }) => {
    const names = [
      ...allowOf(approval).map(({ name, qualifier }) => `${name.text} ${qualifier?.text ?? ""}`),
      "returnTo",
    ];
    return { edits: withOptions(approval, { allow: `[${names.join(", ")}]` }, sample), what: state };
  });
}

function returnsForbidden(sample: Sample): readonly Mutant[] {
  return approvalsIn(sample)
    .filter(takesReturns)
    .flatMap(({ approval, state }) => {
      const names = allowOf(approval).map(({ name }) => name);
      const index = names.findIndex(({ text }) => text === "returnTo");
      return index < 0 ? [] : [{ edits: [withoutElement(names, index)], what: state }];
    });
}

// ------------------------------------------------------------------------------------------------------------------ //
// People
// ------------------------------------------------------------------------------------------------------------------ //

/** Only sets that the text itself names. */
function quorumsRaised(sample: Sample): readonly Mutant[] {
  return linesOf(sample).length === 0
    ? []
    : allGroups(sample).flatMap(({ group, flow, state }) => {
        const count = membersOf(group.people, flow);
        if (count === undefined || group.pick) return [];
        const mode = ` quorum ${count + 1}`;
        const edit = group.mode ? replaced(group.mode.span, mode.trim()) : inserted(group.people.span.end, mode);
        return [{ edits: [edit], what: `${briefly(sample.text, group.span)} in ${state}` }];
      });
}

function membersOf(people: PeopleAst, flow: FlowAst): number | undefined {
  if (people.kind === "name") {
    const named = flow.people.find(({ name }) => name.text === people.name.text);
    return named && membersOf(named.people, { ...flow, people: [] });
  }
  return people.kind === "call" && people.name.text === "users" ? people.arguments.length : undefined;
}

interface GroupPlace {
  readonly group: GroupAst;
  readonly stages: readonly StageAst[];
  readonly flow: FlowAst;
  /** Or the matrix. */
  readonly state: string;
}

/** Of states and of matrices, each for every flow of the file that may use it. */
function allGroups(sample: Sample): readonly GroupPlace[] {
  const groupsOf = (stages: readonly StageAst[]) =>
    stages.flatMap((stage) => (stage.kind === "people" ? stage.groups : []));
  const inStates = approvalsIn(sample).flatMap(({ flow, state, approval: { stages } }) =>
    groupsOf(stages).map((group) => ({ group, stages, flow, state })),
  );
  const inMatrices = sample.ast.matrices.flatMap(({ name, rows }) =>
    rows.flatMap(({ stages, span }) =>
      sample.ast.flows.flatMap((flow) =>
        groupsOf(stages).map((group) => ({
          group,
          stages,
          flow,
          state: `${name.text}, ${briefly(sample.text, span)}`,
        })),
      ),
    ),
  );
  return [...inStates, ...inMatrices];
}

/** People of the flow whose approval a property asks for. */
function wanted({ ensure }: FlowAst, text: string): ReadonlySet<string> {
  const spans = ensure.flatMap((property): Span[] => {
    return property.kind === "never-without" && property.without.kind === "approval" ? [property.without.by.span] : [];
  });
  return new Set(spans.map((span) => textAt(text, span)));
}

function neededGroups(sample: Sample): readonly GroupPlace[] {
  const handled = approvalsIn(sample)
    .filter(({ approval }) => approval.handle)
    .map(({ approval }) => approval.stages);
  const approved = allGroups(sample).filter(({ stages }) => !handled.includes(stages));
  return approved.filter(({ group, flow }) => wanted(flow, sample.text).has(textAt(sample.text, group.people.span)));
}

/** Where others stay: `A then B`, `A and B`. */
function peopleDropped(sample: Sample): readonly Mutant[] {
  return neededGroups(sample).flatMap(({ group, stages, state }) => {
    const stage = stages.find((one) => one.kind === "people" && one.groups.includes(group));
    if (stage?.kind !== "people") return [];
    const siblings = stage.groups.length > 1 ? stage.groups : stages;
    const index = siblings.findIndex((one) => one === group || one === stage);
    const what = `${briefly(sample.text, group.span)} in ${state}`;
    return siblings.length < 2 ? [] : [{ edits: [withoutElement(siblings, index)], what }];
  });
}

function neededApprovals(sample: Sample): readonly Place[] {
  const needed = new Set(neededGroups(sample).map(({ group }) => group));
  return approvalsIn(sample).filter(
    ({ approval }) =>
      !approval.handle &&
      approval.stages.some((stage) => stage.kind === "people" && stage.groups.some((group) => needed.has(group))),
  );
}

function protectsFromInitiator({ ensure }: FlowAst): boolean {
  return ensure.some((property) => {
    return (
      property.kind === "never-approves" && property.people.kind === "name" && property.people.name.text === "initiator"
    );
  });
}
