import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../../agent/domain/instant.ts";
import { SteadyClock } from "../../../drivers/osdp/steady-clock.ts";

test("SteadyClock goes on as the clock does, and stands still where that is set back", () => {
  const steps = array(integer({ min: -100_000, max: 100_000 }), { maxLength: 50 });
  assert(
    property(steps, (by) => {
      let wall = 1_790_000_000_000;
      const clock = new SteadyClock({ now: () => instant(wall), sleep: async () => undefined });
      let last = clock.now();
      for (const step of by) {
        wall += step;
        const now = clock.now();
        expect(now - last).toBe(Math.max(step, 0));
        last = now;
      }
    }),
  );
});
