import { instantText } from "./dates.ts";
import type { AdminLine, EffectLine, FlowLine, Json, SagaLine, SeatLine, StageLine, StoryLine } from "./types.ts";

/** How a user is called. */
type NameOf = (user: string) => string;

/**
 * One plain sentence for a line of history. What no person did says `system` and `auto`; `skip`, `escalated` and `override`
 * stand where those happened.
 * @param nameOf how a user is called; the id if absent.
 */
export function tell(line: StoryLine, nameOf: NameOf = (user) => user): string {
  return (
    tellFlow(line as FlowLine, nameOf) ??
    tellStage(line as StageLine, nameOf) ??
    tellSeat(line as SeatLine, nameOf) ??
    tellEffect(line as EffectLine, nameOf) ??
    tellSaga(line as SagaLine, nameOf) ??
    tellAdmin(line as AdminLine, nameOf)
  );
}

function tellFlow(line: FlowLine, nameOf: NameOf): string | undefined {
  switch (line.kind) {
    case "started":
      return `${nameOf(line.by)} started \`${line.key}\`.`;
    case "event":
      return `${line.by === undefined ? "The event" : `${nameOf(line.by)} sent`} \`${line.event}\`${line.by === undefined ? " came in" : ""}.`;
    case "changed":
      return `${line.by === undefined ? "The flow" : nameOf(line.by)} set ${quoted(line.fields)}.`;
    case "moved":
      return `Moved from ${within(line, line.from)} to ${within(line, line.to)}: ${line.why}.`;
    case "not-moved":
      return `Nothing moved on ${line.what}: ${sentence(line.why)}`;
    case "checked":
      return `\`${line.function}\` said ${line.ok ? "yes" : "no"}${because(line.reason)}.`;
    case "forked":
      return `${within(line, line.state)} entered ${line.branches.length === 0 ? "no branch" : `the branches ${line.branches.join(", ")}`}.`;
    case "child-started":
      return `The sub-flow \`${line.flow}\` started as ${line.id}.`;
    case "child-ended":
      return `The sub-flow ${line.id} ended with ${line.outcome}.`;
    case "withdrawn":
      return `${nameOf(line.by)} withdrew it${because(line.reason)}.`;
    case "migrated":
      return `${line.by === undefined ? "It was moved" : `${nameOf(line.by)} moved it`} from version ${line.from} to ${line.to}${because(line.reason)}.`;
    case "signal":
      return `The form's status became ${line.status}.`;
    case "finished":
      return `Finished ${line.in === undefined ? "" : `the sub-flow ${line.in} `}with ${line.outcome}.`;
  }
}

function tellStage(line: StageLine, nameOf: NameOf): string | undefined {
  switch (line.kind) {
    case "round-opened":
      return `${stage(line)} opened round ${line.round} for ${names(line.seats, nameOf)}.`;
    case "round-closed":
      return `${stage(line)} closed round ${line.round}: ${line.result}${line.auto === undefined ? "" : ` by the system (auto: ${line.auto})`}.`;
    case "skipped":
      return `${stage(line)} was skipped by the system (auto): ${line.why}.`;
    case "held":
      return `${stage(line)} is held: ${line.why}.`;
    case "looked-up":
      return `Row ${line.row + 1} of the matrix ${line.matrix} says who decides.`; // People count from 1.
  }
}

function tellSeat(line: SeatLine, nameOf: NameOf): string | undefined {
  switch (line.kind) {
    case "task-opened": {
      const due = line.dueAt === undefined ? "" : `, due ${instantText(line.dueAt)}`;
      return line.assignee === ""
        ? `${names(line.candidates ?? [], nameOf)} may claim the task ${line.task}${due}.`
        : `${nameOf(line.assignee)} got the task ${line.task}${due}.`;
    }
    case "decided":
      return tellDecision(line, nameOf);
    case "transferred":
      return line.auto === undefined
        ? `The task ${line.task} was transferred from ${nameOf(line.from)} to ${nameOf(line.to)}${because(line.reason)}.`
        : `The system transferred the task ${line.task} from ${nameOf(line.from)} to ${nameOf(line.to)} (auto, ${line.auto}).`;
    case "collapsed":
      return `${nameOf(line.person)} sits already; the seat of ${nameOf(line.from)} became one with theirs.`;
    case "delegated":
      return `${nameOf(line.from)} delegated the task ${line.task} to ${nameOf(line.to)}${because(line.reason)}.`;
    case "added":
      return `${nameOf(line.by)} added ${names(line.people, nameOf)} ${line.where}${line.all ? ", all of them" : ""}${line.advisory ? " for advice" : ""}${because(line.reason)}.`;
    case "asked-again":
      return `${names(line.people, nameOf)} must decide again, because ${nameOf(line.by)} changed ${quoted(line.fields)}.`;
    case "removed":
      return `${nameOf(line.by)} removed ${nameOf(line.person)}${because(line.reason)}.`;
    case "claimed":
    case "released":
      return `${nameOf(line.by)} ${line.kind} the task ${line.task}.`;
    case "taken-back":
      return `${nameOf(line.by)} took back the task ${line.task}, which was ${line.what}${because(line.reason)}.`;
    case "stood-in":
      return `${nameOf(line.by)} stands in for ${nameOf(line.for)}: ${ABSENT[line.why]}.`;
    case "dropped":
      return `${nameOf(line.person)} gets no seat (skip): ${line.why}.`;
    case "escalated":
      return `The system escalated the task of ${nameOf(line.from)} to ${names(line.to, nameOf)}.`;
    case "reminded":
      return `${holder(line, nameOf)} was reminded of the task ${line.task}.`;
    case "overdue":
      return `The task ${line.task} of ${holder(line, nameOf)} is overdue.`;
    case "urged":
      return `${nameOf(line.by)} urged ${names(line.people, nameOf)}.`;
    case "commented":
      return `${nameOf(line.by)} said "${line.text}".`;
    case "asked":
      return `${nameOf(line.by)} asked ${nameOf(line.to)} "${line.text}".`;
    case "alert":
      return `Somebody must look: ${sentence(line.why)}`;
  }
}

