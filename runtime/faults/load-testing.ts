import { setTimeout as pause } from "node:timers/promises";
import { headers, type JetStreamClient } from "nats";
import { instanceId } from "../../engine/index.ts";
import type { Sent } from "./checker-testing.ts";

/** Clients that send by HTTP and NATS, each thing again and again under its id until it is acknowledged. */

export const FLOW = `
state machine "job" {
  data { n: int? }
  events { "tick" { n }
    "remark" { n } }
  initial: OPEN
  states: [OPEN, REVIEW, BOOKED, DONE]
  final: [DONE]
  state REVIEW {
    approval by users("bob", "carol") all {
      due: 8h
    }
  }
  transitions {
    OPEN → OPEN on "tick" → emit("onTick")
    OPEN → OPEN on "remark" → emit("onRemark")
    OPEN → REVIEW on "submit" → emit("onSubmitted")
    REVIEW → BOOKED on approved → book(key) → emit("onBooked")
    REVIEW → OPEN on rejected
    BOOKED → DONE after 1s → emit("onDone")
  }
}
`;

export interface Pace {
  /** Instances that get messages for as long as the load lasts, by NATS, and some of them by HTTP too. */
  readonly lanes: number;
  /** Those who take one instance after the other through its approval, each command at another node. */
  readonly approvers: number;
  /** Between two things of one sender. */
  readonly everyMs: number;
}

/** Where the load goes. */
export interface Target {
  /** Of the nodes. */
  readonly urls: readonly string[];
  readonly tokenOf: (user: string) => string;
  readonly jetStream: JetStreamClient;
}

/** Longer than a slow answer takes: who gives up earlier asks another node while the first still works on it, which is meant. */
const ANSWER_MS = 5_000;
const AGAIN_MS = 100;
/** Each so many messages of a lane one is no JSON. */
const MESSAGES_PER_JUNK = 5;
/** A node that is away, has too much to do, or gave up waiting. */
const TRY_AGAIN = new Set([408, 429, 503, 504]);

/** A thing to send, without its answer. */
interface Request {
  readonly id: string;
  readonly instance: string;
  readonly lane: string;
  readonly user: string;
  readonly path: string;
  readonly body: object;
}

export class Load {
  readonly sent: Sent[] = [];
  readonly refused: string[] = [];
  /** Tries that had to be repeated. */
  repeated = 0;
  readonly #target: Target;
  readonly #pace: Pace;
  readonly #running: Promise<unknown>;
  #ended = false;
  #requests = 0;

  constructor(target: Target, pace: Pace) {
    this.#target = target;
    this.#pace = pace;
    const lanes = Array.from({ length: pace.lanes }, (_, n) => this.#lane(n));
    const approvers = Array.from({ length: pace.approvers }, (_, n) => this.#approve(n));
    this.#running = Promise.all([...lanes, ...approvers]);
    this.#running.catch(() => {});
  }

  /** Lets every sender end what it has begun. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Senders
  // -------------------------------------------------------------------------------------------------------------- //

  async #lane(n: number): Promise<void> {
    const key = `lane-${n}`;
    await this.#post(startOf(key));
    await Promise.all([this.#ticks(key), ...(n % 3 === 0 ? [this.#remarks(key)] : [])]);
  }

  async #ticks(key: string): Promise<void> {
    for (let n = 1; !this.#ended; n++) {
      await this.#publish(key, `${key}/tick-${n}`, JSON.stringify({ n }));
      if (n % MESSAGES_PER_JUNK === 0) await this.#publish(key, `${key}/junk-${n}`, "{");
      await pause(this.#pace.everyMs);
    }
  }

  async #remarks(key: string): Promise<void> {
    for (let n = 1; !this.#ended; n++) {
      await this.#post(eventOf(key, "remark", `${key}/remark-${n}`, { n }));
      await pause(this.#pace.everyMs);
    }
  }

  /** What was begun is taken to its end. */
  async #approve(approver: number): Promise<void> {
    for (let n = 0; !this.#ended; n++) {
      const key = `approval-${approver}-${n}`;
      await this.#post(startOf(key));
      await this.#post(eventOf(key, "submit", `${key}/submit`, {}));
      await this.#post(decisionOf(key, "bob", 1));
      await this.#post(decisionOf(key, "carol", 2));
      await pause(this.#pace.everyMs);
    }
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Sending
  // -------------------------------------------------------------------------------------------------------------- //

  async #publish(key: string, id: string, body: string): Promise<void> {
    const sent: Sent = {
      ...{ id, instance: instanceOf(key), lane: `${key}/ticks`, acknowledged: true },
      kind: body === "{" ? "undecidable" : "command",
    };
    const about = headers();
    about.set("Assent-Actor", "alice");
    for (;;) {
      try {
        const subject = `assent.in.default.job.tick.${key}`;
        await this.#target.jetStream.publish(subject, body, { msgID: id, headers: about, timeout: ANSWER_MS });
        this.sent.push(sent);
        return;
      } catch {
        this.repeated += 1;
        await pause(AGAIN_MS);
      }
    }
  }

  /** To one node after the other, until one answers. */
  async #post(request: Request): Promise<void> {
    const { id, instance, lane } = request;
    const { urls } = this.#target;
    for (;;) {
      const answer = await this.#ask(urls[this.#requests++ % urls.length]!, request);
      if (typeof answer === "number")
        this.sent.push({ id, instance, lane, kind: "command", acknowledged: true, version: answer });
      if (typeof answer === "string") this.refused.push(`${id}: ${answer}`);
      if (answer !== undefined) return;
      this.repeated += 1;
      await pause(AGAIN_MS);
    }
  }

  /** @returns the version that it led to, why it was refused, or `undefined` where there was no answer. */
  async #ask(url: string, { id, user, path, body }: Request): Promise<number | string | undefined> {
    try {
      const response = await fetch(url + path, {
        method: "POST",
        headers: {
          ...{ "content-type": "application/json", "idempotency-key": id },
          authorization: this.#target.tokenOf(user),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const text = await response.text();
      if (response.ok) return (JSON.parse(text) as { version: number }).version;
      return TRY_AGAIN.has(response.status) ? undefined : `${response.status} ${text}`;
    } catch {
      return undefined;
    }
  }
}

const instanceOf = (key: string): string => instanceId("default", "job", key);

const startOf = (key: string): Request => ({
  ...{ id: `${key}/start`, instance: instanceOf(key), lane: `${key}/start`, user: "alice" },
  ...{ path: "/v1/flows/job/instances", body: { key } },
});

const eventOf = (key: string, event: string, id: string, data: object): Request => ({
  ...{ id, instance: instanceOf(key), lane: `${key}/${event}`, user: "alice" },
  ...{ path: `/v1/instances/${instanceOf(key)}/events`, body: { event, data } },
});

const decisionOf = (key: string, user: string, task: number): Request => ({
  ...{ id: `${key}/${user}`, instance: instanceOf(key), lane: `${key}/decisions`, user },
  ...{ path: `/v1/tasks/${instanceOf(key)}-${task}/decision`, body: { decision: "approve" } },
});
