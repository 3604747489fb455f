import type { Milliseconds } from "./instant.ts";

/** As ISO 8601 numbers them, from 1. */
export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof weekdays)[number];

/** Times on the wall at which a door may be used, the same every week. */
export interface WeeklyWindow {
  readonly days: readonly Weekday[];
  /** Minute of the day at which it opens, 0 to 1439. */
  readonly from: number;
  /** Minute at which it closes, 1 to 1440: of the same day where it is after `from`, else of the day after. Not `from` itself. */
  readonly to: number;
}

/** A schedule as a wheel that turns once a week: where it goes from open to closed and back. */
export interface Pattern {
  /** At its end, and so just before its start: monday, 00:00. */
  readonly endsOpen: boolean;
  /** Since the start of the week, in order; an even number. None where it is open always, or never. */
  readonly flips: readonly Milliseconds[];
}

/** Two windows of a list that both hold the time from `minute` of `day`. */
export interface Overlap {
  readonly first: number;
  readonly second: number;
  readonly day: Weekday;
  /** Minute of that day. */
  readonly minute: number;
}

export const always: Pattern = { endsOpen: true, flips: [] };

export function patternOf(windows: readonly WeeklyWindow[]): Pattern {
  const openings = openingsOf(windows);
  const endsOpen = openings.at(-1)?.end === minutesOfWeek;
  const edges = openings.flatMap(({ start, end }) => [start, end % minutesOfWeek]);
  // Open to the end of one week and from the start of the next is one opening, not two.
  const flips = endsOpen && openings[0]?.start === 0 ? edges.filter((edge) => edge !== 0) : edges;
  return { endsOpen, flips: flips.toSorted((a, b) => a - b).map((minute) => minute * minuteMs) };
}

/** @param wallTime as if it were UTC. */
export function isOpenAt({ endsOpen, flips }: Pattern, wallTime: Milliseconds): boolean {
  return isOdd(flipsUpTo(flips, inWeek(wallTime))) !== endsOpen;
}

/**
 * The first time after a time on the wall at which the wheel changes, if the clocks are not changed before.
 *
 * @param wallTime as if it were UTC.
 */
export function nextFlip({ flips }: Pattern, wallTime: Milliseconds): Milliseconds | undefined {
  const now = inWeek(wallTime);
  const next = flips[flipsUpTo(flips, now)];
  if (next !== undefined) return wallTime - now + next;
  return flips[0] === undefined ? undefined : wallTime - now + weekMs + flips[0];
}

/** The first overlap of a list, in the order of the week. Windows that only touch do not overlap. */
export function overlapOf(windows: readonly WeeklyWindow[]): Overlap | undefined {
  let before: Span | undefined;
  for (const span of spansOf(windows)) {
    if (before && span.start < before.end) {
      const [first = 0, second = 0] = [before.window, span.window].toSorted((a, b) => a - b);
      const day = weekdays[Math.floor(span.start / minutesOfDay)] ?? "mon";
      return { first, second, day, minute: span.start % minutesOfDay };
    }
    before = span;
  }
  return undefined;
}

/** A time of one day, in minutes since its start: 0 to 1440. */
export interface DaySpan {
  readonly day: Weekday;
  readonly from: number;
  readonly to: number;
}

/** The same times cut at midnight: in order, those that touch or overlap on one day put together. */
export function daySpans(windows: readonly WeeklyWindow[]): DaySpan[] {
  const found: DaySpan[] = [];
  for (const { start, end } of openingsOf(windows)) {
    for (let at = start; at < end; ) {
      const index = Math.floor(at / minutesOfDay);
      const midnight = index * minutesOfDay;
      const until = Math.min(end, midnight + minutesOfDay);
      found.push({ day: weekdays[index] ?? "mon", from: at - midnight, to: until - midnight });
      at = until;
    }
  }
  return found;
}

/** When a list is open, in minutes since the start of the week: in order, with gaps between them. */
function openingsOf(windows: readonly WeeklyWindow[]): Pick<Span, "start" | "end">[] {
  const found: { start: number; end: number }[] = [];
  for (const { start, end } of spansOf(windows)) {
    const last = found.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else found.push({ start, end });
  }
  return found;
}

/** A piece of the week, in minutes since its start. */
interface Span {
  readonly start: number;
  readonly end: number;
  /** Which of the list it is of. */
  readonly window: number;
}

/** By their start; what goes over the end of the week is in two. */
function spansOf(windows: readonly WeeklyWindow[]): Span[] {
  const spans = windows.flatMap(({ days, from, to }, window) =>
    days.flatMap((day): Span[] => {
      const midnight = weekdays.indexOf(day) * minutesOfDay;
      const start = midnight + from;
      const end = midnight + to + (to > from ? 0 : minutesOfDay);
      if (end <= minutesOfWeek) return [{ start, end, window }];
      return [
        { start, end: minutesOfWeek, window },
        { start: 0, end: end - minutesOfWeek, window },
      ];
    }),
  );
  return spans.toSorted((a, b) => a.start - b.start);
}

const isOdd = (count: number): boolean => count % 2 === 1;

/** How many of them are not after a time of the week. */
function flipsUpTo(flips: readonly Milliseconds[], time: Milliseconds): number {
  let [low, high] = [0, flips.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((flips[middle] ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Since monday, 00:00. */
const inWeek = (wallTime: Milliseconds): Milliseconds => (((wallTime - aMonday) % weekMs) + weekMs) % weekMs;

const minuteMs: Milliseconds = 60_000;
const minutesOfDay = 24 * 60;
const minutesOfWeek = 7 * minutesOfDay;
const weekMs: Milliseconds = minutesOfWeek * minuteMs;
const aMonday: Milliseconds = Date.UTC(1970, 0, 5);
