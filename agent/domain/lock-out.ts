import type { DoorSettings } from "./door-rule.ts";
import { type Instant, later } from "./instant.ts";

/** Wrong codes at one reader, in a row. */
export interface LockOut {
  readonly wrong: number;
  readonly last: Instant;
  /** No code is taken before. */
  readonly until: Instant | undefined;
}
type Limit = DoorSettings["lockOut"];

/** Where the clock was set back since, nobody is kept out until it is then again. */
export const isLockedOut = (state: LockOut | undefined, now: Instant): boolean =>
  state?.until !== undefined && now >= state.last && now < state.until;

/**
 * After one more wrong code. What was wrong so long ago that a lock-out would be over has been forgotten. One more does not
 * end a lock-out.
 */
export function wrongCode(state: LockOut | undefined, now: Instant, limit: Limit): LockOut {
  if (state && isLockedOut(state, now)) return state;
  const isRow = state !== undefined && state.until === undefined;
  const isFresh = isRow && now >= state.last && now < later(state.last, limit.for);
  const wrong = (isFresh ? state.wrong : 0) + 1;
  return { wrong, last: now, until: wrong >= limit.count ? later(now, limit.for) : undefined };
}
