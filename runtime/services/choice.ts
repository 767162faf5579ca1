import { hash } from "node:crypto";

/** Somewhere a request can go: a service, or one process of it. */
export interface Endpoint {
  /** What it is known by: its URL, or the service's name with the id of the process. */
  readonly address: string;
  readonly service: string;
  /** Of a service of the settings; absent: on the bus. */
  readonly url?: string;
  /** Of a process that takes requests for itself. */
  readonly instance?: string;
  /** Requests about one instance should reach it, as long as it is there, if any of its kind is asked. */
  readonly sticky: boolean;
}

/** How an endpoint does, as seen from this node. */
export interface Load {
  readonly inFlight: number;
  /** Of its answers lately; 0 before the first. */
  readonly latencyMs: number;
  /** Calls that were begun, ever. */
  readonly calls: number;
}

/**
 * Whom to ask first, and whom then if nobody is there. Least loaded: by what is under way and how long answers take; of those
 * who do alike the one that was asked less. Sticky: by a hash of the instance, so that it always asks the same one and only
 * the requests of an endpoint that goes move elsewhere.
 * @see https://www.microsoft.com/en-us/research/wp-content/uploads/2017/02/HRW98.pdf on the hash (highest random weight)
 */
export function inOrderOfChoice(
  endpoints: readonly Endpoint[],
  instance: string,
  loadOf: (endpoint: Endpoint) => Load,
): readonly Endpoint[] {
  if (endpoints.length < 2) return endpoints;
  const rank = endpoints.some(({ sticky }) => sticky)
    ? (endpoint: Endpoint) => [weight(endpoint.address, instance)]
    : (endpoint: Endpoint) => costs(loadOf(endpoint));
  const ranked = endpoints.map((endpoint) => ({ endpoint, rank: rank(endpoint) }));
  return ranked.sort((a, b) => compare(a.rank, b.rank)).map(({ endpoint }) => endpoint);
}

const costs = ({ inFlight, latencyMs, calls }: Load): readonly number[] => [(inFlight + 1) * bucket(latencyMs), calls];

/** Latencies of one magnitude are alike, else who was a little faster last would get everything. */
const bucket = (latencyMs: number): number => 2 ** Math.max(Math.round(Math.log2(latencyMs || 1)), 0);

const weight = (address: string, instance: string): number =>
  Number.parseInt(hash("sha1", `${address}\n${instance}`, "hex").slice(0, 8), 16);

function compare(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return a[index]! - b[index]!;
  return 0;
}
