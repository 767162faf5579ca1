/** What moving an instance to another version of its flow does to it; nothing is done yet. */
import type { Approval, Data, Definition, FieldDefinition, Type, Value } from "../dsl/index.ts";
import { type Prepared, type PreparedRegion, type PreparedState, prepare } from "./prepare.ts";
import { refuse } from "./refusal.ts";
import type { Instance, Place, PlaceAddress, Refusal } from "./types.ts";
import { fieldValue, readValue, showValue } from "./values.ts";

/** What a state has open. */
export type Opening = "round" | "branches" | "saga" | "sub-flow" | "nothing";

export interface PlacePlan {
  /** Empty for the flow's own machine, else the branch. */
  readonly place: PlaceAddress;
  readonly from: string;
  readonly to: string;
  /**
   * What is open goes on: the round with its seats, decisions and deadlines, the branches, the saga, the sub-flow. Else it
   * ends, and the new state opens what it has, as if it were entered.
   */
  readonly keeps: boolean;
  readonly ends: Opening;
  readonly opens: Opening;
}

export interface MigrationPlan {
  /** The machines of the flow, the outer before the inner. */
  readonly places: readonly PlacePlan[];
  readonly data: Data;
  /** Fields that the new version lacks; their values are left behind. */
  readonly drops: readonly string[];
  /** New fields that get their default. */
  readonly fills: readonly string[];
}

export type MigrationForecast =
  | { readonly kind: "moves"; readonly plan: MigrationPlan }
  /** It stays on its version; `migrate` would be refused with this. */
  | { readonly kind: "stays"; readonly why: Refusal };

/**
 * What would happen to an instance if it were moved to another version of its flow. Pure: asks nobody and changes nothing.
 * @param definition of the version on which it runs.
 * @param to the other version.
 */
export function dryRunMigration(definition: Definition, instance: Instance, to: Definition): MigrationForecast {
  const plan = refuseMigration(instance, to.hash) ?? planMigration(prepare(definition), prepare(to), instance);
  return "code" in plan ? { kind: "stays", why: plan } : { kind: "moves", plan };
}

/** What keeps an instance from being moved at all. @param hash of the other version. */
export function refuseMigration(
  { outcome, suspended, definition, undoing }: Instance,
  hash: string,
): Refusal | undefined {
  if (outcome !== undefined) return refuse("finished", `The instance has finished with \`${outcome}\`.`, { outcome });
  if (suspended) return refuse("suspended", "The instance is suspended; an administrator has to resume it first.");
  if (definition === hash) return refuse("not-possible-in-state", "The instance runs on this version already.");
  if (!undoing?.some(({ move }) => move)) return undefined;
  return refuse("not-possible-in-state", "The instance is on its way back; what a saga did is being undone.");
}

export function planMigration(from: Prepared, to: Prepared, instance: Instance): MigrationPlan | Refusal {
  const places = planPlace(from, to, instance, "", linesInto(to, from.definition.label));
  if ("code" in places) return places;
  const target = places[0]!.to;
  const asksAll = target !== to.initial && !to.states.get(target)!.final;
  const data = planData(from, to, instance.data, asksAll);
  return "code" in data ? data : { places, ...data };
}

/** `migrate from label "2.0" { OLD → NEW }`, for the version of this label. */
export function linesInto({ definition }: Prepared, label: string | undefined): Lines {
  return definition.migrations.find((one) => one.label === label)?.states ?? {};
}

/** As in {@link Migration.states}: states of branches are `BRANCH.STATE`. */
export type Lines = Readonly<Record<string, string>>;

/** What a state of this place is called in the other version, if a line says so. */
export function renamedIn(address: PlaceAddress, lines: Lines): (state: string) => string {
  const branch = address === "" ? "" : `${address.slice(address.lastIndexOf("/") + 1)}.`;
  return (state) => {
    const known = `${branch}${state}`;
    return Object.hasOwn(lines, known) ? lines[known]!.slice(branch.length) : state;
  };
}

