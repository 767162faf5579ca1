/** Circles in which nobody is waited for: once one is in it, the instance goes round for ever. */
import type { Definition, FieldDefinition, Region, StateDefinition, Term, Transition } from "../definition.ts";
import { type Claim, findCase } from "../proofs/cases.ts";
import type { Budget } from "../proofs/formula.ts";
import { showValue } from "../proofs/values.ts";
import { type Machine, placeOf, shownState } from "./graph.ts";
import type { Report } from "./report.ts";
import { BOOL } from "./types.ts";

/** A way on that takes no time, and what must be so for it. */
interface Instant {
  readonly to: string;
  readonly claims: readonly Claim[];
  /** It is taken only where the directory has nobody. */
  readonly ifNobody: boolean;
}

/** Reports the shortest circle of every state that lies in one, each circle once. */
export function checkCircles(
  machines: readonly Machine[],
  definition: Pick<Definition, "fields" | "currencyDecimals">,
  budget: Budget,
  report: Report,
): void {
  for (const machine of machines) {
    const ways = instantWays(machine);
    const said = new Set<string>();
    for (const name of ways.keys()) {
      const circle = said.has(name) ? undefined : circleFrom(name, ways);
      if (!circle) continue;
      for (const { to } of circle) said.add(to);
      reportCircle(name, circle, machine, definition, budget, report);
    }
  }
}

function reportCircle(
  name: string,
  circle: readonly Instant[],
  machine: Machine,
  { fields, currencyDecimals }: Pick<Definition, "fields" | "currencyDecimals">,
  budget: Budget,
  report: Report,
): void {
  const known = new Map(fields.map((field: FieldDefinition) => [field.name, field] as const));
  const isDraft = !machine.branch && [name, ...circle.map(({ to }) => to)].includes(machine.region.initial);
  const mayBeAbsent = (path: string) => {
    const field = known.get(path);
    return field ? field.optional || (isDraft && field.default === undefined) : true;
  };
  const claims = circle.flatMap((way) => way.claims);
  const { when, example } = findCase(claims, { mayBeAbsent }, fields, budget);
  if (when === "never") return;
  const path = [name, ...circle.map(({ to }) => to)].map((state) => shownState(state, machine));
  const shown = [...example].map(([field, { type, value }]) => [field, showValue(value, type, currencyDecimals)]);
  const isSure = when === "always" && !circle.some(({ ifNobody }) => ifNobody);
  const details = {
    hint: "Let somebody decide, or time pass, on this way.",
    path,
    ...(shown.length > 0 ? { counterExample: Object.fromEntries(shown) as Record<string, unknown> } : {}),
  };
  if (isSure) report.add("FLOW231", placeOf(name, machine), `From \`${path[0]}\` one goes round for ever.`, details);
  else {
    const message = `From \`${path[0]}\` one may go round for ever, where nobody is found or functions say so.`;
    report.add("FLOW232", placeOf(name, machine), message, details);
  }
}

/** The shortest way back to the state. */
function circleFrom(state: string, ways: ReadonlyMap<string, readonly Instant[]>): readonly Instant[] | undefined {
  const queue: (readonly Instant[])[] = [[]];
  const seen = new Set<string>();
  for (const path of queue) {
    for (const way of ways.get(path.at(-1)?.to ?? state) ?? []) {
      if (way.to === state) return [...path, way];
      if (seen.has(way.to)) continue;
      seen.add(way.to);
      queue.push([...path, way]);
    }
  }
  return undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Ways that take no time
// ------------------------------------------------------------------------------------------------------------------ //

/** Of the states that have some; most flows have none. */
function instantWays({ region }: Machine): ReadonlyMap<string, readonly Instant[]> {
  const timed = new Set(region.transitions.flatMap((line) => (isAtOnce(line) ? line.from : [])));
  const states = region.states.filter((state) => timed.has(state.name) || mayPass(state));
  return new Map(states.map((state) => [state.name, instantsOf(state, region)] as const));
}

function mayPass({ approval, parallel }: StateDefinition): boolean {
  if (parallel) return parallel.branches.every(({ condition }) => condition !== undefined);
  if (!approval) return false;
  const { kind } = approval.onEmpty;
  return kind === "skip" || kind === "reject" || approval.chain.some((stage) => stage.kind === "auto");
}

function isAtOnce({ trigger }: Transition): boolean {
  return trigger.kind === "after" && isNothing(trigger.term);
}

function instantsOf(state: StateDefinition, region: Region): readonly Instant[] {
  const lines = region.transitions.filter(({ from }) => from.includes(state.name));
  const of = (isMeant: (line: Transition) => boolean) => inOrder(lines.filter(isMeant));
  const onOutcome = (outcome: string) => of(({ trigger }) => trigger.kind === "outcome" && trigger.outcome === outcome);
  const timed = of(isAtOnce);
  return [...timed, ...unasked(state, onOutcome), ...unentered(state, onOutcome)].filter(({ line }) => isPlain(line));
}

type Line = Instant & { readonly line: Transition };

/** What a line needs: its condition, and that none above it applies. */
function inOrder(lines: readonly Transition[]): readonly Line[] {
  const ordered = [...lines.filter(({ any }) => !any), ...lines.filter(({ any }) => any)];
  return ordered.map((line, index) => {
    const above = ordered.slice(0, index).map((other) => claim(other, false));
    return { line, to: line.to, claims: [...above, claim(line, true)], ifNobody: false };
  });
}

/** Rules decide at once, and so does an empty stage. */
function unasked({ approval }: StateDefinition, onOutcome: (outcome: string) => readonly Line[]): readonly Line[] {
  if (!approval) return [];
  const { chain, onEmpty } = approval;
  const rules = chain.flatMap((stage) => (stage.kind === "auto" ? [stage.condition] : []));
  const asked = chain.length > rules.length;
  const all = rules.map((condition): Claim => ({ condition, holds: true }));
  const approved = asked && onEmpty.kind !== "skip" ? [] : onOutcome("approved").map((way) => needing(way, all, asked));
  const denials = rules.map((_, index) => [...all.slice(0, index), { ...all[index]!, holds: false }]);
  const rejected = denials.flatMap((denial) => onOutcome("rejected").map((way) => needing(way, denial, false)));
  const isRejected = asked && onEmpty.kind === "reject";
  return [...approved, ...rejected, ...(isRejected ? onOutcome("rejected").map((way) => needing(way, all, true)) : [])];
}

function needing(way: Line, claims: readonly Claim[], ifNobody: boolean): Line {
  return { ...way, claims: [...way.claims, ...claims], ifNobody };
}

/** No branch may be entered: then they are joined at once. */
function unentered({ parallel }: StateDefinition, onOutcome: (outcome: string) => readonly Line[]): readonly Line[] {
  if (!parallel || parallel.branches.some(({ condition }) => condition === undefined)) return [];
  const claims = parallel.branches.map(({ condition }): Claim => ({ condition: condition!, holds: false }));
  return onOutcome("joined").map((way) => needing(way, claims, false));
}

/** What changes data, or asks what changes by itself, may end the circle; so may a line that leads out of the machine. */
function isPlain({ actions, condition, up = 0 }: Transition): boolean {
  if (up > 0 || actions.some(({ kind }) => kind === "set")) return false;
  return condition === undefined || !/"name":"(now|elapsed|actor|approvals)"/.test(JSON.stringify(condition));
}

function claim({ condition }: Transition, holds: boolean): Claim {
  return { condition: condition ?? { kind: "literal", type: BOOL, value: true }, holds };
}

function isNothing(term: Term): boolean {
  return term.kind === "workdays" ? term.days === 0 : term.ms === 0;
}
