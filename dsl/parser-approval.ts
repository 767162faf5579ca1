import type { IToken, ParserMethod } from "chevrotain";
import type { ApprovalAst, DurationAst, ModeAst, Name, OptionAst, PeopleAst, StageAst, StateBlockAst } from "./ast.ts";
import { spanOf } from "./layout.ts";
import type { Items } from "./parser-base.ts";
import { plainNumber } from "./parser-expressions.ts";
import { TypeGrammar } from "./parser-types.ts";
import * as t from "./tokens.ts";

const { K } = t;

type AllowedOperation = { readonly name: Name; readonly qualifier?: Name };
type OverdueStepAst = Extract<OptionAst, { kind: "overdue" }>["steps"][number];

const stateItems: Items = { expected: "an approval such as `approval by manager`", heads: [K.approval] };
const optionItems: Items = {
  expected: "an option such as `due: 48h`",
  heads: [K.reject, K.due, K.remind, K.overdue, K.onEmpty, K.allow, K.reason],
};
const operations = new Set(["transfer", "returnTo", "withdraw", "abstain"]);

/** `state X { approval by … { options } }`: section 6 of the language. */
export abstract class ApprovalGrammar extends TypeGrammar {
  protected readonly stateBlock: ParserMethod<[], StateBlockAst> = this.define("stateBlock", () => {
    const start = this.here();
    this.CONSUME(K.state);
    const name = this.name(this.CONSUME(t.Name));
    const approvals: ApprovalAst[] = [];
    this.block(stateItems, () => {
      const word = this.LA(1);
      this.OR1([
        {
          ALT: () => this.collect(approvals, () => this.SUBRULE(this.approval))(),
          IGNORE_AMBIGUITIES: true,
        },
        { ALT: () => this.leaveOutItem(leftOutInState(this.CONSUME(t.LeftOut), this.LA(1)), word) },
      ]);
    });
    const [approval, second] = approvals;
    if (second) this.report.error("FLOW014", "A state has one approval.", second.span);
    return { name, ...(approval && { approval }), span: this.from(start) };
  });

  private readonly approval: ParserMethod<[], ApprovalAst | undefined> = this.define("approval", () => {
    const start = this.here();
    const options: OptionAst[] = [];
    this.CONSUME(K.approval);
    this.CONSUME(K.by);
    const stages = [this.SUBRULE(this.stage)];
    this.MANY(() => {
      this.CONSUME(K.then);
      stages.push(this.SUBRULE1(this.stage));
    });
    this.OPTION(() => this.SUBRULE(this.options, { ARGS: [options] }));
    const sound = stages.filter((stage) => stage !== undefined);
    return sound.length === stages.length ? { stages: sound, options, span: this.from(start) } : undefined;
  });

  /** `PEOPLE [MODE]`; undefined: a stage of a kind that this version refuses. */
  private readonly stage: ParserMethod<[], StageAst | undefined> = this.define("stage", () => {
    const start = this.LA(1);
    const leftOut = this.OPTION({
      GATE: () => this.LA(2).tokenType === K.of,
      DEF: () => {
        this.CONSUME(K.one);
        this.CONSUME(K.of);
        return true;
      },
    });
    const people = this.SUBRULE(this.people);
    const mode = this.OPTION1(() => this.SUBRULE(this.mode));
    this.MANY(() => {
      const word = this.LA(1);
      const what = this.OR([
        {
          ALT: () => {
            this.CONSUME(K.and);
            this.SUBRULE1(this.people);
            this.OPTION2(() => this.SUBRULE1(this.mode));
            return "A stage of several groups (`and`)";
          },
        },
        {
          ALT: () => {
            this.CONSUME(K.veto);
            this.SUBRULE2(this.people);
            return "`veto`";
          },
        },
        {
          ALT: () => {
            this.CONSUME(K.weight);
            this.CONSUME(t.Name);
            return "`weight`";
          },
        },
      ]);
      this.ACTION(() => this.leaveOut(what, spanOf(word)));
    });
    if (leftOut && !this.RECORDING_PHASE) {
      this.leaveOut("`one of` people", spanOf(start));
      return undefined;
    }
    return { people, ...(mode && { mode }), span: this.from(start.startOffset) };
  });

