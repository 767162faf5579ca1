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
  readonly #clock: Clock;
  /** The newest effect of each decision that is being carried out. */
  readonly #underWay = new Map<string, Promise<WorkResult>>();
  /** Decisions of which one effect failed, and when it is tried again. */
  readonly #troubled = new Recent<EpochMs>(REMEMBERED_MAX);
  /** Effects of such decisions that are done, though the store may not know it yet. */
  readonly #done = new Recent<true>(REMEMBERED_MAX);

  constructor(store: Pick<Store, "effectsOfDecision">, clock: Clock) {
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
    if (result.kind === "retry") {
      this.#troubled.set(decisionOf(id), this.#clock.now() + (result.afterMs ?? LOOK_AGAIN_MS));
    } else if (isRead(work) || (this.#troubled.size > 0 && this.#troubled.has(decisionOf(id)))) {
      this.#done.set(id, true);
    }
  }

  /** When the effects before it are tried again; `undefined` if none of them is left. */
  async #heldUntil(work: Work, decision: string): Promise<EpochMs | undefined> {
    const index = indexOf(work.effect.id);
    // Fresh from the commit and nothing went wrong: those before it are done.
    if (index === 0 || !(isRead(work) || this.#troubled.has(decision))) return undefined;
    const left = (await this.#store.effectsOfDecision(work.tenant, decision)).filter(
      ({ state, effect }) =>
        state !== "dead" && !isStep(effect) && indexOf(effect.id) < index && !this.#done.has(effect.id),
    );
    if (left.length === 0) return undefined;
    return Math.max(this.#troubled.get(decision) ?? 0, ...left.map(({ nextAt }: StoredEffect) => nextAt));
  }

  #held(until: EpochMs): WorkResult {
    const afterMs = Math.max(until - this.#clock.now() + 1, LOOK_AGAIN_MS);
    return { kind: "retry", error: "waits for an action before it", afterMs };
  }
}

/** From the store: this process may not know what befell those before it. */
const isRead = ({ about }: Work): boolean => about === undefined;

const isStep = (effect: StoredEffect["effect"]): boolean =>
  effect.kind === "step" || (effect.kind === "sealed" && effect.step === true);

/** Ids are `DECISION:INDEX`. */
const decisionOf = (id: string): string => id.slice(0, id.lastIndexOf(":"));
const indexOf = (id: string): number => Number(id.slice(id.lastIndexOf(":") + 1));
