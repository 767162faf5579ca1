import type { Region } from "../dsl/index.ts";
import type { Machine } from "./machine.ts";
import { machineTable, tableMachine } from "./machine-table.ts";
import { findFault } from "./table-proof.ts";
import { xstateMachine } from "./xstate-machine.ts";

/** The machine of a region: its table, which is proved equal to XState's machine here and now; if it is not, XState's. */
export function buildMachine(region: Region, id: string): Machine {
  const table = machineTable(region, id);
  const reference = xstateMachine(region, id);
  return findFault(table, reference) ? reference : tableMachine(table);
}
