import { expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { orderedId } from "../../agent/store/ordered-id.ts";

test("is a UUID of version 7 that begins with the time, as RFC 9562 has it in its example", () => {
  // Appendix A.6: 22 February 2022, 19:22:22 UTC.
  const id = orderedId(instant(1_645_557_742_000));
  expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("is another each time, and in order of time", () => {
  const ids = Array.from({ length: 1_000 }, (_, at) => orderedId(instant(1_750_000_000_000 + at)));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(Array.from({ length: 1_000 }, () => orderedId(instant(0)))).size).toBe(1_000);
});
