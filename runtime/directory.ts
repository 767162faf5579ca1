import { z } from "zod";
import type { Absence } from "../engine/index.ts";
import type { Answer, Directory, Question } from "./ports.ts";

const day = z.iso.date("must be a day like 2026-10-01");

/** Both days are part of it. */
const absenceShape = z
  .strictObject({ from: day, to: day, deputy: z.string().min(1).optional() })
  .refine(({ from, to }) => from <= to, "`from` must not be after `to`");

/** A person as the embedded directory knows them. */
const personShape = z.strictObject({
  id: z.string().min(1),
  name: z.string().optional(),
  org: z.string().optional(),
  tags: z.array(z.string()).optional(),
  /** Direct superior (直属上级). */
  manager: z.string().optional(),
  dept: z.string().optional(),
  groups: z.array(z.string()).optional(),
  roles: z.array(z.string()).optional(),
  positions: z.array(z.string()).optional(),
  /** When they are absent (休假), and who decides for them then (代理). */
  away: z.array(absenceShape).optional(),
  /** They left for good (离职); whose seats the successor gets. Stays in the file as long as anybody names them. */
  left: z.strictObject({ successor: z.string().min(1).optional() }).optional(),
});

export const directoryShape = z.strictObject({
  people: z.array(personShape),
  /** Head (部门负责人) by department. */
  heads: z.record(z.string(), z.string()).optional(),
});

export type DirectoryFile = z.infer<typeof directoryShape>;
export type DirectoryPerson = DirectoryFile["people"][number];

/** Longest chain of superiors that is followed; a longer one is a circle or a mistake. */
const CHAIN_MAX = 50;

/** People kept in memory, from a `directory.json` or the seeds of `--dev`; answers at once. */
export function embeddedDirectory(file: DirectoryFile): Directory {
  const people = new Map(file.people.map((person) => [person.id, person]));
  const members = (of: (person: DirectoryPerson) => readonly string[] | undefined, name: string): string[] =>
    file.people.filter((person) => of(person)?.includes(name)).map((person) => person.id);
  const chain = (id: string): string[] => {
    const found: string[] = [];
    for (let at = people.get(id)?.manager; at && found.length < CHAIN_MAX; at = people.get(at)?.manager) {
      if (found.includes(at)) break;
      found.push(at);
    }
    return found;
  };
  const absent = new Map(file.people.filter(isEverAbsent).map((person) => [person.id, absenceOf(person)]));
  const answers: Record<string, (argument: string) => readonly string[]> = {
    user: (id) => (people.has(id) ? [id] : []),
    group: (name) => members((person) => person.groups, name),
    role: (name) => members((person) => person.roles, name),
    position: (name) => members((person) => person.positions, name),
    dept: (name) => members((person) => (person.dept ? [person.dept] : []), name),
    headOf: (dept) => [file.heads?.[dept] ?? []].flat(),
    managerOf: (id) => chain(id).slice(0, 1),
    managersOf: chain,
  };
  return {
    answer({ kind, name, arguments: args }: Question): Answer | undefined {
      if (kind === "absences") return absencesOf(args, absent);
      const [argument] = args;
      if (kind !== "people" || !Object.hasOwn(answers, name)) return undefined;
      return { people: typeof argument === "string" ? answers[name]!(argument) : [] };
    },
    person(_tenant, id) {
      const person = people.get(id);
      if (!person) return undefined;
      const { name, org, tags } = person;
      return { id, ...(name !== undefined && { name }), ...(org !== undefined && { org }), ...(tags && { tags }) };
    },
  };
}

const isEverAbsent = ({ away, left }: DirectoryPerson): boolean => left !== undefined || away !== undefined;

const NOBODY: Answer = { absences: {} };

/** Only of those who are not always there. Asked whenever a seat opens. */
function absencesOf(asked: Question["arguments"], absent: ReadonlyMap<string, Absence>): Answer {
  const found = asked.filter((id) => absent.has(id as string)) as string[];
  if (found.length === 0) return NOBODY;
  return { absences: Object.fromEntries(found.map((id) => [id, absent.get(id)!])) };
}

const absenceOf = ({ away, left }: DirectoryPerson): Absence => ({
  ...(left && { left: left.successor === undefined ? {} : { successor: left.successor } }),
  ...(away && {
    away: away.map(({ from, to, deputy }) => (deputy === undefined ? { from, to } : { from, to, deputy })),
  }),
});

/** The people of `--dev`: bob is everybody's superior, carol, dave and erin are finance. */
export const SEEDED_PEOPLE: DirectoryFile = {
  people: [
    { id: "alice", name: "Alice", org: "org-1001", manager: "bob", dept: "sales" },
    { id: "bob", name: "Bob", org: "org-1001", manager: "carol", dept: "sales", groups: ["reviewers"] },
    { id: "carol", name: "Carol", org: "org-1001", dept: "finance", groups: ["finance", "reviewers"], roles: ["cfo"] },
    { id: "dave", name: "Dave", org: "org-1001", manager: "carol", dept: "finance", groups: ["finance"] },
    { id: "erin", name: "Erin", org: "org-1001", manager: "carol", dept: "finance", groups: ["finance"] },
    { id: "admin", name: "Admin", roles: ["admin"], groups: ["admin"] },
  ],
  heads: { sales: "bob", finance: "carol" },
};
