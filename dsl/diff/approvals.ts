import type { Approval, Definition, Region, Stage, StateDefinition, Term } from "../definition.ts";
import { type Describer, describer, termText } from "../describe.ts";
import { type Change, compareNamed, isSame, type Wording } from "./changes.ts";

/** One side of a comparison. */
export interface Side {
  readonly definition: Definition;
  readonly describe: Describer;
  /** What is made of it with names as they are, and with those of people and matrices spelled out. */
  both<Made>(of: (describe: Describer) => Made): readonly [named: Made, spelledOut: Made];
  /** A part of it, in words. */
  words(of: (describe: Describer) => string): Wording;
}

export function sideOf(definition: Definition): Side {
  const describe = describer(definition);
  const spelledOut = describer(definition, definition);
  return {
    definition,
    describe,
    both: (of) => [of(describe), of(spelledOut)],
    words: (of) => ({ text: of(describe), meaning: of(spelledOut) }),
  };
}

/** States that came, went or changed in what happens in them. */
export function compareApprovals(flow: string, before: Side, after: Side): Change[] {
  const state = { flow, about: "state" } as const;
  return compareNamed(statesOf(before.definition), statesOf(after.definition), {
    added: (name) => ({ ...state, kind: "added", message: `The state \`${name}\` is new.` }),
    removed: (name) => ({ ...state, kind: "removed", message: `The state \`${name}\` is gone.` }),
    both: (name, was, is) => [
      ...compareKinds(flow, name, was, is),
      ...compareApproval(flow, name, { side: before, approval: was.approval }, { side: after, approval: is.approval }),
    ],
  });
}

/** By the name that people see: `BRANCH.STATE` in a branch. */
export function statesOf(region: Region, prefix = ""): Map<string, StateDefinition> {
  const found = new Map<string, StateDefinition>();
  for (const state of region.states) {
    found.set(prefix + state.name, state);
    for (const branch of state.parallel?.branches ?? []) {
      for (const [name, inner] of statesOf(branch, `${prefix}${branch.name}.`)) found.set(name, inner);
    }
  }
  return found;
}

function compareKinds(flow: string, name: string, was: StateDefinition, is: StateDefinition): Change[] {
  const changes: Change[] = [];
  const add = (message: string, before: string, after: string): void => {
    if (before !== after) changes.push({ flow, about: "state", kind: "changed", message, before, after });
  };
  add(`\`${name}\` is ${is.final ? "final now" : "no longer final"}.`, String(was.final), String(is.final));
  add(`What runs in \`${name}\` changed.`, JSON.stringify(was.run ?? null), JSON.stringify(is.run ?? null));
  add(`How the branches of \`${name}\` join changed.`, joinText(was), joinText(is));
  add(
    `How long \`${name}\` can be revoked changed.`,
    was.revocableFor ? termText(was.revocableFor) : "never",
    is.revocableFor ? termText(is.revocableFor) : "never",
  );
  return changes;
}

function joinText({ parallel }: StateDefinition): string {
  if (!parallel) return "none";
  const join = parallel.join.kind === "count" ? String(parallel.join.count) : parallel.join.kind;
  return `join ${join}${parallel.rejectOne ? ", reject: one" : ""}`;
}

// ------------------------------------------------------------------------------------------------------------------ //
// One approval
// ------------------------------------------------------------------------------------------------------------------ //

interface Decided {
  readonly side: Side;
  readonly approval: Approval | undefined;
}

function compareApproval(flow: string, state: string, before: Decided, after: Decided): Change[] {
  const base = { flow, about: "approval" } as const;
  const was = before.approval;
  const is = after.approval;
  if (!was && !is) return [];
  if (!was) return [{ ...base, kind: "added", message: `\`${state}\` asks people now.`, effect: "tightened" }];
  if (!is) return [{ ...base, kind: "removed", message: `\`${state}\` asks nobody any more.`, effect: "loosened" }];
  return [
    ...compareChains(flow, state, before, after, was, is),
    ...compareDue(flow, state, was.due, is.due),
    ...compareAllowed(flow, state, was, is),
    ...compareOptions(flow, state, optionTexts(was, before.side), optionTexts(is, after.side)),
  ];
}

function compareChains(
  flow: string,
  state: string,
  before: Decided,
  after: Decided,
  was: Approval,
  is: Approval,
): Change[] {
  const old = before.side.words((describe) => describe.chain(was));
  const now = after.side.words((describe) => describe.chain(is));
  if (isSame(old, now)) return compareRejections(flow, state, before, after);
  const fewer = is.chain.length < was.chain.length;
  const more = is.chain.length > was.chain.length;
  const message = fewer
    ? `Fewer stages decide in \`${state}\`.`
    : more
      ? `More stages decide in \`${state}\`.`
      : `Other people decide in \`${state}\`, or in another way.`;
  const effect = fewer ? ({ effect: "loosened" } as const) : more ? ({ effect: "tightened" } as const) : {};
  return [{ flow, about: "approval", kind: "changed", message, before: old.text, after: now.text, ...effect }];
}

