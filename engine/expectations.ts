import type { Expectation, Expression, Waiting } from "../dsl/index.ts";
import { Draft } from "./draft.ts";
import { evaluate } from "./evaluation.ts";
import { prepare } from "./prepare.ts";
import { visit } from "./secrets.ts";
import type { Awaited, Call, SimulatedRun } from "./simulated-run.ts";
import { TestFault } from "./simulated-world.ts";
import type { Simulation } from "./simulation.ts";
import { tell } from "./story.ts";
import { literalEquals } from "./test-literals.ts";
import type { DocumentValue, Instance, Place } from "./types.ts";
import { showData } from "./values.ts";

/** What an `expect` asked for, and what was there instead. */
export interface Mismatch {
  readonly expected: string;
  readonly was: string;
}

/** Judges an `expect` about one instance; `undefined`: it holds. (`expect refused` is about the statement before it, see simulator.ts.) */
export function judge(
  expectation: Exclude<Expectation, { kind: "refused" }>,
  run: SimulatedRun,
  simulation: Simulation,
): Mismatch | undefined {
  const instance = run.instance;
  if (!instance) throw new TestFault("Nothing is started yet.");
  switch (expectation.kind) {
    case "state":
      return judgeState(expectation, run, simulation, instance);
    case "waiting":
      return judgeWaiting(expectation.waiting, run.waiting(), simulation);
    case "condition":
      return judgeCondition(expectation.condition, run, simulation, instance);
    case "emitted": {
      const emitted = run.story.flatMap(({ line }) => (line.kind === "emitted" ? [line.event] : []));
      return count(expectation, `\`${expectation.event}\` emitted`, emitted, (event) => event === expectation.event);
    }
    case "called":
      return judgeCalled(expectation, run.calls);
    case "undone":
      return judgeCalled(expectation, run.undone);
    case "notified":
      return count(expectation, `\`${expectation.user}\` notified`, run.notified, (user) => user === expectation.user);
    case "rendered":
      return judgeRendered(expectation, run);
    case "escalated":
    case "reminded":
      return judgeNumber(expectation, expectation.kind, run.countInRound(expectation.kind, expectation.in));
    case "round": {
      const round = run.round(expectation.in);
      return compare(`round ${expectation.round}`, round ? `round ${round.number}` : "no round was opened");
    }
    case "seat":
      return judgeSeat(expectation, run);
    case "history":
      return judgeHistory(expectation, run);
    case "nothing-open":
      return compare("nothing open", openText(run, simulation, instance));
  }
}

function compare(expected: string, was: string): Mismatch | undefined {
  return expected === was ? undefined : { expected, was };
}

type Kind<Name extends Expectation["kind"]> = Extract<Expectation, { kind: Name }>;

function judgeState(
  { branch, state, waiting }: Kind<"state">,
  run: SimulatedRun,
  simulation: Simulation,
  instance: Instance,
): Mismatch | undefined {
  const there = branch === undefined ? [instance.state] : branchStates(instance, branch);
  const name = branch === undefined ? state : `${branch}.${state}`;
  if (!there.includes(state)) {
    const present = there.map((one) => (branch === undefined ? one : `${branch}.${one}`));
    return { expected: `state ${name}`, was: `state ${present.join(", ") || statesText(instance)}` };
  }
  const awaited = run
    .waiting()
    .filter(({ place }) => branch === undefined || place.startsWith(branch.replaceAll(".", "/")));
  return waiting && judgeWaiting(waiting, awaited, simulation);
}

/** Where the branch of this name stands, at any depth: `legal`, `legal.inner`. */
function branchStates(place: Place, branch: string): readonly string[] {
  const { branches = {}, child } = place;
  const [first = "", ...rest] = branch.split(".");
  const named = Object.hasOwn(branches, first) ? branches[first]! : undefined;
  const direct = named && (rest.length === 0 ? [named.state] : branchStates(named, rest.join(".")));
  if (direct && direct.length > 0) return direct;
  const inside = [...Object.values(branches), ...(child ? [child] : [])];
  return inside.flatMap((one) => branchStates(one, branch));
}

