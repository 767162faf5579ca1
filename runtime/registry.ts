import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Definition, Diagnostic } from "../dsl/index.ts";
import {
  clashOf,
  Deployment,
  type FlowFiles,
  flowFilesOnDisk,
  type RegisteredServices,
  type Unit,
} from "./deployment.ts";
import type { Clock, DefinitionSource, Store } from "./ports.ts";

export type RegistryEvent =
  | {
      readonly kind: "activated";
      readonly file: string;
      readonly flows: readonly { flow: string; hash: string }[];
      readonly warnings: readonly Diagnostic[];
      readonly text: string;
    }
  | {
      readonly kind: "refused";
      readonly file: string;
      readonly diagnostics: readonly Diagnostic[];
      readonly text: string;
      /** What is active of the file all the same: its version before. */
      readonly flows: readonly { flow: string; hash: string }[];
    }
  | {
      readonly kind: "removed";
      readonly file: string;
      readonly flows: readonly { flow: string; hash: string }[];
    };

export interface RegistryPorts {
  readonly store: Pick<Store, "getSetting" | "setSetting">;
  readonly clock: Pick<Clock, "after">;
  /** Where flows are read from; absent: the disk. */
  readonly files?: FlowFiles;
  /** Of the settings, and those that are there now. */
  services(): RegisteredServices;
  changed(event: RegistryEvent): void;
  onError(error: unknown): void;
}

/** Several writes of one save come as one change. */
const SETTLE_MS = 80;
/** Files are looked at this often beside: some file systems tell nobody of a change, and a watcher may miss one. */
const LOOK_EVERY_MS = 2_000;

/**
 * What is active, and how it changes: a file that changes on disk is validated whole and swapped in, or refused while
 * the version that was active stays. Definitions that ever were active are kept in the store, for the instances on them.
 */
