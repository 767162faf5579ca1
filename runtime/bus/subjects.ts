/**
 * Subjects of the bus: `assent.in.<tenant>.<flow>.<event>[.<key>]`, `assent.cmd.<tenant>.<flow>.<event>[.<key>]`,
 * `assent.out.<tenant>.<flow>.<event>` and `assent.svc.<service>.<function>[.<instance>]`.
 * A name may hold what a token of NATS may not; it is percent-encoded there.
 */

/** What a message in `assent.in.>` or a request on `assent.cmd.>` is about. */
export interface InSubject {
  readonly tenant: string;
  readonly flow: string;
  readonly event: string;
  /** The business key, where the sender put it into the subject. */
  readonly key?: string;
}

export interface OutSubject {
  readonly tenant: string;
  readonly flow: string;
  /** An event's name, or one of the platform's own with a dot in it, like `task.opened`. */
  readonly event: string;
}

/** Where requests are answered with the instance or the problem. */
export const COMMANDS = "assent.cmd.>";

export interface ServiceSubject {
  readonly service: string;
  readonly function: string;
  /** Where one process of the service takes requests for itself. */
  readonly instance?: string;
}

const IN = "assent.in.";
const COMMAND = "assent.cmd.";
const SERVICE = "assent.svc.";
const OUT = "assent.out.";

/** A token ends at a dot, the protocol's fields end at a blank; `*` and `>` are wildcards; `%` begins an encoded byte. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters break the protocol's lines.
const UNSAFE_IN_TOKEN = /[.*>%\s\u0000-\u001f\u007f]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const UNSENDABLE = /^$|^\.|\.\.|\.$|[*>\s\u0000-\u001f\u007f]/u;

export function inSubject({ tenant, flow, event, key }: InSubject): string {
  const subject = `${IN}${encodeToken(tenant)}.${encodeToken(flow)}.${encodeToken(event)}`;
  return key === undefined ? subject : `${subject}.${encodeToken(key)}`;
}

/** `task.opened` stays two tokens, so that one can subscribe to `assent.out.*.*.task.*`. */
export function outSubject({ tenant, flow, event }: OutSubject): string {
  return `${OUT}${encodeToken(tenant)}.${encodeToken(flow)}.${event.split(".").map(encodeToken).join(".")}`;
}

/** `undefined`: not a subject of this form, or a token with a `%` that encodes nothing. */
export function parseInSubject(subject: string): InSubject | undefined {
  const prefix = subject.startsWith(IN) ? IN : COMMAND;
  if (!subject.startsWith(prefix)) return undefined;
  const tokens = decodeTokens(subject.slice(prefix.length).split("."));
  if (tokens === undefined || tokens.length > 4) return undefined;
  const [tenant, flow, event, key] = tokens;
  if (tenant === undefined || flow === undefined || event === undefined) return undefined;
  return key === undefined ? { tenant, flow, event } : { tenant, flow, event, key };
}

/** @throws Error as {@link encodeToken}. */
export function serviceSubject({ service, function: name, instance }: ServiceSubject): string {
  const shared = `${SERVICE}${encodeToken(service)}.${encodeToken(name)}`;
  return instance === undefined ? shared : `${shared}.${encodeToken(instance)}`;
}

/** As {@link parseInSubject}. */
export function parseServiceSubject(subject: string): ServiceSubject | undefined {
  if (!subject.startsWith(SERVICE)) return undefined;
  const [service, name, instance, ...more] = decodeTokens(subject.slice(SERVICE.length).split(".")) ?? [];
  if (service === undefined || name === undefined || more.length > 0) return undefined;
  return { service, function: name, ...(instance !== undefined && { instance }) };
}

/** Does a subject of `assent.in.>` carry the key? */
export function hasKey(subject: string): boolean {
  let dots = 0;
  for (let i = 0; i < subject.length; i++) if (subject.charCodeAt(i) === 46) dots += 1;
  return dots === 5;
}

/** Messages that give the same text are kept in order: those of one instance, where the subject holds its key. */
export function orderOf(subject: string): string {
  const tokens = subject.split(".");
  return tokens.length === 6 ? `${tokens[2]}.${tokens[3]}..${tokens[5]}` : subject;
}

/** As {@link parseInSubject}. */
export function parseOutSubject(subject: string): OutSubject | undefined {
  if (!subject.startsWith(OUT)) return undefined;
  const tokens = decodeTokens(subject.slice(OUT.length).split("."));
  const [tenant, flow, ...event] = tokens ?? [];
  if (tenant === undefined || flow === undefined || event.length === 0) return undefined;
  return { tenant, flow, event: event.join(".") };
}

/** @throws Error on an empty name: a token can't be empty, and names are checked before they come here. */
export function encodeToken(name: string): string {
  if (name === "") throw new Error("a token of a subject can't be empty");
  if (!name.isWellFormed()) throw new Error("a token of a subject must be well-formed Unicode");
  return name.replace(UNSAFE_IN_TOKEN, percentEncoded);
}

/** `undefined` for an empty token and for a `%` that encodes nothing. */
export function decodeToken(token: string): string | undefined {
  if (token === "") return undefined;
  if (!token.includes("%")) return token;
  try {
    return decodeURIComponent(token);
  } catch {
    return undefined;
  }
}

/** True if a message can be sent there: tokens, none of them empty, a wildcard or with a blank in it. */
export function isPublishable(subject: string): boolean {
  return !UNSENDABLE.test(subject);
}

/** NATS's matching: `*` stands for one token, `>` at the end for one or more. */
export function subjectMatcher(pattern: string): (subject: string) => boolean {
  const wanted = pattern.split(".");
  const open = wanted.at(-1) === ">";
  if (open) wanted.pop();
  return (subject) => {
    const tokens = subject.split(".");
    if (open ? tokens.length <= wanted.length : tokens.length !== wanted.length) return false;
    return wanted.every((token, index) => token === "*" || token === tokens[index]);
  };
}

function decodeTokens(tokens: readonly string[]): readonly string[] | undefined {
  const decoded: string[] = [];
  for (const token of tokens) {
    const name = decodeToken(token);
    if (name === undefined) return undefined;
    decoded.push(name);
  }
  return decoded;
}

function percentEncoded(character: string): string {
  return Array.from(
    new TextEncoder().encode(character),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}
