import type { Effect } from "../../engine/index.ts";
import type { Outcome, Violation } from "./checks.ts";
import { isSame, type Story } from "./journal.ts";

/** Every effect arrives, under one key and as it was decided; what receivers have done by key, they have done once. */
export async function* checkEffects({ world, disk, stories }: Outcome): AsyncIterable<Violation> {
  const expected = stories.flatMap((story) => effectsOf(story).map((effect) => ({ story, effect })));
  const givenUp = await deadEffects(disk);
  const published = new Map(world.bus.published.map(({ message }) => [message.id, message]));
  const keys = new Map(world.receivers.calls.map((call) => [call.key, call]));
  const known = new Set<string>();
  for (const { story, effect } of expected) {
    for (const key of [effect.id, ...keysOf(effect)]) known.add(key);
    const missing = keysOf(effect).filter((key) => !published.has(key) && !keys.has(key));
    if (missing.length > 0 && !givenUp.has(effect.id))
      yield { check: "an effect happens at least once", what: `${effect.kind} ${missing.join()}` };
    if (givenUp.has(effect.id) && !isTold(story, effect)) yield { check: "what was given up is told", what: effect.id };
  }
  const decided = world.bus.published.filter(({ message: { id } }) => !isTelling(id));
  yield* checkSameBody(decided.map(({ message: { id, subject, body } }) => ({ key: id, what: `${subject} ${body}` })));
  yield* checkSameBody(world.receivers.calls.map(({ key, name, what }) => ({ key: `${key} ${name}`, what })));
  for (const {
    message: { id },
  } of world.bus.published)
    if (!known.has(id) && !isTelling(id))
      yield { check: "nothing happens that was not decided", what: `${id} was published` };
  for (const key of keys.keys())
    if (!known.has(key) && !key.includes("("))
      yield { check: "nothing happens that was not decided", what: `${key} was called` };
  for (const story of stories) yield* checkOrder(story, world);
  for (const early of world.store.early) yield { check: "no effect before its entry is durable", what: early };
}

const effectsOf = ({ decided }: Story): readonly Effect[] => decided.flatMap(({ accepted }) => accepted.effects);

/** An event behind an action leaves when the action is done, or was given up. */
function* checkOrder(story: Story, { receivers, bus }: Outcome["world"]): Iterable<Violation> {
  for (const { accepted } of story.decided) {
    let doneAtMs = 0;
    for (const effect of accepted.effects) {
      if (effect.kind === "call" && !isTold(story, effect)) doneAtMs = receivers.done.get(effect.id)?.atMs ?? doneAtMs;
      if (effect.kind !== "publish") continue;
      for (const { id } of effect.events) {
        const leftAtMs = bus.firstPublished.get(id);
        if (leftAtMs !== undefined && leftAtMs < doneAtMs)
          yield {
            check: "effects of a decision keep their order",
            what: `${id} left before the action before it was done`,
          };
      }
    }
  }
}

/** Under which the world outside sees it. */
function keysOf(effect: Effect): readonly string[] {
  switch (effect.kind) {
    case "publish":
      return effect.events.map(({ id }) => id);
    case "step":
      return [effect.idempotencyKey];
    case "start":
      return [];
    case "deliver":
      // A service that was asked for a function of the transition does not get the event as well.
      return effect.functions.length > 0 ? [] : [effect.id];
    default:
      return [effect.id];
  }
}

async function deadEffects(disk: Outcome["disk"]): Promise<ReadonlySet<string>> {
  const pages = await Promise.all(["acme", "globex"].map((tenant) => disk.effects(tenant, "dead", { limit: 10_000 })));
  return new Set(pages.flatMap(({ items }) => items.map(({ effect }) => effect.id)));
}

const isTold = ({ decided }: Story, { id }: Effect): boolean =>
  decided.some(({ command }) => command.kind === "report" && command.effect === id);

function* checkSameBody(seen: readonly { readonly key: string; readonly what: string }[]): Iterable<Violation> {
  const first = new Map<string, string>();
  for (const { key, what } of seen) {
    if (!isSame(first.get(key) ?? what, what))
      yield { check: "an effect is the same each time", what: `${key}: ${first.get(key)} and ${what}` };
    first.set(key, what);
  }
}

/** Of changes of the registry, and of effects that are stuck: told by the node itself. */
const isTelling = (id: string): boolean => id.startsWith("registry:") || /:(stuck|dead)$/.test(id);
