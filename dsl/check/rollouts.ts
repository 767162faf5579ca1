import type { ExpressionAst, RolloutAst } from "../ast.ts";
import type { MatrixCell, RolloutDefinition } from "../definition.ts";
import { warnOnce } from "./calls.ts";
import { checkCell } from "./cells.ts";
import { unique } from "./declarations.ts";
import { plainScope } from "./expressions.ts";
import { canonicalDecimal } from "./literals.ts";
import type { Report } from "./report.ts";
import { type FileScope, type FlowScope, isDamaged, isSound } from "./scope.ts";
import { flowNamed } from "./sub-flows.ts";
import { didYouMean } from "./suggest.ts";

type ItemAst = RolloutAst["items"][number];

/** Names that are no fields in a rollout. */
const RESERVED: ReadonlySet<string> = new Set(["tags", "orgs", "percent"]);

/** A rollout whose fields are typed by its flow; `undefined` if it has errors, or its fields can't be typed here. */
export function checkRollout(ast: RolloutAst, file: FileScope, report: Report): RolloutDefinition | undefined {
  const flow = flowNamed(ast.flow, { file, report });
  const version = flow && versionOf(ast, flow, file, report);
  const items = unique(ast.items, ({ name }) => name, "line", report);
  const item = (name: string) => items.find((other) => other.name.text === name);
  const tags = item("tags");
  const orgs = item("orgs");
  const percent = item("percent");
  const tagTexts = tags && checkTexts(tags, report);
  const orgTexts = orgs && checkTexts(orgs, report);
  const share = percent && checkPercent(percent, report);
  const named = items.filter(({ name }) => !RESERVED.has(name.text));
  const fields = named.map((field) => version && checkField(field, version, report));
  if (!report.isClean || !isSound(ast, file) || !fields.every((field) => field !== undefined)) return undefined;
  return {
    name: ast.name.text,
    flow: ast.flow.text,
    label: ast.label.text,
    ...(tagTexts ? { tags: tagTexts } : {}),
    ...(orgTexts ? { orgs: orgTexts } : {}),
    fields,
    ...(share === undefined ? {} : { percent: share }),
  };
}

/** The version that is rolled out; fields are those of it. */
function versionOf(ast: RolloutAst, current: FlowScope, file: FileScope, report: Report): FlowScope {
  const versions = file.versions.get(ast.flow.text) ?? [];
  const version = versions.find(({ label }) => label === ast.label.text);
  if (version) return version;
  const message = `No version of \`${ast.flow.text}\` with the label \`${ast.label.text}\` is known here.`;
  const labels = versions.flatMap(({ label }) => label ?? []);
  const suggestion = didYouMean(ast.label.text, labels, ast.label.span, true);
  warnOnce(
    { file, report },
    "FLOW307",
    `label ${ast.flow.text} ${ast.label.text}`,
    ast.label.span,
    message,
    suggestion,
  );
  return current;
}

function checkTexts({ name, value }: ItemAst, report: Report): readonly string[] | undefined {
  const items = value.kind === "list" ? value.items : undefined;
  const texts = items?.map((item) => (item.kind === "text" ? item.value : undefined));
  if (texts?.every((text) => text !== undefined)) return texts;
  return report.add("FLOW276", value.span, `\`${name.text}\` takes a list of texts, such as \`["beta"]\`.`);
}

function checkPercent({ value }: ItemAst, report: Report): string | undefined {
  if (value.kind === "number" && Number(value.text) <= 100) return canonicalDecimal(value.text);
  return report.add("FLOW276", value.span, "`percent` takes a number from 0 to 100.");
}

function checkField(
  { name, value }: ItemAst,
  flow: FlowScope,
  report: Report,
): { readonly name: string; readonly cell: MatrixCell } | undefined {
  const field = flow.fields.get(name.text);
  if (field === undefined) {
    if (flow.fields.has(name.text) || isDamaged(name.text, { file: flow.file, report })) return undefined;
    const known = [...flow.fields.keys(), ...RESERVED];
    const message = `The flow \`${flow.name}\` has no field \`${name.text}\`.`;
    return report.add("FLOW103", name.span, message, didYouMean(name.text, known, name.span));
  }
  if (field.secret) return report.add("FLOW123", name.span, `\`${name.text}\` is secret.`);
  if (field.type.kind === "list" || field.type.kind === "record" || !isChoice(value)) {
    const example = "an interval or a list, such as `[100, 5000)`";
    return report.add("FLOW276", value.span, `A field of a rollout has ${example}.`);
  }
  const cell = checkCell([value], field.type, plainScope({ ...flow, report, fields: new Map() }));
  return cell && { name: name.text, cell };
}

function isChoice({ kind }: ExpressionAst): boolean {
  return kind === "interval" || kind === "list";
}
