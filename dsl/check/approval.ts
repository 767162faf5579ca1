import type { ApprovalAst, Name, OptionAst, StageAst } from "../ast.ts";
import type { Approval, OnEmpty, Operation, OverdueStep, Reasoned } from "../definition.ts";
import { checkMatrixStage, matrixCallOf } from "./matrices.ts";
import { checkPeople } from "./people.ts";
import { type FlowScope, isDamaged, type Scope } from "./scope.ts";
import { checkStage, outOfRange, type StageOptions } from "./stages.ts";
import { didYouMean } from "./suggest.ts";
import { checkPositiveTerm, checkTerm } from "./terms.ts";

type Option<Kind extends OptionAst["kind"]> = OptionAst & { readonly kind: Kind };

const OPERATIONS: readonly Operation[] = [
  "transfer",
  "delegate",
  "addBefore",
  "addAfter",
  "addBeside",
  "remove",
  "returnTo",
  "withdraw",
  "takeBack",
  "abstain",
  "claim",
];
/** Operations of two words, by the first. */
const QUALIFIED: ReadonlyMap<string, readonly [word: string, operation: Operation]> = new Map([
  ["withdraw", ["untouched", "withdraw untouched"]],
  ["addBefore", ["advisory", "addBefore advisory"]],
]);
const REASONED: readonly Reasoned[] = [
  "approve",
  "reject",
  "returnTo",
  "abstain",
  "transfer",
  "withdraw",
  "delegate",
  "addBefore",
  "addAfter",
  "addBeside",
  "remove",
  "takeBack",
  "handle",
];

/** The approval or handling of a state, its defaults filled in; `undefined` if something in it is wrong. */
export function checkApproval(ast: ApprovalAst, scope: Scope): Approval | undefined {
  const { flow } = scope;
  const option = optionsOf(ast.options, flow);
  const stageOptions = { handle: ast.handle, reject: option("reject")?.rule };
  const chain = ast.stages.map((stage) => checkChainItem(stage, stageOptions, scope));
  const onEmpty = checkOnEmpty(option("onEmpty"), scope);
  const timing = checkTiming(option, ast.options, scope);
  const rules = checkRules(option, flow);
  const edit = option("edit");
  const checked = {
    allow: checkAllow(option("allow"), flow),
    edit: checkFieldNames(edit?.fields, flow),
    editReopens: edit?.reopens ?? false,
    hide: checkFieldNames(option("hide")?.fields, flow),
    reasonRequiredOn: checkReason(option("reason"), flow),
  };
  if (!chain.every((stage) => stage !== undefined) || !onEmpty) return undefined;
  return { chain, ...timing, onEmpty, ...rules, ...checked };
}

/** A stage, or a matrix that stands for several. */
function checkChainItem(ast: StageAst, options: StageOptions, scope: Scope): Approval["chain"][number] | undefined {
  const call = matrixCallOf(ast, scope.flow);
  return call ? checkMatrixStage(ast, call, options, scope) : checkStage(ast, options, scope);
}

