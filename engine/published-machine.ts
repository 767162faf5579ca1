import { type Definition, type Describer, describer, type Region, type Transition } from "../dsl/index.ts";
import { linesOf } from "./machine.ts";

/** What XState's tools read: https://stately.ai/docs/machines. Plain JSON; guards and actions are named, with what they say. */
export interface PublishedMachine {
  readonly id: string;
  readonly initial: string;
  readonly states: Readonly<Record<string, PublishedState>>;
}

export interface PublishedState {
  readonly type?: "final" | "parallel";
  readonly initial?: string;
  readonly states?: Readonly<Record<string, PublishedState>>;
  readonly on?: Readonly<Record<string, readonly PublishedTransition[]>>;
  readonly after?: Readonly<Record<string, readonly PublishedTransition[]>>;
  readonly meta?: Readonly<Record<string, string>>;
}

export interface PublishedTransition {
  readonly target: string;
  readonly reenter: true;
  readonly guard?: { readonly type: "condition"; readonly params: { readonly text: string } };
  readonly actions?: readonly { readonly type: string; readonly params: { readonly text: string } }[];
}

/**
 * A definition as one machine for XState's own tools: branches are parallel states of it. It moves like the engine, whose
 * machines it is made of line by line; who decides and what effects do is the engine's, and stands in names only.
 */
export function publishedMachine(definition: Definition): PublishedMachine {
  // A dot in an id would begin a path.
  const id = definition.flow.replaceAll(".", "_");
  return { id, ...region(definition, { describe: describer(definition), id, path: [] }) };
}

interface Publishing {
  readonly describe: Describer;
  /** Of the whole machine. */
  readonly id: string;
  /** State and branch of each fork around, outermost first. */
  readonly path: readonly (readonly [state: string, branch: string])[];
}

function region(own: Region, publishing: Publishing): { initial: string; states: Record<string, PublishedState> } {
  return {
    initial: own.initial,
    states: Object.fromEntries(own.states.map(({ name }) => [name, stateOf(own, name, publishing)])),
  };
}

function stateOf(own: Region, name: string, publishing: Publishing): PublishedState {
  const { describe, id, path } = publishing;
  const { final, approval, parallel, run } = own.states.find((state) => state.name === name)!;
  const lines = linesOf(own, name).map((line) => own.transitions[line]!);
  if (final && lines.length === 0) return { type: "final" };
  const timed = lines.filter(({ trigger }) => trigger.kind === "after" || trigger.kind === "at");
  const meta = {
    ...(approval && { approval: describe.chain(approval) }),
    ...(run && { run: run.kind === "saga" ? `saga ${run.saga}` : `flow ${run.flow}` }),
  };
  return {
    ...(parallel && {
      type: "parallel" as const,
      states: Object.fromEntries(
        parallel.branches.map((branch) => [
          branch.name,
          region(branch, { describe, id, path: [...path, [name, branch.name]] }),
        ]),
      ),
    }),
    ...transitions(
      "on",
      lines.filter((line) => !timed.includes(line)),
      publishing,
    ),
    ...transitions("after", timed, publishing),
    ...(Object.keys(meta).length > 0 && { meta }),
  };
}

function transitions(kind: "on" | "after", lines: readonly Transition[], publishing: Publishing): PublishedState {
  if (lines.length === 0) return {};
  const byTrigger = Map.groupBy(lines, ({ trigger }) => triggerName(trigger, publishing.describe));
  return {
    [kind]: Object.fromEntries(
      [...byTrigger].map(([name, all]) => [name, all.map((line) => target(line, publishing))]),
    ),
  };
}

/** Milliseconds where XState can count them; working time and instants by name. */
function triggerName(trigger: Transition["trigger"], describe: Describer): string {
  switch (trigger.kind) {
    case "event":
      return trigger.event;
    case "outcome":
      return trigger.outcome;
    case "after":
      return trigger.term.kind === "natural" ? String(trigger.term.ms) : describe.trigger(trigger);
    case "at":
      return describe.trigger(trigger);
  }
}

function target(
  { to, up = 0, by, condition, otherwise, actions }: Transition,
  publishing: Publishing,
): PublishedTransition {
  const { describe, id, path } = publishing;
  const conditions = [
    ...(by ? [`by ${describe.people(by)}`] : []),
    ...(otherwise ? ["else"] : []),
    ...(condition ? [`if ${describe.expression(condition)}`] : []),
  ];
  return {
    // Ids of XState are dotted paths from the root.
    target: up === 0 ? to : `#${[id, ...path.slice(0, path.length - up).flat(), to].join(".")}`,
    reenter: true,
    ...(conditions.length > 0 && { guard: { type: "condition" as const, params: { text: conditions.join(" ") } } }),
    ...(actions.length > 0 && {
      actions: actions.map((action) => ({ type: action.kind, params: { text: describe.action(action) } })),
    }),
  };
}
