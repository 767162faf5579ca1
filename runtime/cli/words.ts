import type { Language } from "../../dsl/index.ts";
import type { CoverageKind } from "../../engine/index.ts";
import { explainedInChinese } from "./explained-in-chinese.ts";
import { counted } from "./io.ts";

/** What the commands say themselves about flows, in the language of their messages. */
export interface Words {
  /** `2 files, 3 flows`. */
  checked(files: number, flows: number): string;
  readonly colon: string;
  readonly fine: string;
  /** `1 error, 2 warnings`. */
  faults(errors: number, warnings: number): string;
  /** `4 tests: 3 passed, 1 failed`, and how many were not run. */
  tested(passed: number, failed: number, notRun: number): string;
  /** Why tests were not run. `isOwn`: the errors stand in the file itself. */
  notRun(tests: number, isOwn: boolean): string;
  nothingMatches(pattern: string): string;
  /** The kinds of what is covered, and the head of the table's first column. */
  readonly coverage: Readonly<Record<"flow" | CoverageKind, string>>;
  /** Before one thing that is not covered. */
  readonly uncovered: Readonly<Record<CoverageKind, string>>;
  notCovered(flow: string): string;
  tooLittleCovered(percent: string, least: number): string;
  /** A change in meaning: what it does, and the labels of what was, is, and shows it. */
  readonly changed: Readonly<Record<"loosened" | "tightened" | "was" | "is" | "example", string>>;
  /** Words that stand for an empty value. */
  value(text: string): string;
  stillOnOld(instances: number): string;
  /** A line of what `explain` says of data or of an instance. */
  explained(line: string): string;
  /** Why a test failed, as the engine says it. What instances have told of themselves stays as it was written. */
  failure(message: string): string;
}

const english: Words = {
  checked: (files, flows) => `${counted(files, "file")}, ${counted(flows, "flow")}`,
  colon: ": ",
  fine: "fine",
  faults: (errors, warnings) => `${counted(errors, "error")}, ${counted(warnings, "warning")}`,
  tested: (passed, failed, notRun) =>
    `${counted(passed + failed, "test")}: ${passed} passed, ${failed} failed${notRun > 0 ? `, ${notRun} not run` : ""}`,
  notRun: (tests, isOwn) =>
    `${counted(tests, "test")} not run: ${isOwn ? "the file has errors" : "a file that it uses has errors"}`,
  nothingMatches: (pattern) => `no test's name matches \`${pattern}\``,
  coverage: {
    flow: "flow",
    states: "states",
    transitions: "transitions",
    conditions: "conditions",
    rows: "rows",
    boundaries: "boundaries",
  },
  uncovered: { states: "", transitions: "transition ", conditions: "condition ", rows: "", boundaries: "boundary " },
  notCovered: (flow) => `${flow}: not covered`,
  tooLittleCovered: (percent, least) => `covered are ${percent} %, less than ${least} %`,
  changed: { loosened: "loosened", tightened: "tightened", was: "was: ", is: "is:  ", example: "for example: " },
  value: (text) => text || "nothing",
  stillOnOld: (instances) => `${counted(instances, "running instance")} on the old version`,
  explained: (line) => line,
  failure: (message) => message,
};

const chinese: Words = {
  checked: (files, flows) => `${files} 个文件，${flows} 个流程`,
  colon: "：",
  fine: "没有问题",
  faults: (errors, warnings) => `${errors} 个错误，${warnings} 个警告`,
  tested: (passed, failed, notRun) =>
    `${passed + failed} 个测试：${passed} 个通过，${failed} 个失败${notRun > 0 ? `，${notRun} 个未运行` : ""}`,
  notRun: (tests, isOwn) => `${tests} 个测试未运行：${isOwn ? "该文件有错误" : "它引用的文件有错误"}`,
  nothingMatches: (pattern) => `没有名称匹配 \`${pattern}\` 的测试`,
  coverage: { flow: "流程", states: "状态", transitions: "流转", conditions: "条件", rows: "行", boundaries: "边界" },
  uncovered: { states: "", transitions: "流转 ", conditions: "条件 ", rows: "", boundaries: "边界 " },
  notCovered: (flow) => `${flow}：未覆盖`,
  tooLittleCovered: (percent, least) => `覆盖率 ${percent} %，低于 ${least} %`,
  changed: { loosened: "放宽", tightened: "收紧", was: "原为：", is: "现为：", example: "例如：" },
  value: (text) => VALUES[text] ?? text,
  stillOnOld: (instances) => `${instances} 个运行中的实例仍在旧版本上`,
  explained: explainedInChinese,
  failure: (message) => message.split("\n").map(failureLine).join("\n"),
};

