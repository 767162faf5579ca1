import type { FileAst, FlowAst, RegionAst } from "../ast.ts";
import { type Place, placeAt } from "./blocks.ts";
import type { Word } from "./vocabulary.ts";
import * as vocabulary from "./vocabulary.ts";

/** What is known outside the file. */
export interface EditorWorld {
  readonly functions?: readonly { readonly name: string; readonly kind: string }[];
  /** Names of templates with the placeholders that they have. */
  readonly templates?: ReadonlyMap<string, readonly string[]>;
  /** Ids of the controls of outside forms, by template id. */
  readonly controls?: ReadonlyMap<string, readonly string[]>;
  /** Flows of other files. */
  readonly flows?: readonly string[];
}

export type CompletionKind = "keyword" | "state" | "field" | "event" | "people" | "function" | "type" | "name";

export interface Completion {
  readonly text: string;
  readonly kind: CompletionKind;
  readonly about?: string;
  readonly snippet?: string;
}

/** What can stand at the offset. Works while the line is not finished, from the newest tree that there is. */
export function complete(text: string, offset: number, ast: FileAst, world: EditorWorld = {}): readonly Completion[] {
  const place = placeAt(text, offset);
  if (place.inside === "comment") return [];
  const found = place.inside === "string" ? strings(place, offset, ast, world) : words(place, offset, ast, world);
  return unique(found);
}

function unique(completions: readonly Completion[]): readonly Completion[] {
  const byText = new Map(completions.map((one) => [one.text, one]));
  return [...byText.values()];
}

const keywords = (list: readonly Word[]): Completion[] =>
  list.map(({ word, about, snippet }) => ({
    text: word,
    kind: "keyword",
    about,
    ...(snippet !== undefined && { snippet }),
  }));

const named = (kind: CompletionKind, names: Iterable<string>, about?: string): Completion[] =>
  [...names].map((text) => ({ text, kind, ...(about !== undefined && { about }) }));

// ------------------------------------------------------------------------------------------------------------------ //
// Inside strings
// ------------------------------------------------------------------------------------------------------------------ //

