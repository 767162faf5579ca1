/** Words of the language and what they are for, as completion and hover show them. */
export interface Word {
  readonly word: string;
  readonly about: string;
  /** What is inserted, where that is more than the word; `$0` is where the cursor goes, as in LSP snippets. */
  readonly snippet?: string;
}

const words = (rows: readonly (readonly [word: string, about: string, snippet?: string])[]): readonly Word[] =>
  rows.map(([word, about, snippet]) => ({ word, about, ...(snippet !== undefined && { snippet }) }));

export const TOP_LEVEL = words([
  [
    "state machine",
    "A flow: its data, people, states and the lines between them.",
    'state machine "$1" {\n  initial: $2\n  states: [$2]\n  transitions {\n    $0\n  }\n}',
  ],
  ["use", "Makes what another file declares usable here.", 'use "./$0"'],
  [
    "calendar",
    "Working time: zone, hours, weekend, holidays.",
    'calendar "$1" {\n  timezone: "Asia/Shanghai"\n  hours: 09:00 .. 18:00\n  weekend: [sat, sun]\n}',
  ],
  ["matrix", "Who signs what; proved complete and free of overlap.", "matrix $1($2) {\n  $0\n}"],
  ["saga", "Steps with their undoing.", 'saga "$1" {\n  step $0\n}'],
  ["document", "A Word document made from a template.", 'document "$1" {\n  template: "$2"\n  $0\n}'],
  [
    "source",
    "How an outside form starts a flow.",
    'source wecom "$1" starts "$2" on "$3" {\n  key = SpNoStr\n  initiator = Applyer.UserId\n  $0\n}',
  ],
  ["rollout", "Which instances a version gets first.", 'rollout "$1" of "$2" to label "$3" {\n  percent: $0\n}'],
  ["test", "A story that must hold.", 'test "$1" of "$2" {\n  as "$3"\n  start { $4 }\n  $0\n}'],
]);

export const MACHINE = words([
  ["title", "Shown to people.", 'title: "$0"'],
  ["label", "The version that people see.", 'label: "$0"'],
  ["currency", "ISO 4217 code of money; default CNY.", 'currency: "$0"'],
  ["calendar", "The calendar of working times.", 'calendar: "$0"'],
  ["data", "Typed fields.", "data {\n  $0\n}"],
  ["events", "What events may carry.", "events {\n  $0\n}"],
  ["people", "Named sets of people.", "people {\n  $0\n}"],
  ["initial", "The state in which an instance begins.", "initial: $0"],
  ["states", "All states.", "states: [$0]"],
  ["final", "The states in which it ends.", "final: [$0]"],
  ["state", "What happens in a state.", "state $1 {\n  $0\n}"],
  ["transitions", "The lines between states.", "transitions {\n  $0\n}"],
  ["routes", "Which services get which events.", "routes {\n  $0\n}"],
  ["ensure", "Properties that are proved over all paths.", "ensure {\n  $0\n}"],
  ["migrate", "Where running instances go when moved to this version.", 'migrate from label "$1" {\n  $0\n}'],
]);

export const STATE = words([
  ["approval by", "People approve or reject, stage by stage.", "approval by $0"],
  ["handle by", "People do something; it can't be rejected.", "handle by $0"],
  ["parallel", "Branches side by side.", "parallel {\n  branch $1 {\n    $0\n  }\n  join all\n}"],
  ["run saga", "Runs the steps of a saga.", 'run saga "$0"'],
  ["run flow", "Runs another flow inside this instance.", 'run flow "$1" on "$2" with { $0 }'],
  ["revocable for", "On a final state: how long the initiator may withdraw.", "revocable for $0"],
]);

export const BRANCH = MACHINE.filter(({ word }) =>
  ["initial", "states", "final", "state", "transitions"].includes(word),
);

export const OPTIONS = words([
  ["reject", "`one`: a single rejection ends it; `rest`: only when approval can no longer be reached.", "reject: $0"],
  ["due", "Deadline of each seat from its opening; `per stage`: of the stage.", "due: $0"],
  ["remind", "Until decided.", "remind: every $0"],
  ["overdue", "Steps counted from the deadline.", "overdue: [$0]"],
  ["onEmpty", "Nobody was found: `hold`, `skip`, `reject`, `assign P`.", "onEmpty: $0"],
  ["onSelf", "The initiator is among the approvers: `ask`, `skip`, `manager`.", "onSelf: $0"],
  [
    "repeated",
    "The same person approved before and saw the same: `ask`, `skip consecutive`, `skip any`.",
    "repeated: $0",
  ],
  ["allow", "What people may do beside approving and rejecting.", "allow: [$0]"],
  ["onReturn", "After a return: `restart` every stage, or `resume` at the returner.", "onReturn: $0"],
  ["maxReturns", "How often an instance may be returned.", "maxReturns: $0"],
  ["edit", "Fields that these people may change.", "edit: [$0]"],
  ["hide", "Fields that these people must not see.", "hide: [$0]"],
  ["abstain", "What an abstention counts: `leaves` or `no`.", "abstain: $0"],
  ["collect", "Keep the stage open for every opinion.", "collect: all"],
  ["reason", "Decisions that need a reason.", "reason: required on [$0]"],
  ["sign", "A decision needs a signature.", "sign: required"],
]);

