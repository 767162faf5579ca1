import type { Definition } from "../dsl/index.ts";

/** Does the argument at this position of the function ever hold a secret? */
export type SecretArgument = (name: string, position: number) => boolean;

/** Looks once through a definition for calls that hand on secrets, so that they stay out of keys and histories. */
export function secretArguments(definition: Definition): SecretArgument {
  const secrets = secretNames(definition);
  const positions = new Map<string, Set<number>>();
  visit(definition, (node) => {
    if (node["kind"] !== "ask" && node["kind"] !== "call") return;
    (node["arguments"] as readonly unknown[] | undefined)?.forEach((argument, position) => {
      if (!holdsSecret(argument, secrets)) return;
      const name = node["name"] as string;
      positions.set(name, (positions.get(name) ?? new Set()).add(position));
    });
  });
  return (name, position) => positions.get(name)?.has(position) ?? false;
}

/** Fields, and payload fields of events, that are secret. */
export function secretNames({ fields, events }: Definition): ReadonlySet<string> {
  const payload = events.flatMap((event) => event.payload);
  return new Set([...fields, ...payload].filter((field) => field.secret).map((field) => field.name));
}

export function holdsSecret(expression: unknown, secrets: ReadonlySet<string>): boolean {
  let found = false;
  visit(expression, (node) => {
    const kind = node["kind"];
    if ((kind === "field" || kind === "payload") && secrets.has(node["name"] as string)) found = true;
  });
  return found;
}

/** Every object of a definition or an expression, but the values of literals. */
export function visit(node: unknown, see: (node: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(node)) for (const item of node) visit(item, see);
  else if (typeof node === "object" && node !== null) {
    const record = node as Readonly<Record<string, unknown>>;
    if (record["kind"] === "literal") return;
    see(record);
    for (const value of Object.values(record)) visit(value, see);
  }
}
