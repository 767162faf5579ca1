import { signalled } from "./clock.ts";
import type { EffectFailures } from "./effect-failures.ts";
import { messageOf } from "./effect-failures.ts";
import type { EffectReports } from "./effect-reports.ts";
import type { Work, WorkResult } from "./outbox.ts";
import type { Carried, Clock, Effect, Functions, Instance } from "./ports.ts";
import { Recent } from "./recent.ts";
import { ServiceCallFailed } from "./services/service-call-failed.ts";
import type { Services } from "./services/services.ts";
import { TookTooLong } from "./trusted-functions.ts";

type Step = Extract<Effect, { kind: "step" }>;

/** How a try ended, as the saga is told. */
type StepEnd = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly timedOut?: true };

export interface StepPorts {
  readonly clock: Clock;
  readonly functions: Functions;
  readonly services: Pick<Services, "perform">;
  readonly reports: EffectReports;
  readonly failures: EffectFailures;
  instanceOf(work: Work): Promise<Instance | undefined>;
  carried(work: Work): Promise<Carried>;
}

/** Of a step that says nothing. */
const STEP_TIMEOUT_MS = 30_000;
const REMEMBERED_MAX = 20_000;

/**
 * Carries out tries of sagas' steps. A try is made once, and its end is told until the saga has taken it: whether it is tried
 * again is the saga's to decide. Only where nobody knows how it ended, because the process died or the bus was away, the
 * same try is made once more, under the same idempotency key.
 */
export class StepPerformer {
  readonly #ports: StepPorts;
  /** Ends that could not be told yet. */
  readonly #ended = new Recent<StepEnd>(REMEMBERED_MAX);

  constructor(ports: StepPorts) {
    this.#ports = ports;
  }

  async perform(work: Work, step: Step): Promise<WorkResult> {
    try {
      if (work.about === undefined && (await this.#isTold(work, step))) return { kind: "done" };
      const end = this.#ended.get(step.id) ?? (await this.#try(work, step));
      this.#ended.set(step.id, end);
      await this.#ports.reports.tell(work, { kind: "step", ...end });
      this.#ended.delete(step.id);
      return { kind: "done" };
    } catch (error) {
      return this.#ports.failures.untilItWorks(work, error);
    }
  }

  /** Somebody gave up what could not be told: for the saga the try has failed. */
  discard(work: Work, reason: string): Promise<void> {
    return this.#ports.reports.tell(work, { kind: "step", ok: false, reason });
  }

  async #isTold(work: Work, step: Step): Promise<boolean> {
    const instance = await this.#ports.instanceOf(work);
    return instance !== undefined && this.#ports.reports.isTold(instance, step, "step");
  }

  /** @throws {ServiceCallFailed} the try could not be begun. */
  async #try(work: Work, step: Step): Promise<StepEnd> {
    try {
      await this.#call(work, step);
      return { ok: true };
    } catch (error) {
      const missed = error instanceof ServiceCallFailed ? error.missed : undefined;
      if (missed === "not-sent") throw error;
      const tookTooLong = missed === "no-answer" || error instanceof TookTooLong;
      return { ok: false, reason: messageOf(error), ...(tookTooLong && { timedOut: true }) };
    }
  }

  async #call(work: Work, step: Step): Promise<void> {
    const { function: name, arguments: args, context, idempotencyKey: key, timeoutMs = STEP_TIMEOUT_MS } = step;
    const { functions, services, clock } = this.#ports;
    if (functions.has(name, context.flow)) {
      return signalled(clock, timeoutMs, (signal) => functions.perform(name, args, { key, context, signal }));
    }
    return services.perform(name, args, context, { key, timeoutMs, ...(await this.#ports.carried(work)) });
  }
}
