import type { DurationAst } from "../ast.ts";
import type { Term } from "../definition.ts";
import { durationMs } from "./literals.ts";
import type { FlowScope } from "./scope.ts";

const HOUR_MS = 3_600_000;

/** A span of time, natural or in the flow's calendar; `undefined` if there is no such one, which is reported. */
export function checkTerm(ast: DurationAst, flow: FlowScope): Term | undefined {
  const term = termOf(ast);
  if (term === undefined) {
    const least =
      ast.unit === "workdays" ? "Working days are counted whole." : "A duration is a whole number of milliseconds.";
    return flow.report.add("FLOW125", ast.span, least);
  }
  if (term.kind !== "natural" && !flow.hasCalendar) {
    return flow.report.add("FLOW260", ast.span, "Working time needs a calendar, and the flow has none.", {
      hint: 'Write `calendar: "…"` in the flow.',
    });
  }
  return term;
}

/** A span of time that is not nothing. */
export function checkPositiveTerm(ast: DurationAst, flow: FlowScope): Term | undefined {
  const term = checkTerm(ast, flow);
  return term && isNothing(term) ? flow.report.add("FLOW125", ast.span, "This takes more than no time.") : term;
}

function termOf(ast: DurationAst): Term | undefined {
  switch (ast.unit) {
    case "workdays": {
      const days = Number(ast.amount);
      return Number.isSafeInteger(days) ? { kind: "workdays", days } : undefined;
    }
    case "workhours": {
      const ms = Math.round(Number(ast.amount) * HOUR_MS * 1e6) / 1e6;
      return Number.isSafeInteger(ms) ? { kind: "workhours", ms } : undefined;
    }
    default: {
      const ms = durationMs(ast);
      return ms === undefined ? undefined : { kind: "natural", ms };
    }
  }
}

function isNothing(term: Term): boolean {
  return (term.kind === "workdays" ? term.days : term.ms) === 0;
}

/** Milliseconds of natural time, for what no calendar counts. */
export function checkNaturalMs(ast: DurationAst, flow: FlowScope): number | undefined {
  const ms = durationMs(ast);
  if (ms !== undefined) return ms;
  const working = ast.unit === "workdays" || ast.unit === "workhours";
  const message = working
    ? "Only natural time can stand here, such as `48h`."
    : "A duration is a whole number of milliseconds.";
  return flow.report.add("FLOW125", ast.span, message);
}
