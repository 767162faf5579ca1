import type { Definition, Statement, Term, TestBlock } from "../dsl/index.ts";
import { addTerm, instantIn } from "./calendar.ts";
import type { Coverage } from "./coverage/coverage.ts";
import { instantText } from "./dates.ts";
import { judge, type Mismatch } from "./expectations.ts";
import type { HistoryEntry } from "./replay.ts";
import { actorOf, type CommandStatement, commandOf, isAboutTask } from "./simulated-commands.ts";
import type { SimulatedRun } from "./simulated-run.ts";
import { TestFault } from "./simulated-world.ts";
import { Simulation } from "./simulation.ts";
import { tell } from "./story.ts";
import { recordToJson } from "./test-literals.ts";
import type { Instance, Person, Refusal } from "./types.ts";

/** What became of a `test` block. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly flow: string;
  readonly ok: boolean;
  /** 1-based line of the statement that failed; the block's line where the text is not known. */
  readonly line?: number;
  /** The statement that failed, what was expected, what was there, and the story up to it. */
  readonly message?: string;
}

/** When a test begins that does not say: a Monday morning. */
const STARTS_AT = "2026-01-05T09:00";
/** Who starts where the test has no `as`. */
const NOBODY_SPECIAL: Person = { id: "initiator" };

/**
 * Runs a `test` block on the real engine, with a simulated clock, directory, functions and services. It ends at the first
 * statement that fails. Pure: the same block and definitions give the same result.
 * @param definitions the tested flow, in one or more versions, and those that its action `start` starts.
 * @param text source text of the block's file, from which the failing line is counted.
 * @param coverage takes down what the test came by.
 */
export function runTest(
  block: TestBlock,
  definitions: readonly Definition[],
  text?: string,
  coverage?: Coverage,
): TestResult {
  const { file, name, flow } = block;
  const watched = coverage ? definitions.map((one) => coverage.watch(one)) : definitions;
  const test = new TestRun(block, watched);
  const failure = test.run();
  if (coverage) test.tell(coverage, watched);
  if (!failure) return { file, name, flow, ok: true };
  const { statement, message } = failure;
  return { file, name, flow, ok: false, line: lineOf(block, statement, text), message };
}

/** An instance that a test brought about, and how. */
export interface Recording {
  readonly key: string;
  /** On which it started. */
  readonly definition: Definition;
  readonly history: readonly HistoryEntry[];
  readonly instance: Instance;
}

/** Every instance of a `test` block, as far as the test gets. Replaying a history gives its instance. */
export function recordTest(block: TestBlock, definitions: readonly Definition[]): readonly Recording[] {
  return new TestRun(block, definitions).record();
}

interface Failure {
  /** Absent: the block as a whole. */
  readonly statement?: Statement;
  readonly message: string;
}

/** A command that was refused and still needs its `expect refused`. */
interface Open {
  readonly statement: Statement;
  readonly refusal: Refusal;
}

class TestRun {
  private readonly block: TestBlock;
  private readonly definition: Definition | undefined;
  private readonly simulation: Simulation;
  private readonly aliases = new Map<string, SimulatedRun>();
  private first: SimulatedRun | undefined;
  private initiator: Person = NOBODY_SPECIAL;
  private starts = 0;
  /** Of the newest command. */
  private refusal: Refusal | undefined;
  private open: Open | undefined;

  constructor(block: TestBlock, definitions: readonly Definition[]) {
    this.block = block;
    const tested = definitions.findLast(
      ({ flow, label }) => flow === block.flow && (block.label === undefined || label === block.label),
    );
    const startsAt = instantIn(block.startsAt ?? STARTS_AT, tested?.calendar);
    this.simulation = new Simulation(definitions, startsAt ?? Number.NaN);
    this.definition = tested;
  }

  run(): Failure | undefined {
    if (!this.definition) return { message: `There is no flow \`${versionText(this.block)}\` to test.` };
    if (Number.isNaN(this.simulation.now)) return { message: `\`${this.block.startsAt}\` is not a time that exists.` };
    for (const statement of this.block.statements) {
      const failure = this.openFailure(statement) ?? this.take(statement);
      if (failure) return failure;
    }
    return this.openFailure();
  }

  record(): readonly Recording[] {
    this.run();
    return this.simulation.all().flatMap(({ key, startedOn: definition, history, instance }) => {
      return instance ? [{ key, definition, history, instance }] : [];
    });
  }

  tell(coverage: Coverage, definitions: readonly Definition[]): void {
    for (const { definition, story } of this.simulation.all()) {
      coverage.note(
        definition,
        story.map(({ line }) => line),
        definitions,
      );
    }
  }

  /** A refused statement must be followed by its `expect refused`. */
  private openFailure(next?: Statement): Failure | undefined {
    if (!this.open || (next?.kind === "expect" && next.expectation.kind === "refused")) return undefined;
    const { statement, refusal } = this.open;
    return this.failure(statement, { expected: "accepted", was: refusalText(refusal) });
  }

