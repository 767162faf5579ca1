/** Texts that the tests of the syntax share. */

/** The smallest flow that every version loads. */
export const leaveApproval = `state machine "leave-approval" {
  initial: DRAFT
  states: [DRAFT, SUBMITTED, REVIEWING, APPROVED, REJECTED, CANCELLED]
  transitions {
    DRAFT → SUBMITTED on "submit" → validatePolicy()
    SUBMITTED → REVIEWING on "assignReviewer" → notifyReviewers()
    REVIEWING → APPROVED on "approve" if hasQuorum() → emit("onApproved")
  }
  routes {
    "submit" → "validator-service"
    "approve" → "notification-service, audit-service"
  }
}
`;

/** Every construct that this version runs, in the one layout. */
export const everything = `/// Spending.
/// Above the limit finance signs too.
state machine "expense" {
  title: "费用报销" // shown to people
  label: "2.1"
  currency: CNY

  data {
    amount: money
    balance: money signed?
    kind: Kind = one of [travel, equipment, other] = travel
    days: int? = 1
    share: decimal = 60%
    items: list { name: text, price: money }
    tags: list of text
    place: { city: text, street: text? }
    card: text secret
    state: text
  }

  events {
    "submit" { amount, kind, items }
    "assign" { reviewer: user, note: text? }
    "cancel"
  }

  people {
    manager = managerOf(initiator)
    boss = managerOf(initiator, level 2)
    chain = managersOf(initiator, up to 3, top-down)
    all-of-them = managersOf(initiator, to top)
    board = users("u-1", "u-2", "u-3")
  }

  initial: DRAFT
  states: [
    DRAFT,
    REVIEWING, /* people decide */ PAYING,
    DONE,
  ]
  final: [DONE]

  state REVIEWING {
    approval by manager then board quorum 2/3 then finance all then group("x") quorum > 50% then event.who quorum 2 {
      reject: rest
      due: 48h per stage
      remind: every 4h at most 3
      overdue: [remind after 0h, escalate to managerOf(assignee) after 1d, approve after 2d] repeat 2
      onEmpty: assign group("admin")
      allow: [transfer, returnTo, withdraw untouched, abstain]
      reason: required on [reject, returnTo]
    }
  }

  state PAYING {
    approval by finance
  }

  transitions {
    DRAFT, PAYING → REVIEWING on "submit" by initiator if amount in [100, 5_000) and kind in [travel, other] → check(amount)
    REVIEWING → PAYING on approved if amount > 1_000.50 → set(balance = amount * 2 - -1)
      → start("other", key, { total: amount, why: "x" })
    REVIEWING → PAYING on approved else if not (days is set) or days + 1 >= 3
    REVIEWING → DONE on approved else → notify(initiator) → emit("paid")
    PAYING → DONE after 14d
    PAYING → DONE at deadline + 2d if any items where price > 100
    any → DONE on "cancel" if (if a then b else c) == 2026-10-01 and t < 09:00 or x in (0, ..)
  }

  routes {
    "submit" → "budget-service, audit"
    "cancel" → service(role = "notifier", zone = "cn"), "log"
  }
}

document "voucher" {
  template: "voucher"
  name = initiator.name
  total = rmbUpper(amount)
  fallback: "plain"
}

source wecom "TPL" when approved starts "expense" on "submit" {
  key = SpNo
  initiator = Applyer.UserId
  amount = control("Money-1") in yuan
  kind = control("Selector-2") one of { "差旅": travel, else: other }
  items = table("Table-4") { name = control("Text-5"), price = control("Money-6") in yuan }
}

test "all of it" of "expense" label "2.1" {
  at 2026-10-09T17:30
  as "alice" in org "o-1" tags ["beta"] with managerOf("alice") = "bob", group("x") = ["f1", "f2"]
  given checkBudget(80_000, travel) = yes
  given checkBudget = no "over budget"
  given scoreOf = 0.7
  given archive fails 2 times
  given archive takes 30s
  start { amount: 80_000, kind: travel, items: [{ name: "a", price: 1 }] } key "K"
  start as second { amount: -1 } with id "c-1"
  send "submit" { note: "x" } by "bob"
  "bob" approves because "fine" setting { days: 3 } with id "c-2"
  "bob" returns to stage 2
  "bob" returns to initiator because "more"
  "bob" returns to DRAFT
  "bob" transfers to "carol"
  on second: "carol" withdraws
  advance 48h
  advance to 2026-10-12T08:00
  expect REVIEWING waiting for "bob", group("x")
  expect waiting for nobody
  expect DONE
  expect amount == 5 and days is set
  expect emitted "paid" 2 times
  expect not called archive("x", 3)
  expect notified "u" 1 times
  expect rendered "voucher" containing "壹拾"
  expect refused "not-your-task"
  expect not escalated
  expect reminded 2 times
  expect round 2
  expect seat "u" transferred
  expect history containing "auto"
  expect nothing open
}
`;
