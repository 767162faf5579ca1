import type { PlaceDraft } from "./place.ts";
import type { Prepared } from "./prepare.ts";
import { refuse } from "./refusal.ts";
import type { Absence, Answer, Json, Question, QuestionContext } from "./types.ts";

/**
 * Asks the world. `undefined`: not known yet, then the question is on the draft's list; or it failed, then so has the draft.
 * Within one decision the same question has one answer.
 */
export function ask(
  place: PlaceDraft,
  kind: Question["kind"],
  name: string,
  args: readonly Json[],
): Exclude<Answer, { failed: string }> | undefined {
  const { draft } = place;
  const key = `${kind}:${name}(${JSON.stringify(withoutSecrets(place, name, args))})`;
  const answer = draft.used[key] ?? askNow(place, { key, kind, name, arguments: args, context: contextOf(place) });
  if (answer === undefined) return undefined;
  if (!("failed" in answer)) return answer;
  const { failed, retryable, retryAfterMs } = answer;
  const more = { retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  draft.fail(refuse("function-failed", `\`${name}\` could not answer: ${failed}`, { function: name }, more));
  return undefined;
}

function askNow({ draft }: PlaceDraft, question: Question): Answer | undefined {
  const answer = draft.answers(question);
  if (answer === undefined) draft.need(question);
  else draft.used[question.key] = answer;
  return answer;
}

/** The users that a people question finds; `undefined` as in {@link ask}. */
export function askPeople(place: PlaceDraft, name: string, args: readonly Json[]): readonly string[] | undefined {
  const answer = ask(place, "people", name, args);
  return answer && expected(place, name, "people" in answer ? answer.people : undefined, "with people");
}

/** Which of these users are not there; `undefined` as in {@link ask}. */
export function askAbsences(
  place: PlaceDraft,
  users: readonly string[],
): Readonly<Record<string, Absence>> | undefined {
  const answer = ask(place, "absences", "absences", users);
  return answer && expected(place, "absences", "absences" in answer ? answer.absences : undefined, "who is absent");
}

/** Hash of the current version of a flow, or of that with this label; `undefined` as in {@link ask}. */
export function askDefinition(place: PlaceDraft, flow: string, label?: string): string | undefined {
  const answer = ask(place, "flow", flow, label === undefined ? [] : [label]);
  return answer && expected(place, flow, "definition" in answer ? answer.definition : undefined, "with a version");
}

function expected<Found>(
  { draft }: PlaceDraft,
  name: string,
  found: Found | undefined,
  what: string,
): Found | undefined {
  if (found === undefined) {
    draft.fail(refuse("function-failed", `\`${name}\` did not answer ${what}.`, { function: name }));
  }
  return found;
}

/** What the instance knows, for functions. The same as before, where nothing of it has changed meanwhile. */
export function contextOf(place: PlaceDraft): QuestionContext {
  const { draft, flow, now } = place;
  const { event, actor, context: known } = draft;
  const same =
    known !== undefined &&
    known.instance === flow.now.id &&
    known.state === now.state &&
    known.event === event &&
    known.actor === actor &&
    known.data === flow.publicData();
  if (!same) draft.context = newContext(place);
  return draft.context!;
}

function newContext({ draft, flow, now }: PlaceDraft): QuestionContext {
  const { instance, event, actor, at } = draft;
  return {
    tenant: instance.tenant,
    flow: flow.now.flow,
    instance: flow.now.id,
    key: instance.key,
    state: now.state,
    ...(event !== undefined && { event }),
    ...(actor !== undefined && { actor }),
    initiator: instance.initiator,
    data: flow.publicData(),
    ...servicesOf(flow.prepared, event),
    at,
  };
}

/** Whom the event's `routes` name. */
function servicesOf(
  { definition: { routes } }: Prepared,
  event: string | undefined,
): Pick<QuestionContext, "services" | "selectors"> {
  const targets = routes.filter((route) => route.event === event).flatMap((route) => route.targets);
  const services = targets.flatMap((target) => (target.kind === "service" ? [target.name] : []));
  const selectors = targets.flatMap((target) => (target.kind === "selector" ? [target.labels] : []));
  return selectors.length === 0 ? { services } : { services, selectors };
}

/**
 * Keys and histories are kept, so a secret argument is written as a number: its order among the secrets of this
 * decision, with the version, so that an answer is not taken for another value after a lost race.
 */
export function withoutSecrets({ draft, flow }: PlaceDraft, name: string, args: readonly Json[]): readonly Json[] {
  const { secretArgument } = flow.prepared;
  if (!args.some((_, position) => secretArgument(name, position))) return args;
  return args.map((value, position) => (secretArgument(name, position) ? draft.secretLabel(value) : value));
}
