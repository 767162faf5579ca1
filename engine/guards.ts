import type { Transition } from "../dsl/index.ts";
import { addTerm } from "./calendar.ts";
import { evaluate, evaluateWith } from "./evaluation.ts";
import type { MachineEvent, StepEnvironment } from "./machine.ts";
import { outward } from "./picks.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse } from "./refusal.ts";
import type { EpochMs, Refusal } from "./types.ts";
import { fieldValue } from "./values.ts";

/**
 * Answers the machine's guards from a draft and keeps what it saw: XState would swallow the reasons.
 * Once a line was chosen no other applies, so that a guard is evaluated once per decision.
 */
export class Guards implements StepEnvironment {
  private readonly place: PlaceDraft;
  private readonly allowed: ReadonlySet<number> | undefined;
  private readonly failed: number[] = [];
  /** The first line that applies. */
  chosen: number | undefined;

  /** Terms count from here. */
  private readonly from: EpochMs;

  /**
   * @param allowed lines whose `by` lets the actor pass; absent: all.
   * @param from when the state was entered; absent: now.
   */
  constructor(place: PlaceDraft, allowed?: ReadonlySet<number>, from = place.draft.at) {
    this.place = place;
    this.allowed = allowed;
    this.from = from;
    this.chosen = undefined;
  }

  eventOf(type: string): MachineEvent {
    return { type, environment: this };
  }

  applies(line: number): boolean {
    if (this.chosen !== undefined) return line === this.chosen;
    if (this.allowed && !this.allowed.has(line)) return false;
    if (!this.holds(line)) return false;
    this.chosen = line;
    return true;
  }

  /** After something is unknown or failed nothing applies, but guards are still asked, to learn all questions at once. */
  private holds(line: number): boolean {
    const { place } = this;
    const { draft } = place;
    const { condition, transition } = place.region.lines[line]!;
    const missing = missingFields(place, transition);
    if (missing.length > 0) draft.fail(refuseMissing(missing));
    if (missing.length > 0 || !condition) return draft.blocked() === undefined;
    if (evaluateWith(place, condition)) return draft.blocked() === undefined;
    this.failed.push(line);
    return false;
  }

  /** An instant that is absent sets no timer. */
  delayMs(line: number): number {
    const { place, from } = this;
    const { trigger } = place.region.lines[line]!.transition;
    if (trigger.kind === "after") return addTerm(from, trigger.term, place.flow.prepared.definition.calendar) - from;
    const instant = trigger.kind === "at" ? evaluate(place, trigger.at) : undefined;
    return typeof instant === "number" ? Math.max(instant - from, 0) : Number.NaN;
  }

  /** The refusal when no line applied. */
  refusal(): Refusal {
    const { draft, now, region } = this.place;
    const conditions = this.failed.map((line) => region.lines[line]!.conditionText);
    const named = [...new Set(conditions)].map((condition) => `\`${condition}\``).join(", ");
    const reasons = [...new Set(draft.reasons)];
    const because = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
    const message = `The condition ${named} does not hold in \`${now.state}\`${because}.`;
    return refuse("condition-failed", message, { state: now.state, conditions, reasons });
  }
}

/** Leaving the flow's `initial` for a state that is not final needs every required field. */
function missingFields(place: PlaceDraft, { to, up = 0 }: Transition): string[] {
  const { flow, fork, now, region } = outward(place, up);
  if (fork || now.state !== region.initial || to === region.initial || region.states.get(to)!.final) return [];
  return flow.prepared.required.filter((field) => fieldValue(flow.now.data, field) === undefined);
}

function refuseMissing(missing: readonly string[]): Refusal {
  const fields = missing.map((field) => ({
    field,
    code: "missing-field" as const,
    message: `\`${field}\` must be set first.`,
  }));
  const message = fields.map((field) => field.message).join(" ");
  return refuse("missing-field", message, { missing: [...missing] }, { fields });
}
