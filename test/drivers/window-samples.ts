import { type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { TimedWindow, WindowAbility } from "../../agent/domain/lock-window.ts";
import { TimeZone } from "../../agent/domain/time-zone.ts";
import { type Weekday, weekdays } from "../../agent/domain/weekly.ts";

/** A window, with moments at which it is open and at which it is not. */
export interface Sample {
  readonly window: TimedWindow;
  readonly inside: readonly Instant[];
  readonly outside: readonly Instant[];
}
export type Samples = readonly (readonly [string, Sample])[];

/** Neither UTC nor, as a rule, the zone of the machine that runs this; its clocks are not changed. */
const zone = new TimeZone("Asia/Kolkata");
const minute: Milliseconds = 60_000;
const day = 24 * 60 * minute;
const office = [{ days: ["mon", "wed"], from: 8 * 60, to: 17 * 60 + 30 }] as const;
const nights = [{ days: ["fri", "sun"], from: 22 * 60, to: 6 * 60 }] as const;

const timed = (of: Partial<TimedWindow>): TimedWindow => ({
  startsAt: undefined,
  endsAt: undefined,
  weekly: undefined,
  zone: zone.name,
  ...of,
});

/** The next time that the clock on the wall shows this. */
function next(weekday: Weekday, time: string): Instant {
  const now = Date.now();
  const today = instant(now - (zone.wallTime(instant(now)) % day));
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  const ahead = (weekdays.indexOf(weekday) - ((new Date(zone.wallTime(today)).getUTCDay() + 6) % 7) + 7) % 7;
  const found = later(today, ahead * day + (hours * 60 + minutes) * minute);
  return found > now ? found : later(found, 7 * day);
}

const inMinutes = (at: number): Instant => instant(Math.floor(at / minute) * minute);

/**
 * A window of each kind that a lock can keep.
 *
 * @param slack how far its clock may be off.
 */
export function samplesFor({ dates, weekly, together }: WindowAbility, slack: Milliseconds): Samples {
  const found = new Map<string, Sample>();
  const now = inMinutes(Date.now());
  const [tomorrow, week] = [later(now, day), later(now, 7 * day)];
  const [after, before] = edgesBy(slack);
  if (dates !== undefined) {
    const outside = [now, before(tomorrow), after(week), later(week, 300 * day)];
    const inside = [after(tomorrow), before(week)];
    found.set("dates", { window: timed({ startsAt: tomorrow, endsAt: week }), inside, outside });
  }
  if (weekly) {
    const inside = [after(next("mon", "08:00")), before(next("wed", "17:30"))];
    const edges = [before(next("mon", "08:00")), after(next("wed", "17:30"))];
    const outside = [...edges, next("tue", "12:00"), next("sun", "12:00")];
    found.set("times of a week", { window: timed({ weekly: office }), inside, outside });
  }
  if (weekly?.of === "windows") {
    const inside = [after(next("fri", "22:00")), before(next("sat", "06:00")), next("mon", "00:30")];
    const edges = [after(next("sat", "06:00")), after(next("mon", "06:00"))];
    const outside = [...edges, next("fri", "05:00"), next("sat", "23:00")];
    found.set("nights", { window: timed({ weekly: nights }), inside, outside });
  }
  if (together) {
    const inside = [later(next("wed", "12:00"), 7 * day)];
    const outside = [next("wed", "12:00"), later(next("wed", "18:00"), 7 * day)];
    found.set("dates and a week", { window: timed({ startsAt: week, weekly: office }), inside, outside });
  }
  return [...found];
}

/** Windows of dates that go on for ever, at one side. */
export function openEnded({ dates }: WindowAbility, slack: Milliseconds): Samples {
  if (dates === undefined) return [];
  const now = inMinutes(Date.now());
  const week = later(now, 7 * day);
  const [after, before] = edgesBy(slack);
  return [
    ["an end", { window: timed({ endsAt: week }), inside: [now, before(week)], outside: [after(week)] }],
    ["a start", { window: timed({ startsAt: week }), inside: [after(week)], outside: [now, before(week)] }],
  ];
}

const edgesBy = (slack: Milliseconds) =>
  [(at: Instant) => later(at, slack), (at: Instant) => later(at, -minute - slack)] as const;

/** Windows that it cannot keep exactly. */
export function unkeepable({ dates, weekly, together }: WindowAbility): readonly (readonly [string, TimedWindow])[] {
  const at = inMinutes(Date.now() + 10 * day);
  const many = weekdays.flatMap((each) => [540, 600, 660].map((from) => ({ days: [each], from, to: from + 30 })));
  return [
    ["an end between two minutes", timed({ endsAt: instant(at + 1) })],
    ["more times of a week than it has room for", timed({ weekly: many })],
    // An entry ends before midnight, or within a day.
    ["whole days", timed({ weekly: [{ days: ["sat", "sun"], from: 0, to: 24 * 60 }] })],
    ...(dates === undefined ? [["dates", timed({ endsAt: at })] as const] : []),
    ...(weekly ? [] : [["times of a week", timed({ weekly: office })] as const]),
    ...(together ? [] : [["dates and a week", timed({ endsAt: at, weekly: office })] as const]),
  ];
}
