import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../drivers/driver.ts";
import { instant } from "./domain/instant.ts";

/** A timer counts in 31 bits; beyond that it would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),

  async sleep(ms, signal) {
    signal?.throwIfAborted();
    for (let left = ms; left > 0; left -= longestTimer) {
      try {
        await wait(Math.min(left, longestTimer), undefined, signal && { signal });
      } catch (cause) {
        signal?.throwIfAborted();
        throw cause;
      }
    }
  },
};
