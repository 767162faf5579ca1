/**
 * What the engine tells of data and of instances, in Chinese. A line is made of parts that the author wrote, which stay, and
 * of words between them; what none of the patterns knows stays as it is.
 */
export function explainedInChinese(line: string): string {
  const [, indent = "", text = ""] = /^( *)(.*)$/s.exec(line) ?? [];
  const sentence = SENTENCES.find(([pattern]) => pattern.test(text));
  return indent + (sentence ? text.replace(sentence[0], sentence[1]) : parts(text));
}

/** Whole lines. */
const SENTENCES: readonly (readonly [english: RegExp, chinese: string])[] = [
  [
    /^(`[^`]*`) has finished in (`[^`]*`) with (`[^`]*`); nothing moves it any more\.$/,
    "$1 已在 $2 结束，结果为 $3；不会再变化。",
  ],
  [/^It is suspended since (\S+); an administrator has to resume it first\.$/, "自 $1 起挂起；须由管理员先恢复。"],
  [/^(`[^`]*`)( \(.*\))? is in (`[^`]*`) since ([^\s,]+), by (.*)\.$/, "$1$2 自 $4 起处于 $3，路径：$5。"],
  [/^(`[^`]*`)( \(.*\))? is in (`[^`]*`) since ([^\s,]+)\.$/, "$1$2 自 $4 起处于 $3。"],
  [/^It waits for the (.*)\.$/, "它在等待：$1。"],
  [/^At (\S+) a timer (.*)\.$/, "$1 有定时器：$2。"],
  [/^Stage (\d+) of (\d+), (.*), waits for nobody\.$/, "第 $1 个环节（共 $2 个），$3，不等待任何人。"],
  [/^Stage (\d+) of (\d+), (.*), waits for (.*)\.$/, "第 $1 个环节（共 $2 个），$3，等待 $4。"],
  [/^Stage (\d+), (.*), waits for nobody\.$/, "第 $1 个环节，$2，不等待任何人。"],
  [/^Stage (\d+), (.*), waits for (.*)\.$/, "第 $1 个环节，$2，等待 $3。"],
  [
    /^Nobody was found for a part of it \((.*)\); an administrator has to move it\.$/,
    "有一部分找不到人（$1）；须由管理员处理。",
  ],
  [/^(\S+) has approved\.$/, "$1 已同意。"],
  [/^(\S+) has rejected\.$/, "$1 已拒绝。"],
  [/^(\S+) has abstained\.$/, "$1 已弃权。"],
  [/^(\S+) has handled\.$/, "$1 已办理。"],
];

/** Of lines that are put together. */
function parts(text: string): string {
  return text
    .replace(/^nearest: /, "最近的改动：")
    .replace(/ {2}\(for (.*)\)$/, "  （用于 $1）")
    .replace(/ is refused: a part of the condition has no value/g, " 被拒绝：条件的一部分没有值")
    .replace(/ changes nothing: no line applies/g, " 不引起变化：没有流转成立")
    .replace(/ has no row/g, " 没有对应的行")
    .replace(/ has no value(?=,| {2}|$)/g, " 没有值")
    .replace(/ unknown(?=,| {2}|$)/g, " 未知")
    .replace(/ not set(?=,| {2}|$)/g, " 未填")
    .replace(/^([^,]+), with (?=\S+ =|\S+ 未填)/, "$1，其中 ");
}
