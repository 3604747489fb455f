import { type Instant, instant, later, type Milliseconds } from "./instant.ts";
import { isOpen, nextChange, type Window } from "./schedule.ts";
import type { TimeZone } from "./time-zone.ts";

/** Whether a grant is in force, and when that is to be looked at again. */
export interface Force {
  /** The person may have what opens the device. */
  readonly inForce: boolean;
  /** It is in force, and nothing may open now: the lock sees to that, and keeps the code. */
  readonly dormant: boolean;
  /** Undefined: it stays as it is. */
  readonly changesAt: Instant | undefined;
  /** While nothing may open: when its window opens next, if ever. */
  readonly opensAt: Instant | undefined;
  /** How often the code is placed, and taken away again, on an average day. */
  readonly openings: number;
}

/**
 * Who keeps a code from opening outside its window. `agent`: it is on the lock only while it may open. `suspended`: it
 * stays there between windows, and does not open. `lock`: it is there with its window, and ahead of it.
 */
export type Keeping = "agent" | "suspended" | "lock";

/** What a lock keeps by itself is there so long before it first opens: also where the gateway has died meanwhile. */
const ahead: Milliseconds = 24 * 3600_000;

/** @param lead how long before its window opens a grant is in force, so that the code is on the lock by then. */
export function forceOf(
  window: Window,
  zone: TimeZone,
  { lead, now, keeping }: { readonly lead: Milliseconds; readonly now: Instant; readonly keeping: Keeping },
): Force {
  const openings = keeping === "lock" ? 0 : openingsOf(window);
  const change = nextChange(window, zone, now);
  if (isOpen(window, zone, now)) {
    return { inForce: true, dormant: false, changesAt: change, opensAt: undefined, openings };
  }
  const opensAt = change;
  if (opensAt === undefined) return { inForce: false, dormant: false, changesAt: window.endsAt, opensAt, openings };
  const from = later(opensAt, -lead);
  if (keeping !== "lock" && from <= now)
    return { inForce: true, dormant: false, changesAt: opensAt, opensAt, openings };
  const there = instant(Math.min(from, keeping === "lock" ? opensAt - ahead : from));
  const hasBegun = keeping !== "agent" && hasStarted(window, now);
  if (hasBegun || there <= now) {
    return { inForce: true, dormant: true, changesAt: keeping === "lock" ? opensAt : from, opensAt, openings };
  }
  return { inForce: false, dormant: false, changesAt: there, opensAt, openings };
}

const openingsOf = ({ weekly = [] }: Window): number => weekly.reduce((sum, { days }) => sum + days.length / 7, 0);

const hasStarted = ({ startsAt }: Window, now: Instant): boolean => startsAt === undefined || startsAt <= now;

export const hasEnded = ({ endsAt }: Window, now: Instant): boolean => endsAt !== undefined && endsAt <= now;
