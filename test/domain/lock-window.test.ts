import { expect, test } from "vitest";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { canKeep, keptWindow, sameWhen, type TimedWindow, type WindowAbility } from "../../agent/domain/lock-window.ts";
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

const split: readonly WeeklyWindow[] = [
  { days: ["tue"], from: 480, to: 1080 },
  { days: ["mon"], from: 480, to: 600 },
  { days: ["mon"], from: 600, to: 1080 },
];
const atMost = (longest: number): WindowAbility => ({ ...both, weekly: { ...days, of: "windows", longest } });
const [inOctober, inNovember, inDecember] = [10, 11, 12].map((month) => at(`2026-${month}-01T00:00:00Z`));

test.each<[string, WindowAbility | "none", Window, TimeZone, boolean]>([
  ["nothing, where it keeps none", "none", window({ weekly: office }), zurich, false],
  ["nothing, where it keeps none, though there is nothing to keep", "none", window({}), zurich, false],
  ["what is always open", both, window({}), zurich, true],
  ["times of a week", both, window({ weekly: office }), zurich, true],
  ["both, where it keeps both", both, window({ weekly: office, endsAt: at("2026-12-01T10:00:00Z") }), zurich, true],
  [
    "not both, where it keeps either",
    { ...both, together: false },
    window({ weekly: office, endsAt: at("2026-12-01T10:00:00Z") }),
    zurich,
    false,
  ],
  ["a week, where it keeps either", { ...both, together: false }, window({ weekly: office }), zurich, true],
  ["dates, where it keeps either", { ...both, together: false }, window({ startsAt: inDecember }), zurich, true],
  [
    "a week, where it keeps that only",
    { weekly: days, together: false, base: "local" },
    window({ weekly: office }),
    zurich,
    true,
  ],
  [
    "no start, where it keeps times of a week only",
    { weekly: days, together: true, base: "local" },
    window({ startsAt: inDecember, weekly: office }),
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
  [
    "no end while the clock of the door shows no whole minutes",
    both,
    window({ endsAt: at("1971-06-01T10:00:00Z") }),
    new TimeZone("Africa/Monrovia"),
    false,
  ],
  ["no end as an hour begins that comes twice", both, window({ endsAt: at("2026-10-25T00:00:00Z") }), zurich, false],
  ["nor as it begins anew", both, window({ endsAt: at("2026-10-25T01:00:00Z") }), zurich, false],
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
    "no minutes at the end, either",
    { ...both, weekly: { ...days, resolution: 15 } },
    window({ weekly: [{ days: ["mon"], from: 480, to: 1081 }] }),
    zurich,
    false,
  ],
  [
    "an evening to midnight as one window",
    { ...both, weekly: { ...days, of: "windows" } },
    window({ weekly: [{ days: ["mon"], from: 480, to: 1440 }] }),
    zurich,
    true,
  ],
  ["a window as long as it may be", atMost(600), window({ weekly: office }), zurich, true],
  ["none that is longer", atMost(599), window({ weekly: office }), zurich, false],
  ["a night as long as it may be", atMost(480), window({ weekly: night }), zurich, true],
  ["no night that is longer", atMost(479), window({ weekly: night }), zurich, false],
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

test.each<[string, WindowAbility | "none", readonly Window[], TimedWindow | undefined]>([
  ["the one that is granted", both, [window({ weekly: office })], timed({ weekly: office })],
  [
    "the one that all grants have",
    both,
    [window({ weekly: office }), window({ weekly: split })],
    timed({ weekly: office }),
  ],
  [
    "it without a start that is past",
    both,
    [window({ startsAt: inOctober, weekly: office })],
    timed({ weekly: office }),
  ],
  ["it with a start that is to come", both, [window({ startsAt: inDecember })], timed({ startsAt: inDecember })],
  ["none where there is no grant", both, [], undefined],
  [
    "none where one grant of three has another",
    both,
    [office, night, office].map((weekly) => window({ weekly })),
    undefined,
  ],
  ["none where one grant is for always", both, [window({ weekly: office }), window({})], undefined],
  ["none where there is nothing to keep", both, [window({ startsAt: inOctober })], undefined],
  ["none that the lock cannot keep", "none", [window({ weekly: office })], undefined],
])("keptWindow() is %s", (_, ability, windows, kept) => {
  expect(keptWindow(ability, windows, zurich, inNovember!)).toEqual(kept);
});

test("sameWhen() does not mind a start that is past, nor how a schedule is written", () => {
  const now = inNovember!;
  expect(sameWhen("always", "always", now)).toBe(true);
  expect(sameWhen("always", timed({ startsAt: at("2026-10-01T00:00:00Z") }), now)).toBe(true);
  expect(sameWhen("always", timed({ endsAt: at("2026-12-01T00:00:00Z") }), now)).toBe(false);
  expect(sameWhen(timed({ startsAt: at("2026-10-01T00:00:00Z") }), timed({}), now)).toBe(true);
  expect(sameWhen(timed({ startsAt: now, weekly: office }), timed({ weekly: office }), now)).toBe(true);
  expect(sameWhen(timed({ startsAt: at("2026-12-01T00:00:00Z") }), timed({}), now)).toBe(false);
  expect(sameWhen(timed({ endsAt: at("2026-12-01T00:00:00Z") }), timed({}), now)).toBe(false);
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

test("sameWhen() minds the start, the end and the week, each by itself", () => {
  const whole = timed({ startsAt: inDecember, endsAt: at("2027-01-01T00:00:00Z"), weekly: office });
  const others: Partial<TimedWindow>[] = [
    { startsAt: undefined },
    { endsAt: undefined },
    { endsAt: at("2027-02-01T00:00:00Z") },
    { weekly: undefined },
    { weekly: night },
  ];
  for (const change of others) {
    expect(sameWhen(whole, { ...whole, ...change }, inNovember!)).toBe(false);
    expect(sameWhen({ ...whole, ...change }, whole, inNovember!)).toBe(false);
  }
  expect(sameWhen(whole, { ...whole, weekly: split }, inNovember!)).toBe(true);
});
