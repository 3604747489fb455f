import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../../agent/domain/instant.ts";
import { canKeep, sameWhen, type TimedWindow, type WindowAbility } from "../../../agent/domain/lock-window.ts";
import { isOpen } from "../../../agent/domain/schedule.ts";
import { TimeZone } from "../../../agent/domain/time-zone.ts";
import { type WeeklyWindow, weekdays } from "../../../agent/domain/weekly.ts";
import {
  abilityOf,
  kinds,
  noSchedules,
  type Schedules,
  type SlotCounts,
  sameSchedules,
  schedulesOf,
  whenOf,
} from "../../../drivers/zwave/codec-schedule.ts";

const minute = 60_000;
const zones = ["UTC", "Europe/Zurich", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"].map(
  (name) => new TimeZone(name),
);
const zurich = new TimeZone("Europe/Zurich");
const at = (iso: string): Instant => instant(Date.parse(iso));
const timed = (of: Partial<TimedWindow>): TimedWindow => ({
  startsAt: undefined,
  endsAt: undefined,
  weekly: undefined,
  zone: "Europe/Zurich",
  ...of,
});

const told = (of: Partial<Schedules>) => whenOf({ ...noSchedules, ...of }, zurich);

const byDays: SlotCounts = { weekDays: 14, yearDays: 2, daily: 0 };
const byWindows: SlotCounts = { weekDays: 3, yearDays: 1, daily: 7 };

const start = { startDay: 1, startHour: 0, startMinute: 0 };
const stop = { stopDay: 1, stopHour: 0, stopMinute: 0 };

/** An assertion in vitest's eyes, too. */
function holds<T>(property: fc.IProperty<T>): void {
  expect(() => fc.assert(property)).not.toThrow();
}

const zone = fc.constantFrom(...zones);
const moment = fc
  .integer({ min: Date.UTC(2000, 0, 2) / minute, max: Date.UTC(2099, 11, 30) / minute })
  .map((minutes) => instant(minutes * minute));
const dates = fc
  .record({ startsAt: fc.option(moment, { nil: undefined }), endsAt: fc.option(moment, { nil: undefined }) })
  .filter(({ startsAt, endsAt }) => startsAt !== endsAt && (startsAt ?? 0) < (endsAt ?? Infinity));
/** Few windows of few days, of which most have room; or many, of which some have. */
const weekOf = (mostWindows: number, mostDays: number): fc.Arbitrary<{ readonly weekly: WeeklyWindow[] }> => {
  const window: fc.Arbitrary<WeeklyWindow> = fc
    .record({
      days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1, maxLength: mostDays }),
      from: fc.integer({ min: 0, max: 1439 }),
      to: fc.integer({ min: 1, max: 1440 }),
    })
    .filter(({ from, to }) => from !== to);
  return fc.array(window, { minLength: 1, maxLength: mostWindows }).map((windows) => ({ weekly: windows }));
};
const weekly = fc.oneof(weekOf(2, 2), weekOf(4, 7));
const now = at("2026-11-27T12:00:00Z");

describe("schedulesOf() and whenOf()", () => {
  test.each<[string, SlotCounts, fc.Arbitrary<Partial<TimedWindow>>]>([
    ["dates, in every zone", byDays, dates],
    ["times of a week, as entries of a day each", byDays, weekly],
    ["times of a week, as entries of several days", byWindows, weekly],
  ])("keep %s exactly", (_, counts, windows) => {
    let kept = 0;
    holds(
      fc.property(zone, windows, moment, (clock, of, when) => {
        const window = timed({ ...of, zone: clock.name });
        if (!canKeep(abilityOf(counts, "date"), window, clock)) return true;
        kept += 1;
        const schedules = schedulesOf(window, counts, clock);
        if (!schedules) return false;
        const fits = kinds.every((kind) => schedules[kind].length <= counts[kind]);
        const back = whenOf(schedules, clock);
        const isSame = back !== "always" && isOpen(back, clock, when) === isOpen(window, clock, when);
        return fits && isSame && sameWhen(back, window, instant(0));
      }),
    );
    expect(kept).toBeGreaterThan(20);
  });

  test("of an end that is past all years that an entry can say are refused, and of a start before them is past", () => {
    const ends = (iso: string) => schedulesOf(timed({ endsAt: at(iso) }), byDays, new TimeZone("UTC"));
    expect(ends("2100-01-01T00:00:00Z")).toBe(undefined);
    expect(ends("2099-12-31T23:59:00Z")).toBe(undefined);
    expect(ends("2099-12-31T23:58:00Z")).toBeDefined();
    expect(ends("1999-12-31T00:00:00Z")).toBe(undefined);
    const long = timed({ startsAt: at("1990-01-01T00:00:00Z"), endsAt: at("2030-01-01T00:00:00Z") });
    const schedules = schedulesOf(long, byDays, zurich);
    expect(schedules && sameWhen(whenOf(schedules, zurich), long, now)).toBe(true);
  });

  test("of always are no entries, and the other way", () => {
    expect(schedulesOf("always", byDays, zurich)).toEqual(noSchedules);
    expect(whenOf({ ...noSchedules, weekDays: [undefined, undefined] }, zurich)).toBe("always");
  });
});

