/** An administrator changes the arguments of a saga's step that is not done. */
import type { Expression, SagaCall, SagaStep } from "../dsl/index.ts";
import { tellChanges } from "./actions.ts";
import { refuseAdministrator, tellOverride } from "./administration.ts";
import type { Draft } from "./draft.ts";
import { type CommandOf, setData } from "./events.ts";
import type { PlaceDraft } from "./place.ts";
import { type Fault, refuse, refusePayload, type Stop } from "./refusal.ts";
import { type SagaDraft, type StepAt, sagasOf } from "./saga-runs.ts";
import { argumentName, isSecret, settingFor } from "./saga-steps.ts";
import { isIn } from "./tasks.ts";
import type { Data, Json, Payload, Refusal } from "./types.ts";
import { readValue, showValue } from "./values.ts";

type SetSaga = CommandOf<"set-saga">;

/** They hold from the next try on, for the step's undo too where it takes the same field. */
export function setSaga(draft: Draft, command: SetSaga): Stop | undefined {
  const stop = refuseAdministrator(draft, "set-saga", command.reason);
  if (stop) return stop;
  const found = findStep(draft, command);
  if ("code" in found) return found;
  const { saga, at } = found;
  const step = saga.definitionAt(at);
  const read = readArguments(saga.place, step, command.arguments);
  if ("faults" in read) return refusePayload(read.faults);
  setSecrets(saga.place, read.secrets);
  if (saga.run.items.length > at.item) changeBegun(saga, at, read.set);
  else changeComing(saga, at, read.set);
  const names = Object.keys(command.arguments).map((name) => `\`${name}\``);
  tellOverride(draft, `set ${names.join(", ")} of the step \`${step.name}\``, command.reason);
  return undefined;
}

/** The first step of this name that is not done, in a saga that is not being undone. */
function findStep(draft: Draft, { step: name, in: branch }: SetSaga): { saga: SagaDraft; at: StepAt } | Refusal {
  const running = [...sagasOf(draft)].filter(
    (saga) => saga.run.phase === "running" && (branch === undefined || isIn(saga, branch)),
  );
  if (running.length === 0) return refuse("not-possible-in-state", "No saga is running.");
  const named = running.flatMap((saga) =>
    saga.definition.steps.flatMap((steps, item) =>
      steps.flatMap((one, step) => (one.name === name ? [{ saga, at: { item, step } }] : [])),
    ),
  );
  if (named.length === 0) return refuse("no-such-target", `The running saga has no step \`${name}\`.`, { step: name });
  const open = named.find(({ saga, at }) => saga.run.items[at.item]?.[at.step]?.status !== "done");
  return open ?? refuse("not-possible-in-state", `The step \`${name}\` is done already.`, { step: name });
}

interface Arguments {
  /** By field name, or by position. */
  readonly set: Readonly<Record<string, Json>>;
  /** Fields that are secret: they are kept nowhere but in the data. */
  readonly secrets: Data;
}

function readArguments(
  place: PlaceDraft,
  step: SagaStep,
  given: Payload,
): Arguments | { readonly faults: readonly Fault[] } {
  const { currency, fields } = place.flow.prepared;
  const faults: Fault[] = [];
  const set: Record<string, Json> = {};
  const secrets: Record<string, Data[string]> = {};
  for (const [key, json] of Object.entries(given)) {
    const argument = findArgument(step, key);
    if (!argument) {
      faults.push({ field: key, code: "unknown-field", message: `\`${step.name}\` takes no \`${key}\`.` });
      continue;
    }
    const { expression, call, position } = argument;
    const reading = readValue(expression.type, json, currency);
    const name = argumentName(expression) ?? key;
    if ("fault" in reading) faults.push({ field: key, code: "wrong-type", message: `\`${key}\` ${reading.fault}.` });
    else if (!isSecret(place, call, position)) set[name] = showValue(expression.type, reading.value, currency);
    else if (fields.has(name)) secrets[name] = reading.value;
    else faults.push({ field: key, code: "unknown-field", message: `\`${key}\` is made of secrets; set those.` });
  }
  return faults.length > 0 ? { faults } : { set, secrets };
}

/** By the name of the field that the argument is, or by its position from 1. */
function findArgument(
  step: SagaStep,
  key: string,
): { readonly expression: Expression; readonly call: SagaCall; readonly position: number } | undefined {
  for (const call of step.undo ? [step, step.undo] : [step]) {
    const position = call.arguments.findIndex((expression) => argumentName(expression) === key);
    if (position !== -1) return { expression: call.arguments[position]!, call, position };
  }
  const position = Number(key) - 1;
  const expression = step.arguments[position];
  return expression && { expression, call: step, position };
}

function setSecrets({ flow }: PlaceDraft, secrets: Data): void {
  if (Object.keys(secrets).length === 0) return;
  const before = flow.now.data;
  setData(flow, secrets);
  tellChanges(flow, before);
}

/** The step has been tried already. */
function changeBegun(saga: SagaDraft, at: StepAt, set: Readonly<Record<string, Json>>): void {
  const step = saga.definitionAt(at);
  const run = saga.stepAt(at);
  saga.setStep(at, {
    arguments: changed(step, run.arguments, set, true),
    undoArguments: step.undo ? changed(step.undo, run.undoArguments, set, false) : [],
  });
}

function changed(
  call: SagaCall,
  given: readonly Json[],
  set: Readonly<Record<string, Json>>,
  byPosition: boolean,
): readonly Json[] {
  return given.map((value, position) => {
    const setting = settingFor(set, call.arguments[position]!, byPosition ? position : undefined);
    return setting === undefined ? value : setting;
  });
}

function changeComing(saga: SagaDraft, { item, step }: StepAt, set: Readonly<Record<string, Json>>): void {
  const { changed: before = {} } = saga.run;
  const key = `${item}/${step}`;
  saga.set({ changed: { ...before, [key]: { ...before[key], ...set } } });
}
