import { type IToken, type ParserMethod, tokenMatcher } from "chevrotain";
import type {
  CalendarAst,
  DayRangeAst,
  ExpressionAst,
  MatrixAst,
  MatrixCellAst,
  MatrixRowAst,
  Name,
  RolloutAst,
  TimeAst,
  UseAst,
} from "./ast.ts";
import type { Items } from "./parser-items.ts";
import type { Once } from "./parser-regions.ts";
import { SagaGrammar } from "./parser-sagas.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";

const { K } = t;

type Hours = NonNullable<CalendarAst["hours"]>[number];
type Parameter = MatrixAst["parameters"][number];
type Header = NonNullable<MatrixAst["header"]>;
type RolloutItem = RolloutAst["items"][number];

interface CalendarParts {
  readonly timezone: Once<Name>;
  readonly hours: Once<readonly Hours[]>;
  readonly weekend: Once<readonly Name[]>;
  readonly holidays: Once<readonly DayRangeAst[]>;
  readonly workdays: Once<readonly DayRangeAst[]>;
}

interface MatrixParts {
  readonly parameters: readonly Parameter[];
  readonly header: Header[];
  readonly rows: MatrixRowAst[];
}

const calendarItems: Items = {
  expected: "an item of the calendar, such as `hours: 09:00 .. 18:00`",
  heads: [K.timezone, K.hours, K.weekend, K.holidays, K.workdays],
};
const matrixItems: Items = { expected: "a row such as `[0, 5_000) any → manager`", heads: [] };
const rolloutItems: Items = { expected: "an item such as `percent: 10`", heads: [] };

