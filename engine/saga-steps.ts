/** One step of a saga, or its undo: what it is given, how often it is tried, and when again. */
import { hash } from "node:crypto";
import type { Expression, SagaCall, SagaStep } from "../dsl/index.ts";
import { begin } from "./actions.ts";
import { evaluateShown } from "./evaluation.ts";
import type { PlaceDraft } from "./place.ts";
import { contextOf } from "./questions.ts";
import type { SagaDraft, StepAt } from "./saga-runs.ts";
import { holdsSecret, secretNames } from "./secrets.ts";
import { setTimer } from "./timers.ts";
import type { EpochMs, Json, StepRun } from "./types.ts";

/** More tries of an undo than its step asks for, so that a service that is away for a moment does not need a human. */
const UNDO_RETRIES_MIN = 5;
/** Where the step says nothing. */
const BACKOFF = { fromMs: 1_000, toMs: 30_000 };

/** Begins an item: its arguments are taken now, and its steps are tried for the first time, side by side. */
export function beginItem(saga: SagaDraft, item: number): void {
  const { place, draft } = saga;
  const steps = saga.definition.steps[item]!;
  const runs = steps.map((step, index) => newStep(saga, step, `${item}/${index}`));
  if (draft.blocked()) return;
  saga.set({ items: [...saga.run.items, runs] });
  for (const [index, step] of steps.entries()) {
    if (!step.undo) begin(place, `the step \`${step.name}\``);
    tryStep(saga, { item, step: index }, false);
  }
}

function newStep({ place, run }: SagaDraft, step: SagaStep, key: string): StepRun {
  const set = run.changed?.[key];
  return {
    status: "running",
    tries: 0,
    effect: "",
    key: "",
    arguments: argumentsOf(place, step, set, true),
    undoArguments: step.undo ? argumentsOf(place, step.undo, set, false) : [],
  };
}

/** In the form in which they are kept: secrets are left out. @param byPosition names are of the step, not of its undo. */
function argumentsOf(
  place: PlaceDraft,
  call: SagaCall,
  set: Readonly<Record<string, Json>> = {},
  byPosition: boolean,
): Json[] {
  return call.arguments.map((expression, position) => {
    const found = settingFor(set, expression, byPosition ? position : undefined);
    if (found !== undefined) return found;
    const value = evaluateShown(place, expression);
    return isSecret(place, call, position) ? null : value;
  });
}

/** What an administrator has set an argument to: by its position from 1, or by the name of the field that it is. */
export function settingFor(
  set: Readonly<Record<string, Json>>,
  expression: Expression,
  position: number | undefined,
): Json | undefined {
  const name = argumentName(expression);
  if (name !== undefined && Object.hasOwn(set, name)) return set[name];
  return position === undefined ? undefined : set[String(position + 1)];
}

/** The name by which an argument can be set. */
export function argumentName(expression: Expression): string | undefined {
  return expression.kind === "field" || expression.kind === "builtin" ? expression.name : undefined;
}

/** Does this argument hold a secret? Then it is kept nowhere but in the data. */
export function isSecret({ flow }: PlaceDraft, { arguments: expressions }: SagaCall, position: number): boolean {
  return holdsSecret(expressions[position], secretNames(flow.prepared.definition));
}

/** One try. Secrets are taken from the data each time. */
export function tryStep(saga: SagaDraft, at: StepAt, undo: boolean): void {
  const { place, draft, run } = saga;
  const step = saga.definitionAt(at);
  const { tries: before, arguments: given, undoArguments, key: first } = saga.stepAt(at);
  const call = undo ? step.undo! : step;
  const args = (undo ? undoArguments : given).map((value, position) =>
    isSecret(place, call, position) ? evaluateShown(place, call.arguments[position]!) : value,
  );
  if (draft.blocked()) return;
  const tries = before + 1;
  const effect = draft.nextEffect;
  const key = tries === 1 ? effect : first;
  draft.effect({
    kind: "step",
    saga: run.saga,
    function: call.name,
    undo,
    arguments: args,
    context: contextOf(place),
    idempotencyKey: key,
    ...(step.timeoutMs !== undefined && { timeoutMs: step.timeoutMs }),
  });
  const shown = args.map((value, position) => (isSecret(place, call, position) ? draft.secretLabel(value) : value));
  draft.tell({ kind: undo ? "undo-begun" : "step-begun", function: call.name, arguments: shown, attempt: tries });
  saga.setStep(at, { status: undo ? "undoing" : "running", tries, effect, key });
}

/** The first try of a step's undo. */
export function beginUndo(saga: SagaDraft, at: StepAt): void {
  saga.setStep(at, { tries: 0 });
  tryStep(saga, at, true);
}

/** May what has failed be tried again? Sets the timer. @returns when, or `undefined` if it has failed for good. */
export function planRetry(saga: SagaDraft, at: StepAt): EpochMs | undefined {
  const { draft, run } = saga;
  const step = saga.definitionAt(at);
  const { status, tries, effect } = saga.stepAt(at);
  const undo = status === "undoing";
  const retries = undo ? Math.max(step.retries, UNDO_RETRIES_MIN) : run.phase === "running" ? step.retries : 0;
  if (tries > retries) return undefined;
  const retryAt = draft.at + retryDelayMs(step, tries, [draft.instance.id, effect]);
  saga.setStep(at, { status: undo ? "undo-retrying" : "retrying" });
  // While nothing goes on no timer is set; the next try is begun when it goes on.
  if (!draft.instance.suspended) setTimer(draft.place, retryAt, { kind: "retry", ...at, effect });
  return retryAt;
}

/**
 * How long to wait after `tries` tries: doubled each time from the backoff's first to its last, and varied by the jitter.
 * @param seed names the try; the same seed gives the same variation, so that a replay repeats it.
 */
export function retryDelayMs(
  { backoff = BACKOFF, jitter = 0 }: Pick<SagaStep, "backoff" | "jitter">,
  tries: number,
  seed: readonly string[],
): number {
  const delayMs = Math.min(backoff.fromMs * 2 ** (tries - 1), backoff.toMs);
  if (jitter === 0) return delayMs;
  const part = Number.parseInt(hash("sha256", JSON.stringify([...seed, tries]), "hex").slice(0, 12), 16) / 16 ** 12;
  return Math.round(delayMs * (1 + jitter * (2 * part - 1)));
}
