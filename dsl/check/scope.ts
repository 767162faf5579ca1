import type { DocumentAst, ExpressionAst, PeopleAst } from "../ast.ts";
import type {
  EventDefinition,
  Expression,
  FieldDefinition,
  FunctionDeclaration,
  FunctionUse,
  PayloadField,
  Type,
} from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import type { Report } from "./report.ts";

/** What a flow is checked against beside its own text. */
export interface CompileEnvironment {
  /** Functions that plugins, `functions.ts` and services declare. */
  readonly functions?: readonly FunctionDeclaration[];
  readonly services?: readonly string[];
  /** Flows known from other files. */
  readonly flows?: readonly string[];
  /** Absent: templates are not looked at. */
  readonly templates?: readonly string[];
}

/** What the flows of one file share. */
export interface FileScope {
  readonly file: string;
  readonly text: string;
  /** Enums named anywhere in the file. */
  readonly enums: ReadonlyMap<string, Type>;
  readonly documents: ReadonlyMap<string, DocumentAst>;
  readonly flows: ReadonlySet<string>;
  /** Fields of the flows that stand in this file. */
  readonly flowFields: ReadonlyMap<string, ReadonlyMap<string, FieldDefinition | undefined>>;
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly services: ReadonlySet<string>;
  readonly templates: ReadonlySet<string> | undefined;
  /** Names on lines with syntax errors: what they would have declared is not known, so they are never unknown names. */
  readonly damaged: ReadonlySet<string>;
  /** Where the syntax is broken. */
  readonly broken: readonly Span[];
  /** What a warning was given for already; one per thing. */
  readonly warned: Set<string>;
}

/** The declared names of one flow. A name whose declaration is wrong is kept, as `undefined`: its uses are no further errors. */
export interface FlowScope {
  readonly file: FileScope;
  readonly report: Report;
  readonly name: string;
  readonly label: string | undefined;
  readonly fields: ReadonlyMap<string, FieldDefinition | undefined>;
  readonly events: ReadonlyMap<string, EventScope>;
  readonly people: ReadonlyMap<string, PeopleAst>;
  readonly states: ReadonlyMap<string, Span>;
  readonly initial: string | undefined;
  readonly finals: ReadonlySet<string>;
  readonly routed: ReadonlySet<string>;
  readonly currency: string;
  readonly currencyDecimals: number;
  /** Functions used so far, by kind and name. */
  readonly uses: Map<string, FunctionUse>;
}

export interface EventScope {
  readonly definition: EventDefinition;
  readonly payload: ReadonlyMap<string, PayloadField | undefined>;
}

/** Where an expression stands. */
export interface Scope {
  readonly flow: FlowScope;
  /** What `event.` reads; absent where no event is decided. */
  readonly event?: EventScope | undefined;
  /** Somebody decided or sent something; else `actor` may be absent. */
  readonly hasActor: boolean;
  /** Before the initial state was left: required fields may be missing. */
  readonly draft: boolean;
  /** Paths of optional values that were tested with `is set`. */
  readonly narrowed: ReadonlySet<string>;
  /** Types of the list items under test, innermost first. */
  readonly items: readonly Type[];
  /** Types an expression in a scope, this one or one within it: what holds other expressions is checked by its parts. */
  readonly check: (ast: ExpressionAst, scope: Scope, expected?: Type) => Checked | undefined;
}

/** A typed expression, and what must be known of it where it is used. */
export interface Checked {
  readonly expression: Expression;
  /** May be absent. */
  readonly optional: boolean;
  readonly secret: boolean;
}

/**
 * Is the name perhaps declared on a line that could not be read? Then nothing is said of it, and what uses it stays
 * without a definition.
 */
export function isDamaged(name: string, { file, report }: Pick<FlowScope, "file" | "report">): boolean {
  if (!file.damaged.has(name)) return false;
  report.isIncomplete = true;
  return true;
}

/** Has the part of the text no syntax error, so that what is missing in it is missing indeed? */
export function isSound({ span }: { readonly span: Span }, { broken }: FileScope): boolean {
  return !broken.some(({ start }) => start >= span.start && start <= span.end);
}
