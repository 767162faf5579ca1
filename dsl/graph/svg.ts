import type { ElkExtendedEdge, ElkNode } from "elkjs/lib/elk.bundled.js";
import { edgeText, type Graph, type GraphEdge, type GraphState } from "./graph.ts";
import { columns, wrap } from "./text-columns.ts";

export interface SvgOptions {
  /** States in order, as a diagnostic's `path` has them: the way that is drawn in red. */
  readonly path?: readonly string[];
}

const FONT = 13;
/** Of one column (half a CJK sign) in this size; measured on common sans-serif faces, rounded up. */
const COLUMN = 7.3;
const LINE = 18;
const PADDING = 12;
const LABEL_COLUMNS = 30;
const STATE_COLUMNS = 34;

/**
 * The machine as a picture, laid out by ELK's layered algorithm (https://eclipse.dev/elk/): downwards, parallel states as
 * boxes around their branches, who decides and the deadline on the state.
 */
export async function svg(graph: Graph, { path = [] }: SvgOptions = {}): Promise<string> {
  // Loaded here: it takes longer to load than all the rest, and few commands draw.
  const { default: elk } = await import("elkjs/lib/elk.bundled.js");
  const laidOut = await new elk.default().layout(rootOf(graph));
  return draw(graph, laidOut, new Highlight(path));
}

// ------------------------------------------------------------------------------------------------------------------ //
// Layout
// ------------------------------------------------------------------------------------------------------------------ //

const LAYOUT = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.edgeLabels.inline": "false",
  "elk.layered.spacing.nodeNodeBetweenLayers": "46",
  "elk.spacing.nodeNode": "36",
  "elk.spacing.edgeNode": "22",
  "elk.spacing.edgeLabel": "4",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  // Ways back are those that lead to a state written further up.
  "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.padding": "[top=16,left=16,bottom=16,right=16]",
};

const FIRST = { "elk.layered.layering.layerConstraint": "FIRST" };

function rootOf(graph: Graph): ElkNode {
  return {
    id: "root",
    layoutOptions: LAYOUT,
    children: graph.states.filter(({ parent }) => parent === undefined).map((state) => nodeOf(state, graph)),
    edges: graph.edges.map(edgeOf),
  };
}

function nodeOf(state: GraphState, graph: Graph): ElkNode {
  const inner = graph.states.filter(({ parent }) => parent === state.name);
  const lines = linesOf(state);
  const width = Math.max(...lines.map(columns)) * COLUMN + 2 * PADDING;
  const height = lines.length * LINE + PADDING;
  if (inner.length === 0) return { id: state.name, width, height, ...(state.initial && { layoutOptions: FIRST }) };
  const branches = [...new Set(inner.map(({ branch }) => branch!))];
  return {
    id: state.name,
    layoutOptions: { "elk.padding": `[top=${height + 8},left=14,bottom=14,right=14]` },
    children: branches.map((branch) => ({
      id: branchId(state.name, branch),
      layoutOptions: { "elk.padding": "[top=30,left=12,bottom=12,right=12]" },
      children: inner.filter((one) => one.branch === branch).map((one) => nodeOf(one, graph)),
    })),
  };
}

/** No state's name holds a blank. */
const branchId = (state: string, branch: string): string => `${state} ${branch}`;

function linesOf({ name, kind, branch, who, due, join }: GraphState): string[] {
  const short = branch === undefined ? name : name.slice(name.lastIndexOf(".") + 1);
  const sign = kind === "saga" ? "saga " : kind === "flow" ? "flow " : "";
  return [
    short,
    ...(who === undefined ? [] : wrap(sign + who, STATE_COLUMNS)),
    ...(due === undefined ? [] : [`due ${due}`]),
    ...(join === undefined ? [] : [`join ${join}`]),
  ];
}

function edgeOf(edge: GraphEdge, index: number): ElkExtendedEdge {
  const lines = labelOf(edge);
  const width = Math.max(...lines.map(columns)) * COLUMN * 0.92 + 6;
  return {
    id: `e${index}`,
    sources: [edge.from],
    targets: [edge.to],
    labels: [{ text: lines.join("\n"), width, height: lines.length * (LINE - 3) }],
  };
}

const labelOf = (edge: GraphEdge): string[] => [
  ...wrap(edgeText(edge), LABEL_COLUMNS),
  ...edge.actions.flatMap((action) => wrap(`→ ${action}`, LABEL_COLUMNS)),
];

// ------------------------------------------------------------------------------------------------------------------ //
// Drawing
// ------------------------------------------------------------------------------------------------------------------ //

/** Which states and steps lie on the way that is shown. */
class Highlight {
  readonly #states: ReadonlySet<string>;
  readonly #steps: ReadonlySet<string>;

  constructor(path: readonly string[]) {
    this.#states = new Set(path);
    this.#steps = new Set(path.slice(1).map((to, index) => `${path[index]} ${to}`));
  }

