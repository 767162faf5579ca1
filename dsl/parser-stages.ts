import type { IToken, ParserMethod } from "chevrotain";
import type { GroupAst, ModeAst, Name, PeopleAst, StageAst } from "./ast.ts";
import { plainNumber } from "./parser-expressions.ts";
import { TypeGrammar } from "./parser-types.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

type Verdict = "approve" | "reject";

/** The stages of an approval, and what a row of a matrix leads to: section 6 of the language. */
export abstract class StageGrammar extends TypeGrammar {
  /** `STAGE {then STAGE}`. */
  protected readonly stages: ParserMethod<[], StageAst[]> = this.define("stages", () => {
    const found: StageAst[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: K.then, DEF: () => found.push(this.SUBRULE(this.stage)) });
    return found;
  });

  protected readonly stage: ParserMethod<[], StageAst> = this.define("stage", () =>
    this.fixedChoice<StageAst>("stage", () => [
      { GATE: () => this.atAuto(), ALT: () => this.SUBRULE(this.autoStage), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.peopleStage) },
    ]),
  );

  /** Whether `auto` is not the name of people. */
  private atAuto(): boolean {
    const next = this.LA(2).tokenType;
    return this.LA(1).tokenType === K.auto && (next === K.approve || next === K.reject);
  }

  /** `auto approve if COND else reject`. */
  protected readonly autoStage: ParserMethod<[], StageAst> = this.define("autoStage", () => {
    const start = this.here();
    this.CONSUME(K.auto);
    const then = this.SUBRULE(this.verdict);
    this.CONSUME(K.if);
    const condition = this.SUBRULE(this.expression);
    this.CONSUME(K.else);
    const otherwise = this.SUBRULE1(this.verdict);
    return { kind: "auto", condition, then, else: otherwise, span: this.from(start) };
  });

  private readonly verdict: ParserMethod<[], Verdict> = this.define("verdict", () =>
    this.fixedChoice<Verdict>("verdict", () => [
      { ALT: () => this.CONSUME(K.approve) && "approve" },
      { ALT: () => this.CONSUME(K.reject) && "reject" },
    ]),
  );

  /** `PEOPLE [MODE] {and PEOPLE [MODE]} [veto PEOPLE]`. */
  private readonly peopleStage: ParserMethod<[], StageAst> = this.define("peopleStage", () => {
    const start = this.here();
    const groups: GroupAst[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: K.and, DEF: () => groups.push(this.SUBRULE(this.group)) });
    const veto = this.OPTION(() => this.SUBRULE(this.veto));
    return withPresent({ kind: "people", groups, span: this.from(start) }, { veto });
  });

  private readonly veto: ParserMethod<[], PeopleAst> = this.define("veto", () => {
    this.CONSUME(K.veto);
    return this.SUBRULE(this.people);
  });

  /** `PEOPLE [MODE]`, `one of PEOPLE`. */
  private readonly group: ParserMethod<[], GroupAst> = this.define("group", () => {
    const start = this.here();
    const pick = this.OPTION({
      GATE: () => this.LA(2).tokenType === K.of,
      DEF: () => {
        this.CONSUME(K.one);
        return this.CONSUME(K.of);
      },
    });
    const people = this.SUBRULE(this.people);
    const mode = this.OPTION1(() => this.SUBRULE(this.mode));
    return withPresent({ people, pick: pick !== undefined, span: this.from(start) }, { mode });
  });

  private readonly mode: ParserMethod<[], ModeAst> = this.define("mode", () =>
    this.fixedChoice<ModeAst>("mode", () => [
      { ALT: () => plainMode(this.CONSUME(K.any), "any") },
      { ALT: () => plainMode(this.CONSUME(K.all), "all") },
      { ALT: () => plainMode(this.CONSUME(K.sequence), "sequence") },
      { ALT: () => this.SUBRULE(this.quorum) },
    ]),
  );

  /** `quorum 2`, `quorum 60% weight W`. */
  private readonly quorum: ParserMethod<[], ModeAst> = this.define("quorum", () => {
    const start = this.here();
    this.CONSUME(K.quorum);
    const threshold = this.SUBRULE(this.threshold);
    const weight = this.OPTION((): Name => {
      this.CONSUME(K.weight);
      return this.name(this.CONSUME(t.Name));
    });
    return { ...threshold, ...(weight && { weight }), span: this.from(start) };
  });

  /** `2`, `2/3`, `60%`, and `> 50%`: more than that. */
  private readonly threshold: ParserMethod<[], ModeAst> = this.define("threshold", () => {
    const start = this.here();
    const strict = this.OPTION(() => this.CONSUME(t.Greater)) !== undefined;
    return this.choice<ModeAst>([
      {
        ALT: () => {
          const part = this.count(this.CONSUME(t.NumberLiteral));
          const of = this.OPTION1(() => {
            this.CONSUME(t.Slash);
            return this.count(this.CONSUME1(t.NumberLiteral));
          });
          const span = this.from(start);
          return of === undefined
            ? { kind: "count", count: strict ? part + 1 : part, span }
            : { kind: "ratio", part, of, strict, span };
        },
      },
      {
        ALT: () => {
          const percent = plainNumber(this.CONSUME(t.Percent).image.slice(0, -1));
          return { kind: "percent", percent, strict, span: this.from(start) };
        },
      },
    ]);
  });

  /** A whole number. */
  protected count(token: IToken): number {
    return this.ACTION(() => {
      const text = plainNumber(token.image);
      if (text.includes("."))
        this.report.error("FLOW010", `Expected a whole number, found \`${text}\`.`, spanOf(token));
      return Number.parseInt(text, 10);
    });
  }
}

function plainMode(token: IToken, kind: "any" | "all" | "sequence"): ModeAst {
  return { kind, span: spanOf(token) };
}