/** What may stand after the colon of an option. */
export const OPTION_VALUES: Readonly<Record<string, readonly Word[]>> = {
  reject: words([
    ["one", "A single rejection ends it."],
    ["rest", "Only when approval can no longer be reached."],
  ]),
  onEmpty: words([
    ["hold", "The stage waits, with an alert."],
    ["skip", "Counts as approved, by nobody."],
    ["reject", "Counts as rejected."],
    ["assign", "Others decide.", "assign $0"],
  ]),
  onSelf: words([
    ["ask", "The initiator decides like everybody."],
    ["skip", "The seat is dropped."],
    ["manager", "The initiator's superior decides."],
  ]),
  repeated: words([
    ["ask", "Asked again."],
    ["skip consecutive", "Approved if the stage before was theirs."],
    ["skip any", "Approved if any earlier stage was theirs."],
  ]),
  onReturn: words([
    ["restart", "Every stage again."],
    ["resume", "Back to the returner, where nothing changed."],
  ]),
  abstain: words([
    ["leaves", "The seat leaves the count."],
    ["no", "Counts as a rejection."],
  ]),
  collect: words([["all", "Every opinion is waited for."]]),
  sign: words([["required", "Without a signature it is refused."]]),
  reason: words([["required on", "Which decisions.", "required on [$0]"]]),
};

export const OPERATIONS = words([
  ["transfer", "转办: the task moves to somebody else."],
  ["delegate", "委派: somebody gives an opinion, the task comes back."],
  ["addBefore", "前加签: others decide first."],
  ["addAfter", "后加签: others decide next."],
  ["addBeside", "并加签: more people in this stage."],
  ["remove", "减签: people added are taken out."],
  ["returnTo", "退回: back to an earlier state or stage."],
  ["withdraw", "撤回: by the initiator."],
  ["takeBack", "拿回: one's own approval."],
  ["abstain", "弃权: neither yes nor no."],
  ["claim", "认领: one of a group takes the shared task."],
]);

export const TYPES = words([
  ["bool", "`true` or `false`."],
  ["int", "A whole number."],
  ["decimal", "An exact decimal number."],
  ["money", "An exact amount in the flow's currency."],
  ["text", "A text."],
  ["date", "A day."],
  ["datetime", "An instant."],
  ["duration", "A span of time."],
  ["user", "A user's id."],
  ["org", "An organisation's id."],
  ["file", "A reference to a file."],
  ["one of", "One of these names.", "one of [$0]"],
  ["list of", "A list.", "list of $0"],
  ["list", "A list of records.", "list { $0 }"],
]);

export const PEOPLE = words([
  ["initiator", "Who started the instance."],
  ["users", "These users.", 'users("$0")'],
  ["group", "Members of a group.", 'group("$0")'],
  ["role", "Holders of a role.", 'role("$0")'],
  ["dept", "Members of a department.", 'dept("$0")'],
  ["position", "Holders of a position.", 'position("$0")'],
  ["headOf", "Head of a department.", 'headOf("$0")'],
  ["managerOf", "The direct superior.", "managerOf($0)"],
  ["managersOf", "Superiors in order.", "managersOf($1, up to $0)"],
  ["chosen", "Whom the one before picks.", "chosen($0)"],
]);

export const MODES = words([
  ["any", "或签: the first decision counts."],
  ["all", "会签: all must approve."],
  ["sequence", "依次: one after the other."],
  ["quorum", "票签: so many must approve.", "quorum $0"],
]);

export const OUTCOMES = words([
  ["approved", "The state's approval came to yes."],
  ["rejected", "It came to no."],
  ["returned", "It was returned to the initiator."],
  ["withdrawn", "The initiator withdrew."],
  ["done", "The handling, saga or sub-flow is done."],
  ["compensated", "The saga was undone."],
  ["joined", "The branches have joined."],
]);

export const ACTIONS = words([
  ["emit", "Sends an event out.", 'emit("$0")'],
  ["notify", "Tells people.", "notify($0)"],
  ["cc", "Sends a copy to people.", "cc($0)"],
  ["render", "Makes a document.", 'render("$0")'],
  ["start", "Starts another flow.", 'start("$1", $2, { $0 })'],
  ["set", "Sets a field.", "set($1 = $0)"],
]);

export const EXPRESSION = words([
  ["actor", "Who sent the event or decided last."],
  ["initiator", "Who started the instance."],
  ["now", "The instant of the event."],
  ["state", "The current state."],
  ["elapsed", "Since the current state was entered."],
  ["approvals", "Decisions of the newest round."],
  ["event", "The event's payload: `event.FIELD`."],
  ["count", "How many items.", "count($0)"],
  ["sum", "The sum of numbers.", "sum($0)"],
  ["formatDate", "A date as text.", 'formatDate($1, "yyyy年MM月dd日")'],
  ["rmbUpper", "An amount in 大写.", "rmbUpper($0)"],
  ["dateOf", "The day of an instant.", "dateOf($0)"],
  ["masked", "The last four characters.", "masked($0)"],
]);

export const PROPERTIES = words([
  ["never", "No path reaches X without passing Y.", "never $1 without $0"],
  ["different people in", "Two states have different people.", "different people in [$0]"],
  ["reaches final within", "The longest way takes no more than this.", "reaches final within $0"],
  ["initiator never approves", "Nobody decides on their own instance."],
]);

export const STATEMENTS = words([
  ["as", "Who starts it.", 'as "$0"'],
  ["given", "What the world answers.", "given $0"],
  ["start", "A new instance.", "start { $0 }"],
  ["send", "An event.", 'send "$0"'],
  ["advance", "Time passes.", "advance $0"],
  ["admin", "What an administrator does.", "admin $0"],
  ["migrate to label", "Moves the instance to a version.", 'migrate to label "$0"'],
  ["expect", "What must be so.", "expect $0"],
]);
