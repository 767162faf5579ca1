import type { Answer, Question } from "../engine/index.ts";
import type { Clock } from "./ports.ts";

/** The world's answers to one command's questions: known, or on their way. */
export class Answers {
  readonly #known = new Map<string, Answer>();
  readonly #pending = new Map<string, Promise<Answer>>();

  /** @param ask answers from memory at once, else with a promise that never rejects. */
  of(question: Question, ask: (question: Question) => Answer | Promise<Answer>): Answer | undefined {
    const known = this.#known.get(question.key);
    if (known || this.#pending.has(question.key)) return known;
    const answer = ask(question);
    if (answer instanceof Promise) {
      this.#pending.set(question.key, answer);
      return undefined;
    }
    this.#known.set(question.key, answer);
    return answer;
  }

  /** Resolves when all are known; one that does not come in time has failed, and may go better later. */
  async gather(clock: Clock, timeoutMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<Answer>();
    const callOff = clock.after(timeoutMs, () =>
      resolve({ failed: `no answer within ${timeoutMs} ms`, retryable: true }),
    );
    try {
      for (const [key, answer] of this.#pending) this.#known.set(key, await Promise.race([answer, late]));
    } finally {
      callOff();
      this.#pending.clear();
    }
  }
}
