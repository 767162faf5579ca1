/** What the scenarios are sorted by: the rows of the specification of approval. A scenario's name begins with its row. */

export interface Section {
  readonly title: string;
  /** In the order of the specification. */
  readonly rows: readonly string[];
}

export const sections: readonly Section[] = [
  {
    title: "2.1 Modes",
    rows: [
      "2.1 单人 single",
      "2.1 会签 all",
      "2.1 或签 any",
      "2.1 依次 sequence",
      "2.1 票签 count",
      "2.1 票签 ratio",
      "2.1 票签 weight",
      "2.1 一票否决 veto",
      "2.1 分组会签 per group",
      "2.1 弃权 abstain",
      "2.1 认领 claim",
      "2.1 随机 one of many",
      "2.1 自动节点 auto",
      "2.1 办理人 handler",
    ],
  },
  {
    title: "2.2 Who approves",
    rows: [
      "2.2 指定成员 static sets",
      "2.2 部门主管 head of department",
      "2.2 连续多级主管 chain of superiors",
      "2.2 直属上级与部门负责人 superior or head",
      "2.2 发起人自选 chosen by the initiator",
      "2.2 上一审批人指定 chosen by the approver before",
      "2.2 表单联系人 from a field",
      "2.2 审批人为空 empty",
      "2.2 发起人即审批人 self",
      "2.2 自动去重 repeated",
      "2.2 职责分离 separation of duties",
      "2.2 休假代理 deputies",
      "2.2 离职转办 handover",
    ],
  },
  {
    title: "2.3 Operations on an open stage",
    rows: [
      "2.3 同意与拒绝 approve and reject",
      "2.3 前加签 add before",
      "2.3 后加签 add after",
      "2.3 并加签 add beside",
      "2.3 减签 remove",
      "2.3 转办 transfer",
      "2.3 委派 delegate",
      "2.3 退回 return",
      "2.3 驳回 reject policy",
      "2.3 拿回 take back",
      "2.3 撤回 withdraw",
      "2.3 作废与挂起 void and suspend",
      "2.3 跳转与强制 jump and override",
      "2.3 抄送 cc",
      "2.3 催办 urge",
      "2.3 评论与征询 comment and ask",
      "2.3 暂存与批量 draft and batch",
    ],
  },
  {
    title: "2.4 Return, precisely",
    rows: [
      "2.4 targets",
      "2.4 branches",
      "2.4 new round",
      "2.4 resubmit",
      "2.4 limit",
      "2.4 effects",
      "2.4 editable data",
    ],
  },
  {
    title: "2.5 Time",
    rows: ["2.5 审批时限 due", "2.5 提醒 remind", "2.5 超时 overdue", "2.5 定时 wait", "2.5 补审 back-dated"],
  },
  {
    title: "2.6 Flow and structure",
    rows: [
      "2.6 条件分支 exclusive",
      "2.6 并行分支 parallel",
      "2.6 包容分支 inclusive",
      "2.6 路由 route",
      "2.6 子流程 sub-flow",
      "2.6 join",
      "2.6 one person in two branches",
    ],
  },
  { title: "2.7 Laws", rows: ["2.7 laws"] },
  {
    title: "3 The fine print",
    rows: ["3 order of refusals", "3 ends of tasks", "3 edits", "3 saga", "3 migration", "3 functions"],
  },
];

/** What went wrong elsewhere, in public, and the scenarios that ask for it here. */
export interface PublicDefect {
  readonly what: string;
  readonly where: string;
  readonly scenarios: readonly string[];
}

