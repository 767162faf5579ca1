/** What a stage of the model has come to: the counting of 2.1, as it is written there. */
import { isIn, isUndecided, outcomeOf, type Seats } from "./seat.ts";

export type Mode =
  | { readonly kind: "any" | "all" | "sequence" }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "share"; readonly part: number; readonly of: number; readonly strict: boolean };

export interface Stage {
  readonly groups: readonly { readonly people: readonly string[]; readonly mode: Mode }[];
  readonly veto: readonly string[];
  readonly reject: "one" | "rest";
  readonly abstain: "leaves" | "no";
  readonly collect: boolean;
  readonly onEmpty: "hold" | "skip" | "reject";
  /** Whole numbers; absent: every seat weighs 1. */
  readonly weights?: Readonly<Record<string, number>>;
}

/** A stage and who sits in it. */
export interface Sitting {
  readonly stage: Stage;
  readonly seats: Seats;
}

export type Result = "approved" | "rejected";

/** Votes of a group, by weight or by heads. */
export interface Votes {
  readonly approved: number;
  readonly rejected: number;
  readonly open: number;
  readonly abstained: number;
}

export function votesOf(table: Sitting, group: number): Votes {
  const here = table.seats.filter((seat) => isIn(seat) && seat.counts.includes(group));
  const sum = (outcome: string) =>
    here.filter((seat) => outcomeOf(table, seat) === outcome).reduce((total, { weight }) => total + weight, 0);
  return { approved: sum("approved"), rejected: sum("rejected"), open: sum("open"), abstained: sum("abstained") };
}

/** Are so many approvals enough, of these votes? */
export function isEnough(approvals: number, { mode }: Stage["groups"][number], stage: Stage, votes: Votes): boolean {
  const left = votes.approved + votes.rejected + votes.open;
  const total = stage.abstain === "no" ? left + votes.abstained : left;
  switch (mode.kind) {
    case "any":
      return approvals > 0;
    case "all":
    case "sequence":
      return approvals === total;
    case "count":
      return approvals >= mode.count;
    case "share":
      return mode.strict ? approvals * mode.of > mode.part * total : approvals * mode.of >= mode.part * total;
  }
}

/** What a group says, all its seats asked at this moment. Enough approvals are enough, whatever comes later. */
export function groupSays(table: Sitting, group: number): Result | "empty" | "open" {
  const { stage } = table;
  const votes = votesOf(table, group);
  const of = stage.groups[group]!;
  if (votes.approved + votes.rejected + votes.open === 0) return "empty";
  if (isEnough(votes.approved, of, stage, votes)) return "approved";
  const isNo = stage.abstain === "no" && of.mode.kind !== "any";
  if (stage.reject === "one" && votes.rejected + (isNo ? votes.abstained : 0) > 0) return "rejected";
  return isEnough(votes.approved + votes.open, of, stage, votes) ? "open" : "rejected";
}

/** A rejection by a veto seat ends the stage; an approval waits for every one of them. */
export function vetoSays(table: Sitting): "rejected" | "open" | "nothing" {
  const vetoes = table.seats.filter((seat) => seat.veto && isIn(seat));
  if (vetoes.some((seat) => outcomeOf(table, seat) === "rejected")) return "rejected";
  return vetoes.some((seat) => isUndecided(table, seat)) ? "open" : "nothing";
}

/** Would too few be left in one of these groups to reach its number of approvals? `any` asks for one. */
export function isBelow(table: Sitting, groups: readonly number[]): boolean {
  return groups.some((group) => {
    const { mode } = table.stage.groups[group]!;
    const { approved, open } = votesOf(table, group);
    if (mode.kind !== "count" && mode.kind !== "any") return false;
    return approved + open < (mode.kind === "count" ? mode.count : 1);
  });
}

/** Is nobody left in one of these groups, or nobody but who abstained? */
export function isDeserted(table: Sitting, groups: readonly number[]): boolean {
  return groups.some((group) => {
    const { approved, rejected, open } = votesOf(table, group);
    return approved + rejected + open === 0;
  });
}
