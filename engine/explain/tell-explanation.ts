/** Explanations in words. */
import type { Supposition } from "../conditions/choices.ts";
import { instantText } from "../dates.ts";
import type { FlowPosition } from "../flow-position.ts";
import type { Json } from "../types.ts";
import type { Alternative, Comparison, DataExplanation, ExplainedChoice, NearestChange } from "./explain-data.ts";
import type { ExplainedPlace, ExplainedRound, InstanceExplanation } from "./explain-instance.ts";

/** Where a part of the flow stands in its text, `expense.flow:34`. */
export type NamePosition = (position: FlowPosition) => string | undefined;

const NOWHERE: NamePosition = () => undefined;

/** What a flow does with data, a line for each thing to say. */
export function tellExplanation({ flow, given, choices }: DataExplanation, nameOf: NamePosition = NOWHERE): string[] {
  const parts = Object.entries(given).map(([path, value]) => valueText(path, value));
  const head = `${flow}${parts.length === 0 ? "" : `, with ${parts.join(", ")}`}`;
  return [head, ...choices.flatMap((choice) => ["", ...tellChoice(choice, nameOf)])];
}

function tellChoice(choice: ExplainedChoice, nameOf: NamePosition): string[] {
  const { state, what, alternatives, outcomes, nearest } = choice;
  const [first] = outcomes;
  const certain = outcomes.length === 1 && first?.when.length === 0;
  const lines = certain
    ? [`${state} ${what} ${resultText(choice, first, nameOf)}`]
    : [
        `${state} ${what}`,
        ...outcomes.map((outcome) => `  ${whenText(outcome.when)}: ${resultText(choice, outcome, nameOf)}`),
      ];
  const reasons = certain ? reasonsFor(alternatives, first?.taken) : alternatives;
  return [
    ...lines,
    ...reasons.flatMap(tellComparisons),
    ...nearest.map((change) => `  nearest: ${nearestText(change, choice)}`),
  ];
}

/** What was looked at before the one that is taken, and that one itself. A row is found without its neighbours. */
function reasonsFor(alternatives: readonly Alternative[], taken: number | undefined): readonly Alternative[] {
  if (taken === undefined) return alternatives;
  const at = alternatives[taken]?.at.kind;
  return at === "row" ? [alternatives[taken]!] : alternatives.slice(0, taken + 1);
}

function tellComparisons({ comparisons, text }: Alternative): string[] {
  return comparisons.map(
    (comparison) => `  ${mark(comparison)} ${comparison.text}${seenText(comparison)}  (for ${text})`,
  );
}

function mark({ holds, unknown }: Comparison): string {
  if (unknown.length > 0 || holds === undefined) return "?";
  return holds ? "✔" : "✘";
}

function seenText({ values, unknown, holds }: Comparison): string {
  const seen = Object.entries(values).map(([path, value]) => valueText(path, value));
  const asked = unknown.length === 0 ? [] : [`${unknown.join(", ")} unknown`];
  const broken = unknown.length === 0 && holds === undefined ? ["has no value"] : [];
  const all = [...seen, ...asked, ...broken];
  return all.length === 0 ? "" : `: ${all.join(", ")}`;
}

function valueText(path: string, value: Json): string {
  if (value === null) return `${path} not set`;
  return `${path} = ${typeof value === "string" ? value : JSON.stringify(value)}`;
}

function whenText(when: readonly Supposition[]): string {
  return `if ${when.map(({ text, holds }) => (holds ? text : `not ${text}`)).join(" and ")}`;
}

function resultText(
  { alternatives, kind }: ExplainedChoice,
  { taken, broken }: ExplainedChoice["outcomes"][number],
  nameOf: NamePosition,
): string {
  if (broken) return "is refused: a part of the condition has no value";
  if (taken === undefined) return kind === "trigger" ? "changes nothing: no line applies" : "has no row";
  const { text, at, by } = alternatives[taken]!;
  const place = nameOf(at);
  return `${kind === "trigger" ? "" : "→ "}${text}${by === undefined ? "" : ` by ${by}`}${place === undefined ? "" : ` (${place})`}`;
}

function nearestText({ text, outcomes }: NearestChange, choice: ExplainedChoice): string {
  const ways = outcomes.map((outcome) => {
    const result = resultText(choice, outcome, NOWHERE);
    return outcome.when.length === 0 ? result : `${result} ${whenText(outcome.when)}`;
  });
  return `${text}: ${ways.join("; ")}`;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Instances
// ------------------------------------------------------------------------------------------------------------------ //

/** Why an instance stands where it stands, a line for each thing to say. */
export function tellInstance(explanation: InstanceExplanation): string[] {
  const { flow, state, outcome, suspendedSince, places } = explanation;
  if (outcome !== undefined)
    return [`\`${flow}\` has finished in \`${state}\` with \`${outcome}\`; nothing moves it any more.`];
  const suspended =
    suspendedSince === undefined
      ? []
      : [`It is suspended since ${instantText(suspendedSince)}; an administrator has to resume it first.`];
  return [...suspended, ...places.flatMap(tellPlace)];
}

function tellPlace(place: ExplainedPlace): string[] {
  const { flow, state, since, path, round, waitsFor, choices, timers, place: address } = place;
  const where = address === "" ? "" : ` (${address.replaceAll("/", ".")})`;
  const way = path.length > 1 ? `, by ${path.join(" → ")}` : "";
  return [
    `\`${flow}\`${where} is in \`${state}\` since ${instantText(since)}${way}.`,
    ...(round ? tellRound(round) : []),
    ...waitsFor.map((what) => `  It waits for the ${what}.`),
    ...choices.flatMap((choice) => tellChoice(choice, NOWHERE).map((line) => `  ${line}`)),
    ...timers.map(({ dueAt, does }) => `  At ${instantText(dueAt)} a timer ${does}.`),
  ];
}

function tellRound({ stage, stages, asks, seats, held }: ExplainedRound): string[] {
  const of = stages > 1 ? ` of ${stages}` : "";
  const open = seats.filter(({ status }) => status === "open");
  const names = open.map(({ person, candidates, onBehalfOf, dueAt }) => {
    const who = person === "" ? `one of ${(candidates ?? []).join(", ")}` : person;
    const behalf = onBehalfOf === undefined ? "" : ` for ${onBehalfOf}`;
    return `${who}${behalf}${dueAt === undefined ? "" : ` (due ${instantText(dueAt)})`}`;
  });
  const decided = seats.filter(({ status }) => status !== "open" && status !== "waiting");
  return [
    `  Stage ${stage}${of}, ${asks}, waits for ${names.length === 0 ? "nobody" : names.join(", ")}.`,
    ...decided.map(({ person, status }) => `  ${person} has ${status}.`),
    ...held.map((why) => `  Nobody was found for a part of it (${why}); an administrator has to move it.`),
  ];
}
