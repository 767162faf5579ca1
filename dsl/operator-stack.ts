import type { BinaryOperatorAst, ExpressionAst } from "./ast.ts";
import type { Span } from "./diagnostic.ts";

const precedences: Readonly<Record<string, number>> = {
  or: 1, and: 2, not: 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, in: 4,
  "+": 5, "-": 5, "*": 6, "/": 6, negate: 7,
}; // biome-ignore format: a table
const comparison = 4;

interface Operator {
  readonly text: string;
  readonly precedence: number;
  readonly span: Span;
  readonly prefix: boolean;
}

/** Builds the tree of an expression from its operands and operators in the order in which they are read. */
export class OperatorStack {
  private readonly operands: ExpressionAst[] = [];
  private readonly operators: Operator[] = [];
  /** Called for `a < b < c`, with the second sign and the operand in the middle. */
  private readonly onChain: (sign: Span, middle: ExpressionAst) => void;

  constructor(onChain: (sign: Span, middle: ExpressionAst) => void) {
    this.onChain = onChain;
  }

  operand(node: ExpressionAst): void {
    this.operands.push(node);
  }

  prefix(text: "not" | "negate", span: Span): void {
    this.operators.push({ text, precedence: precedences[text]!, span, prefix: true });
  }

  binary(text: BinaryOperatorAst, span: Span): void {
    const precedence = precedences[text]!;
    this.reduce(precedence, span);
    this.operators.push({ text, precedence, span, prefix: false });
  }

  /** `is set` after what was read so far. */
  isSet(span: Span): void {
    this.reduce(comparison, span);
    const of = this.operands.pop()!;
    this.operands.push({ kind: "is-set", of, span: { start: of.span.start, end: span.end } });
  }

  finish(): ExpressionAst {
    if (this.operators.length > 0) this.reduce(0);
    return this.operands[0]!;
  }

  /** Closes everything that binds at least as tightly. */
  private reduce(precedence: number, by?: Span): void {
    for (let top = this.operators.at(-1); top && top.precedence >= precedence; top = this.operators.at(-1)) {
      this.operators.pop();
      const right = this.operands.pop()!;
      this.operands.push(top.prefix ? prefixNode(top, right) : binaryNode(top, this.operands.pop()!, right));
      if (by && precedence === comparison && top.precedence === comparison) {
        this.chain(by, right);
        return;
      }
    }
  }

  /** Goes on as if `a < b and b < c` were written, so that nothing else is wrong. */
  private chain(sign: Span, middle: ExpressionAst): void {
    this.onChain(sign, middle);
    this.operators.push({ text: "and", precedence: precedences["and"]!, span: sign, prefix: false });
    this.operands.push(middle);
  }
}

function prefixNode(operator: Operator, of: ExpressionAst): ExpressionAst {
  const span = { start: operator.span.start, end: of.span.end };
  return { kind: operator.text === "not" ? "not" : "negate", of, span };
}

function binaryNode(operator: Operator, left: ExpressionAst, right: ExpressionAst): ExpressionAst {
  const span = { start: left.span.start, end: right.span.end };
  return { kind: "binary", operator: operator.text as BinaryOperatorAst, left, right, span };
}
