import type { FileAst } from "../ast.ts";
import { type Compiled, type CompileEnvironment, check } from "../compile.ts";
import type { Diagnostic, Span, TextEdit } from "../diagnostic.ts";
import { parse } from "../parse.ts";
import { KnownProofs } from "../proofs/known-proofs.ts";
import { type Completion, complete, type EditorWorld } from "./complete.ts";
import { controlsIn } from "./controls.ts";
import { type HoverFile, hover } from "./hover.ts";
import { type Inlay, inlaysOf } from "./inlays.ts";
import { type Occurrence, occurrencesOf } from "./occurrences.ts";
import { type OutlineItem, outlineOf } from "./outline.ts";
import { isNamed, isOfData, type Site, sitesOfName } from "./shared-names.ts";

export interface WorkspaceFile {
  readonly path: string;
  readonly text: string;
  readonly ast: FileAst;
  /** What the parser found. */
  readonly syntax: readonly Diagnostic[];
  readonly lost: readonly Span[];
  /** Paths of the files that it uses. */
  readonly uses: readonly string[];
  /** Absent: to be looked up again. */
  occurrences?: readonly Occurrence[];
  /** Absent: to be checked again. */
  compiled?: Compiled;
  /** They last from one text of the file to the next. */
  readonly proofs: KnownProofs;
}

export interface Location {
  readonly path: string;
  readonly span: Span;
}

export type Rename =
  | { readonly kind: "edits"; readonly edits: ReadonlyMap<string, readonly TextEdit[]> }
  | { readonly kind: "refused"; readonly why: string };

