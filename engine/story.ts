import { instantText } from "./dates.ts";
import type { Json, StoryLine } from "./types.ts";

/**
 * One plain sentence for a line of history. What no person did says `system` and `auto`; `skip` and `escalated` stand where
 * those happened.
 * @param nameOf how a user is called; the id if absent.
 */
export function tell(line: StoryLine, nameOf: (user: string) => string = (user) => user): string {
  const names = (users: readonly string[]): string => (users.length === 0 ? "nobody" : users.map(nameOf).join(", "));
  switch (line.kind) {
    case "started":
      return `${nameOf(line.by)} started \`${line.key}\`.`;
    case "event":
      return `${line.by === undefined ? "The event" : `${nameOf(line.by)} sent`} \`${line.event}\`${line.by === undefined ? " came in" : ""}.`;
    case "changed":
      return `${line.by === undefined ? "The flow" : nameOf(line.by)} set ${quoted(line.fields)}.`;
    case "moved":
      return `Moved from ${line.from} to ${line.to}: ${line.why}.`;
    case "not-moved":
      return `Nothing moved on ${line.what}: ${sentence(line.why)}`;
    case "checked":
      return `\`${line.function}\` said ${line.ok ? "yes" : "no"}${because(line.reason)}.`;
    case "round-opened":
      return `${place(line)} opened round ${line.round} for ${names(line.seats)}.`;
    case "round-closed":
      return `${place(line)} closed round ${line.round}: ${line.result}${line.auto === undefined ? "" : ` by the system (auto: ${line.auto})`}.`;
    case "task-opened":
      return `${nameOf(line.assignee)} got the task ${line.task}${line.dueAt === undefined ? "" : `, due ${instantText(line.dueAt)}`}.`;
    case "decided":
      return line.auto === undefined
        ? `${nameOf(line.by)} ${line.decision} the task ${line.task}${because(line.reason)}.`
        : `The ${line.by} ${line.decision} the task ${line.task} (auto, ${line.auto})${because(line.reason)}.`;
    case "transferred":
      return `The task ${line.task} was transferred from ${nameOf(line.from)} to ${nameOf(line.to)}${because(line.reason)}.`;
    case "escalated":
      return `The system escalated the task of ${nameOf(line.from)} to ${names(line.to)}.`;
    case "reminded":
      return `${nameOf(line.assignee)} was reminded of the task ${line.task}.`;
    case "overdue":
      return `The task ${line.task} of ${nameOf(line.assignee)} is overdue.`;
    case "withdrawn":
      return `${nameOf(line.by)} withdrew it${because(line.reason)}.`;
    case "skipped":
      return `${place(line)} was skipped by the system (auto): ${line.why}.`;
    case "held":
      return `${place(line)} is held: ${line.why}.`;
    case "emitted":
      return `Emitted \`${line.event}\`.`;
    case "notified":
      return `${line.copy ? "Copied to" : "Notified"} ${names(line.to)}.`;
    case "rendering":
      return `The document \`${line.document}\` is to be rendered.`;
    case "rendered": {
      const fallback = line.fallbackBecause === undefined ? "" : `, the fallback, because ${line.fallbackBecause}`;
      return `Rendered \`${line.document}\` from \`${line.template}\`${fallback} (${line.bytes} bytes, SHA-256 ${line.sha256}).`;
    }
    case "calling":
      return `Called \`${line.function}(${line.arguments.map(shown).join(", ")})\`.`;
    case "delivering":
      return `Sent \`${line.event}\` to \`${line.target}\`.`;
    case "starting":
      return `Started the flow \`${line.flow}\` as \`${line.key}\`.`;
    case "effect-failed":
      return `Failed: ${line.what}: ${sentence(line.reason)}`;
    case "signal":
      return `The form's status became ${line.status}.`;
    case "finished":
      return `Finished with ${line.outcome}.`;
  }
}

function place({ state, stage }: { readonly state: string; readonly stage: number }): string {
  return `Stage ${stage + 1} of ${state}`; // People count from 1.
}

function because(reason: string | undefined): string {
  return reason === undefined || reason === "" ? "" : ` because "${reason}"`;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function shown(value: Json): string {
  return JSON.stringify(value);
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
