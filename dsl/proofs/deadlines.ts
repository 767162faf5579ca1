/** `reaches final within D`: every state on the way is left by time alone, and the longest way is short enough. */
import type { PropertyAst } from "../ast.ts";
import type { Report } from "../check/report.ts";
import type { Definition, Property } from "../definition.ts";
import { durationText, termText } from "../describe.ts";
import { breakingTest, type Ending } from "./breaking-tests/breaking-test.ts";
import type { ConcretePath } from "./concrete.ts";
import { fitsWithin, longestMs } from "./lengths.ts";
import { type Found, LongestWay } from "./longest-way.ts";
import type { Flow } from "./properties.ts";
import { nameOf } from "./steps.ts";
import { storyOf } from "./story.ts";
import { concreteRoute } from "./ways.ts";

type Deadline = Extract<Property, { kind: "reaches-final" }>;

export function proveDeadline(property: Deadline, written: PropertyAst, flow: Flow, report: Report): void {
  const { within } = property;
  const { definition, machines } = flow;
  const { calendar } = definition;
  const longest = new LongestWay(machines, machines.root, definition);
  const found = longest.from();
  const text = `reaches final within ${termText(within)}`;
  if (found.kind === "length" && fitsWithin(found.length, within, calendar)) return;
  const initial = machines.root.region.initial;
  const path = found.path.map((state) => (typeof state === "number" ? nameOf(machines.root, state) : state));
  const route = [initial, ...path.filter((name) => machines.root.states.some((state) => state.name === name))];
  const details = { path: [initial, ...path] };
  const real = concreteRoute(route, flow);
  if (real) {
    const message = `\`${text}\` is broken: ${reasonOf(found, path, definition)}.`;
    const test = testOf(property, text, found, { route, real, stayMs: longest.stays() }, flow);
    report.add("FLOW250", written.span, message, {
      hint: HINTS[found.kind],
      ...details,
      related: [{ message: storyOf(real, flow), span: written.span }],
      ...(test === undefined ? {} : { test }),
    });
  } else {
    const message = `\`${text}\` is not proved: no data was found for the way that might take longer.`;
    report.add("FLOW252", written.span, message, details);
  }
}

const HINTS = {
  length: "Shorten an `after` or a deadline on this way, or allow more time.",
  endless: "Add a line with `after`, or end `overdue` with `approve` or `reject`.",
  circle: "Limit it by `maxReturns`, or lead it through the initial state.",
} as const;

function reasonOf(found: Found, path: readonly string[], { calendar }: Omit<Definition, "hash">): string {
  switch (found.kind) {
    case "length":
      return `this way can take ${durationText(longestMs(found.length, calendar))}`;
    case "endless":
      return `nothing ends the wait in \`${path.at(-1)}\``;
    case "circle":
      return `one can go round between ${[...new Set(found.circle)].map((state) => `\`${state}\``).join(" and ")} for ever`;
  }
}

// ------------------------------------------------------------------------------------------------------------------ //
// Test
// ------------------------------------------------------------------------------------------------------------------ //

/** Rounds of a circle that a test walks. */
const ROUNDS_MAX = 12;

/** The time passes, and it is still not final. `undefined`: a test can't walk so slowly. */
function testOf(
  { within }: Deadline,
  title: string,
  found: Found,
  {
    route,
    real,
    stayMs,
  }: { readonly route: readonly string[]; readonly real: ConcretePath; readonly stayMs: ReadonlyMap<string, number> },
  flow: Flow,
): string | undefined {
  const finals = flow.definition.states.filter(({ final }) => final).map(({ name }) => `state == ${name}`);
  const line = `expect ${finals.join(" or ")}`;
  if (found.kind === "endless") {
    return breakingTest({ title, lines: [`advance ${termText(within)}`, line], peopled: true }, real, flow);
  }
  if (within.kind !== "natural" || route.slice(1, -1).some((name) => !stayMs.has(name))) return undefined;
  const ending: Ending = { title, lines: [line], peopled: true, time: { withinMs: within.ms, stayMs } };
  if (found.kind === "length") return breakingTest(ending, real, flow);
  const circle = route.slice(route.indexOf(route.at(-1)!) + 1);
  for (let [rounds, walked] = [0, route]; rounds < ROUNDS_MAX; rounds += 1, walked = [...walked, ...circle]) {
    const path = concreteRoute(walked, flow);
    const test = path && breakingTest(ending, path, flow);
    if (test !== undefined || !path) return test;
  }
  return undefined;
}