/** Where the same people decide in the same way: whether one of them can end it by a no. The default goes with the way. */
function compareRejections(flow: string, state: string, before: Decided, after: Decided): Change[] {
  const [old, now] = [rejectText(before), rejectText(after)];
  if (old === now) return [];
  const message = `\`reject\` of \`${state}\` changed.`;
  return [{ flow, about: "approval", kind: "changed", message, before: old, after: now }];
}

function rejectText({ side, approval }: Decided): string {
  const { matrices } = side.definition;
  const stages = (approval?.chain ?? []).flatMap((stage): readonly Stage[] =>
    stage.kind === "matrix" ? (matrices[stage.matrix]?.rows ?? []).flatMap((row) => row.stages) : [stage],
  );
  const rejects = stages.flatMap((stage) => (stage.kind === "auto" ? [] : stage.groups.map(({ reject }) => reject)));
  return [...new Set(rejects)].sort().join(", ");
}

function compareDue(flow: string, state: string, was: Approval["due"], is: Approval["due"]): Change[] {
  const text = (due: Approval["due"]): string =>
    due ? `${termText(due.term)}${due.perStage ? " per stage" : ""}` : "none";
  const [before, after] = [text(was), text(is)];
  if (before === after) return [];
  const shorter = was && is && isShorter(is.term, was.term);
  const longer = was && is && isShorter(was.term, is.term);
  const message = `The deadline of \`${state}\` ${shorter ? "is shorter" : longer ? "is longer" : "changed"}.`;
  return [{ flow, about: "approval", kind: "changed", message, before, after }];
}

/** Only terms of one kind can be compared. */
export function isShorter(one: Term, other: Term): boolean {
  if (one.kind === "workdays") return other.kind === "workdays" && one.days < other.days;
  return other.kind === one.kind && one.ms < other.ms;
}

function compareAllowed(flow: string, state: string, was: Approval, is: Approval): Change[] {
  const before = new Set<string>(was.allow);
  const after = new Set<string>(is.allow);
  const change = (kind: "added" | "removed", names: ReadonlySet<string>): Change[] =>
    [...names].map((name) => ({
      flow,
      about: "approval",
      kind,
      message: `\`${name}\` is ${kind === "added" ? "allowed" : "no longer allowed"} in \`${state}\`.`,
      effect: kind === "added" ? "loosened" : "tightened",
    }));
  return [...change("removed", before.difference(after)), ...change("added", after.difference(before))];
}

/** Options in words by name, those that have a comparison of their own left out. */
function optionTexts(approval: Approval, { words }: Side): Map<string, Wording> {
  const { remind, onEmpty } = approval;
  const texts: readonly (readonly [string, (describe: Describer) => string])[] = [
    [
      "remind",
      () => (remind ? `every ${termText(remind.every)}${remind.atMost ? ` at most ${remind.atMost}` : ""}` : "never"),
    ],
    ["overdue", (describe) => overdueText(approval, describe)],
    ["onEmpty", (describe) => (onEmpty.kind === "assign" ? `assign ${describe.people(onEmpty.to)}` : onEmpty.kind)],
    ["onSelf", () => approval.onSelf],
    ["repeated", () => approval.repeated],
    ["onReturn", () => approval.onReturn],
    ["maxReturns", () => String(approval.maxReturns ?? "no limit")],
    ["edit", () => namesText(approval.edit) + (approval.editReopens ? " reopens" : "")],
    ["hide", () => namesText(approval.hide)],
    ["abstain", () => approval.abstain],
    ["collect", () => (approval.collectAll ? "all" : "as soon as it is certain")],
    ["reason", () => namesText(approval.reasonRequiredOn)],
    ["sign", () => (approval.signatureRequired ? "required" : "not required")],
  ];
  return new Map(texts.map(([name, of]) => [name, words(of)]));
}

function overdueText({ overdue, overdueRepeat }: Approval, describe: Describer): string {
  const steps = overdue.map((step) => {
    const to = "to" in step ? ` to ${describe.people(step.to)}` : "";
    return `${step.kind}${to} after ${termText(step.after)}`;
  });
  return `[${steps.join(", ")}]${overdueRepeat > 0 ? ` repeat ${overdueRepeat}` : ""}`;
}

/** Their order says nothing. */
const namesText = (names: readonly string[]): string => (names.length === 0 ? "nothing" : names.toSorted().join(", "));

function compareOptions(
  flow: string,
  state: string,
  before: ReadonlyMap<string, Wording>,
  after: ReadonlyMap<string, Wording>,
): Change[] {
  return [...before].flatMap(([name, was]): Change[] => {
    const is = after.get(name)!;
    if (isSame(was, is)) return [];
    const message = `\`${name}\` of \`${state}\` changed.`;
    return [{ flow, about: "approval", kind: "changed", message, before: was.text, after: is.text }];
  });
}
