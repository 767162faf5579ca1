/** Sagas of an instance: those of the states it is in, and those of states it has left. */
import type { SagaDefinition, SagaStep } from "../dsl/index.ts";
import type { Draft } from "./draft.ts";
import { FlowDraft, type PlaceDraft, placesBelow } from "./place.ts";
import { prepare } from "./prepare.ts";
import { dropTimers } from "./timers.ts";
import type { Compensation, LeftSaga, SagaRun, StepRun, SubFlow } from "./types.ts";

/** Indexes of a step in {@link SagaDefinition.steps}. */
export interface StepAt {
  readonly item: number;
  readonly step: number;
}

/** A saga under work, wherever it is kept. Good until the next one of the same compensation is over. */
export class SagaDraft {
  /** In whose name its steps are called: where it runs or, when that was left, its flow's own machine. */
  readonly place: PlaceDraft;
  /** Where it ran. */
  readonly state: string;
  readonly address: string;
  /** Of a saga whose state was left: indexes in {@link Instance.undoing} and {@link Compensation.sagas}. */
  readonly left: { readonly compensation: number; readonly saga: number } | undefined;

  constructor(place: PlaceDraft, state: string, address: string, left?: SagaDraft["left"]) {
    this.place = place;
    this.state = state;
    this.address = address;
    this.left = left;
  }

  get draft(): Draft {
    return this.place.draft;
  }

  get run(): SagaRun {
    const { left, place, draft } = this;
    return left ? draft.instance.undoing![left.compensation]!.sagas[left.saga]!.run : place.now.saga!;
  }

  get definition(): SagaDefinition {
    return definitionOf(this.place, this.run);
  }

  set(parts: { readonly [Part in keyof SagaRun]?: SagaRun[Part] | undefined }): void {
    const { tasks, ...others } = { ...this.run, ...parts } as SagaRun;
    const run = tasks ? { ...others, tasks } : others;
    const { left, place, draft } = this;
    if (!left) place.now.saga = run;
    else {
      const { sagas } = draft.instance.undoing![left.compensation]!;
      setCompensation(draft, left.compensation, { sagas: sagas.with(left.saga, { ...sagas[left.saga]!, run }) });
    }
  }

  stepAt({ item, step }: StepAt): StepRun {
    return this.run.items[item]![step]!;
  }

  definitionAt({ item, step }: StepAt): SagaStep {
    return this.definition.steps[item]![step]!;
  }

  setStep(at: StepAt, parts: Partial<StepRun>): void {
    const { items } = this.run;
    const item = items[at.item]!;
    this.set({ items: items.with(at.item, item.with(at.step, { ...item[at.step]!, ...parts })) });
  }
}

export function definitionOf({ flow }: PlaceDraft, run: SagaRun): SagaDefinition {
  return run.definition ?? flow.prepared.definition.sagas[run.saga]!;
}

export function liveSaga(place: PlaceDraft): SagaDraft {
  return new SagaDraft(place, place.now.state, place.address);
}

export function leftSaga(draft: Draft, compensation: number, saga: number): SagaDraft {
  const { flow, state, place = "" } = draft.instance.undoing![compensation]!.sagas[saga]!;
  return new SagaDraft(flow ? revived(draft, flow) : draft.place, state, place, { compensation, saga });
}

/** A sub-flow that may be gone, as far as its sagas need it. */
function revived(draft: Draft, flow: SubFlow): PlaceDraft {
  return new FlowDraft(draft, prepare(draft.definitions(flow.definition)!), { ...flow }, "", draft.place).place;
}

/** Every saga that runs or is being undone. */
export function* sagasOf(draft: Draft): Generator<SagaDraft> {
  for (const place of placesBelow(draft.place)) if (place.now.saga) yield liveSaga(place);
  const { undoing = [] } = draft.instance;
  for (const [compensation, { sagas }] of undoing.entries()) {
    for (const saga of sagas.keys()) yield leftSaga(draft, compensation, saga);
  }
}

/** The step that an effect was the newest try of. */
export function findTry(draft: Draft, effect: string): { saga: SagaDraft; at: StepAt } | undefined {
  for (const saga of sagasOf(draft)) {
    const at = stepsOf(saga.run).find((one) => saga.stepAt(one).effect === effect);
    if (at) return { saga, at };
  }
  return undefined;
}

/** The steps that were begun, in order. */
export function stepsOf({ items }: SagaRun): StepAt[] {
  return items.flatMap((steps, item) => steps.map((_, step) => ({ item, step })));
}

/** The step whose undo comes next: one that may have been done although it timed out, then what is finished, in reverse. */
export function nextToUndo({ steps }: SagaDefinition, run: SagaRun): StepAt | undefined {
  const undoable = stepsOf(run).filter(({ item, step }) => steps[item]![step]!.undo);
  const statusOf = ({ item, step }: StepAt): StepRun => run.items[item]![step]!;
  return (
    undoable.findLast((at) => statusOf(at).status === "failed" && statusOf(at).timedOut) ??
    undoable.findLast((at) => statusOf(at).status === "done")
  );
}

const UNDER_WAY: ReadonlySet<StepRun["status"]> = new Set(["running", "undoing", "undo-retrying", "stuck"]);

/** Does something of it have to end before the next undo can begin? */
export function isUnderWay(run: SagaRun): boolean {
  return run.items.some((steps) => steps.some(({ status }) => UNDER_WAY.has(status)));
}

/** No more of it is begun but undoing: what was to be tried again has failed, what is on its way is waited for. */
export function stopped({ draft }: PlaceDraft, run: SagaRun): SagaRun {
  const items = run.items.map((steps) =>
    steps.map((one): StepRun => (one.status === "retrying" ? { ...one, status: "failed" } : one)),
  );
  const given = new Set(
    run.items.flatMap((steps) => steps.flatMap((one) => (one.status === "retrying" ? one.effect : []))),
  );
  if (given.size > 0) dropTimers(draft.place, ({ purpose }) => purpose.kind === "retry" && given.has(purpose.effect));
  return { ...run, phase: run.phase === "running" ? "undoing" : run.phase, items };
}

/** @param sagas of the compensation, where they change. */
export function setCompensation(draft: Draft, index: number, parts: Partial<Compensation>): void {
  const { instance } = draft;
  instance.undoing = instance.undoing!.with(index, { ...instance.undoing![index]!, ...parts });
}

export function dropCompensation({ instance }: Draft, index: number): void {
  const others = instance.undoing!.toSpliced(index, 1);
  instance.undoing = others.length > 0 ? others : undefined;
}

/** A saga of the state that is left, as it is kept from then on. */
export function leave(place: PlaceDraft, run: SagaRun): LeftSaga {
  const { now, address } = place;
  return { run, state: now.state, ...(address !== "" && { place: address }), at: now.path.length - 1 };
}

/** Of a sub-flow's saga that is to outlive it: with what undoing needs of that flow, its data for what is secret. */
export function withFlow(saga: LeftSaga, { parent, now }: FlowDraft): LeftSaga {
  if (!parent || saga.flow) return saga;
  const { id, flow, definition, label, data, touched, state, enteredAt } = now;
  const parts = { id, flow, definition, data, touched, state, enteredAt, path: [], irrevocable: [] };
  return { ...saga, flow: label === undefined ? parts : { ...parts, label } };
}
