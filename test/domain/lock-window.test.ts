import { expect, test } from "vitest";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { canKeep, sameWhen, type TimedWindow, type WindowAbility } from "../../agent/domain/lock-window.ts";
import type { Window } from "../../agent/domain/schedule.ts";
import { TimeZone } from "../../agent/domain/time-zone.ts";
import { daySpans, type WeeklyWindow } from "../../agent/domain/weekly.ts";

const minute = 60_000;
const zurich = new TimeZone("Europe/Zurich");
const at = (iso: string): Instant => instant(Date.parse(iso));
const days = { perEntry: 7, of: "days", resolution: 1 } as const;
const both: WindowAbility = { dates: minute, weekly: days, together: true, base: "local" };
const window = (of: Partial<Window>): Window => ({ startsAt: undefined, endsAt: undefined, weekly: undefined, ...of });
const timed = (of: Partial<TimedWindow>): TimedWindow => ({ ...window(of), zone: "Europe/Zurich", ...of });
const office: readonly WeeklyWindow[] = [{ days: ["mon", "tue"], from: 480, to: 1080 }];
const night: readonly WeeklyWindow[] = [{ days: ["mon"], from: 1320, to: 360 }];

test.each<[string, WindowAbility | "none", Window, TimeZone, boolean]>([
  ["nothing, where it keeps none", "none", window({ weekly: office }), zurich, false],
  ["times of a week", both, window({ weekly: office }), zurich, true],
  ["both, where it keeps both", both, window({ weekly: office, endsAt: at("2026-12-01T10:00:00Z") }), zurich, true],
  [
    "not both, where it keeps either",
    { ...both, together: false },
    window({ weekly: office, endsAt: at("2026-12-01T10:00:00Z") }),
    zurich,
    false,
  ],
  [
    "no dates, where it keeps times of a week only",
    { weekly: days, together: false, base: "local" },
    window({ endsAt: at("2026-12-01T10:00:00Z") }),
    zurich,
    false,
  ],
  [
    "no week, where it keeps dates only",
    { dates: minute, together: false, base: "local" },
    window({ weekly: office }),
    zurich,
    false,
  ],
  ["no seconds, where it keeps minutes", both, window({ endsAt: at("2026-12-01T10:00:01Z") }), zurich, false],
  ["no end in an hour that comes twice", both, window({ endsAt: at("2026-10-25T00:30:00Z") }), zurich, false],
  ["nor in the second of them", both, window({ endsAt: at("2026-10-25T01:30:00Z") }), zurich, false],
  [
    "an end just before and after them",
    both,
    window({ startsAt: at("2026-10-24T23:59:00Z"), endsAt: at("2026-10-25T02:00:00Z") }),
    zurich,
    true,
  ],
  [
    "an end in that hour by UTC",
    { ...both, base: "utc" },
    window({ endsAt: at("2026-10-25T00:30:00Z") }),
    zurich,
    true,
  ],
  [
    "no week by UTC where the door has summer time",
    { ...both, base: "utc" },
    window({ weekly: office }),
    zurich,
    false,
  ],
  ["a week by UTC at a door in UTC", { ...both, base: "utc" }, window({ weekly: office }), new TimeZone("UTC"), true],
  ["no night, where a day ends before midnight", both, window({ weekly: night }), zurich, false],
  ["a night as one window", { ...both, weekly: { ...days, of: "windows" } }, window({ weekly: night }), zurich, true],
  [
    "not more than it has entries for",
    { ...both, weekly: { ...days, perEntry: 1 } },
    window({ weekly: office }),
    zurich,
    false,
  ],
  [
    "two days as one window",
    { ...both, weekly: { perEntry: 1, of: "windows", resolution: 1 } },
    window({ weekly: office }),
    zurich,
    true,
  ],
  [
    "no minutes, where it keeps quarters of an hour",
    { ...both, weekly: { ...days, resolution: 15 } },
    window({ weekly: [{ days: ["mon"], from: 481, to: 1080 }] }),
    zurich,
    false,
  ],
  [
    "no whole day, where an entry ends within a day",
    { ...both, weekly: { ...days, of: "windows", longest: 1439 } },
    window({ weekly: [{ days: ["sat", "sun"], from: 0, to: 1440 }] }),
    zurich,
    false,
  ],
  [
    "a night, where an entry ends within a day",
    { ...both, weekly: { ...days, of: "windows", longest: 1439 } },
    window({ weekly: night }),
    zurich,
    true,
  ],
  ["not a week without any time", both, window({ weekly: [] }), zurich, false],
])("canKeep() %s", (_, ability, wished, zone, kept) => {
  expect(canKeep(ability, wished, zone)).toBe(kept);
});

test("daySpans() cuts at midnight, over the end of the week, and puts together what touches", () => {
  expect(
    daySpans([
      { days: ["sun"], from: 1320, to: 360 },
      { days: ["mon"], from: 360, to: 600 },
    ]),
  ).toEqual([
    { day: "mon", from: 0, to: 600 },
    { day: "sun", from: 1320, to: 1440 },
  ]);
});

test("sameWhen() does not mind a start that is past, nor how a schedule is written", () => {
  const now = at("2026-11-01T00:00:00Z");
  expect(sameWhen("always", "always", now)).toBe(true);
  expect(sameWhen("always", timed({ startsAt: at("2026-10-01T00:00:00Z") }), now)).toBe(true);
  expect(sameWhen("always", timed({ endsAt: at("2026-12-01T00:00:00Z") }), now)).toBe(false);
  expect(sameWhen(timed({ startsAt: at("2026-10-01T00:00:00Z") }), timed({}), now)).toBe(true);
  expect(sameWhen(timed({ startsAt: at("2026-12-01T00:00:00Z") }), timed({}), now)).toBe(false);
  expect(sameWhen(timed({ endsAt: at("2026-12-01T00:00:00Z") }), timed({}), now)).toBe(false);
  const split: readonly WeeklyWindow[] = [
    { days: ["tue"], from: 480, to: 1080 },
    { days: ["mon"], from: 480, to: 600 },
    { days: ["mon"], from: 600, to: 1080 },
  ];
  expect(sameWhen(timed({ weekly: office }), timed({ weekly: split }), now)).toBe(true);
  expect(sameWhen(timed({ weekly: office }), timed({ weekly: night }), now)).toBe(false);
  expect(sameWhen(timed({ weekly: office }), timed({ weekly: office, zone: "Asia/Tokyo" }), now)).toBe(false);
  expect(
    sameWhen(
      timed({ endsAt: at("2026-12-01T00:00:00Z"), zone: "Asia/Tokyo" }),
      timed({ endsAt: at("2026-12-01T00:00:00Z") }),
      now,
    ),
  ).toBe(true);
});
