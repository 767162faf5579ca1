import type { Definition } from "../dsl/index.ts";
import { decide } from "./decide.ts";
import { instanceId } from "./ids.ts";
import { SimulatedRun } from "./simulated-run.ts";
import { SimulatedWorld, TestFault } from "./simulated-world.ts";
import { compareTimers } from "./timers.ts";
import type { Answer, Command, Decision, Effect, EpochMs, Person, Question, Refusal, Timer } from "./types.ts";

export const TENANT = "test";
/** Retries of an action that failed, after the first attempt; the first comes after {@link RETRY_DELAY_MS}, then it doubles. */
export const RETRIES_MAX = 5;
export const RETRY_DELAY_MS = 1000;
/** A timer whose command is refused for now is tried again after this. */
const TIMER_RETRY_MS = 60_000;
/** Most timers and retries that one `advance` carries out. */
const STEPS_MAX = 20_000;

/** Distributes over the union, so that every kind of command keeps its own parts. */
export type CommandBody<Each = Command> = Each extends unknown
  ? Omit<Each, "id" | "source" | "digest" | "actor">
  : never;

interface Pending {
  readonly run: SimulatedRun;
  readonly effect: Effect;
  readonly at: EpochMs;
  readonly failures: number;
}

type Next = { readonly at: EpochMs } & (
  | { readonly kind: "timer"; readonly run: SimulatedRun; readonly timer: Timer }
  | { readonly kind: "effect"; readonly pending: Pending }
);

/** A node in small: the engine's `decide` with a clock that stands still until it is moved, timers and an outbox. */
export class Simulation {
  now: EpochMs;
  readonly world: SimulatedWorld;
  private readonly definitions: readonly Definition[];
  private readonly runs = new Map<string, SimulatedRun>();
  private pending: Pending[] = [];
  private commands = 0;
  private fault: TestFault | undefined;

  constructor(definitions: readonly Definition[], now: EpochMs, world = new SimulatedWorld()) {
    this.definitions = definitions;
    this.now = now;
    this.world = world;
  }

  /** The newest definition of the flow, or that of the label. */
  definition(flow: string, label?: string): Definition | undefined {
    return this.definitions.findLast((one) => one.flow === flow && (label === undefined || one.label === label));
  }

  /** The version with this hash. */
  readonly version = (hash: string): Definition | undefined => this.definitions.find((one) => one.hash === hash);

  /** Every instance that was started. */
  all(): readonly SimulatedRun[] {
    return [...this.runs.values()];
  }

  /** The instance of this key, which may not be there yet: then a `start` makes it. */
  run(definition: Definition, key: string): SimulatedRun {
    const id = instanceId(TENANT, definition.flow, key);
    return this.runs.get(id) ?? new SimulatedRun(definition, id, key);
  }

  start(
    run: SimulatedRun,
    initiator: Person,
    data: { readonly [field: string]: unknown },
    id?: string,
  ): Refusal | undefined {
    return this.command(
      run,
      { kind: "start", tenant: TENANT, instance: run.id, key: run.key, initiator, data },
      initiator.id,
      id,
    );
  }

  /** Sends a command and carries out what follows from it at once. Gives the refusal, if there is one. */
  command(run: SimulatedRun, body: CommandBody, actor: string | undefined, id?: string): Refusal | undefined {
    const source = actor ?? "test";
    this.commands += 1;
    const base = { id: id ?? `#${this.commands}`, source, digest: JSON.stringify(body) };
    const command = { ...body, ...base, ...(actor !== undefined && { actor }) };
    const decision = this.decide(run, command);
    if (decision.kind === "refused") return decision;
    if (decision.kind === "accepted") {
      this.runs.set(run.id, run);
      run.accept(decision, actor, this.now);
      run.history.push({ command, at: this.now, answers: decision.answers });
      run.definition = this.version(decision.instance.definition) ?? run.definition;
      this.queue(run, decision.effects);
    }
    return undefined;
  }

  /** Moves the clock; everything that is due until then happens at its instant, in order. */
  advanceTo(target: EpochMs): void {
    for (let steps = 0; ; steps += 1) {
      const next = this.next();
      if (next === undefined || next.at > target) break;
      if (steps === STEPS_MAX) throw new TestFault(`More than ${STEPS_MAX} timers and retries fire in this time.`);
      this.now = Math.max(this.now, next.at);
      if (next.kind === "timer") this.fire(next.run, next.timer);
      else this.carryOut(next.pending);
    }
    this.now = target;
  }

  /** Effects of the run that were not delivered, by name. */
  undelivered(run: SimulatedRun): string[] {
    return this.pending.filter((one) => one.run === run).map(({ effect }) => nameOf(effect));
  }

  /**
   * Answers come from what the test gives; a question has one answer while a decision lasts. One that the test lacks is
   * noted for {@link Simulation.checkAnswers} and fails meanwhile, because the engine must not be interrupted.
   */
  answersFor(run: SimulatedRun): (question: Question) => Answer {
    const known = new Map<string, Answer>();
    return (question) => {
      const { key, name, arguments: args, kind } = question;
      const answer = known.get(key) ?? this.answer(question);
      if (!known.has(key) && isCall(kind)) run.calls.push({ name, arguments: args });
      known.set(key, answer);
      return answer;
    };
  }

