/** Which approvals count as approvals by certain people. */
import type { Approval, Definition, Group, Mode, People, PeopleStage, Stage } from "../definition.ts";

type Names = Definition["people"];

/** The people with names of `people` replaced by what they stand for. */
export function resolved(people: People, names: Names): People {
  switch (people.kind) {
    case "named": {
      const meant = Object.hasOwn(names, people.name) ? names[people.name] : undefined;
      return meant ? resolved(meant, names) : people;
    }
    case "managerOf":
    case "managersOf":
      return { ...people, of: resolved(people.of, names) };
    default:
      return people;
  }
}

/** The ids, if the people are known from the text; the initiator counts as one of them. */
export function staticIds(people: People, names: Names): ReadonlySet<string> | undefined {
  const meant = resolved(people, names);
  if (meant.kind === "users") return new Set(meant.ids);
  return meant.kind === "initiator" ? new Set([INITIATOR]) : undefined;
}

/** Stands for the initiator among ids. */
export const INITIATOR = "\u0000initiator";

/** Where a stage stands. */
export interface Standpoint {
  readonly names: Names;
  /** Can the seat of this person fall away, so that the others approve without them? */
  falls(id: string): boolean;
}

/** Does an approval of the stage mean that `by` approved? */
export function isApprovedBy(stage: Stage, by: People, at: Standpoint): boolean {
  return stage.kind === "vote" && stage.groups.some((group) => covers(group, by, at));
}

function covers({ people, mode, pick }: Group, by: People, { names, falls }: Standpoint): boolean {
  const [own, wanted] = [resolved(people, names), resolved(by, names)];
  if (own.kind !== "users" || wanted.kind !== "users") return JSON.stringify(own) === JSON.stringify(wanted);
  if (own.ids.every((id) => wanted.ids.includes(id))) return true;
  const needed = pick ? "some" : neededSeats(mode, own.ids.length);
  return needed !== "some" && own.ids.some((id) => wanted.ids.includes(id) && (needed === "every" || !falls(id)));
}

/** `every`: all that are listed must approve; `present`: all whose seat has not fallen away. */
function neededSeats(mode: Mode, seats: number): "every" | "present" | "some" {
  if (mode.kind !== "quorum") return mode.kind === "any" ? "some" : "present";
  const { threshold } = mode;
  // A number stays as it is, however many seats there are in the end.
  if (threshold.kind === "count") return threshold.count === seats ? "every" : "some";
  return threshold.part === threshold.of && !threshold.strict ? "present" : "some";
}

/** Why a seat may fall away while others of the stage stay. */
export type Falling = "abstain" | "onSelf" | "never-approves" | "different-people";

/** What can take the seat of the person from the approval of a state, `BRANCH.STATE` in a branch. */
export function fallings(
  id: string,
  state: string,
  approval: Approval,
  definition: Pick<Definition, "ensure" | "people" | "matrices">,
  approvalOf: (state: string) => Approval | undefined,
): readonly Falling[] {
  const { ensure, people: names } = definition;
  const found = new Set<Falling>();
  if (approval.allow.includes("abstain") && approval.abstain === "leaves") found.add("abstain");
  if (approval.onSelf === "manager") found.add("onSelf");
  for (const property of ensure) {
    if (property.kind === "never-approves") {
      const ids = staticIds(property.people, names);
      if (!ids || ids.has(id) || ids.has(INITIATOR)) found.add("never-approves");
    } else if (property.kind === "different-people" && property.states.includes(state)) {
      const others = property.states.filter((other) => other !== state).map(approvalOf);
      if (others.some((other) => other && mayDecide(id, other, definition))) found.add("different-people");
    }
  }
  return [...found];
}

/** Do these move seats to others? */
const MOVING: ReadonlySet<string> = new Set(["transfer", "delegate", "addBefore", "addAfter", "addBeside"]);

/** Could the person come to decide there? */
function mayDecide(
  id: string,
  { chain, allow, onEmpty, onSelf, overdue }: Approval,
  { people: names, matrices }: Pick<Definition, "people" | "matrices">,
): boolean {
  if (onEmpty.kind === "assign" || onSelf === "manager" || allow.some((one) => MOVING.has(one))) return true;
  if (overdue.some(({ kind }) => kind === "escalate" || kind === "transfer")) return true;
  const stages = chain.flatMap((stage) =>
    stage.kind === "matrix" ? (matrices[stage.matrix]?.rows ?? []).flatMap((row) => row.stages) : [stage],
  );
  return stages.some((stage) => {
    if (stage.kind === "auto") return false;
    return stage.groups.some(({ people }) => {
      const ids = staticIds(people, names);
      return !ids || ids.has(id) || ids.has(INITIATOR);
    });
  });
}

/** Options by which a stage may be passed though none of its people approved. */
export type Weakness = "onEmpty" | "onSelf" | "overdue";

export function weaknesses({ onEmpty, onSelf, overdue }: Approval): readonly Weakness[] {
  return [
    ...(onEmpty.kind === "skip" ? (["onEmpty"] as const) : []),
    ...(overdue.some(({ kind }) => kind === "approve") ? (["overdue"] as const) : []),
    ...(onSelf === "skip" ? (["onSelf"] as const) : []),
  ];
}

/** The fewest people whose approvals a stage needs, of those known from the text; `undefined`: others may sit there. */
export function neededOf(
  stage: PeopleStage,
  names: Names,
): readonly { readonly ids: ReadonlySet<string>; readonly count: number; readonly everybody: boolean }[] {
  return stage.groups.flatMap(({ people, mode, pick }) => {
    const ids = staticIds(people, names);
    if (!ids) return [];
    const everybody = !pick && (mode.kind === "all" || mode.kind === "sequence");
    return [{ ids, count: pick ? 1 : countNeeded(mode, ids.size), everybody }];
  });
}

function countNeeded(mode: Mode, seats: number): number {
  if (mode.kind === "any") return 1;
  if (mode.kind !== "quorum" || mode.weight !== undefined) return mode.kind === "quorum" ? 1 : seats;
  const { threshold } = mode;
  if (threshold.kind === "count") return Math.min(threshold.count, seats);
  const exact = (threshold.part * seats) / threshold.of;
  return Math.min(seats, threshold.strict ? Math.floor(exact) + 1 : Math.ceil(exact));
}
