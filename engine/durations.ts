import type { Term } from "../dsl/index.ts";

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];
const WORDS: Readonly<Record<string, string>> = { d: "天", h: "小时", m: "分钟", s: "秒", ms: "毫秒" };
const SPELLING = /^(-?)(\d+)(ms|[smhdw])$/;

/** A duration as the language writes it, `500ms 30s 15m 48h 3d 2w`, in ms; `undefined` if it is none or beyond the safe range. */
export function readDuration(text: string): number | undefined {
  const match = SPELLING.exec(text);
  const unit = UNITS.find(([name]) => name === match?.[3]);
  if (match === null || unit === undefined) return undefined;
  const ms = Number(match[2]) * unit[1];
  if (!Number.isSafeInteger(ms)) return undefined;
  return match[1] === "-" && ms !== 0 ? -ms : ms;
}

/** The duration in the largest unit up to days that holds it whole: `48h` is `2d`, `90m` stays `90m`. */
export function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([name, unitMs]) => name !== "w" && ms % unitMs === 0) ?? ["ms", 1];
  return ms === 0 ? "0s" : `${ms / size}${unit}`;
}

/** For people: `1天12小时`. */
export function durationWords(ms: number): string {
  if (ms < 0) return `-${durationWords(-ms)}`;
  let rest = ms;
  let text = "";
  for (const [unit, size] of UNITS.slice(1)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${WORDS[unit]}`;
    rest -= count * size;
  }
  return text || "0秒";
}

/** A term as the language writes it: `2d`, `4 workhours`, `2 workdays`. */
export function termText(term: Term): string {
  switch (term.kind) {
    case "natural":
      return durationText(term.ms);
    case "workhours":
      return `${term.ms / 3_600_000} workhours`;
    case "workdays":
      return `${term.days} workdays`;
  }
}
