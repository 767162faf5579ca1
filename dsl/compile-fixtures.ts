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

/** A file with the constructs that {@link EVERYTHING} has not: it has no error, and warnings about the world outside only. */
export const COMPLETE = `calendar "cn" { timezone: "Asia/Shanghai"; hours: [09:00 .. 12:00, 13:00 .. 18:00]; weekend: [sat, sun]; holidays: [2026-10-01 .. 2026-10-07]; workdays: [2026-10-10] }
matrix signOff(amount: money, kind: Kind) {
  amount             kind                   → approvers
  [0, 5_000)         any                    → boss
  [5_000, ..)        a                      → boss then finance quorum 2/3
  [5_000, ..)        b                      → boss then finance and board all veto boss
}
saga "pay" {
  step reserve(amount) undo release(amount) and step2(card) undo unstep()
  step transfer(card, amount) undo refund(amount) retry 5 backoff 200ms .. 30s jitter 25% timeout 10s
  onStuck: assign group("ops")
}
state machine "sub" {
  data { document: text; pin: text secret; n: int? }
  initial: S
  states: [S, DONE, FAILED]
  transitions { S → DONE on "go"
    S → FAILED on "no" }
}
state machine "f" {
  label: "2"
  calendar: "cn"
  data { amount: money; days: int?; kind: Kind = one of [a, b]; who: user?; card: text secret; yes: bool; note: text }
  events { "go" { amount, kind, card, yes, note, reviewer: user, pin: text secret } }
  people { boss = managerOf(initiator); board = users("u1", "u2", "u3"); finance = group("finance") }
  initial: A
  states: [A, B, H, P, Q, R, C, D]
  final: [C, D]
  state B { approval by signOff(amount, kind) then one of board then auto approve if amount < 5 else reject then finance quorum 60% weight shareOf {
    allow: [transfer, delegate, addBefore advisory, addAfter, addBeside, remove, returnTo, withdraw untouched, takeBack, abstain, claim]
    due: 2 workdays per stage
    remind: every 4 workhours at most 3
    overdue: [remind after 0h, escalate to managerOf(assignee) after 1 workdays] repeat 2
    onEmpty: assign board
    onSelf: skip
    repeated: skip consecutive
    onReturn: resume
    maxReturns: 3
    edit: [note] reopens
    hide: [amount]
    abstain: no
    collect: all
    reason: required on [reject, returnTo, delegate]
    sign: required
    reject: rest
  } }
  state H { handle by finance }
  state P { parallel {
    branch legal { initial: L1; states: [L1, OK]; state L1 { approval by boss }; transitions { L1 → OK on approved
       L1 → D on rejected } }
    branch money if amount > 5_000 { initial: L1; states: [L1, OK]; final: [OK]; transitions { L1 → OK on "ok" } }
    branch rest else { initial: L1; states: [L1, OK]; transitions { L1 → OK after 3d } }
    join 1
    reject: one
  } }
  state Q { run saga "pay" }
  state R { run flow "sub" on "go" with { document: note, pin: card } }
  state C { revocable for 7d }
  transitions {
    A → B on "go" by initiator → notify(managerOf(initiator, level 2))
    B → H on approved
    B → D on rejected
    B → A on returned
    B → A on withdrawn
    H → P on done
    P → Q on joined if legal.state == OK
    P → D on joined else
    P → D on rejected
    Q → R on done
    Q → D on compensated
    R → C on done if outcome == DONE
    R → D on done else
    C → D on withdrawn
    B → D at now + 3d
    B, H, P, R → D after 10d
  }
  ensure {
    never C without B
    never C without approval by boss if amount >= 1
    never legal.OK without legal.L1
    initiator never approves
    different people in [B, legal.L1]
    reaches final within 60d
  }
  migrate from label "1" { OLD → B; A → A }
}
rollout "r" of "f" to label "2" { tags: ["beta"]; orgs: ["o", "cn-*"]; amount: [100, 5000); kind: [a, b]; percent: 12.5 }
document "doc" { template: "t"; x = amount }
`;
