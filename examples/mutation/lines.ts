import type { ExpressionAst, TextEdit } from "../../dsl/index.ts";
import {
  briefly,
  inserted,
  isFinal,
  linesOf,
  type Mutant,
  machinesOf,
  type Operator,
  outcomeOf,
  removed,
  replaced,
  rivalsOf,
  type Sample,
  soleFrom,
  textAt,
  walk,
  withoutElement,
} from "./sample.ts";

/** Lines that are forgotten, twice there, or lead elsewhere; conditions that reach too far or not far enough. */
export const lineOperators: readonly Operator[] = [
  {
    name: "drop the line of an outcome",
    mutants: (sample) =>
      linesOf(sample)
        .filter(({ line }) => isNeeded(outcomeOf(line)))
        .map(({ line }) => ({ edits: [removed(line.span)], what: briefly(sample.text, line.span) })),
  },
  {
    name: "drop one state of such a line",
    mutants: (sample) =>
      linesOf(sample).flatMap(({ line }) => {
        const { from } = line;
        if (from === "any" || from.length < 2 || !isNeeded(outcomeOf(line))) return [];
        return from.map((state, index): Mutant => {
          return { edits: [withoutElement(from, index)], what: `${state.text} of ${briefly(sample.text, line.span)}` };
        });
      }),
  },
  {
    name: "write a line twice",
    mutants: (sample) =>
      linesOf(sample)
        .filter(({ line }) => !line.else)
        .map(({ line }) => ({
          edits: [inserted(line.span.end, `\n${textAt(sample.text, line.span)}`)],
          what: briefly(sample.text, line.span),
        })),
  },
  { name: "drop a condition beside others", mutants: conditionsDropped },
  { name: "drop `else`", mutants: elseDropped },
  { name: "move a condition's bound into its neighbour", mutants: boundsMoved },
  {
    name: "turn a line round",
    mutants: (sample) =>
      linesOf(sample).flatMap(({ line, region }) => {
        const from = soleFrom(line);
        const isNoticed = isNeeded(outcomeOf(line)) || isFinal(region, line.to.text);
        if (!from || from.text === line.to.text || !isNoticed) return [];
        const edits = [replaced(from.span, line.to.text), replaced(line.to.span, from.text)];
        return [{ edits, what: briefly(sample.text, line.span) }];
      }),
  },
  { name: "drop the only way out of a state", mutants: waysOutDropped },
  { name: "drop the only way into a state", mutants: waysInDropped },
  {
    name: "drop a state from `final`",
    mutants: (sample) =>
      sample.ast.flows.flatMap(({ final = [], transitions }) =>
        // Where `any` leads out of all others it is one more state that waits.
        transitions.some(({ from }) => from === "any")
          ? []
          : final.map((state, index) => ({ edits: [withoutElement(final, index)], what: state.text })),
      ),
  },
  {
    name: "drop a state from `states`",
    mutants: (sample) =>
      machinesOf(sample).flatMap(({ region: { states, final, transitions } }) =>
        states.flatMap((state, index): Mutant[] => {
          const isUsed = JSON.stringify([transitions, final]).includes(`"text":"${state.text}"`);
          return isUsed ? [{ edits: [withoutElement(states, index)], what: state.text }] : [];
        }),
      ),
  },
];

/** Without a line for `withdrawn` it leads to the initial state. */
function isNeeded(outcome: string | undefined): boolean {
  return outcome !== undefined && outcome !== "withdrawn";
}

function conditionsDropped(sample: Sample): readonly Mutant[] {
  return linesOf(sample).flatMap(({ line, region }) => {
    const { condition, trigger } = line;
    if (!condition || line.else || rivalsOf(line, region, sample.text).length === 0) return [];
    const start = sample.text.lastIndexOf("if", condition.span.start);
    if (start < trigger.span.end) return [];
    return [{ edits: [removed({ start, end: condition.span.end })], what: briefly(sample.text, line.span) }];
  });
}

function elseDropped(sample: Sample): readonly Mutant[] {
  return linesOf(sample).flatMap(({ line }) => {
    if (!line.else) return [];
    const start = sample.text.indexOf("else", line.trigger.span.end);
    return [{ edits: [removed({ start, end: start + 4 })], what: briefly(sample.text, line.span) }];
  });
}

/** Where lines of an outcome divide everything among themselves, without `else`, no bound can move. */
function boundsMoved(sample: Sample): readonly Mutant[] {
  return linesOf(sample).flatMap(({ line, region }) => {
    const rivals = rivalsOf(line, region, sample.text);
    const isDivided = rivals.length > 0 && ![line, ...rivals].some((one) => one.else);
    if (!line.condition || !isDivided || !isNeeded(outcomeOf(line))) return [];
    return boundsOf(line.condition, sample.text).map((edit) => ({
      edits: [edit],
      what: `${briefly(sample.text, edit.span)} → ${edit.text} in ${briefly(sample.text, line.span)}`,
    }));
  });
}

const SHARPER: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "!=",
  "!=": "==",
};

function boundsOf(condition: ExpressionAst, text: string): readonly TextEdit[] {
  const edits: TextEdit[] = [];
  walk(condition, (node) => {
    const compared = node as ExpressionAst;
    if (compared.kind !== "binary") return;
    const sharper = SHARPER[compared.operator];
    if (sharper === undefined) return;
    const start = text.indexOf(compared.operator, compared.left.span.end);
    edits.push(replaced({ start, end: start + compared.operator.length }, sharper));
    if (compared.right.kind !== "number") return;
    for (const step of [1, -1]) edits.push(replaced(compared.right.span, String(Number(compared.right.text) + step)));
  });
  return edits;
}

function waysOutDropped(sample: Sample): readonly Mutant[] {
  return linesOf(sample).flatMap(({ line, region }) => {
    const from = soleFrom(line);
    if (!from || outcomeOf(line) === "withdrawn") return [];
    const others = region.transitions.filter(
      (other) => other !== line && (other.from === "any" || other.from.some(({ text }) => text === from.text)),
    );
    return others.length > 0 ? [] : [{ edits: [removed(line.span)], what: briefly(sample.text, line.span) }];
  });
}

function waysInDropped(sample: Sample): readonly Mutant[] {
  return linesOf(sample).flatMap(({ line, region, branch }) => {
    const isOwn = region.states.some(({ text }) => text === line.to.text);
    const others = region.transitions.filter((other) => other !== line && other.to.text === line.to.text);
    if (branch || !isOwn || others.length > 0 || line.to.text === region.initial?.text) return [];
    return [{ edits: [removed(line.span)], what: briefly(sample.text, line.span) }];
  });
}
