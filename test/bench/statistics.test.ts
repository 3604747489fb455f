import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { median, percentile, spread } from "./statistics.ts";

test("median() is the middle one, or halfway between the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test("percentile() is a value of which so many of a hundred are no larger", () => {
  assert(
    property(
      array(integer({ min: -1e6, max: 1e6 }), { minLength: 1 }),
      integer({ min: 1, max: 100 }),
      (values, percent) => {
        const found = percentile(values, percent);
        expect(values).toContain(found);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual((percent / 100) * values.length);
        expect(values.filter((value) => value < found).length).toBeLessThan((percent / 100) * values.length);
      },
    ),
  );
});

test("spread() is how far values lie apart, of their median", () => {
  expect(spread([5, 5, 5])).toBe(0);
  expect(spread([90, 100, 110])).toBeCloseTo(0.2);
});
