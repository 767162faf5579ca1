import type { Definition } from "../dsl/index.ts";
import type { Refusal } from "../engine/index.ts";
import { parseInSubject } from "./bus/subjects.ts";
import type { BusIngress, LetterContent } from "./bus-ingress.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Clock, DeadLetter, Effect, InstanceKey, Json, RawEffect, Store, StoredEffect } from "./ports.ts";
import { maskLeaves, maskSecrets } from "./secret-masks.ts";
import { hasSecrets } from "./turn.ts";
import type { WecomIngress } from "./wecom-ingress.ts";

export interface DeadLetterPorts {
  readonly store: Pick<
    Store,
    "findEffect" | "findDeadLetter" | "deadLetter" | "dropDeadLetter" | "settleEffects" | "effects" | "deadLetters"
  >;
  readonly clock: Pick<Clock, "now">;
  readonly keys: KeyRing;
  activeDefinition(flow: string): Definition | undefined;
  /** By which the instance goes: its own, and those of sub-flows in it. */
  definitionsOf(key: InstanceKey): Promise<readonly Definition[]>;
  /** Opens an effect that was stored sealed. */
  open(stored: StoredEffect): Promise<Effect | RawEffect>;
  readonly messages: Pick<BusIngress, "again">;
  readonly callbacks: Pick<WecomIngress, "again">;
  /** Somebody does not want the effect any more: its instance is told. */
  discarded(stored: StoredEffect, effect: Effect | RawEffect, by: string): Promise<void>;
  /** An effect of this partition is due again. */
  renewed(partition: number): void;
}

/** What did not get through, with what it carries: secrets of the flow's fields are masked. */
export type Opened =
  | { readonly kind: "effect"; readonly stored: StoredEffect; readonly content: Json }
  | { readonly kind: "letter"; readonly letter: DeadLetter; readonly content: Json };

/** `renewed`: the effect will be tried at once. `accepted`: the message was, and is no dead letter any more. */
export type SentAgain =
  | { readonly kind: "renewed" }
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "not-accepted"; readonly reason: string };

/**
 * Effects and messages that did not get through, for an administrator of their tenant: to read, to send again, to discard.
 * They share one room of ids: an effect's is `INSTANCE:VERSION:INDEX`, a message's begins with where it came from.
 */
export class DeadLetters {
  readonly #ports: DeadLetterPorts;

  constructor(ports: DeadLetterPorts) {
    this.#ports = ports;
  }

