import type { DatabaseSync, StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { Cell } from "./sqlite-projector.ts";
import { openForReading, type SqliteFile } from "./sqlite-schema.ts";
import { type Call, failure, type Reply } from "./worker-channel.ts";

/** The thread that reads, on a connection of its own, so that a long search holds up neither the loop nor a commit. */

export interface Query {
  readonly sql: string;
  readonly cells: readonly Cell[];
}

/** Queries that see the same state of the store; the answer has the rows of each, as lists of cells. */
export type ReadRequest = readonly Query[];

function answer(
  database: DatabaseSync,
  statements: Map<string, StatementSync>,
  { call, request }: Call<ReadRequest>,
): Reply {
  try {
    database.exec("BEGIN");
    const value = request.map(({ sql, cells }) => prepared(database, statements, sql).all(...cells));
    return { call, kind: "value", value };
  } catch (error) {
    return failure(call, error);
  } finally {
    if (database.isTransaction) database.exec("COMMIT");
  }
}

function prepared(database: DatabaseSync, statements: Map<string, StatementSync>, sql: string): StatementSync {
  const known = statements.get(sql);
  if (known) return known;
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  statements.set(sql, statement);
  return statement;
}

function main(): void {
  const port = parentPort!;
  const database = openForReading(workerData as SqliteFile);
  const statements = new Map<string, StatementSync>();
  port.on("message", (message: Call<ReadRequest> | "close") => {
    if (message !== "close") return port.postMessage([answer(database, statements, message)]);
    database.close();
    port.close();
  });
  port.postMessage([{ call: 0, kind: "value", value: undefined } satisfies Reply]);
}

main();
