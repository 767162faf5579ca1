import type { LetterContent } from "./bus-ingress.ts";
import { type KeyRing, MissingKey } from "./key-ring.ts";
import type { KeyChange, Page, PageRequest, Store } from "./ports.ts";

/**
 * Rotation of the key ring: what is wrapped under older keys is wrapped anew under the newest one. What lies sealed under
 * the data keys is not touched.
 */

export interface Rekeyed {
  /** Data keys and sealed messages that there are. */
  readonly found: number;
  /** Of these, those that were wrapped anew. */
  readonly rewrapped: number;
  /** Under keys that the ring does not have, with what is missing; they stay as they are. */
  readonly missing: number;
  readonly problems: readonly string[];
}

const PAGE = 256;
/** Which key all that is in the store is wrapped under. */
const SETTING = "keys-wrapped-under";

/** Harmless while nodes work, and when it is done twice. */
export async function rekey(store: Store, ring: KeyRing): Promise<Rekeyed> {
  const count = { found: 0, rewrapped: 0, missing: 0 };
  const problems = new Set<string>();
  const anew = (wrapped: string): string | undefined => {
    count.found += 1;
    try {
      const to = ring.rewrapped(wrapped);
      if (to !== undefined) count.rewrapped += 1;
      return to;
    } catch (error) {
      if (!(error instanceof MissingKey)) throw error;
      count.missing += 1;
      problems.add(error.message);
      return undefined;
    }
  };
  await rewrapDataKeys(store, anew);
  for (const tenant of await store.tenants()) await rewrapLetters(store, tenant, anew);
  if (problems.size === 0) await store.setSetting(SETTING, ring.newest);
  return { ...count, problems: [...problems] };
}

/** The newest key has changed since everything was wrapped. */
export const isRekeyDue = async (store: Store, ring: KeyRing): Promise<boolean> =>
  (await store.getSetting(SETTING)) !== ring.newest;

type Anew = (wrapped: string) => string | undefined;

async function rewrapDataKeys(store: Store, anew: Anew): Promise<void> {
  for await (const page of pagesOf((request) => store.wrappedKeys(request))) {
    const changes = page.flatMap(({ id, wrappedKey: from }): KeyChange | [] => {
      const to = anew(from);
      return to === undefined ? [] : { id, from, to };
    });
    if (changes.length > 0) await store.rewrap(changes);
  }
}

/** Messages that may hold secrets lie sealed under the ring itself. */
async function rewrapLetters(store: Store, tenant: string, anew: Anew): Promise<void> {
  for await (const page of pagesOf((request) => store.deadLetters(tenant, request))) {
    for (const letter of page) {
      const message = letter.origin === "bus" ? (JSON.parse(letter.body) as LetterContent) : undefined;
      const to = message?.sealed === undefined ? undefined : anew(message.sealed);
      if (to !== undefined)
        await store.deadLetter({
          ...letter,
          body: JSON.stringify({ ...message, sealed: to } satisfies Partial<LetterContent>),
        });
    }
  }
}

async function* pagesOf<Item>(list: (page: PageRequest) => Promise<Page<Item>>): AsyncIterable<readonly Item[]> {
  let cursor: string | undefined;
  do {
    const page = await list({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
