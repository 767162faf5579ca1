/** Laws of section 2.7 of the semantics that hold for any flow, on random ones; those about a single round are in `conformance/model/`. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { placesOf } from "../instance-parts.ts";
import { replay } from "../replay.ts";
import type { Accepted, Round, StoryLine } from "../types.ts";
import { stageKey } from "../views.ts";
import { type Life, live, lives } from "./random-lives.ts";
import { assertSound } from "./soundness.ts";

const RUNS = { numRuns: Number(process.env["LAW_RUNS"] ?? 150) };

suite("laws of any flow", () => {
  test("one open task per person, none that belongs to nobody, and after the end those of its compensation alone", () => {
    const property = fc.property(lives, (random) => {
      live(random, assertSound);
    });
    fc.assert(property, RUNS);
  });

  test("replaying the history gives the instance, from JSON too", () => {
    const property = fc.property(lives, (random) => {
      const life = live(random);
      const definitions = (hash: string) => life.others.find((one) => one.hash === hash);
      assert.deepEqual(replay(life.definition, life.history, definitions), life.instance);
      const stored = JSON.parse(JSON.stringify(life.history)) as typeof life.history;
      assert.deepEqual(replay(life.definition, stored, definitions), JSON.parse(JSON.stringify(life.instance)));
    });
    fc.assert(property, RUNS);
  });

  test("a command that is accepted changes nothing when it comes again, and its id stands for no other", () => {
    const property = fc.property(lives, fc.array(fc.nat(), { maxLength: 40 }), (random, seeds) => {
      const pending = [...seeds];
      live(random, (life) => {
        const earlier = life.history.slice(-64);
        const command = earlier[(pending.pop() ?? 0) % earlier.length]!.command;
        const version = life.history.findIndex((one) => one.command === command) + 1;
        assert.deepEqual(life.ask(command), { kind: "duplicate", version });
        const other = life.ask({ ...command, digest: "of another body" });
        assert.equal(other.kind === "refused" && other.code, "id-reused");
      });
    });
    fc.assert(property, RUNS);
  });

  test("to add nobody before oneself changes nothing", () => {
    const property = fc.property(lives, fc.array(fc.nat(), { maxLength: 40 }), (random, seeds) => {
      const pending = [...seeds];
      live(random, (life) => {
        const { waiting, instance } = life;
        const actor = waiting[(pending.pop() ?? 0) % waiting.length];
        if (actor === undefined) return;
        const adding = { kind: "add", where: "before", people: [], all: false, advisory: false } as const;
        const decision = life.ask({ ...adding, actor, id: "nobody", source: "s", digest: "" });
        if (decision.kind !== "accepted") return;
        const { version: _, updatedAt: __, recent: ___, ...same } = decision.instance;
        const { version: ____, updatedAt: _____, recent: ______, ...before } = instance!;
        assert.deepEqual(same, before);
        assert.deepEqual([decision.story, decision.tasks, decision.effects], [[], [], []]);
      });
    });
    fc.assert(property, RUNS);
  });

  test("a result that is certain flips only by taking back, or where an administrator overrides it", () => {
    const property = fc.property(lives, (random) => {
      const results = new Results();
      live(random, (life) => results.see(life));
    });
    fc.assert(property, RUNS);
  });

  test("at its close a round's seats have one last task each, and every task of it is closed", () => {
    const property = fc.property(lives, (random) => {
      const chains = new Chains();
      live(random, (life) => chains.see(life));
    });
    fc.assert(property, RUNS);
  });
});

const keyOf = (address: string, { state, stage, number }: Pick<Round, "state" | "stage" | "number">): string =>
  `${stageKey(address, state, stage)}#${number}`;

/** What has been accepted since it was looked at last. */
class News {
  private seen = 0;

  of({ accepted }: Life): readonly Accepted[] {
    const news = accepted.slice(this.seen);
    this.seen = accepted.length;
    return news;
  }
}

const CERTAIN = new Set(["approved", "rejected", "skipped", "done"]);

/** Results of rounds, as soon as they are certain. */
class Results {
  private readonly news = new News();
  private readonly results = new Map<string, string>();
  private readonly roundOf = new Map<string, string>();

  see(life: Life): void {
    for (const { instance, story } of this.news.of(life)) {
      for (const line of story) this.hear(line);
      for (const { address, place } of placesOf(instance)) {
        const { round } = place;
        if (!round) continue;
        const key = keyOf(address, round);
        for (const { task } of round.seats) if (task) this.roundOf.set(task.id, key);
        if (round.result === undefined && round.certain) this.note(key, round.certain.result);
      }
    }
  }

  private hear(line: StoryLine): void {
    if (line.kind === "taken-back") this.results.delete(this.roundOf.get(line.task) ?? "");
    if (line.kind !== "round-closed") return;
    const key = keyOf(line.in ?? "", { ...line, number: line.round });
    if (line.auto === "override") this.results.delete(key);
    this.note(key, line.result);
  }

  /** A round that is left has no result, whatever was certain. */
  private note(key: string, result: string): void {
    if (!CERTAIN.has(result)) return;
    assert.equal(result, this.results.get(key) ?? result, key);
    this.results.set(key, result);
  }
}

/** The tasks that each seat of a round has had, one after another. */
class Chains {
  private readonly news = new News();
  private readonly chains = new Map<string, Map<number, string[]>>();
  /** Their people have approved and added others after; the seat may still be taken from them when it is overdue. */
  private readonly approvedForNow = new Set<string>();

  see(life: Life): void {
    for (const { instance, story } of this.news.of(life)) {
      const again = new Set(story.flatMap((line) => (line.kind === "asked-again" ? line.people : [])));
      for (const { address, place } of placesOf(instance)) {
        if (place.round) this.note(keyOf(address, place.round), place.round, again);
      }
      for (const line of story) {
        if (line.kind === "round-closed") this.close(keyOf(line.in ?? "", { ...line, number: line.round }), life);
      }
    }
  }

  /** Who is asked again holds their seat anew. */
  private note(key: string, { seats }: Round, again: ReadonlySet<string>): void {
    const known = this.chains.get(key) ?? new Map<number, string[]>();
    this.chains.set(key, known);
    seats.forEach(({ task, person, candidates = [], approvedBefore }, index) => {
      const isAnew = [person, ...candidates].some((one) => again.has(one));
      const chain = isAnew ? [] : (known.get(index) ?? []);
      known.set(index, chain);
      if (task && chain.at(-1) !== task.id) chain.push(task.id);
      if (task && approvedBefore) this.approvedForNow.add(task.id);
    });
  }

  private close(key: string, { tasks }: Life): void {
    const chains = [...(this.chains.get(key)?.values() ?? [])];
    const all = chains.flat();
    assert.equal(new Set(all).size, all.length, `${key}: a task of one seat alone`);
    for (const id of all) assert.notEqual(tasks.get(id)!.closedAt, undefined, `${key}: ${id} is closed`);
    for (const id of chains.flatMap((chain) => chain.slice(0, -1))) {
      if (this.approvedForNow.has(id)) continue;
      assert.match(tasks.get(id)!.status, /^(transferred|expired)$/, `${key}: ${id} was passed on`);
    }
  }
}
