import { type Instant, instant, type Milliseconds } from "../../agent/domain/instant.ts";
import type { TimedWindow, When, WindowAbility } from "../../agent/domain/lock-window.ts";
import type { TimeZone } from "../../agent/domain/time-zone.ts";
import { daySpans, type Weekday, type WeeklyWindow } from "../../agent/domain/weekly.ts";

/*
 * A window as a lock with the command class Schedule Entry Lock keeps it, in the terms of zwave-js: entries of three kinds,
 * by the clock on the lock's wall. Of one user only the kind that was set last is in effect. Pure.
 */

/** One time of one day of the week. */
export interface WeekDayEntry {
  /** `ScheduleEntryLockWeekday`: 0 is sunday. */
  readonly weekday: number;
  readonly startHour: number;
  readonly startMinute: number;
  readonly stopHour: number;
  readonly stopMinute: number;
}
/** From one date to another. */
export interface YearDayEntry {
  /** Since 2000. */
  readonly startYear: number;
  readonly startMonth: number;
  readonly startDay: number;
  readonly startHour: number;
  readonly startMinute: number;
  readonly stopYear: number;
  readonly stopMonth: number;
  readonly stopDay: number;
  readonly stopHour: number;
  readonly stopMinute: number;
}
/** The same time of several days of the week, over midnight too. */
export interface DailyEntry {
  readonly weekdays: readonly number[];
  readonly startHour: number;
  readonly startMinute: number;
  readonly durationHour: number;
  readonly durationMinute: number;
}

/** How many slots a lock has for the entries of each user. */
export interface SlotCounts {
  readonly weekDays: number;
  readonly yearDays: number;
  readonly daily: number;
}

/** All entries of one user, each in its slot, the first of which has the number 1: undefined where that is free. */
export interface Schedules {
  readonly weekDays: readonly (WeekDayEntry | undefined)[];
  readonly yearDays: readonly (YearDayEntry | undefined)[];
  readonly daily: readonly (DailyEntry | undefined)[];
}

export const kinds = ["weekDays", "yearDays", "daily"] as const;
export type ScheduleKind = (typeof kinds)[number];
export const noSchedules: Schedules = { weekDays: [], yearDays: [], daily: [] };

