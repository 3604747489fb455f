import { array, assert, boolean, constantFrom, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { instant, later } from "../../agent/domain/instant.ts";
import { type FaultName, faultNames, faultSetting, faults, requestKinds } from "../../simulator/fault.ts";
import { type Fate, Faults, faultsOf } from "../../simulator/faults.ts";

const now = instant(1_790_000_000_000);
const some = (count: number, seed: number, odds = { lose: 0.1, late: 0.1 }): readonly Fate[] => {
  const misfortunes = new Faults(seed, faultsOf({ delay: [5, 50], ...odds }));
  return Array.from({ length: count }, () => misfortunes.next("write", now));
};

test("Faults: the same seed, the same fates; each within what it was asked for", () => {
  assert(
    property(integer(), (seed) => {
      const fates = some(20, seed);
      expect(some(20, seed)).toEqual(fates);
      expect(fates.filter(({ delay }) => delay < 5 || delay > 50)).toEqual([]);
      // What is late arrives after the agent has looked, and before the wire's promise ends.
      expect(fates.filter(({ lateBy }) => lateBy < 1_000 || lateBy > 120_000)).toEqual([]);
    }),
    { numRuns: 20 },
  );
});

test("Faults: of many, about the share that was asked for; nothing but a write is late", () => {
  const fates = some(10_000, 7);
  for (const what of ["late", "lost"]) {
    const share = fates.filter(({ becomes }) => becomes === what).length / fates.length;
    expect(share).toBeCloseTo(0.1, 1.5);
  }
  const late = new Faults(7, faultsOf({ delay: [0, 0], lose: 0, late: 1 }));
  expect(late.next("read", now).becomes).toBe("answered");
  expect(late.next("write", now).becomes).toBe("late");
});

test("Faults: whatever is switched on and off in whatever order, a seed repeats the same misfortunes", () => {
  const change = record({ fault: constantFrom(...faultNames), on: boolean(), share: constantFrom(0.2, 0.5, 0.9) });
  const life = array(record({ changes: array(change, { maxLength: 2 }), request: constantFrom(...requestKinds) }));
  assert(
    property(integer(), life, (seed, moments) => {
      const lived = (): readonly Fate[] => {
        const misfortunes = new Faults(seed);
        return moments.map(({ changes, request }, index) => {
          for (const { fault, on, share } of changes) {
            if (on) misfortunes.begin({ fault, ...(takesShare(fault) ? { share } : {}) }, now);
            else misfortunes.end(fault);
          }
          return misfortunes.next(request, later(now, index));
        });
      };
      expect(lived()).toEqual(lived());
    }),
    { numRuns: 60 },
  );
});

test("Faults: one fault strikes the same requests, whichever others are on", () => {
  assert(
    property(integer(), constantFrom(...faultNames), (seed, other) => {
      const struck = (more: readonly FaultName[]): readonly boolean[] => {
        const misfortunes = new Faults(seed);
        for (const fault of more) misfortunes.begin({ fault }, now);
        misfortunes.begin({ fault: "loses_replies", share: 0.4 }, now);
        return Array.from({ length: 30 }, () => misfortunes.next("write", now).strikes.has("loses_replies"));
      };
      expect(struck([other])).toEqual(struck([]));
    }),
    { numRuns: 20 },
  );
});

test("Faults.begin() for some seconds ends by itself, and only of what it was asked for", () => {
  const misfortunes = new Faults(1);
  misfortunes.begin({ fault: "deaf", seconds: 2, to: ["clear"] }, now);
  expect(misfortunes.next("write", now).becomes).toBe("answered");
  expect(misfortunes.next("clear", now).becomes).toBe("unheard");
  expect(misfortunes.next("clear", later(now, 1_999)).becomes).toBe("unheard");
  expect(misfortunes.next("clear", later(now, 2_000)).becomes).toBe("answered");
  expect(misfortunes.running(later(now, 2_000))).toEqual([]);
});

test.each(faultNames)("the fault %s spoils what it says, with what it takes", (fault) => {
  const { spoils } = faults[fault];
  const misfortunes = new Faults(1);
  misfortunes.begin({ fault }, now);
  const struck = requestKinds.filter((kind) => misfortunes.next(kind, now).strikes.has(fault));
  expect(struck).toEqual(requestKinds.filter((kind) => spoils.some((spoiled) => spoiled === kind)));
  expect(faultSetting.safeParse({ fault, seconds: 1 }).success).toBe(true);
});

const takesShare = (fault: FaultName): boolean => faults[fault].takes.some((option) => option === "share");

test.each([
  [{ fault: "clock_skewed", share: 0.5 }, ["share"], "clock_skewed has no such option; it has seconds, by_seconds"],
  [{ fault: "masks_codes", to: ["write"] }, ["to"], "masks_codes has no such option; it has seconds, share"],
  [
    { fault: "refuses", to: ["write", "read"] },
    ["to", 1],
    "refuses spoils no read; it spoils write, clear, enable, bolt",
  ],
  [{ fault: "slow", ms: [9, 5] }, ["ms"], "must have the lesser number first"],
])("faultSetting: %j is refused, where and why", (given, path, message) => {
  expect(faultSetting.safeParse(given).error?.issues).toMatchObject([{ path, message }]);
});
