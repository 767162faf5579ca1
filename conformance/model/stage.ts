/** What a stage of the model has come to: the counting of 2.1, as it is written there. */
import { isIn, isUndecided, outcomeOf, type Seat, turnsOf } from "./seat.ts";

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

export type Result = "approved" | "rejected";

/** Votes of a group, by weight or by heads. */
export interface Votes {
  readonly approved: number;
  readonly rejected: number;
  readonly open: number;
  readonly abstained: number;
}

export function votesOf(seats: readonly Seat[], group: number): Votes {
  const here = seats.filter((seat) => isIn(seat) && seat.counts.includes(group));
  const sum = (outcome: string) =>
    here.filter((seat) => outcomeOf(seat) === outcome).reduce((total, { weight }) => total + weight, 0);
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

/** What a group says, all its seats asked at this moment. */
export function groupSays(stage: Stage, seats: readonly Seat[], group: number): Result | "empty" | "open" {
  const votes = votesOf(seats, group);
  const of = stage.groups[group]!;
  if (votes.approved + votes.rejected + votes.open === 0) return "empty";
  const isNo = stage.abstain === "no" && of.mode.kind !== "any";
  if (stage.reject === "one" && votes.rejected + (isNo ? votes.abstained : 0) > 0) return "rejected";
  if (!isEnough(votes.approved + votes.open, of, stage, votes)) return "rejected";
  return isEnough(votes.approved, of, stage, votes) ? "approved" : "open";
}

/** A rejection by a veto seat ends the stage; an approval waits for every one of them. */
export function vetoSays(seats: readonly Seat[]): "rejected" | "open" | "nothing" {
  const vetoes = seats.filter((seat) => seat.veto && isIn(seat));
  if (vetoes.some((seat) => outcomeOf(seat) === "rejected")) return "rejected";
  return vetoes.some(isUndecided) ? "open" : "nothing";
}

/** Whose turn it is among the seats of a stage that is open. */
export function stageTurns(stage: Stage, seats: readonly Seat[]): readonly Seat[] {
  const open = seats.filter(isUndecided);
  const inTurn = stage.groups[0]!.mode.kind === "sequence" ? open.slice(0, 1) : open;
  return inTurn.flatMap(turnsOf);
}