/** States that no line names keep their names, and so do branches and their states. */
function planPlace(
  from: PreparedRegion,
  to: PreparedRegion,
  { state, branches = {} }: Place,
  address: PlaceAddress,
  lines: Lines,
): readonly PlacePlan[] | Refusal {
  const name = renamedIn(address, lines)(state);
  const old = from.states.get(state)!;
  const next = to.states.get(name);
  if (!next) return refuseLost(address, state);
  const keeps = isSame(old, next);
  const plan: PlacePlan = {
    place: address,
    from: state,
    to: name,
    keeps,
    ends: openingOf(old),
    opens: openingOf(next),
  };
  if (!keeps || !old.parallel) return [plan];
  const inside: PlacePlan[] = [];
  for (const [branch, place] of Object.entries(branches)) {
    const [before, after] = [branchOf(old, branch)!, branchOf(next, branch)];
    const inner = address === "" ? branch : `${address}/${branch}`;
    const planned = after ? planPlace(before, after, place, inner, lines) : refuseLost(inner, place.state);
    if ("code" in planned) return planned;
    inside.push(...planned);
  }
  return [plan, ...inside];
}

function refuseLost(address: PlaceAddress, name: string): Refusal {
  const state = address === "" ? name : `${address.replaceAll("/", ".")}.${name}`;
  return refuse("no-such-target", `The other version has no state \`${state}\`, and no line of \`migrate\` names it.`, {
    state,
  });
}

function branchOf({ parallel }: PreparedState, name: string): PreparedRegion | undefined {
  return parallel?.branches.find((branch) => branch.name === name);
}

/** Can what is open in the one go on in the other? */
function isSame(old: PreparedState, next: PreparedState): boolean {
  if (old.final !== next.final || openingOf(old) !== openingOf(next)) return false;
  if (old.approval && next.approval) return isHandling(old.approval) === isHandling(next.approval);
  if (old.run?.kind === "saga" && next.run?.kind === "saga") return old.run.saga === next.run.saga;
  if (old.run?.kind === "flow" && next.run?.kind === "flow") return old.run.flow === next.run.flow;
  return true;
}

function openingOf({ approval, parallel, run }: PreparedState): Opening {
  if (approval) return "round";
  if (parallel) return "branches";
  return run ? (run.kind === "saga" ? "saga" : "sub-flow") : "nothing";
}

function isHandling({ chain }: Approval): boolean {
  return chain.some((part) => (part.kind === "matrix" ? part.handle : part.kind === "handle"));
}

type DataPlan = Pick<MigrationPlan, "data" | "drops" | "fills">;

/** @param asksAll required fields must be set. */
function planData(from: Prepared, to: Prepared, data: Data, asksAll: boolean): DataPlan | Refusal {
  const moved: Record<string, Value> = {};
  const fills: string[] = [];
  const faults: { field: string; code: "missing-field" | "wrong-type"; message: string }[] = [];
  for (const field of to.fields.values()) {
    const { name } = field;
    const before = from.fields.get(name);
    const value = before && fieldValue(data, name);
    const reading = value === undefined ? undefined : convert(from, to, before!.type, field, value);
    if (reading && "fault" in reading) {
      faults.push({ field: name, code: "wrong-type", message: `\`${name}\` ${reading.fault}.` });
    } else if (reading) moved[name] = reading.value;
    else if (field.default !== undefined && (!before || !field.optional)) {
      moved[name] = field.default;
      fills.push(name);
    } else if (!field.optional && asksAll) {
      faults.push({
        field: name,
        code: "missing-field",
        message: `\`${name}\` has no value, and the other version needs one.`,
      });
    }
  }
  const [first] = faults;
  if (first) {
    const message = faults.map((fault) => fault.message).join(" ");
    return refuse(first.code, message, { fields: faults.map(({ field }) => field) }, { fields: faults });
  }
  return { data: moved, drops: Object.keys(data).filter((name) => !to.fields.has(name)), fills };
}

/** A value of a field that has another type now is read as if it came from outside. */
function convert(
  from: Prepared,
  to: Prepared,
  type: Type,
  field: FieldDefinition,
  value: Value,
): { readonly value: Value } | { readonly fault: string } {
  const same = JSON.stringify(type) === JSON.stringify(field.type) && from.currency.code === to.currency.code;
  return same ? { value } : readValue(field.type, showValue(type, value, from.currency), to.currency);
}