  /** @throws TestFault if a question was asked whose answer only the test could give. */
  checkAnswers(): void {
    const { fault } = this;
    this.fault = undefined;
    if (fault) throw fault;
  }

  private answer(question: Question): Answer {
    if (question.kind === "flow") return this.versionOf(question);
    try {
      return this.world.answer(question);
    } catch (error) {
      if (!(error instanceof TestFault)) throw error;
      this.fault ??= error;
      return { failed: error.message, retryable: false };
    }
  }

  private versionOf({ name, arguments: [label] }: Question): Answer {
    const definition = this.definition(name, label === undefined ? undefined : String(label));
    if (definition) return { definition: definition.hash };
    return { failed: "the test has no such flow", retryable: false };
  }

  private decide(run: SimulatedRun, command: Command): Decision {
    const decision = decide(run.definition, run.instance, command, this.now, this.answersFor(run), this.version);
    this.checkAnswers();
    return decision;
  }

  private queue(run: SimulatedRun, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "step") run.calls.push({ name: effect.function, arguments: effect.arguments });
      const pending = { run, effect, at: this.now + this.takesMs(effect), failures: 0 };
      if (pending.at > this.now) this.pending.push(pending);
      else this.carryOut(pending);
    }
  }

  /** A step of a saga is given up after its timeout. */
  private takesMs(effect: Effect): number {
    const durationMs = this.world.durationMs(nameOf(effect));
    if (effect.kind !== "step" || effect.timeoutMs === undefined) return durationMs;
    return Math.min(durationMs, effect.timeoutMs);
  }

  private carryOut(pending: Pending): void {
    const { run, effect, failures } = pending;
    this.pending = this.pending.filter((one) => one !== pending);
    if (effect.kind === "step") {
      this.endStep(run, effect);
      return;
    }
    const name = nameOf(effect);
    if (!this.world.fails(name)) {
      if (effect.kind === "start") this.startOther(run, effect);
    } else if (failures < RETRIES_MAX) {
      const at = this.now + RETRY_DELAY_MS * 2 ** failures + this.world.durationMs(name);
      this.pending.push({ run, effect, at, failures: failures + 1 });
    } else {
      this.pending.push({ run, effect, at: Number.POSITIVE_INFINITY, failures });
      this.report(run, effect, "the test lets it fail");
    }
  }

  /** Tells the saga how the try ended; whether there is another one is for the engine. */
  private endStep(run: SimulatedRun, effect: Extract<Effect, { kind: "step" }>): void {
    const name = effect.function;
    const timedOut = effect.timeoutMs !== undefined && this.world.durationMs(name) > effect.timeoutMs;
    const failed = timedOut ? "it took too long" : this.world.fails(name) ? "the test lets it fail" : undefined;
    if (failed === undefined && effect.undo) run.undone.push({ name, arguments: effect.arguments });
    const report = {
      kind: "step" as const,
      ok: failed === undefined,
      ...(failed !== undefined && { reason: failed }),
      ...(timedOut && { timedOut }),
    };
    this.command(run, { kind: "report", effect: effect.id, report }, undefined);
  }

  /** The action `start`. A flow that the test does not know may be deployed elsewhere. */
  private startOther(run: SimulatedRun, effect: Extract<Effect, { kind: "start" }>): void {
    const definition = this.definition(effect.flow);
    if (!definition) return;
    const refusal = this.start(this.run(definition, effect.key), effect.initiator, effect.data, effect.id);
    if (refusal) this.report(run, effect, refusal.message);
  }

  private report(run: SimulatedRun, effect: Effect, reason: string): void {
    const report = { kind: "failed", what: nameOf(effect), reason } as const;
    this.command(run, { kind: "report", effect: effect.id, report }, undefined);
  }

  private fire(run: SimulatedRun, timer: Timer): void {
    const refusal = this.command(run, { kind: "timer", timer: timer.id }, undefined);
    if (refusal) run.postponed.set(timer.id, this.now + TIMER_RETRY_MS);
  }

  /** What happens next: of one instant, timers before retries. */
  private next(): Next | undefined {
    const timer = this.nextTimer();
    const pending = this.pending.reduce<Pending | undefined>(
      (first, one) => (first === undefined || one.at < first.at ? one : first),
      undefined,
    );
    if (pending === undefined || (timer && timer.at <= pending.at)) return timer;
    return { kind: "effect", at: pending.at, pending };
  }

  private nextTimer(): Next | undefined {
    let first: Extract<Next, { kind: "timer" }> | undefined;
    for (const run of this.runs.values()) {
      for (const timer of run.instance?.timers ?? []) {
        const at = run.postponed.get(timer.id) ?? timer.dueAt;
        const earlier =
          first === undefined || at < first.at || (at === first.at && compareTimers(timer, first.timer) < 0);
        if (earlier) first = { kind: "timer", at, run, timer };
      }
    }
    return first;
  }
}

/** Functions are called; directories and registries are looked up. */
function isCall(kind: Question["kind"]): boolean {
  return kind === "guard" || kind === "check" || kind === "value";
}

/** What a `given … fails` or `takes` calls it. */
function nameOf(effect: Effect): string {
  switch (effect.kind) {
    case "call":
    case "step":
      return effect.function;
    case "deliver":
      return effect.target.kind === "service" ? effect.target.name : effect.event;
    case "render":
      return effect.document;
    case "start":
      return effect.flow;
    default:
      return effect.kind;
  }
}
