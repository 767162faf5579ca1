import {
  type JetStreamManager,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "nats";

/**
 * The streams on NATS. What comes in is sorted by the server: a message that carries its key in the subject is stored under
 * `assent.at.PARTITION.…`, by the hash of `partitionOf`; what has none stays as it is, for whoever has partition 0.
 */

const DUPLICATE_WINDOW_MS = 120_000;
/** Events out are kept for so long for whoever reads them later; the journal has them for ever. */
const OUT_KEPT_MS = 30 * 24 * 3_600_000;

type Stream = Partial<StreamConfig> & { readonly name: string };

export const STREAM_IN = "ASSENT_IN";
const STREAM_OUT = "ASSENT_OUT";

/** A work queue: a message stays until it is acked, so that the stream itself knows where consuming stopped. */
const streamIn = (partitions: number): Stream => ({
  name: STREAM_IN,
  subjects: ["assent.in.>"],
  retention: RetentionPolicy.Workqueue,
  storage: StorageType.File,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  subject_transform: sortedInto(partitions),
});

const streamOut: Stream = {
  name: STREAM_OUT,
  subjects: ["assent.out.>"],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_age: nanos(OUT_KEPT_MS),
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
};

/** Tenant, flow and key decide, not the event. */
const sortedInto = (partitions: number) => ({
  src: "assent.in.*.*.*.*",
  dest: `assent.at.{{partition(${partitions},1,2,4)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}`,
});

/** What the stream has of one partition. */
export const subjectsOf = (partition: number): readonly string[] => [`assent.at.${partition}.>`];
/**
 * What came without a key in its subject, or is no subject of ours. Not `assent.in.>`, for that matches those with a key as
 * they were sent, and by that the server keeps messages that were acked (seen with 2.15).
 */
export const SUBJECTS_WITHOUT_KEY: readonly string[] = [
  ...["assent.in.*", "assent.in.*.*", "assent.in.*.*.*", "assent.in.*.*.*.*.>"],
];

/** The subject under which it was sent. */
export function sentSubject(stored: string): string {
  if (!stored.startsWith("assent.at.")) return stored;
  return `assent.in.${stored.slice(stored.indexOf(".", "assent.at.".length) + 1)}`;
}

/**
 * Makes those that aren't there.
 * @returns how the stream in is configured. @throws Error if it is sorted into another number of partitions.
 */
export async function makeStreams(manager: JetStreamManager, partitions: number): Promise<StreamConfig> {
  const found = await orMissing(manager.streams.info(STREAM_IN));
  const { config } = found
    ? await sortAnew(manager, found, partitions)
    : await manager.streams.add(streamIn(partitions));
  if ((await orMissing(manager.streams.info(STREAM_OUT))) === undefined) await manager.streams.add(streamOut);
  return config;
}

/** One that an operator made is not sorted yet; that can be changed while nothing is in it. */
async function sortAnew(manager: JetStreamManager, found: StreamInfo, partitions: number): Promise<StreamInfo> {
  const { config, state } = found;
  const { subject_transform: sorted } = config;
  const wanted = sortedInto(partitions);
  if (sorted?.src === wanted.src && sorted.dest === wanted.dest) return found;
  if (state.messages > 0) {
    throw new Error(
      `the stream ${STREAM_IN} holds ${state.messages} messages that are not sorted into the ${partitions} partitions of this store` +
        (sorted ? `, but as \`${sorted.dest}\`` : "") +
        ": let a node with the store that they are for take them first, or purge the stream",
    );
  }
  return manager.streams.update(STREAM_IN, { ...config, subject_transform: wanted });
}

export async function orMissing<Found>(asked: Promise<Found>): Promise<Found | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw error;
  }
}
