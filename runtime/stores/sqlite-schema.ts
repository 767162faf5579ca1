import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { UnusableStore } from "../ports.ts";
import { isDamaged } from "./worker-channel.ts";

/**
 * The tables of the SQLite store. What a commit costs is the number of pages it touches, so every instance gets a number in
 * the order of starting, and rows are laid out by that number: instances that are young together are neighbours on the disk.
 * Rows that may be long are in rowid tables (a `WITHOUT ROWID` row over a quarter page spills to a page of its own).
 */

/** Kept in `user_version`; a file of another version is refused. */
const SCHEMA_VERSION = 4;

/** Pages of 4 KiB that the log may hold before a commit copies them into the file; an idle writer does it earlier. */
const WAL_PAGES_MAX = 8_000;

const TABLES = `
  -- Also names raw events, which have no summary.
  CREATE TABLE instances (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, instance TEXT NOT NULL, partition INTEGER NOT NULL,
    sequence INTEGER NOT NULL, flow TEXT, key TEXT, state TEXT, outcome TEXT, initiator TEXT, definition TEXT,
    version INTEGER, started_at INTEGER, updated_at INTEGER,
    -- Entries up to these were moved to the history, and removed from there.
    archived INTEGER NOT NULL DEFAULT -1, pruned INTEGER NOT NULL DEFAULT -1
  ) STRICT;
  CREATE UNIQUE INDEX instances_by_name ON instances (tenant, instance);
  CREATE INDEX instances_by_tenant ON instances (tenant) WHERE flow IS NOT NULL;
  CREATE INDEX instances_open ON instances (tenant) WHERE flow IS NOT NULL AND outcome IS NULL;
  CREATE INDEX instances_by_initiator ON instances (tenant, initiator) WHERE flow IS NOT NULL;

  -- In the order of writing, so that long bodies are appended; the narrow index finds an instance's entries.
  CREATE TABLE journal (
    position INTEGER PRIMARY KEY, number INTEGER NOT NULL, sequence INTEGER NOT NULL,
    at INTEGER NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX journal_by_instance ON journal (number, sequence);

  -- Entries of instances that ended long ago. Their rows in the journal are empty and hold their keys.
  CREATE TABLE history (
    number INTEGER NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX history_by_instance ON history (number, sequence);
  -- What is left of entries that were removed from there.
  CREATE TABLE checkpoints (
    number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL, snapshot TEXT NOT NULL
  ) STRICT;
  -- Bytes of entries in the journal and the history.
  CREATE TABLE usage (tenant TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE wrapped_keys (number INTEGER PRIMARY KEY, wrapped_key TEXT NOT NULL) STRICT;
  CREATE TABLE old_commands (
    number INTEGER NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL,
    digest TEXT NOT NULL, version INTEGER NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (number, source, id)
  ) STRICT, WITHOUT ROWID;

  -- What an append changes in the tables below and in \`instances\`, until it is written there.
  CREATE TABLE unprojected (
    position INTEGER PRIMARY KEY, numbers TEXT NOT NULL, rows TEXT NOT NULL, effects TEXT NOT NULL
  ) STRICT;

  CREATE TABLE tasks (
    number INTEGER NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL, assignee TEXT NOT NULL,
    rank INTEGER NOT NULL, opened_at INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (number, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tasks_by_assignee ON tasks (tenant, assignee, rank, opened_at);

  -- Who may claim a shared task, as long as it is open and nobody has.
  CREATE TABLE task_candidates (
    number INTEGER NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL, person TEXT NOT NULL,
    PRIMARY KEY (number, id, person)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX task_candidates_by_person ON task_candidates (tenant, person);

  CREATE TABLE timers (
    number INTEGER NOT NULL, id TEXT NOT NULL, due_at INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (number, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX timers_by_due ON timers (due_at);

  CREATE TABLE effects (
    position INTEGER PRIMARY KEY, tenant TEXT NOT NULL, instance TEXT NOT NULL, partition INTEGER NOT NULL,
    id TEXT NOT NULL, dead INTEGER NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL, error TEXT, body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX effects_by_id ON effects (tenant, id);
  CREATE INDEX effects_by_due ON effects (dead, next_at);

  CREATE TABLE dead_letters (
    position INTEGER PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL,
    at INTEGER NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX dead_letters_by_id ON dead_letters (tenant, id);
  CREATE INDEX dead_letters_by_tenant ON dead_letters (tenant);

  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What a worker of the store is started with. */
export interface SqliteFile {
  readonly path: string;
  /** The file never grows beyond this many pages of 4 KiB; writing then fails as on a full disk. */
  readonly pagesMax?: number;
}

/** Files up to this size are looked through when they are opened: that takes up to half a second. */
const CHECK_BYTES_MAX = 256 * 1_048_576;

/**
 * Opens the file for the one writer and creates the tables in a new one.
 * @throws {UnusableStore} if the file is damaged, of another version, or not ours.
 */
export function openForWriting(file: SqliteFile): DatabaseSync {
  const database = new DatabaseSync(file.path, { timeout: 1_000 });
  try {
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${WAL_PAGES_MAX};
      PRAGMA journal_size_limit = ${WAL_PAGES_MAX * 4_096};
      PRAGMA cache_size = -32768;
      PRAGMA temp_store = MEMORY;
    `);
    if (file.pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${file.pagesMax}`);
    createTables(database, file.path);
    if (statSync(file.path).size <= CHECK_BYTES_MAX) assertWhole(database, file.path);
    return database;
  } catch (error) {
    database.close();
    throw isDamaged(error) ? damaged(file.path, (error as Error).message) : error;
  }
}

/** @throws {UnusableStore} if pages or indexes are not as they must be. */
export function assertWhole(database: DatabaseSync, path: string): void {
  const found = String(database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
  if (found !== "ok") throw damaged(path, found);
}

export const damaged = (path: string, what: string): UnusableStore =>
  new UnusableStore(
    `\`${path}\` is damaged, or no store at all (${what}). Nothing was changed. Put a backup in its place (made by \`assent backup\`)`,
  );

export function openForReading(file: SqliteFile): DatabaseSync {
  const database = new DatabaseSync(file.path, { readOnly: true, timeout: 1_000 });
  database.exec("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY");
  return database;
}

function createTables(database: DatabaseSync, path: string): void {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found === SCHEMA_VERSION) return;
  const objects = Number(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (found !== 0 || objects !== 0)
    throw new UnusableStore(
      `\`${path}\` is not a store of this version (found version ${found}, need ${SCHEMA_VERSION})`,
    );
  database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}
