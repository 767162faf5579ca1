import type { Action, Definition, People, StateDefinition, Transition, Trigger } from "../../dsl/index.ts";
import { currencyOf, describeExpression, durationText } from "../../engine/index.ts";

/** The machine as data, as `graph --format json` gives it. */
export interface Graph {
  readonly flow: string;
  readonly states: readonly { readonly name: string; readonly kind: StateKind }[];
  readonly edges: readonly Edge[];
}

type StateKind = "initial" | "approval" | "plain" | "final";

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly trigger: string;
  readonly guard?: string;
  readonly actions: readonly string[];
}

/** One edge per line of `transitions` and state that it starts from. */
export function graphOf(definition: Definition): Graph {
  const { flow, states, transitions } = definition;
  return {
    flow,
    states: states.map((state) => ({ name: state.name, kind: kindOf(state, definition) })),
    edges: transitions.flatMap((transition) => edgesOf(transition, definition)),
  };
}

function kindOf({ name, final, approval }: StateDefinition, { initial }: Definition): StateKind {
  if (final) return "final";
  if (approval) return "approval";
  return name === initial ? "initial" : "plain";
}

function edgesOf(transition: Transition, definition: Definition): Edge[] {
  const { from, to, trigger, otherwise, condition, actions } = transition;
  const currency = currencyOf(definition);
  const text = condition && describeExpression(condition, currency);
  const guard = otherwise ? (text === undefined ? "else" : `else if ${text}`) : text;
  const edge = {
    to,
    trigger: triggerText(trigger, definition),
    ...(guard !== undefined && { guard }),
    actions: actions.map((action) => actionText(action, definition)),
  };
  return from.map((state) => ({ from: state, ...edge }));
}

function triggerText(trigger: Trigger, definition: Definition): string {
  switch (trigger.kind) {
    case "event":
      return `on "${trigger.event}"`;
    case "outcome":
      return `on ${trigger.outcome}`;
    case "after":
      return `after ${durationText(trigger.ms)}`;
    case "at":
      return `at ${describeExpression(trigger.at, currencyOf(definition))}`;
  }
}

function actionText(action: Action, definition: Definition): string {
  const text = (expression: Parameters<typeof describeExpression>[0]) =>
    describeExpression(expression, currencyOf(definition));
  switch (action.kind) {
    case "emit":
      return `emit("${action.event}")`;
    case "notify":
    case "cc":
      return `${action.kind}(${peopleText(action.to, text)})`;
    case "render":
      return `render("${action.document}")`;
    case "set":
      return `set(${action.field} = ${text(action.value)})`;
    case "start":
      return `start("${action.flow}", ${text(action.key)})`;
    case "call":
      return `${action.name}(${action.arguments.map(text).join(", ")})`;
  }
}

/** Short: whom a picture names. */
function peopleText(people: People, text: (expression: Parameters<typeof describeExpression>[0]) => string): string {
  switch (people.kind) {
    case "users":
      return `users(${people.ids.map((id) => JSON.stringify(id)).join(", ")})`;
    case "group":
    case "role":
    case "dept":
    case "position":
    case "headOf":
      return `${people.kind}(${text(people.argument)})`;
    case "managerOf":
      return `managerOf(${peopleText(people.of, text)})`;
    case "managersOf":
      return `managersOf(${peopleText(people.of, text)})`;
    case "chosen":
      return `chosen(${people.field})`;
    case "value":
      return text(people.value);
    case "named":
      return people.name;
    case "ask":
      return `${people.name}(${people.arguments.map(text).join(", ")})`;
    default:
      return people.kind;
  }
}

/** A Mermaid state diagram. States get short ids, since Mermaid's ids can't hold every letter. */
export function mermaid({ flow, states, edges }: Graph): string {
  const ids = new Map(states.map(({ name }, index) => [name, `s${index}`]));
  const kinds = new Map(states.map(({ name, kind }) => [name, kind]));
  const initial = states.find(({ kind }) => kind === "initial") ?? states[0];
  return [
    "---",
    `title: ${JSON.stringify(flow)}`,
    "---",
    "stateDiagram-v2",
    ...states.map(
      ({ name }) => `  state "${label(name)}${kinds.get(name) === "approval" ? " ✍" : ""}" as ${ids.get(name)}`,
    ),
    ...(initial ? [`  [*] --> ${ids.get(initial.name)}`] : []),
    ...edges.map((edge) => `  ${ids.get(edge.from)} --> ${ids.get(edge.to)}: ${label(edgeText(edge))}`),
    ...states.filter(({ kind }) => kind === "final").map(({ name }) => `  ${ids.get(name)} --> [*]`),
  ].join("\n");
}

const edgeText = ({ trigger, guard, actions }: Edge): string =>
  [trigger + (guard === undefined ? "" : guard.startsWith("else") ? ` ${guard}` : ` if ${guard}`), ...actions].join(
    " → ",
  );

/** What would end a label or begin a new statement, as Mermaid's entity codes. */
const label = (text: string): string => text.replace(/[#;:"<>\n]/g, (sign) => `#${sign.codePointAt(0)};`);
