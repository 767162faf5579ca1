/** The lines of a `test` block as they are written. */
import type { Approval, Term } from "../../definition.ts";
import { durationText, termText } from "../../describe.ts";
import type { Slot } from "../steps.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export class Script {
  readonly lines: string[] = [];
  /** What functions answer throughout. */
  readonly facts = new Set<string>();
  /** What the next who decides changes in the form. */
  private setting = "";
  /** Until the time that the test is about is up; absent: it is not about time. */
  private leftMs: number | undefined;
  /** How much longer the state may be waited in without being left by itself. */
  private spareMs = 0;

  /** Nothing more happens: the time is up. */
  get isOver(): boolean {
    return this.leftMs === 0;
  }

  add(line: string): void {
    if (!this.isOver) this.lines.push(line);
  }

  /** Before the last line: what runs when a state is entered must be said before that. */
  addBefore(line: string): void {
    if (!this.isOver) this.lines.splice(-1, 0, line);
  }

  change(parts: readonly string[]): void {
    this.setting = parts.length === 0 ? "" : ` setting { ${parts.join(", ")} }`;
  }

  say(person: string, words: string, { reasonRequiredOn, signatureRequired }: Approval, { of }: Slot): void {
    const where = of ? ` in ${of.branch.name}` : "";
    const because = reasonRequiredOn.length > 0 ? ` because "x"` : "";
    this.add(`${quoted(person)} ${words}${this.setting}${signatureRequired ? " signing" : ""}${where}${because}`);
    this.setting = "";
  }

  // Time ----------------------------------------------------------------------------------------------------------- //

  /** From now on so much time passes, and no more. */
  begin(withinMs: number): void {
    this.leftMs ??= withinMs;
  }

  /** A state is entered which time leaves after so long. */
  stay(ms: number): void {
    this.spareMs = early(ms);
  }

  /** Waits as long as that changes nothing, and no longer than until just before `dueMs`. */
  wait(dueMs: number = Number.POSITIVE_INFINITY): void {
    if (this.leftMs === undefined || this.isOver) return;
    const ms = Math.min(this.spareMs, early(dueMs));
    this.spareMs -= ms;
    this.spend(ms, ms >= this.leftMs);
  }

  /** Time passes until something happens by it. */
  advance(term: Term): void {
    const ms = term.kind === "workdays" ? undefined : term.ms;
    if (this.leftMs === undefined || term.kind !== "natural" || ms === undefined) this.add(`advance ${termText(term)}`);
    else this.spend(ms, ms > this.leftMs);
  }

  private spend(ms: number, isLast: boolean): void {
    const passing = isLast ? (this.leftMs ?? 0) : ms;
    if (passing > 0) this.add(`advance ${durationText(passing)}`);
    this.leftMs = isLast ? 0 : (this.leftMs ?? 0) - ms;
  }
}

/** Shortly before. */
function early(ms: number): number {
  return Math.max(0, ms - (ms > 2 * HOUR_MS ? HOUR_MS : MINUTE_MS));
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}
