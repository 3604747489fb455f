import { expect, test } from "vitest";
import { type Force, forceOf, hasEnded, type Keeping } from "../../agent/domain/force.ts";
import { type Instant, instant, later } from "../../agent/domain/instant.ts";
import type { Window } from "../../agent/domain/schedule.ts";
import { TimeZone } from "../../agent/domain/time-zone.ts";
import type { WeeklyWindow } from "../../agent/domain/weekly.ts";

const utc = new TimeZone("UTC");
const hour = 3600_000;
/** A monday. */
const noon = instant(Date.UTC(2027, 0, 11, 12));
const after = (hours: number): Instant => later(noon, hours * hour);
const evening: readonly WeeklyWindow[] = [{ days: ["mon", "fri"], from: 1200, to: 1320 }];
const twice: readonly WeeklyWindow[] = [...evening, { days: ["sat"], from: 0, to: 60 }];

type Said = Omit<Force, "openings">;
const isOut = (changesAt?: Instant, opensAt?: Instant): Said => ({
  inForce: false,
  dormant: false,
  changesAt,
  opensAt,
});
const isIn = (changesAt?: Instant, opensAt?: Instant): Said => ({ ...isOut(changesAt, opensAt), inForce: true });
const isDormant = (changesAt: Instant, opensAt: Instant): Said => ({ ...isIn(changesAt, opensAt), dormant: true });

test.each<[string, Partial<Window>, Keeping, number, Said]>([
  ["without a window", {}, "agent", 0, isIn()],
  ["that is open", { endsAt: after(1) }, "agent", 2, isIn(after(1))],
  ["that is to come", { startsAt: after(3) }, "agent", 0, isOut(after(3), after(3))],
  ["whose lead is to come", { startsAt: after(3) }, "agent", 2, isOut(after(1), after(3))],
  ["whose lead begins now", { startsAt: after(3) }, "agent", 3, isIn(after(3), after(3))],
  ["whose lead has begun", { startsAt: after(3) }, "agent", 4, isIn(after(3), after(3))],
  ["between its hours", { weekly: evening }, "agent", 1, isOut(after(7), after(8))],
  ["that ends before its hours come", { weekly: evening, endsAt: after(2) }, "agent", 24, isOut(after(2))],
  ["that never opens", { weekly: [] }, "agent", 24, isOut()],

  ["that is open", { endsAt: after(1) }, "suspended", 2, isIn(after(1))],
  ["between its hours", { weekly: evening }, "suspended", 1, isDormant(after(7), after(8))],
  [
    "between its hours, which began just now",
    { weekly: evening, startsAt: noon },
    "suspended",
    1,
    isDormant(after(7), after(8)),
  ],
  ["between its hours, whose lead has begun", { weekly: evening }, "suspended", 9, isIn(after(8), after(8))],
  ["that has not begun", { weekly: evening, startsAt: after(1) }, "suspended", 1, isOut(after(7), after(8))],
  ["that ends before its hours come", { weekly: evening, endsAt: after(2) }, "suspended", 24, isOut(after(2))],

  ["that is open", { endsAt: after(1) }, "lock", 2, isIn(after(1))],
  ["between its hours", { weekly: evening }, "lock", 1, isDormant(after(8), after(8))],
  ["that begins in a day", { startsAt: after(24) }, "lock", 0, isDormant(after(24), after(24))],
  ["that begins in more than a day", { startsAt: after(25) }, "lock", 0, isOut(after(1), after(25))],
  ["that begins in a day and less than its lead", { startsAt: after(40) }, "lock", 40, isDormant(after(40), after(40))],
  ["that begins in a day and its lead", { startsAt: after(40) }, "lock", 39, isOut(after(1), after(40))],
  ["that ends before its hours come", { weekly: evening, endsAt: after(2) }, "lock", 24, isOut(after(2))],
])("forceOf() a grant %s, kept by the %s, with a lead of %i h", (_, of, keeping, lead, expected) => {
  const window = { startsAt: undefined, endsAt: undefined, weekly: undefined, ...of };
  const { openings: _openings, ...force } = forceOf(window, utc, { lead: lead * hour, now: noon, keeping });
  expect(force).toEqual(expected);
});

test.each<[readonly WeeklyWindow[] | undefined, number]>([
  [undefined, 0],
  [[], 0],
  [evening, 2],
  [twice, 3],
])(
  "forceOf() tells how often a day %j has a code placed, which a lock that keeps the window does not need",
  (weekly, openings) => {
    const window = { startsAt: undefined, endsAt: undefined, weekly };
    for (const now of [noon, after(9)]) {
      const daily = (keeping: Keeping): number => forceOf(window, utc, { lead: 0, now, keeping }).openings;
      expect(daily("agent") * 7).toBeCloseTo(openings);
      expect(daily("suspended")).toBe(daily("agent"));
      expect(daily("lock")).toBe(0);
    }
  },
);

test("hasEnded() is true from the end on, and never without one", () => {
  const window = { startsAt: undefined, endsAt: noon, weekly: undefined };
  expect([after(-1), noon, after(1)].map((now) => hasEnded(window, now))).toEqual([false, true, true]);
  expect(hasEnded({ ...window, endsAt: undefined }, after(1))).toBe(false);
});
