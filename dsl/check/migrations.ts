import type { FlowAst, MigrationAst, Name, QualifiedNameAst } from "../ast.ts";
import type { Migration } from "../definition.ts";
import { warnOnce } from "./calls.ts";
import { unique } from "./declarations.ts";
import { branchesOf, qualifiedState } from "./properties.ts";
import type { FlowScope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

/** `migrate from label "2.0" { OLD → NEW; legal.OLD → legal.NEW }`: the right side is of this version, the left of that one. */
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
  const states = unique(lines, ({ from }) => written(from), "state", flow.report).map(({ from, to }) => {
    if (old && old.states.size > 0) warnUnlessThere(from, old, flow);
    const state = qualifiedState(to, flow);
    if (state === undefined) return undefined;
    return from.branch?.text === to.branch?.text ? ([written(from).text, state] as const) : apart(from, to, flow);
  });
  if (!states.every((line) => line !== undefined)) return undefined;
  return { label: label.text, states: Object.fromEntries(states) };
}

/** `legal.CHECK`, as in the definition. */
function written({ branch, name, span }: QualifiedNameAst): Name {
  return { text: branch ? `${branch.text}.${name.text}` : name.text, quoted: false, span };
}

function warnUnlessThere(from: QualifiedNameAst, old: FlowScope, { report }: FlowScope): void {
  const { text, span } = written(from);
  const inBranches = branchesOf(old.ast).flatMap(({ name, states }) => states.map((state) => `${name}.${state}`));
  const known = from.branch ? inBranches : [...old.states.keys()];
  if (known.includes(text)) return;
  report.add("FLOW308", span, `The version \`${old.label}\` has no state \`${text}\`.`, didYouMean(text, known, span));
}

/** What runs in a branch goes on in that branch. */
function apart(from: QualifiedNameAst, to: QualifiedNameAst, { report }: FlowScope): undefined {
  const { text } = written(from);
  const message = from.branch
    ? `\`${text}\` can only become a state of the branch \`${from.branch.text}\`.`
    : `\`${text}\` can only become a state outside of branches.`;
  return report.add("FLOW102", to.span, message);
}
