import { EOF, type IParserErrorMessageProvider, type IToken, type TokenType, tokenMatcher } from "chevrotain";
import * as t from "./tokens.ts";

/** What stands where a choice failed, by rule. */
const expectations: Readonly<Record<string, string>> = {
  trigger: "`on`, `after` or `at`",
  expression: "a value",
  primary: "a value",
  operation: "a value",
  bound: "a value or `..`",
  listType: "`of` and a type, or `{`",
  word: "a name or a string",
  transition: "a state",
  type: "a type",
  people: "people such as `managerOf(initiator)`",
  stages: "people such as `managerOf(initiator)`",
  stage: "people such as `managerOf(initiator)`",
  peopleStage: "people such as `managerOf(initiator)`",
  mode: "`any`, `all`, `sequence` or `quorum`",
  threshold: "a number, a ratio or a percentage",
  overdueStep: "`remind`, `escalate to`, `transfer to`, `approve` or `reject`",
  verdict: "`approve` or `reject`",
  reject: "`one` or `rest`",
  join: "`all`, `any` or a number of branches",
  run: "`saga` or `flow`",
  hours: "hours such as `09:00 .. 18:00`",
  plainValue: "a value or an interval",
  matrixCell: "a value, an interval or `any`",
  onEmpty: "`hold`, `skip`, `reject` or `assign`",
  routeTarget: 'a service name such as `"audit-service"`, or `service(..)`',
  sourceValue: 'a property, `control("..")` or `table("..")`',
  personStatement: "what the person does, such as `approves`",
  acts: "what the person does, such as `approves`",
  adds: "`before`, `after` or `beside`",
  adminOperation: "what the administrator does, such as `suspends`",
  overrides: "`approve` or `reject`",
  clause: "the end of the line",
  literal: "a value",
  fact: "a fact, such as `=`, `fails` or `takes`",
  effect: 'a state, a condition or what has happened, such as `emitted "x"`',
  expectStatement: 'a state, a condition or what has happened, such as `emitted "x"`',
  duration: "a duration, such as `48h`",
  statement: "a statement",
  action: "an action such as `notify(initiator)`",
  without: "a state or `approval by`",
  property: "a property such as `never APPROVED without PAYING`",
  steps: "a function such as `transfer(amount)`",
  stepCall: "`(`",
  route: 'a service name such as `"audit-service"`, or `service(..)`',
  labels: 'a label such as `role = "notifier"`',
  asStatement: 'a fact such as `managerOf("bob") = "carol"`',
  answerFact: "a fact, such as `=`, `fails` or `takes`",
  answer: "an answer such as `yes`, `no` or a value",
  waiter: 'a person such as `"bob"`, or `group("finance")`',
  waitingFor: 'a person such as `"bob"`, `group("finance")` or `nobody`',
  returnTarget: "a state, `initiator` or `stage 1`",
  advanceStatement: "a duration, or `to` and a time",
};

/** What stands between the brackets of a list, by rule, where the list breaks off at something else. */
const elements: Readonly<Record<string, string>> = {
  overdue: expectations["overdueStep"]!,
  allow: "an operation such as `transfer`",
  names: "a name",
  list: "a value",
  callArguments: "a value",
  peopleArguments: "a value",
};
const beforeElement = new Set<TokenType>([t.LSquare, t.LParen, t.Comma]);
const afterList = new Set<TokenType>([t.NewLine, t.Semicolon, t.LCurly, t.RCurly, EOF]);

/** The element that lacks rather than the bracket that would close the list. */
function expectedIn(rule: string, expected: TokenType, actual: IToken, previous: IToken): string {
  const inList = beforeElement.has(previous.tokenType) && !afterList.has(actual.tokenType);
  return (inList && (expected === t.RSquare || expected === t.RParen) && elements[rule]) || expected.LABEL!;
}

/** A token as messages show it. */
export function found(token: IToken): string {
  if (token.image === "" || tokenMatcher(token, t.NewLine)) return "the end";
  return `\`${token.image.length > 30 ? `${token.image.slice(0, 30)}…` : token.image}\``;
}

/** What the parser says where something else was expected. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual, previous, ruleName }) =>
    `Expected ${expectedIn(ruleName, expected, actual, previous)}, found ${found(actual)}.`,
  buildNotAllInputParsedMessage: ({ firstRedundant }) => `Expected the end, found ${found(firstRedundant)}.`,
  buildNoViableAltMessage: ({ actual, ruleName }) =>
    `Expected ${expectations[ruleName] ?? "something else"}, found ${found(actual[0]!)}.`,
  buildEarlyExitMessage: ({ actual, ruleName }) =>
    `Expected ${expectations[ruleName] ?? "something else"}, found ${found(actual[0]!)}.`,
};