  async read(tenant: string, id: string): Promise<Opened | undefined> {
    const stored = await this.#ports.store.findEffect(tenant, id);
    if (stored) return { kind: "effect", stored, content: await this.#effectContent(stored) };
    const letter = await this.#ports.store.findDeadLetter(tenant, id);
    return letter && { kind: "letter", letter, content: this.#letterContent(letter) };
  }

  /** `undefined`: there is none. A message stays until it is accepted. @throws {StoreUnavailable} {Overloaded} */
  async sendAgain(tenant: string, id: string): Promise<SentAgain | undefined> {
    const { store, clock } = this.#ports;
    const stored = await store.findEffect(tenant, id);
    if (stored) {
      await store.settleEffects([{ tenant, id, kind: "renew", nextAt: clock.now() }]);
      this.#ports.renewed(stored.partition);
      return { kind: "renewed" };
    }
    const letter = await store.findDeadLetter(tenant, id);
    if (!letter) return undefined;
    const result = await (letter.origin === "wecom" ? this.#callbackAgain(letter) : this.#messageAgain(letter));
    const reason = reasonOf(result);
    if (reason === undefined) await store.dropDeadLetter(tenant, id);
    else await store.deadLetter({ ...letter, reason });
    return result;
  }

  /** @returns false if there is none. */
  async discard(tenant: string, id: string, by: string): Promise<boolean> {
    const { store } = this.#ports;
    const stored = await store.findEffect(tenant, id);
    if (stored) {
      await this.#ports.discarded(stored, await this.#ports.open(stored), by);
      await store.settleEffects([{ tenant, id, kind: "done" }]);
      return true;
    }
    if (!(await store.findDeadLetter(tenant, id))) return false;
    await store.dropDeadLetter(tenant, id);
    return true;
  }

  async #effectContent(stored: StoredEffect): Promise<Json> {
    const effect = await this.#ports.open(stored);
    const definitions = await this.#ports.definitionsOf(stored);
    return definitions.some(hasSecrets) ? masked(effect, definitions) : asJson(effect);
  }

  #letterContent(letter: DeadLetter): Json {
    if (letter.origin === "wecom") return letter.body;
    const { subject, headers, bytes, sealed } = this.#message(letter);
    const text = bytes.toString("utf8");
    const definition = this.#ports.activeDefinition(parseInSubject(subject)?.flow ?? "");
    try {
      const json = JSON.parse(text) as Json;
      const masked = definition ? maskMessage(definition, json) : sealed === undefined ? json : maskLeaves(json);
      return { subject, headers, body: masked };
    } catch {
      return { subject, headers, body: sealed === undefined ? text : maskLeaves(text) };
    }
  }

  /** The message as it arrived. @throws if the key that sealed it is not in the ring. */
  #message({ id, body }: DeadLetter) {
    const { body: clear = "", ...message } = JSON.parse(body) as LetterContent;
    const { sealed } = message;
    const bytes = sealed === undefined ? Buffer.from(clear, "utf8") : this.#ports.keys.unwrap(sealed);
    // Without an id of its own the letter's is the command's: sent again twice it is one command.
    return { ...message, bytes, sequence: id };
  }

  async #messageAgain(letter: DeadLetter): Promise<SentAgain> {
    const { subject, headers, bytes, sequence } = this.#message(letter);
    const reply = await this.#ports.messages.again({ subject, headers, body: bytes, sequence });
    switch (reply.kind) {
      case "accepted":
        return { kind: "accepted" };
      case "refused":
        return { kind: "refused", refusal: reply.refusal };
      case "unreadable":
        return { kind: "not-accepted", reason: reply.reason };
      case "not-found":
        return { kind: "not-accepted", reason: "there is no flow and no instance that takes it" };
    }
  }

  async #callbackAgain(letter: DeadLetter): Promise<SentAgain> {
    const result = await this.#ports.callbacks.again(letter);
    return result.kind === "done" ? { kind: "accepted" } : { kind: "not-accepted", reason: result.error };
  }
}

/** Base64 is no mask. @see https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md (`data_base64`) */
function maskMessage(definition: Definition, json: Json): Json {
  if (!hasSecrets(definition)) return json;
  const masked = maskSecrets([definition], json);
  const isEncoded = typeof masked === "object" && masked !== null && "data_base64" in masked;
  return isEncoded ? { ...masked, data_base64: maskLeaves("") } : masked;
}

/** Why it stays; `undefined` when it does not. */
function reasonOf(result: SentAgain): string | undefined {
  if (result.kind === "refused") return `${result.refusal.code}: ${result.refusal.message}`;
  return result.kind === "not-accepted" ? result.reason : undefined;
}

/** Names tell which parts of an event are secret; what became of a secret in an argument or a document, nobody knows. */
function masked(effect: Effect | RawEffect, definitions: readonly Definition[]): Json {
  switch (effect.kind) {
    case "call":
    case "step":
      return asJson({ ...effect, arguments: maskLeaves(effect.arguments) });
    case "render":
    case "start":
      return asJson({ ...effect, data: maskLeaves(asJson(effect.data)) });
    default:
      return maskSecrets(definitions, asJson(effect));
  }
}

/** Effects are plain JSON; their types say more than `Json` can. */
const asJson = (value: object): Json => value as unknown as Json;
