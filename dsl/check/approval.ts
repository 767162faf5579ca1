import type { ApprovalAst, DurationAst, ModeAst, Name, OptionAst, PeopleAst, StageAst } from "../ast.ts";
import type {
  Approval,
  Mode,
  OnEmpty,
  Operation,
  OverdueStep,
  People,
  Reasoned,
  Stage,
  Threshold,
} from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { reportDuration } from "./literal-expressions.ts";
import { durationMs, percentShare } from "./literals.ts";
import { checkPeople } from "./people.ts";
import type { Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

type Option<Kind extends OptionAst["kind"]> = Extract<OptionAst, { kind: Kind }>;

const OPERATIONS: readonly string[] = ["transfer", "returnTo", "withdraw", "abstain"];
/** Operations of the language that the engine does not know yet. */
const LATER_OPERATIONS: readonly string[] = [
  "delegate",
  "addBefore",
  "addAfter",
  "addBeside",
  "remove",
  "takeBack",
  "claim",
];
const REASONED: readonly Reasoned[] = ["approve", "reject", "returnTo", "abstain", "transfer", "withdraw"];

/** The approval of a state, its defaults filled in. */
export function checkApproval(ast: ApprovalAst, scope: Scope): Approval | undefined {
  const options = optionsOf(ast.options, scope);
  const reject = options("reject")?.rule;
  const stages = ast.stages.map((stage) => checkStage(stage, reject, scope));
  const due = checkDue(options("due"), scope);
  const remind = checkRemind(options("remind"), scope);
  const overdueAst = options("overdue");
  const overdue = checkOverdue(overdueAst, scope);
  if (overdueAst && !ast.options.some(({ kind }) => kind === "due")) {
    scope.flow.report.add("FLOW216", overdueAst.span, "`overdue` counts from the deadline, and there is no `due`.");
  }
  const onEmpty = checkOnEmpty(options("onEmpty"), scope);
  const allow = checkAllow(options("allow"), scope);
  const reasonRequiredOn = checkReason(options("reason"), scope);
  if (!stages.every((stage) => stage !== undefined) || !onEmpty) return undefined;
  return {
    stages,
    ...(due ? { due } : {}),
    ...(remind ? { remind } : {}),
    overdue,
    overdueRepeat: overdueAst?.repeat ?? 0,
    onEmpty,
    allow,
    reasonRequiredOn,
  };
}

/** Finds an option by its kind; the second of a kind is reported. */
function optionsOf(asts: readonly OptionAst[], { flow }: Scope) {
  const first = new Map<string, OptionAst>();
  for (const option of asts) {
    const before = first.get(option.kind);
    if (before === undefined) {
      first.set(option.kind, option);
      continue;
    }
    flow.report.add("FLOW109", option.key.span, `The option \`${option.key.text}\` is given twice.`, {
      related: [{ message: "It is given here first.", span: before.key.span }],
    });
  }
  return <Kind extends OptionAst["kind"]>(kind: Kind) => first.get(kind) as Option<Kind> | undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Stages
// ------------------------------------------------------------------------------------------------------------------ //

function checkStage(ast: StageAst, reject: Stage["reject"] | undefined, scope: Scope): Stage | undefined {
  const people = checkPeople(ast.people, { scope });
  const mode = checkMode(ast.mode, scope);
  if (!people || !mode) return undefined;
  const most = seatsOf(people, scope, ast.people);
  if (mode.kind === "quorum" && most !== undefined && !canBeMet(mode.threshold, most)) {
    const message = `${most} ${most === 1 ? "person" : "people"} can't give so many approvals.`;
    return scope.flow.report.add("FLOW218", ast.span, message);
  }
  return { people, mode, reject: reject ?? (mode.kind === "quorum" ? "rest" : "one") };
}

function checkMode(ast: ModeAst | undefined, scope: Scope): Mode | undefined {
  if (ast === undefined) return { kind: "any" };
  switch (ast.kind) {
    case "count":
      if (Number.isSafeInteger(ast.count) && ast.count >= 1) return quorum({ kind: "count", count: ast.count });
      return outOfRange(ast.span, "A quorum is a whole number from 1.", scope);
    case "ratio":
      if (Number.isSafeInteger(ast.part) && Number.isSafeInteger(ast.of) && ast.part >= 1 && ast.part <= ast.of) {
        return quorum({ kind: "share", part: ast.part, of: ast.of, strict: false });
      }
      return outOfRange(ast.span, "A share is a part of the whole, such as `2/3`.", scope);
    case "percent": {
      const { part, of } = percentShare(ast.percent);
      const meant = ast.strict ? part < of : part >= 1 && part <= of;
      if (meant && Number.isSafeInteger(of)) return quorum({ kind: "share", part, of, strict: ast.strict });
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

function quorum(threshold: Threshold): Mode {
  return { kind: "quorum", threshold };
}

function outOfRange(span: Span, message: string, { flow }: Scope): undefined {
  return flow.report.add("FLOW219", span, message);
}

/** How many people it can be at most, where the text says. */
function seatsOf(people: People, scope: Scope, ast: PeopleAst): number | undefined {
  if (people.kind === "users") return new Set(people.ids).size;
  if (people.kind === "initiator") return 1;
  if (people.kind !== "named") return undefined;
  const named = scope.flow.people.get(people.name);
  if (named?.kind === "name" && named.name.text === "initiator") return 1;
  if (named?.kind !== "call" || named === ast || named.name.text !== "users") return undefined;
  const ids = named.arguments.map((argument) =>
    argument.kind === "expression" && argument.value.kind === "text" ? argument.value.value : undefined,
  );
  return ids.every((id) => id !== undefined) ? new Set(ids).size : undefined;
}

function canBeMet(threshold: Threshold, seats: number): boolean {
  return threshold.kind !== "count" || threshold.count <= seats;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Options
// ------------------------------------------------------------------------------------------------------------------ //

/** A duration of the flow in milliseconds, or the report why there is none. */
export function milliseconds(ast: DurationAst, scope: Scope): number | undefined {
  return durationMs(ast) ?? reportDuration(ast, ast.span, scope);
}

function positiveMs(ast: DurationAst, scope: Scope): number | undefined {
  const ms = milliseconds(ast, scope);
  return ms === 0 ? scope.flow.report.add("FLOW125", ast.span, "This takes more than no time.") : ms;
}

function checkDue(ast: Option<"due"> | undefined, scope: Scope): Approval["due"] {
  const ms = ast && positiveMs(ast.duration, scope);
  return ast && ms ? { ms, perStage: ast.perStage } : undefined;
}

function checkRemind(ast: Option<"remind"> | undefined, scope: Scope): Approval["remind"] {
  const everyMs = ast && positiveMs(ast.every, scope);
  if (!ast || !everyMs) return undefined;
  const { atMost } = ast;
  if (atMost !== undefined && !(Number.isSafeInteger(atMost) && atMost >= 1)) {
    return outOfRange(ast.span, "`at most` takes a whole number from 1.", scope);
  }
  return { everyMs, ...(atMost === undefined ? {} : { atMost }) };
}

function checkOverdue(ast: Option<"overdue"> | undefined, scope: Scope): readonly OverdueStep[] {
  if (ast === undefined) return [];
  if (!Number.isSafeInteger(ast.repeat) || ast.repeat < 0) {
    outOfRange(ast.span, "`repeat` takes a whole number.", scope);
  }
  return ast.steps.flatMap((step): OverdueStep[] => {
    const afterMs = milliseconds(step.after, scope);
    const to = step.to && checkPeople(step.to, { scope, assignee: true });
    if (afterMs === undefined) return [];
    if (step.step !== "escalate" && step.step !== "transfer") return [{ kind: step.step, afterMs }];
    return to ? [{ kind: step.step, to, afterMs }] : [];
  });
}

function checkOnEmpty(ast: Option<"onEmpty"> | undefined, scope: Scope): OnEmpty | undefined {
  if (ast === undefined) return { kind: "hold" };
  if (ast.what !== "assign") return { kind: ast.what };
  const to = ast.to && checkPeople(ast.to, { scope });
  return to && { kind: "assign", to };
}

function checkAllow(ast: Option<"allow"> | undefined, scope: Scope): readonly Operation[] {
  const allowed = new Set<Operation>();
  for (const { name, qualifier } of ast?.operations ?? []) {
    const operation = checkOperation(name, qualifier, scope);
    if (operation) allowed.add(operation);
  }
  return [...allowed];
}

function checkOperation(name: Name, qualifier: Name | undefined, { flow }: Scope): Operation | undefined {
  if (LATER_OPERATIONS.includes(name.text)) {
    return flow.report.add("FLOW900", name.span, `This version can't \`${name.text}\` yet.`);
  }
  if (!OPERATIONS.includes(name.text)) {
    const known = [...OPERATIONS, ...LATER_OPERATIONS];
    const message = `Nobody can \`${name.text}\` a task.`;
    return flow.report.add("FLOW221", name.span, message, didYouMean(name.text, known, name.span));
  }
  if (qualifier === undefined) return name.text as Operation;
  if (name.text === "withdraw" && qualifier.text === "untouched") return "withdraw untouched";
  return flow.report.add("FLOW221", qualifier.span, "Only `withdraw untouched` takes a second word.");
}

function checkReason(ast: Option<"reason"> | undefined, { flow }: Scope): readonly Reasoned[] {
  return (ast?.on ?? []).flatMap(({ text, span }) => {
    const known = REASONED.find((name) => name === text);
    if (known) return [known];
    flow.report.add("FLOW221", span, `No reason can be required for \`${text}\`.`, didYouMean(text, REASONED, span));
    return [];
  });
}
