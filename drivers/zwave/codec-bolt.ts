import type { Place } from "../shared/settled-bolt.ts";
import type { Happening, Reported } from "./codec-event.ts";

/*
 * What a lock says of its bolt, in the terms of zwave-js: `DoorLockMode`, and the status of a supervised command. Pure.
 */

const locked = new Set([0xff]);
/** With a timeout after which it locks by itself, too; and where only the handle outside opens. */
const unlocked = new Set([0x00, 0x01, 0x20, 0x21]);

/** Where a mode says that the bolt is: undefined where it does not say, or where the door opens from inside only. */
export function placeOf(mode: unknown): Place | undefined {
  if (typeof mode !== "number") return undefined;
  if (locked.has(mode)) return "locked";
  return unlocked.has(mode) ? "unlocked" : undefined;
}

/** By `SupervisionStatus`. A lock that is at it (1) has not said how it ended. */
export function wordOf(status: number | undefined): "yes" | { readonly no: undefined } | undefined {
  if (status === 0xff) return "yes";
  return status === 0x00 || status === 0x02 ? { no: undefined } : undefined;
}

const doorLockClass = 0x62;

/** That a bolt has moved, by what a lock reports of its mode: of one that tells so by nothing else. */
export function movedIn({ commandClass, property, prevValue: before, newValue: now }: Reported): Happening | undefined {
  if (commandClass !== doorLockClass || property !== "currentMode") return undefined;
  const [was, is] = [placeOf(before), placeOf(now)];
  return was && is && was !== is ? { event: is, method: "unknown" } : undefined;
}