export class Registry {
  readonly #ports: RegistryPorts;
  readonly #source: FlowFiles;
  readonly #byHash = new Map<string, Definition>();
  readonly #watchers: FSWatcher[] = [];
  #current = new Deployment(new Map());
  #changes: Promise<void> = Promise.resolve();
  #callOffSettling: () => void = () => {};
  #callOffLooking: () => void = () => {};
  #paths: readonly string[] = [];
  /** What was looked at last, by file: a file is validated again only when something of it changed. */
  readonly #seen = new Map<string, Pick<Unit, "fingerprint" | "uses">>();
  /** Files that were refused because another file has their flow, by that file. */
  readonly #givenWay = new Map<string, string>();

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
    this.#source = ports.files ?? flowFilesOnDisk;
  }

  get current(): Deployment {
    return this.#current;
  }

  /** Loads all files for the first time. @returns the events, refusals among them; what is refused is not active. */
  async load(paths: readonly string[]): Promise<readonly RegistryEvent[]> {
    this.#paths = paths;
    const events: RegistryEvent[] = [];
    await this.#loadChanged(this.#files(), (event) => events.push(event));
    return events;
  }

  readonly definitions: DefinitionSource = {
    known: (hash) => this.#byHash.get(hash),
    load: (hash) => this.definition(hash),
  };

  /** A definition by its hash, from memory or the store. */
  async definition(hash: string): Promise<Definition | undefined> {
    const known = this.#byHash.get(hash);
    if (known) return known;
    const stored = await this.#ports.store.getSetting(definitionSetting(hash));
    if (stored === undefined) return undefined;
    const definition = JSON.parse(stored) as Definition;
    this.#byHash.set(hash, definition);
    return definition;
  }

  watch(): void {
    for (const path of this.#paths) {
      const folder = statSync(path).isDirectory() ? path : dirname(path);
      const watcher = watch(folder, { recursive: true }, (_event, name) => this.#touched(name));
      watcher.on("error", this.#ports.onError);
      this.#watchers.push(watcher);
    }
    this.#lookLater();
  }

  #lookLater(): void {
    this.#callOffLooking = this.#ports.clock.after(LOOK_EVERY_MS, () => {
      this.#lookLater();
      void this.reload();
    });
  }

  /** Reads what changed now; resolves when it is active or refused. */
  reload(): Promise<void> {
    this.#changes = this.#changes
      .then(() => this.#loadChanged(this.#files(), (event) => this.#ports.changed(event)))
      .catch(this.#ports.onError);
    return this.#changes;
  }

  async close(): Promise<void> {
    this.#callOffSettling();
    this.#callOffLooking();
    for (const watcher of this.#watchers) watcher.close();
    await this.#changes;
  }

  #touched(name: string | null): void {
    if (name !== null && !/\.(flow|docx|ts|js)$/.test(name)) return;
    this.#callOffSettling();
    this.#callOffSettling = this.#ports.clock.after(SETTLE_MS, () => void this.reload());
  }

  /** Those of the paths that are there, and what they are known to use. */
  #files(): Set<string> {
    const found = this.#paths.filter(this.#source.exists).flatMap(this.#source.find);
    const files = new Set(found.map((file) => resolve(file)));
    for (const file of files) this.#addUsed(file, files);
    return files;
  }

  /** Their flows are active as well as those that use them. */
  #addUsed(file: string, files: Set<string>): void {
    for (const used of this.#seen.get(file)?.uses ?? []) if (this.#source.exists(used)) files.add(used);
  }

  /** Reads what has changed, and swaps all of it in at once: what a file and those that use it were made to fit stays so. */
  async #loadChanged(files: Set<string>, tell: (event: RegistryEvent) => void): Promise<void> {
    const units = new Map(this.#current.units);
    const events: RegistryEvent[] = [];
    try {
      for (const unit of this.#current.units.values()) if (!files.has(unit.file)) events.push(this.#drop(unit, units));
      for (const file of files) {
        const seen = this.#seen.get(file);
        if (seen?.fingerprint !== this.#source.fingerprint(file, seen?.uses ?? []))
          events.push(await this.#loadFile(file, units));
        this.#addUsed(file, files);
      }
    } finally {
      if (events.some(({ kind }) => kind !== "refused")) this.#current = new Deployment(units);
      for (const event of events) tell(event);
    }
  }

  #drop(unit: Unit, units: Map<string, Unit>): RegistryEvent {
    const { file } = unit;
    units.delete(file);
    this.#seen.delete(file);
    this.#makeWay(file);
    return { kind: "removed", file, flows: flowsOf(unit) };
  }

  /** Who gave way to the file is looked at again: it may have the flow for itself now. */
  #makeWay(file: string): void {
    for (const [waiting, other] of this.#givenWay) if (other === file) this.#seen.delete(waiting);
  }

  async #loadFile(file: string, units: Map<string, Unit>): Promise<RegistryEvent> {
    const result = await this.#source.load(file, this.#ports.services());
    this.#givenWay.delete(file);
    if (result.kind === "refused") return this.#refuse(result, result.diagnostics, units);
    const { unit } = result;
    const clash = clashOf(unit, units.values());
    if (clash) {
      this.#givenWay.set(file, clash.with);
      return this.#refuse(unit, [clash.diagnostic], units);
    }
    for (const definition of unit.definitions) await this.#keep(definition);
    units.set(file, unit);
    this.#makeWay(file);
    this.#seen.set(file, { fingerprint: unit.fingerprint, uses: unit.uses });
    return { kind: "activated", file, flows: flowsOf(unit), warnings: unit.warnings, text: unit.text };
  }

  #refuse(
    refused: Pick<Unit, "file" | "fingerprint" | "uses" | "text">,
    diagnostics: readonly Diagnostic[],
    units: ReadonlyMap<string, Unit>,
  ): RegistryEvent {
    const { file, fingerprint, uses, text } = refused;
    this.#seen.set(file, { fingerprint, uses });
    const active = units.get(file);
    return { kind: "refused", file, diagnostics, text, flows: active ? flowsOf(active) : [] };
  }

  async #keep(definition: Definition): Promise<void> {
    if (this.#byHash.has(definition.hash)) return;
    await this.#ports.store.setSetting(definitionSetting(definition.hash), JSON.stringify(definition));
    this.#byHash.set(definition.hash, definition);
  }
}

const flowsOf = (unit: Unit) => unit.definitions.map(({ flow, hash }) => ({ flow, hash }));

/** Under which a definition is kept in the store. */
export const definitionSetting = (hash: string): string => `definition:${hash}`;
