import { type ExplainedPlace, type InstanceExplanation, tellInstance } from "../../engine/index.ts";
import { time } from "./views.ts";

/** Times as RFC 3339, and the whole as sentences for people. */
export function explanationView(explanation: InstanceExplanation) {
  const { suspendedSince, places, ...rest } = explanation;
  return {
    ...rest,
    suspendedSince: suspendedSince === undefined ? undefined : time(suspendedSince),
    places: places.map(placeView),
    text: tellInstance(explanation),
  };
}

function placeView({ since, round, timers, choices, ...place }: ExplainedPlace) {
  return {
    ...place,
    since: time(since),
    round: round && {
      ...round,
      seats: round.seats.map(({ dueAt, ...seat }) => ({
        ...seat,
        dueAt: dueAt === undefined ? undefined : time(dueAt),
      })),
    },
    timers: timers.map(({ dueAt, does }) => ({ dueAt: time(dueAt), does })),
    choices: choices.map(({ alternatives, ...choice }) => ({
      ...choice,
      alternatives: alternatives.map(({ at, ...alternative }) => alternative),
    })),
  };
}
