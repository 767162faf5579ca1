import type { Group, Mode, Threshold } from "../dsl/index.ts";
import { scaled } from "./exact.ts";
import type { Seat } from "./types.ts";

/** How a group's votes are counted. */
export interface Count {
  readonly mode: Mode;
  readonly reject: Group["reject"];
  /** What an abstention counts. */
  readonly abstain: "leaves" | "no";
}

export type Verdict = "approved" | "rejected" | "empty" | "undecided";

/**
 * What a group's seats say so far. `approved` and `rejected` are certain: no later decision changes them.
 * `empty`: everybody has left, which comes before any count.
 */
export function verdict(count: Count, votes: Votes): Verdict {
  const { approved, rejected, open, abstained } = votes.seats;
  if (approved + rejected + open === 0) return "empty";
  if (reached(count, votes, false)) return "approved";
  if (count.reject === "one" && (rejected > 0 || (abstained > 0 && abstentionEnds(count)))) return "rejected";
  return reached(count, votes, true) ? "undecided" : "rejected";
}

/** An abstention that counts as a no is a rejection like any other, but it is never the first decision of `any`. */
function abstentionEnds({ mode, abstain }: Count): boolean {
  return abstain === "no" && mode.kind !== "any";
}

/** Could the group approve if everybody still open did? */
export function canPass(count: Count, votes: Votes): boolean {
  return votes.seats.approved + votes.seats.open > 0 && reached(count, votes, true);
}

/** Does the group ask for a fixed number (or weight) of approvals? Shares shrink with the seats. */
export function isFixed({ mode }: Count): boolean {
  return thresholdOf(mode).kind === "count";
}

interface Sums {
  approved: number;
  rejected: number;
  /** Not decided: with an open task, or still to be opened. */
  open: number;
  abstained: number;
}

/** Votes of a group. Seats that collapsed into another, or were removed, have left it. */
export interface Votes {
  readonly seats: Sums;
  /** In units of 10^-12, where seats are weighed. */
  readonly weights?: { readonly [Kind in keyof Sums]: bigint };
}

/** Votes of the seats that count in this group. */
export function votesOf(seats: readonly Seat[], group: number): Votes {
  const sums = { approved: 0, rejected: 0, open: 0, abstained: 0 };
  let weights: { [Kind in keyof Sums]: bigint } | undefined;
  for (const seat of seats) {
    const kind = kindOf(seat.status);
    if (kind === undefined || seat.hangs || (seat.counts === undefined && group !== 0)) continue;
    const membership = seat.counts?.find((one) => one.group === group);
    if (seat.counts !== undefined && membership === undefined) continue;
    sums[kind] += 1;
    if (membership?.weight === undefined) continue;
    weights ??= { approved: 0n, rejected: 0n, open: 0n, abstained: 0n };
    weights[kind] += scaled(membership.weight, WEIGHT_PLACES)!;
  }
  return weights ? { seats: sums, weights } : { seats: sums };
}

const WEIGHT_PLACES = 12;
const WEIGHT_UNIT = 10n ** BigInt(WEIGHT_PLACES);

/** What a seat is counted as; a switch, because this runs over every seat with every decision. */
function kindOf(status: Seat["status"]): keyof Sums | undefined {
  switch (status) {
    case "approved":
    case "handled":
      return "approved";
    case "open":
    case "waiting":
      return "open";
    case "rejected":
    case "abstained":
      return status;
    default:
      return undefined;
  }
}

/** Are the approvals enough? @param withOpen counts who has not decided as an approval. */
function reached({ mode, abstain }: Count, { seats, weights }: Votes, withOpen: boolean): boolean {
  const threshold = thresholdOf(mode);
  if (weights) return reachedByWeight(threshold, weights, withOpen, abstain === "no");
  const have = withOpen ? seats.approved + seats.open : seats.approved;
  if (threshold.kind === "count") return have >= threshold.count;
  const total = seats.approved + seats.rejected + seats.open + (abstain === "no" ? seats.abstained : 0);
  // In whole numbers: two thirds of three is two, without rounding.
  const [left, right] = [have * threshold.of, threshold.part * total];
  return threshold.strict ? left > right : left >= right;
}

function reachedByWeight(
  threshold: Threshold,
  weights: NonNullable<Votes["weights"]>,
  withOpen: boolean,
  countsAbstained: boolean,
): boolean {
  const have = withOpen ? weights.approved + weights.open : weights.approved;
  if (threshold.kind === "count") return have >= BigInt(threshold.count) * WEIGHT_UNIT;
  const total = weights.approved + weights.rejected + weights.open + (countsAbstained ? weights.abstained : 0n);
  const [left, right] = [have * BigInt(threshold.of), BigInt(threshold.part) * total];
  return threshold.strict ? left > right : left >= right;
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
