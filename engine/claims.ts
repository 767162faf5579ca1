import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { joinSeats } from "./joined-seats.ts";
import { seatAt, setSeat } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { closeTask } from "./seats.ts";
import { findTask, refuseNotAllowed, sharedBeside } from "./tasks.ts";

/** A shared task becomes its claimer's alone; any decision on it claims it first. Deadlines stay. */
export function claim(place: PlaceDraft, index: number, by: string): void {
  for (const at of [index, ...sharedBeside(place, index, by)]) {
    if (seatAt(place, at).person === "") setHolder(place, at, by, "claimed", by);
  }
}

/** What is done with a shared task is done with all that the person has, or may claim, of the stage: they become one. */
export function claimAsOne(place: PlaceDraft, index: number, by: string): void {
  claim(place, index, by);
  for (const at of sharedBeside(place, index, by)) {
    closeTask(place, at, "superseded", by);
    joinSeats(place, at, index, by);
  }
}

function setHolder(place: PlaceDraft, index: number, person: string, kind: "claimed" | "released", by: string): void {
  const task = { ...seatAt(place, index).task!, assignee: person };
  setSeat(place, index, { person, task });
  place.draft.keep(task);
  place.draft.tell({ kind, task: task.id, by });
}

export function claimTask(draft: Draft, command: CommandOf<"claim">): Stop | undefined {
  const held = findTask(draft, command);
  if ("kind" in held) return held;
  if (!held.seat.candidates) return refuseNotAllowed(held.place, "claim");
  claim(held.place, held.index, draft.actor!);
  return undefined;
}

/** Back to the group; only who claimed it holds it. */
export function releaseTask(draft: Draft, command: CommandOf<"release">): Stop | undefined {
  const held = findTask(draft, command);
  if ("kind" in held) return held;
  const { place, index, seat } = held;
  if (!seat.candidates?.includes(seat.person)) return refuseNotAllowed(place, "release");
  if (seat.person === "") return refuse("not-possible-in-state", "Nobody has claimed the task.");
  for (const at of [index, ...sharedBeside(place, index, seat.person)]) {
    const { person, candidates, task } = seatAt(place, at);
    if (person !== seat.person) continue;
    setHolder(place, at, "", "released", draft.actor!);
    draft.notify(candidates!, { kind: "task", task: task!.id, what: "opened" });
  }
  return undefined;
}
