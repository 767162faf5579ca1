import { createHash } from "node:crypto";

const ID_DIGITS = 32;

/** The id under which two racing starts of one business key meet: 32 hex digits over (tenant, flow, key). */
export function instanceId(tenant: string, flow: string, key: string): string {
  // As JSON, so that no two triples give the same text.
  return createHash("sha256")
    .update(JSON.stringify([tenant, flow, key]))
    .digest("hex")
    .slice(0, ID_DIGITS);
}

/** The id of the `number`th task of an instance. */
export function taskId(instance: string, number: number): string {
  return `${instance}-${number}`;
}

/** The instance of a task id `INSTANCE-N`, or `undefined` if it is none. */
export function instanceOfTask(task: string): string | undefined {
  return /^(.+)-[1-9]\d*$/.exec(task)?.[1];
}
