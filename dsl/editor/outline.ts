import type { FileAst, RegionAst } from "../ast.ts";
import type { Span } from "../diagnostic.ts";
import type { SymbolKind } from "./occurrences.ts";

/** A declaration in the outline of a file. */
export interface OutlineItem {
  readonly kind: SymbolKind;
  readonly name: string;
  /** Of the whole declaration. */
  readonly span: Span;
  /** Of its name. */
  readonly nameSpan: Span;
  readonly children: readonly OutlineItem[];
}

export function outlineOf(ast: FileAst): OutlineItem[] {
  const items = [
    ...ast.calendars.map((node) => item("calendar", node)),
    ...ast.matrices.map((node) => item("matrix", node)),
    ...ast.flows.map((node) =>
      item("flow", node, [
        ...node.fields.map((field) => item("field", field)),
        ...node.events.map((event) => item("event", event)),
        ...states(node),
      ]),
    ),
    ...ast.sagas.map((node) => item("saga", node)),
    ...ast.documents.map((node) => item("document", node)),
    ...ast.rollouts.map((node) => item("rollout", node)),
    ...ast.tests.map((node) => item("test", node)),
  ];
  return items.sort((one, other) => one.span.start - other.span.start);
}

interface Declared {
  readonly name: { readonly text: string; readonly span: Span };
  readonly span: Span;
}

const item = (kind: SymbolKind, { name, span }: Declared, children: readonly OutlineItem[] = []): OutlineItem => ({
  kind,
  name: name.text,
  span,
  nameSpan: name.span,
  children,
});

/** A state with a block of its own has that block's span, the others that of their name. */
function states({ states, stateBlocks }: RegionAst): OutlineItem[] {
  return states.map((name) => {
    const block = stateBlocks.find((one) => one.name.text === name.text);
    const branches = (block?.parallel?.branches ?? []).map((branch) => item("branch", branch, statesOf(branch)));
    return block ? item("state", block, branches) : item("state", { name, span: name.span });
  });
}

const statesOf = states;
