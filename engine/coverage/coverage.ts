import type { Definition } from "../../dsl/index.ts";
import type { StoryLine } from "../types.ts";
import type { CoverageItem } from "./coverage-items.ts";
import { StoryReader } from "./coverage-story.ts";
import { WatchedDefinition } from "./watched-definition.ts";

/** How often tests came by an item. */
export interface Covered {
  readonly item: CoverageItem;
  readonly hits: number;
}

/** What tests came by in flows. A flow that is watched is decided like any other, by conditions that tell how they came out. */
export class Coverage {
  private readonly byOriginal = new Map<Definition, WatchedDefinition>();
  private readonly byCopy = new Map<Definition, WatchedDefinition>();

  /** The same definition under watch; what is decided with it is seen. */
  watch(definition: Definition): Definition {
    const known = this.byOriginal.get(definition) ?? this.byCopy.get(definition);
    if (known) return known.copy;
    const watched = new WatchedDefinition(definition);
    this.byOriginal.set(definition, watched);
    this.byCopy.set(watched.copy, watched);
    return watched.copy;
  }

  /** Takes in the story of an instance from its start. @param flows among which its sub-flows are found, newest last. */
  note(definition: Definition, story: readonly StoryLine[], flows: readonly Definition[] = []): void {
    new StoryReader((one) => this.watched(one), definition, flows).read(story);
  }

  /** All items of a flow, with their hits so far. */
  of(definition: Definition): readonly Covered[] {
    const { items, hits } = this.watched(definition);
    return items.items.map((item) => ({ item, hits: hits.get(item.id) ?? 0 }));
  }

  /** Ids of what a flow was seen to come by since the last call, and forgets it. */
  take(definition: Definition): ReadonlySet<string> {
    const { hits } = this.watched(definition);
    const taken = new Set(hits.keys());
    hits.clear();
    return taken;
  }

  private watched(definition: Definition): WatchedDefinition {
    this.watch(definition);
    return (this.byOriginal.get(definition) ?? this.byCopy.get(definition))!;
  }
}