/** Finds an option by its kind; the second of a kind is reported. */
function optionsOf(asts: readonly OptionAst[], flow: FlowScope) {
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

type Options = ReturnType<typeof optionsOf>;

// ------------------------------------------------------------------------------------------------------------------ //
// Time
// ------------------------------------------------------------------------------------------------------------------ //

type Timing = Pick<Approval, "due" | "remind" | "overdue" | "overdueRepeat">;

function checkTiming(option: Options, asts: readonly OptionAst[], scope: Scope): Timing {
  const due = checkDue(option("due"), scope);
  const remind = checkRemind(option("remind"), scope);
  const overdueAst = option("overdue");
  const overdue = checkOverdue(overdueAst, scope);
  if (overdueAst && !asts.some(({ kind }) => kind === "due")) {
    scope.flow.report.add("FLOW216", overdueAst.span, "`overdue` counts from the deadline, and there is no `due`.");
  }
  return {
    ...(due ? { due } : {}),
    ...(remind ? { remind } : {}),
    overdue,
    overdueRepeat: overdueAst?.repeat ?? 0,
  };
}

function checkDue(ast: Option<"due"> | undefined, { flow }: Scope): Approval["due"] {
  const term = ast && checkPositiveTerm(ast.duration, flow);
  return ast && term ? { term, perStage: ast.perStage } : undefined;
}

function checkRemind(ast: Option<"remind"> | undefined, scope: Scope): Approval["remind"] {
  const every = ast && checkPositiveTerm(ast.every, scope.flow);
  if (!ast || !every) return undefined;
  const { atMost } = ast;
  if (atMost !== undefined && !(Number.isSafeInteger(atMost) && atMost >= 1)) {
    return outOfRange(ast.span, "`at most` takes a whole number from 1.", scope);
  }
  return { every, ...(atMost === undefined ? {} : { atMost }) };
}

function checkOverdue(ast: Option<"overdue"> | undefined, scope: Scope): readonly OverdueStep[] {
  if (ast === undefined) return [];
  if (!Number.isSafeInteger(ast.repeat) || ast.repeat < 0) {
    outOfRange(ast.span, "`repeat` takes a whole number.", scope);
  }
  return ast.steps.flatMap((step): OverdueStep[] => {
    const after = checkTerm(step.after, scope.flow);
    const to = step.to && checkPeople(step.to, { scope, assignee: true });
    if (after === undefined) return [];
    if (step.step !== "escalate" && step.step !== "transfer") return [{ kind: step.step, after }];
    return to ? [{ kind: step.step, to, after }] : [];
  });
}

// ------------------------------------------------------------------------------------------------------------------ //
// Rules of one word
// ------------------------------------------------------------------------------------------------------------------ //

type Rules = Pick<
  Approval,
  "onSelf" | "repeated" | "onReturn" | "maxReturns" | "abstain" | "collectAll" | "signatureRequired"
>;

function checkRules(option: Options, flow: FlowScope): Rules {
  const maxReturns = option("maxReturns");
  const count = maxReturns?.count ?? 1;
  if (!Number.isSafeInteger(count) || count < 1) {
    flow.report.add("FLOW219", maxReturns?.span ?? flow.ast.span, "`maxReturns` takes a whole number from 1.");
  }
  const onSelf = wordOf(option("onSelf")?.what, ["ask", "skip", "manager"], flow);
  return {
    onSelf: onSelf ?? (flow.initiatorNeverApproves ? "manager" : "ask"),
    repeated: checkRepeated(option("repeated"), flow),
    onReturn: wordOf(option("onReturn")?.what, ["restart", "resume"], flow) ?? "restart",
    ...(maxReturns ? { maxReturns: count } : {}),
    abstain: wordOf(option("abstain")?.what, ["leaves", "no"], flow) ?? "leaves",
    collectAll: wordOf(option("collect")?.what, ["all"], flow) !== undefined,
    signatureRequired: wordOf(option("sign")?.what, ["required"], flow) !== undefined,
  };
}

/** The word, which must be one of a few. */
function wordOf<Word extends string>(
  name: Name | undefined,
  words: readonly Word[],
  flow: FlowScope,
): Word | undefined {
  if (name === undefined) return undefined;
  const word = words.find((known) => known === name.text);
  if (word !== undefined || isDamaged(name.text, flow)) return word;
  const message = `\`${name.text}\` is not one of ${words.map((known) => `\`${known}\``).join(", ")}.`;
  return flow.report.add("FLOW221", name.span, message, didYouMean(name.text, words, name.span));
}

function checkRepeated(ast: Option<"repeated"> | undefined, flow: FlowScope): Approval["repeated"] {
  const what = wordOf(ast?.what, ["ask", "skip"], flow);
  if (ast === undefined || what === undefined) return "ask";
  if (what === "skip" && ast.qualifier) return wordOf(ast.qualifier, ["consecutive", "any"], flow) ?? "ask";
  if (what === "ask" && ast.qualifier === undefined) return "ask";
  flow.report.add("FLOW221", ast.span, "`repeated` is `ask`, `skip consecutive` or `skip any`.");
  return "ask";
}

function checkOnEmpty(ast: Option<"onEmpty"> | undefined, scope: Scope): OnEmpty | undefined {
  if (ast === undefined) return { kind: "hold" };
  if (ast.what !== "assign") return { kind: ast.what };
  const to = ast.to && checkPeople(ast.to, { scope });
  return to && { kind: "assign", to };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Operations and fields
// ------------------------------------------------------------------------------------------------------------------ //

function checkAllow(ast: Option<"allow"> | undefined, flow: FlowScope): readonly Operation[] {
  const allowed = new Set<Operation>();
  for (const { name, qualifier } of ast?.operations ?? []) {
    const operation = checkOperation(name, qualifier, flow);
    if (operation) allowed.add(operation);
  }
  return [...allowed];
}

function checkOperation(name: Name, qualifier: Name | undefined, flow: FlowScope): Operation | undefined {
  const operation = OPERATIONS.find((known) => known === name.text);
  if (operation === undefined) {
    const message = `Nobody can \`${name.text}\` a task.`;
    return flow.report.add("FLOW221", name.span, message, didYouMean(name.text, OPERATIONS, name.span));
  }
  if (qualifier === undefined) return operation;
  const [word, whole] = QUALIFIED.get(operation) ?? [];
  if (word === qualifier.text) return whole;
  const only = "Only `withdraw untouched` and `addBefore advisory` have a second word.";
  return flow.report.add("FLOW221", qualifier.span, only);
}

function checkReason(ast: Option<"reason"> | undefined, flow: FlowScope): readonly Reasoned[] {
  return (ast?.on ?? []).flatMap(({ text, span }) => {
    const known = REASONED.find((name) => name === text);
    if (known) return [known];
    flow.report.add("FLOW221", span, `No reason can be required for \`${text}\`.`, didYouMean(text, REASONED, span));
    return [];
  });
}

/** Data fields that an option lists. */
function checkFieldNames(names: readonly Name[] | undefined, flow: FlowScope): readonly string[] {
  const fields = (names ?? []).flatMap(({ text, span }) => {
    if (flow.fields.has(text) || isDamaged(text, flow)) return [text];
    const suggestion = didYouMean(text, flow.fields.keys(), span);
    return flow.report.add("FLOW103", span, `There is no field \`${text}\`.`, suggestion) ?? [];
  });
  return [...new Set(fields)];
}
