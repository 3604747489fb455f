import { type Instant, later, type Milliseconds } from "./instant.ts";
import { isOpen, nextChange, type Window } from "./schedule.ts";
import type { TimeZone } from "./time-zone.ts";

/** Whether a grant is in force, and when that is to be looked at again. */
export interface Force {
  /** The person may have what opens the device. */
  readonly inForce: boolean;
  /** Undefined: it stays as it is. */
  readonly changesAt: Instant | undefined;
  /** While it is not in force: when its window opens next, if ever. */
  readonly opensAt: Instant | undefined;
  /** How often it opens on an average day. */
  readonly openings: number;
}

/** @param lead how long before its window opens a grant is in force, so that the code is on the lock by then. */
export function forceOf(
  window: Window,
  zone: TimeZone,
  { lead, now }: { readonly lead: Milliseconds; readonly now: Instant },
): Force {
  const openings = openingsOf(window);
  const change = nextChange(window, zone, now);
  if (isOpen(window, zone, now)) return { inForce: true, changesAt: change, opensAt: undefined, openings };
  const opensAt = change;
  if (opensAt === undefined) return { inForce: false, changesAt: window.endsAt, opensAt, openings };
  const from = later(opensAt, -lead);
  return from <= now
    ? { inForce: true, changesAt: opensAt, opensAt, openings }
    : { inForce: false, changesAt: from, opensAt, openings };
}

const openingsOf = ({ weekly = [] }: Window): number => weekly.reduce((sum, { days }) => sum + days.length / 7, 0);

export const hasEnded = ({ endsAt }: Window, now: Instant): boolean => endsAt !== undefined && endsAt <= now;
