/** Where in the text a broken property has its cause. */
import type { FlowAst, RegionAst } from "../ast.ts";
import type { Approval, People } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import type { ConcretePath } from "./concrete.ts";
import { type Falling, isApprovedBy, resolved, type Standpoint, type Weakness, weaknesses } from "./covering.ts";
import type { Machines } from "./machines.ts";
import type { Slot } from "./steps.ts";

const WHY: Readonly<Record<Weakness, string>> = {
  onEmpty: "With `onEmpty: skip` nobody has to approve here.",
  onSelf: "With `onSelf: skip` the seat of the initiator falls away here.",
  overdue: "The overdue step `approve` needs no person.",
};

export interface Related {
  readonly message: string;
  readonly span: Span;
}

/** Options and properties by which a stage of these people on the path may be passed without them. */
export function weakPlaces(by: People, path: ConcretePath, machines: Machines, ast: FlowAst): readonly Related[] {
  const found = new Map<number, Related>();
  const add = (message: string, span: Span | undefined) => span && found.set(span.start, { message, span });
  for (const { step } of path.steps) {
    const { cause } = step;
    if (cause.kind !== "line" || cause.outcome !== "approved") continue;
    const { slot, state } = cause;
    const { approval, name } = slot.states[state]!;
    const at: Standpoint = { names: machines.definition.people, falls: () => false, grows: false };
    if (!approval || !asks(approval, by, machines, at)) continue;
    for (const option of weaknesses(approval)) add(WHY[option], optionSpan(ast, slot, name, option));
    if (asks(approval, by, machines, machines.standpointAt(slot, state))) continue;
    const wanted = resolved(by, machines.definition.people);
    const reasons = wanted.kind === "users" ? wanted.ids.flatMap((id) => machines.fallingsAt(slot, state, id)) : [];
    for (const reason of new Set(reasons)) add(FALLS, fallingSpan(reason, ast, slot, name));
  }
  return [...found.values()];
}

const FALLS = "This lets their seat fall away here, so that the others approve without them.";

function fallingSpan(reason: Falling, ast: FlowAst, slot: Slot, state: string): Span | undefined {
  if (reason === "abstain") return optionSpan(ast, slot, state, "allow");
  const property = ast.ensure.find(({ kind }) => kind === (reason === "onSelf" ? "never-approves" : reason));
  return (reason === "onSelf" ? optionSpan(ast, slot, state, "onSelf") : undefined) ?? property?.span;
}

/** Do these people decide in one of its stages? */
export function asks({ chain }: Approval, by: People, { definition }: Machines, at: Standpoint): boolean {
  return chain.some((stage) => {
    if (stage.kind !== "matrix") return isApprovedBy(stage, by, at);
    const rows = definition.matrices[stage.matrix]?.rows ?? [];
    return rows.some(({ stages }) => stages.some((one) => isApprovedBy(one, by, at)));
  });
}

/** Where a state's option stands. */
function optionSpan(flow: FlowAst, slot: Slot, state: string, option: string): Span | undefined {
  const block = regionOf(flow, slot)?.stateBlocks.find(({ name }) => name.text === state);
  return block?.approval?.options.find(({ key }) => key.text === option)?.span;
}

function regionOf(flow: FlowAst, { of }: Slot): RegionAst | undefined {
  if (!of) return flow;
  const outer = of.slot.states[of.state]!.name;
  const block = regionOf(flow, of.slot)?.stateBlocks.find(({ name }) => name.text === outer);
  return block?.parallel?.branches.find(({ name }) => name.text === of.branch.name);
}
