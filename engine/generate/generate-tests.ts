import type { Definition } from "../../dsl/index.ts";
import { Coverage } from "../coverage/coverage.ts";
import { TestFault } from "../simulated-world.ts";
import { type Scenario, scenariosOf } from "./scenarios.ts";
import { type Move, movesFor } from "./test-moves.ts";
import { Play } from "./test-play.ts";
import { writeTest } from "./written-test.ts";

/** Steps after the start. */
const STEPS_MAX = 30;
/** Paths tried from the plainest beginning, which finds the states; from each other for every step of the longest way. */
const FIRST_PATHS_MAX = 600;
const PATHS_PER_STEP = 6;
/** Paths tried for one flow. */
const ALL_PATHS_MAX = 5000;
/** Known paths tried with other data. */
const VARIATIONS_MAX = 3000;
/** Tests written for one flow. */
const TESTS_MAX = 60;

/**
 * Tests, as text of the language, for what no test comes by yet: found by trying out commands on the engine, few that
 * cover much. Each expects what it saw.
 * @param coverage of the tests that are there.
 * @param definitions of sub-flows and flows that are started, newest last.
 * @param taken names that tests have already.
 */
export function generateTests(
  definition: Definition,
  coverage: Coverage,
  definitions: readonly Definition[],
  taken: Iterable<string> = [],
): readonly string[] {
  const missing = coverage.of(definition).filter(({ hits }) => hits === 0);
  const search = new Search(definition, definitions, new Set(missing.map(({ item }) => item.id)));
  const names = new Set(taken);
  return search.paths().map(({ scenario, moves }) => writeTest(search.play(scenario), moves, names));
}

/** A beginning, what is done from there, and what of the wanted that comes by. */
interface Path {
  readonly scenario: Scenario;
  readonly moves: readonly Move[];
  readonly finds: ReadonlySet<string>;
}

interface Node {
  readonly moves: readonly Move[];
  readonly cost: number;
  /** What was come by on the way, wanted or not. */
  readonly seen: ReadonlySet<string>;
}

class Search {
  private readonly coverage = new Coverage();
  private readonly definition: Definition;
  private readonly definitions: readonly Definition[];
  private readonly wanted: ReadonlySet<string>;
  private readonly unfound: Set<string>;
  private readonly found: Path[] = [];
  /** Paths that came by something first, wanted or not. */
  private readonly ways: Path[] = [];
  private readonly seen = new Set<string>();
  /** Ways aside that were tried where the flow stood so. */
  private readonly aside = new Set<string>();
  private left = ALL_PATHS_MAX;

  constructor(definition: Definition, definitions: readonly Definition[], wanted: ReadonlySet<string>) {
    this.definition = this.coverage.watch(definition);
    const others = definitions.filter((one) => one !== definition).map((one) => this.coverage.watch(one));
    this.definitions = [...others, this.definition];
    this.wanted = wanted;
    this.unfound = new Set(wanted);
  }

  play(scenario: Scenario): Play {
    return new Play(this.definition, this.definitions, scenario);
  }

  /** Paths that come by what is wanted. */
  paths(): readonly Path[] {
    if (this.wanted.size === 0) return [];
    const scenarios = scenariosOf(this.definition);
    for (const [index, scenario] of scenarios.all.entries()) {
      if (this.unfound.size === 0 || this.left <= 0) break;
      const longest = Math.max(4, ...this.ways.map(({ moves }) => moves.length));
      this.explore(scenario, index === 0 ? FIRST_PATHS_MAX : longest * PATHS_PER_STEP);
    }
    this.left = VARIATIONS_MAX;
    for (const { scenario, moves } of this.ways.toSorted((one, other) => other.moves.length - one.moves.length)) {
      for (const other of scenarios.variationsOf(scenario)) this.walk(other, moves);
    }
    return this.fewest();
  }

  /** Greedy: each time the path that finds most of what is left, of several the shortest. */
  private fewest(): readonly Path[] {
    const chosen: Path[] = [];
    let open: ReadonlySet<string> = this.wanted;
    while (chosen.length < TESTS_MAX) {
      const best = this.best(open);
      if (!best) break;
      chosen.push(best);
      open = open.difference(best.finds);
    }
    return chosen;
  }

