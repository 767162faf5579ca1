/** Flows of five kinds, no two alike: what a company with very many of them has in a folder. All are sound. */

export const SHARED_FILE = "shared.flow";

/** What every generated flow uses. */
export const sharedText = `calendar "office" {
  timezone: "Asia/Shanghai"
  hours: [09:00 .. 12:00, 13:00 .. 18:00]
  weekend: [sat, sun]
  holidays: [2026-10-01 .. 2026-10-07]
  workdays: [2026-10-10]
}

/// 权责表: who signs what.
matrix signOff(amount: money, urgent: bool) {
  amount             urgent  → approvers
  [0, 5_000)         any     → manager
  [5_000, 50_000)    false   → manager then finance
  [5_000, 50_000)    true    → manager then finance all
  [50_000, ..)       any     → manager then finance then board quorum 2/3
}
`;

/** The text of the `number`th flow, from 0 on. */
export function generatedFlow(number: number): string {
  return `use "./${SHARED_FILE}"\n\n${kinds[number % kinds.length]!(number)}`;
}

const kinds: readonly ((number: number) => string)[] = [expense, chain, parallel, booking, leave];

/** Varies with `number`: from `least` on, so many different ones. */
function from(least: number, many: number, number: number): number {
  return least + ((Math.imul(number, 2_654_435_761) >>> 8) % many);
}

const head = (number: number, name: string) => `state machine "${name}-${number}" {
  title: "流程 ${number}"
  label: "${from(1, 9, number)}.${number % 10}"
  calendar: "office"
`;

const people = `
  people {
    manager = managerOf(initiator)
    finance = group("finance")
    board = users("u-101", "u-102", "u-103")
  }
`;

/** An amount decides by the shared matrix; above a limit somebody else looks at it again. */
function expense(number: number): string {
  const limit = from(10_000, 90_000, number);
  return `${head(number, "expense")}
  data {
    amount: money
    urgent: bool = false
    kind: Kind = one of [travel, equipment, other${number}]
    reason: text
    days: int?
  }

  events {
    "submit" { amount, urgent, kind, reason, days }
    "amend" { reason }
  }
${people}
  initial: DRAFT
  states: [DRAFT, REVIEW${number}, AUDIT, APPROVED, REJECTED, CANCELLED]
  final: [APPROVED, REJECTED, CANCELLED]

  state REVIEW${number} {
    approval by signOff(amount, urgent) {
      due: ${from(1, 5, number)} workdays
      remind: every 4 workhours at most 3
      allow: [transfer, delegate, returnTo, withdraw]
      reason: required on [reject, returnTo]
    }
  }

  state AUDIT {
    approval by group("audit-${number}") all
  }

  transitions {
    DRAFT → REVIEW${number} on "submit" by initiator if days is set and days > ${from(1, 30, number)} or kind != other${number} → checkBudget(amount, kind)
    REVIEW${number} → AUDIT on approved if amount >= ${limit}
    REVIEW${number} → APPROVED on approved else → emit("onApproved")
    REVIEW${number}, AUDIT → REJECTED on rejected → notify(initiator)
    REVIEW${number} → DRAFT on returned
    AUDIT → APPROVED on approved → emit("onApproved")
    any → CANCELLED on "cancel" by initiator
    REVIEW${number} → REJECTED after ${from(10, 20, number)}d
    AUDIT → REJECTED after ${from(5, 10, number)}d
  }

  ensure {
    never APPROVED without REVIEW${number}
    never APPROVED without AUDIT if amount >= ${limit}
    initiator never approves
    reaches final within 60d
  }
}
`;
}

/** One signature after the other. */
function chain(number: number): string {
  const steps = Array.from({ length: from(3, 5, number) }, (_, step) => `STEP${number}-${step}`);
  const next = (step: number) => steps[step + 1] ?? "APPROVED";
  return `${head(number, "chain")}
  data {
    title: text
    amount: money
  }

  events {
    "submit" { title, amount }
  }
${people}
  initial: DRAFT
  states: [DRAFT, ${steps.join(", ")}, APPROVED, REJECTED]
  final: [APPROVED, REJECTED]
${steps
  .map(
    (name, step) => `
  state ${name} {
    approval by ${["manager", "finance all", "board quorum 2", `group("g-${number}")`][step % 4]} {
      due: ${from(1, 4, number + step)}d
    }
  }
`,
  )
  .join("")}
  transitions {
    DRAFT → ${steps[0]} on "submit" by initiator if amount in [1, ${from(100_000, 900_000, number)})
${steps.map((name, step) => `    ${name} → ${next(step)} on approved`).join("\n")}
${steps.map((name, step) => `    ${name} → REJECTED after ${from(4, 6, number + step)}d`).join("\n")}
    ${steps.join(", ")} → REJECTED on rejected → notify(initiator)
  }

  ensure {
    never APPROVED without approval by manager
    never APPROVED without ${steps.at(-1)}
    initiator never approves
    reaches final within 90d
  }
}
`;
}

