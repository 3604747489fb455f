import { Temporal } from "temporal-polyfill";
import { type Instant, instant, type Milliseconds } from "./instant.ts";

/** The time between two changes of a zone's clocks. */
export interface Stretch {
  /** First moment; minus infinity where the clocks were never changed before. */
  readonly from: Instant;
  /** First moment that is not in it any more; infinity where the clocks are not known to be changed again. */
  readonly until: Instant;
  /** What is added to UTC for the time on the wall. Seldom, and long ago, not whole minutes. */
  readonly ahead: Milliseconds;
}

/**
 * An IANA time zone that remembers what it was asked: to find when the clocks change takes milliseconds, and whoever asks
 * of a thousand schedules asks about the same few changes.
 */
export class TimeZone {
  readonly name: string;
  /** In order, without overlaps, with holes where nobody has asked yet. */
  readonly #stretches: Stretch[] = [];

  /** @throws RangeError where {@link isTimeZone} is false. */
  constructor(name: string) {
    if (!isTimeZone(name)) throw new RangeError(`There is no time zone ${JSON.stringify(name)}`);
    this.name = name;
  }

  stretchAt(at: Instant): Stretch {
    const index = this.#stretches.findIndex(({ until }) => at < until);
    const known = this.#stretches[index];
    if (known && known.from <= at) return known;
    const found = find(this.name, at);
    this.#stretches.splice(known ? index : this.#stretches.length, 0, found);
    return found;
  }

  /** The time on the wall at a moment, as if it were UTC. */
  wallTime(at: Instant): Milliseconds {
    return at + this.stretchAt(at).ahead;
  }
}

/** The zones of a configuration, each once. */
export class TimeZones {
  readonly #known = new Map<string, TimeZone>();

  /** @throws RangeError where {@link isTimeZone} is false. */
  named(name: string): TimeZone {
    const zone = this.#known.get(name) ?? new TimeZone(name);
    this.#known.set(name, zone);
    return zone;
  }
}

/** Whether the name is an IANA one. An offset such as +01:00 is not: it knows no summer time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return zoned(name, instant(0)).timeZoneId !== "";
  } catch {
    return false;
  }
}

function find(name: string, at: Instant): Stretch {
  const here = zoned(name, at);
  // "previous" is what came strictly before, and a stretch begins with its change.
  const previous = zoned(name, instant(at + 1)).getTimeZoneTransition("previous");
  const next = here.getTimeZoneTransition("next");
  return {
    from: instant(previous?.epochMilliseconds ?? Number.NEGATIVE_INFINITY),
    until: instant(next?.epochMilliseconds ?? Number.POSITIVE_INFINITY),
    ahead: here.offsetNanoseconds / 1_000_000,
  };
}

const zoned = (name: string, at: Instant): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(name);
