/** What can be done to an instance in a test: the small alphabet in which tests are looked for. */
import {
  type Approval,
  type Definition,
  durationText,
  type PayloadField,
  plainValueOf,
  type Region,
  type Stage,
  type StateDefinition,
  type Transition,
} from "../../dsl/index.ts";
import { plainlyCompared, readsOf } from "../conditions/reads.ts";
import { atomsOf } from "../conditions/watched-conditions.ts";
import { Draft } from "../draft.ts";
import { findPeople } from "../people.ts";
import { prepare } from "../prepare.ts";
import type { Awaited, SimulatedRun } from "../simulated-run.ts";
import type { CommandBody, Simulation } from "../simulation.ts";
import type { FlowPlace, Instance, Place, Refusal, Timer } from "../types.ts";
import { showValue } from "../values.ts";
import { valueText } from "./value-text.ts";

/** One step of a test. */
export interface Move {
  /** As a test writes it. */
  readonly text: string;
  /** What leads on costs little, so that the way to the end is tried before what leads aside or back. */
  readonly cost: number;
  /** Data decides where it leads, so that it is worth trying with every data. */
  readonly depends: boolean;
  apply(simulation: Simulation, run: SimulatedRun): Refusal | undefined;
}

const COST = { on: 0.1, aside: 1, back: 2 } as const;
/** Payloads tried for one event. */
const PAYLOADS_MAX = 4;
/** Timers that are waited for. */
const WAITS_MAX = 4;
const MINUTE_MS = 60_000;

/** Where a machine of the instance stands. */
interface Standing {
  readonly definition: Definition;
  readonly region: Region;
  readonly state: StateDefinition;
  readonly place: Place;
  readonly address: string;
}

/** Everything that may be tried now. Whether it is accepted, the engine says. */
export function movesFor(simulation: Simulation, run: SimulatedRun): readonly Move[] {
  const { instance } = run;
  if (!instance) return [];
  const standings = standingsOf(run.definition, instance, "", simulation);
  return [
    ...taskMoves(run, standings),
    ...eventMoves(simulation, run, standings),
    ...withdrawals(instance, standings),
    ...waits(simulation, instance, standings),
  ];
}

function standingsOf(definition: Definition, flow: FlowPlace, address: string, simulation: Simulation): Standing[] {
  return placesOf(definition, definition, flow, address, simulation);
}

function placesOf(
  definition: Definition,
  region: Region,
  place: Place,
  address: string,
  simulation: Simulation,
): Standing[] {
  const state = region.states.find(({ name }) => name === place.state);
  if (!state) return [];
  const inside = Object.entries(place.branches ?? {}).flatMap(([name, branch]) => {
    const own = state.parallel?.branches.find((one) => one.name === name);
    return own ? placesOf(definition, own, branch, below(address, name), simulation) : [];
  });
  const { child } = place;
  const childDefinition = child && simulation.version(child.definition);
  const number = child?.id.slice(child.id.lastIndexOf("/") + 1) ?? "";
  const under = child && childDefinition ? standingsOf(childDefinition, child, below(address, number), simulation) : [];
  return [{ definition, region, state, place, address }, ...inside, ...under];
}