test("schedulesOf() says what Z-Wave means by days, months and years", () => {
  const office = timed({ weekly: [{ days: ["mon", "sun"], from: 480, to: 1050 }] });
  expect(schedulesOf(office, byDays, zurich)?.weekDays).toEqual([
    { weekday: 1, startHour: 8, startMinute: 0, stopHour: 17, stopMinute: 30 },
    { weekday: 0, startHour: 8, startMinute: 0, stopHour: 17, stopMinute: 30 },
  ]);
  const night = timed({ weekly: [{ days: ["fri", "sat"], from: 1320, to: 330 }] });
  expect(schedulesOf(night, byWindows, zurich)?.daily).toEqual([
    { weekdays: [5, 6], startHour: 22, startMinute: 0, durationHour: 7, durationMinute: 30 },
  ]);
  const summer = timed({ startsAt: at("2026-06-30T22:00:00Z"), endsAt: at("2026-12-31T23:00:00Z") });
  expect(schedulesOf(summer, byDays, zurich)?.yearDays).toEqual([
    { ...start, startYear: 26, startMonth: 7, ...stop, stopYear: 27, stopMonth: 1 },
  ]);
});

test("abilityOf() is what the slots hold, by a clock that knows it", () => {
  const days: WindowAbility["weekly"] = { perEntry: 7, of: "days", resolution: 1 };
  const rest = { together: false, base: "local" };
  const some = { weekDays: 7, yearDays: 1, daily: 0 };
  expect(abilityOf(some, "date")).toEqual({ dates: minute, weekly: days, ...rest });
  expect(abilityOf(some, "week")).toEqual({ weekly: days, ...rest });
  expect(abilityOf({ ...some, weekDays: 0 }, "date")).toEqual({ dates: minute, ...rest });
  expect(abilityOf({ ...some, weekDays: 0 }, "week")).toBe("none");
  expect(abilityOf({ ...some, daily: 7 }, "week")).toMatchObject({ weekly: { perEntry: 7, of: "windows" } });
  expect(abilityOf({ ...some, daily: 1 }, "week")).toMatchObject({ weekly: { of: "days" } });
});

describe("whenOf() of what others have set", () => {
  const office = { weekday: 1, startHour: 8, startMinute: 0, stopHour: 17, stopMinute: 30 };
  const nights = { weekdays: [5], startHour: 22, startMinute: 0, durationHour: 7, durationMinute: 30 };
  const december = { ...start, startYear: 26, startMonth: 12, ...stop, stopYear: 27, stopMonth: 1 };
  test.each<[string, Partial<Schedules>]>([
    ["dates and a week", { weekDays: [office], yearDays: [december] }],
    ["two kinds of a week", { weekDays: [office], daily: [nights] }],
    ["several dates", { yearDays: [december, { ...december, startYear: 28, stopYear: 29 }] }],
    ["a time of a week that is none", { weekDays: [{ ...office, stopHour: 8, stopMinute: 0 }] }],
  ])("is of %s no window that anybody would ask for", (_, of) => {
    const when = told(of);
    expect(when).not.toBe("always");
    for (const counts of [byDays, byWindows]) {
      expect(when !== "always" && canKeep(abilityOf(counts, "date"), when, zurich)).toBe(false);
    }
  });

  test("is of a time that the clock leaves out an hour later", () => {
    const gap = { ...december, startMonth: 3, startDay: 29, startHour: 2, startMinute: 30 };
    expect(told({ yearDays: [gap] })).toMatchObject({ startsAt: at("2026-03-29T01:30:00Z") });
  });
});

test("sameSchedules() goes by slots, and takes those beyond the end of a list for free", () => {
  const office = { weekday: 1, startHour: 8, startMinute: 0, stopHour: 17, stopMinute: 30 };
  const moved = { stopMinute: 30, stopHour: 17, startMinute: 0, startHour: 8, weekday: 1 };
  expect(sameSchedules({ ...noSchedules, weekDays: [office] }, { ...noSchedules, weekDays: [moved, undefined] })).toBe(
    true,
  );
  expect(sameSchedules({ ...noSchedules, weekDays: [office] }, noSchedules)).toBe(false);
  expect(sameSchedules({ ...noSchedules, weekDays: [office] }, { ...noSchedules, weekDays: [undefined, office] })).toBe(
    false,
  );
});
