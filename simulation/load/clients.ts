import { type Instance, instanceId } from "../../engine/index.ts";
import type { Envelope, OutMessage, Reply } from "../../runtime/index.ts";
import type { BusServer } from "../cluster/bus-server.ts";
import type { Weather } from "../cluster/disturbances.ts";
import type { Machine } from "../cluster/node.ts";
import type { Random } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import { APPROVERS } from "./people.ts";

/** A client gives up waiting for one node after this, and asks another. */
const PATIENCE_MS = 4_000;

export interface ClientWorld {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly machines: readonly Machine[];
  readonly bus: BusServer;
}

/** A command of which a client has heard how it ended. */
export interface Heard {
  readonly envelope: Envelope;
  readonly reply: Reply;
  /** Place in what this client asked of this instance, one after the other. */
  readonly client: string;
}

/** An instance as a node showed it. */
export interface Read {
  readonly at: string;
  readonly instance: Instance;
  /** Known to whoever looked: it had been acknowledged before. */
  readonly versionLeast: number;
}

/** A message that a client knows to be in the stream. */
export interface Sent {
  readonly id: string;
  readonly tenant: string;
  readonly instance: string;
}

type Message = Sent & OutMessage;

type Wish = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** The people and systems outside: each asks one thing after the other, and asks again until it has an answer. */
export class Clients {
  readonly heard: Heard[] = [];
  readonly sent: Sent[] = [];
  readonly reads: Read[] = [];
  readonly #world: ClientWorld;
  readonly #random: Random;
  #working = 0;
  #ids = 0;
  /** People stop trying to decide what nobody will ask them any more. */
  #isOver = false;

  constructor(world: ClientWorld) {
    this.#world = world;
    this.#random = world.scheduler.random;
  }

  get areDone(): boolean {
    return this.#working === 0;
  }

  /** No further attempts at what has been refused. */
  finish(): void {
    this.#isOver = true;
  }

