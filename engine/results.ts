/** What the open round has come to. */
import type { PeopleStage } from "../dsl/index.ts";
import { approvalOf, isUndecided, roundOf } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { modeOf } from "./stages.ts";
import { type Count, type Verdict, verdict, votesOf } from "./tally.ts";
import type { Seat } from "./types.ts";

/** What each group of the stage says. */
export function verdictsOf(place: PlaceDraft, stage: PeopleStage): readonly Verdict[] {
  return stage.groups.map((_, group) => groupVerdict(place, stage, group));
}

function groupVerdict(place: PlaceDraft, stage: PeopleStage, group: number): Verdict {
  const { seats, groups } = roundOf(place);
  const special = groups?.[group];
  if (special?.skipped || special?.approved) return "approved";
  const found = verdict(countOf(place, stage, group), votesOf(seats, group));
  if (found === "empty") return special?.held === undefined ? "empty" : "undecided";
  return found === "approved" && waitsForVeto(seats, group) ? "undecided" : found;
}

/** An approval is certain only when every veto seat has decided, abstained or gone. */
function waitsForVeto(seats: readonly Seat[], group: number): boolean {
  return seats.some((one) => one.veto && isUndecided(one) && groupsOf(one).includes(group));
}

/** How a group of the open round is counted. */
export function countOf(place: PlaceDraft, stage: PeopleStage, group: number): Count {
  const special = roundOf(place).groups?.[group];
  const { mode, reject } = stage.groups[group]!;
  const { abstain } = approvalOf(place);
  const now = modeOf(stage.groups[group]!, special);
  return { mode: now, reject: now === mode ? reject : "one", abstain };
}

/** Every group must approve; a veto ends the stage whatever the modes say. */
export function stageVerdict(place: PlaceDraft, verdicts: readonly Verdict[]): "approved" | "rejected" | "undecided" {
  const { seats } = roundOf(place);
  if (verdicts.includes("rejected") || seats.some((one) => one.veto && one.status === "rejected")) return "rejected";
  return verdicts.every((one) => one === "approved") ? "approved" : "undecided";
}

/** Groups of the stage in which the seat counts. */
export function groupsOf({ counts }: Seat): readonly number[] {
  return counts ? counts.map(({ group }) => group) : ONLY;
}

const ONLY = [0];
