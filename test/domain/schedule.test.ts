import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { intervals, isOpen, nextChange, type Window } from "../../agent/domain/schedule.ts";
import { TimeZones } from "../../agent/domain/time-zone.ts";
import { type WeeklyWindow, weekdays } from "../../agent/domain/weekly.ts";
import { WallClock } from "../support/wall-clock.ts";

const quarter = 15 * 60_000;
const day = 96 * quarter;
const zones = new TimeZones();
const zurich = zones.named("Europe/Zurich");
const at = (iso: string): Instant => instant(Date.parse(iso));
const window = (of: Partial<Window>): Window => ({ startsAt: undefined, endsAt: undefined, weekly: undefined, ...of });

/** A night in which clocks are changed, by an hour or by half of one, and a plain one; what comes of them, by Intl. */
const nights = [
  ["Europe/Zurich", "2027-03-28T01:00Z"],
  ["Europe/Zurich", "2027-10-31T01:00Z"],
  ["Australia/Lord_Howe", "2027-04-03T15:00Z"],
  ["Australia/Lord_Howe", "2027-10-02T15:30Z"],
  ["America/St_Johns", "2027-11-07T04:30Z"],
  ["Asia/Kolkata", "2027-06-06T00:00Z"],
].map(([name = "", iso = ""]) => ({ name, change: Date.parse(iso), wall: new WallClock(name) }));

/** All edges at quarters of an hour, as the changes of the clocks are: so it is enough to look at these. */
const anyQuarter = fc.integer({ min: -150, max: 150 }).map((count) => count * quarter);
const anyWeekly: fc.Arbitrary<WeeklyWindow> = fc
  .record({
    days: fc.subarray([...weekdays], { minLength: 3 }),
    from: fc.oneof(fc.nat(20), fc.nat(95)).map((count) => count * 15),
    to: fc.oneof(fc.nat(20), fc.nat(95)).map((count) => (count + 1) * 15),
  })
  .filter(({ from, to }) => from !== to);
const anyCase = fc
  .record({
    night: fc.constantFrom(...nights),
    edges: fc.tuple(anyQuarter, anyQuarter).map((edges) => edges.toSorted((a, b) => a - b)),
    has: fc.tuple(fc.boolean(), fc.boolean()),
    weekly: fc.option(fc.array(anyWeekly, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 10 }),
    from: anyQuarter,
  })
  .map(({ night, edges: [start = 0, end = 0], has: [starts, ends], weekly, from }) => {
    const startsAt = starts ? instant(night.change + start) : undefined;
    const endsAt = ends ? instant(night.change + end) : undefined;
    return { night, given: { startsAt, endsAt, weekly }, from: instant(night.change + from) };
  });

test("intervals() are when a door is open by another implementation, also where clocks are changed", () => {
  let found = 0;
  fc.assert(
    fc.property(anyCase, ({ night: { name, wall }, given, from }) => {
      const to = instant(from + 2 * day);
      const ours = intervals(given, zones.named(name), from, to);
      expect(ours).toEqual(wall.intervals(given, from, to, quarter));
      found += ours.length;
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(100);
});

test("isOpen() and nextChange() are as another implementation has them, to the millisecond", () => {
  let changes = 0;
  fc.assert(
    fc.property(anyCase, fc.constantFrom(-1, 0, 1), ({ night: { name, wall }, given, from: near }, by) => {
      const [zone, from] = [zones.named(name), instant(near + by)];
      const now = wall.isOpen(given, from);
      expect(isOpen(given, zone, from)).toBe(now);
      // A week and a day later all that can change has.
      const first = Math.floor(from / quarter) + 1;
      const quarters = Array.from({ length: 9 * 96 }, (_, after) => (first + after) * quarter);
      const next = quarters.find((moment) => wall.isOpen(given, moment) !== now);
      expect(nextChange(given, zone, from)).toBe(next);
      changes += Number(next !== undefined);
    }),
    { numRuns: 200 },
  );
  expect(changes).toBeGreaterThan(50);
});

const office: readonly WeeklyWindow[] = [{ days: ["mon", "tue", "wed", "thu", "fri"], from: 480, to: 1080 }];
/** A monday, in Zurich an hour ahead of UTC. */
const [seven, eight, noon, six] = ["06:00", "07:00", "11:00", "17:00"].map((time) => at(`2027-01-11T${time}Z`));
const before = (moment: Instant | undefined): Instant => instant(moment! - 1);

test.each<[string, Partial<Window>, Instant | undefined, boolean, Instant | undefined]>([
  ["always was and will be", {}, noon, true, undefined],
  ["has no time of any week", { weekly: [] }, noon, false, undefined],
  ["has no time of any week, and has not begun", { weekly: [], startsAt: noon }, seven, false, undefined],
  ["begins", { startsAt: noon }, before(noon), false, noon],
  ["has just begun", { startsAt: noon }, noon, true, undefined],
  ["ends", { endsAt: noon }, before(noon), true, noon],
  ["has just ended", { endsAt: noon }, noon, false, undefined],
  ["begins in its hours", { weekly: office, startsAt: noon }, seven, false, noon],
  ["begins before its hours", { weekly: office, startsAt: seven }, instant(0), false, eight],
  ["begins as its hours do", { weekly: office, startsAt: eight }, seven, false, eight],
  ["ends in its hours", { weekly: office, endsAt: noon }, eight, true, noon],
  ["ends as its hours do", { weekly: office, endsAt: six }, noon, true, six],
  [
    "ends after its hours, and before the next of them",
    { weekly: office, endsAt: before(eight) },
    seven,
    false,
    undefined,
  ],
  ["ends just as it would open", { weekly: office, endsAt: eight }, seven, false, undefined],
  ["ends just after it opens", { weekly: office, endsAt: instant(eight! + 1) }, seven, false, eight],
  ["ended before it began", { startsAt: noon, endsAt: seven }, instant(0), false, undefined],
  ["closes in the evening", { weekly: office }, eight, true, six],
  ["opens after a weekend", { weekly: office }, at("2027-01-08T17:00Z"), false, eight],
])("a window that %s", (_, of, moment, open, next) => {
  expect(isOpen(window(of), zurich, moment!)).toBe(open);
  expect(nextChange(window(of), zurich, moment!)).toBe(next);
});

test("intervals() begin and end where they are asked for, and of no time there are none", () => {
  const given = window({ weekly: office });
  expect(intervals(given, zurich, noon!, six!)).toEqual([{ from: noon, to: six }]);
  expect(intervals(given, zurich, seven!, noon!)).toEqual([{ from: eight, to: noon }]);
  expect(intervals(given, zurich, noon!, noon!)).toEqual([]);
  expect(intervals(given, zurich, seven!, eight!)).toEqual([]);
});

test("a zone whose clocks are never changed again has windows for all time", () => {
  const far = at("2190-01-04T07:00Z");
  expect(nextChange(window({ weekly: office }), zones.named("UTC"), far)).toBe(at("2190-01-04T08:00Z"));
});
