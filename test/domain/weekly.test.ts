import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  always,
  daySpans,
  isOpenAt,
  nextFlip,
  overlapOf,
  patternOf,
  type WeeklyWindow,
  weekdays,
} from "../../agent/domain/weekly.ts";
import { weekOf } from "../support/year-clock.ts";

const minute = 60_000;
const minutesOfDay = 1440;
const minutesOfWeek = 7 * minutesOfDay;
const week = minutesOfWeek * minute;
const aMonday = Date.UTC(2027, 0, 4);

/** Few enough times that windows touch, overlap and hold one another. */
const hours = [0, 1, 360, 480, 481, 720, 1080, 1320, 1439, 1440];
const anyWindow: fc.Arbitrary<WeeklyWindow> = fc
  .record({
    days: fc.subarray([...weekdays], { minLength: 1 }),
    from: fc.constantFrom(...hours.slice(0, -1)),
    to: fc.constantFrom(...hours.slice(1)),
  })
  .filter(({ from, to }) => from !== to);
const anyList = fc.array(anyWindow, { maxLength: 4 });

test("isOpenAt() is open in the minutes that a list names, in any week, and in their every millisecond", () => {
  fc.assert(
    fc.property(anyList, fc.integer({ min: -3_000, max: 3_000 }), fc.nat(minute - 1), (windows, weeks, within) => {
      const pattern = patternOf(windows);
      const open = weekOf(windows);
      const wrong = [...open.keys()].filter(
        (at) => isOpenAt(pattern, aMonday + weeks * week + at * minute + within) !== (open[at] === 1),
      );
      expect(wrong).toEqual([]);
    }),
  );
});

test("patternOf() turns where a list opens and closes, and nowhere else", () => {
  fc.assert(
    fc.property(anyList, (windows) => {
      const open = weekOf(windows);
      const turns = [...open.keys()].filter((at) => open[at] !== open[(at + minutesOfWeek - 1) % minutesOfWeek]);
      expect(patternOf(windows)).toEqual({ endsOpen: open.at(-1) === 1, flips: turns.map((at) => at * minute) });
    }),
  );
});

test.each<[string, readonly WeeklyWindow[], boolean]>([
  ["no window at all", [], false],
  ["all days from midnight to midnight", [{ days: weekdays, from: 0, to: minutesOfDay }], true],
  ["days that touch each other at noon", [{ days: weekdays, from: 720, to: 719 }], true],
])("nextFlip() finds nothing in what stays as it is: %s", (_, windows, isOpen) => {
  // A minute a day is all that is missing from the last of them.
  const filled = [...windows, { days: weekdays, from: 719, to: 720 }];
  const pattern = patternOf(isOpen ? filled : windows);
  expect(pattern).toEqual({ ...always, endsOpen: isOpen });
  expect(nextFlip(pattern, aMonday)).toBeUndefined();
  expect(isOpenAt(pattern, aMonday)).toBe(isOpen);
});

test("nextFlip() is the first moment after a time at which a list opens or closes", () => {
  fc.assert(
    fc.property(
      anyList,
      fc.oneof(
        fc.integer({ min: -3 * week, max: 3 * week }),
        fc.nat(minutesOfWeek).map((at) => at * minute),
      ),
      (windows, since) => {
        const open = weekOf(windows);
        const at = aMonday + since;
        const isThen = (time: number): boolean =>
          open[Math.floor(((((time - aMonday) % week) + week) % week) / minute)] === 1;
        const first = aMonday + (Math.floor(since / minute) + 1) * minute;
        const next = Array.from({ length: minutesOfWeek }, (_, later) => first + later * minute).find(
          (time) => isThen(time) !== isThen(at),
        );
        expect(nextFlip(patternOf(windows), at)).toBe(next);
      },
    ),
  );
});

