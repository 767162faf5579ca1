import type { Definition } from "../dsl/index.ts";
import type { Answer, Carried, Directory, FunctionQuestion, Functions, Question } from "./ports.ts";
import type { Services } from "./services/services.ts";

export interface AskerPorts {
  readonly directory: Directory;
  readonly functions: Functions;
  readonly services: Pick<Services, "answer">;
  /** The current version of a flow, or the one with that label. */
  version(flow: string, label?: string): Definition | undefined;
}

const isLater = <A>(answer: A | Promise<A>): answer is Promise<A> => answer instanceof Promise;

/**
 * Who answers the engine's questions: the registry for versions of flows, the directory for who is absent, and for the rest
 * in the order of places: the directory for people, trusted functions, then the services that the event's `routes` name.
 * What is in memory answers at once. A promise never rejects.
 */
export function askers({ directory, functions, services, version }: AskerPorts) {
  return (question: Question, carried: Carried): Answer | Promise<Answer> => {
    if (question.kind === "flow") return versionOf(question, version);
    const elsewhere = () => (isOfFunction(question) ? ofFunction(question, carried) : NOBODY_ABSENT);
    const answer = directory.answer(question);
    if (!isLater(answer)) return answer ?? settled(elsewhere());
    return settled(answer.then((known) => known ?? elsewhere()));
  };

  function ofFunction(question: FunctionQuestion, carried: Carried): Answer | Promise<Answer> {
    return functions.answer(question) ?? services.answer(question, carried);
  }
}

const isOfFunction = (question: Question): question is FunctionQuestion => question.kind !== "absences";

/** Of a directory that does not know such things. */
const NOBODY_ABSENT: Answer = { absences: {} };

function versionOf({ name, arguments: [label] }: Question, version: AskerPorts["version"]): Answer {
  const found = typeof label === "string" ? version(name, label) : version(name);
  if (found) return { definition: found.hash };
  const which = label === undefined ? "" : ` with the label \`${String(label)}\``;
  return { failed: `there is no flow \`${name}\`${which} here`, retryable: false };
}

function settled(answer: Answer | Promise<Answer>): Answer | Promise<Answer> {
  if (!isLater(answer)) return answer;
  return answer.catch((error: unknown) => ({
    failed: error instanceof Error ? error.message : String(error),
    retryable: true,
  }));
}
