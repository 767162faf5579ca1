import type { IToken, ParserMethod } from "chevrotain";
import type { DurationAst, Name, OptionAst, PeopleAst } from "./ast.ts";
import type { Items } from "./parser-items.ts";
import { StageGrammar } from "./parser-stages.ts";
import * as t from "./tokens.ts";

const { K } = t;

type AllowedOperation = { readonly name: Name; readonly qualifier?: Name };
type OverdueStepAst = Extract<OptionAst, { kind: "overdue" }>["steps"][number];
type WordOption = "onSelf" | "onReturn" | "abstain" | "collect" | "sign";

const optionItems: Items = {
  expected: "an option such as `due: 48h`",
  heads: [
    ...[K.reject, K.due, K.remind, K.overdue, K.onEmpty, K.repeated, K.onSelf, K.onReturn, K.abstain, K.collect],
    ...[K.sign, K.maxReturns, K.edit, K.hide, K.allow, K.reason],
  ],
};
/** What follows a name in `allow` without a comma is a qualifier, or one of these without its comma. */
const operationNames = new Set(
  "transfer delegate addBefore addAfter addBeside remove returnTo withdraw takeBack abstain claim".split(" "),
);

/** The options of an approval: section 6 of the language. */
export abstract class OptionGrammar extends StageGrammar {
  protected readonly options: ParserMethod<[], OptionAst[]> = this.define("options", () => {
    const found: OptionAst[] = [];
    this.block(
      optionItems,
      this.collect(found, () => this.SUBRULE(this.approvalOption)),
    );
    return found;
  });

  private readonly approvalOption: ParserMethod<[], OptionAst> = this.define("approvalOption", () =>
    this.fixedChoice<OptionAst>("approvalOption", () => [
      { ALT: () => this.SUBRULE(this.reject) },
      { ALT: () => this.SUBRULE(this.due) },
      { ALT: () => this.SUBRULE(this.remind) },
      { ALT: () => this.SUBRULE(this.overdue) },
      { ALT: () => this.SUBRULE(this.onEmpty) },
      { ALT: () => this.SUBRULE(this.repeated) },
      { ALT: () => this.SUBRULE(this.wordOption) },
      { ALT: () => this.SUBRULE(this.maxReturns) },
      { ALT: () => this.SUBRULE(this.edit) },
      { ALT: () => this.SUBRULE(this.hide) },
      { ALT: () => this.SUBRULE(this.allow) },
      { ALT: () => this.SUBRULE(this.reason) },
    ]),
  );

  /** `KEY:` of an option. */
  private key(token: IToken): Name {
    this.CONSUME9(t.Colon);
    return this.keyword(token);
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

  /** `repeated: skip any`. */
  private readonly repeated: ParserMethod<[], OptionAst> = this.define("repeated", () => {
    const key = this.key(this.CONSUME(K.repeated));
    const what = this.name(this.CONSUME(t.Name));
    const qualifier = this.OPTION(() => this.name(this.CONSUME1(t.Name)));
    return { kind: "repeated", key, what, ...(qualifier && { qualifier }), span: this.from(key.span.start) };
  });

  /** Options of one word, which the checker knows. */
  private readonly wordOption: ParserMethod<[], OptionAst> = this.define("wordOption", () => {
    const key = this.keyword(
      this.choice<IToken>([
        { ALT: () => this.CONSUME(K.onSelf) },
        { ALT: () => this.CONSUME(K.onReturn) },
        { ALT: () => this.CONSUME(K.abstain) },
        { ALT: () => this.CONSUME(K.collect) },
        { ALT: () => this.CONSUME(K.sign) },
      ]),
    );
    this.CONSUME(t.Colon);
    const what = this.name(this.CONSUME(t.Name));
    return { kind: key.text as WordOption, key, what, span: this.from(key.span.start) };
  });

  private readonly maxReturns: ParserMethod<[], OptionAst> = this.define("maxReturns", () => {
    const key = this.key(this.CONSUME(K.maxReturns));
    const count = this.count(this.CONSUME(t.NumberLiteral));
    return { kind: "maxReturns", key, count, span: this.from(key.span.start) };
  });

  /** `edit: [a, b] reopens`. */
  private readonly edit: ParserMethod<[], OptionAst> = this.define("edit", () => {
    const key = this.key(this.CONSUME(K.edit));
    const fields = this.SUBRULE(this.names);
    const reopens = this.OPTION(() => this.CONSUME(K.reopens)) !== undefined;
    return { kind: "edit", key, fields, reopens, span: this.from(key.span.start) };
  });

  private readonly hide: ParserMethod<[], OptionAst> = this.define("hide", () => {
    const key = this.key(this.CONSUME(K.hide));
    return { kind: "hide", key, fields: this.SUBRULE(this.names), span: this.from(key.span.start) };
  });

  private readonly allow: ParserMethod<[], OptionAst> = this.define("allow", () => {
    const operations: AllowedOperation[] = [];
    const key = this.key(this.CONSUME(K.allow));
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      const name = this.name(this.CONSUME(t.Name));
      const qualifier = this.OPTION({
        GATE: () => !operationNames.has(this.LA(1).image),
        DEF: () => this.name(this.CONSUME1(t.Name)),
      });
      operations.push({ name, ...(qualifier && { qualifier }) });
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return { kind: "allow", key, operations, span: this.from(key.span.start) };
  });

  private readonly reason: ParserMethod<[], OptionAst> = this.define("reason", () => {
    const key = this.key(this.CONSUME(K.reason));
    this.CONSUME(K.required);
    this.CONSUME(K.on);
    const on = this.SUBRULE(this.names);
    return { kind: "reason", key, on, span: this.from(key.span.start) };
  });
}
