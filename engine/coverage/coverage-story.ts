import type { Definition, Region } from "../../dsl/index.ts";
import type { StoryLine } from "../types.ts";
import { itemId } from "./coverage-items.ts";
import type { WatchedDefinition } from "./watched-definition.ts";

/** Follows a story through branches and sub-flows. */
export class StoryReader {
  private readonly watchedOf: (definition: Definition) => WatchedDefinition;
  private readonly flows: readonly Definition[];
  /** Definitions by the address of their instance: the empty text, `2`, `legal/2`. */
  private readonly places = new Map<string, Definition>();

  /** @param flows among which sub-flows are found, newest last. */
  constructor(
    watchedOf: (definition: Definition) => WatchedDefinition,
    definition: Definition,
    flows: readonly Definition[],
  ) {
    this.watchedOf = watchedOf;
    this.flows = flows;
    this.places.set("", definition);
  }

  read(story: readonly StoryLine[]): void {
    for (const line of story) this.see(line);
  }

  private see(line: StoryLine): void {
    switch (line.kind) {
      case "started":
        this.enter("", undefined);
        break;
      case "child-started":
        this.openChild(line);
        break;
      case "forked":
        for (const branch of line.branches) this.enter(below(line.in, branch), undefined);
        break;
      case "moved":
        this.move(line);
        break;
      case "looked-up": {
        const { watched } = this.at(line.in ?? "");
        watched?.hit(itemId.row(line.matrix, line.row));
        break;
      }
    }
  }

  private openChild({ flow, id, in: place }: Extract<StoryLine, { kind: "child-started" }>): void {
    const address = below(place, id.slice(id.lastIndexOf("/") + 1));
    const definition = this.flows.findLast((one) => one.flow === flow);
    if (!definition) return;
    this.places.set(address, definition);
    this.enter(address, undefined);
  }

  /** @param state absent: the initial one. */
  private enter(address: string, state: string | undefined): void {
    const { watched, prefix } = this.at(address);
    const region = watched?.items.regions.find((one) => one.prefix === prefix)?.region;
    if (region) watched.hit(itemId.state(prefix, state ?? region.initial));
  }

  private move({ from, to, line, in: place = "" }: Extract<StoryLine, { kind: "moved" }>): void {
    this.enter(place, to);
    if (line === undefined) return;
    const { watched, prefix } = this.at(place);
    // A line of a branch that leads out of it is told where it leads.
    const region = watched?.items.regions.find(
      (one) => one.prefix.startsWith(prefix) && isTaken(one.region, line, from, to, one.prefix !== prefix),
    );
    if (region) watched!.hit(itemId.transition(region.prefix, line, from));
  }

  /** The innermost flow around the place, and where in it that is. */
  private at(address: string): { readonly watched?: WatchedDefinition; readonly prefix: string } {
    const parts = address === "" ? [] : address.split("/");
    for (let length = parts.length; length >= 0; length -= 1) {
      const definition = this.places.get(parts.slice(0, length).join("/"));
      if (!definition) continue;
      const prefix = parts.slice(length).map((branch) => `${branch}.`);
      return { watched: this.watchedOf(definition), prefix: prefix.join("") };
    }
    return { prefix: "" };
  }
}

function isTaken({ transitions }: Region, line: number, from: string, to: string, isOutward: boolean): boolean {
  const taken = transitions[line];
  return taken !== undefined && taken.to === to && taken.from.includes(from) && (taken.up !== undefined) === isOutward;
}

function below(place: string | undefined, name: string): string {
  return place === undefined ? name : `${place}/${name}`;
}
