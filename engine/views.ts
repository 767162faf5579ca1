/** What people saw when they decided, and what later stages make of it. */
import { hash } from "node:crypto";
import type { Approval } from "../dsl/index.ts";
import { approvalOf, roundOf } from "./open-round.ts";
import type { FlowDraft, PlaceDraft } from "./place.ts";
import type { RememberedApproval, Round, View } from "./types.ts";
import { fieldValue } from "./values.ts";

/** Base64url characters kept of a value's SHA-256: 96 bits. */
const DIGEST_LENGTH = 16;

/** What the people of an approval see now. */
export function viewOf({ prepared, now }: FlowDraft, { hide }: Approval): View {
  const view: Record<string, string> = {};
  for (const { name, secret } of prepared.fields.values()) {
    if (hide.includes(name)) continue;
    const value = fieldValue(now.data, name);
    // A digest of a secret could be guessed: its value is told by when it changed.
    if (value === undefined) view[name] = "";
    else if (secret) view[name] = `v${now.memory?.secrets?.[name] ?? 0}`;
    else view[name] = hash("sha256", JSON.stringify(value), "base64url").slice(0, DIGEST_LENGTH);
  }
  return view;
}

/** Has every field that was visible then and is visible now the value that it had? */
export function sameView(then: View, now: View): boolean {
  return Object.keys(now).every((name) => !Object.hasOwn(then, name) || then[name] === now[name]);
}

/** Keeps when secrets changed, for flows that compare what people saw. */
export function noteSecrets(flow: FlowDraft, changed: readonly string[]): void {
  const { fields, rules } = flow.prepared;
  if (!rules.remembersApprovals && !rules.remembersStages) return;
  const secrets = changed.filter((name) => fields.get(name)?.secret);
  if (secrets.length === 0) return;
  const { version } = flow.draft;
  flow.remember({
    secrets: { ...flow.memory.secrets, ...Object.fromEntries(secrets.map((name) => [name, version])) },
  });
}

/** Keeps an approval of this person, with what they saw. @param view of the approval that an automatic one stands for. */
export function rememberApproval(place: PlaceDraft, person: string, view?: View): void {
  const { flow, draft } = place;
  if (!flow.prepared.rules.remembersApprovals) return;
  const round = numberOf(place);
  const approvals = flow.memory.approvals.filter((one) => one.person !== person || one.round !== round);
  const seen = view ?? viewOf(flow, approvalOf(place));
  flow.remember({ approvals: [...approvals, { person, round, decision: draft.version, view: seen }] });
}

/** Number of the place's round among the remembered ones. */
function numberOf({ flow, now }: PlaceDraft): number {
  return now.remembered?.round ?? flow.memory.rounds;
}

/** A round opened: it gets the next number; the place knows which came before. */
export function countRound({ flow, now }: PlaceDraft): void {
  if (!flow.prepared.rules.remembersApprovals) return;
  const round = flow.memory.rounds + 1;
  flow.remember({ rounds: round });
  now.remembered = { round, before: now.remembered?.passed ?? 0, passed: now.remembered?.passed ?? 0 };
}

/** The approval for which this person need not be asked again, if there is one. */
export function earlierApproval(place: PlaceDraft, person: string): RememberedApproval | undefined {
  const { flow, now } = place;
  const approval = approvalOf(place);
  if (approval.repeated === "ask") return undefined;
  const before = now.remembered?.before;
  const view = viewOf(flow, approval);
  return flow.memory.approvals.findLast(
    (one) => one.person === person && (approval.repeated === "any" || one.round === before) && sameView(one.view, view),
  );
}

/**
 * The place's round approved: what comes next is consecutive to it, and a return may come back over it, if it was people
 * who approved (or a rule): one that was skipped or overridden is asked then.
 */
export function rememberPassed(place: PlaceDraft): void {
  const { flow, now } = place;
  const { rules } = flow.prepared;
  if (rules.remembersApprovals && now.remembered) {
    now.remembered = { ...now.remembered, passed: now.remembered.round };
  }
  if (!rules.remembersStages || !isByItsPeople(roundOf(place))) return;
  const { state, stage } = roundOf(place);
  const key = stageKey(place.address, state, stage);
  flow.remember({ passed: { ...flow.memory.passed, [key]: viewOf(flow, approvalOf(place)) } });
}

/** A round without seats was decided by a rule. Did everybody abstain, `onEmpty` let it pass. */
function isByItsPeople({ result, seats, overridden }: Round): boolean {
  if (result !== "approved" || overridden) return false;
  return seats.length === 0 || seats.some(({ status }) => status === "approved" || status === "handled");
}

/** Keeps who decided a state that others must decide apart. */
export function rememberDecider({ flow, state }: PlaceDraft, person: string): void {
  if (!flow.prepared.rules.apart.has(state.fullName)) return;
  const { deciders } = flow.memory;
  const known = deciders[state.fullName] ?? [];
  if (!known.includes(person)) flow.remember({ deciders: { ...deciders, [state.fullName]: [...known, person] } });
}

/** A stage of a state of a place, for lookups over a whole instance. */
export function stageKey(address: string, state: string, stage: number): string {
  return address === "" ? `${state}/${stage}` : `${address}:${state}/${stage}`;
}
