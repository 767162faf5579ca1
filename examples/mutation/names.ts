import type { ExpressionAst, FlowAst, Name, Span } from "../../dsl/index.ts";
import { briefly, inserted, isName, type Mutant, type Operator, type Sample, textAt, walk } from "./sample.ts";

/** Names that are misspelt, forgotten in one place, or given twice. */
export const nameOperators: readonly Operator[] = [
  {
    name: "rename one use of a name",
    mutants: (sample) => usesIn(sample).map(({ name }) => renaming(name, sample)),
  },
  {
    name: "rename a declaration alone",
    mutants: (sample) => {
      const uses = usesIn(sample);
      return declarationsIn(sample)
        .filter(({ name, flow }) => uses.some((use) => use.name.text === name.text && mayMean(use.flow, flow)))
        .map(({ name }) => renaming(name, sample));
    },
  },
  { name: "declare a name twice", mutants: doublesIn },
];

interface Place {
  readonly name: Name;
  /** Absent: outside all flows. */
  readonly flow: FlowAst | undefined;
}

/** What is outside of flows is looked up in those that use it. */
function mayMean(use: FlowAst | undefined, declaration: FlowAst | undefined): boolean {
  return use === undefined || declaration === undefined || use === declaration;
}

function declarationsIn(sample: Sample): readonly Place[] {
  return namesIn(sample).filter(({ path, parent }) => isDeclaration(path, parent));
}

/** Uses of what the file declares, and of what every flow has. */
function usesIn(sample: Sample): readonly Place[] {
  const declared = new Set([...declarationsIn(sample).map(({ name }) => name.text), "initiator", "now"]);
  return namesIn(sample).filter(
    ({ name, path, parent }) => declared.has(name.text) && !isDeclaration(path, parent) && !isFree(path, parent),
  );
}

function namesIn({ ast }: Sample): readonly (Place & { readonly path: string; readonly parent: object })[] {
  return [ast, ...ast.flows].flatMap((tree) => {
    const flow = tree === ast ? undefined : (tree as FlowAst);
    const found: (Place & { readonly path: string; readonly parent: object })[] = [];
    walk(flow ? { flow } : { ...ast, flows: [] }, (node, path, parent) => {
      if (isName(node)) found.push({ name: node, flow, path, parent: parent! });
      else if (isDocument(node, parent)) {
        found.push({ name: { text: node.value, quoted: true, span: node.span }, flow, path, parent: parent! });
      }
    });
    return found;
  });
}

/** `render("voucher")`. */
function isDocument(node: object, action: object | undefined): node is Extract<ExpressionAst, { kind: "text" }> {
  const isRender = action && "name" in action && isName(action.name) && action.name.text === "render";
  return isRender === true && "kind" in node && node.kind === "text";
}

const DECLARATION = oneOf(
  "^(calendars|matrices|sagas|documents)\\.name$",
  "^matrices\\.parameters\\.name$",
  "^flow\\.(fields|people|events)\\.name$",
  "^flow\\.(stateBlocks\\.parallel\\.branches\\.)*states$",
  "parallel\\.branches\\.name$",
  "\\.type\\.members$",
);

function isDeclaration(path: string, parent: object): boolean {
  return DECLARATION.test(path) || (path === "flow.events.payload.name" && "type" in parent);
}

/** Words of the language, names of things elsewhere, and names that only name themselves. */
const FREE = oneOf(
  "^(rollouts|sources|uses)\\.(name|connector|template|path|flow|label)$",
  "^documents\\.(fields\\.name|template|fallback)$",
  "^flow\\.(name|migrations\\.label)$",
  "settings\\.key$",
  "options\\.(key|what|qualifier|on|operations\\.(name|qualifier))$",
  "(trigger\\.outcome|actions\\.name|header\\.result|mode\\.weight|parallel\\.reject)$",
  "calendars\\.(timezone|weekend)$",
  "labels\\.(name|value)$",
  "value\\.(id|unit|path|options\\.text)$",
  "columns\\.value\\.",
  "run\\.(flow|fields\\.name)$",
  "type\\.of\\.fields\\.name$",
  "(call|undo)\\.name$",
);

function oneOf(...patterns: readonly string[]): RegExp {
  return new RegExp(patterns.join("|"));
}

/** Of the settings, only the calendar names something in the text. */
function isFree(path: string, parent: object): boolean {
  const isSetting = path === "flow.settings.value" && "key" in parent;
  return FREE.test(path) || (isSetting && (parent.key as Name).text !== "calendar");
}

/** `x` at its end. */
function renaming(name: Name, { text }: Sample): Mutant {
  const { start, end } = name.span;
  const line = textAt(text, { start: text.lastIndexOf("\n", start) + 1, end: text.indexOf("\n", start) });
  return { edits: [inserted(name.quoted ? end - 1 : end, "x")], what: `${name.text} in ${line.trim().slice(0, 100)}` };
}

function doublesIn({ ast, text }: Sample): readonly Mutant[] {
  const twice = (span: Span, between: string): Mutant => ({
    edits: [inserted(span.end, `${between}${textAt(text, span)}`)],
    what: briefly(text, span),
  });
  const items = [...ast.calendars, ...ast.matrices, ...ast.sagas, ...ast.documents, ...ast.rollouts];
  const inFlows = ast.flows.flatMap((flow) => [
    ...flow.states.map(({ span }) => twice(span, ", ")),
    ...[...flow.fields, ...flow.events].map(({ span }) => twice(span, "\n")),
    ...flow.people.map(({ name, people }) => twice({ start: name.span.start, end: people.span.end }, "\n")),
    ...flow.stateBlocks.map(({ span }) => twice(span, "\n")),
    ...flow.stateBlocks.flatMap(({ parallel }) => (parallel?.branches ?? []).map(({ span }) => twice(span, "\n"))),
    ...flow.stateBlocks.flatMap(({ approval }) => (approval?.options ?? []).map(({ span }) => twice(span, "\n"))),
  ]);
  return [...items.map(({ span }) => twice(span, "\n")), ...inFlows];
}
