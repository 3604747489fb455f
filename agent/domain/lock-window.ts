import { type Instant, instant, type Milliseconds } from "./instant.ts";
import type { Window } from "./schedule.ts";
import type { TimeZone } from "./time-zone.ts";
import { daySpans, patternOf } from "./weekly.ts";

/** A window as a lock keeps it: `zone` (IANA) is that of the door, by whose wall the weekly part counts. */
export interface TimedWindow extends Window {
  readonly zone: string;
}

/** When a code on a lock opens, by the lock's own doing. */
export type When = "always" | TimedWindow;

/** What of a window a lock can keep by itself, with the gateway dead. */
export interface WindowAbility {
  /** It keeps a start and an end: both must be whole multiples of this. Absent: neither. */
  readonly dates?: Milliseconds;
  /**
   * It keeps weekly times, whole multiples of `resolution` minutes. `days`: each of up to `perEntry` entries is a time of
   * one day, which ends before midnight; `windows`: each is a window as a schedule has it, over midnight too. None of
   * these is longer than `longest` minutes. Absent: a day.
   */
  readonly weekly?: {
    readonly perEntry: number;
    readonly of: "days" | "windows";
    readonly resolution: number;
    readonly longest?: number;
  };
  /** Both at once for one code. */
  readonly together: boolean;
  /** The clock that it counts by: a weekly time of a door moves against UTC where its clocks are changed. */
  readonly base: "utc" | "local";
}

/** Whether the lock can keep the window exactly: what it cannot is for the agent to see to, and never widened. */
export function canKeep(
  ability: WindowAbility | "none",
  { startsAt, endsAt, weekly }: Window,
  clock: TimeZone,
): boolean {
  if (ability === "none") return false;
  const hasDates = startsAt !== undefined || endsAt !== undefined;
  if (hasDates && weekly && !ability.together) return false;
  return (
    (!hasDates || keepsDates(ability, clock, [startsAt, endsAt])) && (!weekly || keepsWeekly(ability, clock, weekly))
  );
}

const minuteMs: Milliseconds = 60_000;
const minutesOfDay = 24 * 60;

function keepsDates({ dates, base }: WindowAbility, clock: TimeZone, edges: readonly (Instant | undefined)[]): boolean {
  if (dates === undefined) return false;
  return edges.every(
    (edge) => edge === undefined || (edge % dates === 0 && (base === "utc" || isUnambiguous(clock, edge))),
  );
}

/** Whether the clock on the wall shows that time once only, and a whole minute with it. */
function isUnambiguous(clock: TimeZone, at: Instant): boolean {
  const { from, until, ahead } = clock.stretchAt(at);
  const wall = at + ahead;
  const before = clock.stretchAt(instant(from - 1)).ahead;
  const after = Number.isFinite(until) ? clock.stretchAt(until).ahead : ahead;
  return ahead % minuteMs === 0 && !(wall - before < from) && !(wall - after >= until);
}

function keepsWeekly(
  { weekly: able, base }: WindowAbility,
  clock: TimeZone,
  weekly: NonNullable<Window["weekly"]>,
): boolean {
  if (!able || weekly.length === 0) return false;
  if (base === "utc" && clock.name !== "UTC") return false;
  const entries = able.of === "windows" ? weekly : daySpans(weekly);
  const { resolution, of, longest = minutesOfDay } = able;
  const fits = ({ from, to }: { readonly from: number; readonly to: number }): boolean =>
    from % resolution === 0 &&
    to % resolution === 0 &&
    (of === "windows" ? to - from + (to > from ? 0 : minutesOfDay) <= longest : to < minutesOfDay);
  return entries.length <= able.perEntry && entries.every(fits);
}

/**
 * The window that a lock can keep for a person whose grants have these windows: where they all have the same, and it is
 * not for always. A start that is past is none, as a lock need not know it.
 */
export function keptWindow(
  ability: WindowAbility | "none",
  windows: readonly Window[],
  clock: TimeZone,
  now: Instant,
): TimedWindow | undefined {
  const [first, ...others] = windows.map((window) => timed(window, clock.name, now));
  if (!first || !others.every((other) => sameWhen(other, first, now))) return undefined;
  if (isAlways(first)) return undefined;
  return canKeep(ability, first, clock) ? first : undefined;
}

function fromNow(when: When, now: Instant): When {
  if (when === "always") return when;
  const left = timed(when, when.zone, now);
  return isAlways(left) ? "always" : left;
}

const isAlways = ({ startsAt, endsAt, weekly }: Window): boolean =>
  startsAt === undefined && endsAt === undefined && !weekly;

const timed = ({ startsAt, endsAt, weekly }: Window, zone: string, now: Instant): TimedWindow => ({
  startsAt: startsAt !== undefined && startsAt <= now ? undefined : startsAt,
  endsAt,
  weekly,
  zone,
});

/** Whether two windows open at the same times from `now` on: a start that is past is none. */
export function sameWhen(former: When, latter: When, now: Instant): boolean {
  const [one, other] = [fromNow(former, now), fromNow(latter, now)];
  if (one === "always" || other === "always") return one === other;
  if (one.startsAt !== other.startsAt || one.endsAt !== other.endsAt) return false;
  if (!one.weekly || !other.weekly) return one.weekly === other.weekly;
  return one.zone === other.zone && JSON.stringify(patternOf(one.weekly)) === JSON.stringify(patternOf(other.weekly));
}