test("overlapOf() names the first minute of the week that two windows hold, and both of them", () => {
  let overlaps = 0;
  fc.assert(
    fc.property(anyList, (windows) => {
      const weeks = windows.map((window) => weekOf([window]));
      const holders = (minuteOfWeek: number): number[] =>
        [...weeks.keys()].filter((window) => weeks[window]?.[minuteOfWeek] === 1);
      const count = new Uint8Array(minutesOfWeek);
      for (const held of weeks) for (const [each, holds] of held.entries()) count[each]! += holds;
      const at = count.findIndex((many) => many > 1);
      const found = overlapOf(windows);
      expect(found === undefined).toBe(at < 0);
      if (!found) return;
      overlaps += 1;
      expect({ day: found.day, minute: found.minute }).toEqual({
        day: weekdays[Math.floor(at / minutesOfDay)],
        minute: at % minutesOfDay,
      });
      expect(holders(at)).toContain(found.first);
      expect(holders(at)).toContain(found.second);
      expect(found.first).toBeLessThan(found.second);
    }),
  );
  expect(overlaps).toBeGreaterThan(10);
});

test.each<[string, readonly WeeklyWindow[], ReturnType<typeof overlapOf>]>([
  [
    "a night, and the morning after it",
    [
      { days: ["sun"], from: 1320, to: 360 },
      { days: ["mon"], from: 300, to: 400 },
    ],
    { first: 0, second: 1, day: "mon", minute: 300 },
  ],
  [
    "one that comes before the other in the week, and after it in the list",
    [
      { days: ["tue"], from: 500, to: 600 },
      { days: ["tue"], from: 480, to: 501 },
    ],
    { first: 0, second: 1, day: "tue", minute: 500 },
  ],
  [
    "a day that is named twice",
    [{ days: ["wed", "wed"], from: 1, to: 2 }],
    { first: 0, second: 0, day: "wed", minute: 1 },
  ],
  [
    "none of two that touch",
    [
      { days: ["thu"], from: 1320, to: 360 },
      { days: ["fri"], from: 360, to: 1440 },
      { days: ["sat"], from: 0, to: 60 },
    ],
    undefined,
  ],
])("overlapOf() sees %s", (_, windows, expected) => {
  expect(overlapOf(windows)).toEqual(expected);
});

test("daySpans() are the same minutes, each span within its day, in order and with gaps between those of a day", () => {
  fc.assert(
    fc.property(anyList, (windows) => {
      const spans = daySpans(windows);
      const held = new Uint8Array(minutesOfWeek);
      let before = -1;
      for (const { day, from, to } of spans) {
        const midnight = weekdays.indexOf(day) * minutesOfDay;
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(minutesOfDay);
        expect(to).toBeGreaterThan(from);
        // At midnight the one before may end where it begins.
        expect(midnight + from).toBeGreaterThan(from === 0 ? before - 1 : before);
        held.fill(1, midnight + from, midnight + to);
        before = midnight + to;
      }
      expect(Buffer.compare(held, weekOf(windows))).toBe(0);
    }),
  );
});

test.each<[string, readonly WeeklyWindow[], ReturnType<typeof daySpans>]>([
  [
    "a night into two",
    [{ days: ["sun"], from: 1320, to: 360 }],
    [
      { day: "mon", from: 0, to: 360 },
      { day: "sun", from: 1320, to: 1440 },
    ],
  ],
  [
    "what touches on a day together, and what touches at midnight not",
    [
      { days: ["mon"], from: 480, to: 720 },
      { days: ["mon"], from: 720, to: 1440 },
      { days: ["tue"], from: 0, to: 60 },
    ],
    [
      { day: "mon", from: 480, to: 1440 },
      { day: "tue", from: 0, to: 60 },
    ],
  ],
  [
    "what another holds already to nothing",
    [
      { days: ["mon"], from: 480, to: 720 },
      { days: ["mon"], from: 500, to: 600 },
    ],
    [{ day: "mon", from: 480, to: 720 }],
  ],
])("daySpans() cuts %s", (_, windows, expected) => {
  expect(daySpans(windows)).toEqual(expected);
});
