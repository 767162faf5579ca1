import type { Statement, TaskClauses } from "../dsl/index.ts";
import type { CommandBody } from "./simulation.ts";
import { literalToJson, recordToJson } from "./test-literals.ts";

/** Statements that are commands to an instance that is there. */
export type CommandStatement = Exclude<
  Statement,
  { kind: "as" | "given" | "start" | "advance" | "advance-to" | "expect" }
>;

/** Who acts in `admin …`. */
export const ADMIN = "admin";

/** What the statement sends. */
export function commandOf(statement: CommandStatement): CommandBody {
  switch (statement.kind) {
    case "send":
      return { kind: "event", event: statement.event, payload: recordToJson(statement.payload) };
    case "decide":
      return decision(statement);
    case "return": {
      const { to, signing, user } = statement;
      return { kind: "return", to, ...(signing && { signature: user }), ...clausesOf(statement) };
    }
    case "transfer":
    case "delegate":
      return { kind: statement.kind, to: statement.to, ...clausesOf(statement) };
    case "add": {
      const { where, people, all, advisory, signing, user } = statement;
      const signature = signing && { signature: user };
      return { kind: "add", where, people, all, advisory, ...signature, ...clausesOf(statement) };
    }
    case "remove":
      return { kind: "remove", person: statement.person, ...clausesOf(statement) };
    case "urge":
      return { kind: "urge" };
    case "comment":
      return { kind: "comment", text: statement.message, ...clausesOf(statement) };
    case "ask":
      return { kind: "ask", to: statement.to, text: statement.message, ...clausesOf(statement) };
    case "admin":
      return administration(statement);
    case "migrate":
      return { kind: "migrate", label: statement.label, ...reasonOf(statement) };
  }
}

/** Who sends it; `undefined`: the initiator. */
export function actorOf(statement: CommandStatement): string | undefined {
  switch (statement.kind) {
    case "send":
      return statement.by;
    case "admin":
    case "migrate":
      return ADMIN;
    default:
      return statement.user;
  }
}

/** Is the statement about one open task of its user? */
export function isAboutTask(
  statement: CommandStatement,
): statement is Extract<CommandStatement, TaskClauses & { user: string }> {
  switch (statement.kind) {
    case "decide":
      return statement.decision !== "withdraw" && statement.decision !== "takeBack";
    case "return":
    case "transfer":
    case "delegate":
    case "add":
      return true;
    default:
      return false;
  }
}

function reasonOf({ because }: { readonly because?: string }): { readonly reason?: string } {
  return because === undefined ? {} : { reason: because };
}

function clausesOf(clauses: TaskClauses): { in?: string; onBehalfOf?: string; reason?: string } {
  const { in: branch, onBehalfOf } = clauses;
  return {
    ...(branch !== undefined && { in: branch }),
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    ...reasonOf(clauses),
  };
}

function decision(statement: Extract<CommandStatement, { kind: "decide" }>): CommandBody {
  const { decision: what, setting, signing, user } = statement;
  const clauses = clausesOf(statement);
  switch (what) {
    case "withdraw":
      return { kind: "withdraw", ...(statement.in !== undefined && { in: statement.in }), ...reasonOf(statement) };
    case "claim":
    case "release":
      return { kind: what, ...clauses };
    case "takeBack":
      return { kind: "take-back", ...clauses };
    default: {
      const payload = setting && { payload: recordToJson(setting) };
      const signature = signing && { signature: user };
      return { kind: "decide", decision: what, ...clauses, ...payload, ...signature };
    }
  }
}

function administration(statement: Extract<CommandStatement, { kind: "admin" }>): CommandBody {
  const { operation } = statement;
  const reason = reasonOf(statement);
  const branch = statement.in === undefined ? undefined : { in: statement.in };
  switch (operation.kind) {
    case "jump":
      return { ...operation, ...reason };
    case "override":
      return { ...operation, ...branch, ...reason };
    case "remove":
      return { ...operation, admin: true, ...branch, ...reason };
    case "set-saga": {
      const values = operation.arguments.map(({ name, value }) => [name, literalToJson(value)] as const);
      return { kind: "set-saga", step: operation.step, arguments: Object.fromEntries(values), ...branch, ...reason };
    }
    case "hand-over":
      return { ...operation, ...reason };
    default:
      return { kind: operation.kind, ...reason };
  }
}
