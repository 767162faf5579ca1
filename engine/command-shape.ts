/** Is a command one at all? Callers of ours send no other, but what comes from outside passes through many hands. */
import { refuse } from "./refusal.ts";
import type { Command, Refusal } from "./types.ts";

type Check = (value: unknown) => boolean;
type Checks = Readonly<Record<string, Check>>;
type Parts = Readonly<Record<string, unknown>>;

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isRecord = (value: unknown): value is Parts =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);
const record =
  (checks: Checks): Check =>
  (value) =>
    isRecord(value) && Object.entries(checks).every(([part, check]) => check(value[part]));
const byKind =
  (kinds: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && (ofKind(kinds, value["kind"])?.(value) ?? false);

const person = record({ id: isText, name: optional(isText), org: optional(isText), tags: optional(isTexts) });
const target = byKind({
  initiator: () => true,
  state: record({ state: isText }),
  stage: record({ stage: (value) => typeof value === "number" }),
});
const report = byKind({
  rendered: record({
    ...{ document: isText, template: isText, templateHash: isText, sha256: isText },
    bytes: (value) => Number.isInteger(value),
    fallbackBecause: optional(isText),
  }),
  failed: record({ what: isText, reason: isText }),
  step: record({ ok: isFlag, reason: optional(isText), timedOut: optional(isFlag) }),
});
const payload = optional(isRecord);

/** What a kind has beside {@link faultInTexts what many have}. */
const CHECKS: Readonly<Record<Command["kind"], readonly (readonly [part: string, check: Check])[]>> = {
  start: Object.entries({
    ...{ tenant: isText, instance: isText, key: isText, initiator: person, data: isRecord },
    ...{ event: optional(isText), payload, tag: optional(isText) },
  }),
  event: Object.entries({ event: isText, payload: isRecord }),
  decide: Object.entries({ decision: oneOf("approve", "reject", "abstain", "handle"), payload, choose: payload }),
  return: [["to", target]],
  transfer: [["to", isText]],
  delegate: [["to", isText]],
  add: Object.entries({
    ...{ where: oneOf("before", "after", "beside"), people: isTexts, all: isFlag, advisory: isFlag },
  }),
  remove: Object.entries({ person: isText, admin: optional(isFlag) }),
  claim: [],
  release: [],
  "take-back": [],
  withdraw: [],
  urge: [],
  comment: [["text", isText]],
  ask: Object.entries({ to: isText, text: isText }),
  cc: [["people", isTexts]],
  suspend: [],
  resume: [],
  void: [],
  jump: Object.entries({ state: isText, branch: optional(isText) }),
  override: [["decision", oneOf("approve", "reject")]],
  "set-saga": Object.entries({ step: isText, arguments: isRecord }),
  "hand-over": Object.entries({ from: isText, to: isText }),
  migrate: [["label", isText]],
  timer: [["timer", isText]],
  report: Object.entries({ effect: isText, report }),
  signal: Object.entries({ status: isText, withdraw: isFlag }),
};

/** Parts that are missing, or of another type than {@link Command} says. The flow's own data is looked at later. */
export function refuseMalformed(command: Command): Refusal | undefined {
  const checks = ofKind(CHECKS, command.kind);
  if (!checks) return refuse("wrong-type", "There is no command of this kind.");
  const parts = command as unknown as Parts;
  let fault = faultInTexts(parts);
  for (const [part, check] of checks) if (!check(parts[part])) fault ??= part;
  if (fault === undefined) return undefined;
  const message = `\`${fault}\` of the command \`${command.kind}\` is missing or not of its type.`;
  return refuse("wrong-type", message, { part: fault });
}

/** One by one, because this runs with every command, and to look up a name costs more than to know it. */
function faultInTexts(parts: Parts): string | undefined {
  const { id, source, digest, actor, reason, task, in: branch, onBehalfOf, signature } = parts;
  if (typeof id !== "string") return "id";
  if (typeof source !== "string") return "source";
  if (typeof digest !== "string") return "digest";
  if (actor !== undefined && typeof actor !== "string") return "actor";
  if (reason !== undefined && typeof reason !== "string") return "reason";
  if (task !== undefined && typeof task !== "string") return "task";
  if (branch !== undefined && typeof branch !== "string") return "in";
  if (onBehalfOf !== undefined && typeof onBehalfOf !== "string") return "onBehalfOf";
  if (signature !== undefined && typeof signature !== "string") return "signature";
  return undefined;
}

function ofKind<Value>(known: Readonly<Record<string, Value>>, kind: unknown): Value | undefined {
  return typeof kind === "string" && Object.hasOwn(known, kind) ? known[kind] : undefined;
}
