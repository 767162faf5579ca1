import type { FlowAst, MigrationAst } from "../ast.ts";
import type { Migration } from "../definition.ts";
import { warnOnce } from "./calls.ts";
import { unique } from "./declarations.ts";
import { stateNamed } from "./regions.ts";
import type { FlowScope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

/** `migrate from label "2.0" { OLD → NEW }`: the right side is of this version, the left of that one. */
export function checkMigrations({ migrations }: FlowAst, flow: FlowScope): readonly Migration[] | undefined {
  const checked = unique(migrations, ({ label }) => label, "migration from", flow.report).map((ast) =>
    checkMigration(ast, flow),
  );
  return checked.every((migration) => migration !== undefined) ? checked : undefined;
}

function checkMigration({ label, lines }: MigrationAst, flow: FlowScope): Migration | undefined {
  const versions = flow.file.versions.get(flow.name) ?? [];
  const old = versions.find((version) => version.label === label.text);
  if (old === undefined) {
    const message = `No version of \`${flow.name}\` with the label \`${label.text}\` is known here.`;
    const labels = versions.flatMap((version) => (version === flow ? [] : (version.label ?? [])));
    const suggestion = didYouMean(label.text, labels, label.span, true);
    warnOnce(flow, "FLOW307", `label ${flow.name} ${label.text}`, label.span, message, suggestion);
  }
  const states = unique(lines, ({ from }) => from, "state", flow.report).map(({ from, to }) => {
    if (old && old.states.size > 0 && !old.states.has(from.text)) {
      const message = `The version \`${label.text}\` has no state \`${from.text}\`.`;
      flow.report.add("FLOW308", from.span, message, didYouMean(from.text, old.states.keys(), from.span));
    }
    const state = stateNamed(to, flow);
    return state === undefined ? undefined : ([from.text, state] as const);
  });
  if (!states.every((line) => line !== undefined)) return undefined;
  return { label: label.text, states: Object.fromEntries(states) };
}
