import { createToken, EmbeddedActionsParser, Lexer, type ParserMethod, type TokenType } from "chevrotain";

/**
 * The part of the language that the examples use, written straight in Chevrotain, which only says whether a text belongs
 * to it: no tree, no spans, no recovery, no messages, and line ends are blanks. The limit that our parser is measured
 * against.
 */

const Name = createToken({ name: "Name", pattern: Lexer.NA });
const Identifier = createToken({
  name: "Identifier",
  pattern: /[A-Za-z_\u00c0-\u1fff\u3040-\ud7a3](?:-?[A-Za-z0-9_\u00c0-\u1fff\u3040-\ud7a3])*/,
  categories: [Name],
});
const Operator = createToken({ name: "Operator", pattern: Lexer.NA });
const Prefix = createToken({ name: "Prefix", pattern: Lexer.NA });
const Literal = createToken({ name: "Literal", pattern: Lexer.NA });

/** Keywords are names too. */
function keyword(word: string, ...categories: TokenType[]): TokenType {
  return createToken({
    name: `Keyword ${word}`,
    pattern: word,
    longer_alt: Identifier,
    categories: [Name, ...categories],
  });
}

function keywords<const Word extends string>(...words: readonly Word[]): Record<Word, TokenType> {
  return Object.fromEntries(words.map((word) => [word, keyword(word)])) as Record<Word, TokenType>;
}

const sign = (pattern: string | RegExp, ...categories: TokenType[]): TokenType =>
  createToken({ name: `Sign ${pattern}`, pattern, categories });

const K = {
  ...{ and: keyword("and", Operator), or: keyword("or", Operator), in: keyword("in", Operator) },
  ...{ not: keyword("not", Prefix), true: keyword("true", Literal), false: keyword("false", Literal) },
  ...keywords("state", "machine", "document", "source", "test", "of", "title", "label", "currency", "data", "events"),
  ...keywords("people", "initial", "states", "final", "transitions", "routes", "approval", "by", "then", "else", "if"),
  ...keywords("on", "after", "at", "secret", "signed", "one", "list", "is", "set", "to", "any", "all", "sequence"),
  ...keywords("quorum", "reject", "rest", "due", "per", "stage", "remind", "every", "most", "overdue", "repeat"),
  ...keywords("onEmpty", "hold", "skip", "assign", "allow", "reason", "required", "approve", "escalate", "transfer"),
  ...keywords("service", "template", "fallback", "when", "starts", "control", "table", "as", "org", "tags", "with"),
  ...keywords("given", "fails", "takes", "times", "start", "send", "key", "because", "setting", "id", "approves"),
  ...keywords("rejects", "abstains", "withdraws", "returns", "transfers", "initiator", "advance", "expect", "waiting"),
  ...keywords("for", "nobody", "emitted", "notified", "rendered", "containing", "called", "refused", "escalated"),
  ...keywords("reminded", "round", "seat", "history", "nothing", "open", "yes", "no"),
};

const Arrow = sign(/→|->/);
const Equal = sign("=");
const Minus = sign("-", Operator, Prefix);
const Slash = sign("/", Operator);
const Greater = sign(">", Operator);
const Dot = sign(".");
const Comma = sign(",");
const Colon = sign(":");
const Question = sign("?");
const [LParen, RParen, LSquare, RSquare, LCurly, RCurly] = [
  sign("("),
  sign(")"),
  sign("["),
  sign("]"),
  sign("{"),
  sign("}"),
];

const literal = (name: string, pattern: RegExp): TokenType => createToken({ name, pattern, categories: [Literal] });
const DateTime = literal("DateTime", /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?/);
const DateOnly = literal("DateOnly", /\d{4}-\d\d-\d\d/);
const Duration = literal("Duration", /\d[\d_]*(?:\.\d+)?(?:ms|[smhdw])(?![A-Za-z0-9_])/);
const Percent = literal("Percent", /\d[\d_]*(?:\.\d+)?%/);
const Figures = literal("Number", /\d[\d_]*(?:\.\d[\d_]*)?/);
const Text = literal("Text", /"(?:[^"\\\r\n]|\\[^\r\n])*"/);

