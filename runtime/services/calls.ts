import type { Clock } from "../ports.ts";
import type { Endpoint, Load } from "./choice.ts";
import { begun, type Circuit, CLOSED, failed, notReached, succeeded, waitMs } from "./circuit.ts";
import { ServiceCallFailed } from "./service-call-failed.ts";

/** `ok`: answered, `refused`: answered with a no of its own, `not-asked`: the circuit is open. */
export type CallResult = "ok" | "refused" | "failed" | "away" | "not-asked";

export interface CallObserver {
  /** A call ended. */
  called?(service: string, result: CallResult, seconds: number): void;
  /** The circuit of one of the service's endpoints changed. */
  circuit?(service: string, address: string, kind: Circuit["kind"]): void;
}

/** Share of the newest answer in what is known of an endpoint's latency. */
const NEWEST = 0.2;
/** Endpoints that are remembered. */
const KNOWN_MAX = 1_000;

interface State extends Load {
  inFlight: number;
  latencyMs: number;
  calls: number;
  circuit: Circuit;
}

/** Calls under way and circuits, by endpoint. */
export class Calls {
  readonly #clock: Pick<Clock, "steadyMs">;
  readonly #observer: CallObserver;
  readonly #states = new Map<string, State>();

  constructor(clock: Pick<Clock, "steadyMs">, observer: CallObserver = {}) {
    this.#clock = clock;
    this.#observer = observer;
  }

  loadOf = ({ address }: Endpoint): Load => this.#states.get(address) ?? NOTHING;

  isOpen = ({ address }: Endpoint): boolean =>
    waitMs(this.#states.get(address)?.circuit ?? CLOSED, this.#clock.steadyMs()) > 0;

  /** @throws {ServiceCallFailed} also without a call, while the circuit is open. */
  async make<Reply>(endpoint: Endpoint, call: () => Promise<Reply>): Promise<Reply> {
    const state = this.#stateOf(endpoint);
    const startedMs = this.#clock.steadyMs();
    const retryAfterMs = waitMs(state.circuit, startedMs);
    if (retryAfterMs > 0) {
      this.#observer.called?.(endpoint.service, "not-asked", 0);
      const message = `the service \`${endpoint.service}\` failed again and again and is not asked now`;
      throw new ServiceCallFailed(message, "away", { retryAfterMs });
    }
    this.#turn(endpoint, state, begun(state.circuit, startedMs));
    state.inFlight += 1;
    state.calls += 1;
    try {
      const reply = await call();
      this.#ended(endpoint, state, startedMs, "ok");
      return reply;
    } catch (error) {
      this.#ended(endpoint, state, startedMs, error instanceof ServiceCallFailed ? error : undefined);
      throw error;
    }
  }

  /** @param end `undefined`: by an error of ours, which says nothing of the service. */
  #ended(endpoint: Endpoint, state: State, startedMs: number, end: "ok" | ServiceCallFailed | undefined): void {
    const nowMs = this.#clock.steadyMs();
    state.inFlight -= 1;
    const result = end instanceof ServiceCallFailed ? end.how : "ok";
    if (result === "ok" || result === "refused") {
      const known = state.latencyMs || nowMs - startedMs;
      state.latencyMs = known * (1 - NEWEST) + (nowMs - startedMs) * NEWEST;
    }
    if (end !== undefined) this.#observer.called?.(endpoint.service, result, (nowMs - startedMs) / 1_000);
    this.#turn(endpoint, state, circuitAfter(state.circuit, end, nowMs));
  }

  #turn({ service, address }: Endpoint, state: State, circuit: Circuit): void {
    const before = state.circuit.kind;
    state.circuit = circuit;
    if (circuit.kind !== before) this.#observer.circuit?.(service, address, circuit.kind);
  }

  #stateOf({ address }: Endpoint): State {
    let state = this.#states.get(address);
    if (state === undefined) {
      state = { ...NOTHING, circuit: CLOSED };
      this.#states.set(address, state);
      if (this.#states.size > KNOWN_MAX) this.#forgetOne();
    }
    return state;
  }

  #forgetOne(): void {
    for (const [address, { inFlight, circuit }] of this.#states) {
      if (inFlight > 0 || circuit.kind !== "closed") continue;
      this.#states.delete(address);
      return;
    }
  }
}

const NOTHING: Load = { inFlight: 0, latencyMs: 0, calls: 0 };

/** A service that is not there is asked without delay again: nobody has to be spared, and it is found as soon as it comes. */
function circuitAfter(circuit: Circuit, end: "ok" | ServiceCallFailed | undefined, nowMs: number): Circuit {
  if (end === "ok" || end?.how === "refused") return succeeded(circuit);
  if (end?.how === "failed" || end?.missed === "no-answer") return failed(circuit, nowMs);
  return notReached(circuit, nowMs);
}
