import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backoff } from "../../agent/domain/backoff.ts";

test("backoff() doubles from the first pause to the longest", () => {
  const pauses = [1, 2, 3, 4, 5, 6].map((attempt) => backoff(attempt, 1_000, 10_000, () => 0));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test("backoff() is never below half of that, and never above, for any number of attempts", () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
      const full = backoff(attempt, 1_000, 300_000, () => 0);
      const cut = backoff(attempt, 1_000, 300_000, () => random);
      expect(cut).toBeGreaterThanOrEqual(Math.floor(full / 2));
      expect(cut).toBeLessThanOrEqual(full);
      expect(full).toBeLessThanOrEqual(300_000);
    }),
  );
});
