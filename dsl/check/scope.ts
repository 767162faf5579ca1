import type {
  BranchAst,
  DocumentAst,
  ExpressionAst,
  FlowAst,
  MatrixAst,
  PeopleAst,
  SagaAst,
  StateBlockAst,
} from "../ast.ts";
import type {
  CalendarDefinition,
  EventDefinition,
  Expression,
  FieldDefinition,
  FunctionDeclaration,
  FunctionUse,
  MatrixDefinition,
  PayloadField,
  SagaDefinition,
  Type,
} from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import type { Report } from "./report.ts";

/** What a file is checked against beside its own text. Lists that are absent are not looked at, but for `services` and `labels`. */
export interface CompileEnvironment {
  /** The text of another file, for `use`; paths are like that of the file that is compiled. Absent: no file can be read. */
  readonly file?: (path: string) => string | undefined;
  /** Functions that plugins, `functions.ts` and services declare. */
  readonly functions?: readonly FunctionDeclaration[];
  readonly services?: readonly string[];
  /** Labels of services, for `service(k = v)` in `routes`; absent like `services`: no service has any. */
  readonly labels?: readonly Labels[];
  /** Flows known from other files. */
  readonly flows?: readonly string[];
  readonly templates?: readonly string[];
  readonly groups?: readonly string[];
  readonly roles?: readonly string[];
  readonly users?: readonly string[];
}

/** Of one service: `{ role: "notifier", zone: "cn" }`. */
export type Labels = Readonly<Record<string, string>>;

/** What the flows of one file share. */
export interface FileScope {
  readonly file: string;
  readonly text: string;
  /** For what is wrong in the file outside its flows, sources, rollouts and tests. */
  readonly report: Report;
  /** Enums named anywhere in the file. */
  readonly enums: ReadonlyMap<string, Type>;
  /** A calendar with errors is there as `undefined`. */
  readonly calendars: ReadonlyMap<string, CalendarDefinition | undefined>;
  readonly matrices: ReadonlyMap<string, Shared<MatrixAst>>;
  readonly sagas: ReadonlyMap<string, Shared<SagaAst>>;
  readonly documents: ReadonlyMap<string, Shared<DocumentAst>>;
  /** Versions of every flow of this file and of those that it uses, the current one last. */
  readonly versions: ReadonlyMap<string, readonly FlowScope[]>;
  /** Flows that can be named without a warning. */
  readonly flows: ReadonlySet<string>;
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly services: ReadonlySet<string>;
  readonly labels: readonly Labels[];
  readonly templates: ReadonlySet<string> | undefined;
  readonly groups: ReadonlySet<string> | undefined;
  readonly roles: ReadonlySet<string> | undefined;
  readonly users: ReadonlySet<string> | undefined;
  /** Names on lines with syntax errors: what they would have declared is not known, so they are never unknown names. */
  readonly damaged: Pick<ReadonlySet<string>, "has">;
  /** A file that it uses can't be read, so that what is shared may be declared there. */
  readonly hasUnread: boolean;
  /** Where the syntax is broken. */
  readonly broken: readonly Span[];
  /** What a warning was given for already; one per thing. */
  readonly warned: Set<string>;
  /** Matrices of this file by name and decimals of the money in them: parameters and cells, looked at once. */
  readonly tables: Map<string, MatrixTable | undefined>;
}

/** What stands in this file, or in one that it uses. */
export interface Shared<Ast> {
  readonly ast: Ast;
  readonly home: FileScope;
}

/** A matrix without its people. */
export type MatrixTable = Pick<MatrixDefinition, "name" | "parameters"> & {
  readonly rows: readonly Pick<MatrixDefinition["rows"][number], "cells">[];
};

/** The states of a machine: the flow's own, or a branch's. */
export interface RegionScope {
  readonly states: ReadonlyMap<string, Span>;
  readonly initial: string | undefined;
  /** With where they are listed, if they are. */
  readonly finals: ReadonlyMap<string, Span | undefined>;
  /** `state NAME { … }` by name. */
  readonly blocks: ReadonlyMap<string, StateBlockAst>;
  /** It runs while the flow is in its initial state, so that required fields may be missing. */
  readonly draft: boolean;
  /** The machine that has the parallel state of this branch. */
  readonly outer?: RegionScope;
  /** The branches beside this one. */
  readonly siblings?: readonly BranchAst[];
}

/**
 * The declared names of one flow, as they are seen from one of its machines. A name whose declaration is wrong is kept,
 * as `undefined`: its uses are no further errors.
 */
export interface FlowScope extends RegionScope {
  readonly file: FileScope;
  readonly report: Report;
  readonly ast: FlowAst;
  readonly name: string;
  readonly label: string | undefined;
  readonly fields: ReadonlyMap<string, FieldDefinition | undefined>;
  readonly events: ReadonlyMap<string, EventScope>;
  readonly people: ReadonlyMap<string, PeopleAst>;
  readonly routed: ReadonlySet<string>;
  readonly currency: string;
  readonly currencyDecimals: number;
  /** `calendar: ".."` is written. */
  readonly hasCalendar: boolean;
  readonly calendar: CalendarDefinition | undefined;
  /** `ensure` says that the initiator never approves. */
  readonly initiatorNeverApproves: boolean;
  /** Functions used so far, by kind and name. */
  readonly uses: Map<string, FunctionUse>;
  readonly mentions: Mentions;
}

/** What a flow uses of its file, looked at once for each flow. */
export interface Mentions {
  /** Where the flow first renders them. */
  readonly documents: Map<string, Span>;
  readonly emitted: Set<string>;
  /** Matrices with the people of this flow, by name. */
  readonly rows: Map<string, MatrixDefinition | undefined>;
  /** Those of them that approvals use, with their options, by the key that names them. */
  readonly matrices: Map<string, MatrixDefinition>;
  readonly sagas: Map<string, SagaDefinition | undefined>;
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
  /** What `outcome` can be; absent where no sub-flow has ended. */
  readonly outcome?: Type | undefined;
  /** States of the branches that were joined, by branch, and whether they were entered whatever the data. */
  readonly branches?: ReadonlyMap<string, { readonly states: readonly string[]; readonly always: boolean }> | undefined;
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

/** The same for what may stand in a file that could not be read. */
export function isLost(name: string, { file, report }: Pick<FlowScope, "file" | "report">): boolean {
  if (!file.hasUnread && !isDamaged(name, { file, report })) return false;
  report.isIncomplete = true;
  return true;
}

/** Has the part of the text no syntax error, so that what is missing in it is missing indeed? */
export function isSound({ span }: { readonly span: Span }, { broken }: FileScope): boolean {
  return !broken.some(({ start }) => start >= span.start && start <= span.end);
}
