import * as fc from "fast-check";
import { expect, test } from "vitest";
import { deadlineOf } from "../../agent/domain/action-attempt.ts";
import { instant } from "../../agent/domain/instant.ts";

const now = instant(1_000_000);
const at = (ms: number): ReturnType<typeof instant> => instant(now + ms);

test.each([
  [0, undefined, 10_000],
  [-4_000, undefined, 6_000],
  [-9_999, undefined, 1],
  [-10_000, undefined, undefined],
  // A clock that is ahead makes it good for no longer.
  [5_000, undefined, 10_000],
  [5_001, undefined, undefined],
  [0, 3_000, 3_000],
  [0, 60_000, 10_000],
  [0, 0, undefined],
])("said %i ms from now, to be over %s ms from now: it may be sent for %s ms", (said, over, left) => {
  const expiresAt = over === undefined ? undefined : at(over);
  expect(deadlineOf({ issuedAt: at(said), expiresAt }, 10_000, now)).toEqual(left === undefined ? undefined : at(left));
});

test("it is never good for longer than after it was said, nor than its sender allows", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -100_000, max: 100_000 }),
      fc.option(fc.integer({ min: -100_000, max: 100_000 }), { nil: undefined }),
      fc.integer({ min: 1, max: 60_000 }),
      (said, over, goodFor) => {
        const expiresAt = over === undefined ? undefined : at(over);
        const deadline = deadlineOf({ issuedAt: at(said), expiresAt }, goodFor, now);
        if (deadline === undefined) return;
        expect(deadline).toBeGreaterThan(now);
        expect(deadline).toBeLessThanOrEqual(Math.min(said, 0) + now + goodFor);
        expect(deadline).toBeLessThanOrEqual(expiresAt ?? Number.POSITIVE_INFINITY);
      },
    ),
  );
});
