import type { ParserMethod } from "chevrotain";
import type { ExpressionAst, PropertyAst, QualifiedNameAst } from "./ast.ts";
import type { Items } from "./parser-items.ts";
import { RegionGrammar } from "./parser-regions.ts";
import * as t from "./tokens.ts";

const { K } = t;

type Without = Extract<PropertyAst, { kind: "never-without" }>["without"];

const propertyItems: Items = { expected: "a property such as `never APPROVED without PAYING`", heads: [] };

/** `ensure { … }`: section 8 of the language. */
export abstract class PropertyGrammar extends RegionGrammar {
  protected readonly ensure: ParserMethod<[PropertyAst[]], void> = this.define("ensure", (found = []) => {
    this.CONSUME(K.ensure);
    this.block(
      propertyItems,
      this.collect(found, () => this.SUBRULE(this.property)),
    );
  });

  /** The words are keywords only where no people of that name `never approve`. */
  private readonly property: ParserMethod<[], PropertyAst> = this.define("property", () =>
    this.fixedChoice<PropertyAst>("property", () => [
      {
        GATE: () => this.LA(2).tokenType !== K.never || this.LA(3).tokenType !== K.approves,
        ALT: () => this.SUBRULE(this.neverWithout),
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType === K.people,
        ALT: () => this.SUBRULE(this.differentPeople),
        IGNORE_AMBIGUITIES: true,
      },
      {
        GATE: () => this.LA(2).tokenType !== K.never,
        ALT: () => this.SUBRULE(this.reachesFinal),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE(this.neverApproves) },
    ]),
  );

  /** `never X without Y if COND`, `never X without approval by P if COND`. */
  private readonly neverWithout: ParserMethod<[], PropertyAst> = this.define("neverWithout", () => {
    const start = this.here();
    this.CONSUME(K.never);
    const state = this.SUBRULE(this.qualifiedName);
    this.CONSUME(K.without);
    const without = this.SUBRULE(this.without);
    const condition = this.OPTION((): ExpressionAst => {
      this.CONSUME(K.if);
      return this.SUBRULE(this.expression);
    });
    return { kind: "never-without", state, without, ...(condition && { condition }), span: this.from(start) };
  });

  private readonly without: ParserMethod<[], Without> = this.define("without", () =>
    this.fixedChoice<Without>("without", () => [
      {
        GATE: () => this.LA(2).tokenType === K.by,
        ALT: () => {
          this.CONSUME(K.approval);
          this.CONSUME(K.by);
          return { kind: "approval", by: this.SUBRULE(this.people) };
        },
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => ({ kind: "state", state: this.SUBRULE(this.qualifiedName) }) },
    ]),
  );

  /** `P never approves`. */
  private readonly neverApproves: ParserMethod<[], PropertyAst> = this.define("neverApproves", () => {
    const start = this.here();
    const people = this.SUBRULE(this.people);
    this.CONSUME(K.never);
    this.CONSUME(K.approves);
    return { kind: "never-approves", people, span: this.from(start) };
  });

  /** `different people in [A, legal.B]`. */
  private readonly differentPeople: ParserMethod<[], PropertyAst> = this.define("differentPeople", () => {
    const start = this.here();
    const states: QualifiedNameAst[] = [];
    this.CONSUME(K.different);
    this.CONSUME(K.people);
    this.CONSUME(K.in);
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      states.push(this.SUBRULE(this.qualifiedName));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return { kind: "different-people", states, span: this.from(start) };
  });

  /** `reaches final within 60d`. */
  private readonly reachesFinal: ParserMethod<[], PropertyAst> = this.define("reachesFinal", () => {
    const start = this.here();
    this.CONSUME(K.reaches);
    this.CONSUME(K.final);
    this.CONSUME(K.within);
    return { kind: "reaches-final", within: this.SUBRULE(this.duration), span: this.from(start) };
  });

  /** `APPROVED`, `legal.REVIEW`. */
  protected readonly qualifiedName: ParserMethod<[], QualifiedNameAst> = this.define("qualifiedName", () => {
    const first = this.name(this.CONSUME(t.Name));
    const second = this.OPTION(() => {
      this.CONSUME(t.Dot);
      return this.name(this.CONSUME1(t.Name));
    });
    const span = this.from(first.span.start);
    return second ? { branch: first, name: second, span } : { name: first, span };
  });
}