/** `REVIEW (legal.CHECK, finance.DONE)`. */
function statesText({ state, branches = {} }: Place): string {
  const inside = Object.entries(branches).map(([name, branch]) => `${name}.${statesText(branch)}`);
  return inside.length === 0 ? state : `${state} (${inside.join(", ")})`;
}

/**
 * Exactly these hold open tasks. A group stands for its shared, unclaimed task, or for its members' seats, which deputies
 * may hold for them.
 */
function judgeWaiting(
  expected: readonly Waiting[],
  awaited: readonly Awaited[],
  simulation: Simulation,
): Mismatch | undefined {
  const left = new Set(awaited);
  const missing: string[] = [];
  for (const who of expected) {
    const found = who.kind === "user" ? findUser(awaited, who.id) : findGroup(awaited, who.name, simulation);
    if (found.length === 0) missing.push(who.kind === "user" ? who.id : `group("${who.name}")`);
    for (const one of found) left.delete(one);
  }
  if (missing.length === 0 && left.size === 0) return undefined;
  const names = expected.map((who) => (who.kind === "user" ? who.id : `group("${who.name}")`));
  const present = awaited.map(({ person, candidates }) => (person === "" ? `any of ${candidates!.join("/")}` : person));
  return { expected: waitingText(names), was: waitingText(present) };
}

function findUser(awaited: readonly Awaited[], user: string): readonly Awaited[] {
  return awaited.filter(({ person, candidates }) => person === user || (person === "" && candidates?.join() === user));
}

/** Empty unless all that the group has to hold is there. */
function findGroup(awaited: readonly Awaited[], name: string, simulation: Simulation): readonly Awaited[] {
  const members = simulation.world.group(name);
  if (members.length === 0) throw new TestFault(`Nobody is given for group("${name}").`);
  const shared = awaited.filter(({ candidates }) => candidates?.every((one) => members.includes(one)));
  if (shared.length > 0) return shared;
  const seats = members.map((member) =>
    awaited.find(({ person, onBehalfOf }) => person === member || onBehalfOf === member),
  );
  return seats.every((seat) => seat !== undefined) ? seats : [];
}

function waitingText(users: readonly string[]): string {
  const names = [...new Set(users)].sort().map((user) => `\`${user}\``);
  return `waiting for ${names.length === 0 ? "nobody" : names.join(", ")}`;
}

function judgeSeat({ user, status, in: branch }: Kind<"seat">, run: SimulatedRun): Mismatch | undefined {
  const statuses = run.seat(user, branch);
  if (statuses.includes(status)) return undefined;
  return { expected: `seat of \`${user}\` ${status}`, was: `seat of \`${user}\` ${statuses[0] ?? "not there"}` };
}

function judgeCondition(
  condition: Expression,
  run: SimulatedRun,
  simulation: Simulation,
  instance: Instance,
): Mismatch | undefined {
  const actor = run.actor === undefined ? undefined : { actor: run.actor };
  const look = { kind: "report", effect: "", report: { kind: "failed", what: "", reason: "" } } as const;
  const command = { ...look, id: "", source: "test", digest: "", ...actor };
  const draft = new Draft({
    prepared: prepare(run.definition),
    instance,
    command,
    at: simulation.now,
    answers: simulation.answersFor(run),
    definitions: simulation.version,
  });
  const holds = evaluate(draft.place, condition);
  const stop = draft.blocked();
  simulation.checkAnswers();
  if (stop?.kind === "refused") return { expected: "true", was: stop.message };
  return holds === true ? undefined : { expected: "true", was: `false, with ${fieldsText(condition, run, instance)}` };
}

/** The fields that a condition looks at, as they are. */
function fieldsText(condition: Expression, { definition }: SimulatedRun, { data, state }: Instance): string {
  const shown = showData(definition, data);
  const names = new Set<string>();
  visit(condition, (node) => {
    if (node["kind"] === "field") names.add(node["name"] as string);
  });
  const fields = [...names].map((name) => {
    return Object.hasOwn(shown, name) ? `${name} = ${JSON.stringify(shown[name])}` : `${name} not set`;
  });
  return [...fields, `state ${state}`].join(", ");
}

