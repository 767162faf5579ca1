/** Which approvals count as approvals by certain people. */
import type { Approval, Definition, Group, Mode, People, PeopleStage, Stage, Threshold } from "../definition.ts";

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
  /** May others be given seats beside those of the stage (并加签)? */
  readonly grows: boolean;
}

/** Does an approval of the stage mean that `by` approved? */
export function isApprovedBy(stage: Stage, by: People, at: Standpoint): boolean {
  return stage.kind === "vote" && stage.groups.some((group) => covers(group, by, at));
}

function covers({ people, mode, pick }: Group, by: People, { names, falls, grows }: Standpoint): boolean {
  const [own, wanted] = [resolved(people, names), resolved(by, names)];
  if (own.kind !== "users" || wanted.kind !== "users") return JSON.stringify(own) === JSON.stringify(wanted);
  if (own.ids.every((id) => wanted.ids.includes(id))) return true;
  const needed = pick ? "some" : neededSeats(mode, own.ids.length, grows);
  return needed !== "some" && own.ids.some((id) => wanted.ids.includes(id) && (needed === "every" || !falls(id)));
}

/** `every`: all that are listed must approve; `present`: all whose seat has not fallen away. */
function neededSeats(mode: Mode, seats: number, grows: boolean): "every" | "present" | "some" {
  if (mode.kind !== "quorum") return mode.kind === "any" ? "some" : "present";
  const { threshold, weight } = mode;
  if (threshold.kind === "share" && threshold.part === threshold.of && !threshold.strict) return "present";
  // With weights, or more seats, some may do without the others.
  if (weight !== undefined || grows) return "some";
  // A number stays as it is, however many seats there are in the end.
  if (threshold.kind === "count") return threshold.count === seats ? "every" : "some";
  return everyShareIsAll(threshold, seats) ? "present" : "some";
}

/** Does the share of so many seats, and of any fewer, leave nobody out? Two thirds of two are both. */
function everyShareIsAll({ part, of, strict }: Extract<Threshold, { kind: "share" }>, seats: number): boolean {
  for (let left = 1; left <= seats; left++) {
    const without = part * left - of * (left - 1);
    if (strict ? without < 0 : without <= 0) return false;
  }
  return true;
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

/** Of those known from the text, whose approvals a stage needs at least. */
export interface Needed {
  readonly ids: ReadonlySet<string>;
  /** So many of them, however many have no seat. */
  readonly count: number;
  /** All of them who have a seat decide. */
  readonly everybody: boolean;
}

/** For each group; of one in which others may sit nothing is known. */
export function neededOf(stage: PeopleStage, names: Names): readonly Needed[] {
  return stage.groups.flatMap(({ people, mode, pick }) => {
    const ids = staticIds(people, names);
    if (!ids) return [];
    const everybody = !pick && (mode.kind === "all" || mode.kind === "sequence");
    return [{ ids, count: pick ? 1 : countNeeded(mode, ids.size), everybody }];
  });
}

/** A share is one of the seats that are left. */
function countNeeded(mode: Mode, seats: number): number {
  const isCounted = mode.kind === "quorum" && mode.weight === undefined && mode.threshold.kind === "count";
  return isCounted ? Math.min(mode.threshold.count, seats) : 1;
}