const sundayFirst: readonly Weekday[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const minuteMs: Milliseconds = 60_000;
const minutesOfDay = 24 * 60;
/** The longest duration that an entry can say. */
const longest = 23 * 60 + 59;
/** The first and the last minute that an entry can say: they stand for no start and for no end. */
const first = Date.UTC(2000, 0, 1);
const last = Date.UTC(2099, 11, 31, 23, 59);

/** @param knows what the lock's clock knows of the time. */
export function abilityOf(counts: SlotCounts, knows: "date" | "week"): WindowAbility | "none" {
  const dates = knows === "date" && counts.yearDays > 0;
  const weekly = weeklyAbility(counts);
  if (!dates && !weekly) return "none";
  return { ...(dates ? { dates: minuteMs } : {}), ...(weekly ? { weekly } : {}), together: false, base: "local" };
}

function weeklyAbility(counts: SlotCounts): WindowAbility["weekly"] {
  if (isDaily(counts)) return { perEntry: counts.daily, of: "windows", resolution: 1, longest };
  return counts.weekDays === 0 ? undefined : { perEntry: counts.weekDays, of: "days", resolution: 1 };
}

/** Of two kinds that do for a week the one that holds more; an entry for several days holds more than one for one. */
const isDaily = ({ daily, weekDays }: SlotCounts): boolean => daily > 0 && daily >= weekDays;

/** Whether there is any entry that could keep a code from opening. */
export const isScheduled = (schedules: Schedules): boolean =>
  kinds.some((kind) => schedules[kind].some((entry) => entry !== undefined));

/** Slots beyond the end of a list are free. */
export const sameSchedules = (one: Schedules, other: Schedules): boolean =>
  kinds.every((kind) => {
    const slots = Math.max(one[kind].length, other[kind].length);
    return Array.from({ length: slots }, (_, at) => sameEntry(one[kind][at], other[kind][at])).every(Boolean);
  });

export function sameEntry(one: object | undefined, other: object | undefined): boolean {
  return one && other ? ordered(one) === ordered(other) : one === other;
}

const ordered = (entry: object): string =>
  JSON.stringify(Object.entries(entry).toSorted(([one], [other]) => (one < other ? -1 : 1)));

/**
 * What is to be in a user's slots for a window that the lock can keep by {@link abilityOf}: undefined where it begins or
 * ends beyond the years that an entry can say.
 */
export function schedulesOf(when: When, counts: SlotCounts, zone: TimeZone): Schedules | undefined {
  if (when === "always") return noSchedules;
  const { startsAt, endsAt, weekly } = when;
  if (weekly && isDaily(counts)) return { ...noSchedules, daily: weekly.map(dailyEntry) };
  if (weekly) return { ...noSchedules, weekDays: daySpans(weekly).map(weekDayEntry) };
  if (startsAt === undefined && endsAt === undefined) return noSchedules;
  // What is past has begun, however long ago.
  const start = startsAt === undefined ? first : Math.max(zone.wallTime(startsAt), first);
  const stop = endsAt === undefined ? last : zone.wallTime(endsAt);
  const canSay = start < stop && (endsAt === undefined || stop < last);
  return canSay ? { ...noSchedules, yearDays: [yearDayEntry(start, stop)] } : undefined;
}

const weekDayEntry = ({ day, from, to }: ReturnType<typeof daySpans>[number]): WeekDayEntry => {
  const [start, stop] = [timeOf(from), timeOf(to)];
  return {
    weekday: sundayFirst.indexOf(day),
    startHour: start.hour,
    startMinute: start.minute,
    stopHour: stop.hour,
    stopMinute: stop.minute,
  };
};

function dailyEntry({ days, from, to }: WeeklyWindow): DailyEntry {
  const [start, duration] = [timeOf(from), timeOf(to - from + (to > from ? 0 : minutesOfDay))];
  return {
    weekdays: days.map((day) => sundayFirst.indexOf(day)).toSorted((a, b) => a - b),
    startHour: start.hour,
    startMinute: start.minute,
    durationHour: duration.hour,
    durationMinute: duration.minute,
  };
}

function yearDayEntry(startWall: number, stopWall: number): YearDayEntry {
  const [start, stop] = [new Date(startWall), new Date(stopWall)];
  return {
    startYear: start.getUTCFullYear() - 2000,
    startMonth: start.getUTCMonth() + 1,
    startDay: start.getUTCDate(),
    startHour: start.getUTCHours(),
    startMinute: start.getUTCMinutes(),
    stopYear: stop.getUTCFullYear() - 2000,
    stopMonth: stop.getUTCMonth() + 1,
    stopDay: stop.getUTCDate(),
    stopHour: stop.getUTCHours(),
    stopMinute: stop.getUTCMinutes(),
  };
}

const timeOf = (minutes: number): { hour: number; minute: number } => ({
  hour: Math.floor(minutes / 60),
  minute: minutes % 60,
});

/**
 * When a user's codes open, by all entries of theirs. Entries of which nobody can say which are in effect come from others'
 * hands only, and are told so that they are no window that the lock could be asked to keep: dates and a week together, or
 * a week without any time.
 *
 * @param zone in which the lock's clock runs.
 */
export function whenOf(schedules: Schedules, zone: TimeZone): When {
  if (!isScheduled(schedules)) return "always";
  const [weekDays, daily, dates] = [there(schedules.weekDays), there(schedules.daily), there(schedules.yearDays)];
  const isClear = dates.length <= 1 && (weekDays.length === 0 || daily.length === 0);
  const isWeekly = weekDays.length > 0 || daily.length > 0;
  const weekly = isClear ? [...weekDays.flatMap(weekDayWindow), ...daily.flatMap(dailyWindow)] : [];
  return { ...datesOf(dates[0], zone), weekly: isWeekly || !isClear ? weekly : undefined, zone: zone.name };
}

const there = <Entry>(slots: readonly (Entry | undefined)[]): Entry[] => slots.flatMap((entry) => entry ?? []);

const weekDayWindow = ({ weekday, ...entry }: WeekDayEntry): WeeklyWindow[] => {
  const [from, to] = [entry.startHour * 60 + entry.startMinute, entry.stopHour * 60 + entry.stopMinute];
  const day = sundayFirst[weekday];
  return day && to > from ? [{ days: [day], from, to }] : [];
};

function dailyWindow({ weekdays, ...entry }: DailyEntry): WeeklyWindow[] {
  const from = entry.startHour * 60 + entry.startMinute;
  const duration = entry.durationHour * 60 + entry.durationMinute;
  const days = weekdays.flatMap((weekday) => sundayFirst[weekday] ?? []);
  const to = from + duration > minutesOfDay ? from + duration - minutesOfDay : from + duration;
  return days.length > 0 && duration > 0 ? [{ days, from, to }] : [];
}

function datesOf(entry: YearDayEntry | undefined, zone: TimeZone): Pick<TimedWindow, "startsAt" | "endsAt"> {
  if (!entry) return { startsAt: undefined, endsAt: undefined };
  const { startYear, startMonth, startDay, startHour, startMinute } = entry;
  const { stopYear, stopMonth, stopDay, stopHour, stopMinute } = entry;
  const start = Date.UTC(2000 + startYear, startMonth - 1, startDay, startHour, startMinute);
  const stop = Date.UTC(2000 + stopYear, stopMonth - 1, stopDay, stopHour, stopMinute);
  return {
    startsAt: start <= first ? undefined : momentAt(start, zone),
    endsAt: stop >= last ? undefined : momentAt(stop, zone),
  };
}

/** When the clock on the wall shows a time; of one that it leaves out, as if it had not been changed. */
function momentAt(wall: number, zone: TimeZone): Instant {
  const aDay: Milliseconds = 24 * 3_600_000;
  const by = (day: number): Instant => instant(wall - zone.stretchAt(instant(day)).ahead);
  const [before, after] = [by(wall - aDay), by(wall + aDay)];
  return zone.wallTime(after) === wall ? after : before;
}
