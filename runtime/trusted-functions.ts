import { type FlowFunction, type FunctionContext, isFlowFunction } from "../plugins/index.ts";
import type { Answer, FunctionQuestion, Functions, Json } from "./ports.ts";

/**
 * Functions of `functions.ts` files, served in this process. They are trusted: they run without a sandbox.
 * `find` gives the function of that name that lies beside the flow, as deployed now.
 */
export function trustedFunctions(find: (name: string, flow: string) => FlowFunction | undefined): Functions {
  return {
    has: (name, flow) => find(name, flow) !== undefined,
    answer(question) {
      const found = find(question.name, question.context.flow);
      if (!found) return undefined;
      const answer = answerWith(found, question);
      return answer instanceof Promise ? answer.then((late) => signed(late, found)) : signed(answer, found);
    },
    async perform(name, args, { key, context, signal }) {
      const found = find(name, context.flow);
      if (!found) throw new Error(`nobody serves \`${name}\``);
      const running = found.run({ arguments: args, context: context as FunctionContext, idempotencyKey: key });
      await Promise.race([running, ended(signal)]);
    },
  };
}

function answerWith(found: FlowFunction, question: FunctionQuestion): Answer | Promise<Answer> {
  try {
    const result = found.run({ arguments: question.arguments, context: question.context as FunctionContext });
    if (!(result instanceof Promise)) return toAnswer(question, result);
    return result.then((value) => toAnswer(question, value), failure);
  } catch (error) {
    return failure(error);
  }
}

/** The history says which version answered. */
const signed = (answer: Answer, { version }: FlowFunction): Answer =>
  version === undefined ? answer : { ...answer, by: version };

function toAnswer({ kind, name }: FunctionQuestion, result: unknown): Answer {
  switch (kind) {
    case "guard":
    case "check":
      if (typeof result === "boolean") return { ok: result };
      if (kind === "check" && typeof result === "string") return { ok: false, reason: result };
      return wrong(name, kind === "guard" ? "true or false" : "true, or the reason for a no");
    case "people":
      if (Array.isArray(result) && result.every((id) => typeof id === "string")) return { people: result };
      return wrong(name, "a list of user ids");
    case "value":
      return result === undefined ? wrong(name, "a value") : { value: result as Json };
  }
}

/** It may have been done all the same. */
export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/** Rejects when it is over. An action that never ends would hold up every effect behind it. */
const ended = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const end = (): void => reject(new TookTooLong(`it did not end in time: ${String(signal.reason)}`));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });

const wrong = (name: string, expected: string): Answer => ({
  failed: `\`${name}\` must answer ${expected}`,
  retryable: false,
});

const failure = (error: unknown): Answer => ({
  failed: error instanceof Error ? error.message : String(error),
  retryable: true,
});

/** Takes the functions out of a module's exports: named ones, or all in its default export. @param version of the file. */
export function functionsOf(
  module: Readonly<Record<string, unknown>>,
  version: string,
): ReadonlyMap<string, FlowFunction> {
  const { default: all, ...named } = module;
  const exported = typeof all === "object" && all !== null ? { ...all, ...named } : named;
  const found = Object.entries(exported).filter((entry): entry is [string, FlowFunction] => isFlowFunction(entry[1]));
  return new Map(found.map(([name, one]) => [name, { ...one, version }]));
}