  private readonly mode: ParserMethod<[], ModeAst> = this.define("mode", () => {
    const start = this.here();
    return this.choice<ModeAst>([
      { ALT: () => this.plainMode(this.CONSUME(K.any), "any") },
      { ALT: () => this.plainMode(this.CONSUME(K.all), "all") },
      { ALT: () => this.plainMode(this.CONSUME(K.sequence), "sequence") },
      {
        ALT: () => {
          this.CONSUME(K.quorum);
          const mode = this.SUBRULE(this.threshold);
          return { ...mode, span: this.from(start) };
        },
      },
    ]);
  });

  private plainMode(token: IToken, kind: "any" | "all" | "sequence"): ModeAst {
    return { kind, span: spanOf(token) };
  }

  /** `2`, `2/3`, `60%`, `> 50%`. */
  private readonly threshold: ParserMethod<[], ModeAst> = this.define("threshold", () => {
    const start = this.here();
    return this.choice<ModeAst>([
      {
        ALT: () => {
          const part = this.CONSUME(t.NumberLiteral);
          const of = this.OPTION(() => {
            this.CONSUME(t.Slash);
            return this.CONSUME1(t.NumberLiteral);
          });
          const span = this.from(start);
          if (of) return { kind: "ratio", part: this.count(part), of: this.count(of), span };
          return { kind: "count", count: this.count(part), span };
        },
      },
      {
        ALT: () => {
          const strict = this.OPTION1(() => this.CONSUME(t.Greater)) !== undefined;
          const percent = plainNumber(this.CONSUME(t.Percent).image.slice(0, -1));
          return { kind: "percent", percent, strict, span: this.from(start) };
        },
      },
    ]);
  });

