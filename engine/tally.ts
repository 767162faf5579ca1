import type { Mode, Stage, Threshold } from "../dsl/index.ts";
import type { Seat } from "./types.ts";

/** Votes of a round. Seats that abstained or collapsed into another have left it. */
export interface Tally {
  readonly approved: number;
  readonly rejected: number;
  /** Not decided: with an open task, or still to be opened. */
  readonly open: number;
}

export function tally(seats: readonly Seat[]): Tally {
  let approved = 0;
  let rejected = 0;
  let open = 0;
  for (const { status } of seats) {
    if (status === "approved") approved++;
    else if (status === "rejected") rejected++;
    else if (status === "open" || status === "waiting") open++;
  }
  return { approved, rejected, open };
}

export type Verdict = "approved" | "rejected" | "empty" | "undecided";

/**
 * What the votes say so far. `approved` and `rejected` are certain: no later decision changes them.
 * `empty`: everybody has left, which comes before any count.
 */
export function verdict(mode: Mode, reject: Stage["reject"], votes: Tally): Verdict {
  const seats = seatsIn(votes);
  if (seats === 0) return "empty";
  const threshold = thresholdOf(mode);
  if (meets(threshold, votes.approved, seats)) return "approved";
  if (reject === "one" && votes.rejected > 0) return "rejected";
  return meets(threshold, votes.approved + votes.open, seats) ? "undecided" : "rejected";
}

/** Could this many seats ever approve? */
export function canPass(mode: Mode, seats: number): boolean {
  return seats > 0 && meets(thresholdOf(mode), seats, seats);
}

/** Would fewer seats make a fixed count of approvals unreachable? Shares shrink with the seats and stay reachable. */
export function fallsBelow(mode: Mode, votes: Tally): boolean {
  const threshold = thresholdOf(mode);
  return threshold.kind === "count" && votes.approved + votes.open < threshold.count;
}

/** `any` is a quorum of 1; `all` and `sequence` are a quorum of everybody. */
function thresholdOf(mode: Mode): Threshold {
  switch (mode.kind) {
    case "any":
      return ONE;
    case "all":
    case "sequence":
      return EVERYBODY;
    case "quorum":
      return mode.threshold;
  }
}

const ONE: Threshold = { kind: "count", count: 1 };
const EVERYBODY: Threshold = { kind: "share", part: 1, of: 1, strict: false };

/** In whole numbers: two thirds of three is two, without rounding. */
function meets(threshold: Threshold, approvals: number, seats: number): boolean {
  if (threshold.kind === "count") return approvals >= threshold.count;
  const have = approvals * threshold.of;
  const need = threshold.part * seats;
  return threshold.strict ? have > need : have >= need;
}

function seatsIn({ approved, rejected, open }: Tally): number {
  return approved + rejected + open;
}
