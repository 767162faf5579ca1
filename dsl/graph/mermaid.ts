import { edgeText, type Graph, type GraphEdge, type GraphState } from "./graph.ts";

/** A Mermaid state diagram. States get short ids, since Mermaid's ids can't hold every letter. */
export function mermaid(graph: Graph): string {
  const ids = new Map(graph.states.map(({ name }, index) => [name, `s${index}`]));
  const id = (name: string): string => ids.get(name)!;
  const top = graph.states.filter(({ parent }) => parent === undefined);
  return [
    "---",
    `title: ${JSON.stringify(graph.title ?? graph.flow)}`,
    "---",
    "stateDiagram-v2",
    ...top.flatMap((state) => stateLines(state, graph, id, "  ")),
    ...begin(top, id, "  "),
    ...graph.edges.map((edge) => `  ${id(edge.from)} --> ${id(edge.to)}: ${label(textOf(edge))}`),
    ...top.filter(({ kind }) => kind === "final").map(({ name }) => `  ${id(name)} --> [*]`),
  ].join("\n");
}

function stateLines(state: GraphState, graph: Graph, id: (name: string) => string, indent: string): string[] {
  const { name, who, due, branch } = state;
  const short = branch === undefined ? name : name.slice(name.lastIndexOf(".") + 1);
  const people = who === undefined ? "" : ` ✍ ${who}${due === undefined ? "" : `, ${due}`}`;
  const own = `${indent}state "${label(short + people)}" as ${id(name)}`;
  const inner = graph.states.filter(({ parent }) => parent === name);
  if (inner.length === 0) return [own];
  const branches = [...new Set(inner.map((one) => one.branch!))].map((one) => {
    const states = inner.filter((state) => state.branch === one);
    return [
      ...states.flatMap((child) => stateLines(child, graph, id, `${indent}  `)),
      ...begin(states, id, `${indent}  `),
    ];
  });
  const body = branches.flatMap((lines, index) => (index === 0 ? lines : [`${indent}  --`, ...lines]));
  return [`${own} {`, ...body, `${indent}}`];
}

function begin(states: readonly GraphState[], id: (name: string) => string, indent: string): string[] {
  return states.filter(({ initial }) => initial).map(({ name }) => `${indent}[*] --> ${id(name)}`);
}

const textOf = (edge: GraphEdge): string => [edgeText(edge), ...edge.actions].join(" → ");

/** What would end a label or begin a new statement, as Mermaid's entity codes. */
const label = (text: string): string => text.replace(/[#;:"<>\n]/g, (sign) => `#${sign.codePointAt(0)};`);
