/** `ensure`: names and types; whether it holds is proved later. */
import type { FlowAst, Name, PropertyAst, QualifiedNameAst, RegionAst } from "../ast.ts";
import type { Property } from "../definition.ts";
import { condition } from "./checked.ts";
import { plainScope } from "./expressions.ts";
import { checkPeople } from "./people.ts";
import { type FlowScope, isDamaged } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { checkPositiveTerm } from "./terms.ts";

/** All properties of a flow, in order; `undefined` if one of them is wrong. */
export function checkProperties({ ensure }: FlowAst, flow: FlowScope): readonly Property[] | undefined {
  const properties = ensure.map((property) => checkProperty(property, flow));
  return properties.every((property) => property !== undefined) ? properties : undefined;
}

function checkProperty(ast: PropertyAst, flow: FlowScope): Property | undefined {
  const scope = plainScope(flow);
  switch (ast.kind) {
    case "never-without":
      return neverWithout(ast, flow);
    case "never-approves": {
      const people = checkPeople(ast.people, { scope });
      return people && { kind: "never-approves", people };
    }
    case "different-people": {
      const states = ast.states.map((state) => qualifiedState(state, flow));
      return states.every((state) => state !== undefined) ? { kind: "different-people", states } : undefined;
    }
    case "reaches-final": {
      const within = checkPositiveTerm(ast.within, flow);
      return within && { kind: "reaches-final", within };
    }
  }
}

function neverWithout(ast: Extract<PropertyAst, { kind: "never-without" }>, flow: FlowScope): Property | undefined {
  const scope = plainScope(flow);
  const state = qualifiedState(ast.state, flow);
  const test = ast.condition && condition(ast.condition, scope);
  const when = test ? { condition: test } : {};
  const isWhole = state !== undefined && (ast.condition === undefined || test !== undefined);
  if (ast.without.kind === "state") {
    const without = qualifiedState(ast.without.state, flow);
    if (!isWhole || without === undefined) return undefined;
    return { kind: "never-without-state", state, without, ...when };
  }
  const by = checkPeople(ast.without.by, { scope });
  return isWhole && by ? { kind: "never-without-approval", state, by, ...when } : undefined;
}

/** `APPROVED`, `legal.REVIEW`: the state as the definition names it. */
export function qualifiedState({ branch, name }: QualifiedNameAst, flow: FlowScope): string | undefined {
  if (branch === undefined) return ownState(name, flow);
  const named = branchesOf(flow.ast).filter((known) => known.name === branch.text);
  if (named.length === 0) {
    if (isDamaged(branch.text, flow)) return undefined;
    const known = branchesOf(flow.ast).map((other) => other.name);
    const message = `There is no branch \`${branch.text}\`.`;
    return flow.report.add("FLOW115", branch.span, message, didYouMean(branch.text, known, branch.span));
  }
  const states = named.flatMap((known) => known.states);
  if (states.includes(name.text)) return `${branch.text}.${name.text}`;
  if (isDamaged(name.text, flow)) return undefined;
  const message = `The branch \`${branch.text}\` has no state \`${name.text}\`.`;
  return flow.report.add("FLOW102", name.span, message, didYouMean(name.text, states, name.span));
}

function ownState(name: Name, flow: FlowScope): string | undefined {
  const { text, span } = name;
  if (flow.states.has(text)) return text;
  if (isDamaged(text, flow) || flow.states.size === 0) return undefined;
  const branch = branchesOf(flow.ast).find(({ states }) => states.includes(text));
  const suggestion = branch
    ? { hint: `Say the branch: \`${branch.name}.${text}\`.`, fix: [{ span, text: `${branch.name}.${text}` }] }
    : didYouMean(text, flow.states.keys(), span);
  return flow.report.add("FLOW102", span, `There is no state \`${text}\`.`, suggestion);
}

/** Branches at any depth, with the names of their states. */
export function branchesOf(
  region: RegionAst,
): readonly { readonly name: string; readonly states: readonly string[] }[] {
  return region.stateBlocks.flatMap(({ parallel }) =>
    (parallel?.branches ?? []).flatMap((branch) => [
      { name: branch.name.text, states: branch.states.map(({ text }) => text) },
      ...branchesOf(branch),
    ]),
  );
}
