import { type Instant, instant, later, type Milliseconds } from "./instant.ts";
import type { SlotName } from "./slot.ts";

/** Unanswered or refused writes may still be executed by the lock, in this slot, until this time. */
export interface Late {
  readonly slot: SlotName;
  /** How many of them. */
  readonly writes: number;
  readonly since: Instant;
  readonly until: Instant;
  /** When the slot is to be looked at next: a minute later, then as much later as the write is old. */
  readonly check: Instant;
}
const firstCheck: Milliseconds = 60_000;
const lastCheck: Milliseconds = 30 * 60_000;

/** One more write that may be executed late: none where silence means that it will not be. */
export function oneMore(
  late: Late | undefined,
  slot: SlotName | undefined,
  settles: Milliseconds | undefined,
  now: Instant,
): Late | undefined {
  if (slot === undefined || settles === undefined) return late;
  const writes = (late?.writes ?? 0) + 1;
  return { slot, writes, since: now, until: later(now, settles), check: later(now, firstCheck) };
}

/** One of them was answered. */
export const oneLess = (late: Late | undefined): Late | undefined =>
  late && late.writes > 1 ? { ...late, writes: late.writes - 1 } : undefined;

/** After its slot was read. */
export function stillLate(late: Late, now: Instant): Late | undefined {
  if (late.until <= now) return undefined;
  const pause = Math.min(Math.max(now - late.since, firstCheck), lastCheck);
  return { ...late, check: instant(Math.min(later(now, pause), late.until)) };
}
