import assert from "node:assert/strict";
import { test } from "node:test";
import { explainedInChinese } from "./explained-in-chinese.ts";

test("what is told of data and of instances, in Chinese", () => {
  const since = "2026-01-05T09:00:00+08:00";
  for (const [english, chinese] of [
    [
      "`f` has finished in `OK` with `approved`; nothing moves it any more.",
      "`f` 已在 `OK` 结束，结果为 `approved`；不会再变化。",
    ],
    [`\`f\` is in \`R\` since ${since}, by D → R.`, `\`f\` 自 ${since} 起处于 \`R\`，路径：D → R。`],
    [`\`f\` (R.legal) is in \`A\` since ${since}.`, `\`f\` (R.legal) 自 ${since} 起处于 \`A\`。`],
    ["  Stage 1 of 2, boss then finance, waits for bob.", "  第 1 个环节（共 2 个），boss then finance，等待 bob。"],
    ["  Stage 1, boss, waits for nobody.", "  第 1 个环节，boss，不等待任何人。"],
    ["  carol has approved.", "  carol 已同意。"],
    ["f, with amount = 5.00 CNY", "f，其中 amount = 5.00 CNY"],
    ["R on approved changes nothing: no line applies", "R on approved 不引起变化：没有流转成立"],
    ["  ? days > 3: days not set  (for → OK)", "  ? days > 3: days 未填  （用于 → OK）"],
    ["  ✔ ok(): ok() unknown", "  ✔ ok(): ok() 未知"],
    ["  nearest: amount = 500: → OK", "  最近的改动：amount = 500: → OK"],
    ["what nobody knows", "what nobody knows"],
  ] as const) {
    assert.equal(explainedInChinese(english), chinese);
  }
});
