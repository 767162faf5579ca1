import type { IToken, ParserMethod } from "chevrotain";
import type {
  ApprovalAst,
  BranchAst,
  DurationAst,
  ExpressionAst,
  Name,
  ParallelAst,
  RegionAst,
  RunAst,
  StateBlockAst,
  TransitionAst,
} from "./ast.ts";
import type { Span } from "./diagnostic.ts";
import type { Items } from "./parser-items.ts";
import { TransitionGrammar } from "./parser-transitions.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

/** A machine or branch while its items come in. */
export interface RegionParts {
  readonly initial: Once<Name>;
  readonly states: Once<{ readonly names: readonly Name[]; readonly span: Span }>;
  readonly final: Once<readonly Name[]>;
  readonly stateBlocks: StateBlockAst[];
  readonly transitions: TransitionAst[];
}

/** What stands at most once in its block; the first of several holds. */
export type Once<T> = { value: T; word: IToken }[];

interface StateParts {
  readonly approval: Once<ApprovalAst>;
  readonly parallel: Once<ParallelAst>;
  readonly run: Once<RunAst>;
  readonly revocable: Once<NonNullable<StateBlockAst["revocable"]>>;
}

interface ParallelParts {
  readonly branches: BranchAst[];
  readonly join: Once<NonNullable<ParallelAst["join"]>>;
  readonly reject: Once<Name>;
}

const stateItems: Items = {
  expected: "an approval such as `approval by manager`, `parallel { .. }` or `run ..`",
  heads: [K.approval, K.handle, K.auto, K.parallel, K.run, K.revocable],
};
const parallelItems: Items = {
  expected: "`branch NAME { .. }`, `join ..` or `reject: one`",
  heads: [K.branch, K.join, K.reject],
};
const branchItems: Items = {
  expected: "an item of the branch, such as `states: [..]` or `transitions { .. }`",
  heads: [K.initial, K.states, K.final, K.state, K.transitions],
};

/** States and what is in them: approvals, parallel branches, sagas and sub-flows. */
export abstract class RegionGrammar extends TransitionGrammar {
  // -------------------------------------------------------------------------------------------------------------- //
  // What a machine and a branch have in common
  // -------------------------------------------------------------------------------------------------------------- //

  protected readonly regionItem: ParserMethod<[RegionParts], void> = this.define(
    "regionItem",
    (parts = newRegionParts()) => {
      this.choiceWith("regionItem", parts, (given) => [
        { ALT: () => this.once(given().initial, () => this.SUBRULE(this.initial)) },
        { ALT: () => this.once(given().states, () => this.SUBRULE(this.states)) },
        { ALT: () => this.once(given().final, () => this.SUBRULE(this.final)) },
        { ALT: () => this.collect(given().stateBlocks, () => this.SUBRULE(this.stateBlock))() },
        { ALT: () => this.SUBRULE(this.transitions, { ARGS: [given().transitions] }) },
      ]);
    },
  );

  protected regionOf(parts: RegionParts): RegionAst {
    const initial = this.only(parts.initial);
    const states = this.only(parts.states);
    const final = this.only(parts.final);
    const names = states?.names ?? [];
    const { stateBlocks, transitions } = parts;
    const region = { states: names, stateDocs: this.docsOf(names), stateBlocks, transitions };
    return withPresent(region, { initial, statesSpan: states?.span, final });
  }

  private docsOf(names: readonly Name[]): Readonly<Record<string, string>> {
    const docs = names.map(({ text, span }) => [text, this.docAt(span.start).doc] as const);
    return Object.fromEntries(docs.filter(([, doc]) => doc !== undefined)) as Record<string, string>;
  }

  /** Like `collect`, for what stands once. */
  protected once<T>(found: Once<T>, parse: () => T): void {
    const word = this.LA(1);
    this.collect(found, () => ({ value: parse(), word }))();
  }

  /** The first; the others are reported. */
  protected only<T>(found: Once<T>): T | undefined {
    for (const { word } of found.slice(1)) {
      const related = [{ message: "It is declared here first.", span: spanOf(found[0]!.word) }];
      const message = `\`${this.keyword(word).text}\` stands here a second time.`;
      this.report.error("FLOW014", message, spanOf(word), { related });
    }
    return found[0]?.value;
  }

