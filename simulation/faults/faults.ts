/** A mistake that somebody could have made: what stands in the code, and what would stand there. */
export interface Fault {
  readonly name: string;
  /** What is wrong then. */
  readonly what: string;
  readonly file: string;
  /** Once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** Production code holds none of them: each is put in while the file is loaded, in a process of its own (see apply.ts). */
export const FAULTS: readonly Fault[] = [
  {
    name: "ack-before-commit",
    what: "a message is acked before its decision is durable",
    file: "runtime/bus-ingress.ts",
    find: "const reply = await this.#ports.submit(",
    replace: "message.ack(); const reply = await this.#ports.submit(",
  },
  {
    name: "answer-before-commit",
    what: "a caller is answered before the write",
    file: "runtime/turn.ts",
    find: "const { taken } = await this.#ports.store.append(rows);",
    replace:
      "for (const { replies } of drafts) for (const { received, reply } of replies) received.resolve(reply); const { taken } = await this.#ports.store.append(rows);",
  },
  {
    name: "effects-before-commit",
    what: "effects are handed to the outbox before the write",
    file: "runtime/turn.ts",
    find: "const { taken } = await this.#ports.store.append(rows);",
    replace:
      "this.#ports.committed(drafts.map((draft, index) => committedOf(draft, rows[index]!))); const { taken } = await this.#ports.store.append(rows);",
  },
  {
    name: "conflict-ignored",
    what: "a lost race for a sequence counts as written",
    file: "runtime/turn.ts",
    find: "const lost = new Set(taken.map(nameOf));",
    replace: "const lost = new Set(taken.slice(0, 0).map(nameOf));",
  },
  {
    name: "outdated-refusal",
    what: "a command is refused by what a node has in memory, though another node has written since",
    file: "runtime/turn.ts",
    find: "this.#ports.store.shared &&",
    replace: "false &&",
  },
  {
    name: "dedupe-missing",
    what: "a command that the instance remembers is decided again",
    file: "engine/decide.ts",
    find: 'return { kind: "duplicate", version: earlier.version };',
    replace: "return undefined;",
  },
  {
    name: "old-commands-forgotten",
    what: "a command that the instance no longer remembers is decided again",
    file: "runtime/commands.ts",
    find: "instance.recent.length >= RECENT_MAX &&",
    replace: "instance.recent.length > 1_000_000 &&",
  },
  {
    name: "lease-ignored",
    what: "a partition is taken from a node at the first silent look",
    file: "runtime/cluster/assignment.ts",
    find: "?? 0) >= looks)",
    replace: "?? 0) >= 0)",
  },
  {
    name: "projection-not-idempotent",
    what: "what follows from an entry, brought into the lists once more, changes them again",
    file: "runtime/stores/memory-store.ts",
    find: "if (row.sequence > kept.projected) this.#project(kept, row);",
    replace: "this.#project(kept, row);",
  },
  {
    name: "late-write-wins",
    what: "a write into MongoDB's lists that was under way too long takes the place of a newer one",
    file: "runtime/stores/mongo-writes.ts",
    find: "isNewerThan === undefined ?",
    replace: "isNewerThan !== -1 ?",
  },
  {
    name: "written-again-blindly",
    what: "what could not be written into MongoDB's lists is written again without a look at what others wrote since",
    file: "runtime/stores/mongo-projector.ts",
    find: "waiting.again || this.#steadyMs()",
    replace: "this.#steadyMs()",
  },
  {
    name: "intent-deleted-early",
    what: "on MongoDB an intent is deleted before what it names is in the lists",
    file: "runtime/stores/mongo-projector.ts",
    find: "const timersSet = [",
    replace: "await writes.delete(to.intents, intents); const timersSet = [",
  },
  {
    name: "own-entry-lost",
    what: "on MongoDB an entry that was written at a try whose answer was lost counts as somebody else's",
    file: "runtime/stores/mongo-journal.ts",
    find: "if (!again) return",
    replace: "if (again !== undefined) return",
  },
  {
    name: "ended-timers-stay",
    what: "the list of timers keeps those that are gone",
    file: "runtime/turn-rows.ts",
    find: "timersGone: before.flatMap(({ id }) => (has.has(id) ? [] : id)),",
    replace: "timersGone: [],",
  },
  {
    name: "effect-key-changes",
    what: "an action gets another key each time it is tried",
    file: "runtime/effects.ts",
    find: "{ key: id, context, signal }",
    replace: "{ key: id + work.attempts, context, signal }",
  },
  {
    name: "step-key-changes",
    what: "each try of a saga's step has a key of its own",
    file: "runtime/step-performer.ts",
    find: "idempotencyKey: key,",
    replace: "id: key,",
  },
  {
    name: "settled-before-done",
    what: "an effect is settled before it was carried out",
    file: "runtime/outbox.ts",
    find: "await this.#ports.perform(batch, (",
    replace:
      'await this.#ports.store.settleEffects(batch.map(({ tenant, effect }) => ({ kind: "done", tenant, id: effect.id }))); await this.#ports.perform(batch, (',
  },
  {
    name: "effects-out-of-order",
    what: "an effect does not wait for one before it that has to be tried again",
    file: "runtime/effect-order.ts",
    find: "if (left.length === 0) return undefined;",
    replace: "if (left.length >= 0) return undefined;",
  },
  {
    name: "timer-early",
    what: "timers fire half a minute early",
    file: "runtime/timer-worker.ts",
    find: "dueTimers(this.#owned.partitions(), now, limit)",
    replace: "dueTimers(this.#owned.partitions(), now + 30_000, limit)",
  },
  {
    name: "timer-dropped",
    what: "a timer whose decision could not be written is dropped",
    file: "runtime/timer-worker.ts",
    find: "if (!reply || (",
    replace: "if (!reply) return { tenant, instance, timer: timer.id }; if ((",
  },
  {
    name: "tail-not-replayed",
    what: "an instance is loaded as its snapshot says, without the entries since",
    file: "runtime/live-instances.ts",
    find: "for (const entry of row.tail)",
    replace: "for (const entry of row.snapshot ? [] : row.tail)",
  },
  {
    name: "snapshot-too-old",
    what: "a snapshot is stored under a sequence that is not its own",
    file: "runtime/turn-rows.ts",
    find: "snapshot: encode(instance, dataKey)",
    replace: "snapshot: encode(before ?? instance, dataKey)",
  },
  {
    name: "tenant-missing",
    what: "the tenant is not part of an instance's id",
    file: "engine/ids.ts",
    find: "JSON.stringify([tenant, flow, key])",
    replace: 'JSON.stringify([tenant && "", flow, key])',
  },
  {
    name: "tenant-mixed-up",
    what: "events go out under another tenant's subject",
    file: "runtime/bus/out-events.ts",
    find: "outSubject({ tenant, flow, event })",
    replace: 'outSubject({ tenant: "acme", flow, event })',
  },
  {
    name: "dead-letter-lost",
    what: "a message that is refused is acked and forgotten",
    file: "runtime/bus-ingress.ts",
    find: "await this.#ports.deadLetter({",
    replace: "void ({",
  },
  {
    name: "retry-overtaken",
    what: "a message that has to be tried again is overtaken by those behind it",
    file: "runtime/bus-ingress.ts",
    find: "of [...left, ...lane.splice(0)]) waiting.retry(RETRY_MS);",
    replace: "of left) waiting.retry(RETRY_MS);",
  },
  {
    name: "definition-not-kept",
    what: "a version that was active is not kept for the instances on it",
    file: "runtime/registry.ts",
    find: "await this.#ports.store.setSetting(definitionSetting(definition.hash), JSON.stringify(definition));",
    replace: "",
  },
  {
    name: "newest-version-decides",
    what: "an instance is decided by the version that is active now, not by its own",
    file: "runtime/turn-decisions.ts",
    find: "const definition = draft.definition!;",
    replace:
      "const definition = (instance && this.#ports.versionFor(instance.flow, () => ({}) as never)) ?? draft.definition!;",
  },
  {
    name: "data-key-lost",
    what: "the key of an instance with secrets is not stored",
    file: "runtime/turn-rows.ts",
    find: "...(dataKey && !live.dataKey && {",
    replace: "...(dataKey && !dataKey && {",
  },
];
