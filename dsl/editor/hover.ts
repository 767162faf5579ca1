import type { FileAst, FlowAst, RegionAst } from "../ast.ts";
import type { Definition } from "../definition.ts";
import { describer, termText } from "../describe.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { typeText } from "../diff/diff.ts";
import type { EditorWorld } from "./complete.ts";
import type { Occurrence } from "./occurrences.ts";
import { scopeOf } from "./occurrences.ts";

/** A file in which what a name stands for may be written. */
export interface HoverFile {
  readonly ast: FileAst;
  readonly text: string;
  readonly errors: readonly Diagnostic[];
}

/**
 * What is known of a name, in Markdown: its type, who decides, where it leads, its doc comment.
 * @param used files that the file uses.
 */
export function hover(
  occurrence: Occurrence,
  file: HoverFile,
  used: readonly HoverFile[],
  definitions: readonly Definition[],
  world: EditorWorld = {},
): string | undefined {
  const { kind, name } = occurrence;
  const { ast, text } = file;
  const flow = ast.flows.find((one) => occurrence.scope.split("/")[0] === scopeOf(one));
  const definition = definitions.findLast((one) => one.flow === (flow ?? ast.flows[0])?.name.text);
  switch (kind) {
    case "flow":
      return flowText(ast, name, definitions);
    case "state":
      return flow && stateText(name, occurrence.scope, flow, definition);
    case "field":
      return fieldText(name, definition, flow, text);
    case "payload":
      return payloadText(name, definition);
    case "event":
      return eventText(name, definition);
    case "people":
      return peopleText(name, definition);
    case "matrix":
      return matrixText(name, [file, ...used]);
    case "function":
      return functionText(name, world, definition);
    case "member":
      return membersText(name, definition);
    case "saga":
    case "calendar":
    case "document":
      return declarationText(kind, name, [file, ...used]);
    default:
      return undefined;
  }
}

const code = (text: string): string => `\`\`\`flow\n${text}\n\`\`\``;

function flowText(ast: FileAst, name: string, definitions: readonly Definition[]): string {
  const flow = ast.flows.findLast((one) => one.name.text === name);
  const definition = definitions.findLast((one) => one.flow === name);
  const title = definition?.title === undefined ? "" : ` — ${definition.title}`;
  const proved = definition
    ? `Sound: ${definition.states.length} states, ${definition.transitions.length} lines, ${definition.ensure.length} properties proved.`
    : flow
      ? "Has errors."
      : "Not in this file.";
  return [`**${name}**${title}`, flow?.doc ?? "", proved].filter((line) => line !== "").join("\n\n");
}

function stateText(name: string, scope: string, flow: FlowAst, definition: Definition | undefined): string {
  const region = regionOf(flow, scope);
  const doc = region.stateDocs[name] ?? region.stateBlocks.find((block) => block.name.text === name)?.doc;
  const inner = definition && regionIn(definition, scope);
  const state = inner?.states.find((one) => one.name === name);
  const describe = definition && describer(definition);
  const facts: string[] = [];
  if (state?.final) facts.push("Final.");
  if (state?.approval && describe) {
    const { due } = state.approval;
    facts.push(`Decided by \`${describe.chain(state.approval)}\`${due ? `, due in ${termText(due.term)}` : ""}.`);
  }
  if (state?.run)
    facts.push(`Runs the ${state.run.kind} \`${state.run.kind === "saga" ? state.run.saga : state.run.flow}\`.`);
  const lines = inner?.transitions.filter(({ from }) => from.includes(name)) ?? [];
  const ways = describe
    ? lines.map((line) => {
        const when = line.condition ? ` if ${describe.expression(line.condition)}` : "";
        return `${name} → ${line.to} ${describe.trigger(line.trigger)}${line.otherwise ? " else" : ""}${when}`;
      })
    : [];
  return [`**${name}**`, doc ?? "", ...facts, ways.length > 0 ? code(ways.join("\n")) : ""]
    .filter((part) => part !== "")
    .join("\n\n");
}

const branchesOf = (scope: string): string[] => scope.split("/").slice(1);