  private take(statement: Statement): Failure | undefined {
    try {
      const mismatch = this.perform(statement);
      return mismatch && this.failure(statement, mismatch);
    } catch (error) {
      if (!(error instanceof TestFault)) throw error;
      return this.failure(statement, { expected: "a test that can be run", was: error.message });
    }
  }

  private perform(statement: Statement): Mismatch | undefined {
    switch (statement.kind) {
      case "as":
        this.become(statement);
        return undefined;
      case "given":
        this.simulation.world.give(statement.fact);
        return undefined;
      case "advance":
        this.advance(statement.term);
        return undefined;
      case "advance-to":
        this.advanceTo(statement.to);
        return undefined;
      case "expect":
        return this.expect(statement);
      default:
        this.refusal = this.command(statement);
        this.open = this.refusal && { statement, refusal: this.refusal };
        return undefined;
    }
  }

  private become({ user, org, tags, facts }: Extract<Statement, { kind: "as" }>): void {
    this.initiator = { id: user, ...(org !== undefined && { org }), ...(tags && { tags }) };
    for (const fact of facts) this.simulation.world.give(fact);
  }

  /** Working time is that of the tested flow. */
  private advance(term: Term): void {
    const { calendar } = this.definition!;
    if (term.kind !== "natural" && !calendar) throw new TestFault("The flow has no calendar to count working time in.");
    this.simulation.advanceTo(addTerm(this.simulation.now, term, calendar));
  }

  private advanceTo(text: string): void {
    const at = instantIn(text, this.definition!.calendar);
    if (at === undefined) throw new TestFault(`\`${text}\` is not a time that exists.`);
    if (at < this.simulation.now) throw new TestFault(`It is ${instantText(this.simulation.now)} already.`);
    this.simulation.advanceTo(at);
  }

  private command(statement: CommandStatement | StartStatement): Refusal | undefined {
    if (statement.kind === "start") return this.start(statement);
    const run = this.runOf(statement);
    if (isAboutTask(statement)) checkChoice(run, statement);
    const actor = actorOf(statement) ?? run.instance?.initiator.id;
    return this.simulation.command(run, commandOf(statement), actor, statement.id);
  }

  private start({ alias, fields, key, id }: StartStatement): Refusal | undefined {
    this.starts += 1;
    const run = this.simulation.run(this.definition!, key ?? `test-${this.starts}`);
    const refusal = this.simulation.start(run, this.initiator, recordToJson(fields), id);
    if (refusal) return refusal;
    this.first ??= run;
    if (alias !== undefined) this.aliases.set(alias, run);
    return undefined;
  }

  private runOf({ on }: Statement): SimulatedRun {
    const run = on === undefined ? this.first : this.aliases.get(on);
    if (run) return run;
    throw new TestFault(on === undefined ? "Nothing is started yet." : `No instance was started as \`${on}\`.`);
  }

  private expect(statement: Extract<Statement, { kind: "expect" }>): Mismatch | undefined {
    const { expectation } = statement;
    if (expectation.kind !== "refused") return judge(expectation, this.runOf(statement), this.simulation);
    this.open = undefined;
    if (this.refusal?.code === expectation.code) return undefined;
    const was = this.refusal ? refusalText(this.refusal) : "accepted";
    return { expected: `refused with \`${expectation.code}\``, was };
  }

  private failure(statement: Statement, { expected, was }: Mismatch): Failure {
    const lines = [statement.text.trim(), `  expected: ${expected}`, `       was: ${was}`, ...this.story(statement)];
    return { statement, message: lines.join("\n") };
  }

  private story({ on }: Statement): string[] {
    const run = (on === undefined ? undefined : this.aliases.get(on)) ?? this.first;
    if (!run) return [];
    return ["  story:", ...run.story.map(({ at, line }) => `    ${instantText(at)}  ${tell(line)}`)];
  }
}

type StartStatement = Extract<Statement, { kind: "start" }>;

/** Which task is meant must be clear. */
function checkChoice(
  run: SimulatedRun,
  { user, in: branch, onBehalfOf }: { readonly user: string; readonly in?: string; readonly onBehalfOf?: string },
): void {
  const open = run.openTasks(user, branch);
  if (open.length < 2 || onBehalfOf !== undefined) return;
  const places = open.map(({ place }) => (place === "" ? "the flow itself" : place.replaceAll("/", ".")));
  if (new Set(places).size === 1) return; // Shared tasks of one stage go together.
  throw new TestFault(`\`${user}\` has ${open.length} open tasks; say \`in BRANCH\` (${places.join(", ")}).`);
}

function refusalText({ code, message }: Refusal): string {
  return `refused with \`${code}\`: ${message}`;
}

function versionText({ flow, label }: TestBlock): string {
  return label === undefined ? flow : `${flow} ${label}`;
}

function lineOf(block: TestBlock, statement: Statement | undefined, text: string | undefined): number {
  if (statement === undefined || text === undefined) return block.line;
  return text.slice(0, statement.span.start).split("\n").length;
}
