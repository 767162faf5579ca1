import { noteOf } from "../load/clients.ts";
import type { Outcome, Violation } from "./checks.ts";

/** Nothing of one tenant is in what another gets to see. */
export function* checkTenants({ world, stories }: Outcome): Iterable<Violation> {
  const others = (tenant: string) => (tenant === "acme" ? noteOf("globex") : noteOf("acme"));
  for (const {
    message: { subject, body },
  } of world.bus.published)
    if (body.includes(others(subject.split(".")[2]!)))
      yield { check: "tenants never meet", what: `${subject} ${body}` };
  for (const { envelope, reply } of world.clients.heard) {
    if (reply.kind === "not-found" || !reply.instance) continue;
    const isOther =
      reply.instance.tenant !== envelope.tenant || JSON.stringify(reply.instance).includes(others(envelope.tenant));
    if (isOther)
      yield { check: "tenants never meet", what: `the answer to ${envelope.command.id} of ${envelope.tenant}` };
  }
  for (const { tenant, instance, decided } of stories) {
    const last = decided.at(-1)?.accepted.instance;
    if (last && (last.tenant !== tenant || JSON.stringify(last).includes(others(tenant))))
      yield { check: "tenants never meet", what: instance };
  }
}
