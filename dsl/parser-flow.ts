import type { IToken, ParserMethod, TokenType } from "chevrotain";
import type {
  ActionAst,
  EventAst,
  FieldAst,
  FlowAst,
  Name,
  PeopleAst,
  RouteAst,
  StateBlockAst,
  TransitionAst,
  TriggerAst,
  TypeAst,
} from "./ast.ts";
import type { Span } from "./diagnostic.ts";
import { spanOf } from "./layout.ts";
import { ApprovalGrammar } from "./parser-approval.ts";
import type { Items } from "./parser-base.ts";
import * as t from "./tokens.ts";

const { K } = t;

type Payload = { readonly name: Name; readonly type?: TypeAst; readonly optional: boolean };
type Target = RouteAst["targets"][number];
type Label = { readonly name: Name; readonly value: Name };

/** A machine while its items come in. */
export interface FlowParts {
  readonly settings: { readonly key: Name; readonly value: Name }[];
  readonly fields: FieldAst[];
  readonly events: EventAst[];
  readonly people: { readonly name: Name; readonly people: PeopleAst }[];
  initial?: Name;
  states?: Name[];
  statesSpan?: Span;
  final?: Name[];
  readonly stateBlocks: StateBlockAst[];
  readonly transitions: TransitionAst[];
  readonly routes: RouteAst[];
}

const machineItems: Items = {
  expected: "an item of the machine, such as `states: [..]` or `transitions { .. }`",
  heads: [
    ...[K.title, K.label, K.currency, K.initial, K.states, K.final, K.data, K.events, K.people],
    ...[K.state, K.transitions, K.routes],
  ],
};
const fieldItems: Items = { expected: "a field such as `amount: money`", heads: [] };
const eventItems: Items = { expected: 'an event such as `"submit" { amount }`', heads: [] };
const payloadItems: Items = { expected: "a field's name, or `name: type`", heads: [] };
const peopleItems: Items = { expected: "people such as `manager = managerOf(initiator)`", heads: [] };
const transitionItems: Items = { expected: 'a transition such as `DRAFT → REVIEWING on "submit"`', heads: [] };
const routeItems: Items = { expected: 'a route such as `"submit" → "audit-service"`', heads: [] };

/** `state machine "x" { … }`: section 5 of the language. */
export abstract class FlowGrammar extends ApprovalGrammar {
  protected readonly flow: ParserMethod<[], FlowAst> = this.define("flow", () => {
    const start = this.here();
    const parts = newParts();
    this.CONSUME(K.state);
    this.CONSUME(K.machine);
    const name = this.name(this.CONSUME(t.StringLiteral));
    this.block(machineItems, () => this.SUBRULE(this.machineItem, { ARGS: [parts] }));
    return { ...parts, name, states: parts.states ?? [], span: this.from(start) };
  });

  private readonly machineItem: ParserMethod<[FlowParts], void> = this.define("machineItem", (parts = newParts()) => {
    this.OR([
      { ALT: () => this.collect(parts.settings, () => this.SUBRULE(this.setting))() },
      { ALT: () => this.SUBRULE(this.initial, { ARGS: [parts] }) },
      { ALT: () => this.SUBRULE(this.states, { ARGS: [parts] }) },
      { ALT: () => this.SUBRULE(this.final, { ARGS: [parts] }) },
      { ALT: () => this.SUBRULE(this.data, { ARGS: [parts.fields] }) },
      { ALT: () => this.SUBRULE(this.events, { ARGS: [parts.events] }) },
      { ALT: () => this.SUBRULE(this.peopleBlock, { ARGS: [parts.people] }) },
      { ALT: () => this.collect(parts.stateBlocks, () => this.SUBRULE(this.stateBlock))() },
      { ALT: () => this.SUBRULE(this.transitions, { ARGS: [parts.transitions] }) },
      { ALT: () => this.SUBRULE(this.routes, { ARGS: [parts.routes] }) },
      {
        ALT: () => {
          const word = this.CONSUME(t.LeftOut);
          this.leaveOutItem(`\`${word.image}\``, word);
        },
      },
    ]);
  });

  private readonly setting: ParserMethod<[], { key: Name; value: Name }> = this.define("setting", () => {
    const key = this.OR([
      { ALT: () => this.CONSUME(K.title) },
      { ALT: () => this.CONSUME(K.label) },
      { ALT: () => this.CONSUME(K.currency) },
    ]);
    this.CONSUME(t.Colon);
    return { key: this.name(key), value: this.SUBRULE(this.word) };
  });

  /** A bare name or a string. */
  protected readonly word: ParserMethod<[], Name> = this.define("word", () =>
    this.name(this.OR([{ ALT: () => this.CONSUME(t.Name) }, { ALT: () => this.CONSUME(t.StringLiteral) }])),
  );

