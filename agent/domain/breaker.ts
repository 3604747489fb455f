import { type Instant, later, type Milliseconds } from "./instant.ts";

/**
 * How often a lock that does not answer is tried. `closed`: at once whenever there is something to do, and soon again after
 * a round that proved nothing. `open`: too many of those; tried at `next`, however much there is to do, but for what must
 * not wait (Law 5), which is the caller's to know.
 */
export type Breaker = Closed | OpenBreaker;
interface Closed {
  readonly state: "closed";
  /** When rounds ended unconfirmed, with none between or after them that ended well. */
  readonly failures: readonly Instant[];
  /** When the lock is tried again by itself; undefined where its last round ended well. */
  readonly next: Instant | undefined;
}
export interface OpenBreaker {
  readonly state: "open";
  readonly since: Instant;
  /** Tries in a row that failed since it opened, or since the lock was heard of. */
  readonly tries: number;
  readonly next: Instant;
}

const failuresUntilOpen = 3;
const within: Milliseconds = 5 * 60_000;
const firstRetry: Milliseconds = 1_000;
const firstPause: Milliseconds = 60_000;
const longestPause: Milliseconds = 30 * 60_000;

export const closed: Breaker = { state: "closed", failures: [], next: undefined };

/**
 * After a round in which the lock was silent, or left all that was asked of it in doubt.
 *
 * @param began when that round did: silence takes its time, and half an hour is from try to try.
 * @param random uniform in [0, 1): takes up to a tenth off a pause, so that locks which fell silent together do not come
 *   back together.
 */
export function failed(breaker: Breaker, began: Instant, now: Instant, random: () => number): Breaker {
  const after = (first: Milliseconds, nth: number): Instant => {
    const longest = Math.max(longestPause - Math.max(now - began, 0), first);
    return later(now, Math.round(Math.min(first * 2 ** Math.min(nth - 1, 30), longest) * (1 - random() / 10)));
  };
  if (breaker.state === "open") {
    // A try that was made before its time changes nothing: else a stream of revokes would put off all that waits.
    if (!isDue(breaker, now)) return breaker;
    const tries = breaker.tries + 1;
    return { ...breaker, tries, next: after(firstPause, tries) };
  }
  const failures = [...breaker.failures, now].filter((at) => at <= now && at > now - within);
  if (failures.length < failuresUntilOpen)
    return { state: "closed", failures, next: after(firstRetry, failures.length) };
  return { state: "open", since: now, tries: 1, next: after(firstPause, 1) };
}

/** The lock, or the wire that it is on, was heard of: it is worth a try at once, and more of them soon. */
export const heard = (breaker: Breaker, now: Instant): Breaker =>
  breaker.state === "open" ? { ...breaker, tries: 0, next: now } : breaker;

/** Whether it is time to try; so it is where the clock was set back, and no pause is that long. */
export const isDue = (breaker: Breaker, now: Instant): boolean =>
  breaker.state === "closed" || breaker.next <= now || breaker.next > now + longestPause;
