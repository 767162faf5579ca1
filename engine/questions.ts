import type { Draft } from "./draft.ts";
import { refuse } from "./refusal.ts";
import type { Answer, Json, Question, QuestionContext } from "./types.ts";

/**
 * Asks the world. `undefined`: not known yet, then the question is on the draft's list; or it failed, then so has the draft.
 * Within one decision the same question has one answer.
 */
export function ask(
  draft: Draft,
  kind: Question["kind"],
  name: string,
  args: readonly Json[],
): Exclude<Answer, { failed: string }> | undefined {
  const key = `${kind}:${name}(${JSON.stringify(withoutSecrets(draft, name, args))})`;
  const answer = draft.used[key] ?? askNow(draft, { key, kind, name, arguments: args, context: contextOf(draft) });
  if (answer === undefined) return undefined;
  if (!("failed" in answer)) return answer;
  const { failed, retryable } = answer;
  draft.fail(refuse("function-failed", `\`${name}\` could not answer: ${failed}`, { function: name }, { retryable }));
  return undefined;
}

function askNow(draft: Draft, question: Question): Answer | undefined {
  const answer = draft.answers(question);
  if (answer === undefined) draft.questions.set(question.key, question);
  else draft.used[question.key] = answer;
  return answer;
}

/** The users that a people question finds; `undefined` as in {@link ask}. */
export function askPeople(draft: Draft, name: string, args: readonly Json[]): readonly string[] | undefined {
  const answer = ask(draft, "people", name, args);
  if (answer === undefined) return undefined;
  if ("people" in answer) return answer.people;
  draft.fail(refuse("function-failed", `\`${name}\` did not answer with people.`, { function: name }));
  return undefined;
}

/** What the instance knows, for functions. */
export function contextOf(draft: Draft): QuestionContext {
  const { instance, event, actor, at, prepared } = draft;
  return {
    tenant: instance.tenant,
    flow: instance.flow,
    instance: instance.id,
    key: instance.key,
    state: instance.state,
    ...(event !== undefined && { event }),
    ...(actor !== undefined && { actor }),
    initiator: instance.initiator,
    data: draft.publicData(),
    services: event === undefined ? [] : servicesOf(prepared.definition, event),
    at,
  };
}

function servicesOf({ routes }: Draft["prepared"]["definition"], event: string): string[] {
  return routes
    .filter((route) => route.event === event)
    .flatMap((route) => route.targets.flatMap((target) => (target.kind === "service" ? [target.name] : [])));
}

/**
 * Keys and histories are kept, so a secret argument is written as a number: its order among the secrets of this
 * decision, with the version, so that an answer is not taken for another value after a lost race.
 */
export function withoutSecrets(draft: Draft, name: string, args: readonly Json[]): readonly Json[] {
  const { secretArgument } = draft.prepared;
  if (!args.some((_, position) => secretArgument(name, position))) return args;
  return args.map((value, position) => (secretArgument(name, position) ? draft.secretLabel(value) : value));
}