function below(address: string, name: string): string {
  return address === "" ? name : `${address}/${name}`;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Tasks
// ------------------------------------------------------------------------------------------------------------------ //

/** In every place the first who is asked decides: the others of the round would lead to the same states. */
function taskMoves(run: SimulatedRun, standings: readonly Standing[]): readonly Move[] {
  const waiting = run.waiting();
  return standings.flatMap((standing) => {
    const first = waiting.find(({ place }) => place === standing.address);
    return first ? decisions(first, run, standing) : [];
  });
}

function decisions(task: Awaited, run: SimulatedRun, { definition, state, place, address }: Standing): readonly Move[] {
  const { approval } = state;
  if (!approval) return [];
  const user = task.person === "" ? task.candidates![0]! : task.person;
  const where = run.openTasks(user).length > 1 ? branchIn(address) : undefined;
  if (task.person === "") return [decision(user, "claim", "claims", where, approval, COST.on)];
  const isHandling = stagesOf(approval, place, definition)[place.round?.stage ?? 0]?.kind === "handle";
  const own = isHandling
    ? [decision(user, "handle", "handles", where, approval, COST.on)]
    : [
        decision(user, "approve", "approves", where, approval, COST.on),
        decision(user, "reject", "rejects", where, approval, COST.aside),
      ];
  return approval.allow.includes("returnTo") ? [...own, returning(user, where, approval)] : own;
}

function stagesOf({ chain }: Approval, { round }: Place, { matrices }: Definition): readonly Stage[] {
  let uses = 0;
  return chain.flatMap((part): readonly Stage[] => {
    if (part.kind !== "matrix") return [part];
    return matrices[part.matrix]?.rows[round?.rows?.[uses++] ?? 0]?.stages ?? [];
  });
}

/** The innermost branch of an address. */
function branchIn(address: string): string | undefined {
  return address.split("/").findLast((part) => part !== "" && !/^\d+$/.test(part));
}

function decision(
  user: string,
  what: "approve" | "reject" | "handle" | "claim",
  words: string,
  where: string | undefined,
  { reasonRequiredOn, signatureRequired }: Approval,
  cost: number,
): Move {
  const isClaim = what === "claim";
  const reason = !isClaim && reasonRequiredOn.includes(what) ? { reason: "x" } : undefined;
  const signature = !isClaim && signatureRequired ? { signature: user } : undefined;
  const branch = where === undefined ? undefined : { in: where };
  const body: CommandBody = isClaim
    ? { kind: "claim", ...branch }
    : { kind: "decide", decision: what, ...branch, ...reason, ...signature };
  const text = `${quoted(user)} ${words}${signature ? " signing" : ""}${inText(where)}${reason ? ' because "x"' : ""}`;
  return command(text, cost, body, user);
}

function returning(user: string, where: string | undefined, { reasonRequiredOn, signatureRequired }: Approval): Move {
  const reason = reasonRequiredOn.includes("returnTo") ? { reason: "x" } : undefined;
  const branch = where === undefined ? undefined : { in: where };
  const signature = signatureRequired ? { signature: user } : undefined;
  const text = `${quoted(user)} returns to initiator${signature ? " signing" : ""}${inText(where)}${reason ? ' because "x"' : ""}`;
  return command(
    text,
    COST.back,
    { kind: "return", to: { kind: "initiator" }, ...branch, ...reason, ...signature },
    user,
  );
}

function inText(where: string | undefined): string {
  return where === undefined ? "" : ` in ${where}`;
}

function command(text: string, cost: number, body: CommandBody, actor: string, depends = false): Move {
  return { text, cost, depends, apply: (simulation, run) => simulation.command(run, body, actor) };
}

function withdrawals({ initiator: { id } }: Instance, standings: readonly Standing[]): readonly Move[] {
  const may = standings.some(
    ({ state: { approval, revocableFor } }) =>
      revocableFor !== undefined || approval?.allow.some((one) => one === "withdraw" || one === "withdraw untouched"),
  );
  const because = standings.some(({ state }) => state.approval?.reasonRequiredOn.includes("withdraw"));
  const text = `${quoted(id)} withdraws${because ? ' because "x"' : ""}`;
  return may ? [command(text, COST.back, { kind: "withdraw", ...(because && { reason: "x" }) }, id)] : [];
}

// ------------------------------------------------------------------------------------------------------------------ //
// Events
// ------------------------------------------------------------------------------------------------------------------ //

function eventMoves(simulation: Simulation, run: SimulatedRun, standings: readonly Standing[]): readonly Move[] {
  const seen = new Set<string>();
  return standings.flatMap(({ definition, region, state }) => {
    const lines = region.transitions.filter(
      ({ from, trigger }) => trigger.kind === "event" && from.includes(state.name),
    );
    return lines.flatMap((line) => {
      const { trigger } = line;
      if (trigger.kind !== "event" || seen.has(trigger.event)) return [];
      seen.add(trigger.event);
      const same = lines.filter((one) => one.trigger.kind === "event" && one.trigger.event === trigger.event);
      return sendings(trigger.event, same, definition, simulation, run);
    });
  });
}

function sendings(
  event: string,
  lines: readonly Transition[],
  definition: Definition,
  simulation: Simulation,
  run: SimulatedRun,
): readonly Move[] {
  const initiator = run.instance!.initiator.id;
  const senders = [...new Set(lines.map(({ by }) => (by ? senderOf(by, simulation, run) : initiator) ?? initiator))];
  const depends = lines.some(({ condition }) => condition);
  const isEnd = lines.every(({ to }) => definition.states.find(({ name }) => name === to)?.final);
  return payloads(event, lines, definition).flatMap((fields) =>
    senders.map((sender) => {
      const written = fields.map(
        ({ field: { name, type }, value }) => `${name}: ${valueText(type, value, definition)}`,
      );
      const sent = written.length === 0 ? "" : ` { ${written.join(", ")} }`;
      const by = sender === initiator ? "" : ` by ${quoted(sender)}`;
      const currency = prepare(definition).currency;
      const payload = Object.fromEntries(
        fields.map(({ field: { name, type }, value }) => [name, showValue(type, value, currency)]),
      );
      const cost = isEnd ? COST.aside : COST.on;
      return command(`send ${quoted(event)}${sent}${by}`, cost, { kind: "event", event, payload }, sender, depends);
    }),
  );
}

interface Sent {
  readonly field: PayloadField;
  readonly value: ReturnType<typeof plainValueOf>;
}

/** What the event must carry, and values of it at which a condition turns. Data was given at the start. */
function payloads(event: string, lines: readonly Transition[], { events }: Definition): readonly (readonly Sent[])[] {
  const fields = events.find(({ name }) => name === event)?.payload.filter(({ data }) => !data) ?? [];
  const needed = fields
    .filter(({ optional }) => !optional)
    .map((field) => ({ field, value: plainValueOf(field.type) }));
  const atoms = lines.flatMap(({ condition }) => (condition ? atomsOf(condition) : []));
  const variants = fields.flatMap((field) => {
    const path = `event.${field.name}`;
    const values = atoms
      .filter((atom) => readsOf(atom).includes(path))
      .flatMap((atom) => plainlyCompared(atom, path) ?? []);
    const others = needed.filter((one) => one.field !== field);
    return [...new Set(values)].map((value) => [...others, { field, value }]);
  });
  return [needed, ...variants].slice(0, PAYLOADS_MAX);
}

/** Somebody of those who may send it. */
function senderOf(by: NonNullable<Transition["by"]>, simulation: Simulation, run: SimulatedRun): string | undefined {
  const look = { kind: "report", effect: "", report: { kind: "failed", what: "", reason: "" } } as const;
  const draft = new Draft({
    prepared: prepare(run.definition),
    instance: run.instance!,
    command: { ...look, id: "", source: "test", digest: "" },
    at: simulation.now,
    answers: simulation.answersFor(run),
    definitions: simulation.version,
  });
  const people = findPeople(draft.place, by);
  simulation.checkAnswers();
  const initiator = run.instance!.initiator.id;
  return people?.includes(initiator) ? initiator : people?.[0];
}

// ------------------------------------------------------------------------------------------------------------------ //
// Time
// ------------------------------------------------------------------------------------------------------------------ //

/** To the next instants at which something but a reminder happens, and to what conditions compare `elapsed` with. */
function waits(simulation: Simulation, instance: Instance, standings: readonly Standing[]): readonly Move[] {
  const { now } = simulation;
  const due = instance.timers.filter(matters).map(({ dueAt }) => dueAt - now);
  const elapsed = standings.flatMap(({ region, state, place }) => {
    const lines = region.transitions.filter(({ from }) => from.includes(state.name));
    const atoms = lines.flatMap(({ condition }) => (condition ? atomsOf(condition) : []));
    const durations = atoms.flatMap((atom) => plainlyCompared(atom, "elapsed") ?? []).map(Number);
    // What lies a millisecond beside a duration is nothing to wait for; a minute is.
    const whole = durations.filter((ms) => ms % MINUTE_MS === 0).flatMap((ms) => [ms, ms + MINUTE_MS]);
    return whole.map((ms) => place.enteredAt + ms - now);
  });
  const all = [...new Set([...due, ...elapsed])].filter((ms) => ms > 0).sort((one, other) => one - other);
  return all.slice(0, WAITS_MAX).map((ms) => ({
    text: `advance ${durationText(ms)}`,
    cost: COST.aside,
    depends: false,
    apply(of) {
      of.advanceTo(of.now + ms);
      return undefined;
    },
  }));
}

function matters({ purpose }: Timer): boolean {
  return purpose.kind !== "remind" && purpose.kind !== "due";
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
