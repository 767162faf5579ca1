import { columns } from "./io.ts";

/** What the node answers, as lines for people. Absent fields are left out. */

type Fields = Readonly<Record<string, unknown>>;

const cell = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

export function instanceText(instance: Fields): string {
  const { id, flow, key, state, outcome, suspendedAt, version, initiator, data, tasks, documents } = instance;
  const rows: [string, unknown][] = [
    ["instance", id],
    ["flow", flow],
    ["key", key],
    ["state", outcome === undefined || outcome === state ? state : `${cell(state)} (${cell(outcome)})`],
    ...placeRows(instance),
    ["suspended", suspendedAt],
    ["version", version],
    ["initiator", initiator],
    ...Object.entries((data ?? {}) as Fields).map(([name, value]): [string, unknown] => [
      `  ${name}`,
      typeof value === "object" ? JSON.stringify(value) : value,
    ]),
    ...((tasks ?? []) as readonly Fields[]).map((task): [string, unknown] => [
      "task",
      [task["id"], holderOf(task), task["in"] && `in ${cell(task["in"])}`].filter(Boolean).map(cell).join("  "),
    ]),
    ...((documents ?? []) as readonly Fields[]).map((document): [string, unknown] => ["document", document["name"]]),
  ];
  return columns(rows.filter(([, value]) => value !== undefined).map(([name, value]) => [name, cell(value)]));
}

/** What stands below the state: branches, and the sub-flow that runs. */
function placeRows({ branches, subFlow }: Fields, above = ""): [string, unknown][] {
  const below = Object.entries((branches ?? {}) as Readonly<Record<string, Fields>>).flatMap(
    ([name, branch]): [string, unknown][] => [
      [`  ${above}${name}`, branch["state"]],
      ...placeRows(branch, `${above}${name}.`),
    ],
  );
  if (subFlow === undefined) return below;
  const inner = subFlow as Fields;
  const name = `${above}${cell(inner["flow"])}`;
  return [...below, [`  ${name}`, inner["state"]], ...placeRows(inner, `${name}.`)];
}

/** Who has the task, or may claim it. */
function holderOf({ assignee, candidates }: Fields): string {
  return assignee === "" ? `${((candidates ?? []) as readonly string[]).join(" or ")} (unclaimed)` : cell(assignee);
}

/** Behind what one command did stands by what: the first digits of the digests, of which `--json` has the whole. */
export function historyText(items: readonly Fields[]): string {
  let definition: unknown;
  const rows = items.flatMap((item) => {
    const lines = (item["lines"] ?? []) as readonly Fields[];
    const version = item["definition"] === definition ? [] : [`flow ${short(item["definition"])}`];
    definition = item["definition"];
    const functions = Object.entries((item["functions"] ?? {}) as Fields).map(([name, by]) => `${name} of ${cell(by)}`);
    const evidence = [...version, `data ${short(item["dataDigest"])}`, ...functions].join(", ");
    return lines.map((line, index) => {
      const isLast = index === lines.length - 1;
      const template = line["templateHash"] === undefined ? [] : [`template ${short(line["templateHash"])}`];
      const behind = [...template, ...(isLast ? [evidence] : [])].join(", ");
      return [cell(item["at"]), cell(line["text"]) + (behind === "" ? "" : ` [${behind}]`)];
    });
  });
  return columns(rows);
}

const short = (digest: unknown): string => cell(digest).slice(0, 12);

/** A page of a list as a table, and where it goes on. */
export function pageText(page: Fields, headings: readonly string[], none: string): string {
  const items = (page["items"] ?? []) as readonly Fields[];
  if (items.length === 0) return none;
  const rows = items.map((item) => headings.map((heading) => cell(item[heading])));
  const more = page["cursor"] === undefined ? "" : `\nmore: --cursor ${cell(page["cursor"])}`;
  return columns([headings.map(headingOf), ...rows]) + more;
}

/** `openedAt` → `OPENED AT`. */
const headingOf = (name: string): string => name.replace(/[A-Z]/g, " $&").toUpperCase();
