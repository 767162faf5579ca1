/** Texts that several tests share. */

export const SEED = `state machine "leave-approval" {
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

/** A flow with a document, a source and a test that uses nearly everything, and has no error and no warning. */
export const EVERYTHING = `/// 费用
state machine "expense" {
  title: "费用报销"
  label: "2.1"
  currency: "CNY"

  data {
    amount:   money
    balance:  money signed = -5.50
    kind:     Kind = one of [travel, equipment, other] = travel
    reason:   text
    days:     int?
    share:    decimal = 60%
    from:     date
    dueAt:    datetime?
    items:    list { name: text, price: money, note: text? }
    helpers:  list of user
    picked:   list of user?
    dept:     org
    urgent:   bool = false
    bankCard: text secret
  }

  events {
    "submit"  { amount, kind, reason, days, items, bankCard, from, helpers, dept }
    "assign"  { reviewer: user, note: text? }
  }

  people {
    manager = managerOf(initiator)
    finance = group("finance")
    board   = users("u-101", "u-102", "u-103")
    chain   = managersOf(manager, to top, top-down)
  }

  initial: DRAFT
  states: [DRAFT, REVIEWING, BOARD, PAYING, APPROVED, REJECTED, CANCELLED]
  final:  [APPROVED, REJECTED, CANCELLED]

  state REVIEWING {
    approval by manager then finance quorum 60% then chain sequence then helpers all then chosen(picked) then headOf(dept) {
      due: 2d per stage
      remind: every 4h at most 3
      allow: [transfer, returnTo, withdraw untouched, abstain]
      onEmpty: assign group("admin")
      overdue: [remind after 0h, escalate to managerOf(assignee, level 2) after 1d, approve after 2d] repeat 1
      reason: required on [reject, returnTo]
      reject: rest
    }
  }
  state BOARD { approval by board quorum > 66.7% then managersOf(initiator, up to 3) quorum 2/3 then legalOf(dept) quorum 2 }

  transitions {
    DRAFT     → REVIEWING on "submit" by initiator if amount > 0 and count(items) > 0 → checkBudget(amount, travel, bankCard) → notify(manager)
    REVIEWING → BOARD     on approved if amount >= 5_000 or any items where price > 100 and note is set and note != "x"
    REVIEWING → PAYING    on approved else
    REVIEWING → REJECTED  on rejected → notify(initiator) → cc(finance) → notify(actor)
    REVIEWING → DRAFT     on returned
    REVIEWING → DRAFT     on withdrawn
    BOARD     → PAYING    on approved if sum(items.price) * 2 <= amount + 100.50 and amount / balance < 1/3
    BOARD     → REVIEWING on approved else if not (days is set) or days in [1, 10] and kind in [travel, other]
    BOARD     → REJECTED  on approved else → set(days = 3) → set(amount = amount / 2) → set(share = 1) → archive(kind)
    BOARD     → REJECTED  on rejected
    PAYING    → APPROVED  on "paid" if isOk(bankCard) and scoreOf(amount) > 0.5 and from + 3d > dateOf(now) and "vip" in initiator.tags
      → render("voucher") → emit("onApproved") → start("archive", key, { amount: 5_000, card: bankCard })
    any       → CANCELLED on "cancel" by initiator if state == PAYING or elapsed > 3d and all approvals where user != "u1"
    REVIEWING → REJECTED  after 14d
    PAYING    → REJECTED  at if dueAt is set then dueAt else now + 3d
    PAYING    → PAYING    on "assign" by event.reviewer if event.note is set and event.note in ["a", "b"]
  }
  routes {
    "submit"     → "budget-service"
    "onApproved" → "ledger-service, audit-service"
    "cancel"     → service(role = "notifier", zone = "cn")
  }
}

state machine "archive" {
  data {
    amount: money
    card: text secret
  }
  initial: OPEN
  states: [OPEN, CLOSED]
  transitions { OPEN → CLOSED after 30s }
}

document "voucher" {
  template: "expense-voucher"
  name     = initiator.name
  total    = rmbUpper(amount)
  card     = masked(bankCard)
  signedOn = formatDate(now, "yyyy年MM月dd日")
  items    = items
  days     = days
  approvals = approvals
  fallback: "plain-voucher"
}

source wecom "TPL_001" when approved starts "expense" on "submit" {
  key      = SpNoStr
  initiator = Applyer.UserId
  amount   = control("Money-1") in yuan
  kind     = control("Selector-2") one of { "差旅": travel, "设备": equipment, else: other }
  reason   = control("Textarea-3")
  bankCard = control("Text-7")
  from     = control("Date-1")
  helpers  = control("Contact-1")
  dept     = control("Contact-2")
  items    = table("Table-4") { name = control("Text-5"), price = control("Money-6") in yuan }
}

test "a large expense" of "expense" {
  as "alice" with managerOf("alice") = "bob"
  start { amount: 80_000, kind: travel }
  send "submit"
  expect REVIEWING waiting for "bob"
  expect amount == 80_000 and days == 3
  "bob" returns to DRAFT
}
`;
