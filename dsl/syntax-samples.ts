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

/** Every construct, in the one layout. */
export const everything = `use "./rates.flow"

calendar "cn" {
  timezone: "Asia/Shanghai"
  hours: [09:00 .. 12:00, 13:00 .. 24:00]
  weekend: [sat, sun]
  holidays: [2026-10-01 .. 2026-10-07, 2027-01-01]
  workdays: [2026-10-10] // 调休
}

/// Who signs what.
matrix signOff(amount: money, kind: Kind, days: int, open: bool, since: date, for: duration) {
  amount                      kind               days     open   since                     for                   → approvers
  // the small ones
  [0, 5_000)                  any                -1       any    any                       [0h, 2 workdays)      → manager
  [5_000, 50_000), 60_000.50  travel, equipment  (.., 3]  true   [2026-01-01, 2026-02-01]  [2 workdays, ..)      → manager all then one of finance
  [50_000, ..)                其他               [1, 5]   false  2026-03-01, 2026-03-02    3d, [4 workhours, 9h] → auto approve if amount > 5 else reject
}

/// Spending.
/// Above the limit finance signs too.
state machine "expense" {
  title: "费用报销" // shown to people
  label: "2.1"
  currency: CNY
  calendar: "cn"

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
    "assign" { reviewer: user, note: text? secret, pin: int secret }
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
    /// Not sent yet.
    DRAFT,
    REVIEWING, /* people decide */ PAYING,
    DONE,
  ]
  final: [DONE]

  state REVIEWING {
    approval by manager then board quorum 2/3 then finance all then group("x") quorum > 50% then group("y") quorum > 2/3 then event.who quorum 2 {
      reject: rest
      due: 48h per stage
      remind: every 4h at most 3
      overdue: [remind after 0h, escalate to managerOf(assignee) after 1d, approve after 2d] repeat 2
      onEmpty: assign group("admin")
      onSelf: manager
      repeated: skip consecutive
      allow: [transfer, delegate, addBefore advisory, addAfter, addBeside, remove, returnTo, withdraw untouched, claim]
      onReturn: resume
      maxReturns: 3
      edit: [amount, days] reopens
      hide: [card]
      abstain: no
      collect: all
      sign: required
      reason: required on [reject, returnTo]
    }
  }

  state PAYING {
    approval by one of finance and board quorum 60% weight sharesOf and legal all veto boss
      then auto reject if amount > 5 else approve
      then signOff(amount, kind)
  }

  state CHECKING {
    handle by group("x") all {
      due: 2 workdays
    }
  }

  state SORTING {
    auto approve if amount < 5 else reject then manager
  }

  state BOOKING {
    run saga "pay-out"
  }

  state SEALING {
    run flow "seal" on "submit" with { document: "contract", total: amount }
  }

  state WAITING {
    run flow "wait"
  }

  state DONE {
    revocable for 7d
  }

  /// Side by side.
  state SIDES {
    parallel {
      branch legal {
        initial: REVIEW
        states: [REVIEW, OK]
        final: [OK]
        state REVIEW {
          approval by legal
        }
        transitions {
          REVIEW → OK on approved
        }
      }
      branch tax if amount > 5_000 and kind in [travel] {
        initial: A
        states: [A]
        state A {
          parallel {
            branch deep {
              initial: B
              states: [B]
            }
            join any
          }
        }
      }
      branch rest else {
        initial: A
        states: [A]
      }
      join 2
      reject: one
    }
  }

  transitions {
    DRAFT, PAYING → REVIEWING on "submit" by initiator if amount in [100, 5_000) and kind in [travel, other] → check(amount)
    REVIEWING → PAYING on approved if amount > 1_000.50 → set(balance = amount * 2 - -1)
      → cc(managersOf(managerOf(initiator, level 2), up to 3, top-down))
      → start("other", key, { total: amount, why: "x" })
    REVIEWING → PAYING on approved else if not (days is set) or days + 1 >= 3
    REVIEWING → DONE on approved else → notify(initiator) → emit("paid")
    PAYING → DONE after 14d
    PAYING → DONE at deadline + 2d if any items where price > 100
    BOOKING → DONE on done if outcome == APPROVED
    BOOKING → DRAFT on compensated
    SIDES → DONE on joined if legal.state == OK and days + 2 workdays > 3
    DONE → DRAFT on withdrawn
    any → DONE on "cancel" if (if a then b else c) == 2026-10-01 and t < 09:00 or x in (0, ..)
  }

  routes {
    "submit" → "budget-service, audit"
    "cancel" → service(role = "notifier", zone = "cn"), "log"
  }

  ensure {
    never DONE without PAYING
    never legal.OK without approval by finance if amount >= 5_000
    initiator never approves
    group("x") never approves
    different people in [REVIEWING, legal.REVIEW]
    reaches final within 60d
  }

  migrate from label "2.0" {
    OLD → DRAFT
    ALT → DONE
  }
}

saga "pay-out" {
  step reserveBudget(amount) undo releaseBudget(amount)
  step transfer(card, amount) undo refund(amount) retry 5 backoff 200ms .. 30s jitter 25% timeout 10s
  step archive() and seal(amount, "x") undo unseal() and post() retry 1 backoff 1s
  onStuck: assign group("finance-ops")
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
  items = table("Table-4") { name = control("Text-5"), parts = table("Table-5") { price = control("Money-6") in yuan } }
}

rollout "v3-pilot" of "expense" to label "3.0" {
  tags: ["beta"]
  orgs: ["org-1001", "cn-east-*"]
  amount: [100, 5000)
  kind: [travel]
  percent: 12.5
}

test "all of it" of "expense" label "2.1" {
  at 2026-10-09T17:30
  as "alice" in org "o-1" tags ["beta"] with managerOf("alice") = "bob", group("x") = ["f1", "f2"]
  given users "dan", "eve"
  given users ["finn"]
  given away "bob" from 2026-01-05 to 2026-01-09 deputy "dan"
  given left "eve" handover "finn"
  given left "gus"
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
  "bob" transfers to "carol" in legal
  "bob" delegates to "carol" because "away"
  "bob" adds before "v", "w" all advisory because "help" with id "c-3"
  "bob" adds after "v"
  "bob" adds beside "v" in legal
  "bob" removes "v"
  "bob" urges
  "bob" comments "so so"
  "bob" asks "v" "why?"
  "bob" rejects on behalf of "v" signing in legal
  "bob" abstains
  "bob" claims
  "bob" releases
  "bob" takes back
  "bob" handles
  admin suspends because "x"
  admin resumes because "x"
  admin voids because "x"
  admin jumps to DRAFT because "x"
  admin jumps to legal.REVIEW because "x" with id "c-4"
  admin overrides approve in legal because "x"
  admin overrides reject because "x"
  admin removes "v" because "x"
  admin sets saga transfer { amount: 5, card: "1" } because "x"
  admin hands over "a" to "b"
  migrate to label "3.0" with id "c-5"
  on second: "carol" withdraws
  advance 48h
  advance 3 workdays
  advance 1.5 workhours
  advance to 2026-10-13
  advance to 2026-10-12T08:00
  expect REVIEWING waiting for "bob", group("x")
  expect waiting for nobody
  expect DONE
  expect legal.REVIEW
  expect legal.REVIEW waiting for "bob"
  expect data.flag
  expect amount == 5 and days is set
  expect emitted "paid" 2 times
  expect not called archive("x", 3)
  expect called transfer 2 times
  expect undone releaseBudget(5) 1 times
  expect not emitted "paid"
  expect notified "u" 1 times
  expect rendered "voucher" containing "壹拾"
  expect refused "not-your-task"
  expect not escalated
  expect escalated in legal
  expect reminded 2 times
  expect reminded 2 times in legal
  expect round 2
  expect round 2 in legal
  expect seat "u" transferred
  expect seat "u" superseded in legal
  expect history containing "auto"
  expect nothing open
}
`;
