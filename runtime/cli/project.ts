/** What `assent new` writes, by file name. `folder` is how the README's commands call it. */
export const filesOfProject = (name: string, folder: string): Readonly<Record<string, string>> => ({
  [`${name}.flow`]: flow(name),
  "functions.ts": FUNCTIONS,
  "directory.json": `${JSON.stringify(DIRECTORY, undefined, 2)}\n`,
  "README.md": readme(name, folder),
});

const flow = (name: string): string => `/// The superior signs; from 5,000 on, two of finance sign, too.
state machine "${name}" {
  label: "1.0"

  data {
    purpose: text
    amount: money
  }

  events {
    "submit" { purpose, amount }
  }

  people {
    manager = managerOf(initiator)
    finance = group("finance")
  }

  initial: DRAFT
  states: [DRAFT, MANAGER, FINANCE, APPROVED, REJECTED, CANCELLED]
  final: [APPROVED, REJECTED, CANCELLED]

  state MANAGER {
    approval by manager {
      due: 2d
      overdue: [remind after 0h, escalate to managerOf(assignee) after 1d]
      allow: [transfer, returnTo]
      reason: required on [reject, returnTo]
    }
  }

  state FINANCE {
    approval by finance quorum 2 {
      reason: required on [reject]
    }
  }

  transitions {
    DRAFT → MANAGER on "submit" by initiator → policy()
    MANAGER → FINANCE on approved if amount >= 5_000
    MANAGER → APPROVED on approved else → notify(initiator) → emit("onApproved")
    MANAGER → REJECTED on rejected → notify(initiator)
    MANAGER → DRAFT on returned
    FINANCE → APPROVED on approved → notify(initiator) → emit("onApproved")
    FINANCE → REJECTED on rejected → notify(initiator)
    any → CANCELLED on "cancel" by initiator
  }
}

test "a small amount needs the superior alone" of "${name}" {
  as "alice" with managerOf("alice") = "bob", group("finance") = ["carol", "dave", "erin"], policy = yes
  start {}
  send "submit" { purpose: "paper", amount: 4_999.99 }
  expect MANAGER waiting for "bob"
  "bob" approves
  expect APPROVED
  expect emitted "onApproved" 1 times
}

test "a large amount needs two of finance, too" of "${name}" {
  as "alice" with managerOf("alice") = "bob", group("finance") = ["carol", "dave", "erin"], policy = yes
  start {}
  send "submit" { purpose: "a server", amount: 5_000 }
  "bob" approves
  expect FINANCE waiting for group("finance")
  "carol" approves
  expect FINANCE
  "erin" approves
  expect APPROVED
}

test "a rejection needs a reason" of "${name}" {
  as "alice" with managerOf("alice") = "bob", policy = yes
  start {}
  send "submit" { purpose: "a yacht", amount: 100 }
  "bob" rejects
  expect refused "reason-required"
  "bob" rejects because "not in the budget"
  expect REJECTED
}

test "what the policy forbids is not submitted" of "${name}" {
  as "alice" with managerOf("alice") = "bob", policy = no "not this quarter"
  start {}
  send "submit" { purpose: "paper", amount: 100 }
  expect refused "check-failed"
}
`;

const FUNCTIONS = `// Functions that the flow calls by name. This file is loaded again when it is saved.
// A check runs before the decision is written: true, or the reason for the no.

export const policy = {
  kind: "check",
  run: ({ context }) => context.data.purpose !== "party" || "parties are not paid for",
};
`;

const DIRECTORY = {
  people: [
    { id: "alice", name: "Alice", manager: "bob", dept: "sales" },
    { id: "bob", name: "Bob", manager: "carol", dept: "sales" },
    { id: "carol", name: "Carol", dept: "finance", groups: ["finance"] },
    { id: "dave", name: "Dave", manager: "carol", dept: "finance", groups: ["finance"] },
    { id: "erin", name: "Erin", manager: "carol", dept: "finance", groups: ["finance"] },
  ],
  heads: { sales: "bob", finance: "carol" },
};

const readme = (name: string, folder: string): string => `# ${name}

- \`${name}.flow\`: who approves what, and its tests
- \`functions.ts\`: functions that the flow calls by name
- \`directory.json\`: who is who; read when the node starts

\`\`\`
assent test ${folder}
assent serve ${folder} --dev
\`\`\`

In another terminal:

\`\`\`
assent send ${name} submit --key ONE --data '{"purpose": "paper", "amount": "120.00"}' --as alice
assent inbox --as bob
assent decide TASK approve --as bob
assent ls --as alice
\`\`\`

\`TASK\` is what \`inbox\` shows. Change the flow while the node runs: it is checked and takes effect, or is refused.
`;