function regionOf(flow: FlowAst, scope: string): RegionAst {
  let region: RegionAst = flow;
  for (const name of branchesOf(scope)) {
    const branches = region.stateBlocks.flatMap(({ parallel }) => parallel?.branches ?? []);
    region = branches.find((branch) => branch.name.text === name) ?? region;
  }
  return region;
}

function regionIn(definition: Definition, scope: string): Pick<Definition, "states" | "transitions"> {
  let region: Pick<Definition, "states" | "transitions"> = definition;
  for (const name of branchesOf(scope)) {
    const branches = region.states.flatMap(({ parallel }) => parallel?.branches ?? []);
    region = branches.find((branch) => branch.name === name) ?? region;
  }
  return region;
}

/** Where the flow has errors there is no definition: then as it is written. */
function fieldText(
  name: string,
  definition: Definition | undefined,
  flow: FlowAst | undefined,
  text: string,
): string | undefined {
  const field = definition?.fields.find((one) => one.name === name);
  if (field) {
    const notes = [field.optional ? "may be absent" : "", field.secret ? "secret" : ""].filter((note) => note !== "");
    return code(`${name}: ${typeText(field.type)}${notes.length > 0 ? ` // ${notes.join(", ")}` : ""}`);
  }
  const written = flow?.fields.find((one) => one.name.text === name);
  return written && code(text.slice(written.span.start, written.span.end));
}

function payloadText(name: string, definition: Definition | undefined): string | undefined {
  const found = definition?.events
    .flatMap(({ payload }) => payload)
    .find((field) => field.name === name && !field.data);
  return found && code(`event.${name}: ${typeText(found.type)}${found.optional ? "?" : ""}`);
}

function eventText(name: string, definition: Definition | undefined): string | undefined {
  const event = definition?.events.find((one) => one.name === name);
  if (!event || !definition) return undefined;
  const payload = event.payload.map((field) => `${field.name}: ${typeText(field.type)}${field.optional ? "?" : ""}`);
  const lines = definition.transitions.filter(({ trigger }) => trigger.kind === "event" && trigger.event === name);
  const ways = lines.map(({ from, to }) => `${from.join(", ")} → ${to}`);
  return code([`${JSON.stringify(name)} { ${payload.join(", ")} }`, ...ways].join("\n"));
}

function peopleText(name: string, definition: Definition | undefined): string | undefined {
  const people = definition?.people[name];
  return people && definition && code(`${name} = ${describer(definition).people(people)}`);
}

/** As it is written, and whether it is proved. */
function matrixText(name: string, files: readonly HoverFile[]): string | undefined {
  for (const { ast, text, errors } of files) {
    const matrix = ast.matrices.find((one) => one.name.text === name);
    if (!matrix) continue;
    const { start, end } = matrix.span;
    const isProved = !errors.some(({ span }) => start <= span.start && span.end <= end);
    const proof = isProved ? "complete, no two rows overlap." : "has errors.";
    return `**${name}**: ${proof}\n\n${code(text.slice(start, end))}`;
  }
  return undefined;
}

function functionText(name: string, { functions = [] }: EditorWorld, definition: Definition | undefined): string {
  const declared = functions.find((one) => one.name === name);
  const used = definition?.functions.find((one) => one.name === name);
  const kind = declared?.kind ?? used?.kind;
  const by = declared ? "declared by a plugin or a service" : "nobody declares it here";
  return `**${name}**${kind === undefined ? "" : ` (${kind})`}: ${by}.`;
}

function membersText(name: string, definition: Definition | undefined): string | undefined {
  const field = definition?.fields.find(({ type }) => type.kind === "enum" && type.members.includes(name));
  return field && code(`${name} // of ${field.name}: ${typeText(field.type)}`);
}

function declarationText(
  kind: "saga" | "calendar" | "document",
  name: string,
  files: readonly HoverFile[],
): string | undefined {
  for (const { ast, text } of files) {
    const lists = { saga: ast.sagas, calendar: ast.calendars, document: ast.documents } as const;
    const found = lists[kind].find((one) => one.name.text === name);
    if (found) return code(text.slice(found.span.start, found.span.end));
  }
  return undefined;
}
