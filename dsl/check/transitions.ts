import type { Name, PeopleAst, StateBlockAst, TransitionAst } from "../ast.ts";
import type { Action, Outcome, People, Transition, Trigger, Type } from "../definition.ts";
import { withPresent } from "../with-present.ts";
import { checkAction } from "./actions.ts";
import { article, condition, value } from "./checked.ts";
import { narrowed, plainScope } from "./expressions.ts";
import { checkPeople } from "./people.ts";
import { isDraft, stateNamed, type Target, targetNamed } from "./regions.ts";
import type { FlowScope, Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { checkTerm } from "./terms.ts";
import { DATETIME } from "./types.ts";

const OUTCOMES: readonly Outcome[] = ["approved", "rejected", "returned", "withdrawn", "done", "compensated", "joined"];

/** All lines of a machine; `undefined` if one of them is wrong. */
export function checkTransitions(asts: readonly TransitionAst[], flow: FlowScope): readonly Transition[] | undefined {
  const lines = asts.map((line) => checkTransition(line, flow));
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

function checkTransition(ast: TransitionAst, flow: FlowScope): Transition | undefined {
  const from = checkFrom(ast, flow);
  const to = targetNamed(ast.to, flow);
  const scope = scopeOf(ast, to, flow);
  const trigger = checkTrigger(ast, scope);
  const by = ast.by && checkBy(ast, ast.by, scope);
  const test = ast.condition && condition(ast.condition, scope);
  const routed = ast.trigger.kind === "event" && flow.routed.has(ast.trigger.event.text);
  // What the condition found set is set in the actions, too.
  const acting = test ? narrowed(scope, test, true) : scope;
  const actions = ast.actions.map((action): Action | undefined => checkAction(action, routed, acting));
  if (!from || !to || !trigger || (ast.by && !by) || (ast.condition && !test)) return undefined;
  if (!actions.every((action) => action !== undefined)) return undefined;
  const line = { from, any: ast.from === "any", to: to.state, trigger, otherwise: ast.else, actions };
  return withPresent(line, { up: to.up === 0 ? undefined : to.up, by, condition: test });
}

/** Only what comes from outside is sent by somebody. */
function checkBy({ trigger }: TransitionAst, by: PeopleAst, scope: Scope): People | undefined {
  if (trigger.kind === "event") return checkPeople(by, { scope });
  const hint = "Who decides is said by the stages of the approval.";
  return scope.flow.report.add("FLOW224", by.span, "`by` stands on a line for an outside event only.", { hint });
}

function checkFrom(ast: TransitionAst, flow: FlowScope): readonly string[] | undefined {
  if (ast.from === "any") return [...flow.states.keys()].filter((state) => !flow.finals.has(state));
  const isWithdrawal = ast.trigger.kind === "outcome" && ast.trigger.outcome.text === "withdrawn";
  const names = ast.from.map((name) => {
    const state = stateNamed(name, flow);
    if (state === undefined || !flow.finals.has(state)) return state;
    if (isWithdrawal && flow.blocks.get(state)?.revocable) return state;
    const listed = flow.finals.get(state);
    return flow.report.add("FLOW202", name.span, `\`${state}\` is final, so no line can leave it.`, {
      ...(listed ? { related: [{ message: "It is listed as final here.", span: listed }] } : {}),
      ...(isWithdrawal
        ? { hint: `To let the initiator withdraw, write \`state ${state} { revocable for 7d }\`.` }
        : {}),
    });
  });
  return names.every((name) => name !== undefined) ? [...new Set(names)] : undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// What is known on a line
// ------------------------------------------------------------------------------------------------------------------ //

function scopeOf(ast: TransitionAst, to: Target | undefined, flow: FlowScope): Scope {
  const { trigger } = ast;
  const outcome = trigger.kind === "outcome" ? trigger.outcome.text : undefined;
  const blocks = outcome === undefined ? [] : blocksOf(ast, flow);
  return {
    ...plainScope(flow),
    event: trigger.kind === "event" ? flow.events.get(trigger.event.text) : undefined,
    hasActor: trigger.kind === "event" || trigger.kind === "outcome",
    draft: startsAsDraft(ast, flow) && to !== undefined && !endsDraft(to),
    outcome: outcome === "done" ? outcomeType(blocks, flow) : undefined,
    branches: outcome === undefined ? undefined : branchesOf(blocks),
  };
}

function startsAsDraft({ from }: TransitionAst, flow: FlowScope): boolean {
  if (from === "any") return flow.draft || flow.outer === undefined;
  return from.some(({ text }) => isDraft(text, flow));
}

/** Required fields are there once the initial state was left for one that is not final. */
function endsDraft({ state, region }: Target): boolean {
  return region.outer === undefined && state !== region.initial && !region.finals.has(state);
}

function blocksOf({ from }: TransitionAst, flow: FlowScope): readonly StateBlockAst[] {
  if (from === "any") return [...flow.blocks.values()];
  return from.flatMap(({ text }) => flow.blocks.get(text) ?? []);
}

/** The final states of the flows that are run there. One that is not known may end anywhere: an enum without members. */
function outcomeType(blocks: readonly StateBlockAst[], { file }: FlowScope): Type | undefined {
  const runs = blocks.flatMap(({ run }) => (run?.kind === "flow" ? [file.versions.get(run.flow.text)?.at(-1)] : []));
  if (runs.length === 0) return undefined;
  const isKnown = runs.every((run) => run !== undefined && run.finals.size > 0);
  const members = isKnown ? [...new Set(runs.flatMap((run) => [...(run?.finals.keys() ?? [])]))] : [];
  return { kind: "enum", name: "outcome", members };
}

function branchesOf(blocks: readonly StateBlockAst[]): Scope["branches"] {
  const branches = blocks.flatMap(({ parallel }) => parallel?.branches ?? []);
  if (branches.length === 0) return undefined;
  return new Map(
    branches.map(({ name, states, condition: test, else: otherwise }) => [
      name.text,
      { states: states.map(({ text }) => text), always: test === undefined && !otherwise },
    ]),
  );
}

// ------------------------------------------------------------------------------------------------------------------ //
// Triggers
// ------------------------------------------------------------------------------------------------------------------ //

function checkTrigger({ trigger, from }: TransitionAst, scope: Scope): Trigger | undefined {
  const { flow } = scope;
  switch (trigger.kind) {
    case "event":
      return { kind: "event", event: trigger.event.text };
    case "outcome":
      return outcomeTrigger(trigger.outcome, flow);
    case "after": {
      const term = checkTerm(trigger.duration, flow);
      return term && { kind: "after", term };
    }
    case "at": {
      // Taken when the state is entered: in the initial one nothing need be set yet.
      const draft = from === "any" || from.some(({ text }) => isDraft(text, flow));
      const at = value(trigger.at, { ...scope, draft }, DATETIME);
      if (at === undefined || at.type.kind === "datetime") return at && { kind: "at", at };
      return flow.report.add("FLOW120", trigger.at.span, `\`at\` takes a datetime, not ${article(at.type)}.`);
    }
  }
}

function outcomeTrigger({ text, span }: Name, flow: FlowScope): Trigger | undefined {
  const outcome = OUTCOMES.find((known) => known === text);
  if (outcome) return { kind: "outcome", outcome };
  return flow.report.add("FLOW209", span, `There is no outcome \`${text}\`.`, {
    hint: `An event from outside stands in quotes: \`on "${text}"\`.`,
    fix: [{ span, text: JSON.stringify(text) }],
    ...didYouMean(text, OUTCOMES, span),
  });
}