  private readonly initial: ParserMethod<[], Name> = this.define("initial", () => {
    this.CONSUME(K.initial);
    this.CONSUME(t.Colon);
    return this.name(this.CONSUME(t.Name));
  });

  private readonly states: ParserMethod<[], { names: Name[]; span: Span }> = this.define("states", () => {
    const start = this.here();
    this.CONSUME(K.states);
    this.CONSUME(t.Colon);
    return { names: this.SUBRULE(this.names), span: this.from(start) };
  });

  private readonly final: ParserMethod<[], Name[]> = this.define("final", () => {
    this.CONSUME(K.final);
    this.CONSUME(t.Colon);
    return this.SUBRULE(this.names);
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // States
  // -------------------------------------------------------------------------------------------------------------- //

  private readonly stateBlock: ParserMethod<[], StateBlockAst> = this.define("stateBlock", () => {
    const start = this.here();
    const parts = newStateParts();
    this.CONSUME(K.state);
    const name = this.name(this.CONSUME(t.Name));
    this.block(stateItems, () => this.SUBRULE(this.stateItem, { ARGS: [parts] }));
    const [approval, mixed] = this.approvalsOf(parts.approval);
    const parallel = this.only(parts.parallel);
    const run = this.only(parts.run);
    const revocable = this.only(parts.revocable);
    const block = withPresent({ name, span: this.from(start) }, { approval, mixed, parallel, run, revocable });
    return withPresent(block, this.docAt(start));
  });

  /** The first, and the first that is a `handle` where that is none, or the other way round. */
  private approvalsOf(found: Once<ApprovalAst>): readonly (ApprovalAst | undefined)[] {
    if (found.length < 2) return [found[0]?.value];
    const { handle } = found[0]!.value;
    const kinds = [handle, !handle].map((kind) => found.filter(({ value }) => value.handle === kind));
    return kinds.map((kind) => this.only(kind));
  }

  private readonly stateItem: ParserMethod<[StateParts], void> = this.define("stateItem", (parts = newStateParts()) => {
    this.choiceWith("stateItem", parts, (given) => [
      { ALT: () => this.once(given().approval, () => this.SUBRULE(this.approval)) },
      { ALT: () => this.once(given().approval, () => this.SUBRULE(this.autoApproval)) },
      { ALT: () => this.once(given().parallel, () => this.SUBRULE(this.parallel)) },
      { ALT: () => this.once(given().run, () => this.SUBRULE(this.run)) },
      { ALT: () => this.once(given().revocable, () => this.SUBRULE(this.revocable)) },
    ]);
  });

  /** `approval by STAGES { options }`, `handle by …`. */
  private readonly approval: ParserMethod<[], ApprovalAst> = this.define("approval", () => {
    const start = this.here();
    const handle = this.LA(1).tokenType === K.handle;
    this.OR([{ ALT: () => this.CONSUME(K.approval) }, { ALT: () => this.CONSUME(K.handle) }]);
    this.CONSUME(K.by);
    const stages = this.SUBRULE(this.stages);
    const options = this.OPTION(() => this.SUBRULE(this.options)) ?? [];
    return { handle, stages, options, span: this.from(start) };
  });

  /** `auto approve if COND else reject` may stand without `approval by`. */
  private readonly autoApproval: ParserMethod<[], ApprovalAst> = this.define("autoApproval", () => {
    const start = this.here();
    const stages = [this.SUBRULE(this.autoStage)];
    this.MANY(() => {
      this.CONSUME(K.then);
      stages.push(this.SUBRULE(this.stage));
    });
    const options = this.OPTION1(() => this.SUBRULE(this.options)) ?? [];
    return { handle: false, stages, options, span: this.from(start) };
  });

  /** `run saga "s"`, `run flow "f" on "e" with { … }`. */
  private readonly run: ParserMethod<[], RunAst> = this.define("run", () => {
    const start = this.here();
    this.CONSUME(K.run);
    return this.choice<RunAst>([
      {
        ALT: () => {
          this.CONSUME(K.saga);
          return { kind: "saga", saga: this.name(this.CONSUME(t.StringLiteral)), span: this.from(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.flow);
          const flow = this.name(this.CONSUME1(t.StringLiteral));
          const event = this.OPTION(() => this.SUBRULE(this.onEvent));
          const fields = this.OPTION1(() => this.SUBRULE(this.withFields)) ?? [];
          return { kind: "flow", flow, ...(event && { event }), fields, span: this.from(start) };
        },
      },
    ]);
  });

  private readonly onEvent: ParserMethod<[], Name> = this.define("onEvent", () => {
    this.CONSUME(K.on);
    return this.name(this.CONSUME(t.StringLiteral));
  });

  private readonly withFields: ParserMethod<[], { name: Name; value: ExpressionAst }[]> = this.define(
    "withFields",
    () => {
      this.CONSUME(K.with);
      return this.SUBRULE(this.recordFields);
    },
  );

  /** `revocable for 7d`. */
  private readonly revocable: ParserMethod<[], { duration: DurationAst; span: Span }> = this.define("revocable", () => {
    const start = this.here();
    this.CONSUME(K.revocable);
    this.CONSUME(K.for);
    return { duration: this.SUBRULE(this.duration), span: this.from(start) };
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Parallel branches
  // -------------------------------------------------------------------------------------------------------------- //

  private readonly parallel: ParserMethod<[], ParallelAst> = this.define("parallel", () => {
    const start = this.here();
    const parts = newParallelParts();
    this.CONSUME(K.parallel);
    this.block(parallelItems, () => this.SUBRULE(this.parallelItem, { ARGS: [parts] }));
    const join = this.only(parts.join);
    const reject = this.only(parts.reject);
    return { branches: parts.branches, ...(join && { join }), ...(reject && { reject }), span: this.from(start) };
  });

  private readonly parallelItem: ParserMethod<[ParallelParts], void> = this.define(
    "parallelItem",
    (parts = newParallelParts()) => {
      this.OR([
        { ALT: () => this.collect(parts.branches, () => this.SUBRULE(this.branch))() },
        { ALT: () => this.once(parts.join, () => this.SUBRULE(this.join)) },
        { ALT: () => this.once(parts.reject, () => this.SUBRULE(this.rejectOne)) },
      ]);
    },
  );

  /** `branch NAME [if COND | else] { … }`. */
  private readonly branch: ParserMethod<[], BranchAst> = this.define("branch", () => {
    const start = this.here();
    const parts = newRegionParts();
    this.CONSUME(K.branch);
    const name = this.name(this.CONSUME(t.Name));
    const otherwise = this.OPTION(() => this.CONSUME(K.else)) !== undefined;
    const condition = this.OPTION1({
      GATE: () => !otherwise,
      DEF: () => {
        this.CONSUME(K.if);
        return this.SUBRULE(this.expression);
      },
    });
    this.block(branchItems, () => this.SUBRULE(this.regionItem, { ARGS: [parts] }));
    const region = this.regionOf(parts);
    return { ...region, name, ...(condition && { condition }), else: otherwise, span: this.from(start) };
  });

  /** `join all | any | N`. */
  private readonly join: ParserMethod<[], NonNullable<ParallelAst["join"]>> = this.define("join", () => {
    const start = this.here();
    this.CONSUME(K.join);
    const rule = this.choice<"all" | "any" | number>([
      { ALT: () => this.CONSUME(K.all) && "all" },
      { ALT: () => this.CONSUME(K.any) && "any" },
      { ALT: () => this.count(this.CONSUME(t.NumberLiteral)) },
    ]);
    return { rule, span: this.from(start) };
  });

  private readonly rejectOne: ParserMethod<[], Name> = this.define("rejectOne", () => {
    this.CONSUME(K.reject);
    this.CONSUME(t.Colon);
    return this.keyword(this.CONSUME(K.one));
  });
}

export function newRegionParts(): RegionParts {
  return { initial: [], states: [], final: [], stateBlocks: [], transitions: [] };
}

function newStateParts(): StateParts {
  return { approval: [], parallel: [], run: [], revocable: [] };
}

function newParallelParts(): ParallelParts {
  return { branches: [], join: [], reject: [] };
}
