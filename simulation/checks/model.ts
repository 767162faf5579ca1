import type { Instance } from "../../engine/index.ts";
import type { Call } from "../cluster/receivers.ts";
import { weightOf } from "../load/flows.ts";
import { APPROVERS } from "../load/people.ts";
import type { Outcome, Violation } from "./checks.ts";
import type { Decided, Story } from "./journal.ts";

/** An expense as its flow reads, in plain code. */
interface Expense {
  state: string;
  total: number;
  /** Who has decided in the round, and how. */
  readonly votes: Map<string, string>;
  /** How often the money was booked. */
  bookings: number;
}

/** The commands that the journal has, applied in order to a plain model, give what the engine made of them. */
export function* checkModel({ stories, world }: Outcome): Iterable<Violation> {
  const done = [...world.receivers.done.values()];
  for (const story of stories) {
    const last = story.decided.at(-1)?.accepted.instance;
    if (last?.flow === "payout")
      yield* checkPayout(
        last,
        done.filter(({ key }) => key.startsWith(`${story.instance}:`)).map(({ name }) => name),
        world.receivers.calls.filter(({ key }) => key.startsWith(`${story.instance}:`)),
      );
    if (last?.flow !== "expense") continue;
    const model = modelOf(story, weightOf(last.definition));
    if (typeof model === "string") {
      yield { check: "the plain model agrees", what: `${story.instance}: ${model}` };
      continue;
    }
    const total = Number(last.data["total"]);
    if (model.state !== last.state || model.total !== total)
      yield {
        check: "the plain model agrees",
        what: `${story.instance} is ${last.state} with ${total}, should be ${model.state} with ${model.total}`,
      };
    const bookings = done.filter(({ name, key }) => name === "book" && key.startsWith(`${story.instance}:`)).length;
    const givenUp = story.decided.filter(
      ({ command }) => command.kind === "report" && command.report.kind === "failed",
    ).length;
    if (bookings > model.bookings || bookings < model.bookings - givenUp)
      yield {
        check: "receivers do it once",
        what: `${story.instance} was booked ${bookings} times, should be ${model.bookings}`,
      };
  }
}

/** Each step is done once however often it was tried; what was done is undone, or all of it stands. */
function* checkPayout({ id, state }: Instance, done: readonly string[], calls: readonly Call[]): Iterable<Violation> {
  // After a takeover two processes may make one try. Its end is the one that was told first, whatever came of the other.
  const isShared = (step: string) => new Set(calls.filter(({ name }) => name === step).map(({ by }) => by)).size > 1;
  const count = (name: string) => done.filter((one) => one === name).length;
  for (const [step, undo] of [
    ["reserve", "release"],
    ["transfer", "refund"],
  ] as const) {
    if (count(step) > 1 || count(undo) > 1)
      yield { check: "receivers do it once", what: `${step} of ${id}: ${done.join()}` };
    const isRight =
      isShared(step) ||
      (state === "PAID" ? count(step) === 1 && count(undo) === 0 : state !== "FAILED" || count(step) <= count(undo));
    if (!isRight) yield { check: "the plain model agrees", what: `${id} is ${state} after ${done.join()}` };
  }
}

function modelOf({ decided }: Story, weight: number): Expense | string {
  const expense: Expense = { state: "none", total: 0, votes: new Map(), bookings: 0 };
  for (const one of decided) {
    const problem = step(expense, one, weight);
    if (problem) return `${one.command.id}: ${problem}`;
  }
  return expense;
}

function step(expense: Expense, { command, before }: Decided, weight: number): string | undefined {
  switch (command.kind) {
    case "start":
      if (expense.state !== "none") return "started twice";
      expense.state = "DRAFT";
      return command.event === undefined ? undefined : event(expense, command.event, command.payload, weight);
    case "event":
      return event(expense, command.event, command.payload, weight);
    case "decide":
      return vote(expense, command.actor!, command.decision);
    case "withdraw":
      if (expense.state !== "REVIEW") return `withdrawn in ${expense.state}`;
      expense.state = "DRAFT";
      return undefined;
    case "timer":
      return timer(expense, before?.timers.find(({ id }) => id === command.timer)?.purpose);
    case "report":
      return undefined;
    default:
      return `nobody sends ${command.kind}`;
  }
}

function event(
  expense: Expense,
  name: string,
  payload: Readonly<Record<string, unknown>> | undefined,
  weight: number,
): string | undefined {
  if (expense.state !== "DRAFT") return `${name} in ${expense.state}`;
  if (name === "add") {
    expense.total += weight * Number(payload?.["amount"]);
    expense.bookings += 1;
  } else {
    if (expense.total % 7 === 6) return "there is no money";
    expense.state = "REVIEW";
    expense.votes.clear();
  }
  return undefined;
}

/** Two of the three agree, or no longer can. */
function vote(expense: Expense, person: string, decision: string): string | undefined {
  if (expense.state !== "REVIEW") return `decided in ${expense.state}`;
  if (!(APPROVERS as readonly string[]).includes(person) || expense.votes.has(person))
    return `${person} may not decide`;
  expense.votes.set(person, decision);
  const count = (which: string) => [...expense.votes.values()].filter((vote) => vote === which).length;
  if (count("approve") >= 2) {
    expense.state = "APPROVED";
    expense.bookings += 1;
  } else if (count("reject") >= 2) expense.state = "REJECTED";
  return undefined;
}

type Purpose = { readonly kind: string; readonly seat?: number };

function timer(expense: Expense, purpose: Purpose | undefined): string | undefined {
  if (purpose?.kind === "line") {
    if (expense.state !== "DRAFT") return `expired in ${expense.state}`;
    expense.state = "EXPIRED";
  } else if (purpose?.kind === "overdue") return vote(expense, APPROVERS[purpose.seat!]!, "reject");
  return undefined;
}