const VALUES: Readonly<Record<string, string>> = {
  "": "无",
  nothing: "无",
  none: "无",
  never: "从不",
  always: "总是",
  anybody: "任何人",
  "no limit": "不限",
  required: "必须",
  "not required": "不要求",
};

const WORDS: Readonly<Record<Language, Words>> = { en: english, zh: chinese };

export const wordsIn = (language: Language): Words => WORDS[language];

// ------------------------------------------------------------------------------------------------------------------ //
// Failed expectations in Chinese
// ------------------------------------------------------------------------------------------------------------------ //

/** A failure is the statement, what was expected, what was there instead, and the story of the instance. */
function failureLine(line: string): string {
  const found = /^ +(expected|was): (.*)$/.exec(line);
  if (found) return `  ${found[1] === "expected" ? "期望" : "实际"}：${phrase(found[2]!)}`;
  return line === "  story:" ? "  经过：" : line;
}

/** In the order in which they are tried; what none of them knows stays as it is. */
const PHRASES: readonly (readonly [english: RegExp, chinese: string])[] = [
  [/^accepted$/, "被接受"],
  [/^refused with (`[^`]*`)(?:: .*)?$/, "被拒绝，代码 $1"],
  [/^a test that can be run$/, "可以运行的测试"],
  [/^Nothing is started yet\.$/, "还没有启动任何实例。"],
  [/^state (.*)$/, "状态 $1"],
  [/^waiting for nobody$/, "不等待任何人"],
  [/^waiting for (.*)$/, "等待 $1"],
  [/^round (\d+)$/, "第 $1 轮"],
  [/^no round was opened$/, "没有开启任何一轮"],
  [/^nothing open$/, "没有未完成的事项"],
  [/^seat of (`[^`]*`) not there$/, "没有 $1 的席位"],
  [/^seat of (`[^`]*`) (\w+)$/, "$1 的席位为 $2"],
  [/^true$/, "成立"],
  [/^false, with (.*)$/, "不成立，其中 $1"],
  [/^no line of the history containing (.*)$/, "历史中没有包含 $1 的行"],
  [/^a line of the history containing (.*)$/, "历史中有包含 $1 的行"],
  [/^there is one$/, "有"],
  [/^none$/, "没有"],
];

const DEEDS: Readonly<Record<string, string>> = {
  emitted: "发出",
  called: "调用",
  undone: "撤销",
  notified: "通知",
  rendered: "生成",
};

function phrase(english: string): string {
  for (const [pattern, inChinese] of PHRASES) if (pattern.test(english)) return english.replace(pattern, inChinese);
  const deed = /^(?:(`[^`]*`) )?(\w+)( containing `[^`]*`)? (never|at least once|(?:not )?(?:once|\d+ times))$/.exec(
    english,
  );
  if (deed) {
    const [, what, verb = "", part = "", often = ""] = deed;
    const containing = part.replace(" containing ", "，内容包含 ");
    return `${[what, DEEDS[verb] ?? verb].filter(Boolean).join(" ")}${containing}：${times(often)}`;
  }
  const [often = "", label, rest] = english.split(/; (so far|calls|newest): /);
  return label === undefined ? times(english) : `${times(often)}；${LABELS[label]}：${rest === "none" ? "没有" : rest}`;
}

const LABELS: Readonly<Record<string, string>> = { "so far": "目前", calls: "调用", newest: "最新" };

function times(english: string): string {
  const found = /^(not )?(?:(never)|(at least once)|(once)|(\d+) times)$/.exec(english);
  if (!found) return english;
  const [, not, never, atLeast, once, number] = found;
  if (never) return "从未";
  if (atLeast) return "至少一次";
  return `${not ? "不是 " : ""}${once ? 1 : number} 次`;
}
