/** What may always be said: 催办, 评论, 征询, 抄送. It changes no seat. */
import { concerns } from "./closed-tasks.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { isKnown } from "./people.ts";
import { refuse, type Stop } from "./refusal.ts";
import { refuseFinished, refuseSuspended, seatsWhere, tasksThere } from "./tasks.ts";
import type { Refusal } from "./types.ts";

/** The initiator and everybody who has or had a task. */
function takesPart(draft: Draft): boolean {
  const { actor, instance } = draft;
  if (actor === undefined) return false;
  if (actor === instance.initiator.id || Object.hasOwn(instance.closedTasks, actor)) return true;
  for (const task of tasksThere(draft)) if (concerns(task, actor)) return true;
  return false;
}

/** Who has an open task, each once. */
function waitedFor(draft: Draft): readonly string[] {
  const open = seatsWhere(draft, ({ status }) => status === "open");
  return [...new Set(open.flatMap(({ seat }) => (seat.person === "" ? seat.candidates! : [seat.person])))];
}

const URGE_EVERY_MS = 3_600_000;

/** At most once an hour; deadlines stay. */
export function urge(draft: Draft): Stop | undefined {
  const { instance, at } = draft;
  if (!takesPart(draft)) {
    return refuse("not-authorized", "Only who started it, or has had a task in it, may urge.");
  }
  if (instance.outcome !== undefined) return refuseFinished(instance.outcome);
  const suspended = refuseSuspended(draft);
  if (suspended) return suspended;
  if (instance.urgedAt !== undefined && at < instance.urgedAt + URGE_EVERY_MS) {
    return refuse("too-often", "It was urged within the last hour already.");
  }
  instance.urgedAt = at;
  const people = waitedFor(draft);
  draft.tell({ kind: "urged", by: draft.actor!, people });
  for (const { seat } of seatsWhere(draft, ({ status }) => status === "open")) {
    const to = seat.person === "" ? seat.candidates! : [seat.person];
    draft.notify(to, { kind: "task", task: seat.task!.id, what: "urged" });
  }
  return undefined;
}

function refuseStranger(draft: Draft): Refusal | undefined {
  const suspended = refuseSuspended(draft);
  if (suspended || takesPart(draft)) return suspended;
  return refuse("not-your-task", `\`${draft.actor ?? "Somebody"}\` has no task here.`, { state: draft.instance.state });
}

export function comment(draft: Draft, { text }: CommandOf<"comment">): Stop | undefined {
  const stop = refuseStranger(draft);
  if (stop) return stop;
  const by = draft.actor!;
  draft.tell({ kind: "commented", by, text });
  const others = new Set([draft.instance.initiator.id, ...waitedFor(draft)]);
  others.delete(by);
  if (others.size > 0) draft.notify([...others], { kind: "message", from: by, text });
  return undefined;
}

/** The task stays open: the answer is a comment. */
export function ask(draft: Draft, { to, text }: CommandOf<"ask">): Stop | undefined {
  const stop = refuseStranger(draft) ?? refuseUnknown(draft, [to]);
  if (stop) return stop;
  const by = draft.actor!;
  draft.tell({ kind: "asked", by, to, text });
  draft.notify([to], { kind: "message", from: by, text });
  return undefined;
}

function refuseUnknown(draft: Draft, people: readonly string[]): Stop | undefined {
  const known = people.map((person) => isKnown(draft.place, person));
  const blocked = draft.blocked();
  if (blocked) return blocked;
  const stranger = people[known.indexOf(false)];
  return stranger === undefined
    ? undefined
    : refuse("unknown-user", `Nobody here is called \`${stranger}\`.`, { user: stranger });
}

/** Nobody gets a second copy in one instance. */
export function copy(draft: Draft, { people }: CommandOf<"cc">): Stop | undefined {
  const stop = refuseStranger(draft) ?? refuseUnknown(draft, people);
  if (stop) return stop;
  const { instance } = draft;
  const to = [...new Set(people)].filter((person) => !instance.copied.includes(person));
  if (to.length === 0) return undefined;
  instance.copied = [...instance.copied, ...to];
  draft.tell({ kind: "notified", to, copy: true });
  draft.notify(to, { kind: "moved", from: instance.state, to: instance.state }, true);
  return undefined;
}
