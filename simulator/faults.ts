import type { Milliseconds } from "../agent/domain/instant.ts";

/** How bad the way to a lock is. Shares are between 0 and 1. */
export interface Odds {
  /** The shortest and the longest that a request and its answer are under way. */
  readonly delay: readonly [Milliseconds, Milliseconds];
  /** Of all answers: the lock has done what it was asked, and nobody is told. */
  readonly lose: number;
  /** Of all writes: they are given up, and reach the lock later. */
  readonly late: number;
}

/** What becomes of one request. */
export interface Fate {
  readonly delay: Milliseconds;
  readonly becomes: "answered" | "lost" | "late";
  /** When the lock gets it that is late. */
  readonly lateBy: Milliseconds;
}

export const noFaults: Odds = { delay: [0, 0], lose: 0, late: 0 };

/** Longer than an agent waits before it looks again, and much shorter than any wire promises. */
const lateness: readonly [Milliseconds, Milliseconds] = [1_500, 4_000];

/** The fates of one lock's requests, one after the other: the same for the same seed. Pure. */
export class Faults {
  readonly #odds: Odds;
  readonly #random: () => number;

  constructor(odds: Odds, seed: number) {
    this.#odds = odds;
    this.#random = seeded(seed);
  }

  next(request: "write" | "other"): Fate {
    const { delay, lose, late } = this.#odds;
    // Always the same number of draws, so that one request's fate does not depend on what the one before it was.
    const [pace, luck, lateBy] = [this.#random(), this.#random(), within(lateness, this.#random())];
    const isLate = request === "write" && luck < late;
    const becomes = isLate ? "late" : luck >= 1 - lose ? "lost" : "answered";
    return { delay: within(delay, pace), becomes, lateBy };
  }
}

const within = ([least, most]: readonly [number, number], share: number): number => least + share * (most - least);

/** Numbers from 0 to 1, small and fast (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
