import type { CalendarAst, DayRangeAst, Name } from "../ast.ts";
import type { CalendarDefinition, DayRange, Weekday } from "../definition.ts";
import { unique } from "./declarations.ts";
import { isDate } from "./literals.ts";
import type { Report } from "./report.ts";
import { type FileScope, isSound } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

type Hours = CalendarDefinition["hours"][number];

const WEEKDAYS: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES = 24 * 60;
/** What is left out: China's time, the whole day, Saturday and Sunday. */
const TIMEZONE = "Asia/Shanghai";
const WHOLE_DAY: readonly Hours[] = [{ from: 0, to: DAY_MINUTES }];
const WEEKEND: readonly Weekday[] = ["sat", "sun"];

/** A calendar with what was left out filled in; `undefined` if it has errors. */
export function checkCalendar(ast: CalendarAst, file: FileScope): CalendarDefinition | undefined {
  const { report } = file;
  const timezone = checkTimezone(ast.timezone, report);
  const hours = ast.hours ? checkHours(ast.hours, report) : WHOLE_DAY;
  const weekend = ast.weekend ? checkWeekend(ast.weekend, report) : WEEKEND;
  const holidays = checkRanges(ast.holidays, report);
  const workdays = checkRanges(ast.workdays, report);
  if (!timezone || !hours || !weekend || !holidays || !workdays || !isSound(ast, file)) return undefined;
  if (hours.length === 0 || weekend.length === WEEKDAYS.length) {
    return report.add("FLOW261", ast.name.span, `The calendar \`${ast.name.text}\` has no working time.`);
  }
  return { name: ast.name.text, timezone, hours, weekend, holidays, workdays };
}

function checkTimezone(name: Name | undefined, report: Report): string | undefined {
  if (name === undefined || isTimezone(name.text)) return name?.text ?? TIMEZONE;
  return report.add("FLOW262", name.span, `There is no time zone \`${name.text}\`.`, {
    hint: "Zones have names such as `Asia/Shanghai`.",
  });
}

/** Asking `Intl` takes longer than checking a flow, so it is asked once for each name. */
const timezones = new Map<string, boolean>([[TIMEZONE, true]]);

function isTimezone(name: string): boolean {
  const known = timezones.get(name);
  if (known !== undefined) return known;
  let valid = /^[A-Z]/i.test(name);
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch {
    valid = false;
  }
  // A file of ten thousand wrong zones must not stay in memory.
  if (valid) timezones.set(name, valid);
  return valid;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Hours and days
// ------------------------------------------------------------------------------------------------------------------ //

/** In order, those that touch joined. */
function checkHours(asts: NonNullable<CalendarAst["hours"]>, report: Report): readonly Hours[] | undefined {
  const hours = asts.map(({ from, to, span }) => {
    const range = { from: minutes(from.text), to: minutes(to.text) };
    if (range.from < range.to) return { ...range, span };
    // A time that does not exist was reported by the parser.
    if (Number.isNaN(range.from + range.to)) return undefined;
    return report.add("FLOW262", span, "Hours lead from a time of day to a later one, `24:00` at the latest.");
  });
  if (!hours.every((range) => range !== undefined)) return undefined;
  const joined: Hours[] = [];
  for (const { from, to, span } of hours.toSorted((one, other) => one.from - other.from)) {
    const last = joined.at(-1);
    if (last && from < last.to) return report.add("FLOW262", span, "These hours overlap with others.");
    if (last?.to === from) joined[joined.length - 1] = { from: last.from, to };
    else joined.push({ from, to });
  }
  return joined;
}

/** Minutes since midnight; NaN where there is no such time. */
function minutes(text: string): number {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const at = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && at <= DAY_MINUTES ? at : Number.NaN;
}

function checkWeekend(names: readonly Name[], report: Report): readonly Weekday[] | undefined {
  const days = unique(names, (name) => name, "day", report).map(({ text, span }) => {
    const day = WEEKDAYS.find((known) => known === text);
    return day ?? report.add("FLOW262", span, `There is no weekday \`${text}\`.`, didYouMean(text, WEEKDAYS, span));
  });
  return days.every((day) => day !== undefined) ? days : undefined;
}

function checkRanges(asts: readonly DayRangeAst[] | undefined, report: Report): readonly DayRange[] | undefined {
  const ranges = (asts ?? []).map((ast): DayRange | undefined => {
    const [from, to] = [ast.from, ast.to ?? ast.from];
    for (const { text, span } of new Set([from, to])) {
      if (!isDate(text)) return report.add("FLOW017", span, `There is no day \`${text}\`.`);
    }
    if (from.text <= to.text) return { from: from.text, to: to.text };
    return report.add("FLOW262", ast.span, "Days lead from one to a later one.");
  });
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}
