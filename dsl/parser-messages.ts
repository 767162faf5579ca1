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

/** How the whole is written, by rule: the hint where what was expected does not tell it. */
const samples: Readonly<Record<string, string>> = {
  use: 'use "./rates.flow"',
  flow: 'state machine "leave" { .. }',
  calendar: 'calendar "cn" { .. }',
  timezone: 'timezone: "Asia/Shanghai"',
  weekend: "weekend: [sat, sun]",
  holidays: "holidays: [2026-10-01 .. 2026-10-07]",
  workdays: "workdays: [2026-10-10]",
  dayRange: "2026-10-01 .. 2026-10-07",
  matrix: "matrix signOff(amount: money) { .. }",
  parameters: "matrix signOff(amount: money, kind: Kind) { .. }",
  matrixHeader: "amount  kind  → approvers",
  matrixRow: "[0, 5_000)  any  → manager",
  saga: 'saga "pay-out" { step transfer(amount) undo refund(amount) }',
  step: "step transfer(amount) undo refund(amount)",
  stepPolicy: "retry 5 backoff 200ms .. 30s timeout 10s",
  backoff: "backoff 200ms .. 30s",
  sagaItem: 'onStuck: assign group("finance-ops")',
  document: 'document "contract" { .. }',
  template: 'template: "contract"',
  fallback: 'fallback: "plain-contract"',
  source: 'source wecom "TPL_001" starts "leave" on "submit" { .. }',
  sourceField: 'amount = control("Money-1") in yuan',
  control: 'control("Text-1")',
  controlOptions: 'one of { "差旅": travel, else: other }',
  table: 'table("Table-1") { name = control("Text-2") }',
  rollout: 'rollout "pilot" of "leave" to label "2.0" { percent: 10 }',
  test: 'test "a short leave" of "leave" { .. }',

  setting: 'title: "Leave"',
  initial: "initial: DRAFT",
  states: "states: [DRAFT, REVIEW, DONE]",
  final: "final: [DONE]",
  data: "data { amount: money }",
  field: "amount: money",
  enumType: "one of [travel, other]",
  listType: "list { name: text, price: money }",
  event: '"submit" { amount }',
  stateBlock: "state REVIEW { approval by managerOf(initiator) }",
  approval: "approval by managerOf(initiator)",
  autoApproval: "auto approve if amount < 100 else reject",
  autoStage: "auto approve if amount < 100 else reject",
  run: 'run flow "seal" on "submit" with { copies: 1 }',
  onEvent: 'run flow "seal" on "submit"',
  revocable: "revocable for 7d",
  parallel: "parallel { branch legal { .. } branch finance { .. } join all }",
  branch: "branch finance if amount > 5_000 { .. }",
  transition: 'DRAFT → REVIEW on "submit"',
  trigger: 'DRAFT → REVIEW on "submit"',
  setAction: "set(days = 1)",
  startAction: 'start("leave", key, { days: 1 })',
  migration: 'migrate from label "1.0" { OLD → NEW }',
  route: '"submit" → "audit-service"',
  ensure: "ensure { never APPROVED without REVIEW }",
  neverWithout: "never APPROVED without REVIEW",
  neverApproves: "initiator never approves",
  differentPeople: "different people in [REVIEW, PAYING]",
  reachesFinal: "reaches final within 30d",

  due: "due: 2d",
  remind: "remind: every 4h at most 3",
  overdue: "overdue: [remind after 0h, reject after 2d]",
  overdueStep: "overdue: [remind after 0h, reject after 2d]",
  receivers: "escalate to managerOf(assignee) after 1d",
  repeated: "repeated: skip consecutive",
  wordOption: "onSelf: skip",
  maxReturns: "maxReturns: 3",
  edit: "edit: [amount]",
  hide: "hide: [amount]",
  allow: "allow: [transfer, returnTo]",
  reason: "reason: required on [reject]",
  quorum: "quorum 2/3",
  threshold: "quorum 2/3",

  condition: "if amount > 100 then 1 else 2",
  quantifier: "any items where price > 100",
  interval: "[0, 5_000)",
  givenStatement: 'given managerOf("bob") = "carol"',
  away: 'given away "bob" from 2026-01-05 to 2026-01-09 deputy "dan"',
  left: 'given left "eve" handover "finn"',
  startStatement: "start { amount: 100 }",
  sendStatement: 'send "submit" { amount: 100 }',
  personStatement: '"bob" approves',
  adds: '"bob" adds before "carol"',
  migrateStatement: 'migrate to label "2.0"',
  onStatement: 'on second: send "submit"',
};

/** A hint that shows how it is written. */
export function hintFor(rule: string): string | undefined {
  const sample = Object.hasOwn(samples, rule) ? samples[rule] : undefined;
  return sample === undefined ? undefined : `Write it like \`${sample}\`.`;
}

/** A token as messages show it. */
export function found(token: IToken): string {
  if (tokenMatcher(token, t.NewLine)) return "the end of the line";
  if (token.image === "") return "the end";
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
