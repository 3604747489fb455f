import { expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { intervals, isOpen, nextChange, type Window } from "../../agent/domain/schedule.ts";
import { TimeZones } from "../../agent/domain/time-zone.ts";
import { overlapOf, type Weekday, type WeeklyWindow, weekdays } from "../../agent/domain/weekly.ts";
import { seeded } from "../../simulator/faults.ts";
import { isLong } from "../support/long.ts";
import { WallClock } from "../support/wall-clock.ts";
import { weekOf, YearClock } from "../support/year-clock.ts";

/** LATCHD_SEED repeats a run. */
const seed = Number(process.env["LATCHD_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const say = (line: string): void => void process.stdout.write(`schedules: ${line}\n`);
const random = seeded(seed);
const below = (count: number): number => Math.floor(random() * count);

/** Both hemispheres, and offsets and changes that are not whole hours. */
const zoneNames = [
  "Europe/Zurich",
  "America/New_York",
  "America/St_Johns",
  "America/Santiago",
  "Australia/Lord_Howe",
  "Australia/Adelaide",
  "Pacific/Chatham",
  "Pacific/Apia",
  "Asia/Kolkata",
  "Africa/Casablanca",
  "UTC",
];
const minute = 60_000;
const yearFrom = Date.UTC(2027, 0, 1);
const yearTo = Date.UTC(2028, 0, 1);
const zones = new TimeZones();
const clocks = new Map(zoneNames.map((name) => [name, new YearClock(name, yearFrom, yearTo)]));
const locks = Array.from({ length: 50 }, (_, at) => zoneNames[at % zoneNames.length] ?? "UTC");

function anyDays(): Weekday[] {
  const some = weekdays.filter(() => random() < 0.4);
  return some.length > 0 ? some : ["mon"];
}

/** Often at the times at which clocks are changed. */
function anyMinute(): number {
  const within = [15, 240, 1440][below(3)] ?? 1440;
  return random() < 0.5 ? below(within) : (below(96) * 15) % 1440;
}

function anyWeekly(): readonly WeeklyWindow[] | undefined {
  if (random() < 0.1) return undefined;
  for (;;) {
    const list = Array.from({ length: 1 + below(3) }, () => {
      const from = anyMinute();
      const to = random() < 0.1 ? 1440 : anyMinute();
      return { days: anyDays(), from, to: to === from ? from + 1 : to === 0 ? 1440 : to };
    });
    if (!overlapOf(list)) return list;
  }
}

/** To the second, and over both ends of the year. */
const anyMoment = (): number => yearFrom - 30 * 86_400_000 + below(425 * 86_400) * 1000;

function anyWindow(): Window {
  const [one, other] = [anyMoment(), anyMoment()];
  return {
    startsAt: random() < 0.3 ? undefined : instant(Math.min(one, other)),
    endsAt: random() < 0.3 ? undefined : instant(Math.max(one, other) + 1000),
    weekly: anyWeekly(),
  };
}

test("for every grant of a year the intervals are those of another implementation", () => {
  say(`seed ${seed}: LATCHD_SEED=${seed} repeats it`);
  let count = 0;
  for (let grant = 0; grant < 2_000; grant++) {
    const name = locks[grant % locks.length] ?? "UTC";
    const window = anyWindow();
    const found = intervals(window, zones.named(name), instant(yearFrom), instant(yearTo));
    const { startsAt = yearFrom, endsAt = yearTo, weekly } = window;
    const wanted = clocks.get(name)?.intervals(weekOf(weekly), startsAt, endsAt);
    expect(found, `${name} ${JSON.stringify(window)}`).toEqual(wanted);
    count += found.length;
  }
  say(`year: 2000 grants on ${locks.length} locks in ${zoneNames.length} zones, ${count} intervals, all equal`);
  expect(count).toBeGreaterThan(100_000);
});

test("in every night in which clocks are changed each minute is as another implementation has it", () => {
  const times = [0, 15, 60, 90, 105, 120, 135, 150, 165, 180, 210, 240, 1380, 1425, 1440];
  const shapes = times.flatMap((from) =>
    times.flatMap((to) => (from === to || from === 1440 || to === 0 ? [] : [{ from, to }])),
  );
  const everyDay = isLong ? [weekdays, weekdays.filter((_, at) => at % 2 === 0)] : [weekdays];
  const around = isLong ? 600 : 240;
  const wrong: string[] = [];
  let [nights, minutes] = [0, 0];
  for (const [name, clock] of clocks) {
    const zone = zones.named(name);
    for (const change of clock.changes) {
      nights += 1;
      for (const { from, to } of shapes) {
        for (const days of everyDay) {
          const window = { startsAt: undefined, endsAt: undefined, weekly: [{ days, from, to }] };
          const week = weekOf(window.weekly);
          for (let at = Math.max(change - around, 0); at < Math.min(change + around, clock.shown.length); at++) {
            const moment = instant(yearFrom + at * minute);
            minutes += 1;
            if (isOpen(window, zone, moment) === (week[clock.shown[at] ?? 0] === 1)) continue;
            wrong.push(`${name} ${new Date(moment).toISOString()} ${JSON.stringify(window)}`);
          }
        }
      }
    }
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  say(`nights: ${nights} changes of clocks, ${shapes.length * everyDay.length} windows, ${minutes} minutes, all equal`);
  expect(nights).toBeGreaterThan(15);
}, 120_000);

test("random grants at random minutes, and their next change, are as another implementation has them", () => {
  const pairs = isLong ? 2_000_000 : 100_000;
  const walls = new Map(zoneNames.map((name) => [name, new WallClock(name)]));
  const wrong: string[] = [];
  let open = 0;
  for (let pair = 0; pair < pairs; ) {
    const name = zoneNames[below(zoneNames.length)] ?? "UTC";
    const zone = zones.named(name);
    const wall = walls.get(name);
    const window = anyWindow();
    for (let more = 0; more < 20; more++, pair++) {
      const at = instant(yearFrom + below((yearTo - yearFrom) / minute) * minute);
      const found = isOpen(window, zone, at);
      open += Number(found);
      const place = `${name} ${new Date(at).toISOString()} ${JSON.stringify(window)}`;
      if (found !== wall?.isOpen(window, at)) wrong.push(place);
      if (more > 0) continue;
      const next = nextChange(window, zone, at);
      // It is another from that moment on, and not before.
      const isThen = (moment: number): boolean => isOpen(window, zone, instant(moment));
      if (next !== undefined && (isThen(next) === found || isThen(next - 1) !== found)) {
        wrong.push(`next change ${new Date(next).toISOString()} after ${place}`);
      }
    }
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  say(`pairs: ${pairs} grants and minutes, ${open} open, all equal`);
  expect(open).toBeGreaterThan(pairs / 50);
}, 300_000);
