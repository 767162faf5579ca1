import assert from "node:assert/strict";
import type { Outcome } from "../dsl/index.ts";
import { archiveRound } from "./closed-tasks.ts";
import type { Draft } from "./draft.ts";
import { type Prepared, type PreparedRegion, type PreparedState, prepare } from "./prepare.ts";
import type { FlowPlace, Instance, Json, Memory, Place, Round } from "./types.ts";
import { fieldValue, showValue } from "./values.ts";

type Mutable<Whole> = { -readonly [Part in keyof Whole]: Whole[Part] };
/** Parts that may be taken away. */
type Cleared<Whole, Parts extends keyof Whole> = Omit<Mutable<Whole>, Parts> & {
  -readonly [Part in Parts]?: Whole[Part] | undefined;
};

/** The parts that are always there. */
type Always<Whole> = { [Part in keyof Whole as undefined extends Whole[Part] ? never : Part]: Whole[Part] };

/** A place under work: the same parts, replaced one by one and never changed within. */
export type WorkingPlace = Cleared<Place, "round" | "remembered" | "passed" | "branches" | "saga" | "sagas" | "child">;
export type WorkingFlow = WorkingPlace & Cleared<Omit<FlowPlace, keyof Place>, "outcome" | "memory" | "label">;
export type WorkingInstance = WorkingFlow &
  Cleared<Omit<Instance, keyof FlowPlace>, "suspended" | "undoing" | "returns" | "urgedAt" | "tag">;

/** A flow under work: the instance's own, or a sub-flow in it. Its data is seen by all its places. */
export class FlowDraft {
  readonly draft: Draft;
  readonly prepared: Prepared;
  readonly now: WorkingFlow;
  /** Of a sub-flow: the place whose state runs it. */
  readonly parent: PlaceDraft | undefined;
  readonly place: PlaceDraft;
  private shown: { of: unknown; data: { readonly [field: string]: Json } } | undefined;

  constructor(draft: Draft, prepared: Prepared, now: WorkingFlow, address: string, parent?: PlaceDraft) {
    this.draft = draft;
    this.prepared = prepared;
    this.now = now;
    this.parent = parent;
    this.shown = undefined;
    this.place = new PlaceDraft(this, prepared, now, address, undefined);
  }

  /** The data as it is shown outside, without secrets. */
  publicData(): { readonly [field: string]: Json } {
    const { data } = this.now;
    if (this.shown?.of !== data) this.shown = { of: data, data: this.withoutSecrets() };
    return this.shown.data;
  }

  get memory(): Memory {
    return this.now.memory ?? NOTHING;
  }

  remember(parts: { readonly [Part in keyof Memory]?: Memory[Part] | undefined }): void {
    const { resume, ...memory } = { ...this.memory, ...parts } as Memory;
    this.now.memory = resume ? { ...memory, resume } : memory;
  }

  private withoutSecrets(): { [field: string]: Json } {
    const { definition, currency } = this.prepared;
    const shown: { [field: string]: Json } = {};
    for (const field of definition.fields) {
      const value = fieldValue(this.now.data, field.name);
      if (value !== undefined && !field.secret) shown[field.name] = showValue(field.type, value, currency);
    }
    return shown;
  }
}

const NOTHING: Memory = { rounds: 0, approvals: [], deciders: {}, passed: {} };

const NONE: ReadonlyMap<string, PlaceDraft> = new Map();

/** A machine under work: a flow's own, or that of a branch; with everything below it. */
export class PlaceDraft {
  readonly draft: Draft;
  readonly flow: FlowDraft;
  readonly region: PreparedRegion;
  readonly now: WorkingPlace;
  /** {@link PlaceAddress}. */
  readonly address: string;
  /** Of a branch: the place whose state is parallel. */
  readonly fork: PlaceDraft | undefined;
  /** Entered branches by name. */
  branches: ReadonlyMap<string, PlaceDraft> = NONE;
  child: FlowDraft | undefined;
  /** The present state has come to this; the machine is still to be told. */
  pending: Outcome | undefined;
  /** Of a sub-flow that was started: the event that is still to be sent to it. */
  starting: string | undefined;
  /** Left together with the state it belonged to. */
  gone = false;
  private known: PreparedState | undefined;

  constructor(
    flow: FlowDraft,
    region: PreparedRegion,
    now: WorkingPlace,
    address: string,
    fork: PlaceDraft | undefined,
  ) {
    this.draft = flow.draft;
    this.flow = flow;
    this.region = region;
    this.now = now;
    this.address = address;
    this.fork = fork;
    this.child = undefined;
    this.pending = undefined;
    this.starting = undefined;
    this.known = undefined;
    if (now.branches) for (const [name, branch] of Object.entries(now.branches)) this.openBranch(name, branch);
    if (now.child) this.openChild(now.child);
  }

  get state(): PreparedState {
    const { state } = this.now;
    if (this.known?.name !== state) this.known = this.region.states.get(state)!;
    return this.known;
  }

