import { type Instant, instant } from "./instant.ts";
import type { TimeZone } from "./time-zone.ts";
import { always, isOpenAt, nextFlip, type Pattern, patternOf, type WeeklyWindow } from "./weekly.ts";

/**
 * When a grant admits: from `startsAt`, until just before `endsAt`, and in that time whenever the clock on the wall of the
 * door is in one of the weekly windows. So an hour that the clocks leave out opens nothing, and one that they show twice
 * opens twice.
 */
export interface Window {
  /** Undefined: always did. */
  readonly startsAt: Instant | undefined;
  /** Undefined: for as long as the grant stands. */
  readonly endsAt: Instant | undefined;
  /** Undefined: at all times. An empty list: at none. */
  readonly weekly: readonly WeeklyWindow[] | undefined;
}

/** From its first moment until just before `to`. */
export interface Interval {
  readonly from: Instant;
  readonly to: Instant;
}

export function isOpen(window: Window, zone: TimeZone, at: Instant): boolean {
  return isWithin(window, at) && isOpenAt(patternIn(window), zone.wallTime(at));
}

/**
 * The first moment after `after` at which {@link isOpen} changes; undefined where it never will. Of a window that is
 * closed that is its next opening.
 */
export const nextChange = (window: Window, zone: TimeZone, after: Instant): Instant | undefined =>
  changeAfter(window, patternIn(window), zone, after);

/** When it is open between `from` and just before `to`: in order, with gaps between them. */
export function intervals(window: Window, zone: TimeZone, from: Instant, to: Instant): Interval[] {
  const found: Interval[] = [];
  const pattern = patternIn(window);
  let open = isOpen(window, zone, from);
  let at = from;
  while (at < to) {
    const next = changeAfter(window, pattern, zone, at);
    const end = next !== undefined && next < to ? next : to;
    if (open) found.push({ from: at, to: end });
    at = end;
    open = !open;
  }
  return found;
}

const patternIn = ({ weekly }: Window): Pattern => (weekly ? patternOf(weekly) : always);

const isWithin = ({ startsAt, endsAt }: Window, at: Instant): boolean =>
  (startsAt === undefined || startsAt <= at) && (endsAt === undefined || at < endsAt);

function changeAfter(window: Window, pattern: Pattern, zone: TimeZone, after: Instant): Instant | undefined {
  const { startsAt, endsAt } = window;
  const isAhead = startsAt !== undefined && after < startsAt;
  const from = isAhead ? startsAt : after;
  if (!isWithin(window, from)) return undefined;
  const open = isOpenAt(pattern, zone.wallTime(from));
  if (isAhead && open) return from;
  const change = patternChange(pattern, zone, from, open);
  if (endsAt === undefined || (change !== undefined && change < endsAt)) return change;
  return open ? endsAt : undefined;
}

/** Between two changes of the clocks the wheel turns evenly; at one it jumps. */
function patternChange(pattern: Pattern, zone: TimeZone, after: Instant, open: boolean): Instant | undefined {
  if (pattern.flips.length === 0) return undefined;
  let at = after;
  for (;;) {
    const { until, ahead } = zone.stretchAt(at);
    const flip = nextFlip(pattern, at + ahead);
    if (flip !== undefined && flip - ahead < until) return instant(flip - ahead);
    at = until;
    if (isOpenAt(pattern, zone.wallTime(at)) !== open) return at;
  }
}