const tokens = [
  createToken({ name: "Space", pattern: /[\s;]+/, group: Lexer.SKIPPED, line_breaks: true }),
  createToken({ name: "LineComment", pattern: /\/\/[^\r\n]*/, group: Lexer.SKIPPED }),
  createToken({ name: "BlockComment", pattern: /\/\*[\s\S]*?\*\//, group: Lexer.SKIPPED, line_breaks: true }),
  ...[DateTime, DateOnly, literal("Time", /\d\d:\d\d(?::\d\d)?/), Duration, Percent, Figures, Text, Arrow],
  ...["==", "!=", "<=", ">="].map((pattern) => sign(pattern, Operator)),
  ...[Equal, Greater, sign("<", Operator), sign("+", Operator), Minus, sign("*", Operator), Slash],
  ...[Dot, Comma, Colon, Question, LParen, RParen, LSquare, RSquare, LCurly, RCurly],
  // `in` would take `initial` for a name.
  ...Object.values(K).toSorted((a, b) => b.name.length - a.name.length),
  Identifier,
];
const lexer = new Lexer(tokens, { ensureOptimizations: true, positionTracking: "onlyOffset" });

type Rule = ParserMethod<[], void>;

class BareParser extends EmbeddedActionsParser {
  constructor() {
    super([...tokens, Name, Operator, Prefix, Literal], { maxLookahead: 1, recoveryEnabled: false });
    this.performSelfAnalysis();
  }

  /** One of them, the first that fits. */
  #either(...alternatives: readonly (() => void)[]): void {
    this.OR(alternatives.map((ALT) => ({ ALT, IGNORE_AMBIGUITIES: true })));
  }

  readonly file: Rule = this.RULE("file", () => {
    this.MANY(() =>
      this.#either(
        () => this.SUBRULE(this.flow),
        () => this.SUBRULE(this.document),
        () => this.SUBRULE(this.source),
        () => this.SUBRULE(this.test),
      ),
    );
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Flow
  // -------------------------------------------------------------------------------------------------------------- //

  readonly flow: Rule = this.RULE("flow", () => {
    this.CONSUME(K.state);
    this.CONSUME(K.machine);
    this.CONSUME(Text);
    this.CONSUME(LCurly);
    this.MANY(() =>
      this.#either(
        () => this.SUBRULE(this.setting),
        () => this.SUBRULE(this.stateList),
        () => this.SUBRULE(this.data),
        () => this.SUBRULE(this.events),
        () => this.SUBRULE(this.peopleBlock),
        () => this.SUBRULE(this.stateBlock),
        () => this.SUBRULE(this.transitions),
        () => this.SUBRULE(this.routes),
      ),
    );
    this.CONSUME(RCurly);
  });

  readonly setting: Rule = this.RULE("setting", () => {
    this.#either(
      () => this.CONSUME(K.title),
      () => this.CONSUME(K.label),
      () => this.CONSUME(K.currency),
      () => this.CONSUME(K.initial),
    );
    this.CONSUME(Colon);
    this.SUBRULE(this.word);
  });

  readonly word: Rule = this.RULE("word", () => {
    this.#either(
      () => this.CONSUME(Name),
      () => this.CONSUME(Text),
    );
  });

  readonly stateList: Rule = this.RULE("stateList", () => {
    this.#either(
      () => this.CONSUME(K.states),
      () => this.CONSUME(K.final),
    );
    this.CONSUME(Colon);
    this.SUBRULE(this.names);
  });

  readonly names: Rule = this.RULE("names", () => {
    this.CONSUME(LSquare);
    this.MANY_SEP({ SEP: Comma, DEF: () => this.CONSUME(Name) });
    this.CONSUME(RSquare);
  });

  readonly data: Rule = this.RULE("data", () => {
    this.CONSUME(K.data);
    this.CONSUME(LCurly);
    this.MANY(() => this.SUBRULE(this.field));
    this.CONSUME(RCurly);
  });

  readonly field: Rule = this.RULE("field", () => {
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.SUBRULE(this.type);
    this.MANY(() =>
      this.#either(
        () => this.CONSUME(Question),
        () => this.CONSUME(K.secret),
      ),
    );
    this.OPTION(() => {
      this.CONSUME(Equal);
      this.SUBRULE(this.expression);
    });
  });

  readonly type: Rule = this.RULE("type", () => {
    this.#either(
      () => this.SUBRULE(this.enumType),
      () => this.SUBRULE(this.listType),
      () => this.SUBRULE(this.namedType),
      () => this.SUBRULE(this.recordType),
    );
  });

  readonly enumType: Rule = this.RULE("enumType", () => {
    this.CONSUME(K.one);
    this.CONSUME(K.of);
    this.SUBRULE(this.names);
  });

  readonly listType: Rule = this.RULE("listType", () => {
    this.CONSUME(K.list);
    this.#either(
      () => {
        this.CONSUME(K.of);
        this.SUBRULE(this.type);
      },
      () => this.SUBRULE(this.recordType),
    );
  });

  /** `Kind = one of [a, b]` is not a default. */
  readonly namedType: Rule = this.RULE("namedType", () => {
    this.CONSUME(Name);
    this.OPTION(() => this.CONSUME(K.signed));
    this.OPTION1({
      GATE: () => this.LA(2).tokenType === K.one && this.LA(3).tokenType === K.of,
      DEF: () => {
        this.CONSUME(Equal);
        this.SUBRULE(this.enumType);
      },
    });
  });

  /** Of records and of payloads, where the type may be missing. */
  readonly recordType: Rule = this.RULE("recordType", () => {
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.CONSUME(Name);
      this.OPTION(() => {
        this.CONSUME(Colon);
        this.SUBRULE(this.type);
      });
      this.OPTION1(() => this.CONSUME(Question));
      this.OPTION2(() => this.CONSUME(Comma));
    });
    this.CONSUME(RCurly);
  });

  readonly events: Rule = this.RULE("events", () => {
    this.CONSUME(K.events);
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.CONSUME(Text);
      this.OPTION(() => this.SUBRULE(this.recordType));
    });
    this.CONSUME(RCurly);
  });

  readonly peopleBlock: Rule = this.RULE("peopleBlock", () => {
    this.CONSUME(K.people);
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.CONSUME(Name);
      this.CONSUME(Equal);
      this.SUBRULE(this.people);
    });
    this.CONSUME(RCurly);
  });

  /** `manager`, `form.owner`, `managerOf(initiator)`. */
  readonly people: Rule = this.RULE("people", () => {
    this.CONSUME(Name);
    this.MANY(() => {
      this.CONSUME(Dot);
      this.CONSUME1(Name);
    });
    this.OPTION(() => this.SUBRULE(this.callArguments));
  });

  readonly stateBlock: Rule = this.RULE("stateBlock", () => {
    this.CONSUME(K.state);
    this.CONSUME(Name);
    this.CONSUME(LCurly);
    this.OPTION(() => this.SUBRULE(this.approval));
    this.CONSUME(RCurly);
  });

  readonly approval: Rule = this.RULE("approval", () => {
    this.CONSUME(K.approval);
    this.CONSUME(K.by);
    this.AT_LEAST_ONE_SEP({
      SEP: K.then,
      DEF: () => {
        this.SUBRULE(this.people);
        this.OPTION(() => this.SUBRULE(this.mode));
      },
    });
    this.OPTION1(() => {
      this.CONSUME(LCurly);
      this.MANY(() => this.SUBRULE(this.approvalOption));
      this.CONSUME(RCurly);
    });
  });

  readonly mode: Rule = this.RULE("mode", () => {
    this.#either(
      () => this.CONSUME(K.any),
      () => this.CONSUME(K.all),
      () => this.CONSUME(K.sequence),
      () => {
        this.CONSUME(K.quorum);
        this.SUBRULE(this.threshold);
      },
    );
  });

  readonly threshold: Rule = this.RULE("threshold", () => {
    this.#either(
      () => {
        this.CONSUME(Figures);
        this.OPTION(() => {
          this.CONSUME(Slash);
          this.CONSUME1(Figures);
        });
      },
      () => {
        this.OPTION1(() => this.CONSUME(Greater));
        this.CONSUME(Percent);
      },
    );
  });

  readonly approvalOption: Rule = this.RULE("approvalOption", () => {
    this.#either(
      () => this.SUBRULE(this.reject),
      () => this.SUBRULE(this.due),
      () => this.SUBRULE(this.remind),
      () => this.SUBRULE(this.overdue),
      () => this.SUBRULE(this.onEmpty),
      () => this.SUBRULE(this.allow),
      () => this.SUBRULE(this.reason),
    );
  });

  /** Once per rule. */
  #key(word: TokenType): void {
    this.CONSUME(word);
    this.CONSUME9(Colon);
  }

  readonly reject: Rule = this.RULE("reject", () => {
    this.#key(K.reject);
    this.#either(
      () => this.CONSUME(K.one),
      () => this.CONSUME(K.rest),
    );
  });

  readonly due: Rule = this.RULE("due", () => {
    this.#key(K.due);
    this.CONSUME(Duration);
    this.OPTION(() => {
      this.CONSUME(K.per);
      this.CONSUME(K.stage);
    });
  });

  readonly remind: Rule = this.RULE("remind", () => {
    this.#key(K.remind);
    this.CONSUME(K.every);
    this.CONSUME(Duration);
    this.OPTION(() => {
      this.CONSUME(K.at);
      this.CONSUME(K.most);
      this.CONSUME(Figures);
    });
  });

  readonly overdue: Rule = this.RULE("overdue", () => {
    this.#key(K.overdue);
    this.CONSUME(LSquare);
    this.MANY_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.overdueStep) });
    this.CONSUME(RSquare);
    this.OPTION(() => {
      this.CONSUME(K.repeat);
      this.CONSUME(Figures);
    });
  });

  readonly overdueStep: Rule = this.RULE("overdueStep", () => {
    this.#either(
      () => this.CONSUME(K.remind),
      () => this.CONSUME(K.approve),
      () => this.CONSUME(K.reject),
      () => {
        this.CONSUME(K.escalate);
        this.CONSUME(K.to);
        this.SUBRULE(this.people);
      },
      () => {
        this.CONSUME(K.transfer);
        this.CONSUME1(K.to);
        this.SUBRULE1(this.people);
      },
    );
    this.CONSUME(K.after);
    this.CONSUME(Duration);
  });

  readonly onEmpty: Rule = this.RULE("onEmpty", () => {
    this.#key(K.onEmpty);
    this.#either(
      () => this.CONSUME(K.hold),
      () => this.CONSUME(K.skip),
      () => this.CONSUME(K.reject),
      () => {
        this.CONSUME(K.assign);
        this.SUBRULE(this.people);
      },
    );
  });

  readonly allow: Rule = this.RULE("allow", () => {
    this.#key(K.allow);
    this.SUBRULE(this.names);
  });

  readonly reason: Rule = this.RULE("reason", () => {
    this.#key(K.reason);
    this.CONSUME(K.required);
    this.CONSUME(K.on);
    this.SUBRULE(this.names);
  });

  readonly transitions: Rule = this.RULE("transitions", () => {
    this.CONSUME(K.transitions);
    this.CONSUME(LCurly);
    this.MANY(() => this.SUBRULE(this.transition));
    this.CONSUME(RCurly);
  });

  readonly transition: Rule = this.RULE("transition", () => {
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.CONSUME(Name) });
    this.CONSUME(Arrow);
    this.CONSUME1(Name);
    this.SUBRULE(this.trigger);
    this.OPTION(() => {
      this.CONSUME(K.by);
      this.SUBRULE(this.people);
    });
    this.OPTION1(() => this.CONSUME(K.else));
    this.OPTION2(() => {
      this.CONSUME(K.if);
      this.SUBRULE(this.expression);
    });
    this.MANY(() => {
      this.CONSUME1(Arrow);
      this.SUBRULE(this.action);
    });
  });

  readonly trigger: Rule = this.RULE("trigger", () => {
    this.#either(
      () => {
        this.CONSUME(K.on);
        this.SUBRULE(this.word);
      },
      () => {
        this.CONSUME(K.after);
        this.CONSUME(Duration);
      },
      () => {
        this.CONSUME(K.at);
        this.SUBRULE(this.expression);
      },
    );
  });

  readonly action: Rule = this.RULE("action", () => {
    this.CONSUME(Name);
    this.SUBRULE(this.callArguments);
  });

  readonly routes: Rule = this.RULE("routes", () => {
    this.CONSUME(K.routes);
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.CONSUME(Text);
      this.CONSUME(Arrow);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.routeTarget) });
    });
    this.CONSUME(RCurly);
  });

  readonly routeTarget: Rule = this.RULE("routeTarget", () => {
    this.#either(
      () => this.CONSUME1(Text),
      () => {
        this.CONSUME(K.service);
        this.CONSUME(LParen);
        this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.label) });
        this.CONSUME(RParen);
      },
    );
  });

  readonly label: Rule = this.RULE("label", () => {
    this.CONSUME(Name);
    this.CONSUME(Equal);
    this.SUBRULE(this.word);
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Documents and sources
  // -------------------------------------------------------------------------------------------------------------- //

  readonly document: Rule = this.RULE("document", () => {
    this.CONSUME(K.document);
    this.CONSUME(Text);
    this.CONSUME(LCurly);
    this.MANY(() => this.SUBRULE(this.documentItem));
    this.CONSUME(RCurly);
  });

  /** `template: "x"` or `field = value`. */
  readonly documentItem: Rule = this.RULE("documentItem", () => {
    this.CONSUME(Name);
    this.#either(
      () => {
        this.CONSUME(Colon);
        this.CONSUME(Text);
      },
      () => {
        this.CONSUME(Equal);
        this.SUBRULE(this.expression);
      },
    );
  });

  readonly source: Rule = this.RULE("source", () => {
    this.CONSUME(K.source);
    this.CONSUME(Name);
    this.CONSUME(Text);
    this.OPTION(() => {
      this.CONSUME(K.when);
      this.CONSUME1(Name);
    });
    this.CONSUME(K.starts);
    this.CONSUME1(Text);
    this.OPTION1(() => {
      this.CONSUME(K.on);
      this.CONSUME2(Text);
    });
    this.SUBRULE(this.sourceFields);
  });

  readonly sourceFields: Rule = this.RULE("sourceFields", () => {
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.CONSUME(Name);
      this.CONSUME(Equal);
      this.SUBRULE(this.sourceValue);
      this.OPTION(() => this.CONSUME(Comma));
    });
    this.CONSUME(RCurly);
  });

  readonly sourceValue: Rule = this.RULE("sourceValue", () => {
    const isCall = () => this.LA(2).tokenType === LParen;
    this.OR([
      { GATE: isCall, ALT: () => this.SUBRULE(this.control), IGNORE_AMBIGUITIES: true },
      { GATE: isCall, ALT: () => this.SUBRULE(this.table), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.property) },
    ]);
  });

  readonly property: Rule = this.RULE("property", () => {
    this.AT_LEAST_ONE_SEP({ SEP: Dot, DEF: () => this.CONSUME(Name) });
  });

  readonly control: Rule = this.RULE("control", () => {
    this.CONSUME(K.control);
    this.CONSUME(LParen);
    this.CONSUME(Text);
    this.CONSUME(RParen);
    this.OPTION(() => {
      this.CONSUME(K.in);
      this.CONSUME(Name);
    });
    this.OPTION1(() => {
      this.CONSUME(K.one);
      this.CONSUME(K.of);
      this.SUBRULE(this.controlOptions);
    });
  });

  readonly controlOptions: Rule = this.RULE("controlOptions", () => {
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.#either(
        () => this.CONSUME(Text),
        () => this.CONSUME(K.else),
      );
      this.CONSUME(Colon);
      this.CONSUME(Name);
      this.OPTION(() => this.CONSUME(Comma));
    });
    this.CONSUME(RCurly);
  });

  readonly table: Rule = this.RULE("table", () => {
    this.CONSUME(K.table);
    this.CONSUME(LParen);
    this.CONSUME(Text);
    this.CONSUME(RParen);
    this.SUBRULE(this.sourceFields);
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Expressions
  // -------------------------------------------------------------------------------------------------------------- //

  readonly expression: Rule = this.RULE("expression", () => {
    this.SUBRULE(this.operand);
    this.MANY(() =>
      this.#either(
        () => {
          this.CONSUME(Operator);
          this.SUBRULE1(this.operand);
        },
        () => {
          this.CONSUME(K.is);
          this.CONSUME(K.set);
        },
      ),
    );
  });

  readonly operand: Rule = this.RULE("operand", () => {
    this.MANY(() => this.CONSUME(Prefix));
    this.SUBRULE(this.primary);
    this.MANY1(() => {
      this.CONSUME(Dot);
      this.CONSUME(Name);
    });
  });

  readonly primary: Rule = this.RULE("primary", () => {
    this.#either(
      () => this.CONSUME(Literal),
      () => {
        this.CONSUME(Name);
        this.OPTION(() => this.SUBRULE(this.callArguments));
      },
      () => {
        this.CONSUME(LParen);
        this.SUBRULE(this.expression);
        this.CONSUME(RParen);
      },
      () => this.SUBRULE(this.list),
      () => this.SUBRULE(this.record),
    );
  });

  readonly callArguments: Rule = this.RULE("callArguments", () => {
    this.CONSUME(LParen);
    this.MANY_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.expression) });
    this.CONSUME(RParen);
  });

  readonly list: Rule = this.RULE("list", () => {
    this.CONSUME(LSquare);
    this.MANY_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.expression) });
    this.CONSUME(RSquare);
  });

  readonly record: Rule = this.RULE("record", () => {
    this.CONSUME(LCurly);
    this.MANY(() => {
      this.CONSUME(Name);
      this.CONSUME(Colon);
      this.SUBRULE(this.expression);
      this.OPTION(() => this.CONSUME(Comma));
    });
    this.CONSUME(RCurly);
  });

  // -------------------------------------------------------------------------------------------------------------- //
  // Tests
  // -------------------------------------------------------------------------------------------------------------- //

  readonly test: Rule = this.RULE("test", () => {
    this.CONSUME(K.test);
    this.CONSUME(Text);
    this.CONSUME(K.of);
    this.CONSUME1(Text);
    this.CONSUME(LCurly);
    this.MANY(() =>
      this.#either(
        () => this.SUBRULE(this.asStatement),
        () => this.SUBRULE(this.givenStatement),
        () => this.SUBRULE(this.startStatement),
        () => this.SUBRULE(this.sendStatement),
        () => this.SUBRULE(this.personStatement),
        () => this.SUBRULE(this.advanceStatement),
        () => this.SUBRULE(this.expectStatement),
      ),
    );
    this.CONSUME(RCurly);
  });

  readonly asStatement: Rule = this.RULE("asStatement", () => {
    this.CONSUME(K.as);
    this.CONSUME(Text);
    this.OPTION(() => {
      this.CONSUME(K.in);
      this.CONSUME(K.org);
      this.CONSUME1(Text);
    });
    this.OPTION1(() => {
      this.CONSUME(K.tags);
      this.SUBRULE(this.list);
    });
    this.OPTION2(() => {
      this.CONSUME(K.with);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.fact) });
    });
  });

  readonly givenStatement: Rule = this.RULE("givenStatement", () => {
    this.CONSUME(K.given);
    this.SUBRULE(this.fact);
  });

  readonly fact: Rule = this.RULE("fact", () => {
    this.CONSUME(Name);
    this.OPTION(() => this.SUBRULE(this.callArguments));
    this.#either(
      () => {
        this.CONSUME(Equal);
        this.SUBRULE(this.answer);
      },
      () => {
        this.CONSUME(K.fails);
        this.SUBRULE(this.times);
      },
      () => {
        this.CONSUME(K.takes);
        this.CONSUME(Duration);
      },
    );
  });

  readonly answer: Rule = this.RULE("answer", () => {
    this.#either(
      () => this.CONSUME(K.yes),
      () => {
        this.CONSUME(K.no);
        this.OPTION(() => this.CONSUME(Text));
      },
      () => this.SUBRULE(this.expression),
    );
  });

  readonly times: Rule = this.RULE("times", () => {
    this.OPTION(() => {
      this.CONSUME(Figures);
      this.CONSUME(K.times);
    });
  });

  readonly startStatement: Rule = this.RULE("startStatement", () => {
    this.CONSUME(K.start);
    this.OPTION(() => {
      this.CONSUME(K.as);
      this.CONSUME(Name);
    });
    this.SUBRULE(this.record);
    this.OPTION1(() => {
      this.CONSUME(K.key);
      this.CONSUME(Text);
    });
    this.SUBRULE(this.clauses);
  });

  readonly sendStatement: Rule = this.RULE("sendStatement", () => {
    this.CONSUME(K.send);
    this.CONSUME(Text);
    this.OPTION(() => this.SUBRULE(this.record));
    this.OPTION1(() => {
      this.CONSUME(K.by);
      this.CONSUME1(Text);
    });
    this.SUBRULE(this.clauses);
  });

  readonly personStatement: Rule = this.RULE("personStatement", () => {
    this.CONSUME(Text);
    this.#either(
      () => this.CONSUME(K.approves),
      () => this.CONSUME(K.rejects),
      () => this.CONSUME(K.abstains),
      () => this.CONSUME(K.withdraws),
      () => {
        this.CONSUME(K.returns);
        this.CONSUME(K.to);
        this.CONSUME(Name);
        this.OPTION(() => this.CONSUME(Figures));
      },
      () => {
        this.CONSUME(K.transfers);
        this.CONSUME1(K.to);
        this.CONSUME1(Text);
      },
    );
    this.SUBRULE(this.clauses);
  });

  readonly clauses: Rule = this.RULE("clauses", () => {
    this.MANY(() =>
      this.#either(
        () => {
          this.CONSUME(K.because);
          this.CONSUME(Text);
        },
        () => {
          this.CONSUME(K.with);
          this.CONSUME(K.id);
          this.CONSUME1(Text);
        },
        () => {
          this.CONSUME(K.setting);
          this.SUBRULE(this.record);
        },
      ),
    );
  });

  readonly advanceStatement: Rule = this.RULE("advanceStatement", () => {
    this.CONSUME(K.advance);
    this.#either(
      () => {
        this.CONSUME(K.to);
        this.CONSUME(DateTime);
      },
      () => this.CONSUME(Duration),
    );
  });

  readonly expectStatement: Rule = this.RULE("expectStatement", () => {
    this.CONSUME(K.expect);
    this.OPTION(() => this.CONSUME(K.not));
    this.#either(
      () => this.SUBRULE(this.waiting),
      () => this.SUBRULE(this.happened),
      () => this.SUBRULE(this.rendered),
      () => this.SUBRULE(this.called),
      () => this.SUBRULE(this.fired),
      () => this.SUBRULE(this.seat),
      () => {
        this.CONSUME(K.nothing);
        this.CONSUME(K.open);
      },
      () => {
        this.SUBRULE(this.expression);
        this.OPTION1(() => this.SUBRULE1(this.waiting));
      },
    );
  });

  readonly waiting: Rule = this.RULE("waiting", () => {
    this.CONSUME(K.waiting);
    this.CONSUME(K.for);
    this.#either(
      () => this.CONSUME(K.nobody),
      () => this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => this.SUBRULE(this.primary) }),
    );
  });

  readonly happened: Rule = this.RULE("happened", () => {
    this.#either(
      () => this.CONSUME(K.emitted),
      () => this.CONSUME(K.notified),
      () => this.CONSUME(K.refused),
    );
    this.CONSUME(Text);
    this.SUBRULE(this.times);
  });

  readonly rendered: Rule = this.RULE("rendered", () => {
    this.CONSUME(K.rendered);
    this.CONSUME(Text);
    this.OPTION(() => {
      this.CONSUME(K.containing);
      this.CONSUME1(Text);
    });
    this.SUBRULE(this.times);
  });

  readonly called: Rule = this.RULE("called", () => {
    this.CONSUME(K.called);
    this.CONSUME(Name);
    this.OPTION(() => this.SUBRULE(this.callArguments));
    this.SUBRULE(this.times);
  });

  readonly fired: Rule = this.RULE("fired", () => {
    this.#either(
      () => this.CONSUME(K.escalated),
      () => this.CONSUME(K.reminded),
    );
    this.SUBRULE(this.times);
  });

  readonly seat: Rule = this.RULE("seat", () => {
    this.CONSUME(K.seat);
    this.CONSUME(Text);
    this.CONSUME(Name);
  });
}

const parser = new BareParser();

/** Whether the whole text belongs to the grammar. */
export function accepts(text: string): boolean {
  const { tokens: input, errors } = lexer.tokenize(text);
  parser.input = input;
  parser.file();
  return errors.length === 0 && parser.errors.length === 0;
}