function judgeCalled(
  expectation: Extract<Expectation, { name: string }>,
  calls: SimulatedRun["calls"],
): Mismatch | undefined {
  const { name, arguments: wanted } = expectation;
  const matches = (call: Call) =>
    call.name === name &&
    (wanted === undefined ||
      (wanted.length === call.arguments.length &&
        wanted.every((literal, index) => literalEquals(literal, call.arguments[index]))));
  const others = calls.filter((call) => call.name === name).map((call) => `${name}(${jsonList(call.arguments)})`);
  const mismatch = judgeNumber(expectation, `\`${name}\` ${expectation.kind}`, calls.filter(matches).length);
  return mismatch && others.length > 0
    ? { ...mismatch, was: `${mismatch.was}; calls: ${others.join(", ")}` }
    : mismatch;
}

function jsonList(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}

function judgeRendered(expectation: Kind<"rendered">, { documents }: SimulatedRun): Mismatch | undefined {
  const { document, containing } = expectation;
  const named = documents.filter(({ name }) => name === document);
  const what = `\`${document}\` rendered${containing === undefined ? "" : ` containing \`${containing}\``}`;
  const hits = named.filter(({ data }) => containing === undefined || contains(data, containing));
  const mismatch = judgeNumber(expectation, what, hits.length);
  const newest = named.at(-1);
  return mismatch && newest
    ? { ...mismatch, was: `${mismatch.was}; newest: ${JSON.stringify(newest.data)}` }
    : mismatch;
}

/** Does a text of the document's data contain this? */
function contains(data: DocumentValue | Readonly<Record<string, DocumentValue>>, part: string): boolean {
  if (typeof data === "string") return data.includes(part);
  return typeof data === "object" && Object.values(data).some((value) => contains(value, part));
}

function judgeHistory({ containing, not }: Kind<"history">, run: SimulatedRun): Mismatch | undefined {
  const found = run.story.some(({ line }) => tell(line).includes(containing));
  if (found !== not) return undefined;
  return {
    expected: `${not ? "no" : "a"} line of the history containing \`${containing}\``,
    was: not ? "there is one" : "none",
  };
}

interface Times {
  readonly times?: number;
  readonly not: boolean;
}

function count<Item>(
  times: Times,
  what: string,
  items: readonly Item[],
  matches: (item: Item) => boolean,
): Mismatch | undefined {
  const mismatch = judgeNumber(times, what, items.filter(matches).length);
  const others = [...new Set(items)].map((item) => `\`${item}\``).join(", ");
  return mismatch && { ...mismatch, was: `${mismatch.was}; so far: ${others || "none"}` };
}

/** `N times` is exactly N, without it at least once, `not` never (with a number: any other number). */
function judgeNumber({ times, not }: Times, what: string, number: number): Mismatch | undefined {
  const holds = times === undefined ? number > 0 : number === times;
  if (holds !== not) return undefined;
  const wanted = times === undefined ? (not ? "never" : "at least once") : `${not ? "not " : ""}${timesText(times)}`;
  return { expected: `${what} ${wanted}`, was: timesText(number) };
}

function timesText(number: number): string {
  return number === 0 ? "never" : number === 1 ? "once" : `${number} times`;
}

function openText(run: SimulatedRun, simulation: Simulation, { timers }: Instance): string {
  const waiting = run.waiting().map(({ person, candidates }) => person || candidates!.join("/"));
  const undelivered = simulation.undelivered(run);
  const open = [
    ...(waiting.length > 0 ? [waitingText(waiting)] : []),
    ...(timers.length > 0 ? [`${timers.length} timer${timers.length === 1 ? "" : "s"}`] : []),
    ...undelivered.map((name) => `\`${name}\` not delivered`),
  ];
  return open.length === 0 ? "nothing open" : open.join(", ");
}
