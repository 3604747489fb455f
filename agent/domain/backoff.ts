import type { Milliseconds } from "./instant.ts";

/**
 * How long to wait before try number `attempt` + 1: doubles from `first` to `most`, and is then cut by up to a half at
 * random, so that many that failed together do not come back together.
 *
 * @param random uniform in [0, 1).
 */
export function backoff(attempt: number, first: Milliseconds, most: Milliseconds, random: () => number): Milliseconds {
  const full = Math.min(first * 2 ** Math.min(Math.max(attempt - 1, 0), 30), most);
  return Math.round(full * (1 - random() / 2));
}