/** Departments look at it side by side. */
function parallel(number: number): string {
  const branch = (name: string, condition: string) => `
      branch ${name}${condition} {
        initial: LOOKING
        states: [LOOKING, FINE]
        final: [FINE]
        state LOOKING {
          approval by group("${name}-${number}")
        }
        transitions {
          LOOKING → FINE on approved
          LOOKING → FINE after ${from(3, 9, number)}d
        }
      }`;
  return `${head(number, "contract")}
  data {
    amount: money
    party: text
    until: date
  }

  events {
    "submit" { amount, party, until }
  }
${people}
  initial: DRAFT
  states: [DRAFT, REVIEW, SIGNING, SIGNED, REJECTED]
  final: [SIGNED, REJECTED]

  state REVIEW {
    parallel {${branch("legal", "")}${branch("finance", ` if amount > ${from(1_000, 9_000, number)}`)}${branch("tax", "")}
      join all
      reject: one
    }
  }

  state SIGNING {
    approval by board quorum 60%
  }

  transitions {
    DRAFT → REVIEW on "submit" by initiator if until > 2026-0${from(1, 9, number)}-15
    REVIEW → SIGNING on joined
    REVIEW → REJECTED on rejected
    SIGNING → SIGNED on approved → emit("signed-${number}")
    SIGNING → REJECTED on rejected → notify(initiator)
    SIGNING → REJECTED after 20d
  }

  ensure {
    never SIGNED without approval by board
    never SIGNED without legal.FINE
    reaches final within 60d
  }
}
`;
}

/** Outside systems are told in steps that can be undone. */
function booking(number: number): string {
  return `${head(number, "booking")}
  data {
    amount: money
    count: int
    account: text secret
  }

  events {
    "submit" { amount, count, account }
  }
${people}
  initial: DRAFT
  states: [DRAFT, REVIEW, BOOKING, BOOKED, FAILED]
  final: [BOOKED, FAILED]

  state REVIEW {
    approval by manager then finance all {
      due: 2 workdays
      overdue: [remind after 0h, escalate to managerOf(assignee) after ${from(1, 6, number)}d]
    }
  }

  state BOOKING {
    run saga "book-${number}"
  }

  transitions {
    DRAFT → REVIEW on "submit" by initiator if count > ${from(0, 9, number)} and amount * count < ${from(1_000_000, 9_000_000, number)}
    REVIEW → BOOKING on approved
    REVIEW → FAILED on rejected → notify(initiator)
    BOOKING → BOOKED on done → render("voucher-${number}") → emit("booked")
    BOOKING → FAILED on compensated
  }

  ensure {
    never BOOKED without approval by finance
    initiator never approves
  }
}

saga "book-${number}" {
  step reserve(amount) undo release(amount)
  step transfer(account, amount) undo refund(amount) retry ${from(1, 9, number)} backoff 200ms .. 30s
  step archive()
  onStuck: assign group("ops")
}

document "voucher-${number}" {
  template: "voucher"
  name = initiator.name
  total = rmbUpper(amount)
}
`;
}

/** Who signs depends on the days, in lines that exclude each other. */
function leave(number: number): string {
  const some = from(2, 4, number);
  const many = some + from(3, 8, number);
  return `${head(number, "leave")}
  data {
    days: decimal
    kind: Kind = one of [annual, sick, unpaid]
    since: date
    note: text?
  }

  events {
    "request" { days, kind, since, note }
    "cancel" { note }
  }
${people}
  initial: DRAFT
  states: [DRAFT, MANAGER, HR, HEAD, GRANTED, REFUSED]
  final: [GRANTED, REFUSED]

  state MANAGER {
    approval by manager {
      allow: [returnTo, withdraw]
      onEmpty: assign group("hr")
    }
  }

  state HR {
    handle by group("hr-${number}")
  }

  state HEAD {
    approval by headOf("d-${number}") veto manager
  }

  transitions {
    DRAFT → MANAGER on "request" by initiator if days > 0
    MANAGER → GRANTED on approved if days <= ${some} and kind == annual
    MANAGER → HR on approved if days <= ${some} and kind in [sick, unpaid]
    MANAGER → HR on approved if days > ${some} and days <= ${many}.5
    MANAGER → HEAD on approved if days > ${many}.5
    MANAGER, HEAD → REFUSED on rejected → notify(initiator)
    MANAGER → DRAFT on returned
    HR → GRANTED on done
    HEAD → GRANTED on approved
    MANAGER, HR, HEAD → REFUSED on "cancel" by initiator
  }

  ensure {
    never GRANTED without MANAGER
    never GRANTED without approval by manager
    never GRANTED without HR if kind == sick and days <= ${some}
  }
}
`;
}
