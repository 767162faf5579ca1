import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/** The worker that writes for `approvals.ts`: everything of a batch in one transaction, synced before it answers. */

type Cell = string | number;

/** Lists of cells, row after row: cheap to hand to another thread. */
export interface Batch {
  /** key, version, body of each. */
  readonly journal: readonly Cell[];
  /** key, version, state, body of each. */
  readonly purchases: readonly Cell[];
  /** id, key, assignee, open, body of each. */
  readonly tasks: readonly Cell[];
  /** id, body of each. */
  readonly outbox: readonly string[];
  /** command's id, key, version of each. */
  readonly seen: readonly Cell[];
  /** Outbox ids that were published. */
  readonly published: readonly string[];
}

export interface WriterOptions {
  readonly file: string;
  /** Also what lists are read from; else the journal alone, from which everything can be made. */
  readonly lists: boolean;
}

const { file, lists } = workerData as WriterOptions;
const db = new DatabaseSync(file);
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -65536;
  PRAGMA wal_autocheckpoint = 8000;
  CREATE TABLE journal (key TEXT, version INTEGER, body TEXT NOT NULL, PRIMARY KEY (key, version)) STRICT, WITHOUT ROWID;
  CREATE TABLE purchases (key TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE tasks (id TEXT PRIMARY KEY, key TEXT NOT NULL, assignee TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX inbox ON tasks (assignee, open);
  CREATE TABLE outbox (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE seen (id TEXT PRIMARY KEY, key TEXT NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE settled (ids TEXT NOT NULL) STRICT;
`);
const journal = db.prepare("INSERT INTO journal VALUES (?, ?, ?)");
const purchases = db.prepare(`INSERT INTO purchases VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET version = excluded.version, state = excluded.state, body = excluded.body`);
const tasks = db.prepare(`INSERT INTO tasks VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET open = excluded.open, body = excluded.body`);
const outbox = db.prepare("INSERT INTO outbox VALUES (?, ?)");
const seen = db.prepare("INSERT INTO seen VALUES (?, ?, ?)");
const published = db.prepare("DELETE FROM outbox WHERE id = ?");
const settled = db.prepare("INSERT INTO settled VALUES (?)");
const begin = db.prepare("BEGIN IMMEDIATE");
const end = db.prepare("COMMIT");

function commit(batch: Batch): void {
  begin.run();
  const { journal: j } = batch;
  for (let i = 0; i < j.length; i += 3) journal.run(j[i]!, j[i + 1]!, j[i + 2]!);
  if (lists) writeLists(batch);
  else if (batch.published.length > 0) settled.run(batch.published.join("\n"));
  end.run();
}

/** Beside what is listed: the outbox and the commands that were seen, so that a restart need not read the whole journal. */
function writeLists({ purchases: p, tasks: t, outbox: o, seen: s, published: gone }: Batch): void {
  for (const id of gone) published.run(id);
  for (let i = 0; i < p.length; i += 4) purchases.run(p[i]!, p[i + 1]!, p[i + 2]!, p[i + 3]!);
  for (let i = 0; i < t.length; i += 5) tasks.run(t[i]!, t[i + 1]!, t[i + 2]!, t[i + 3]!, t[i + 4]!);
  for (let i = 0; i < o.length; i += 2) outbox.run(o[i]!, o[i + 1]!);
  for (let i = 0; i < s.length; i += 3) seen.run(s[i]!, s[i + 1]!, s[i + 2]!);
}

parentPort!.on("message", (batch: Batch | "close") => {
  if (batch === "close") {
    db.close();
    return parentPort!.close();
  }
  commit(batch);
  return parentPort!.postMessage("committed");
});
