/** Sagas: steps and their undoing, with the fields of each flow that runs them. */
import type { CallAst, Name, SagaAst, SagaStepAst } from "../ast.ts";
import type { SagaCall, SagaDefinition, SagaStep } from "../definition.ts";
import { isBuiltinAction } from "./actions.ts";
import { functionArguments, useFunction, wrongPlace } from "./calls.ts";
import { anyFlow, inFile } from "./elsewhere.ts";
import { plainScope } from "./expressions.ts";
import { percentShare } from "./literals.ts";
import { checkPeople } from "./people.ts";
import { Report } from "./report.ts";
import { type FlowScope, isLost, isSound, type Scope, type Shared } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { checkNaturalMs } from "./terms.ts";

/** The saga that a state runs, as a key of the definition's sagas; `undefined` if there is none, or it is wrong. */
export function checkSagaUse(name: Name, { flow, draft }: Scope): string | undefined {
  const saga = flow.file.sagas.get(name.text);
  if (saga === undefined) {
    if (isLost(name.text, flow)) return undefined;
    const suggestion = didYouMean(name.text, flow.file.sagas.keys(), name.span, true);
    return flow.report.add("FLOW114", name.span, `There is no saga \`${name.text}\`.`, suggestion);
  }
  const { sagas } = flow.mentions;
  if (!sagas.has(name.text)) {
    sagas.set(
      name.text,
      inFile(saga.home, flow, name.span, (guest) => checkSaga(saga.ast, { ...plainScope(guest), draft })),
    );
  }
  return sagas.get(name.text) && name.text;
}

/** Checks a saga that no flow of its file runs: of its names, those that are built in. */
export function checkUnusedSaga({ ast, home }: Shared<SagaAst>): void {
  const report = new Report(home.file);
  checkSaga(ast, plainScope(anyFlow(home, report)));
  home.report.include(report);
}

function checkSaga(ast: SagaAst, scope: Scope): SagaDefinition | undefined {
  const { flow } = scope;
  const steps = ast.steps.map((side) => {
    const checked = side.map((step) => checkStep(step, scope));
    return checked.every((step) => step !== undefined) ? checked : undefined;
  });
  const onStuck = ast.onStuck && checkPeople(ast.onStuck.to, { scope });
  if (!isSound(ast, flow.file)) flow.report.isIncomplete = true;
  else if (ast.steps.length === 0) {
    return flow.report.add("FLOW273", ast.name.span, `The saga \`${ast.name.text}\` has no step.`);
  }
  if (!steps.every((step) => step !== undefined) || (ast.onStuck && !onStuck)) return undefined;
  return { name: ast.name.text, steps, ...(onStuck ? { onStuck } : {}) };
}

function checkStep(ast: SagaStepAst, scope: Scope): SagaStep | undefined {
  const { flow } = scope;
  const call = checkSagaCall(ast.call, scope);
  const undo = ast.undo && checkSagaCall(ast.undo, scope);
  const retries = ast.retry ?? 0;
  if (!Number.isSafeInteger(retries) || retries < 0) {
    flow.report.add("FLOW219", ast.span, "`retry` takes a whole number.");
  }
  const backoff = checkBackoff(ast.backoff, flow);
  const jitter = ast.jitter && checkJitter(ast.jitter, flow);
  const timeoutMs = ast.timeout && checkNaturalMs(ast.timeout, flow);
  if (ast.timeout && timeoutMs === 0) flow.report.add("FLOW125", ast.timeout.span, "This takes more than no time.");
  if (!call || (ast.undo && !undo)) return undefined;
  return {
    ...call,
    ...(undo ? { undo } : {}),
    retries,
    ...(backoff ? { backoff } : {}),
    ...(jitter === undefined ? {} : { jitter }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** A function that acts; secrets may go to it. */
function checkSagaCall({ name, arguments: asts }: CallAst, scope: Scope): SagaCall | undefined {
  const { flow } = scope;
  const args = functionArguments(asts, scope);
  const declared = flow.file.functions.get(name.text)?.kind;
  if (isBuiltinAction(name.text)) {
    return flow.report.add("FLOW128", name.span, `\`${name.text}\` is an action of a line; a step calls a function.`);
  }
  if (declared !== undefined && declared !== "action") return wrongPlace(name, declared, "in a saga", flow);
  useFunction(flow, name, "action");
  return args && { name: name.text, arguments: args };
}

function checkBackoff(ast: SagaStepAst["backoff"], flow: FlowScope): SagaStep["backoff"] {
  if (ast === undefined) return undefined;
  const fromMs = checkNaturalMs(ast.from, flow);
  const toMs = ast.to ? checkNaturalMs(ast.to, flow) : fromMs;
  if (fromMs === undefined || toMs === undefined) return undefined;
  if (fromMs <= toMs) return { fromMs, toMs };
  return flow.report.add("FLOW219", ast.span, "`backoff` leads from a shorter time to a longer one.");
}

/** `25%` as 0.25. */
function checkJitter({ percent, span }: NonNullable<SagaStepAst["jitter"]>, flow: FlowScope): number | undefined {
  const { part, of } = percentShare(percent);
  if (part <= of) return part / of;
  return flow.report.add("FLOW219", span, "`jitter` is at most 100%.");
}
