import { hash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Where a node listens, in words that name no other place: two processes can't listen there at once, so whoever listened
 * there before is dead, and nobody has to wait until that shows.
 * @param address on which this process listens.
 */
export function placeOf(address: string): string {
  return hash("sha256", JSON.stringify([...machine(), address]), "base64url").slice(0, 22);
}

/** On Linux a start of the kernel, and the network that containers on it have to themselves; else the machine's name. */
function machine(): readonly string[] {
  try {
    return [readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), readlinkSync("/proc/self/ns/net")];
  } catch {
    return [hostname()];
  }
}
