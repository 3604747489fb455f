import { type Instant, instant, later, type Milliseconds, toIso } from "./instant.ts";

/** What was read of a lock only to see whether all is as it should be. */
export interface Audit {
  /** Days since 1970, UTC. */
  readonly day: number;
  /** Reads on that day. */
  readonly reads: number;
  readonly last: Instant | undefined;
}

const dayMs: Milliseconds = 24 * 3600_000;
const dayOf = (at: Instant): number => Math.floor(at / dayMs);

export const noAudit: Audit = { day: 0, reads: 0, last: undefined };

/** How often a day a lock is read for that, where the configuration does not say: a battery is for opening doors. */
export const usualReads: Readonly<Record<"cheap" | "battery", number>> = { cheap: 1_440, battery: 24 };

/** When the next read is due, spread evenly over the day; undefined where there is to be none. */
export function nextAudit({ day, reads, last }: Audit, perDay: number, now: Instant): Instant | undefined {
  if (perDay < 1) return undefined;
  if (day === dayOf(now) && reads >= perDay) return instant((day + 1) * dayMs);
  // So it is where the clock was set back.
  if (last === undefined || last > now) return now;
  return later(last, Math.floor(dayMs / perDay));
}

export function audited({ day, reads }: Audit, now: Instant): Audit {
  const today = dayOf(now);
  return { day: today, reads: day === today ? reads + 1 : 1, last: now };
}

/** The day (UTC) on which they were, as YYYY-MM-DD; undefined where there was none yet. */
export const dateOf = ({ day, last }: Audit): string | undefined =>
  last === undefined ? undefined : toIso(instant(day * dayMs)).slice(0, 10);
