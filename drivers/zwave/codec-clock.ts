import { type Instant, instant, type Milliseconds } from "../../agent/domain/instant.ts";
import type { TimeZone } from "../../agent/domain/time-zone.ts";

/*
 * The time that a lock's clock shows, in the terms of zwave-js. All times are those on the wall of the door, as if they were
 * UTC. Pure.
 */

/** What the command class Clock has: no date. */
export interface ClockTime {
  /** From 1, which is monday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

const minuteMs: Milliseconds = 60_000;
const dayMs: Milliseconds = 24 * 60 * minuteMs;
const weekMs: Milliseconds = 7 * dayMs;
const aMonday: Milliseconds = Date.UTC(1970, 0, 5);
/** A clock that is right today may be wrong next week. */
const checkEvery: Milliseconds = dayMs;

export function clockTimeAt(wall: Milliseconds): ClockTime {
  const date = new Date(wall);
  return { weekday: ((date.getUTCDay() + 6) % 7) + 1, hour: date.getUTCHours(), minute: date.getUTCMinutes() };
}

/** By how much such a clock is off, to the nearer side of the week. */
export function clockTimeOff({ weekday, hour, minute }: ClockTime, wall: Milliseconds): Milliseconds {
  const shown = (weekday - 1) * dayMs + (hour * 60 + minute) * minuteMs;
  const is = (((wall - aMonday) % weekMs) + weekMs) % weekMs;
  const ahead = (shown - is + weekMs) % weekMs;
  return ahead > weekMs / 2 ? ahead - weekMs : ahead;
}

/**
 * What zwave-js says of a lock with the command class Time Parameters that shows `wall`.
 *
 * @param isLocal it takes what such a lock says for the time of this machine's zone, and not for UTC.
 */
export function timeParametersAt(wall: Milliseconds, isLocal: boolean): Date {
  const date = new Date(wall);
  if (!isLocal) return date;
  return new Date(
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  );
}

/** Whether a clock that was right at `at` is to be looked at: once a day, and when the clocks of its zone were changed. */
export function isClockDue(at: Instant, zone: TimeZone, now: Instant): boolean {
  const { until } = zone.stretchAt(at);
  return now < at || now >= Math.min(instant(at + checkEvery), until);
}