  private once(present: unknown, word: IToken): void {
    if (present) this.report.error("FLOW014", `\`${word.image}\` stands here a second time.`, spanOf(word));
  }

  private readonly initial: ParserMethod<[FlowParts], void> = this.define("initial", (parts = newParts()) => {
    const word = this.CONSUME(K.initial);
    this.CONSUME(t.Colon);
    const name = this.name(this.CONSUME(t.Name));
    this.ACTION(() => {
      this.once(parts.initial, word);
      parts.initial ??= name;
    });
  });

  private readonly states: ParserMethod<[FlowParts], void> = this.define("states", (parts = newParts()) => {
    const word = this.CONSUME(K.states);
    this.CONSUME(t.Colon);
    const names = this.SUBRULE(this.names);
    this.ACTION(() => {
      this.once(parts.states, word);
      parts.states ??= names;
      parts.statesSpan ??= this.from(word.startOffset);
    });
  });

  private readonly final: ParserMethod<[FlowParts], void> = this.define("final", (parts = newParts()) => {
    const word = this.CONSUME(K.final);
    this.CONSUME(t.Colon);
    const names = this.SUBRULE(this.names);
    this.ACTION(() => {
      this.once(parts.final, word);
      parts.final ??= names;
    });
  });

  private readonly data: ParserMethod<[FieldAst[]], void> = this.define("data", (found = []) => {
    this.CONSUME(K.data);
    this.block(
      fieldItems,
      this.collect(found, () => this.SUBRULE(this.field)),
    );
  });

  private readonly field: ParserMethod<[], FieldAst> = this.define("field", () => {
    const marks: TokenType[] = [];
    const name = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Colon);
    const type = this.SUBRULE(this.type);
    this.MANY(() =>
      this.OR([
        { ALT: () => marks.push(this.CONSUME(t.Question).tokenType) },
        { ALT: () => marks.push(this.CONSUME(K.secret).tokenType) },
      ]),
    );
    const [optional, secret] = [marks.includes(t.Question), marks.includes(K.secret)];
    const fallback = this.OPTION(() => {
      this.CONSUME(t.Equal);
      return this.SUBRULE(this.expression);
    });
    return { name, type, optional, secret, ...(fallback && { default: fallback }), span: this.from(name.span.start) };
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
      const type = this.OPTION(() => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.type);
      });
      const optional = this.OPTION1(() => this.CONSUME(t.Question)) !== undefined;
      return { name, ...(type && { type }), optional };
    });
  });

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

  // -------------------------------------------------------------------------------------------------------------- //
  // Transitions
  // -------------------------------------------------------------------------------------------------------------- //

  private readonly transitions: ParserMethod<[TransitionAst[]], void> = this.define("transitions", (found = []) => {
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
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => from.push(this.name(this.CONSUME(t.Name))) });
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
    return {
      from: any ? "any" : from,
      to,
      trigger,
      ...(by && { by }),
      else: otherwise,
      ...(condition && { condition }),
      actions,
      span: this.from(start),
    };
  });

  private readonly trigger: ParserMethod<[], TriggerAst> = this.define("trigger", () => {
    const start = this.here();
    this.ACTION(() => this.respell([K.on, K.after, K.at]));
    return this.choice<TriggerAst>([
      {
        ALT: () => {
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
          this.CONSUME(K.after);
          return { kind: "after", duration: this.SUBRULE(this.duration), span: this.from(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(K.at);
          return { kind: "at", at: this.SUBRULE(this.expression), span: this.from(start) };
        },
      },
    ]);
  });

  private readonly action: ParserMethod<[], ActionAst> = this.define("action", () => {
    return this.choice<ActionAst>([
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
          const name = this.name(this.CONSUME(t.Name));
          return { kind: "call", name, arguments: this.SUBRULE(this.callArguments), span: this.from(name.span.start) };
        },
      },
    ]);
  });

  private readonly setAction: ParserMethod<[], ActionAst> = this.define("setAction", () => {
    const name = this.name(this.CONSUME(K.set));
    this.CONSUME(t.LParen);
    const field = this.name(this.CONSUME(t.Name));
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.expression);
    this.CONSUME(t.RParen);
    return { kind: "set", name, field, value, span: this.from(name.span.start) };
  });

  private readonly startAction: ParserMethod<[], ActionAst> = this.define("startAction", () => {
    const name = this.name(this.CONSUME(K.start));
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
    for (const match of token.image.slice(1, -1).matchAll(/[^,\s](?:[^,]*[^,\s])?/g)) {
      const start = token.startOffset + 1 + match.index;
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
  return { settings: [], fields: [], events: [], people: [], stateBlocks: [], transitions: [], routes: [] };
}
