import { DAY_MS, dateMs, readInstant } from "./dates.ts";
import type { EpochMs } from "./types.ts";

/** The zone of a flow without a calendar. */
export const DEFAULT_ZONE = "+08:00";

/** Instants and wall clocks of one time zone. A *local* number is the wall clock's date and time read as if it were UTC. */
export interface Zone {
  /** What the wall clock is ahead of UTC. */
  readonly offsetMs: (at: EpochMs) => number;
  readonly localMs: (at: EpochMs) => number;
  /** When the wall clock shows this: the first time if twice; if never, as much later as the clock was put forward. */
  readonly instantOf: (localMs: number) => EpochMs;
  /** The same, but if the wall clock never shows it: the instant of its jump. */
  readonly boundaryOf: (localMs: number) => EpochMs;
}

/** A stretch of time in which the offset stays. */
interface Segment {
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly offsetMs: number;
}

const zones = new Map<string, Zone>();

/** @param name IANA name or offset such as `+08:00`; that it exists was checked when the flow was loaded. */
export function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (!zone) {
    zone = makeZone(name);
    zones.set(name, zone);
  }
  return zone;
}

/**
 * The instant of a written time: `YYYY-MM-DDTHH:MM[:SS[.sss]]`, of that zone's wall clock unless an offset is written, or of the
 * beginning of a date; `undefined` if there is no such date or time.
 */
export function readLocal(text: string, zone: Zone): EpochMs | undefined {
  if (!text.includes("T")) {
    const day = dateMs(text);
    return day === undefined ? undefined : zone.instantOf(day);
  }
  const [, clock = "", offset = ""] = /T([\d:.]+)(.*)$/.exec(text) ?? [];
  const whole = `${text.slice(0, text.length - offset.length)}${clock.length === 5 ? ":00" : ""}`;
  if (offset !== "") return readInstant(`${whole}${offset}`);
  const local = readInstant(`${whole}Z`);
  return local === undefined ? undefined : zone.instantOf(local);
}

function makeZone(name: string): Zone {
  const known: Segment[] = [];
  let last: Segment = { from: 0, until: 0, offsetMs: 0 };

  function segmentAt(at: EpochMs): Segment {
    if (at >= last.from && at < last.until) return last;
    let low = 0;
    let high = known.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (known[middle]!.until <= at) low = middle + 1;
      else high = middle;
    }
    const found = known[low];
    if (found && found.from <= at) last = found;
    else {
      last = readSegment(name, at);
      known.splice(low, 0, last);
    }
    return last;
  }

  const offsetMs = (at: EpochMs) => segmentAt(at).offsetMs;
  /** Zones change their offset less often than every other day, so that one of these two is right, or none in a gap. */
  function resolve(localMs: number): { readonly at: EpochMs; readonly gap: boolean } {
    const before = offsetMs(localMs - DAY_MS);
    const early = localMs - before;
    if (offsetMs(early) === before) return { at: early, gap: false };
    const after = offsetMs(localMs + DAY_MS);
    const late = localMs - after;
    return offsetMs(late) === after ? { at: late, gap: false } : { at: early, gap: true };
  }

  return {
    offsetMs,
    localMs: (at) => at + offsetMs(at),
    instantOf: (localMs) => resolve(localMs).at,
    boundaryOf(localMs) {
      const { at, gap } = resolve(localMs);
      return gap ? segmentAt(at).from : at;
    },
  };
}

function readSegment(name: string, at: EpochMs): Segment {
  const here = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(name);
  const previous = here.add({ milliseconds: 1 }).getTimeZoneTransition("previous");
  const next = here.getTimeZoneTransition("next");
  return {
    from: previous?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    until: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offsetMs: here.offsetNanoseconds / 1e6,
  };
}
