import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { EngineRun } from "./engine-run.ts";
import { group, happeningOf, PEOPLE, people, plain, seed, share, stages } from "./random-stages.ts";
import { open } from "./round.ts";
import { happen } from "./round-model.ts";
import type { Opinion } from "./seat.ts";
import type { Mode, Stage } from "./stage.ts";

/** The laws of section 2.7 that are about rounds, on the engine itself. */

const RUNS = { numRuns: Number(process.env["LAW_RUNS"] ?? 100) };
const plainly: Omit<Stage, "groups"> = { veto: [], reject: "rest", abstain: "leaves", collect: false, onEmpty: "skip" };

function stageOf(members: readonly string[], mode: Mode, reject: Stage["reject"]): Stage {
  return { ...plainly, groups: [{ people: members, mode }], reject };
}

const opinions = fc.array(fc.constantFrom<Opinion>("approved", "rejected", "abstained"), {
  minLength: 5,
  maxLength: 5,
});

/** What comes out when they decide in this order; who comes too late is told so. */
function resultOf(stage: Stage, order: readonly string[], opinionOf: (person: string) => Opinion): string {
  const run = new EngineRun(stage);
  for (const actor of order) {
    const refused = run.do({ kind: "decide", actor, opinion: opinionOf(actor) });
    assert(refused === undefined || refused === "superseded", `${actor}: ${refused}`);
  }
  return run.instance.state;
}

suite("laws", () => {
  test("any is a quorum of one while nobody rejects", () => {
    const property = fc.property(people, (members) => {
      const states = [stageOf(members, { kind: "any" }, "one"), stageOf(members, { kind: "count", count: 1 }, "rest")];
      assert.deepEqual(...both(states.map((stage) => steps(stage, members, () => "approved"))));
    });
    fc.assert(property, RUNS);
  });

  test("all is a quorum of everybody while nobody abstains", () => {
    const property = fc.property(people, opinions, (members, said) => {
      const opinionOf = (person: string): Opinion =>
        said[PEOPLE.indexOf(person)] === "rejected" ? "rejected" : "approved";
      const quorum = stageOf(members, { kind: "count", count: members.length }, "rest");
      const states = [stageOf(members, { kind: "all" }, "one"), quorum];
      assert.deepEqual(...both(states.map((stage) => steps(stage, members, opinionOf))));
    });
    fc.assert(property, RUNS);
  });

  test("everybody abstained is an empty stage, whatever was asked for", () => {
    const modes = fc.oneof(plain, share, fc.constant<Mode>({ kind: "count", count: 1 }));
    const property = fc.property(people, modes, (members, mode) => {
      assert.equal(
        resultOf(stageOf(members, mode, "rest"), members, () => "abstained"),
        "YES",
      );
    });
    fc.assert(property, RUNS);
  });

  test("the result of all, of quorums and of groups of these does not depend on the order of decisions", () => {
    const modes = fc.oneof(fc.constant<Mode>({ kind: "all" }), share);
    const groups = fc.array(group(modes), { minLength: 1, maxLength: 2 });
    const orders = fc.tuple(fc.shuffledSubarray(PEOPLE, full()), fc.shuffledSubarray(PEOPLE, full()));
    const property = fc.property(groups, opinions, orders, (groups, said, [one, other]) => {
      const stage = { ...plainly, groups };
      const seated = (order: readonly string[]) =>
        order.filter((person) => groups.some(({ people: members }) => members.includes(person)));
      const opinionOf = (person: string) => said[PEOPLE.indexOf(person)]!;
      assert.equal(resultOf(stage, seated(one), opinionOf), resultOf(stage, seated(other), opinionOf));
    });
    fc.assert(property, RUNS);
  });

  test("a transfer there and back changes nothing that follows", () => {
    const property = fc.property(stages, fc.array(seed, { maxLength: 15 }), fc.nat(), (stage, seeds, which) => {
      const [run, detour] = [new EngineRun(stage), new EngineRun(stage)];
      const [actor] = run.open().slice(which % run.open().length);
      assert(actor !== undefined);
      assert.equal(detour.do({ kind: "transfer", actor, to: "ivy" }), undefined);
      assert.equal(detour.do({ kind: "transfer", actor: "ivy", to: actor }), undefined);
      let round = open(stage);
      for (const one of seeds) {
        const what = happeningOf(round, one);
        const answer = what && happen(round, what);
        if (!what || !answer) continue;
        assert.equal(run.do(what), detour.do(what), JSON.stringify(what));
        assert.deepEqual([detour.instance.state, detour.open()], [run.instance.state, run.open()]);
        if (!("refused" in answer)) round = answer;
      }
    });
    fc.assert(property, RUNS);
  });

  test("when it is over no task is open or waits", () => {
    const property = fc.property(stages, fc.array(seed, { minLength: 20, maxLength: 40 }), (stage, seeds) => {
      const run = new EngineRun(stage);
      let round = open(stage);
      for (const one of seeds) {
        const what = happeningOf(round, one);
        const answer = what && happen(round, what);
        if (!what || !answer) continue;
        run.do(what);
        if (!("refused" in answer)) round = answer;
      }
      if (run.instance.outcome !== undefined) assert.deepEqual([run.unfinished(), run.instance.timers], [[], []]);
    });
    fc.assert(property, RUNS);
  });
});

function full(): fc.SubarrayConstraints {
  return { minLength: PEOPLE.length, maxLength: PEOPLE.length };
}

function both<Item>([one, other]: readonly Item[]): [Item, Item] {
  return [one!, other!];
}

/** The state after each decision. */
function steps(stage: Stage, order: readonly string[], opinionOf: (person: string) => Opinion): readonly string[] {
  const run = new EngineRun(stage);
  return order.map((actor) => {
    run.do({ kind: "decide", actor, opinion: opinionOf(actor) });
    return run.instance.state;
  });
}