/** A `use` path, relative to the folder of the file that has it. */
function usedPath(file: string, used: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const part of used.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/**
 * Files as an editor has them open. What changes is parsed at once and checked when it is asked for; of the others only
 * those that use it are checked again, and of each file only those flows are proved again that have become others.
 */
export class Workspace {
  readonly #files = new Map<string, WorkspaceFile>();
  /** Which files use a file. */
  readonly #users = new Map<string, Set<string>>();
  #environment: CompileEnvironment = {};
  /** One for all files, so that what they share is looked at once. */
  #shared: CompileEnvironment = {};
  world: EditorWorld;

  constructor(environment: CompileEnvironment = {}, world: EditorWorld = {}) {
    this.environment = environment;
    this.world = world;
  }

  get environment(): CompileEnvironment {
    return this.#environment;
  }

  set environment(environment: CompileEnvironment) {
    this.#environment = environment;
    this.#shared = {
      ...environment,
      file: (used) => this.#files.get(used)?.text ?? environment.file?.(used),
    };
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  file(path: string): WorkspaceFile | undefined {
    return this.#files.get(path);
  }

  /** @returns the files whose diagnostics may be other ones now, this one first. */
  set(path: string, text: string): readonly string[] {
    if (this.#files.get(path)?.text === text) return [];
    const { ast, diagnostics: syntax, lost } = parse(text, path);
    const uses = ast.uses.map((use) => usedPath(path, use.path.text));
    const proofs = this.#files.get(path)?.proofs ?? new KnownProofs();
    this.#forgetUses(path);
    this.#files.set(path, { path, text, ast, syntax, lost, uses, proofs });
    for (const used of uses) this.#users.set(used, (this.#users.get(used) ?? new Set()).add(path));
    return this.#outdate(path);
  }

  remove(path: string): readonly string[] {
    this.#forgetUses(path);
    this.#files.delete(path);
    return this.#outdate(path);
  }

  #forgetUses(path: string): void {
    for (const used of this.#files.get(path)?.uses ?? []) this.#users.get(used)?.delete(path);
  }

  #outdate(path: string): readonly string[] {
    const users = [...(this.#users.get(path) ?? [])];
    for (const user of users) {
      const file = this.#files.get(user);
      delete file?.compiled;
      delete file?.occurrences;
    }
    return [path, ...users.filter((user) => user !== path)];
  }

  compiled(path: string): Compiled | undefined {
    const file = this.#files.get(path);
    if (!file) return undefined;
    file.compiled ??= check({ ...file, file: path }, this.#shared, file.proofs);
    return file.compiled;
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Names
  // -------------------------------------------------------------------------------------------------------------- //

  occurrences(path: string): readonly Occurrence[] {
    const file = this.#files.get(path);
    if (!file) return [];
    const used = file.uses.flatMap((other) => this.#files.get(other)?.ast ?? []);
    file.occurrences ??= occurrencesOf(file.ast, used);
    return file.occurrences;
  }

  occurrenceAt(path: string, offset: number): Occurrence | undefined {
    return this.occurrences(path)
      .filter(({ span }) => span.start <= offset && offset <= span.end)
      .sort((one, other) => one.span.end - one.span.start - (other.span.end - other.span.start))[0];
  }

  /** Where it is declared. */
  declarations(path: string, offset: number): Location[] {
    return this.#same(path, offset)
      .filter(({ occurrence }) => occurrence.declares)
      .map(({ path: where, occurrence }) => ({ path: where, span: occurrence.span }));
  }

  references(path: string, offset: number): Location[] {
    return this.#same(path, offset).map(({ path: where, occurrence }) => ({ path: where, span: occurrence.span }));
  }

  rename(path: string, offset: number, name: string): Rename {
    const occurrence = this.occurrenceAt(path, offset);
    if (!occurrence) return { kind: "refused", why: "Here is no name." };
    if (occurrence.kind === "function") {
      return { kind: "refused", why: `\`${occurrence.name}\` is declared outside these files.` };
    }
    const all = this.#same(path, offset);
    if (isOfData(occurrence) && !all.some((one) => one.occurrence.declares)) {
      return { kind: "refused", why: `No flow in these files declares \`${occurrence.name}\`.` };
    }
    if (name !== occurrence.name && this.#isTaken(name, all)) {
      return { kind: "refused", why: `There is another \`${name}\` already.` };
    }
    const quoted = (one: Occurrence, text: string): boolean => text.startsWith('"', one.span.start);
    const edits = new Map<string, TextEdit[]>();
    for (const { path: where, occurrence: one } of all) {
      const isQuoted = quoted(one, this.#files.get(where)!.text);
      if (!isQuoted && !/^[\p{L}_](?:[\p{L}\p{N}_]|-(?=[\p{L}\p{N}]))*$/u.test(name)) {
        return { kind: "refused", why: `\`${name}\` is no name: letters, digits, \`_\` and \`-\` between them.` };
      }
      const list = edits.get(where) ?? [];
      list.push({ span: one.span, text: isQuoted ? JSON.stringify(name) : name });
      edits.set(where, list);
    }
    return { kind: "edits", edits };
  }

  /** Every occurrence of the symbol at this place: in its scope, or, for what a file shares, where it can be seen. */
  #same(path: string, offset: number): { readonly path: string; readonly occurrence: Occurrence }[] {
    const wanted = this.occurrenceAt(path, offset);
    if (!wanted) return [];
    const inFile = (file: WorkspaceFile) =>
      this.occurrences(file.path)
        .filter(({ kind, name, scope }) => kind === wanted.kind && name === wanted.name && scope === wanted.scope)
        .map((occurrence) => ({ path: file.path, occurrence }));
    const own = this.#files.get(path)!;
    if (isOfData(wanted)) return this.#sameData({ path, scope: wanted.scope }, wanted.name);
    if (wanted.scope !== "") return inFile(own);
    const everywhere = wanted.kind === "flow" || wanted.kind === "function";
    const declaring = everywhere ? undefined : this.#declaring(own, wanted);
    const seen = [...this.#files.values()].filter(
      (file) => everywhere || file.path === declaring || (declaring !== undefined && file.uses.includes(declaring)),
    );
    return (seen.length > 0 ? seen : [own]).flatMap(inFile);
  }

  #sameData(start: Site, name: string): { readonly path: string; readonly occurrence: Occurrence }[] {
    const names = { files: this.#files, occurrences: (file: string) => this.occurrences(file) };
    return sitesOfName(start, name, names).flatMap((site) =>
      this.occurrences(site.path)
        .filter((one) => isNamed(one, name, site))
        .map((occurrence) => ({ path: site.path, occurrence })),
    );
  }

  /** Is the name declared where one of these occurrences stands, or where what is shared can be seen? */
  #isTaken(name: string, all: readonly { readonly path: string; readonly occurrence: Occurrence }[]): boolean {
    return all.some(({ path, occurrence: { kind, scope } }) => {
      const isOther = (one: Occurrence) =>
        one.declares &&
        one.name === name &&
        one.scope === scope &&
        (one.kind === kind || (isOfData(one) && isOfData({ kind })));
      const paths = scope === "" ? this.#seenWith(path) : [path];
      return paths.some((where) => this.occurrences(where).some(isOther));
    });
  }

  /** The file, those that it uses and those that use it. */
  #seenWith(path: string): readonly string[] {
    const uses = this.#files.get(path)?.uses ?? [];
    return [path, ...uses, ...(this.#users.get(path) ?? [])];
  }

  #declaring(file: WorkspaceFile, wanted: Occurrence): string | undefined {
    const declares = ({ path }: WorkspaceFile): boolean =>
      this.occurrences(path).some(
        ({ kind, name, declares }) => declares && kind === wanted.kind && name === wanted.name,
      );
    if (declares(file)) return file.path;
    return file.uses.find((used) => {
      const other = this.#files.get(used);
      return other !== undefined && declares(other);
    });
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // What an editor shows
  // -------------------------------------------------------------------------------------------------------------- //

  hover(path: string, offset: number): { readonly text: string; readonly span: Span } | undefined {
    const file = this.#files.get(path);
    const occurrence = this.occurrenceAt(path, offset);
    if (!file || !occurrence) return undefined;
    const definitions = this.compiled(path)?.definitions ?? [];
    const used = file.uses.flatMap((other) => this.#hoverFile(other) ?? []);
    const text = hover(occurrence, this.#hoverFile(path)!, used, definitions, this.world);
    return text === undefined ? undefined : { text, span: occurrence.span };
  }

  #hoverFile(path: string): HoverFile | undefined {
    const file = this.#files.get(path);
    const errors = this.compiled(path)?.diagnostics.filter((one) => one.file === path && one.severity === "error");
    return file && errors && { ast: file.ast, text: file.text, errors };
  }

  complete(path: string, offset: number): readonly Completion[] {
    const file = this.#files.get(path);
    if (!file) return [];
    const others = [...this.#files.values()].filter((other) => other !== file);
    const flows = others.flatMap(({ ast }) => ast.flows.map(({ name }) => name.text));
    const controls = controlsIn(
      [...this.#files.values()].map(({ ast }) => ast),
      this.world.controls,
    );
    return complete(file.text, offset, file.ast, {
      ...this.world,
      flows: [...flows, ...(this.world.flows ?? [])],
      controls,
    });
  }

  outline(path: string): OutlineItem[] {
    const file = this.#files.get(path);
    return file ? outlineOf(file.ast) : [];
  }

  inlays(path: string): Inlay[] {
    const file = this.#files.get(path);
    const definitions = this.compiled(path)?.definitions ?? [];
    return (file?.ast.flows ?? []).flatMap((flow) => {
      const definition = definitions.findLast((one) => one.flow === flow.name.text);
      return definition ? inlaysOf(flow, definition) : [];
    });
  }
}
