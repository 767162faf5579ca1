/** `onStuck`: where an undo keeps failing, a person does it by hand. */
import { archive } from "./closed-tasks.ts";
import type { Draft } from "./draft.ts";
import { taskId } from "./ids.ts";
import { findPeople } from "./people.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { type SagaDraft, type StepAt, sagasOf, stepsOf } from "./saga-runs.ts";
import { type Sitter, takesOver } from "./standing-in.ts";
import { isIn, isOpenFor, seatsWhere } from "./tasks.ts";
import type { Command, EpochMs, Refusal, Task } from "./types.ts";

type Deciding = Extract<Command, { readonly kind: "decide" }>;

/** Nothing more is undone until somebody says that it was done by hand. If there is nobody, who started it hears of it. */
export function askHuman(saga: SagaDraft, at: StepAt): void {
  const { draft, run } = saga;
  const sitters = findSitters(saga);
  if (!sitters || draft.blocked()) return;
  const name = saga.definitionAt(at).undo!.name;
  saga.setStep(at, { status: "stuck" });
  draft.tell({ kind: "stuck", saga: run.saga, function: name });
  const people = sitters.length > 0 ? sitters.map(({ person }) => person) : [draft.instance.initiator.id];
  const reason = `\`${name}\` of the saga ${run.saga} keeps failing and has to be done by hand.`;
  draft.notify(people, { kind: "alert", reason });
  saga.set({ phase: "stuck", tasks: sitters.map((sitter) => openTask(saga, sitter)) });
}

/** Deputies and successors stand in here too. */
function findSitters({ place, definition: { onStuck } }: SagaDraft): readonly Sitter[] | undefined {
  if (!onStuck) return [];
  const found = findPeople(place, onStuck)?.map((person) => takesOver(place, person));
  if (!found?.every((one) => one !== undefined)) return undefined;
  const there = found.filter((one) => one !== "left");
  return there.filter(({ person }, index) => there.findIndex((one) => one.person === person) === index);
}

function openTask({ draft, place, state, address }: SagaDraft, { person, onBehalfOf }: Sitter): Task {
  const { instance } = draft;
  const number = instance.counters.task + 1;
  instance.counters = { ...instance.counters, task: number };
  const id = taskId(instance.id, number);
  const task: Task = {
    id,
    assignee: person,
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    status: "open",
    state,
    stage: 0,
    ...(address !== "" && { place: address }),
    ...(place.flow.parent && { flow: place.flow.now.flow }),
    as: "stuck",
    openedAt: draft.at,
  };
  draft.keep(task);
  draft.tell({ kind: "task-opened", task: id, assignee: person });
  draft.publish(place.flow, "task.opened", { task: id, assignee: person, stage: 1 }); // People count from 1.
  draft.notify([person], { kind: "task", task: id, what: "opened" });
  return task;
}

/** A saga, and the task of somebody who is asked to go on with it. */
export interface Stuck {
  readonly saga: SagaDraft;
  readonly task: Task;
}

/** The task of a saga that a decision is about, if it is about one; or why it can't be. */
export function findStuck(draft: Draft, choice: Pick<Deciding, "task" | "in">): Stuck | Refusal | undefined {
  const { actor } = draft;
  if (draft.place.isAlone && !draft.place.now.saga && !draft.instance.undoing) return undefined; // As nearly always.
  const { task: wanted, in: branch } = choice;
  const all = [...sagasOf(draft)].flatMap((saga) => (saga.run.tasks ?? []).map((task) => ({ saga, task })));
  const stuck = all.filter(({ task }) => wanted === undefined || task.id === wanted);
  if (stuck.length === 0 || actor === undefined) return undefined;
  const own = stuck.filter(({ saga, task }) => task.assignee === actor && (branch === undefined || isIn(saga, branch)));
  if (own.length === 0) return wanted === undefined ? undefined : refuseStranger(actor, wanted);
  const seats = wanted === undefined ? seatsWhere(draft, (seat) => isOpenFor(seat, actor)) : [];
  if (own.length + seats.length === 1) return own[0];
  const tasks = [...own.map(({ task }) => task.id), ...seats.map(({ seat }) => seat.task!.id)];
  return refuse("not-your-task", `\`${actor}\` has ${tasks.length} open tasks here; say which one is meant.`, {
    tasks,
  });
}

function refuseStranger(actor: string, task: string): Refusal {
  return refuse("not-your-task", `\`${task}\` is not a task of \`${actor}\`.`, { task });
}

/** Open tasks of this kind that a person has. */
export function stuckTasksOf(draft: Draft, person: string): Stuck[] {
  return [...sagasOf(draft)].flatMap((saga) =>
    (saga.run.tasks ?? []).flatMap((task) => (task.assignee === person ? [{ saga, task }] : [])),
  );
}

/** It goes to somebody else for good. Who has one already keeps that. */
export function moveStuck({ saga, task }: Stuck, to: Sitter): void {
  const { draft, place, run } = saga;
  const others = run.tasks!.filter((one) => one !== task);
  keepClosed(place, [{ ...task, status: "transferred", closedAt: draft.at }]);
  draft.tell({ kind: "transferred", task: task.id, from: task.assignee, to: to.person });
  const known = others.some(({ assignee }) => assignee === to.person);
  saga.set({ tasks: known ? others : [...others, openTask(saga, to)] });
}

/** Undone by hand: the rest goes on. @param goOn with the saga. */
export function handleStuck(
  { saga, task }: Stuck,
  { decision, reason }: Deciding,
  goOn: (saga: SagaDraft) => void,
): Stop | undefined {
  if (decision !== "handle") {
    return refuse("not-allowed", "This has to be done by hand; it can only be handled.", { operation: decision });
  }
  const { draft, run, place } = saga;
  const by = draft.actor!;
  const at = stepsOf(run).find((one) => saga.stepAt(one).status === "stuck")!;
  const because = reason === undefined ? undefined : { reason };
  keepClosed(
    place,
    run.tasks!.map((one) => closed(one, task, draft.at)),
  );
  draft.tell({ kind: "decided", task: task.id, by, decision: "handled", ...because });
  draft.publish(place.flow, "task.decided", { task: task.id, assignee: by, by, decision: "handled", ...because });
  saga.setStep(at, { status: "undone" });
  saga.set({ phase: "undoing", tasks: undefined });
  draft.tell({ kind: "undone", function: saga.definitionAt(at).undo!.name, byHand: by });
  goOn(saga);
  return undefined;
}

/** The others have it done for them. */
function closed(task: Task, handled: Task, closedAt: EpochMs): Task {
  if (task === handled) return { ...task, status: "handled", closedAt };
  return { ...task, status: "superseded", closedAt, closedBy: handled.assignee };
}

function keepClosed({ draft }: PlaceDraft, tasks: readonly Task[]): void {
  for (const task of tasks) draft.keep(task);
  archive(draft, tasks);
}
