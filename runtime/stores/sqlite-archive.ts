import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ArchiveRow, KeyChange, PruneRow } from "../ports.ts";

/**
 * What the writer does with old entries and with data keys. An entry that is moved leaves its row in the journal, without its
 * body: the key stays taken, so that nobody who knows an older state of the instance can write there.
 */
export class Archive {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: DatabaseSync) {
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  archive(number: number, { snapshot: { sequence, body, hash } }: ArchiveRow): void {
    const { putSnapshot, moveEntries, emptyEntries, setArchived } = this.#statements;
    putSnapshot.run(number, sequence, body, hash);
    moveEntries.run(number, sequence);
    emptyEntries.run(number, sequence);
    setArchived.run(sequence, number);
  }

  prune(number: number, { tenant, checkpoint }: PruneRow): void {
    const { isArchived, bytesOf, takeBytes, deleteEntries, putCheckpoint, setPruned } = this.#statements;
    const { sequence, hash, body, snapshot } = checkpoint;
    if (!isArchived.get(number, sequence)) return;
    takeBytes.run(bytesOf.get(number, sequence)!["bytes"]!, tenant);
    deleteEntries.run(number, sequence);
    putCheckpoint.run(number, sequence, hash, body, snapshot);
    setPruned.run(sequence, number);
  }

  rewrap({ id, from, to }: KeyChange): void {
    this.#statements.rewrap.run(to, Number(id), from);
  }
}

const SQL = {
  putSnapshot: `INSERT INTO snapshots (number, sequence, body, hash) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET sequence = excluded.sequence, body = excluded.body, hash = excluded.hash
    WHERE excluded.sequence > sequence`,
  moveEntries: `INSERT INTO history SELECT number, sequence, at, body, hash FROM journal
    WHERE number = ?1 AND sequence <= ?2 AND sequence > (SELECT archived FROM instances WHERE number = ?1)`,
  emptyEntries: "UPDATE journal SET body = '', hash = '' WHERE number = ? AND sequence <= ?",
  setArchived: "UPDATE instances SET archived = max(archived, ?) WHERE number = ?",
  isArchived: "SELECT 1 FROM instances WHERE number = ?1 AND archived >= ?2 AND pruned < ?2",
  bytesOf: "SELECT coalesce(sum(octet_length(body)), 0) AS bytes FROM history WHERE number = ? AND sequence <= ?",
  takeBytes: "UPDATE usage SET bytes = bytes - ? WHERE tenant = ?",
  deleteEntries: "DELETE FROM history WHERE number = ? AND sequence <= ?",
  putCheckpoint: `INSERT INTO checkpoints (number, sequence, hash, body, snapshot) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, body = excluded.body,
    snapshot = excluded.snapshot`,
  setPruned: "UPDATE instances SET pruned = ? WHERE number = ?",
  rewrap: "UPDATE wrapped_keys SET wrapped_key = ? WHERE number = ? AND wrapped_key = ?",
} as const;
