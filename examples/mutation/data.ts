import type { ExpressionAst, FieldAst, FlowAst, SourceAst, SourceValueAst } from "../../dsl/index.ts";
import {
  briefly,
  inserted,
  isName,
  type Mutant,
  machinesOf,
  type Operator,
  removed,
  replaced,
  type Sample,
  textAt,
  walk,
  withoutElement,
} from "./sample.ts";

/** Types, sources, secrets, branches and sagas. */
export const dataOperators: readonly Operator[] = [
  { name: "give a field another type", mutants: typesChanged },
  {
    name: "let a field that is used be absent",
    mutants: (sample) =>
      fieldsUsed(sample)
        .filter(({ field }) => !field.optional)
        .map(({ field }) => ({ edits: [inserted(field.type.span.end, "?")], what: briefly(sample.text, field.span) })),
  },
  { name: "compare with a value of another type", mutants: literalsChanged },
  { name: "show a secret", mutants: secretsShown },
  {
    name: "fill a field of a source from nothing",
    mutants: (sample) =>
      sourcesIn(sample).flatMap(({ source, flow }) =>
        source.fields
          .filter(({ name }) => isRequired(name.text, flow))
          .map(({ name, value }) => ({
            edits: [removed({ start: name.span.start, end: value.span.end })],
            what: name.text,
          })),
      ),
  },
  { name: "fill money or an enum as it comes", mutants: conversionsDropped },
  { name: "drop a field from an event that a source fills", mutants: payloadsDropped },
  {
    name: "give a sub-flow nothing",
    mutants: ({ ast, text }) =>
      ast.flows.flatMap(({ stateBlocks }) =>
        stateBlocks.flatMap(({ run, name }): Mutant[] => {
          if (run?.kind !== "flow" || run.fields.length === 0) return [];
          const start = text.indexOf("with", run.flow.span.end);
          return [{ edits: [removed({ start, end: run.span.end })], what: name.text }];
        }),
      ),
  },
  {
    name: "join more branches than there are",
    mutants: (sample) => {
      return parallelsIn(sample).flatMap(({ join }) =>
        join ? [{ edits: [replaced(join.span, "join 9")], what: "join" }] : [],
      );
    },
  },
  {
    name: "let no line take a branch's rejection",
    mutants: (sample) =>
      parallelsIn(sample).flatMap(({ reject }) => {
        if (!reject) return [];
        const start = sample.text.lastIndexOf("reject", reject.span.start);
        return [{ edits: [removed({ start, end: reject.span.end })], what: "reject: one" }];
      }),
  },
  {
    name: "drop every step of a saga",
    mutants: ({ ast }) =>
      ast.sagas.map(({ steps, name }) => ({
        edits: [removed({ start: steps[0]![0]!.span.start, end: steps.at(-1)!.at(-1)!.span.end })],
        what: name.text,
      })),
  },
];

/** A type that nothing that is done with the other can be done with. */
const OTHER: Readonly<Record<string, string>> = {
  money: "text",
  int: "text",
  decimal: "text",
  date: "text",
  datetime: "bool",
  bool: "text",
  text: "int",
  user: "money",
};

/** Fields that a condition or a matrix depends on: elsewhere another type may do as well. */
function fieldsUsed({ ast }: Sample): readonly { readonly flow: FlowAst; readonly field: FieldAst }[] {
  return ast.flows.flatMap((flow) => {
    const used = new Set<string>();
    walk(flow, (node, path, parent) => {
      const decides = /condition|people\.arguments\.value/.test(path) && !/ensure/.test(path);
      if (!decides || !isKind(node, "name") || (parent && isKind(parent, "is-set"))) return;
      if ("name" in node && isName(node.name)) used.add(node.name.text);
    });
    return flow.fields.filter(({ name }) => used.has(name.text)).map((field) => ({ flow, field }));
  });
}

function isKind(node: object, kind: string): boolean {
  return "kind" in node && node.kind === kind;
}

function typesChanged(sample: Sample): readonly Mutant[] {
  return fieldsUsed(sample).flatMap(({ field: { type, span } }) => {
    const other = type.kind === "name" ? OTHER[type.name.text] : "text";
    return other ? [{ edits: [replaced(type.span, other)], what: briefly(sample.text, span) }] : [];
  });
}

function literalsChanged(sample: Sample): readonly Mutant[] {
  const mutants: Mutant[] = [];
  walk(sample.ast.flows, (node) => {
    const compared = node as ExpressionAst;
    if (compared.kind !== "binary" || compared.right.kind !== "number") return;
    mutants.push({ edits: [replaced(compared.right.span, '"many"')], what: briefly(sample.text, compared.span) });
  });
  return mutants;
}

function secretsShown({ ast, text }: Sample): readonly Mutant[] {
  return ast.documents.flatMap(({ fields }) =>
    fields.flatMap(({ value }): Mutant[] => {
      if (value.kind !== "call" || value.name.text !== "masked") return [];
      const [inner] = value.arguments;
      return inner
        ? [{ edits: [replaced(value.span, textAt(text, inner.span))], what: briefly(text, value.span) }]
        : [];
    }),
  );
}

function sourcesIn({ ast }: Sample): readonly { readonly source: SourceAst; readonly flow: FlowAst }[] {
  return ast.sources.flatMap((source) => {
    const flow = ast.flows.findLast(({ name }) => name.text === source.flow.text);
    return flow ? [{ source, flow }] : [];
  });
}

function isRequired(name: string, { fields }: FlowAst): boolean {
  if (name === "key" || name === "initiator") return true;
  return fields.some((field) => field.name.text === name && !field.optional && !field.default);
}

function conversionsDropped(sample: Sample): readonly Mutant[] {
  const valuesOf = (value: SourceValueAst): readonly SourceValueAst[] => {
    return value.kind === "table" ? value.columns.flatMap((column) => valuesOf(column.value)) : [value];
  };
  return sourcesIn(sample).flatMap(({ source }) =>
    source.fields
      .flatMap(({ value }) => valuesOf(value))
      .flatMap((value): Mutant[] => {
        if (value.kind !== "control" || (!value.unit && !value.options)) return [];
        const start = sample.text.indexOf(")", value.id.span.end) + 1;
        return [{ edits: [removed({ start, end: value.span.end })], what: briefly(sample.text, value.span) }];
      }),
  );
}

function payloadsDropped(sample: Sample): readonly Mutant[] {
  return sourcesIn(sample).flatMap(({ source, flow }) => {
    const payload = flow.events.find(({ name }) => name.text === source.event?.text)?.payload ?? [];
    const names = payload.map(({ name }) => name);
    return names.flatMap((name, index): Mutant[] => {
      if (!source.fields.some((field) => field.name.text === name.text)) return [];
      return [{ edits: [withoutElement(names, index)], what: name.text }];
    });
  });
}

function parallelsIn(sample: Sample) {
  return machinesOf(sample).flatMap(({ region }) =>
    region.stateBlocks.flatMap(({ parallel }) => (parallel ? [parallel] : [])),
  );
}
