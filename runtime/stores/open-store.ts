import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Store } from "../ports.ts";
import type { StoreSetting } from "../settings.ts";
import { openMemoryStore } from "./memory-store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

export interface StoreOptions {
  /** What lists are read from is at most so far behind the journal, unless somebody reads; 80 by default. */
  readonly behindMs?: number;
  /** This process's name among the nodes that share the store; absent for commands that only look or repair. */
  readonly node?: string;
  /** No node works on it meanwhile: what any of them left unfinished is finished. */
  readonly alone?: true;
}

/** The store on MongoDB and its driver, which take a moment to load. */
export const mongoStores = () => import("./mongo-store.ts");

/**
 * Opens the store that a setting names. The driver of MongoDB is loaded by who uses it.
 * @throws {StoreUnavailable} if it can't be had now. @throws {UnusableStore}
 */
export async function openStore(setting: StoreSetting, options: StoreOptions = {}): Promise<Store> {
  switch (setting.kind) {
    case "memory":
      return openMemoryStore();
    case "sqlite":
      mkdirSync(dirname(setting.path), { recursive: true });
      return openSqliteStore(setting.path, { ...(options.behindMs !== undefined && { behindMs: options.behindMs }) });
    case "mongodb": {
      const { openMongoStore } = await mongoStores();
      return openMongoStore(setting.url, options);
    }
  }
}
