import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/** The worker that writes for `nats-pipeline.ts`: everything of a batch in one transaction, synced before it answers. */

export interface Work {
  readonly events: readonly { readonly id: string; readonly key: string; readonly body: string }[];
  /** Reactions that were confirmed; they leave the outbox. */
  readonly settled: readonly string[];
}

/** What is to be published; nothing for events that were known. */
export type Committed = readonly { readonly id: string; readonly body: string }[];

const db = new DatabaseSync(workerData as string);
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -65536;
  PRAGMA wal_autocheckpoint = 8000;
  CREATE TABLE instance (key TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE history (key TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (key, version)) STRICT, WITHOUT ROWID;
  CREATE TABLE seen (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
`);
const know = db.prepare("INSERT OR IGNORE INTO seen VALUES (?)");
const read = db.prepare("SELECT version, state FROM instance WHERE key = ?");
const write = db.prepare(
  "INSERT INTO instance VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET version = excluded.version, state = excluded.state",
);
const log = db.prepare("INSERT INTO history VALUES (?, ?, ?)");
const toSend = db.prepare("INSERT INTO outbox VALUES (?, ?)");
const sent = db.prepare("DELETE FROM outbox WHERE id = ?");

parentPort!.on("message", (work: Work) => parentPort!.postMessage(commit(work)));

function commit({ events, settled }: Work): Committed {
  const reactions: { id: string; body: string }[] = [];
  db.exec("BEGIN IMMEDIATE");
  for (const id of settled) sent.run(id);
  for (const { id, key, body } of events) {
    if (know.run(id).changes === 0) continue;
    const row = read.get(key) as { version: number; state: string } | undefined;
    const version = (row?.version ?? 0) + 1;
    const state = step(row && JSON.parse(row.state), JSON.parse(body));
    write.run(key, version, JSON.stringify(state));
    log.run(key, version, body);
    const reaction = { id: `${key}:${version}`, body: JSON.stringify({ key, version, status: state.status }) };
    toSend.run(reaction.id, reaction.body);
    reactions.push(reaction);
  }
  db.exec("COMMIT");
  return reactions;
}

interface State {
  readonly status: string;
  readonly count: number;
  readonly data: unknown;
}

/** The business of it: two states, taken in turn. */
function step(state: State | undefined, data: unknown): State {
  return { status: state?.status === "open" ? "closed" : "open", count: (state?.count ?? 0) + 1, data };
}
