import { brokenLink, decode, type Entry, type EntryDecision } from "../entry.ts";
import type { InstanceKey, Page, PageRequest, Store } from "../ports.ts";
import { rebuild } from "../rebuild.ts";
import { readStore } from "../settings.ts";
import { openStore } from "../stores/open-store.ts";
import type { Decided, Evidence, Journaled } from "./checker-testing.ts";

/** What a store says when no node works on it. */
export type StoreEvidence = Pick<Evidence, "journal" | "letters" | "effectsLeft" | "differing">;

const PAGE = 500;

/** @param setting as `ASSENT_STORE`. */
export async function readEvidence(setting: string): Promise<StoreEvidence> {
  return onStore(setting, async (store) => {
    const keys = await allOf((page) => store.journaled(page));
    const journal: Journaled[] = [];
    for (const key of keys) journal.push(await journaled(store, key));
    const letters = await allOf((page) => store.deadLetters("default", page));
    const dead = await allOf((page) => store.effects("default", "dead", page));
    const { differing, broken } = await rebuild(store, undefined, { write: false });
    return {
      journal,
      letters: letters.map(({ reason, body }) => ({ id: messageIdOf(body), reason })),
      effectsLeft: [...(await dueEffects(store)), ...dead.map(({ effect, error }) => `${effect.id} (dead: ${error})`)],
      differing: [
        ...differing.map(({ instance }) => instance),
        ...broken.map(({ instance, problem }) => `${instance}: ${problem}`),
      ],
    };
  });
}

/** Effects that no node has carried out yet. */
export const countEffectsLeft = (setting: string): Promise<number> =>
  onStore(setting, async (store) => (await dueEffects(store)).length);

async function onStore<Result>(setting: string, work: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await openStore(readStore(setting)!, { alone: true });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const dueEffects = async (store: Store): Promise<readonly string[]> =>
  (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, PAGE)).map(({ effect }) => effect.id);

async function allOf<Item>(read: (page: PageRequest) => Promise<Page<Item>>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await read({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    all.push(...page.items);
    if (page.cursor === undefined) return all;
    cursor = page.cursor;
  }
}

async function journaled(store: Store, key: InstanceKey): Promise<Journaled> {
  const entries = await store.history(key);
  const isWhole = entries.every(({ sequence }, index) => sequence === index + 1);
  return {
    instance: key.instance,
    isChained: isWhole && brokenLink(entries) === -1,
    state: (await store.projected(key))?.summary.state ?? "unknown",
    decisions: entries.flatMap(({ body }) => decode<Entry>(body, undefined).decisions.map(decided)),
  };
}

const decided = ({ command, story, version }: EntryDecision): Decided => ({
  ...{ command: command.id, kind: command.kind, version },
  emitted: story.flatMap((line) => (line.kind === "emitted" ? [line.id] : [])),
  calls: story.some((line) => line.kind === "moved" && line.to === "BOOKED"),
});

function messageIdOf(body: string): string {
  const { headers } = JSON.parse(body) as { headers: Readonly<Record<string, string>> };
  return headers["Nats-Msg-Id"] ?? headers["nats-msg-id"] ?? "no id";
}
