import type { Heard } from "../load/clients.ts";
import type { Outcome, Violation } from "./checks.ts";
import { isSame, type Story } from "./journal.ts";

/** Every command that was acknowledged is in the journal once, where its answer says, and in the order of asking. */
export async function* checkCommands({ world, disk, stories, byInstance }: Outcome): AsyncIterable<Violation> {
  for (const story of stories) yield* checkTwice(story);
  for (const heard of world.clients.heard) yield* checkAnswer(heard, byInstance.get(heard.envelope.instance));
  yield* checkSessions(world.clients.heard);
  yield* checkMessages({ world, byInstance }, await buried(disk));
}

function* checkTwice({ instance, decided }: Story): Iterable<Violation> {
  const seen = new Set<string>();
  for (const {
    command: { source, id },
  } of decided) {
    if (seen.has(`${source} ${id}`)) yield { check: "a command is applied once", what: `${id} twice in ${instance}` };
    seen.add(`${source} ${id}`);
  }
}

function* checkAnswer(
  { envelope: { command, instance }, reply }: Heard,
  story: Story | undefined,
): Iterable<Violation> {
  if (reply.kind !== "accepted") return;
  const then = story?.decided.find(({ version }) => version === reply.instance.version);
  // A start of what there is already is answered with what there is.
  const isOwn = then?.command.id === command.id || (command.kind === "start" && reply.duplicate);
  if (!isOwn)
    yield {
      check: "what was acknowledged is there",
      what: `${command.id} at version ${reply.instance.version} of ${instance}`,
    };
  else if (!isSame(then?.accepted.instance, reply.instance))
    yield {
      check: "an answer shows what was committed",
      what: `${command.id} at version ${reply.instance.version} of ${instance}`,
    };
}

/** Who asks one thing after the other has the second applied after the first. */
function* checkSessions(heard: readonly Heard[]): Iterable<Violation> {
  const newest = new Map<string, number>();
  for (const { client, envelope, reply } of heard) {
    if (reply.kind !== "accepted" || envelope.command.kind === "start") continue;
    const session = `${client} ${envelope.instance}`;
    const { version } = reply.instance;
    if (version <= (newest.get(session) ?? 0))
      yield { check: "commands of one instance keep their order", what: `${envelope.command.id} at ${version}` };
    newest.set(session, version);
  }
}

/** Messages of one instance are applied in the order of the stream; each is in the journal or among the dead letters. */
function* checkMessages(
  { world, byInstance }: Pick<Outcome, "world" | "byInstance">,
  dead: ReadonlySet<string>,
): Iterable<Violation> {
  const places = new Map<string, number>();
  for (const { message } of world.bus.stream) places.set(message.id, (places.get(message.id) ?? 0) + 1);
  const versionOf = (instance: string, id: string) =>
    byInstance.get(instance)?.decided.find(({ command }) => command.source === "nats-msg-id" && command.id === id)
      ?.version;
  for (const { id, instance } of world.clients.sent) {
    if (versionOf(instance, id) === undefined && !dead.has(id))
      yield { check: "no message is lost", what: `${id} to ${instance}` };
  }
  const newest = new Map<string, number>();
  for (const {
    message: { id, subject },
  } of world.bus.stream) {
    // Sent or decided more than once, it may have its place by another time.
    if (places.get(id) !== 1 || dead.has(id)) continue;
    const instance = world.clients.sent.find((sent) => sent.id === id)?.instance;
    const version = instance && versionOf(instance, id);
    if (!instance || !version) continue;
    if (version < (newest.get(instance) ?? 0))
      yield { check: "commands of one instance keep their order", what: `${id} on ${subject} at ${version}` };
    newest.set(instance, version);
  }
}

/** Ids of messages among the dead letters. */
async function buried(disk: Outcome["disk"]): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const tenant of ["acme", "globex"]) {
    const { items } = await disk.deadLetters(tenant, { limit: 10_000 });
    for (const { body } of items)
      ids.add((JSON.parse(body) as { headers: Record<string, string> }).headers["Nats-Msg-Id"]!);
  }
  return ids;
}
