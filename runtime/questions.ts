import type { Answer, Carried, Directory, Functions, Question } from "./ports.ts";
import type { Services } from "./services.ts";

const isLater = <A>(answer: A | Promise<A>): answer is Promise<A> => answer instanceof Promise;

/**
 * Who answers the engine's questions, in the order of places: the directory for people, trusted functions, then the
 * services that the event's `routes` name. What is in memory answers at once. A promise never rejects.
 */
export function askers(directory: Directory, functions: Functions, services: Services) {
  return (question: Question, carried: Carried): Answer | Promise<Answer> => {
    const elsewhere = () => functions.answer(question) ?? services.answer(question, carried);
    const answer = directory.answer(question);
    if (!isLater(answer)) return answer ?? settled(elsewhere());
    return settled(answer.then((known) => known ?? elsewhere()));
  };
}

function settled(answer: Answer | Promise<Answer>): Answer | Promise<Answer> {
  if (!isLater(answer)) return answer;
  return answer.catch((error: unknown) => ({
    failed: error instanceof Error ? error.message : String(error),
    retryable: true,
  }));
}