function strings({ before, blocks }: Place, offset: number, ast: FileAst, world: EditorWorld): Completion[] {
  const lead = before.slice(0, before.lastIndexOf('"')).trimEnd();
  const flow = flowAt(ast, offset);
  if (/(?:\bof|\bstarts|run flow|start\()$/.test(lead)) return named("name", flowNames(ast, world));
  if (/run saga$/.test(lead))
    return named(
      "name",
      ast.sagas.map(({ name }) => name.text),
    );
  if (/\b(?:calendar\s*:)$/.test(lead))
    return named(
      "name",
      ast.calendars.map(({ name }) => name.text),
    );
  if (/render\($|\brendered$/.test(lead))
    return named(
      "name",
      ast.documents.map(({ name }) => name.text),
    );
  if (/\b(?:template|fallback)\s*:$/.test(lead)) return named("name", world.templates?.keys() ?? []);
  if (/(?:control|table)\($/.test(lead)) return named("name", controlsOf(blocks, world));
  if (/\b(?:on|send|emitted)$|emit\($/.test(lead)) return named("event", eventsOf(flow ?? ast.flows[0]));
  return [];
}

const flowNames = (ast: FileAst, { flows = [] }: EditorWorld): string[] => [
  ...ast.flows.map(({ name }) => name.text),
  ...flows,
];

function controlsOf(blocks: readonly string[], { controls }: EditorWorld): readonly string[] {
  const template = /^source\s+\S+\s+"([^"]*)"/.exec(blocks[0] ?? "")?.[1];
  return (template === undefined ? undefined : controls?.get(template)) ?? [];
}

function eventsOf(flow: FlowAst | undefined): Iterable<string> {
  if (!flow) return [];
  const regions = regionsOf(flow);
  const sent = regions.flatMap(({ transitions }) =>
    transitions.flatMap(({ trigger }) => (trigger.kind === "event" ? [trigger.event.text] : [])),
  );
  return new Set([...flow.events.map(({ name }) => name.text), ...sent]);
}

// ------------------------------------------------------------------------------------------------------------------ //
// Words
// ------------------------------------------------------------------------------------------------------------------ //

function words(place: Place, offset: number, ast: FileAst, world: EditorWorld): Completion[] {
  const { blocks } = place;
  const outer = blocks[0] ?? "";
  if (blocks.length === 0) return keywords(vocabulary.TOP_LEVEL);
  if (outer.startsWith("state machine")) return inFlow(place, offset, ast, world);
  if (outer.startsWith("test")) return inTest(place, flowNamed(outer, /of\s+"([^"]*)"/, ast), ast);
  if (outer.startsWith("document")) return inDocument(place, outer, ast, world);
  if (outer.startsWith("source")) return inSource(place, flowNamed(outer, /starts\s+"([^"]*)"/, ast));
  if (outer.startsWith("matrix")) return [...membersOf(ast), ...peopleOf(flowAt(ast, offset) ?? ast.flows[0], ast)];
  if (outer.startsWith("saga")) return functionsOf(world, "action");
  return [];
}

const flowNamed = (head: string, pattern: RegExp, ast: FileAst): FlowAst | undefined => {
  const name = pattern.exec(head)?.[1];
  return ast.flows.findLast((flow) => flow.name.text === name);
};

function inFlow(place: Place, offset: number, ast: FileAst, world: EditorWorld): Completion[] {
  const { blocks, before } = place;
  const flow = flowAt(ast, offset) ?? ast.flows.at(-1);
  const inner = blocks.at(-1)!;
  if (inner === "transitions") return inLine(before, flow, blocks, ast, world);
  if (/^(?:approval|handle)\s+by\b/.test(inner)) return inOptions(before, flow, ast);
  if (/^state\s/.test(inner) && blocks.length > 1) return inState(before, flow, ast);
  if (inner === "parallel")
    return keywords([
      { word: "branch", about: "One of the branches." },
      { word: "join", about: "`all`, `any` or a number." },
      { word: "reject", about: "`one`: the first rejection ends it." },
    ]);
  if (inner === "data") return before.includes(":") ? [...keywords(vocabulary.TYPES), ...typesOf(ast)] : [];
  if (blocks.includes("events")) return inEvents(before, flow, blocks);
  if (inner === "people") return before.includes("=") ? peopleOf(flow, ast) : [];
  if (inner === "ensure") return [...keywords(vocabulary.PROPERTIES), ...statesOf(flow), ...peopleOf(flow, ast)];
  if (inner === "routes") return [];
  if (/^migrate\b/.test(inner)) return statesOf(flow);
  if (/^(?:initial|final|states)\s*:/.test(before)) return statesOf(flow);
  return keywords(blocks.length === 1 ? vocabulary.MACHINE : vocabulary.BRANCH);
}

function inEvents(before: string, flow: FlowAst | undefined, blocks: readonly string[]): Completion[] {
  if (blocks.at(-1) === "events" || !flow) return [];
  return /:\s*[\w]*$/.test(before) ? keywords(vocabulary.TYPES) : fieldsOf(flow);
}

function inState(before: string, flow: FlowAst | undefined, ast: FileAst): Completion[] {
  if (/^(?:approval|handle)\s+by\b/.test(before)) {
    return [...peopleOf(flow, ast), ...matricesOf(ast), ...keywords(vocabulary.MODES), ...keywords(CHAIN)];
  }
  return keywords(vocabulary.STATE);
}

const CHAIN: readonly Word[] = [
  { word: "then", about: "The next stage." },
  { word: "and", about: "Another group of this stage." },
  { word: "veto", about: "Whose rejection ends the stage." },
  { word: "weight", about: "Votes count by this function." },
];

function inOptions(before: string, flow: FlowAst | undefined, ast: FileAst): Completion[] {
  const option = /^(\w+)\s*:/.exec(before)?.[1];
  if (option === undefined) return keywords(vocabulary.OPTIONS);
  if (option === "allow") return keywords(vocabulary.OPERATIONS);
  if (option === "edit" || option === "hide") return flow ? fieldsOf(flow) : [];
  if (option === "reason" && before.includes("[")) {
    return keywords([{ word: "approve", about: "" }, { word: "reject", about: "" }, ...vocabulary.OPERATIONS]);
  }
  if (/\b(?:assign|to)\s+[\w-]*$/.test(before)) {
    return [...peopleOf(flow, ast), { text: "assignee", kind: "people", about: "The present holder." }];
  }
  if (option === "overdue") return keywords(OVERDUE);
  return keywords(vocabulary.OPTION_VALUES[option] ?? []);
}

const OVERDUE: readonly Word[] = [
  { word: "remind", about: "Once more.", snippet: "remind after $0" },
  { word: "escalate", about: "To somebody above.", snippet: "escalate to $1 after $0" },
  { word: "transfer", about: "To somebody else.", snippet: "transfer to $1 after $0" },
  { word: "approve", about: "By the clock.", snippet: "approve after $0" },
  { word: "reject", about: "By the clock.", snippet: "reject after $0" },
];

/** `FROM → TO TRIGGER [by PEOPLE] [if COND] [→ ACTION]…`: what comes next is told by what stands there. */
function inLine(
  before: string,
  flow: FlowAst | undefined,
  blocks: readonly string[],
  ast: FileAst,
  world: EditorWorld,
): Completion[] {
  const parts = before.split(/→|->/);
  const last = parts.at(-1)!;
  const states = statesOf(flow, blocks);
  if (parts.length === 1) return [...states, { text: "any", kind: "keyword", about: "Every state that is not final." }];
  if (/\bif\b[^→]*$/.test(last)) return [...expressionNames(flow, ast), ...functionsOf(world, "guard")];
  if (/\bby\s+[\p{L}\p{N}_-]*$/u.test(last)) return peopleOf(flow, ast);
  if (/\bon\s+[\p{L}_-]*$/u.test(last)) {
    return [
      ...named(
        "event",
        [...eventsOf(flow)].map((name) => JSON.stringify(name)),
      ),
      ...keywords(vocabulary.OUTCOMES),
    ];
  }
  if (parts.length > 2) {
    return [...keywords(vocabulary.ACTIONS), ...functionsOf(world, "action"), ...functionsOf(world, "check")];
  }
  return /^\s*[\p{L}\p{N}_-]*$/u.test(last) ? states : keywords(LINE);
}

const LINE: readonly Word[] = [
  { word: "on", about: "An event from outside, or an outcome." },
  { word: "after", about: "So long after the state was entered." },
  { word: "at", about: "At an instant." },
  { word: "by", about: "Who may send the event." },
  { word: "if", about: "Under which condition." },
  { word: "else", about: "Where no line above applied." },
];

function inTest({ before }: Place, flow: FlowAst | undefined, ast: FileAst): Completion[] {
  if (/[{,]\s*[\p{L}\p{N}_-]*$/u.test(before)) return flow ? fieldsOf(flow) : [];
  if (/^expect\s/.test(before)) return [...statesOf(flow), ...keywords(EXPECT), ...(flow ? fieldsOf(flow) : [])];
  if (/:\s*[\p{L}\p{N}_-]*$/u.test(before)) return membersOf(ast);
  return keywords(vocabulary.STATEMENTS);
}

const EXPECT: readonly Word[] =
  "waiting for|emitted|called|undone|notified|rendered|refused|escalated|reminded|round|seat|history containing|nothing open|not"
    .split("|")
    .map((word) => ({ word, about: "" }));

function inDocument({ before }: Place, head: string, ast: FileAst, { templates }: EditorWorld): Completion[] {
  const flow = ast.flows[0];
  if (before.includes("=")) return expressionNames(flow, ast);
  const own = ast.documents.find(({ name }) => head.includes(JSON.stringify(name.text)));
  const placeholders = (own?.template && templates?.get(own.template.text)) ?? [];
  return [...named("name", placeholders, "A placeholder of the template."), ...keywords(DOCUMENT)];
}

const DOCUMENT: readonly Word[] = [
  { word: "template", about: "The template's name.", snippet: 'template: "$0"' },
  { word: "fallback", about: "Rendered where this one fails.", snippet: 'fallback: "$0"' },
];

function inSource({ before }: Place, flow: FlowAst | undefined): Completion[] {
  if (before.includes("=")) return keywords(SOURCE);
  return [...named("name", ["key", "initiator"]), ...(flow ? fieldsOf(flow) : [])];
}

const SOURCE: readonly Word[] = [
  { word: "control", about: "The value of a control.", snippet: 'control("$0")' },
  { word: "table", about: "A table of controls.", snippet: 'table("$1") { $0 }' },
  { word: "in yuan", about: "元 → 分." },
  { word: "one of", about: "Texts of a choice.", snippet: 'one of { "$0" }' },
  { word: "SpNoStr", about: "The form's number." },
  { word: "Applyer.UserId", about: "Who filled it in." },
];

// ------------------------------------------------------------------------------------------------------------------ //
// Names of the file
// ------------------------------------------------------------------------------------------------------------------ //

export const flowAt = (ast: FileAst, offset: number): FlowAst | undefined =>
  ast.flows.find(({ span }) => span.start <= offset && offset <= span.end);

function regionsOf(region: RegionAst): RegionAst[] {
  const branches = region.stateBlocks.flatMap(({ parallel }) => parallel?.branches ?? []);
  return [region, ...branches.flatMap(regionsOf)];
}

/** In a branch its own states first, then those further out. */
function statesOf(flow: FlowAst | undefined, blocks: readonly string[] = []): Completion[] {
  if (!flow) return [];
  const branch = blocks.map((head) => /^branch\s+([\p{L}\p{N}_-]+)/u.exec(head)?.[1]).findLast((name) => name);
  const regions = regionsOf(flow);
  const own = regions.filter((region) => branch !== undefined && "name" in region && isNamed(region.name, branch));
  return [...own, flow].flatMap(({ states }) =>
    named(
      "state",
      states.map(({ text }) => text),
    ),
  );
}

const isNamed = (name: unknown, text: string): boolean =>
  typeof name === "object" && name !== null && "text" in name && name.text === text;

const fieldsOf = (flow: FlowAst): Completion[] =>
  named(
    "field",
    flow.fields.map(({ name }) => name.text),
  );

function peopleOf(flow: FlowAst | undefined, ast: FileAst): Completion[] {
  const own = flow ?? ast.flows[0];
  return [...named("people", own?.people.map(({ name }) => name.text) ?? []), ...keywords(vocabulary.PEOPLE)];
}

const matricesOf = (ast: FileAst): Completion[] =>
  named(
    "function",
    ast.matrices.map(({ name }) => name.text),
    "matrix",
  );

function typesOf(ast: FileAst): Completion[] {
  return ast.flows.flatMap(({ fields }) =>
    fields.flatMap(({ type }) => (type.kind === "enum" && type.name ? named("type", [type.name.text]) : [])),
  );
}

function membersOf(ast: FileAst): Completion[] {
  return ast.flows.flatMap(({ fields }) =>
    fields.flatMap(({ type }) =>
      type.kind === "enum"
        ? named(
            "name",
            type.members.map(({ text }) => text),
          )
        : [],
    ),
  );
}

const expressionNames = (flow: FlowAst | undefined, ast: FileAst): Completion[] => [
  ...(flow ? fieldsOf(flow) : []),
  ...membersOf(ast),
  ...keywords(vocabulary.EXPRESSION),
];

const functionsOf = ({ functions = [] }: EditorWorld, kind: string): Completion[] =>
  functions
    .filter((one) => one.kind === kind)
    .map(({ name }) => ({ text: name, kind: "function", about: kind, snippet: `${name}($0)` }));
