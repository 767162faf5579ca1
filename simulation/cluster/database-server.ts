import { type Clock, mongoStores, type Store } from "../../runtime/index.ts";
import { type Doc, Documents, type Filter, type Update } from "./database.ts";
import { atOnce, driver, overNetwork } from "./database-driver.ts";
import { type StoreLink, StoreServer } from "./store-server.ts";

/** Loaded once, before anything happens: loading takes time of the machine. */
const { openMongoStoreIn } = await mongoStores();

/** The store on MongoDB, its driver replaced by one that reaches a simulated server over a network where anything may go wrong. */
export class DatabaseServer extends StoreServer {
  readonly landsLate = true;
  readonly #collections = new Map<string, Documents>();
  #looking: Promise<Store> | undefined;

  async prepare(partitions: number): Promise<void> {
    this.documents("settings").insert({ _id: "set:partitions", value: String(partitions) });
  }

  open(link: StoreLink, clock: Clock): Promise<Store> {
    const { name: node } = link.process;
    return openMongoStoreIn(driver(this, overNetwork(this, link)), { node, clock, close: async () => {} });
  }

  look(): Promise<Store> {
    const { scheduler } = this;
    const clock: Clock = {
      now: () => scheduler.nowMs,
      steadyMs: () => scheduler.nowMs,
      after: (delayMs, callBack) => scheduler.after(delayMs, "who looks has waited", callBack),
      soon: (callBack) => void scheduler.after(0, "who looks goes on", callBack),
    };
    this.#looking ??= openMongoStoreIn(driver(this, atOnce), { clock, close: async () => {} });
    return this.#looking;
  }

  behind(): readonly string[] {
    const { size } = this.documents("intents");
    return size === 0 ? [] : [`${size} batches are not in the lists`];
  }

  documents(name: string): Documents {
    const known = this.#collections.get(name);
    if (known) return known;
    const made = new Documents();
    this.#collections.set(name, made);
    return made;
  }

  insert(collection: string, document: Doc): boolean {
    const isNew = this.documents(collection).insert(document);
    if (isNew && collection === "journal") {
      const { summary } = JSON.parse(String(document["projection"])) as {
        readonly summary?: { readonly version: number };
      };
      this.wrote(String(document["instance"]), summary?.version);
    }
    if (isNew && collection === "claims") this.claims.see("claim", [document]);
    return isNew;
  }

  update(collection: string, filter: Filter, update: Update, upsert: boolean): boolean {
    this.#seeBeat(collection, filter);
    return this.documents(collection).update(filter, update, upsert);
  }

  replace(collection: string, filter: Filter, replacement: Readonly<Record<string, unknown>>): boolean {
    this.#seeBeat(collection, filter);
    return this.documents(collection).replace(filter, replacement);
  }

  #seeBeat(collection: string, filter: Filter): void {
    if (collection === "members") this.claims.see("beat", [{ node: filter["_id"] }]);
  }

  delete(collection: string, id: string): void {
    this.documents(collection).delete(id);
    if (collection === "members") this.claims.see("bury", [id]);
  }
}
