/** A flow that the checker's tests change. */
import { type CompileEnvironment, compile } from "../index.ts";

/** Parts of a flow that a test may replace. */
export interface Parts {
  readonly head?: string;
  readonly data?: string;
  readonly events?: string;
  readonly people?: string;
  readonly states?: string;
  readonly blocks?: string;
  readonly lines?: string;
  readonly routes?: string;
  readonly after?: string;
}

/** A sound flow, in which a test replaces the part it is about. */
export function flow(parts: Parts): string {
  return `state machine "f" {
  ${parts.head ?? ""}
  data { amount: money; days: int?; kind: Kind = one of [a, b]; who: user?; card: text secret; yes: bool${parts.data ? `; ${parts.data}` : ""} }
  events { "go" { amount, kind, card, yes, reviewer: user } ${parts.events ?? ""} }
  people { boss = managerOf(initiator); board = users("u1", "u2", "u3") ${parts.people ?? ""} }
  ${parts.states ?? "initial: A; states: [A, B, C, D]; final: [C, D]"}
  ${parts.blocks ?? "state B { approval by boss { allow: [returnTo, withdraw] } }"}
  transitions {
    A → B on "go"
    ${parts.lines ?? "B → C on approved\n B → D on rejected\n B → A on returned"}
  }
  ${parts.routes ? `routes { ${parts.routes} }` : ""}
}
${parts.after ?? ""}`;
}

/** The lines of its approval. */
export const LINES = "B → C on approved\n B → D on rejected\n B → A on returned";

/** Codes and texts of what is wrong, in the order of the text; without warnings about the world outside. */
export function wrongs(text: string, environment: CompileEnvironment = {}): readonly (readonly [string, string])[] {
  return compile(text, "a.flow", environment).diagnostics.flatMap(({ code, span, file }) => {
    const at = file === "a.flow" ? text.slice(span.start, span.end) : file;
    return code.startsWith("FLOW3") ? [] : [[code, at] as const];
  });
}
