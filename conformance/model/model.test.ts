import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EngineRun, flowText } from "./engine-run.ts";
import { happeningOf, PEOPLE, seed, stages } from "./random-stages.ts";
import { newestTask, open, type Round, turns } from "./round.ts";
import { happen } from "./round-model.ts";

/**
 * Random stages and random commands give the same answers in the engine and in the model. `MODEL_RUNS` says how many
 * sequences are tried: 300, in CI 10,000, which take half a minute. A run of the same code tries the same; `MODEL_SEED` tries
 * others.
 */
const RUNS = Number(process.env["MODEL_RUNS"] ?? (process.env["CI"] ? 10_000 : 300));
const COMMANDS = 30;
const SEED = process.env["MODEL_SEED"] ?? "11";

/** Where a result leads. */
const STATES = { approved: "YES", rejected: "NO" } as const;

/** Everything that both can be asked must be answered alike. */
function compare(round: Round, engine: EngineRun, story: readonly string[]): void {
  const told = `after ${story.join(", ")}`;
  assert.equal(engine.instance.state, round.result ? STATES[round.result] : "REVIEW", told);
  const holders = turns(round).map(({ holder }) => holder);
  assert.deepEqual(engine.open(), [...holders].sort(), told);
  for (const person of PEOPLE) {
    assert.equal(engine.newest(person), newestTask(round, person), `${person} ${told}`);
  }
}

test(`${RUNS} sequences of ${COMMANDS} commands: engine and model agree`, (context) => {
  let compared = 0;
  let accepted = 0;
  const property = fc.property(stages, fc.array(seed, { minLength: COMMANDS, maxLength: COMMANDS }), (stage, seeds) => {
    const engine = new EngineRun(stage);
    let round = open(stage);
    const story = [flowText(stage)];
    compare(round, engine, story);
    for (const one of seeds) {
      const what = happeningOf(round, one);
      if (!what) continue;
      const answer = happen(round, what);
      story.push(JSON.stringify(what));
      compared += 1;
      const refused = engine.do(what);
      assert.equal(refused, "refused" in answer ? answer.refused : undefined, `after ${story.join(", ")}`);
      if ("refused" in answer) continue;
      accepted += 1;
      round = answer;
      compare(round, engine, story);
    }
  });
  fc.assert(property, { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }) });
  context.diagnostic(`${compared} commands compared, all that were given; ${accepted} of them were accepted`);
});
