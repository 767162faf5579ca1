import type { Code } from "../codes.ts";
import type { Span } from "../diagnostic.ts";
import { Report } from "./report.ts";
import type { FileScope, FlowScope } from "./scope.ts";

/**
 * Looks at what stands in `home` with the names of the flow. In the flow's own file, what is wrong is reported where it
 * stands; else at `use`, where the flow needs it, with the place in the other file beside it.
 */
export function inFile<Result>(home: FileScope, flow: FlowScope, use: Span, look: (flow: FlowScope) => Result): Result {
  if (home.file === flow.file.file) return look(flow);
  const { file, text, damaged, broken } = home;
  const report = new Report(file);
  const result = look({ ...flow, report, file: { ...flow.file, file, text, damaged, broken } });
  for (const { code, message, span, hint } of report.diagnostics) {
    const related = [{ message: "It stands here.", file, span }];
    flow.report.add(code as Code, use, message, { ...(hint === undefined ? {} : { hint }), related });
  }
  flow.report.isIncomplete ||= report.isIncomplete;
  return result;
}

/**
 * A flow that could be any of those that might use what stands in the file: every name that is not built in may be one
 * of its. Money counts in CNY.
 */
export function anyFlow(file: FileScope, report: Report): FlowScope {
  return { ...namelessFlow(file, report), file: { ...file, damaged: { has: () => true } } };
}

/** A flow without a name of its own: what stands in it may use what is built in, and enums of the file. */
export function namelessFlow(file: FileScope, report: Report): FlowScope {
  const span = { start: 0, end: 0 };
  const none: readonly never[] = [];
  return {
    file,
    report,
    ast: {
      name: { text: "", quoted: true, span },
      settings: none,
      fields: none,
      events: none,
      people: none,
      routes: none,
      ensure: none,
      migrations: none,
      states: none,
      stateDocs: {},
      stateBlocks: none,
      transitions: none,
      span,
    },
    name: "",
    label: undefined,
    fields: new Map(),
    events: new Map(),
    people: new Map(),
    routed: new Set(),
    currency: "CNY",
    currencyDecimals: 2,
    hasCalendar: true,
    calendar: undefined,
    initiatorNeverApproves: false,
    states: new Map(),
    initial: undefined,
    finals: new Map(),
    blocks: new Map(),
    draft: false,
    uses: new Map(),
    mentions: noMentions(),
  };
}

export function noMentions(): FlowScope["mentions"] {
  return { documents: new Map(), emitted: new Set(), rows: new Map(), matrices: new Map(), sagas: new Map() };
}
