/** Writes a test that was found, with what happens in it as its expectations. */

import type { Place } from "../types.ts";
import type { Move } from "./test-moves.ts";
import type { Play } from "./test-play.ts";
import { valueText } from "./value-text.ts";

/** Names longer than this are cut. */
const NAME_LENGTH_MAX = 100;

/** Plays the moves and writes them down. @param names that are taken; the new one is added. */
export function writeTest(play: Play, moves: readonly Move[], names: Set<string>): string {
  const { definition } = play;
  const lines = [startText(play)];
  play.begin();
  let seen = standingText(play);
  const states = [stateText(play)];
  for (const move of moves) {
    const refusal = play.make(move);
    lines.push(move.text);
    if (refusal) {
      lines.push(`expect refused ${quoted(refusal.code)}`);
      states.push(`${refusal.code}`);
      continue;
    }
    const standing = standingText(play);
    if (standing !== seen) lines.push(...standing.split("\n"));
    seen = standing;
    if (stateText(play) !== states.at(-1)) states.push(stateText(play));
  }
  if (!lines.at(-1)?.startsWith("expect")) lines.push(...standingText(play).split("\n"));
  lines.push(...dataText(play), ...effectsText(play));
  const name = freeName(states.join(" → "), names);
  const label = definition.label === undefined ? "" : ` label ${quoted(definition.label)}`;
  const all = [asText(play), ...lines];
  return `test ${quoted(name)} of ${quoted(definition.flow)}${label} {\n${all.map((line) => `  ${line}\n`).join("")}}\n`;
}

function asText({ initiator: { id, org, tags }, world }: Play): string {
  const parts = [
    `as ${quoted(id)}`,
    ...(org === undefined ? [] : [`in org ${quoted(org)}`]),
    ...(tags === undefined ? [] : [`tags [${tags.map(quoted).join(", ")}]`]),
  ];
  const facts = world.facts();
  return parts.join(" ") + (facts.length === 0 ? "" : ` with ${facts.join(", ")}`);
}

function startText({ definition, data }: Play): string {
  const fields = definition.fields.flatMap(({ name, type }) => {
    const value = Object.hasOwn(data, name) ? data[name] : undefined;
    return value === undefined ? [] : [`${name}: ${valueText(type, value, definition)}`];
  });
  return fields.length === 0 ? "start { }" : `start { ${fields.join(", ")} }`;
}

function stateText({ run }: Play): string {
  return run.instance?.state ?? "";
}

/** Where it stands and who is waited for. */
function standingText({ run }: Play): string {
  const { instance } = run;
  if (!instance) return "";
  const people = run.waiting().map(({ person }) => person);
  // Who may claim a shared task is said by the group's name alone.
  const known = people.length > 0 && !people.includes("");
  const waiting = known ? ` waiting for ${[...new Set(people)].map(quoted).join(", ")}` : "";
  return [`expect ${instance.state}${waiting}`, ...branchLines(instance)].join("\n");
}

function branchLines({ branches = {} }: Place): readonly string[] {
  return Object.entries(branches).flatMap(([name, branch]) => [
    `expect ${name}.${branch.state}`,
    ...branchLines(branch),
  ]);
}

/** What the flow has set. */
function dataText({ definition, data: given, run }: Play): readonly string[] {
  const data = run.instance?.data ?? {};
  return definition.fields.flatMap(({ name, type, secret, optional, default: usual }) => {
    const [before, after] = [given[name] ?? usual, data[name]];
    const isPlain = !secret && !optional && type.kind !== "list" && type.kind !== "record";
    if (!isPlain || after === undefined || before === after) return [];
    return [`expect ${name} == ${valueText(type, after, definition)}`];
  });
}

/** Effects so far, in the order in which they were first seen. */
function effectsText({ run, simulation }: Play): readonly string[] {
  const emitted = new Map<string, number>();
  for (const { line } of run.story) {
    if (line.kind === "emitted") emitted.set(line.event, (emitted.get(line.event) ?? 0) + 1);
  }
  const events = [...emitted].map(
    ([event, times]) => `expect emitted ${quoted(event)}${times === 1 ? "" : ` ${times} times`}`,
  );
  const documents = [...new Set(run.documents.map(({ name }) => name))].map(
    (name) => `expect rendered ${quoted(name)}`,
  );
  const { instance } = run;
  const isOver = instance?.outcome !== undefined && instance.timers.length === 0 && run.waiting().length === 0;
  const nothing = isOver && simulation.undelivered(run).length === 0 ? ["expect nothing open"] : [];
  return [...events, ...documents, ...nothing];
}

function freeName(wanted: string, names: Set<string>): string {
  const base = wanted.length > NAME_LENGTH_MAX ? `${wanted.slice(0, NAME_LENGTH_MAX - 1)}…` : wanted;
  let name = base;
  for (let number = 2; names.has(name); number += 1) name = `${base} (${number})`;
  names.add(name);
  return name;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
