import { compile, type Definition, type Diagnostic } from "../../dsl/index.ts";
import type { FlowFunction } from "../../plugins/index.ts";
import type { FlowFiles, Unit, UnitResult } from "../../runtime/index.ts";

/** An expense: everything that the runtime treats differently, with terms of minutes. @param weight how much an `add` counts. */
const expense = (label: string, weight: number): string => `
state machine "expense" {
  label: "${label}"
  data {
    note: text
    total: int = 0
  }
  events {
    "submit" { note }
    "add" { amount: int }
  }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED, EXPIRED]
  final: [APPROVED, REJECTED, EXPIRED]
  state REVIEW {
    approval by users("bob", "carol", "dave") quorum 2 {
      due: 3m
      remind: every 1m at most 2
      overdue: [reject after 4m]
      allow: [withdraw, transfer]
    }
  }
  transitions {
    DRAFT → DRAFT on "add" → set(total = total + ${weight} * event.amount) → book(key, event.amount)
    DRAFT → REVIEW on "submit" → solvent(total) → notify(initiator)
    REVIEW → APPROVED on approved → emit("onApproved") → book(key, total) → emit("onBooked") → start("payout", key, { note: note })
    REVIEW → REJECTED on rejected → notify(initiator)
    REVIEW → DRAFT on withdrawn
    DRAFT → EXPIRED after 6m
  }
  routes {
    "submit" → "budget"
    "onApproved" → "ledger"
  }
}
`;

/** Steps that can be undone, and a secret. */
const PAYOUT = `
state machine "payout" {
  data {
    note: text
    card: text secret
  }
  events {
    "pay" { note, card }
  }
  initial: NEW
  states: [NEW, PAYING, PAID, FAILED, EXPIRED]
  final: [PAID, FAILED, EXPIRED]
  state PAYING { run saga "pay-out" }
  transitions {
    NEW → PAYING on "pay"
    PAYING → PAID on done → emit("onPaid")
    PAYING → FAILED on compensated
    NEW → EXPIRED after 4m
  }
}
saga "pay-out" {
  step reserve(note) undo release(note) retry 2 backoff 1s .. 5s timeout 5s
  step transfer(note, card) undo refund(note) retry 2 backoff 1s .. 5s timeout 5s
  onStuck: assign users("erin")
}
`;

export const VERSIONS = [expense("1", 1), expense("2", 2)] as const;
/** A version that must be refused. */
export const BROKEN = expense("3", 1).replace("initial: DRAFT", "initial: NOWHERE");

const EXPENSE_FILE = "/flows/expense.flow";
const PAYOUT_FILE = "/flows/payout.flow";

const ACTIONS = ["book", "reserve", "release", "transfer", "refund"] as const;
export type ActionName = (typeof ACTIONS)[number];
/** Served over the bus; of the others the process has functions of its own. */
const DECLARED = ACTIONS.map((name) => ({ name, kind: "action" as const }));

type Perform = (name: string, call: Parameters<FlowFunction["run"]>[0]) => Promise<void>;

interface Compiled {
  readonly definitions: readonly Definition[];
  readonly errors: readonly Diagnostic[];
  readonly rest: Pick<Unit, "sources" | "rollouts" | "warnings">;
}

/** Each text is compiled once per process: definitions don't change. */
const compiled = new Map<string, Compiled>();

function compileOnce(text: string, file: string): Compiled {
  const known = compiled.get(text);
  if (known) return known;
  const { definitions, diagnostics, sources, rollouts } = compile(text, file, {
    functions: DECLARED,
    services: ["budget", "ledger"],
  });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const made = { definitions, errors, rest: { sources, rollouts, warnings: diagnostics } };
  compiled.set(text, made);
  return made;
}

/** How much an `add` counts in the version with that hash. */
export function weightOf(hash: string): number {
  const index = VERSIONS.findIndex((text) => compileOnce(text, EXPENSE_FILE).definitions[0]!.hash === hash);
  if (index < 0) throw new Error(`${hash} is no version of the flow`);
  return index + 1;
}

/** The folder of flows as one node finds it; a new version is written into it while the node runs. */
export class FlowFolder implements FlowFiles {
  #text: string;
  readonly #perform: Perform;

  constructor(text: string, perform: Perform) {
    this.#text = text;
    this.#perform = perform;
  }

  write(text: string): void {
    this.#text = text;
  }

  exists(): boolean {
    return true;
  }

  find(): readonly string[] {
    return [EXPENSE_FILE, PAYOUT_FILE];
  }

  fingerprint(file: string): string {
    return this.#textOf(file);
  }

  load(file: string): Promise<UnitResult> {
    const text = this.#textOf(file);
    const { definitions, errors, rest } = compileOnce(text, file);
    const seen = { file, fingerprint: text, uses: [], text };
    if (errors.length > 0) return Promise.resolve({ kind: "refused", ...seen, diagnostics: errors });
    const functions = new Map(ACTIONS.map((name) => [name, this.#function(name)]));
    return Promise.resolve({
      kind: "loaded",
      unit: { ...seen, ...rest, definitions, functions, templates: new Map() },
    });
  }

  #textOf(file: string): string {
    return file === EXPENSE_FILE ? this.#text : PAYOUT;
  }

  #function(name: string): FlowFunction {
    return { kind: "action", run: (call) => this.#perform(name, call) };
  }
}