  private best(open: ReadonlySet<string>): Path | undefined {
    let best: Path | undefined;
    let most = 0;
    for (const path of this.found) {
      const gain = path.finds.intersection(open).size;
      if (gain > most || (gain === most && best && path.moves.length < best.moves.length)) [best, most] = [path, gain];
    }
    return most === 0 ? undefined : best;
  }

  /** The cheapest paths first. */
  private explore(scenario: Scenario, paths: number): void {
    const seen = new Set<string>();
    const queue: Node[] = [{ moves: [], cost: 0, seen: new Set() }];
    const last = this.left - paths;
    while (this.left > Math.max(last, 0) && this.unfound.size > 0) {
      const node = takeCheapest(queue);
      if (!node) return;
      const play = this.replay(scenario, node.moves);
      if (!play || seen.has(play.signature())) continue;
      seen.add(play.signature());
      if (node.moves.length < STEPS_MAX) queue.push(...this.expand(scenario, node, play));
    }
  }

  /** The same moves with other data, as far as they go. */
  private walk(scenario: Scenario, moves: readonly Move[]): void {
    if (this.unfound.size === 0 || this.left <= 0) return;
    const play = this.replay(scenario, []);
    let node: Node | undefined = { moves: [], cost: 0, seen: new Set() };
    for (const move of moves) node = play && node && this.attempt(scenario, node, move, play);
  }

  private expand(scenario: Scenario, node: Node, first: Play): readonly Node[] {
    const { simulation, run } = first;
    const where = first.where();
    const moves = (tried(() => movesFor(simulation, run)) ?? []).filter((move) => this.isWorthIt(where, move));
    let play: Play | undefined = first;
    return moves.flatMap((move) => {
      // What was refused has changed nothing.
      play ??= this.replay(scenario, node.moves);
      if (!play) return [];
      const next = this.attempt(scenario, node, move, play);
      if (next) play = undefined;
      return next ?? [];
    });
  }

  /** Where data decides nothing, a way aside is tried once. */
  private isWorthIt(where: string, { text, cost, depends }: Move): boolean {
    if (cost < 1 || depends) return true;
    const key = `${where} ${text}`;
    const isNew = !this.aside.has(key);
    this.aside.add(key);
    return isNew;
  }

  private replay(scenario: Scenario, moves: readonly Move[]): Play | undefined {
    const play = this.play(scenario);
    return tried(() => {
      if (play.begin()) return undefined;
      for (const move of moves) play.make(move);
      return play;
    });
  }

  /** Takes down what the path comes by. The node that it leads to; none where the move was refused. */
  private attempt(scenario: Scenario, node: Node, move: Move, play: Play): Node | undefined {
    this.left -= 1;
    for (const one of this.definitions) this.coverage.take(one);
    const made = tried(() => ({ refusal: play.make(move) }));
    if (!made) return undefined;
    for (const { definition, story } of play.simulation.all()) {
      this.coverage.note(
        definition,
        story.map(({ line }) => line),
        this.definitions,
      );
    }
    const seen = node.seen.union(this.coverage.take(this.definition));
    const moves = [...node.moves, move];
    if (!seen.isSubsetOf(this.seen)) this.ways.push({ scenario, moves, finds: seen });
    for (const id of seen) this.seen.add(id);
    const finds = seen.intersection(this.wanted);
    if (finds.intersection(this.unfound).size > 0) {
      this.found.push({ scenario, moves, finds });
      for (const id of finds) this.unfound.delete(id);
    }
    return made.refusal ? undefined : { moves, cost: node.cost + move.cost, seen };
  }
}

function takeCheapest(queue: Node[]): Node | undefined {
  let best = 0;
  for (const [index, { cost }] of queue.entries()) if (cost < queue[best]!.cost) best = index;
  return queue.splice(best, 1)[0];
}

/** `undefined` for what a test can't play. */
function tried<Result>(run: () => Result | undefined): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof TestFault) return undefined;
    throw error;
  }
}
