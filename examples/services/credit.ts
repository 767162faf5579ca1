import { connect, type ServiceMsg } from "nats";

/**
 * A service that serves the functions of `flows/credit.flow`, on NATS alone: `node credit.ts nats://127.0.0.1:4222`.
 * See docs/services.md for what it promises.
 */

interface Request {
  /** Of the instance that asks. */
  readonly instance: string;
  /** Money is a text: `500.00 CNY`. */
  readonly arguments: readonly [customer: string, amount: string];
  /** The same for every try of the same call. */
  readonly idempotencyKey: string;
  /** RFC 3339; after it nobody waits for the answer. */
  readonly deadline: string;
  readonly tag?: string;
}

/** A guard answers `{ value }`, a check `{ ok }` with the reason of a no, an action `{ ok: true }`. */
const FUNCTIONS: Readonly<Record<string, (request: Request) => object>> = {
  creditworthy: ({ arguments: [customer] }) => ({ value: !customer.startsWith("doubtful") }),
  reserve: ({ arguments: [customer] }) =>
    customer.startsWith("empty") ? { ok: false, reason: "no funds left today" } : { ok: true },
  transfer: ({ idempotencyKey }) => {
    // What was done under this key is not done again. A real service keeps the keys with what it did, in one transaction.
    if (!done.has(idempotencyKey)) done.add(idempotencyKey);
    return { ok: true };
  },
};
const done = new Set<string>();

const [url = "nats://127.0.0.1:4222"] = process.argv.slice(2);
const connection = await connect({ servers: url, name: "credit" });
const service = await connection.services.add({
  name: "credit",
  version: "1.0.0",
  description: "Decides on credit",
  metadata: { role: "credit", language: "typescript" },
});
const { id } = service.info();

for (const [name, run] of Object.entries(FUNCTIONS)) {
  // For whichever process is free, and for this one alone, so that a node can choose.
  for (const subject of [`assent.svc.credit.${name}`, `assent.svc.credit.${name}.${id}`]) {
    const endpoint = subject.endsWith(id) ? `${name}-here` : name;
    service.addEndpoint(endpoint, { subject, handler: (error, message) => answer(name, run, error, message) });
  }
}

function answer(name: string, run: (request: Request) => object, error: Error | null, message: ServiceMsg): void {
  if (error) return void message.respondError(500, error.message);
  const request = message.json<Request>();
  console.log(JSON.stringify({ language: "typescript", function: name, key: request.idempotencyKey }));
  message.respond(JSON.stringify(run(request)));
}

await connection.flush();
console.log(JSON.stringify({ language: "typescript", ready: id }));
process.once("SIGTERM", () => void connection.drain());
