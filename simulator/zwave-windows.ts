import { ScheduleEntryLockScheduleKind as Kind } from "@zwave-js/cc";
import { z } from "zod";

/** The names under which zwave-js's mock keeps entries, and under which we keep what it does not. */
const prefix = "ScheduleEntryLock_";
const entryKey = (user: number, slot: number | string, kind: Kind): string =>
  `${prefix}schedule_${user}_${slot}_${kind}`;
const kindKey = (user: number): string => `${prefix}kind_${user}`;
const timedKey = (user: number): string => `${prefix}timed_${user}`;

const start = { startHour: z.number(), startMinute: z.number() };
const stop = { stopHour: z.number(), stopMinute: z.number() };
const weekDay = z.object({ weekday: z.number(), ...start, ...stop });
const startDate = { startYear: z.number(), startMonth: z.number(), startDay: z.number() };
const stopDate = { stopYear: z.number(), stopMonth: z.number(), stopDay: z.number() };
const yearDay = z.object({ ...startDate, ...start, ...stopDate, ...stop });
const daily = z.object({
  weekdays: z.array(z.number()),
  ...start,
  durationHour: z.number(),
  durationMinute: z.number(),
});

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/**
 * What a lock with Schedule Entry Lock knows of when its users may come, in the map in which zwave-js's mock keeps it: of
 * each user the kind of entry that was set last is in effect.
 */
export class ZwaveWindows {
  readonly #state: Map<string, unknown>;
  /** It denies a user whose entries are all gone, for as long as the code is the one that had them. */
  readonly #isStrict: boolean;

  constructor(state: Map<string, unknown>, isStrict: boolean) {
    this.#state = state;
    this.#isStrict = isStrict;
  }

  /** An entry was set. */
  set(user: number, kind: Kind): void {
    this.#state.set(kindKey(user), kind);
    this.#state.set(timedKey(user), true);
  }

  /** All that belongs to a user is gone. */
  wipe(user: number): void {
    for (const key of this.#state.keys()) {
      if (key.startsWith(`${prefix}schedule_${user}_`)) this.#state.delete(key);
    }
    this.#state.delete(kindKey(user));
    this.#state.delete(timedKey(user));
  }

  /** The code of a user is gone; the next one has had no entries. */
  forgetCode(user: number): void {
    this.#state.delete(timedKey(user));
  }

  /** Whether a user's code opens by the time on the lock's clock, as if it were UTC: undefined where it has none. */
  opens(user: number, wall: number | undefined): boolean {
    const entries = this.#inEffect(user);
    if (entries.length === 0) return !(this.#isStrict && this.#state.get(timedKey(user)) === true);
    return wall !== undefined && entries.some((isOpen) => isOpen(wall));
  }

  /** What is to outlive the process. */
  kept(): Record<string, unknown> {
    return Object.fromEntries([...this.#state].filter(([key, value]) => key.startsWith(prefix) && value !== undefined));
  }

  restore(kept: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(kept)) this.#state.set(key, value);
  }

  #inEffect(user: number): ((wall: number) => boolean)[] {
    const kind = this.#state.get(kindKey(user));
    const named = new RegExp(`^${entryKey(user, "\\d+", z.enum(Kind).catch(Kind.WeekDay).parse(kind))}$`);
    return [...this.#state].flatMap(([key, value]) => {
      if (!named.test(key) || value === undefined) return [];
      switch (kind) {
        case Kind.YearDay:
          return isInDates(yearDay.parse(value));
        case Kind.DailyRepeating:
          return isInDaily(daily.parse(value));
        default:
          return isInWeekDay(weekDay.parse(value));
      }
    });
  }
}

const isInWeekDay =
  ({ weekday, startHour, startMinute, stopHour, stopMinute }: z.infer<typeof weekDay>) =>
  (wall: number): boolean => {
    const now = minuteOfDay(wall);
    const isDay = new Date(wall).getUTCDay() === weekday;
    return isDay && startHour * 60 + startMinute <= now && now < stopHour * 60 + stopMinute;
  };

const isInDates =
  (entry: z.infer<typeof yearDay>) =>
  (wall: number): boolean => {
    const { startYear, startMonth, startDay, startHour, startMinute } = entry;
    const { stopYear, stopMonth, stopDay, stopHour, stopMinute } = entry;
    const from = Date.UTC(2000 + startYear, startMonth - 1, startDay, startHour, startMinute);
    return from <= wall && wall < Date.UTC(2000 + stopYear, stopMonth - 1, stopDay, stopHour, stopMinute);
  };

const isInDaily =
  ({ weekdays, startHour, startMinute, durationHour, durationMinute }: z.infer<typeof daily>) =>
  (wall: number): boolean =>
    // One that began yesterday may not be over.
    [wall, wall - dayMs].some((day) => {
      const since = wall - (day - (day % dayMs)) - (startHour * 60 + startMinute) * minuteMs;
      const isDay = weekdays.includes(new Date(day).getUTCDay());
      return isDay && since >= 0 && since < (durationHour * 60 + durationMinute) * minuteMs;
    });

const minuteOfDay = (wall: number): number => Math.floor((wall % dayMs) / minuteMs);
