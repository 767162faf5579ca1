import type { Work, WorkResult } from "./outbox.ts";
import type { Clock, EpochMs, Store, StoredEffect } from "./ports.ts";
import { Recent } from "./recent.ts";

/** More than the outbox holds in memory: an effect from memory finds what befell those before it. */
const REMEMBERED_MAX = 20_000;
/** Between two looks at an effect that should have been settled by now. */
const LOOK_AGAIN_MS = 50;

/**
 * Effects of one decision are carried out in order: one that failed holds back those behind it until it succeeds or is
 * given up. Decisions do not wait for each other; nor does anything wait for a saga's step, which may take long: its saga does.
 */
export class EffectOrder {
  readonly #store: Pick<Store, "effectsOfDecision">;
  readonly #clock: Pick<Clock, "now">;
  /** The newest effect of each decision that is being carried out. */
  readonly #underWay = new Map<string, Promise<WorkResult>>();
  /** Decisions of which one effect failed. */
  readonly #troubled = new Recent<Trouble>(REMEMBERED_MAX);
  /** Effects of such decisions that are done, though the store may not know it yet. */
  readonly #done = new Recent<true>(REMEMBERED_MAX);

  constructor(store: Pick<Store, "effectsOfDecision">, clock: Pick<Clock, "now">) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @param before what has to be over first, too. @returns `retry` without a try while one before it waits for its own. */
  run(work: Work, before: Promise<unknown>, perform: () => Promise<WorkResult>): Promise<WorkResult> {
    const decision = decisionOf(work.effect.id);
    const previous = this.#underWay.get(decision) ?? before;
    const mine = (async () => {
      await previous;
      const heldUntil = await this.#heldUntil(work, decision);
      if (heldUntil !== undefined) return this.#held(heldUntil);
      const result = await perform();
      if (!isStep(work.effect)) this.note(work, result);
      return result;
    })();
    if (isStep(work.effect)) return mine;
    this.#underWay.set(decision, mine);
    return mine.finally(() => {
      if (this.#underWay.get(decision) === mine) this.#underWay.delete(decision);
    });
  }

  /** What came of an effect that had nothing before it. */
  note(work: Work, result: WorkResult): void {
    const { id } = work.effect;
    if (result.kind !== "done") {
      // One that is to be given up is so when the store has it: until then it may be tried again.
      const { afterMs = LOOK_AGAIN_MS } = result.kind === "retry" ? result : {};
      const failed = new Set(this.#troubled.get(decisionOf(id))?.failed);
      if (result.kind === "retry") failed.add(indexOf(id));
      this.#troubled.set(decisionOf(id), { until: this.#clock.now() + afterMs, failed });
    } else if (isRead(work) || (this.#troubled.size > 0 && this.#troubled.has(decisionOf(id)))) {
      this.#done.set(id, true);
      this.#troubled.get(decisionOf(id))?.failed.delete(indexOf(id));
    }
  }

  /** When the effects before it are tried again; `undefined` if none of them is left. */
  async #heldUntil(work: Work, decision: string): Promise<EpochMs | undefined> {
    const index = indexOf(work.effect.id);
    // Fresh from the commit and nothing went wrong: those before it are done.
    if (index === 0 || !(isRead(work) || this.#troubled.has(decision))) return undefined;
    const trouble = this.#troubled.get(decision);
    // The store may not know an effect yet that failed here.
    if (trouble && !isRead(work) && [...trouble.failed].some((failed) => failed < index)) return trouble.until;
    const left = (await this.#store.effectsOfDecision(work.tenant, decision)).filter(
      ({ state, effect }) =>
        state !== "dead" && !isStep(effect) && indexOf(effect.id) < index && !this.#done.has(effect.id),
    );
    if (left.length === 0) return undefined;
    return Math.max(trouble?.until ?? 0, ...left.map(({ nextAt }: StoredEffect) => nextAt));
  }

  #held(until: EpochMs): WorkResult {
    const afterMs = Math.max(until - this.#clock.now() + 1, LOOK_AGAIN_MS);
    return { kind: "retry", error: "waits for an action before it", afterMs };
  }
}

interface Trouble {
  /** When what failed is tried again. */
  readonly until: EpochMs;
  /** Indices of effects that are to be tried again. */
  readonly failed: Set<number>;
}

/** From the store: this process may not know what befell those before it. */
const isRead = ({ about }: Work): boolean => about === undefined;

const isStep = (effect: StoredEffect["effect"]): boolean =>
  effect.kind === "step" || (effect.kind === "sealed" && effect.step === true);

/** Ids are `DECISION:INDEX`. */
const decisionOf = (id: string): string => id.slice(0, id.lastIndexOf(":"));
const indexOf = (id: string): number => Number(id.slice(id.lastIndexOf(":") + 1));
