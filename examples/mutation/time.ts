import type { DurationAst, FlowAst, RegionAst } from "../../dsl/index.ts";
import { approvalsIn } from "./approvals.ts";
import {
  briefly,
  inserted,
  linesOf,
  type Mutant,
  type Operator,
  removed,
  replaced,
  type Sample,
  textAt,
} from "./sample.ts";

/** Calendars, deadlines, and properties that a way round breaks. */
export const timeOperators: readonly Operator[] = [
  {
    name: "lead past what a property needs",
    mutants: (sample) =>
      linesOf(sample).flatMap(({ line, flow, branch }) => {
        const leavesInitial = line.from !== "any" && line.from.some(({ text }) => text === flow.initial?.text);
        if (branch || !leavesInitial || line.trigger.kind !== "event") return [];
        return protectedStates(flow)
          .filter((state) => state !== line.to.text)
          .map((state) => ({
            edits: [replaced(line.to.span, state)],
            what: `${briefly(sample.text, line.span)} → ${state}`,
          }));
      }),
  },
  {
    name: "ask for an end that comes too soon",
    mutants: (sample) =>
      sample.ast.flows.flatMap((flow) =>
        withinOf(flow).map(({ span }) => ({ edits: [replaced(span, "1m")], what: flow.name.text })),
      ),
  },
  {
    name: "let a state last longer than the whole may",
    mutants: (sample) =>
      endsIn(sample).map(({ duration, within, what }) => ({
        edits: [replaced(duration.span, `${Number(within.amount) + 1}${within.unit}`)],
        what,
      })),
  },
  {
    name: "let a seat wait longer than the whole may",
    mutants: (sample) =>
      approvalsIn(sample).flatMap(({ flow, region, state, approval }) => {
        const [within] = withinOf(flow);
        const due = approval.options.find((option) => option.kind === "due");
        const hasOtherEnd = region.transitions.some(({ from, trigger }) => {
          return trigger.kind === "after" && from !== "any" && from.some(({ text }) => text === state);
        });
        if (region !== flow || !within || !due || hasOtherEnd || !endsOverdue(region, state)) return [];
        return [{ edits: [replaced(due.duration.span, `${Number(within.amount) + 1}${within.unit}`)], what: state }];
      }),
  },
  {
    name: "drop the end of a state that nothing else ends",
    mutants: (sample) => endsIn(sample).map(({ line, what }) => ({ edits: [removed(line.span)], what })),
  },
  {
    name: "count working time without a calendar",
    mutants: (sample) =>
      sample.ast.flows.flatMap(({ settings, name, span }) => {
        const calendar = settings.find(({ key }) => key.text === "calendar");
        if (!calendar || !/work(day|hour)s/.test(textAt(sample.text, span))) return [];
        return [
          { edits: [removed({ start: calendar.key.span.start, end: calendar.value.span.end })], what: name.text },
        ];
      }),
  },
  {
    name: "name a day that does not exist",
    mutants: (sample) => {
      const days = sample.ast.calendars.flatMap(({ holidays = [], workdays = [] }) => [...holidays, ...workdays]);
      return days.map(({ from }) => ({
        edits: [replaced(from.span, `${from.text.slice(0, 4)}-02-30`)],
        what: from.text,
      }));
    },
  },
  {
    name: "end the day before it begins",
    mutants: (sample) =>
      sample.ast.calendars.flatMap(({ hours = [] }) =>
        hours.map(({ from, to, span }): Mutant => {
          return {
            edits: [replaced(from.span, to.text), replaced(to.span, from.text)],
            what: briefly(sample.text, span),
          };
        }),
      ),
  },
  {
    name: "work on no day of the week",
    mutants: (sample) =>
      sample.ast.calendars.flatMap(({ weekend = [], name }) => {
        const last = weekend.at(-1);
        return last ? [{ edits: [inserted(last.span.end, ", mon, tue, wed, thu, fri")], what: name.text }] : [];
      }),
  },
];

/** States of the flow's own machine that are never reached without something. */
function protectedStates({ ensure, states }: FlowAst): readonly string[] {
  const names = ensure.flatMap((property) => {
    return property.kind === "never-without" && !property.state.branch ? [property.state.name.text] : [];
  });
  return [...new Set(names)].filter((name) => states.some(({ text }) => text === name));
}

function withinOf({ ensure }: FlowAst): readonly DurationAst[] {
  return ensure.flatMap((property) => (property.kind === "reaches-final" ? [property.within] : []));
}

/** Lines of flows with `reaches final` that are the only end of their states by time. */
function endsIn(sample: Sample) {
  return linesOf(sample).flatMap(({ line, flow, region, branch }) => {
    const { trigger, from } = line;
    const [within] = withinOf(flow);
    if (branch || !within || trigger.kind !== "after" || from === "any") return [];
    if (from.some(({ text }) => text === flow.initial?.text || endsOverdue(region, text))) return [];
    return [{ line, duration: trigger.duration, within, what: briefly(sample.text, line.span) }];
  });
}

function endsOverdue({ stateBlocks }: RegionAst, state: string): boolean {
  const options = stateBlocks.find(({ name }) => name.text === state)?.approval?.options ?? [];
  return options.some(
    (option) => option.kind === "overdue" && option.steps.some(({ step }) => step === "approve" || step === "reject"),
  );
}
