import type { Definition } from "../dsl/index.ts";
import type { Answer, FunctionQuestion, Functions, Json } from "./ports.ts";
import type { Services } from "./services/services.ts";
import { hasSecrets } from "./turn.ts";

/**
 * Functions and services get secrets in clear, and may repeat them in an error or a reason. Those texts go to callers, lists,
 * histories and logs, so what was handed out is masked in them.
 */

const MASK = "****";
/** Shorter ones are everywhere, and no secret. */
const LENGTH_MIN = 3;

/** The text without any of the texts and numbers in these values. */
export function withoutWords(text: string, values: readonly Json[]): string {
  const words = values.flatMap(leaves).filter((word) => word.length >= LENGTH_MIN);
  // A longer one may hold a shorter one.
  words.sort((a, b) => b.length - a.length);
  return words.reduce((rest, word) => rest.replaceAll(word, MASK), text);
}

function leaves(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((part) => leaves(part as Json));
}

/** @param definition the current version of a flow. */
export function discreetFunctions(
  functions: Functions,
  definition: (flow: string) => Definition | undefined,
): Functions {
  return {
    has: (name, flow) => functions.has(name, flow),
    answer(question) {
      const answer = functions.answer(question);
      return answer instanceof Promise ? answer.then((late) => discreet(late, question)) : discreet(answer, question);
    },
    async perform(name, args, call) {
      try {
        await functions.perform(name, args, call);
      } catch (error) {
        throw mayHoldSecrets(definition(call.context.flow)) ? withoutWordsIn(error, args) : error;
      }
    },
  };
}

export type ServiceCalls = Pick<Services, "answer" | "perform" | "deliver">;

/** @param definition the current version of a flow. @param all that are current. */
export function discreetServices(
  services: ServiceCalls,
  definition: (flow: string) => Definition | undefined,
  all: () => readonly Definition[],
): ServiceCalls {
  return {
    answer: async (question, carried) => discreet(await services.answer(question, carried), question),
    async perform(name, args, context, call) {
      try {
        await services.perform(name, args, context, call);
      } catch (error) {
        throw mayHoldSecrets(definition(context.flow)) ? withoutWordsIn(error, args) : error;
      }
    },
    async deliver(effect, instance, carried) {
      try {
        await services.deliver(effect, instance, carried);
      } catch (error) {
        throw withoutWordsIn(error, secretsIn(effect.data, all()));
      }
    },
  };
}

const mayHoldSecrets = (definition: Definition | undefined): boolean =>
  definition === undefined || hasSecrets(definition);

/** In a question's key a secret is written as a number of its own: only such questions have any. */
const HAS_SECRETS = /"secret \d+ of \d+"/;

function discreet<A extends Answer | undefined>(answer: A, { key, arguments: args }: FunctionQuestion): A {
  if (!answer || !HAS_SECRETS.test(key)) return answer;
  if ("failed" in answer) return { ...answer, failed: withoutWords(answer.failed, args) };
  if ("ok" in answer && answer.reason !== undefined) return { ...answer, reason: withoutWords(answer.reason, args) };
  return answer;
}

/** The same error in other words: its kind is what decides about another try. */
function withoutWordsIn(error: unknown, values: readonly Json[]): unknown {
  if (!(error instanceof Error)) return new Error(withoutWords(String(error), values));
  error.message = withoutWords(error.message, values);
  // Where it came from is told without what was said.
  if (error.stack !== undefined) error.stack = withoutWords(error.stack, values);
  return error;
}

/** What stands under the name of a secret field of these flows, at any depth. */
export function secretsIn(value: Json, definitions: readonly Definition[]): readonly Json[] {
  const fields = definitions.flatMap((one) => [...one.fields, ...one.events.flatMap(({ payload }) => payload)]);
  const names = new Set(fields.filter(({ secret }) => secret).map(({ name }) => name));
  return names.size === 0 ? [] : namedIn(value, names);
}

function namedIn(value: Json, names: ReadonlySet<string>): readonly Json[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    names.has(name) ? [part as Json] : namedIn(part as Json, names),
  );
}