  /** A whole number. */
  private count(token: IToken): number {
    return this.ACTION(() => {
      const text = plainNumber(token.image);
      if (text.includes("."))
        this.report.error("FLOW010", `Expected a whole number, found \`${text}\`.`, spanOf(token));
      return Number.parseInt(text, 10);
    });
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Options
  // -------------------------------------------------------------------------------------------------------------- //

  private readonly options: ParserMethod<[OptionAst[]], void> = this.define("options", (found = []) => {
    this.block(optionItems, () => this.SUBRULE(this.approvalOption, { ARGS: [found] }));
  });

  private readonly approvalOption: ParserMethod<[OptionAst[]], void> = this.define("approvalOption", (found = []) => {
    this.OR([
      {
        ALT: () => {
          const word = this.CONSUME(t.LeftOutOption);
          this.leaveOutItem(`\`${word.image}\``, word);
        },
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.collect(found, () => this.SUBRULE(this.reject))() },
      { ALT: () => this.collect(found, () => this.SUBRULE(this.due))() },
      { ALT: () => this.collect(found, () => this.SUBRULE(this.remind))() },
      { ALT: () => this.collect(found, () => this.SUBRULE(this.overdue))() },
      { ALT: () => this.collect(found, () => this.SUBRULE(this.onEmpty))() },
      { ALT: () => this.collect(found, () => this.SUBRULE(this.allow))() },
      { ALT: () => this.collect(found, () => this.SUBRULE(this.reason))() },
    ]);
  });

  /** `KEY:` of an option. */
  private key(token: IToken): Name {
    this.CONSUME9(t.Colon);
    return this.name(token);
  }

  private readonly reject: ParserMethod<[], OptionAst> = this.define("reject", () => {
    const key = this.key(this.CONSUME(K.reject));
    const rule = this.choice<"one" | "rest">([
      { ALT: () => this.CONSUME(K.one) && "one" },
      { ALT: () => this.CONSUME(K.rest) && "rest" },
    ]);
    return { kind: "reject", key, rule, span: this.from(key.span.start) };
  });

  private readonly due: ParserMethod<[], OptionAst> = this.define("due", () => {
    const key = this.key(this.CONSUME(K.due));
    const duration = this.SUBRULE(this.duration);
    const perStage = this.OPTION(() => {
      this.CONSUME(K.per);
      return this.CONSUME(K.stage);
    });
    return { kind: "due", key, duration, perStage: perStage !== undefined, span: this.from(key.span.start) };
  });

  private readonly remind: ParserMethod<[], OptionAst> = this.define("remind", () => {
    const key = this.key(this.CONSUME(K.remind));
    this.CONSUME(K.every);
    const every = this.SUBRULE(this.duration);
    const atMost = this.OPTION(() => {
      this.CONSUME(K.at);
      this.CONSUME(K.most);
      return this.count(this.CONSUME(t.NumberLiteral));
    });
    return { kind: "remind", key, every, ...(atMost !== undefined && { atMost }), span: this.from(key.span.start) };
  });

  private readonly overdue: ParserMethod<[], OptionAst> = this.define("overdue", () => {
    const steps: OverdueStepAst[] = [];
    const key = this.key(this.CONSUME(K.overdue));
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      steps.push(this.SUBRULE(this.overdueStep));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    const repeat = this.OPTION(() => {
      this.CONSUME(K.repeat);
      return this.count(this.CONSUME(t.NumberLiteral));
    });
    return { kind: "overdue", key, steps, repeat: repeat ?? 0, span: this.from(key.span.start) };
  });

  private readonly overdueStep: ParserMethod<[], OverdueStepAst> = this.define("overdueStep", () => {
    const start = this.here();
    const { step, to } = this.choice<{ step: OverdueStepAst["step"]; to?: PeopleAst }>([
      { ALT: () => ({ step: this.CONSUME(K.remind) && "remind" }) },
      { ALT: () => ({ step: this.CONSUME(K.approve) && "approve" }) },
      { ALT: () => ({ step: this.CONSUME(K.reject) && "reject" }) },
      { ALT: () => ({ step: this.CONSUME(K.escalate) && "escalate", to: this.SUBRULE(this.receivers) }) },
      { ALT: () => ({ step: this.CONSUME(K.transfer) && "transfer", to: this.SUBRULE1(this.receivers) }) },
    ]);
    this.CONSUME(K.after);
    const after = this.SUBRULE(this.afterDuration);
    return { step, ...(to && { to }), after, span: this.from(start) };
  });

  private readonly receivers: ParserMethod<[], PeopleAst> = this.define("receivers", () => {
    this.CONSUME(K.to);
    return this.SUBRULE(this.people);
  });

  private readonly afterDuration: ParserMethod<[], DurationAst> = this.define("afterDuration", () =>
    this.SUBRULE(this.duration),
  );

  private readonly onEmpty: ParserMethod<[], OptionAst> = this.define("onEmpty", () => {
    const key = this.key(this.CONSUME(K.onEmpty));
    const { what, to } = this.choice<{ what: "hold" | "skip" | "reject" | "assign"; to?: PeopleAst }>([
      { ALT: () => ({ what: this.CONSUME(K.hold) && "hold" }) },
      { ALT: () => ({ what: this.CONSUME(K.skip) && "skip" }) },
      { ALT: () => ({ what: this.CONSUME(K.reject) && "reject" }) },
      { ALT: () => ({ what: this.CONSUME(K.assign) && "assign", to: this.SUBRULE(this.people) }) },
    ]);
    return { kind: "onEmpty", key, what, ...(to && { to }), span: this.from(key.span.start) };
  });

  private readonly allow: ParserMethod<[], OptionAst> = this.define("allow", () => {
    const found: AllowedOperation[] = [];
    const key = this.key(this.CONSUME(K.allow));
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      const name = this.name(this.CONSUME(t.Name));
      const qualifier = this.OPTION(() => this.name(this.CONSUME1(t.Name)));
      if (!knownOperations.has(name.text) || this.RECORDING_PHASE)
        found.push({ name, ...(qualifier && { qualifier }) });
      else if (operations.has(name.text)) found.push({ name, ...(qualifier && { qualifier }) });
      else this.leaveOut(`\`${name.text}\``, name.span);
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return { kind: "allow", key, operations: found, span: this.from(key.span.start) };
  });

  private readonly reason: ParserMethod<[], OptionAst> = this.define("reason", () => {
    const key = this.key(this.CONSUME(K.reason));
    this.CONSUME(K.required);
    this.CONSUME(K.on);
    const on = this.SUBRULE(this.names);
    return { kind: "reason", key, on, span: this.from(key.span.start) };
  });
}

/** What the language has; the rest is for the checker to find unknown. */
const knownOperations = new Set(
  "transfer delegate addBefore addAfter addBeside remove returnTo withdraw takeBack abstain claim".split(" "),
);

function leftOutInState(word: IToken, next: IToken): string {
  switch (word.tokenType) {
    case K.run:
      return `\`run ${next.image}\``;
    case K.handle:
      return "`handle by`";
    case K.auto:
      return "`auto approve`";
    case K.revocable:
      return "`revocable for`";
    default:
      return `\`${word.image}\``;
  }
}