  /** Everybody who has to do with this expense. */
  engage(tenant: string, key: string): void {
    this.#work(() => this.#requester(tenant, key));
    if (this.#random.chance(0.3)) this.#work(() => this.#requester(tenant, key));
    if (this.#random.chance(0.05)) this.#work(() => this.#machineThatFloods(tenant, key));
    else if (this.#random.chance(0.6)) this.#work(() => this.#machineThatAdds(tenant, key));
    for (const person of APPROVERS) this.#work(() => this.#approver(tenant, key, person));
    if (this.#random.chance(0.7)) this.#work(() => this.#payer(tenant, key));
  }

  #work(work: () => Promise<void>): void {
    this.#working += 1;
    this.#world.scheduler.after(this.#random.between(0, 10_000), "a client begins", () => {
      work().finally(() => {
        this.#working -= 1;
      });
    });
  }

  async #requester(tenant: string, key: string): Promise<void> {
    const client = this.#name("requester");
    const actor = { actor: "alice", source: "http/alice" };
    const note = noteOf(tenant);
    const start = {
      kind: "start",
      tenant,
      instance: idOf(tenant, key),
      key,
      initiator: { id: "alice" },
      data: { note },
      ...actor,
    };
    await this.#ask(client, tenant, key, start);
    for (let left = this.#random.whole(0, 4); left > 0; left--) {
      await this.#ask(client, tenant, key, {
        kind: "event",
        event: "add",
        payload: { amount: this.#random.whole(1, 9) },
        ...actor,
      });
      await this.#pause(2_000);
    }
    const submit = { kind: "event", event: "submit", payload: { note }, ...actor };
    await this.#ask(client, tenant, key, submit);
    if (this.#random.chance(0.3)) {
      await this.#pause(20_000);
      await this.#ask(client, tenant, key, { kind: "withdraw", ...actor });
      await this.#ask(client, tenant, key, submit);
    }
  }

  /** Sends over the bus, one after the other. */
  async #machineThatAdds(tenant: string, key: string): Promise<void> {
    const add = () => this.#message(tenant, "expense", "add", key, { amount: this.#random.whole(1, 9) });
    for (let left = this.#random.whole(1, 5); left > 0; left--) {
      await this.#send(add());
      await this.#pause(500);
    }
    if (this.#random.chance(0.5))
      await this.#send(this.#message(tenant, "expense", "submit", key, { note: noteOf(tenant) }));
  }

  /** More than an instance remembers, then the first ones once more. */
  async #machineThatFloods(tenant: string, key: string): Promise<void> {
    const messages = Array.from({ length: 75 }, () => this.#message(tenant, "expense", "add", key, { amount: 1 }));
    for (const message of [...messages, ...messages.slice(0, 3)]) {
      await this.#send(message);
      await this.#pause(100);
    }
  }

  async #payer(tenant: string, key: string): Promise<void> {
    await this.#pause(20_000);
    const message = this.#message(tenant, "payout", "pay", key, { note: noteOf(tenant), card: cardOf(tenant) });
    // The key may as well be in a header.
    const subject = message.subject.slice(0, message.subject.lastIndexOf("."));
    const keyless = { ...message, subject, headers: { ...message.headers, "Assent-Key": key } };
    await this.#send(this.#random.chance(0.3) ? keyless : message);
  }

  async #approver(tenant: string, key: string, person: string): Promise<void> {
    const client = this.#name(person);
    const actor = { actor: person, source: `http/${person}` };
    const decision = this.#random.chance(0.75) ? "approve" : "reject";
    for (let tries = 0; tries < 6 && !this.#isOver; tries++) {
      await this.#pause(12_000);
      const reply = await this.#ask(client, tenant, key, { kind: "decide", decision, ...actor });
      if (reply.kind === "accepted" && this.#random.chance(0.7)) return;
    }
  }

  // -------------------------------------------------------------------------------------------------------------- //

  /** Over HTTP: the same command again until a node has answered. */
  async #ask(client: string, tenant: string, key: string, wish: Wish): Promise<Reply> {
    const instance = idOf(tenant, key);
    const command = { ...wish, id: this.#id(client) };
    const envelope = {
      tenant,
      instance,
      command,
      ...(wish.kind === "start" && { flow: "expense" }),
    } as unknown as Envelope;
    for (;;) {
      const doubled = this.#random.chance(this.#world.weather.now.requestDoubled);
      if (doubled) void this.#try(envelope);
      const reply = await this.#try(envelope);
      if (reply === "again") {
        await this.#pause(500);
        continue;
      }
      this.heard.push({ envelope, reply, client });
      if (this.#random.chance(0.2))
        this.#look(tenant, instance, reply.kind === "accepted" ? reply.instance.version : 0);
      return reply;
    }
  }

  /** One request to one node. */
  #try(envelope: Envelope): Promise<Reply | "again"> {
    const { scheduler, machines, weather } = this.#world;
    const { promise, resolve } = Promise.withResolvers<Reply | "again">();
    const machine = this.#random.pick(machines);
    const { id } = envelope.command;
    scheduler.after(PATIENCE_MS, `client: waits no longer for ${id}`, () => resolve("again"));
    if (this.#random.chance(weather.now.requestLost)) return promise;
    const back = (answer: Reply | "again") => {
      if (this.#random.chance(weather.now.requestLost)) return;
      scheduler.after(this.#random.delayMs(1), `client: hears of ${id}`, () => resolve(answer));
    };
    scheduler.after(this.#random.delayMs(1), `client: asks ${machine.name} ${id}`, () => {
      const { running } = machine;
      if (!running?.isUp) return back("again");
      running.process.receive(() => void running.submit(envelope).then(back, () => back("again")));
    });
    return promise;
  }

  /** Looks at an instance, once, at any node. */
  #look(tenant: string, instance: string, versionLeast: number): void {
    const { name, running } = this.#random.pick(this.#world.machines);
    if (!running?.isUp) return;
    running.process.receive(
      () =>
        void running.node.read({ tenant, instance }).then(
          (found) => found && this.reads.push({ at: name, instance: found.instance, versionLeast }),
          () => {}, // The store is away.
        ),
    );
  }

  #message(tenant: string, flow: string, event: string, key: string, payload: object): Message {
    return {
      ...{ id: this.#id("machine"), tenant, instance: instanceId(tenant, flow, key) },
      subject: `assent.in.${tenant}.${flow}.${event}.${key}`,
      ...{ headers: { "Assent-Initiator": "alice" }, body: JSON.stringify(payload) },
    };
  }

  /** Publishes until it is confirmed. */
  async #send(message: Message): Promise<void> {
    const { scheduler, bus, weather } = this.#world;
    const { id, tenant, instance } = message;
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const isLost = this.#random.chance(weather.now.publishLost);
      const isAnswerLost = this.#random.chance(weather.now.publishAnswerLost);
      scheduler.after(this.#random.delayMs(1), `bus: ${id} of a client`, () => {
        if (!isLost) bus.take(message, "client");
        if (!isLost && !isAnswerLost) resolve(true);
      });
      scheduler.after(this.#random.between(1_000, 8_000), `client: waits no longer for ${id}`, () => resolve(false));
      if (await promise) break;
    }
    this.sent.push({ id, tenant, instance });
  }

  #pause(typicalMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.scheduler.after(this.#random.delayMs(typicalMs), "client: goes on", resolve);
    });
  }

  #name(role: string): string {
    this.#ids += 1;
    return `${role}-${this.#ids}`;
  }

  #id(client: string): string {
    this.#ids += 1;
    return `${client}#${this.#ids}`;
  }
}

const idOf = (tenant: string, key: string): string => instanceId(tenant, "expense", key);

/** What each tenant writes into its expenses: nobody else must ever see it. */
export const noteOf = (tenant: string): string => `only for ${tenant}`;
const cardOf = (tenant: string): string => `card of ${tenant}`;
