/** What a state can come to by what happens in it. */
import type { Approval, Outcome, Region, StateDefinition, Term, Transition } from "../definition.ts";

export interface Outcomes {
  /** Those that can come. */
  readonly possible: ReadonlySet<Outcome>;
  /** Those that need a line; all are possible. */
  readonly needed: readonly Outcome[];
  /** Those that would be possible if the options allowed them. */
  readonly forbidden: ReadonlySet<Outcome>;
}

const known = new WeakMap<StateDefinition, Outcomes>();

/** Looked at once per state. */
export function outcomesOf(state: StateDefinition): Outcomes {
  const before = known.get(state);
  if (before) return before;
  const made = makeOutcomes(state);
  known.set(state, made);
  return made;
}

function makeOutcomes({ approval, parallel, run, revocableFor }: StateDefinition): Outcomes {
  const needed: Outcome[] = [];
  const optional: Outcome[] = revocableFor ? ["withdrawn"] : [];
  const forbidden = new Set<Outcome>();
  if (approval) {
    needed.push(...(isHandling(approval) ? (["done"] as const) : (["approved", "rejected"] as const)));
    if (approval.allow.includes("returnTo")) needed.push("returned");
    else forbidden.add("returned");
    if (canWithdraw(approval)) optional.push("withdrawn");
    else forbidden.add("withdrawn");
  }
  if (run) needed.push("done");
  if (run?.kind === "saga") needed.push("compensated");
  if (parallel) {
    needed.push("joined");
    const inner = parallel.branches.flatMap(({ states, transitions }) =>
      states.map((state) => ({ state, transitions })),
    );
    if (parallel.rejectOne && inner.some(({ state }) => outcomesOf(state).possible.has("rejected"))) {
      const isRejected = inner.some(({ state, transitions }) => leavesUnhandled(state, transitions));
      (isRejected ? needed : optional).push("rejected");
    }
    if (inner.some(({ state }) => outcomesOf(state).possible.has("withdrawn"))) optional.push("withdrawn");
    else forbidden.add("withdrawn");
  }
  return { possible: new Set([...needed, ...optional]), needed, forbidden };
}

/** Can it be rejected, and no line of its branch takes that? */
function leavesUnhandled(state: StateDefinition, transitions: readonly Transition[]): boolean {
  if (!outcomesOf(state).possible.has("rejected")) return false;
  return !transitions.some(
    ({ from, trigger }) => trigger.kind === "outcome" && trigger.outcome === "rejected" && from.includes(state.name),
  );
}

/** Its people do something and can't reject. */
export function isHandling({ chain }: Approval): boolean {
  return chain.some((stage) => stage.kind === "handle" || (stage.kind === "matrix" && stage.handle));
}

export function canWithdraw({ allow }: Approval): boolean {
  return allow.includes("withdraw") || allow.includes("withdraw untouched");
}

/** An `after` line of a state in which another one, without condition, always comes first. */
export function isComingTooLate(line: Transition, state: string, { transitions }: Region): boolean {
  const ms = line.trigger.kind === "after" ? naturalMs(line.trigger.term) : undefined;
  if (ms === undefined) return false;
  return transitions.some(({ from, trigger, condition }) => {
    if (condition || trigger.kind !== "after" || !from.includes(state)) return false;
    const other = naturalMs(trigger.term);
    return other !== undefined && other < ms;
  });
}

export function naturalMs(term: Term): number | undefined {
  return term.kind === "natural" ? term.ms : undefined;
}
