import type { FlowAst, Name, PeopleAst, TransitionAst } from "../ast.ts";
import type { Action, Outcome, People, Transition, Trigger } from "../definition.ts";
import { checkAction, type Mentions } from "./actions.ts";
import { milliseconds } from "./approval.ts";
import { article, condition, value } from "./checked.ts";
import { plainScope } from "./expressions.ts";
import { checkPeople } from "./people.ts";
import { type FlowScope, isDamaged, type Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { DATETIME } from "./types.ts";

const OUTCOMES: readonly Outcome[] = ["approved", "rejected", "returned", "withdrawn"];
/** Outcomes of constructs that the engine does not run yet. */
const LATER_OUTCOMES: readonly string[] = ["done", "compensated", "joined"];

/** A line with what was written, so that others can point at it. */
export interface Line {
  readonly ast: TransitionAst;
  readonly transition: Transition;
}

/** All lines of a flow; those with something wrong are left out. */
export function checkTransitions(ast: FlowAst, flow: FlowScope, mentions: Mentions): readonly Line[] {
  return ast.transitions.flatMap((line) => {
    const transition = checkTransition(line, flow, mentions);
    return transition ? [{ ast: line, transition }] : [];
  });
}

function checkTransition(ast: TransitionAst, flow: FlowScope, mentions: Mentions): Transition | undefined {
  const from = checkFrom(ast, flow);
  const to = stateNamed(ast.to, flow);
  const scope = scopeOf(ast, flow);
  const trigger = checkTrigger(ast, scope);
  const by = ast.by && checkBy(ast, ast.by, scope);
  const test = ast.condition && condition(ast.condition, scope);
  const routed = ast.trigger.kind === "event" && flow.routed.has(ast.trigger.event.text);
  const actions = ast.actions.map((action): Action | undefined => checkAction(action, routed, scope, mentions));
  if (!from || to === undefined || !trigger || (ast.by && !by) || (ast.condition && !test)) return undefined;
  if (!actions.every((action) => action !== undefined)) return undefined;
  return {
    from,
    any: ast.from === "any",
    to,
    trigger,
    ...(by ? { by } : {}),
    otherwise: ast.else,
    ...(test ? { condition: test } : {}),
    actions,
  };
}

/** Only what comes from outside is sent by somebody. */
function checkBy({ trigger }: TransitionAst, by: PeopleAst, scope: Scope): People | undefined {
  if (trigger.kind === "event") return checkPeople(by, { scope });
  const hint = "Who decides is said by the stages of the approval.";
  return scope.flow.report.add("FLOW224", by.span, "`by` stands on a line for an outside event only.", { hint });
}

function checkFrom(ast: TransitionAst, flow: FlowScope): readonly string[] | undefined {
  if (ast.from === "any") return [...flow.states.keys()].filter((state) => !flow.finals.has(state));
  const names = ast.from.map((name) => {
    const state = stateNamed(name, flow);
    if (state === undefined || !flow.finals.has(state)) return state;
    return flow.report.add("FLOW202", name.span, `\`${state}\` is final, so no line can leave it.`);
  });
  return names.every((name) => name !== undefined) ? [...new Set(names)] : undefined;
}

/** The state's name, or the report that there is none. */
export function stateNamed({ text, span }: Name, flow: FlowScope): string | undefined {
  if (flow.states.has(text)) return text;
  if (isDamaged(text, flow) || flow.states.size === 0) return undefined;
  return flow.report.add("FLOW102", span, `There is no state \`${text}\`.`, didYouMean(text, flow.states.keys(), span));
}

/** Required fields are there once the initial state was left for one that is not final. */
function scopeOf(ast: TransitionAst, flow: FlowScope): Scope {
  const fromInitial = ast.from === "any" || ast.from.some(({ text }) => text === flow.initial);
  const staysDraft = ast.to.text === flow.initial || flow.finals.has(ast.to.text);
  const { trigger } = ast;
  return {
    ...plainScope(flow),
    event: trigger.kind === "event" ? flow.events.get(trigger.event.text) : undefined,
    hasActor: trigger.kind === "event" || trigger.kind === "outcome",
    draft: fromInitial && staysDraft,
  };
}

function checkTrigger({ trigger, from }: TransitionAst, scope: Scope): Trigger | undefined {
  const { flow } = scope;
  switch (trigger.kind) {
    case "event":
      return { kind: "event", event: trigger.event.text };
    case "outcome":
      return outcomeTrigger(trigger.outcome, flow);
    case "after": {
      const ms = milliseconds(trigger.duration, scope);
      return ms === undefined ? undefined : { kind: "after", ms };
    }
    case "at": {
      // Taken when the state is entered: in the initial one nothing need be set yet.
      const draft = from === "any" || from.some(({ text }) => text === flow.initial);
      const at = value(trigger.at, { ...scope, draft }, DATETIME);
      if (at === undefined || at.type.kind === "datetime") return at && { kind: "at", at };
      return flow.report.add("FLOW120", trigger.at.span, `\`at\` takes a datetime, not ${article(at.type)}.`);
    }
  }
}

function outcomeTrigger({ text, span }: Name, flow: FlowScope): Trigger | undefined {
  const outcome = OUTCOMES.find((known) => known === text);
  if (outcome) return { kind: "outcome", outcome };
  if (LATER_OUTCOMES.includes(text)) {
    const message = `\`on ${text}\` belongs to sagas, sub-flows, parallel states and \`handle\`, which this version does not run yet.`;
    return flow.report.add("FLOW900", span, message);
  }
  return flow.report.add("FLOW209", span, `There is no outcome \`${text}\`.`, {
    hint: `An event from outside stands in quotes: \`on "${text}"\`.`,
    ...didYouMean(text, OUTCOMES, span),
  });
}

/** Lines with the same key wait for the same thing. */
export function triggerKey(trigger: Trigger): string {
  switch (trigger.kind) {
    case "event":
      return `on "${trigger.event}"`;
    case "outcome":
      return `on ${trigger.outcome}`;
    case "after":
      return `after ${trigger.ms}ms`;
    case "at":
      return `at ${JSON.stringify(trigger.at)}`;
  }
}
