import type { IToken, ParserMethod } from "chevrotain";
import type {
  EventAst,
  FieldAst,
  FlowAst,
  MigrationAst,
  Name,
  PeopleAst,
  PropertyAst,
  RouteAst,
  TypeAst,
} from "./ast.ts";
import type { Items } from "./parser-items.ts";
import { PropertyGrammar } from "./parser-properties.ts";
import { newRegionParts, type RegionParts } from "./parser-regions.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";
import { withPresent } from "./with-present.ts";

const { K } = t;

type Payload = EventAst["payload"][number];
type Marks = { readonly optional: boolean; readonly secret: boolean };
type Target = RouteAst["targets"][number];
type Label = { readonly name: Name; readonly value: Name };
type Setting = FlowAst["settings"][number];

/** A machine while its items come in. */
interface FlowParts extends RegionParts {
  readonly settings: Setting[];
  readonly fields: FieldAst[];
  readonly events: EventAst[];
  readonly people: { readonly name: Name; readonly people: PeopleAst }[];
  readonly routes: RouteAst[];
  readonly ensure: PropertyAst[];
  readonly migrations: MigrationAst[];
}

const machineItems: Items = {
  expected: "an item of the machine, such as `states: [..]` or `transitions { .. }`",
  heads: [
    ...[K.title, K.label, K.calendar, K.currency, K.initial, K.states, K.final, K.data, K.events, K.people],
    ...[K.state, K.transitions, K.routes, K.ensure, K.migrate],
  ],
};
const fieldItems: Items = { expected: "a field such as `amount: money`", heads: [] };
const eventItems: Items = { expected: 'an event such as `"submit" { amount }`', heads: [] };
const payloadItems: Items = { expected: "a field's name, or `name: type`", heads: [], bare: true };
const peopleItems: Items = { expected: "people such as `manager = managerOf(initiator)`", heads: [] };
const routeItems: Items = { expected: 'a route such as `"submit" → "audit-service"`', heads: [] };
const migrationItems: Items = { expected: "a line such as `OLD → NEW`", heads: [] };

/** `state machine "x" { … }`: section 5 of the language. */
export abstract class FlowGrammar extends PropertyGrammar {
  protected readonly flow: ParserMethod<[], FlowAst> = this.define("flow", () => {
    const start = this.here();
    const parts = newParts();
    this.CONSUME(K.state);
    this.CONSUME(K.machine);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.block(machineItems, () => this.SUBRULE(this.machineItem, { ARGS: [parts] }));
    const { settings, fields, events, people, routes, ensure, migrations } = parts;
    const rest = { settings, fields, events, people, routes, ensure, migrations, span: this.from(start) };
    return withPresent({ ...this.regionOf(parts), name, ...rest }, this.docAt(start));
  });

  private readonly machineItem: ParserMethod<[FlowParts], void> = this.define("machineItem", (parts = newParts()) => {
    this.choiceWith("machineItem", parts, (given) => [
      { ALT: () => this.SUBRULE(this.regionItem, { ARGS: [given()] }) },
      { ALT: () => this.collect(given().settings, () => this.SUBRULE(this.setting))() },
      { ALT: () => this.SUBRULE(this.data, { ARGS: [given().fields] }) },
      { ALT: () => this.SUBRULE(this.events, { ARGS: [given().events] }) },
      { ALT: () => this.SUBRULE(this.peopleBlock, { ARGS: [given().people] }) },
      { ALT: () => this.SUBRULE(this.routes, { ARGS: [given().routes] }) },
      { ALT: () => this.SUBRULE(this.ensure, { ARGS: [given().ensure] }) },
      { ALT: () => this.collect(given().migrations, () => this.SUBRULE(this.migration))() },
    ]);
  });

  private readonly setting: ParserMethod<[], Setting> = this.define("setting", () => {
    const key = this.fixedChoice("setting", () => [
      { ALT: () => this.CONSUME(K.title) },
      { ALT: () => this.CONSUME(K.label) },
      { ALT: () => this.CONSUME(K.calendar) },
      { ALT: () => this.CONSUME(K.currency) },
    ]);
    this.CONSUME(t.Colon);
    return { key: this.keyword(key), value: this.SUBRULE(this.word) };
  });

  private readonly data: ParserMethod<[FieldAst[]], void> = this.define("data", (found = []) => {
    this.CONSUME(K.data);
    this.block(
      fieldItems,
      this.collect(found, () => this.SUBRULE(this.field)),
    );
  });

