import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { type Fate, Faults } from "../../simulator/faults.ts";

const some = (count: number, seed: number, odds = { lose: 0.1, late: 0.1 }): readonly Fate[] => {
  const faults = new Faults({ delay: [5, 50], ...odds }, seed);
  return Array.from({ length: count }, () => faults.next("write"));
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
  const reads = new Faults({ delay: [0, 0], lose: 0, late: 1 }, 7);
  expect(reads.next("other").becomes).toBe("answered");
  expect(reads.next("write").becomes).toBe("late");
});
