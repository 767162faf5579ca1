/** What tests of the runtime start from: a flow as text, a clock that is set by hand, turns over any store. */
import assert from "node:assert/strict";
import { compile, type Definition, type FunctionDeclaration } from "../dsl/index.ts";
import { type Answer, instanceId, type Question, type Refusal } from "../engine/index.ts";
import { systemClock } from "./clock.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { type KeyRing, keyRing } from "./key-ring.ts";
import type { Clock, DefinitionSource, InstanceKey, Store } from "./ports.ts";
import { type CommandDraft, type Committed, type Envelope, TURN_LIMITS, type TurnLimits, Turns } from "./turn.ts";

export const HOUR_MS = 3_600_000;
export const NOON = Date.UTC(2026, 0, 5, 4);

/** Everything that the runtime treats differently: a state that takes any number of events, people, timers, functions. */
export const EXPENSE = `
state machine "expense" {
  data {
    amount: money?
    note: text?
  }
  events {
    "submit" { amount, note }
    "remark" { note }
  }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED, CANCELLED]
  final: [APPROVED, REJECTED, CANCELLED]
  state REVIEW {
    approval by users("bob", "carol") quorum 1 {
      due: 8h
      remind: every 2h at most 2
      allow: [withdraw, returnTo]
    }
  }
  transitions {
    DRAFT → DRAFT on "remark"
    DRAFT → DRAFT on "verify" → solvent()
    DRAFT → REVIEW on "submit"
    DRAFT → CANCELLED after 24h → emit("onForgotten")
    REVIEW → APPROVED on approved → book(key) → emit("onApproved")
    REVIEW → REJECTED on rejected
    REVIEW → DRAFT on returned
    REVIEW → CANCELLED on withdrawn
  }
}
`;

export const EXPENSE_FUNCTIONS: readonly FunctionDeclaration[] = [
  { name: "solvent", kind: "check" },
  { name: "book", kind: "action" },
];

/** @throws where the text has errors, with all of them. */
export function flow(
  text: string = EXPENSE,
  functions: readonly FunctionDeclaration[] = EXPENSE_FUNCTIONS,
): Definition {
  const { definitions, diagnostics } = compile(text, "test.flow", { functions, services: [] });
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return definitions[0]!;
}

/** A clock that stands still until it is set. Waiting takes as long as it says. */
export class SetClock implements Clock {
  ms = NOON;

  readonly now = (): number => this.ms;
  readonly steadyMs = systemClock.steadyMs;
  readonly after = systemClock.after;
  readonly soon = systemClock.soon;
}

/** One ring for all tests, so that a second node can open what the first has sealed. */
export const KEYS_SETTING = `test:${Buffer.alloc(32, 7).toString("base64")}`;
export const KEYS: KeyRing = keyRing(KEYS_SETTING);

export interface TurnsOptions {
  readonly store: Store;
  readonly definition?: Definition;
  /** Further flows and versions, found by hash. */
  readonly others?: readonly Definition[];
  readonly definitions?: DefinitionSource;
  /** In place of `definition`, for the flows that it knows. */
  versionFor?(flow: string): Definition | undefined;
  readonly clock?: Clock;
  readonly limits?: Partial<TurnLimits>;
  /** Before the directory is asked. */
  ask?(question: Question): Answer | Promise<Answer> | undefined;
  committed?(committed: readonly Committed[]): void;
  mayStart?(envelope: Envelope): Refusal | undefined;
}

export function definitionsFrom(all: readonly Definition[]): DefinitionSource {
  const known = (hash: string) => all.find((one) => one.hash === hash);
  return { known, load: async (hash) => known(hash) };
}

export function turnsOn(options: TurnsOptions): Turns {
  const definition = options.definition ?? flow();
  const directory = embeddedDirectory(SEEDED_PEOPLE);
  return new Turns(
    {
      store: options.store,
      clock: options.clock ?? new SetClock(),
      keys: KEYS,
      versionFor: (name) => options.versionFor?.(name) ?? (name === definition.flow ? definition : undefined),
      definitions: options.definitions ?? definitionsFrom([definition, ...(options.others ?? [])]),
      ask: (question) => options.ask?.(question) ?? (directory.answer(question) as Answer | undefined) ?? { ok: true },
      committed: (committed) => options.committed?.(committed),
      mayStart: (envelope) => options.mayStart?.(envelope),
    },
    { ...TURN_LIMITS, ...options.limits },
  );
}

export const keyOf = (key: string, name = "expense"): InstanceKey => ({
  tenant: "t",
  instance: instanceId("t", name, key),
});

type Wish<C> = C extends { kind: string } ? Omit<C, "id" | "source"> : never;

/** A command to the instance of a business key. */
export const to = (key: string, id: string, wish: Wish<CommandDraft>, more: Partial<Envelope> = {}): Envelope => ({
  ...keyOf(key),
  command: { source: "test", id, ...wish } as CommandDraft,
  ...more,
});

export const start = (key: string, id = `start ${key}`, name = "expense", data = {}): Envelope => ({
  ...keyOf(key, name),
  flow: name,
  command: {
    kind: "start",
    source: "test",
    id,
    actor: "alice",
    initiator: { id: "alice" },
    key,
    data,
    ...keyOf(key, name),
  },
});

export const event = (key: string, id: string, name: string, payload = {}, more: Partial<Envelope> = {}): Envelope =>
  to(key, id, { kind: "event", event: name, payload, actor: "alice" }, more);

export const decision = (key: string, id: string, actor: string, decides: "approve" | "reject"): Envelope =>
  to(key, id, { kind: "decide", decision: decides, actor });

/** A store in front of another, of which a test replaces some methods. */
export const storeWith = (store: Store, methods: Partial<Store>): Store =>
  new Proxy(store, {
    get(target, name) {
      const own = methods[name as keyof Store];
      if (own !== undefined) return own;
      const value = target[name as keyof Store];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
