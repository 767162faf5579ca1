import { columns } from "./io.ts";

/** What the node answers, as lines for people. Absent fields are left out. */

type Fields = Readonly<Record<string, unknown>>;

const cell = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

export function instanceText(instance: Fields): string {
  const { id, flow, key, state, outcome, version, initiator, data, tasks, documents } = instance;
  const rows: [string, unknown][] = [
    ["instance", id],
    ["flow", flow],
    ["key", key],
    ["state", outcome === undefined || outcome === state ? state : `${cell(state)} (${cell(outcome)})`],
    ["version", version],
    ["initiator", initiator],
    ...Object.entries((data ?? {}) as Fields).map(([name, value]): [string, unknown] => [
      `  ${name}`,
      typeof value === "object" ? JSON.stringify(value) : value,
    ]),
    ...((tasks ?? []) as readonly Fields[]).map((task): [string, unknown] => [
      "task",
      `${cell(task["id"])}  ${cell(task["assignee"])}`,
    ]),
    ...((documents ?? []) as readonly Fields[]).map((document): [string, unknown] => ["document", document["name"]]),
  ];
  return columns(rows.filter(([, value]) => value !== undefined).map(([name, value]) => [name, cell(value)]));
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
