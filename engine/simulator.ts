import type { Definition, Statement, TestBlock } from "../dsl/index.ts";
import { instantText } from "./dates.ts";
import { judge, type Mismatch } from "./expectations.ts";
import type { SimulatedRun } from "./simulated-run.ts";
import { TestFault } from "./simulated-world.ts";
import { Simulation } from "./simulation.ts";
import { tell } from "./story.ts";
import { localInstant, recordToJson } from "./test-literals.ts";
import type { Person, Refusal } from "./types.ts";

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
 */
export function runTest(block: TestBlock, definitions: readonly Definition[], text?: string): TestResult {
  const { file, name, flow } = block;
  const failure = new TestRun(block, definitions).run();
  if (!failure) return { file, name, flow, ok: true };
  const { statement, message } = failure;
  return { file, name, flow, ok: false, line: lineOf(block, statement, text), message };
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
    this.simulation = new Simulation(definitions, localInstant(block.startsAt ?? STARTS_AT) ?? Number.NaN);
    this.definition = this.simulation.definition(block.flow, block.label);
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
        this.simulation.advanceTo(this.simulation.now + statement.ms);
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

  private advanceTo(text: string): void {
    const at = localInstant(text);
    if (at === undefined) throw new TestFault(`\`${text}\` is not a time that exists.`);
    if (at < this.simulation.now) throw new TestFault(`It is ${instantText(this.simulation.now)} already.`);
    this.simulation.advanceTo(at);
  }

  private command(statement: CommandStatement): Refusal | undefined {
    if (statement.kind === "start") return this.start(statement);
    const run = this.runOf(statement);
    const { simulation } = this;
    const { id, because } = statement;
    const reason = because === undefined ? undefined : { reason: because };
    switch (statement.kind) {
      case "send": {
        const { event, payload, by = run.instance?.initiator.id } = statement;
        return simulation.command(run, { kind: "event", event, payload: recordToJson(payload) }, by, id);
      }
      case "decide": {
        const { user, decision, setting } = statement;
        if (decision === "withdraw") return simulation.command(run, { kind: "withdraw", ...reason }, user, id);
        const payload = setting && { payload: recordToJson(setting) };
        return simulation.command(run, { kind: "decide", decision, ...reason, ...payload }, user, id);
      }
      case "return":
        return simulation.command(run, { kind: "return", to: statement.to, ...reason }, statement.user, id);
      case "transfer":
        return simulation.command(run, { kind: "transfer", to: statement.to, ...reason }, statement.user, id);
    }
  }

  private start({ alias, fields, key, id }: Extract<Statement, { kind: "start" }>): Refusal | undefined {
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

type CommandStatement = Exclude<Statement, { kind: "as" | "given" | "advance" | "advance-to" | "expect" }>;

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