  state(name: string): string {
    return this.#states.has(name) ? " path" : "";
  }

  edge({ from, to }: GraphEdge): string {
    return this.#steps.has(`${from} ${to}`) ? " path" : "";
  }
}

function draw(graph: Graph, root: ElkNode, highlight: Highlight): string {
  const { width = 0, height = 0 } = root;
  const states = new Map(graph.states.map((state) => [state.name, state]));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img">`,
    `<title>${escaped(graph.title ?? graph.flow)}</title>`,
    STYLE,
    MARKERS,
    ...(root.children ?? []).flatMap((node) => shapes(node, states, highlight)),
    ...(root.edges ?? []).map((edge, index) => line(edge, graph.edges[index]!, highlight)),
    ...(root.edges ?? []).map((edge, index) => edgeLabel(edge, graph.edges[index]!, highlight)),
    "</svg>",
    "",
  ].join("\n");
}

/** A box behind what lies in it. */
function shapes(node: ElkNode, states: ReadonlyMap<string, GraphState>, highlight: Highlight): string[] {
  const state = states.get(node.id);
  const inner = (node.children ?? []).flatMap((child) => shapes(child, states, highlight));
  const { x = 0, y = 0, width = 0, height = 0 } = node;
  const box = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
  if (!state) {
    const name = node.id.slice(node.id.indexOf(" ") + 1);
    const text = `<text x="${round(x + 10)}" y="${round(y + 19)}" class="branch">${escaped(name)}</text>`;
    return [`<rect class="branch" ${box} rx="6"/>`, text, ...inner];
  }
  const tip = state.doc === undefined ? "" : `<title>${escaped(state.doc)}</title>`;
  const round4 = state.kind === "final" || state.kind === "initial" ? Math.min(height / 2, 20) : 8;
  return [
    `<g class="state ${state.kind}${highlight.state(state.name)}">${tip}<rect ${box} rx="${round4}"/>`,
    ...linesOf(state).map((text, index) => stateText(text, index, x + width / 2, y)),
    "</g>",
    ...inner,
  ];
}

const stateText = (text: string, index: number, x: number, y: number): string =>
  `<text x="${round(x)}" y="${round(y + PADDING / 2 + 13 + index * LINE)}" class="${index === 0 ? "name" : "who"}">${escaped(text)}</text>`;

function line(edge: ElkExtendedEdge, drawn: GraphEdge, highlight: Highlight): string {
  const path = (edge.sections ?? [])
    .map(({ startPoint, bendPoints = [], endPoint }) =>
      [startPoint, ...bendPoints, endPoint]
        .map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${round(x)} ${round(y)}`)
        .join(""),
    )
    .join("");
  return `<path class="edge${highlight.edge(drawn)}" d="${path}"/>`;
}

function edgeLabel({ labels = [] }: ElkExtendedEdge, drawn: GraphEdge, highlight: Highlight): string {
  return labels
    .flatMap(({ text = "", x = 0, y = 0 }) =>
      text
        .split("\n")
        .map(
          (part, index) =>
            `<text class="label${highlight.edge(drawn)}" x="${round(x + 3)}" y="${round(y + 11 + index * (LINE - 3))}">${escaped(part)}</text>`,
        ),
    )
    .join("");
}

const STYLE = `<style>
text { font: ${FONT}px system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; fill: #1f2933; text-anchor: middle; }
.name { font-weight: 600; }
.who { font-size: 12px; fill: #52606d; }
text.branch { text-anchor: start; fill: #52606d; font-size: 12px; }
text.label { text-anchor: start; font-size: 12px; fill: #3e4c59; paint-order: stroke; stroke: #fff; stroke-width: 3px; }
.state rect { fill: #fff; stroke: #7b8794; stroke-width: 1.3; }
.state.initial rect { fill: #e3f2fd; stroke: #2b6cb0; }
.state.approval rect, .state.handle rect { fill: #fffbea; stroke: #cb6e17; }
.state.saga rect, .state.flow rect { fill: #f3e8ff; stroke: #6b46c1; }
.state.parallel > rect { fill: #f7f9fb; stroke: #9aa5b1; }
.state.final rect { fill: #e3f9e5; stroke: #207227; }
rect.branch { fill: none; stroke: #cbd2d9; stroke-dasharray: 4 3; }
.edge { fill: none; stroke: #7b8794; stroke-width: 1.3; marker-end: url(#arrow); }
.path rect, .edge.path { stroke: #ba2525; stroke-width: 2.4; }
.edge.path { marker-end: url(#arrow-path); }
text.label.path { fill: #ba2525; }
</style>`;

const marker = (id: string, color: string): string =>
  `<marker id="${id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" fill="${color}"/></marker>`;
const MARKERS = `<defs>${marker("arrow", "#7b8794")}${marker("arrow-path", "#ba2525")}</defs>`;

const round = (value: number): number => Math.round(value * 10) / 10;

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
