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

export function historyText(items: readonly Fields[]): string {
  const rows = items.flatMap((item) =>
    ((item["lines"] ?? []) as readonly Fields[]).map((line) => [cell(item["at"]), cell(line["text"])]),
  );
  return columns(rows);
}

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