export const defects: readonly PublicDefect[] = [
  {
    what: "A return from or to a stage of several people loses tasks or doubles them",
    where: "flowable/flowable-engine#3944, #4046, #3860; YunaiV/ruoyi-vue-pro#668",
    scenarios: [
      "2.4 new round: everybody is asked again, who approved too",
      "2.4 new round: returned three times, it is three times asked and once decided",
      "2.3 退回 return: to the initiator, everything open is cancelled",
    ],
  },
  {
    what: "A return out of a parallel branch hangs, is refused or leaves tokens behind",
    where: "YunaiV/ruoyi-vue-pro#867; jeecgboot/JeecgBoot#5813, #7460",
    scenarios: [
      "2.4 branches: to the initiator, out of the fork, cancels every branch",
      "2.4 branches: after it everything is walked again, nothing is left over",
      "2.4 branches: to a named state before the fork",
      "2.4 branches: within the branch the others go on",
    ],
  },
  {
    what: "Adding and removing people at run time breaks counters or blocks rejection",
    where: "flowable/flowable-engine#3133; blackholll/loonflow#313; FlowLong changelog 1.1.17 to 1.1.18",
    scenarios: [
      "2.3 前加签 add before: they don't change N",
      "2.3 前加签 add before: a rejection under a quorum rejects one seat only",
      "2.3 并加签 add beside: a ratio is of more",
      "2.3 减签 remove: may finish the round, also after deciding oneself",
    ],
  },
  {
    what: "Adding before and adding after exclude each other on one seat",
    where: "ruoyi-vue-pro, BpmTaskServiceImpl",
    scenarios: [
      "2.3 后加签 add after: after adding before on the same seat",
      "2.3 后加签 add after: a tree, before and after under one another",
      "2.3 前加签 add before: a tree",
    ],
  },
  {
    what: "A ratio is rounded to four digits, so that 66.7 % of three needs all three and nothing says two thirds",
    where: "dromara/warm-flow, CooperateType",
    scenarios: ["2.1 票签 ratio: two thirds of three are two", "2.1 票签 ratio: 66.7 percent of three are all three"],
  },
  {
    what: "Weights are summed over the instance and must total 100, so that parallel branches disturb each other",
    where: "aizuda/flowlong, TaskServiceImpl",
    scenarios: [
      "2.1 票签 weight: weights need not total 100",
      "2.1 票签 weight: each branch counts its own round",
      "2.1 票签 weight: a rejection in one branch leaves the other's tasks open",
    ],
  },
  {
    what: "Somebody who approved the old form passes the changed one unseen, and a returned one again",
    where: "ruoyi-vue-pro, automatic approval of repeated approvers",
    scenarios: [
      "2.2 自动去重 repeated: what they saw has changed, so they are asked",
      "2.2 自动去重 repeated: an approval before a return does not count",
    ],
  },
  {
    what: "The rule for the initiator among the approvers is off after a return; nobody found passes",
    where: "ruoyi-vue-pro",
    scenarios: [
      "2.2 发起人即审批人 self: skipped again in the round after a return",
      "2.2 发起人即审批人 self: skipped and nobody left is an empty stage, not an approval",
    ],
  },
  {
    what: "A number that is larger than the people there is lowered silently",
    where: "objectstack-ai/objectstack, quorum",
    scenarios: ["2.1 票签 count: more than there are is an empty stage, never fewer than asked"],
  },
  {
    what: "One working day is taken for 24 working hours; holidays are not known",
    where: "jmix-framework/jmix#790; steedos/steedos-platform#601",
    scenarios: [
      "2.5 审批时限 due: 24 work hours are not one day but 2 and 6 hours of nine",
      "2.5 审批时限 due: holidays don't count, a weekend day that is worked does",
    ],
  },
  {
    what: "Seats that were added later, or that pause, are not watched for their deadline",
    where: "AWS PaaS documentation, tasktimeout; ruoyi-vue-pro (a note in its code)",
    scenarios: [
      "2.5 超时 overdue: added seats count from their own opening",
      "2.3 前加签 add before: my deadline keeps running, its step ends what hangs on the seat",
    ],
  },
  {
    what: "A rejected stage of several people stays stuck, or the last voter decides",
    where: "blackholll/loonflow#426; steedos/workflow#1890, #147",
    scenarios: [
      "2.1 会签 all: rejected at the first rejection, the rest is superseded",
      "2.1 票签 count: rejected as soon as K can't be reached",
    ],
  },
  {
    what: "Absent approvers freeze flows",
    where: "objectstack-ai/objectstack#1322; documenso/documenso#3087",
    scenarios: [
      "2.2 休假代理 deputies: the deputy is asked, and the history has both names",
      "2.2 离职转办 handover: the seat goes to the other, no reason needed",
    ],
  },
  {
    what: "The history can't tell an override from an approval",
    where: "objectstack-ai/objectstack#4466",
    scenarios: ["2.3 跳转与强制 jump and override: the round gets that result"],
  },
];
