/** The stages of an approval or a handling, and those in the rows of a matrix. */
import type { GroupAst, ModeAst, PeopleAst, StageAst } from "../ast.ts";
import type { Group, Mode, People, PeopleStage, Stage, Threshold } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { useFunction, wrongPlace } from "./calls.ts";
import { condition } from "./checked.ts";
import { percentShare } from "./literals.ts";
import { checkPeople } from "./people.ts";
import type { FlowScope, Scope } from "./scope.ts";
import { BOOL } from "./types.ts";

type PeopleStageAst = Extract<StageAst, { kind: "people" }>;
type AutoStageAst = Extract<StageAst, { kind: "auto" }>;

/** What an approval asks of all its stages. */
export interface StageOptions {
  readonly handle: boolean;
  /** Absent: the mode's default. */
  readonly reject: Group["reject"] | undefined;
}

/** A stage that is no matrix. */
export function checkStage(ast: StageAst, options: StageOptions, scope: Scope): Stage | undefined {
  return ast.kind === "auto" ? checkAuto(ast, options, scope) : checkPeopleStage(ast, options, scope);
}

/** The stage of a row, as an approval with these options has it. */
export function withOptions(stage: Stage, { handle, reject }: StageOptions): Stage {
  if (stage.kind === "auto") return stage;
  const groups = reject ? stage.groups.map((group) => ({ ...group, reject })) : stage.groups;
  return { ...stage, kind: handle ? "handle" : "vote", groups };
}

function checkAuto(ast: AutoStageAst, { handle }: StageOptions, scope: Scope): Stage | undefined {
  const test = condition(ast.condition, scope);
  const { report } = scope.flow;
  if (handle) return report.add("FLOW228", ast.span, "What is handled is done by people, not by a rule.");
  if (ast.then === ast.else) return report.add("FLOW221", ast.span, `This would always ${ast.then}.`);
  if (test === undefined || ast.then === "approve") return test && { kind: "auto", condition: test };
  return { kind: "auto", condition: { kind: "not", of: test, type: BOOL } };
}

function checkPeopleStage(ast: PeopleStageAst, options: StageOptions, scope: Scope): PeopleStage | undefined {
  const groups = ast.groups.map((group) => checkGroup(group, ast.span, options, scope));
  const veto = ast.veto && checkVeto(ast.veto, groups, options, scope);
  if (!groups.every((group) => group !== undefined) || (ast.veto && !veto)) return undefined;
  return { kind: options.handle ? "handle" : "vote", groups, ...(veto ? { veto } : {}) };
}

function checkGroup(ast: GroupAst, stage: Span, { reject }: StageOptions, scope: Scope): Group | undefined {
  const people = checkPeople(ast.people, { scope });
  const mode = checkMode(ast.mode, scope);
  if (!people || !mode) return undefined;
  const seats = ast.pick ? 1 : staticPeople(people, scope.flow)?.size;
  if (mode.kind === "quorum" && !mode.weight && seats !== undefined && !canBeMet(mode.threshold, seats)) {
    const message = `${seats} ${seats === 1 ? "person" : "people"} can't give so many approvals.`;
    return scope.flow.report.add("FLOW218", stage, message);
  }
  return { people, mode, reject: reject ?? (mode.kind === "quorum" ? "rest" : "one"), pick: ast.pick };
}

/** Who has a veto must sit there anyway. */
function checkVeto(
  ast: PeopleAst,
  groups: readonly (Group | undefined)[],
  { handle }: StageOptions,
  scope: Scope,
): People | undefined {
  const { flow } = scope;
  const veto = checkPeople(ast, { scope });
  if (handle) return flow.report.add("FLOW228", ast.span, "What is handled is never rejected, so nobody has a veto.");
  const vetoers = veto && staticPeople(veto, flow);
  const seats = groups.map((group) => group && !group.pick && staticPeople(group.people, flow));
  if (!vetoers || !seats.every((people) => people instanceof Set)) return veto;
  const outside = [...vetoers].filter((person) => !seats.some((people) => people.has(person)));
  if (outside.length > 0) {
    const names = outside.map((person) => `\`${person}\``).join(", ");
    const message = `No seat in this stage is held by ${names}, so the veto is ignored.`;
    flow.report.add("FLOW229", ast.span, message);
  }
  return veto;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Modes
// ------------------------------------------------------------------------------------------------------------------ //

function checkMode(ast: ModeAst | undefined, scope: Scope): Mode | undefined {
  if (ast === undefined) return { kind: "any" };
  const weight = ast.weight && checkWeight(ast.weight, scope.flow);
  switch (ast.kind) {
    case "count":
      if (Number.isSafeInteger(ast.count) && ast.count >= 1) return quorum({ kind: "count", count: ast.count }, weight);
      return outOfRange(ast.span, "A quorum is a whole number from 1.", scope);
    case "ratio":
      if (Number.isSafeInteger(ast.of) && ast.part >= 1 && (ast.strict ? ast.part < ast.of : ast.part <= ast.of)) {
        return quorum({ kind: "share", part: ast.part, of: ast.of, strict: ast.strict }, weight);
      }
      return outOfRange(ast.span, "A share is a part of the whole, such as `2/3`.", scope);
    case "percent": {
      const { part, of } = percentShare(ast.percent);
      const meant = ast.strict ? part < of : part >= 1 && part <= of;
      if (meant && Number.isSafeInteger(of)) return quorum({ kind: "share", part, of, strict: ast.strict }, weight);
      return outOfRange(
        ast.span,
        ast.strict ? "`>` takes less than 100%." : "A percentage is more than 0 and at most 100.",
        scope,
      );
    }
    default:
      return { kind: ast.kind };
  }
}

function quorum(threshold: Threshold, weight: string | undefined): Mode {
  return { kind: "quorum", threshold, ...(weight === undefined ? {} : { weight }) };
}

/** A value function that is asked for the person of each seat. */
function checkWeight(name: NonNullable<ModeAst["weight"]>, flow: FlowScope): string | undefined {
  const declared = flow.file.functions.get(name.text)?.kind;
  if (declared !== undefined && declared !== "value") return wrongPlace(name, declared, "as a weight", flow);
  useFunction(flow, name, "value");
  return name.text;
}

/** Reports a number that makes no sense. */
export function outOfRange(span: Span, message: string, { flow }: Scope): undefined {
  return flow.report.add("FLOW219", span, message);
}

/** The people themselves, where the text says; the initiator stands for one. */
function staticPeople(people: People, flow: FlowScope): ReadonlySet<string> | undefined {
  if (people.kind === "users") return new Set(people.ids);
  if (people.kind === "initiator") return new Set(["initiator"]);
  if (people.kind !== "named") return undefined;
  const named = flow.people.get(people.name);
  if (named?.kind === "name" && named.name.text === "initiator") return new Set(["initiator"]);
  if (named?.kind !== "call" || named.name.text !== "users") return undefined;
  const ids = named.arguments.map((argument) =>
    argument.kind === "expression" && argument.value.kind === "text" ? argument.value.value : undefined,
  );
  return ids.every((id) => id !== undefined) ? new Set(ids) : undefined;
}

function canBeMet(threshold: Threshold, seats: number): boolean {
  return threshold.kind !== "count" || threshold.count <= seats;
}
