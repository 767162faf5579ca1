/** A path in words. */

import type { People } from "../definition.ts";
import { type Describer, describer } from "../describe.ts";
import type { ConcretePath, ConcreteStep } from "./concrete.ts";
import { resolved, type Weakness, weaknesses } from "./covering.ts";
import type { Machines } from "./machines.ts";
import type { Flow } from "./properties.ts";
import { asks } from "./related.ts";
import { nameOf } from "./steps.ts";
import { showValue } from "./values.ts";
import type { Cause, Step } from "./watch.ts";

/**
 * One sentence per step: what happens, and where it leads.
 * @param without approvals by these people are what the path does without.
 */
export function storyOf(path: ConcretePath, { definition, machines }: Flow, without?: People): string {
  const describe = describer(definition);
  const shown = (names: Iterable<string>, data: ConcreteStep["data"]) => {
    const parts = [...names].flatMap((name) => {
      const entry = path.example.get(name);
      if (!entry) return [];
      // What is known of the initiator is no data.
      const value = name.startsWith("initiator.") ? entry.value : (data[name] ?? null);
      if (value === null) return [`\`${name}\` left out`];
      const text = showValue(value, entry.type, definition.currencyDecimals);
      return [`\`${name} = ${typeof text === "object" ? JSON.stringify(text) : String(text)}\``];
    });
    return parts.length === 0 ? "" : ` with ${parts.join(" and ")}`;
  };
  const sentences = path.steps.map(({ step, data, sent, edited, answers }) => {
    const [names, given] = step.cause.kind === "start" ? [path.example.keys(), data] : [Object.keys(sent), sent];
    const changed = shown(edited, data);
    const before = changed === "" ? "" : `somebody changes the form:${changed.slice(5)}; `;
    const said = answers.map(({ call, value }) => `\`${describe.expression(call)}\` answers \`${String(value)}\``);
    const when = said.length === 0 ? "" : ` (${said.join(", ")})`;
    const entered = step.entered.map(({ slot, state }) => `\`${nameOf(slot, state)}\``).join(", ");
    return `${before}${(without && passing(step.cause, without, machines)) ?? happening(step, describe)}${shown(names, given)}${when} → ${entered}`;
  });
  return `${sentences.join("; ")}.`;
}

/** The states that are entered, those of branches as `BRANCH.STATE`. */
export function shownPath({ steps }: ConcretePath): readonly string[] {
  return steps.flatMap(({ step }) => step.entered.map(({ slot, state }) => nameOf(slot, state)));
}

/** How a state is passed though none of these people approves, where they are asked there. */
function passing(cause: Cause, by: People, machines: Machines): string | undefined {
  if (cause.kind !== "line" || cause.outcome !== "approved") return undefined;
  const { slot, state } = cause;
  const { approval } = slot.states[state]!;
  const names = machines.definition.people;
  if (!approval || !asks(approval, by, machines, { names, falls: () => false, grows: false })) return undefined;
  const shown = `\`${nameOf(slot, state)}\``;
  const [weakness] = weaknesses(approval);
  if (weakness) return PASSED[weakness](shown);
  const wanted = resolved(by, names);
  const ids = wanted.kind === "users" ? wanted.ids : [];
  const falling = ids.find((id) => machines.fallingsAt(slot, state, id).length > 0);
  return falling && `the others approve in ${shown}, where the seat of \`${falling}\` falls away`;
}

const PASSED: Readonly<Record<Weakness, (state: string) => string>> = {
  onEmpty: (state) => `nobody is found for ${state}, which is skipped`,
  onSelf: (state) => `the seat of the initiator in ${state} is skipped`,
  overdue: (state) => `time approves ${state}`,
};

function happening({ cause, operations }: Step, describe: Describer): string {
  switch (cause.kind) {
    case "start":
      return "It is started";
    case "return":
      return `the approver returns it to \`${cause.to}\``;
    case "withdraw":
      return "the initiator withdraws it";
    case "line": {
      const { trigger } = cause.group;
      const state = `\`${nameOf(cause.slot, cause.state)}\``;
      if (trigger.kind === "event") return `\`${trigger.event}\` is sent`;
      if (trigger.kind === "outcome") {
        const ended = trigger.outcome === "done" ? endOf(operations) : undefined;
        return ended === undefined ? `${state} is ${trigger.outcome}` : `the flow of ${state} ends in \`${ended}\``;
      }
      return `time passes in ${state}, ${describe.trigger(trigger)}`;
    }
  }
}

/** The final state in which a sub-flow ends. */
function endOf(operations: Step["operations"]): string | undefined {
  const known = operations.find((one) => one.kind === "know" && one.path === "machine.outcome");
  return known?.kind === "know" ? (known.value ?? undefined) : undefined;
}