const ABSENT = { away: "absent", left: "left", self: "may not decide on what they started" } as const;

function tellDecision(line: Extract<SeatLine, { kind: "decided" }>, nameOf: NameOf): string {
  const whose = line.onBehalfOf === undefined ? "" : ` on behalf of ${nameOf(line.onBehalfOf)}`;
  const what = `${line.decision} the task ${line.task}`;
  if (line.auto !== undefined) return `The ${line.by} ${what} (auto, ${line.auto})${because(line.reason)}.`;
  const as =
    line.as === undefined
      ? ""
      : line.as === "after"
        ? " (added after)"
        : line.as === "before"
          ? " (added before)"
          : " (opinion)";
  return `${nameOf(line.by)} ${what}${whose}${as}${line.signature === undefined ? "" : ", signed"}${because(line.reason)}.`;
}

function tellEffect(line: EffectLine, nameOf: NameOf): string | undefined {
  switch (line.kind) {
    case "emitted":
      return `Emitted \`${line.event}\`.`;
    case "notified":
      return `${line.copy ? "Copied to" : "Notified"} ${names(line.to, nameOf)}.`;
    case "rendering":
      return `The document \`${line.document}\` is to be rendered.`;
    case "rendered": {
      const fallback = line.fallbackBecause === undefined ? "" : `, the fallback, because ${line.fallbackBecause}`;
      return `Rendered \`${line.document}\` from \`${line.template}\`${fallback} (${line.bytes} bytes, SHA-256 ${line.sha256}).`;
    }
    case "calling":
      return `Called \`${call(line)}\`.`;
    case "delivering":
      return `Sent \`${line.event}\` to \`${line.target}\`.`;
    case "starting":
      return `Started the flow \`${line.flow}\` as \`${line.key}\`.`;
    case "effect-failed":
      return `Failed: ${line.what}: ${sentence(line.reason)}`;
  }
}

function tellSaga(line: SagaLine, nameOf: NameOf): string | undefined {
  switch (line.kind) {
    case "step-begun":
      return `The step \`${call(line)}\` began${line.attempt > 1 ? `, try ${line.attempt}` : ""}.`;
    case "undo-begun":
      return `The undo \`${call(line)}\` began${line.attempt > 1 ? `, try ${line.attempt}` : ""}.`;
    case "step-done":
      return `The step \`${line.function}\` is done.`;
    case "undone":
      return `\`${line.function}\` is done: undone${line.byHand === undefined ? "" : ` by hand by ${nameOf(line.byHand)}`}.`;
    case "step-failed":
    case "undo-failed": {
      const again = line.retryAt === undefined ? "" : ` The next try is at ${instantText(line.retryAt)}.`;
      return `\`${line.function}\` failed: ${sentence(line.reason)}${again}`;
    }
    case "saga-ended":
      return `The saga ${line.saga} is ${line.outcome}.`;
    case "stuck":
      return `The saga ${line.saga} is stuck: \`${line.function}\` keeps failing.`;
  }
}

function tellAdmin(line: AdminLine, nameOf: NameOf): string {
  switch (line.kind) {
    case "override":
      return `${nameOf(line.by)} ${line.what} (override)${because(line.reason)}.`;
    case "handed-over":
      return `${nameOf(line.by)} handed over the open tasks of ${nameOf(line.from)} to ${nameOf(line.to)}${because(line.reason)}.`;
  }
}

/** Of a shared task that nobody has claimed, those who may. */
function holder(
  { assignee, candidates }: { assignee: string; candidates?: readonly string[] },
  nameOf: NameOf,
): string {
  return assignee === "" ? names(candidates ?? [], nameOf) : nameOf(assignee);
}

function names(users: readonly string[], nameOf: NameOf): string {
  return users.length === 0 ? "nobody" : users.map(nameOf).join(", ");
}

/** `legal.REVIEW` in a branch. */
function within({ in: place }: { readonly in?: string }, what: string): string {
  return place === undefined ? what : `${place.replaceAll("/", ".")}.${what}`;
}

function stage(line: { readonly in?: string; readonly state: string; readonly stage: number }): string {
  return `Stage ${line.stage + 1} of ${within(line, line.state)}`; // People count from 1.
}

function call(line: { readonly function: string; readonly arguments: readonly Json[] }): string {
  return `${line.function}(${line.arguments.map((value) => JSON.stringify(value)).join(", ")})`;
}

function because(reason: string | undefined): string {
  return reason === undefined || reason === "" ? "" : ` because "${reason}"`;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
