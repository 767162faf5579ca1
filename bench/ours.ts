import { join } from "node:path";
import { instanceId } from "../engine/index.ts";
import {
  AssentNode,
  type Bus,
  documentFiles,
  embeddedDirectory,
  InProcessBus,
  keyRing,
  newKeyRingSetting,
  openSqliteStore,
  type Reply,
  type Store,
  systemClock,
} from "../runtime/index.ts";
import { type Lane, until } from "./drive.ts";
import { FLOWS } from "./folder.ts";

const PEOPLE = 500;
const MANAGERS = 50;

export const employee = (number: number): string => `employee-${number % PEOPLE}`;
export const managerOf = (employeeId: string): string => `manager-${Number(employeeId.split("-")[1]) % MANAGERS}`;

const directory = embeddedDirectory({
  people: [
    ...Array.from({ length: PEOPLE }, (_, n) => ({ id: employee(n), manager: managerOf(employee(n)) })),
    ...Array.from({ length: MANAGERS }, (_, n) => ({ id: `manager-${n}` })),
    // As with `--dev`.
    ...[{ id: "alice", manager: "bob" }, { id: "bob" }],
  ],
});

/** A node as `serve` makes it, in this process: SQLite store and in-process bus unless told, the flows of this folder and of others. */
export async function openOurs(
  folder: string,
  bus: Bus = new InProcessBus(),
  store?: Store,
  otherFlows: readonly string[] = [],
): Promise<AssentNode> {
  const node = new AssentNode({
    store: store ?? (await openSqliteStore(join(folder, "ours.db"))),
    bus,
    clock: systemClock,
    keys: keyRing(newKeyRingSetting()),
    directory,
    documents: documentFiles(join(folder, "documents")),
    services: {},
    wecom: [],
    onError: (error) => {
      throw error;
    },
  });
  const refused = (await node.registry.load([FLOWS, ...otherFlows])).filter((event) => event.kind === "refused");
  if (refused.length > 0) throw new Error(`the flows were refused: ${JSON.stringify(refused)}`);
  return node;
}

/** Submits to the node, without HTTP. */
export function ourLane(node: AssentNode): Lane {
  const ids = { tenant: "default", flow: "bench-purchase" } as const;
  const keyOf = (number: number) => {
    const key = `P-${number}`;
    return { key, instance: instanceId(ids.tenant, ids.flow, key) };
  };
  return {
    async start(number) {
      const { key, instance } = keyOf(number);
      const initiator = { id: employee(number) };
      const command = {
        ...({ kind: "start", id: `start-${number}`, source: "bench", actor: initiator.id } as const),
        ...{ tenant: ids.tenant, instance, key, initiator, data: {}, event: "submit" },
        payload: { title: `paper ${number}`, amount: "1280.50", urgent: false },
      };
      expectState(await node.submit({ ...ids, instance, command }), "REVIEW");
    },
    async approve(number) {
      const { instance } = keyOf(number);
      const command = {
        ...({ kind: "decide", id: `approve-${number}`, source: "bench" } as const),
        ...({ actor: managerOf(employee(number)), task: `${instance}-1`, decision: "approve" } as const),
      };
      expectState(await node.submit({ tenant: ids.tenant, instance, command }), "APPROVED");
    },
  };
}

export const ourEffectsDelivered = (node: AssentNode): Promise<void> => until(() => node.figures.pendingEffects === 0);

function expectState(reply: Reply, state: string): void {
  if (reply.kind !== "accepted" || reply.instance.state !== state)
    throw new Error(`expected ${state}, got ${JSON.stringify(reply).slice(0, 500)}`);
}
