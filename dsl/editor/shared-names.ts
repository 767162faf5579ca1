import type { Occurrence } from "./occurrences.ts";
import type { WorkspaceFile } from "./workspace.ts";

/** Where fields and people of one name are known: a flow, or a matrix, saga or document that flows share. */
export interface Site {
  readonly path: string;
  readonly scope: string;
}

/** The open files, and what stands in them. */
export interface Names {
  readonly files: ReadonlyMap<string, WorkspaceFile>;
  occurrences(path: string): readonly Occurrence[];
}

/**
 * Everywhere the field or the people at this site are meant by the name. What a matrix, a saga or a document names is that of
 * every flow that uses it; so these flows can only be changed together.
 */
export function sitesOfName(start: Site, name: string, names: Names): readonly Site[] {
  const found = new Map<string, Site>();
  const waiting = [start];
  for (let site = waiting.pop(); site; site = waiting.pop()) {
    const key = JSON.stringify([site.path, site.scope]);
    if (found.has(key)) continue;
    found.set(key, site);
    for (const { flow, shared } of linksNear(site, name, names)) {
      if (isSame(flow, site)) waiting.push(shared);
      else if (isSame(shared, site)) waiting.push(flow);
    }
  }
  return [...found.values()];
}

const isSame = (one: Site, other: Site): boolean => one.path === other.path && one.scope === other.scope;

/** A flow that declares the name uses something that names it. */
interface Link {
  readonly flow: Site;
  readonly shared: Site;
}

function linksNear({ path }: Site, name: string, names: Names): readonly Link[] {
  const near = [...names.files.values()].filter((file) => file.path === path || file.uses.includes(path));
  return near.flatMap((file) => linksIn(file, name, names));
}

function linksIn(file: WorkspaceFile, name: string, names: Names): readonly Link[] {
  const occurrences = names.occurrences(file.path);
  return file.ast.flows.flatMap(({ span }) => {
    const inside = occurrences.filter((one) => span.start <= one.span.start && one.span.end <= span.end);
    const declaration = inside.find((one) => one.declares && one.name === name && isOfData(one));
    if (!declaration) return [];
    const used = inside.filter(({ kind, declares }) => !declares && SHARED.has(kind));
    return used.flatMap((one): Link[] => {
      const shared = sharedSite(one, file, names);
      const meant = shared && names.occurrences(shared.path).some((other) => isNamed(other, name, shared));
      return shared && meant ? [{ flow: { path: file.path, scope: declaration.scope }, shared }] : [];
    });
  });
}

const SHARED: ReadonlySet<Occurrence["kind"]> = new Set(["matrix", "saga", "document"]);

/** Fields and people share their names: an alias can be read where a field could. */
export const isOfData = ({ kind }: Pick<Occurrence, "kind">): boolean => kind === "field" || kind === "people";

/** Is it the field or the people of this name, at this site? */
export const isNamed = (occurrence: Occurrence, name: string, { scope }: Site): boolean =>
  occurrence.scope === scope && occurrence.name === name && isOfData(occurrence);

/** Where what is used is declared: in the file itself, else in one that it uses. */
function sharedSite({ kind, name }: Occurrence, file: WorkspaceFile, names: Names): Site | undefined {
  const path = [file.path, ...file.uses].find((one) =>
    names.occurrences(one).some((other) => other.declares && other.kind === kind && other.name === name),
  );
  return path === undefined ? undefined : { path, scope: `${kind}:${name}` };
}