/** What a file declares beside flows, documents, sources and tests. */
export abstract class DeclarationGrammar extends SagaGrammar {
  protected readonly use: ParserMethod<[], UseAst> = this.define("use", () => {
    const start = this.here();
    this.CONSUME(K.use);
    return { path: this.name(this.CONSUME(t.StringLiteral)), span: this.from(start) };
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Calendars
  // -------------------------------------------------------------------------------------------------------------- //

  protected readonly calendar: ParserMethod<[], CalendarAst> = this.define("calendar", () => {
    const start = this.here();
    const parts = newCalendarParts();
    this.CONSUME(K.calendar);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.block(calendarItems, () => this.SUBRULE(this.calendarItem, { ARGS: [parts] }));
    const timezone = this.only(parts.timezone);
    const hours = this.only(parts.hours);
    const weekend = this.only(parts.weekend);
    const holidays = this.only(parts.holidays);
    const workdays = this.only(parts.workdays);
    return {
      name,
      ...(timezone && { timezone }),
      ...(hours && { hours }),
      ...(weekend && { weekend }),
      ...(holidays && { holidays }),
      ...(workdays && { workdays }),
      span: this.from(start),
    };
  });

  private readonly calendarItem: ParserMethod<[CalendarParts], void> = this.define(
    "calendarItem",
    (parts = newCalendarParts()) => {
      this.OR([
        { ALT: () => this.once(parts.timezone, () => this.SUBRULE(this.timezone)) },
        { ALT: () => this.once(parts.hours, () => this.SUBRULE(this.hours)) },
        { ALT: () => this.once(parts.weekend, () => this.SUBRULE(this.weekend)) },
        { ALT: () => this.once(parts.holidays, () => this.SUBRULE(this.holidays)) },
        { ALT: () => this.once(parts.workdays, () => this.SUBRULE(this.workdays)) },
      ]);
    },
  );

  private readonly timezone: ParserMethod<[], Name> = this.define("timezone", () => {
    this.CONSUME(K.timezone);
    this.CONSUME(t.Colon);
    return this.name(this.CONSUME(t.StringLiteral));
  });

  /** `hours: 09:00 .. 18:00`, `hours: [09:00 .. 12:00, 13:00 .. 18:00]`. */
  private readonly hours: ParserMethod<[], Hours[]> = this.define("hours", () => {
    this.CONSUME(K.hours);
    this.CONSUME(t.Colon);
    return this.choice<Hours[]>([
      { ALT: () => [this.SUBRULE(this.hoursRange)] },
      { ALT: () => this.SUBRULE(this.hoursList) },
    ]);
  });

  private readonly hoursList: ParserMethod<[], Hours[]> = this.define("hoursList", () => {
    const found: Hours[] = [];
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      found.push(this.SUBRULE(this.hoursRange));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return found;
  });

  private readonly hoursRange: ParserMethod<[], Hours> = this.define("hoursRange", () => {
    const start = this.here();
    const from = this.time(this.CONSUME(t.Time));
    this.CONSUME(t.DotDot);
    const to = this.time(this.CONSUME1(t.Time));
    return { from, to, span: this.from(start) };
  });

  private time(token: IToken): TimeAst {
    return this.ACTION(() => ({ text: this.realDate(token), span: spanOf(token) }));
  }

  private readonly weekend: ParserMethod<[], Name[]> = this.define("weekend", () => {
    this.CONSUME(K.weekend);
    this.CONSUME(t.Colon);
    return this.SUBRULE(this.names);
  });

  private readonly holidays: ParserMethod<[], DayRangeAst[]> = this.define("holidays", () => {
    this.CONSUME(K.holidays);
    this.CONSUME(t.Colon);
    return this.SUBRULE(this.dayRanges);
  });

  private readonly workdays: ParserMethod<[], DayRangeAst[]> = this.define("workdays", () => {
    this.CONSUME(K.workdays);
    this.CONSUME(t.Colon);
    return this.SUBRULE(this.dayRanges);
  });

  /** `[2026-10-10, 2026-10-01 .. 2026-10-07]`. */
  private readonly dayRanges: ParserMethod<[], DayRangeAst[]> = this.define("dayRanges", () => {
    const found: DayRangeAst[] = [];
    this.CONSUME(t.LSquare);
    this.MANY(() => {
      found.push(this.SUBRULE(this.dayRange));
      this.comma(t.RSquare);
    });
    this.CONSUME(t.RSquare);
    return found;
  });

  private readonly dayRange: ParserMethod<[], DayRangeAst> = this.define("dayRange", () => {
    const start = this.here();
    const from = this.time(this.CONSUME(t.DateOnly));
    const to = this.OPTION(() => {
      this.CONSUME(t.DotDot);
      return this.time(this.CONSUME1(t.DateOnly));
    });
    return { from, ...(to && { to }), span: this.from(start) };
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Matrices
  // -------------------------------------------------------------------------------------------------------------- //

  protected readonly matrix: ParserMethod<[], MatrixAst> = this.define("matrix", () => {
    const start = this.here();
    this.CONSUME(K.matrix);
    const name = this.name(this.CONSUME(t.Name));
    const parameters = this.SUBRULE(this.parameters);
    const parts: MatrixParts = { parameters, header: [], rows: [] };
    this.block(matrixItems, () => this.SUBRULE(this.matrixItem, { ARGS: [parts] }));
    const [header] = parts.header;
    const { rows } = parts;
    return { name, parameters, ...(header && { header }), rows, ...this.docAt(start), span: this.from(start) };
  });

  private readonly parameters: ParserMethod<[], Parameter[]> = this.define("parameters", () => {
    const found: Parameter[] = [];
    this.CONSUME(t.LParen);
    this.MANY(() => {
      const name = this.name(this.CONSUME(t.Name));
      this.CONSUME(t.Colon);
      const type = this.SUBRULE(this.type);
      found.push({ name, type, span: this.from(name.span.start) });
      this.comma(t.RParen);
    });
    this.CONSUME(t.RParen);
    return found;
  });

  private readonly matrixItem: ParserMethod<[MatrixParts], void> = this.define("matrixItem", (parts = noMatrix()) => {
    this.OR([
      {
        GATE: () => this.atHeader(parts),
        ALT: () => this.collect(parts.header, () => this.SUBRULE(this.matrixHeader))(),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.collect(parts.rows, () => this.SUBRULE(this.matrixRow))() },
    ]);
  });

  /** Whether this is the first line, of names one of which is a parameter's. */
  private atHeader({ parameters, header, rows }: MatrixParts): boolean {
    if (header.length > 0 || rows.length > 0) return false;
    const names = new Set(parameters.map(({ name }) => name.text));
    for (let ahead = 1; ; ahead++) {
      const token = this.LA(ahead);
      if (names.has(token.image)) return true;
      if (!tokenMatcher(token, t.Name)) return false;
    }
  }

  private readonly matrixHeader: ParserMethod<[], Header> = this.define("matrixHeader", () => {
    const start = this.here();
    const columns: Name[] = [];
    this.AT_LEAST_ONE(() => columns.push(this.name(this.CONSUME(t.Name))));
    this.CONSUME(t.Arrow);
    return { columns, result: this.name(this.CONSUME1(t.Name)), span: this.from(start) };
  });

  /** `[5_000, 50_000) travel, equipment → manager then finance`. */
  private readonly matrixRow: ParserMethod<[], MatrixRowAst> = this.define("matrixRow", () => {
    const start = this.here();
    const cells: MatrixCellAst[] = [];
    this.AT_LEAST_ONE(() => cells.push(this.SUBRULE(this.matrixCell)));
    this.CONSUME(t.Arrow);
    return { cells, stages: this.SUBRULE(this.stages), span: this.from(start) };
  });

  private readonly matrixCell: ParserMethod<[], MatrixCellAst> = this.define("matrixCell", () =>
    this.fixedChoice<MatrixCellAst>("matrixCell", () => [
      {
        GATE: () => this.LA(2).tokenType !== t.Comma,
        ALT: () => ({ kind: "any", span: spanOf(this.CONSUME(K.any)) }),
        IGNORE_AMBIGUITIES: true,
      },
      {
        ALT: () => {
          const start = this.here();
          const values: ExpressionAst[] = [];
          this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => values.push(this.SUBRULE(this.plainValue)) });
          return { kind: "values", values, span: this.from(start) };
        },
      },
    ]),
  );

  // -------------------------------------------------------------------------------------------------------------- //
  // Rollouts
  // -------------------------------------------------------------------------------------------------------------- //

  /** `rollout "v3" of "expense" to label "3.0" { … }`. */
  protected readonly rollout: ParserMethod<[], RolloutAst> = this.define("rollout", () => {
    const start = this.here();
    const items: RolloutItem[] = [];
    this.CONSUME(K.rollout);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.CONSUME(K.of);
    const flow = this.name(this.CONSUME1(t.StringLiteral));
    this.CONSUME(K.to);
    this.CONSUME(K.label);
    const label = this.name(this.CONSUME2(t.StringLiteral));
    this.block(
      rolloutItems,
      this.collect(items, () => {
        const key = this.name(this.CONSUME(t.Name));
        this.CONSUME(t.Colon);
        const value = this.SUBRULE(this.plainValue);
        return { name: key, value, span: this.from(key.span.start) };
      }),
    );
    return { name, flow, label, items, span: this.from(start) };
  });
}

function newCalendarParts(): CalendarParts {
  return { timezone: [], hours: [], weekend: [], holidays: [], workdays: [] };
}

function noMatrix(): MatrixParts {
  return { parameters: [], header: [], rows: [] };
}
