import { type Draft, fieldValue } from "./draft.ts";
import { evaluate, evaluateWith } from "./evaluation.ts";
import type { MachineEvent, StepEnvironment } from "./machine.ts";
import { refuse } from "./refusal.ts";
import type { Refusal } from "./types.ts";

/**
 * Answers the machine's guards from a draft and keeps what it saw: XState would swallow the reasons.
 * Once a line was chosen no other applies, so that a guard is evaluated once per decision.
 */
export class Guards implements StepEnvironment {
  private readonly draft: Draft;
  private readonly allowed: ReadonlySet<number> | undefined;
  private readonly failed: number[] = [];
  /** The first line that applies. */
  chosen: number | undefined;

  /** @param allowed lines whose `by` lets the actor pass; absent: all. */
  constructor(draft: Draft, allowed?: ReadonlySet<number>) {
    this.draft = draft;
    this.allowed = allowed;
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
    const { draft } = this;
    const { condition, transition } = draft.prepared.lines[line]!;
    const missing = missingFields(draft, transition.to);
    if (missing.length > 0) draft.fail(refuseMissing(missing));
    if (missing.length > 0 || !condition) return draft.blocked() === undefined;
    if (evaluateWith(draft, condition)) return draft.blocked() === undefined;
    this.failed.push(line);
    return false;
  }

  /** An instant that is absent sets no timer. */
  delayMs(line: number): number {
    const { draft } = this;
    const { trigger } = draft.prepared.lines[line]!.transition;
    const instant = trigger.kind === "at" ? evaluate(draft, trigger.at) : undefined;
    return typeof instant === "number" ? Math.max(instant - draft.at, 0) : Number.NaN;
  }

  /** The refusal when no line applied. */
  refusal(): Refusal {
    const { draft } = this;
    const conditions = this.failed.map((line) => draft.prepared.lines[line]!.conditionText);
    const named = [...new Set(conditions)].map((condition) => `\`${condition}\``).join(", ");
    const reasons = [...new Set(draft.reasons)];
    const because = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
    const message = `The condition ${named} does not hold in \`${draft.instance.state}\`${because}.`;
    return refuse("condition-failed", message, { state: draft.instance.state, conditions, reasons });
  }
}

/** Leaving `initial` for a state that is not final needs every required field. */
function missingFields({ prepared, instance }: Draft, to: string): string[] {
  const { initial } = prepared.definition;
  if (instance.state !== initial || to === initial || prepared.states.get(to)!.final) return [];
  return prepared.required.filter((field) => fieldValue(instance.data, field) === undefined);
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