  /** Has it neither branches nor a sub-flow? */
  get isAlone(): boolean {
    return this.branches.size === 0 && !this.child;
  }

  get round(): Round | undefined {
    return this.now.round;
  }

  openBranch(name: string, branch: Place): PlaceDraft {
    const region = this.state.parallel?.branches.find((one) => one.name === name);
    assert(region, `no branch ${name}`);
    const place = new PlaceDraft(this.flow, region, { ...branch }, below(this.address, name), this);
    this.branches = new Map([...this.branches, [name, place]]);
    return place;
  }

  /** @param child whose definition is known. */
  openChild(child: FlowPlace): FlowDraft {
    const definition = this.draft.definitions(child.definition);
    assert(definition, `no definition ${child.definition}`);
    const number = child.id.slice(child.id.lastIndexOf("/") + 1);
    this.child = new FlowDraft(this.draft, prepare(definition), { ...child }, below(this.address, number), this);
    return this.child;
  }

  /** The place one machine further out: of the fork, or of the state that runs this flow. */
  get outer(): PlaceDraft | undefined {
    return this.fork ?? this.flow.parent;
  }

  /** For history lines: where, unless it is the instance's own machine. */
  get where(): { readonly in?: string } {
    return this.address === "" ? HERE : { in: this.address };
  }

  /** Forgets what belonged to the state that is left. */
  clear(): void {
    const { now } = this;
    archiveRound(this);
    if (now.round) now.round = undefined;
    if (now.saga) now.saga = undefined;
    this.dropInside();
  }

  /** Forgets its branches and its sub-flow. */
  dropInside(): void {
    const { now } = this;
    for (const branch of this.branches.values()) for (const place of placesBelow(branch)) archiveRound(place);
    if (this.child) for (const place of placesBelow(this.child.place)) archiveRound(place);
    if (now.branches) now.branches = undefined;
    if (now.child) now.child = undefined;
    this.branches = NONE;
    this.child = undefined;
  }

  /** Plain JSON again. */
  finish(): Place {
    const { now } = this;
    if (this.branches.size > 0) {
      now.branches = Object.fromEntries([...this.branches].map(([name, branch]) => [name, branch.finish()]));
    }
    if (this.child) now.child = this.child.place.finish() as FlowPlace;
    return withoutCleared(now) as Place;
  }
}

const HERE = {};

function below(address: string, name: string): string {
  return address === "" ? name : `${address}/${name}`;
}

/** Parts that were taken away leave no key behind. */
function withoutCleared(now: WorkingPlace): object {
  return hasCleared(now) ? copied(now) : now;
}

function hasCleared(now: object): boolean {
  for (const part in now) if (now[part as never] === undefined) return true;
  return false;
}

function copied(now: object): object {
  if (isInstance(now)) return copiedInstance(now);
  return Object.fromEntries(Object.entries(now).filter(([, part]) => part !== undefined));
}

function isInstance(now: object): now is WorkingInstance {
  return "tenant" in now;
}

/** By name, because a round ends with nearly every approval, and taking one key out of so many costs ten times as much. */
function copiedInstance(now: WorkingInstance): Instance {
  const next: Mutable<Always<Instance>> & { -readonly [Part in keyof Instance]?: Instance[Part] } = {
    tenant: now.tenant,
    id: now.id,
    flow: now.flow,
    key: now.key,
    definition: now.definition,
    initiator: now.initiator,
    state: now.state,
    enteredAt: now.enteredAt,
    path: now.path,
    irrevocable: now.irrevocable,
    data: now.data,
    version: now.version,
    startedAt: now.startedAt,
    updatedAt: now.updatedAt,
    rounds: now.rounds,
    closedTasks: now.closedTasks,
    timers: now.timers,
    counters: now.counters,
    touched: now.touched,
    documents: now.documents,
    copied: now.copied,
    recent: now.recent,
  };
  if (now.label !== undefined) next.label = now.label;
  if (now.tag !== undefined) next.tag = now.tag;
  if (now.outcome !== undefined) next.outcome = now.outcome;
  if (now.memory !== undefined) next.memory = now.memory;
  if (now.round !== undefined) next.round = now.round;
  if (now.remembered !== undefined) next.remembered = now.remembered;
  if (now.passed !== undefined) next.passed = now.passed;
  if (now.branches !== undefined) next.branches = now.branches;
  if (now.saga !== undefined) next.saga = now.saga;
  if (now.sagas !== undefined) next.sagas = now.sagas;
  if (now.child !== undefined) next.child = now.child;
  if (now.returns !== undefined) next.returns = now.returns;
  if (now.undoing !== undefined) next.undoing = now.undoing;
  if (now.suspended !== undefined) next.suspended = now.suspended;
  if (now.urgedAt !== undefined) next.urgedAt = now.urgedAt;
  return next;
}

/** The place itself and all below it. */
export function* placesBelow(place: PlaceDraft): Generator<PlaceDraft> {
  yield place;
  for (const branch of place.branches.values()) yield* placesBelow(branch);
  if (place.child) yield* placesBelow(place.child.place);
}
