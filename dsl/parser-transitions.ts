import type { ParserMethod } from "chevrotain";
import type { ActionAst, Name, TransitionAst, TriggerAst } from "./ast.ts";
import type { Items } from "./parser-items.ts";
import { OptionGrammar } from "./parser-options.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

const transitionItems: Items = { expected: 'a transition such as `DRAFT → REVIEWING on "submit"`', heads: [] };

/** `transitions { … }`: section 5 of the language. */
export abstract class TransitionGrammar extends OptionGrammar {
  protected readonly transitions: ParserMethod<[TransitionAst[]], void> = this.define("transitions", (found = []) => {
    this.CONSUME(K.transitions);
    this.block(
      transitionItems,
      this.collect(found, () => this.SUBRULE(this.transition)),
    );
  });

  private readonly transition: ParserMethod<[], TransitionAst> = this.define("transition", () => {
    const start = this.here();
    const any = this.LA(1).tokenType === K.any && this.LA(2).tokenType === t.Arrow;
    const from: Name[] = [];
    this.AT_LEAST_ONE(() => {
      from.push(this.name(this.CONSUME(t.Name)));
      this.comma(t.Arrow);
    });
    this.CONSUME(t.Arrow);
    const to = this.name(this.CONSUME1(t.Name));
    const trigger = this.SUBRULE(this.trigger);
    const by = this.OPTION(() => {
      this.CONSUME(K.by);
      return this.SUBRULE(this.people);
    });
    const otherwise = this.OPTION1(() => this.CONSUME(K.else)) !== undefined;
    const condition = this.OPTION2(() => {
      this.CONSUME(K.if);
      return this.SUBRULE(this.expression);
    });
    const actions: ActionAst[] = [];
    this.MANY(() => {
      this.CONSUME1(t.Arrow);
      actions.push(this.SUBRULE(this.action));
    });
    const span = this.from(start);
    return withPresent({ from: any ? "any" : from, to, trigger, else: otherwise, actions, span }, { by, condition });
  });

  private readonly trigger: ParserMethod<[], TriggerAst> = this.define("trigger", () =>
    this.fixedChoice<TriggerAst>("trigger", () => [
      {
        ALT: () => {
          const start = this.here();
          this.CONSUME(K.on);
          const name = this.SUBRULE(this.word);
          const span = this.from(start);
          return this.ACTION(() =>
            name.quoted ? { kind: "event", event: name, span } : { kind: "outcome", outcome: name, span },
          );
        },
      },
      {
        ALT: () => {
          const start = this.here();
          this.CONSUME(K.after);
          return { kind: "after", duration: this.SUBRULE(this.duration), span: this.from(start) };
        },
      },
      {
        ALT: () => {
          const start = this.here();
          this.CONSUME(K.at);
          return { kind: "at", at: this.SUBRULE(this.expression), span: this.from(start) };
        },
      },
    ]),
  );

  private readonly action: ParserMethod<[], ActionAst> = this.define("action", () =>
    this.fixedChoice<ActionAst>("action", () => [
      {
        GATE: () => this.LA(2).tokenType === t.LParen,
        ALT: () => this.SUBRULE(this.setAction),
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType === t.LParen,
        ALT: () => this.SUBRULE(this.startAction),
        IGNORE_AMBIGUITIES: true,
      },
      {
        ALT: () => {
          this.ACTION(() => this.isMisspeltSet() && this.CONSUME(K.set));
          const name = this.name(this.CONSUME(t.Name));
          return { kind: "call", name, arguments: this.SUBRULE(this.callArguments), span: this.from(name.span.start) };
        },
      },
    ]),
  );

  /** Only `set(field = value)` has a `=` there. */
  private isMisspeltSet(): boolean {
    return this.LA(2).tokenType === t.LParen && this.LA(4).tokenType === t.Equal;
  }

  private readonly setAction: ParserMethod<[], ActionAst> = this.define("setAction", () => {
    const name = this.keyword(this.CONSUME(K.set));
    this.CONSUME(t.LParen);
    const field = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.expression);
    this.CONSUME(t.RParen);
    return { kind: "set", name, field, value, span: this.from(name.span.start) };
  });

  private readonly startAction: ParserMethod<[], ActionAst> = this.define("startAction", () => {
    const name = this.keyword(this.CONSUME(K.start));
    this.CONSUME(t.LParen);
    const flow = this.name(this.CONSUME(t.StringLiteral));
    this.CONSUME(t.Comma);
    const key = this.SUBRULE(this.expression);
    const fields = this.OPTION(() => {
      this.CONSUME1(t.Comma);
      return this.SUBRULE(this.recordFields);
    });
    this.CONSUME(t.RParen);
    return { kind: "start", name, flow, key, fields: fields ?? [], span: this.from(name.span.start) };
  });
}