  private readonly field: ParserMethod<[], FieldAst> = this.define("field", () => {
    const name = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Colon);
    const type = this.SUBRULE(this.type);
    const { optional, secret } = this.SUBRULE(this.marks);
    const fallback = this.OPTION(() => {
      this.CONSUME(t.Equal);
      return this.SUBRULE(this.expression);
    });
    return withPresent({ name, type, optional, secret, span: this.from(name.span.start) }, { default: fallback });
  });

  /** `?` and `secret`, in any order. */
  private readonly marks: ParserMethod<[], Marks> = this.define("marks", () => {
    const found = { optional: false, secret: false };
    this.MANY(() =>
      this.OR([
        { ALT: () => (found.optional = this.CONSUME(t.Question) !== undefined) },
        { ALT: () => (found.secret = this.CONSUME(K.secret) !== undefined) },
      ]),
    );
    return found;
  });

  private readonly events: ParserMethod<[EventAst[]], void> = this.define("events", (found = []) => {
    this.CONSUME(K.events);
    this.block(
      eventItems,
      this.collect(found, () => this.SUBRULE(this.event)),
    );
  });

  private readonly event: ParserMethod<[], EventAst> = this.define("event", () => {
    const name = this.name(this.CONSUME(t.StringLiteral));
    const payload: Payload[] = [];
    this.OPTION(() => this.SUBRULE(this.payload, { ARGS: [payload] }));
    return { name, payload, span: this.from(name.span.start) };
  });

  private readonly payload: ParserMethod<[Payload[]], void> = this.define("payload", (found = []) => {
    this.commaBlock(payloadItems, found, () => {
      const name = this.name(this.CONSUME(t.Name));
      const typed = this.OPTION(() => this.SUBRULE(this.payloadType));
      const optional = this.OPTION1(() => this.CONSUME(t.Question)) !== undefined;
      return withPresent({ name, optional, secret: false }, typed ?? {});
    });
  });

  private readonly payloadType: ParserMethod<[], Marks & { readonly type: TypeAst }> = this.define(
    "payloadType",
    () => {
      this.CONSUME(t.Colon);
      const type = this.SUBRULE(this.type);
      return { type, ...this.SUBRULE(this.marks) };
    },
  );

  private readonly peopleBlock: ParserMethod<[{ name: Name; people: PeopleAst }[]], void> = this.define(
    "peopleBlock",
    (found = []) => {
      this.CONSUME(K.people);
      this.block(
        peopleItems,
        this.collect(found, () => {
          const name = this.name(this.CONSUME(t.Name));
          this.CONSUME(t.Equal);
          return { name, people: this.SUBRULE(this.people) };
        }),
      );
    },
  );

  /** `migrate from label "2.0" { OLD → NEW }`. */
  private readonly migration: ParserMethod<[], MigrationAst> = this.define("migration", () => {
    const start = this.here();
    const lines: MigrationAst["lines"][number][] = [];
    this.CONSUME(K.migrate);
    this.CONSUME(K.from);
    this.CONSUME(K.label);
    const label = this.name(this.CONSUME(t.StringLiteral));
    this.block(
      migrationItems,
      this.collect(lines, () => {
        const line = this.here();
        const from = this.SUBRULE(this.qualifiedName);
        this.CONSUME(t.Arrow);
        const to = this.SUBRULE1(this.qualifiedName);
        return { from, to, span: this.from(line) };
      }),
    );
    return { label, lines, span: this.from(start) };
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Routes
  // -------------------------------------------------------------------------------------------------------------- //

  private readonly routes: ParserMethod<[RouteAst[]], void> = this.define("routes", (found = []) => {
    this.CONSUME(K.routes);
    this.block(
      routeItems,
      this.collect(found, () => this.SUBRULE(this.route)),
    );
  });

  private readonly route: ParserMethod<[], RouteAst> = this.define("route", () => {
    const event = this.name(this.CONSUME(t.StringLiteral));
    const targets: Target[] = [];
    this.CONSUME(t.Arrow);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.routeTarget, { ARGS: [targets] }) });
    return { event, targets, span: this.from(event.span.start) };
  });

  private readonly routeTarget: ParserMethod<[Target[]], void> = this.define("routeTarget", (targets = []) => {
    this.OR([
      {
        ALT: () => {
          const services = this.CONSUME(t.StringLiteral);
          this.ACTION(() => targets.push(...this.services(services)));
        },
      },
      {
        ALT: () => {
          const start = this.here();
          this.CONSUME(K.service);
          const labels = this.SUBRULE(this.labels);
          targets.push({ kind: "selector", labels, span: this.from(start) });
        },
      },
    ]);
  });

  /** `"a, b"` names two services. */
  private services(token: IToken): Target[] {
    const found: Target[] = [];
    for (const match of token.image.matchAll(/[^,\s"](?:[^,"]*[^,\s"])?/g)) {
      const start = token.startOffset + match.index;
      found.push({ kind: "service", name: match[0], span: { start, end: start + match[0].length } });
    }
    if (found.length === 0) this.report.error("FLOW010", "Expected a service's name.", spanOf(token));
    return found;
  }

  private readonly labels: ParserMethod<[], Label[]> = this.define("labels", () => {
    const found: Label[] = [];
    this.CONSUME(t.LParen);
    this.AT_LEAST_ONE(() => {
      const name = this.name(this.CONSUME(t.Name));
      this.CONSUME(t.Equal);
      found.push({ name, value: this.SUBRULE(this.word) });
      this.comma(t.RParen);
    });
    this.CONSUME(t.RParen);
    return found;
  });
}

function newParts(): FlowParts {
  const own = { settings: [], fields: [], events: [], people: [], routes: [], ensure: [], migrations: [] };
  return { ...newRegionParts(), ...own };
}
