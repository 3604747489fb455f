import type { Fingerprint } from "./credential.ts";
import type { LockId, PlacementId } from "./ids.ts";
import { doubted, interrupted, isClean, type Placement, slotOf } from "./placement.ts";
import type { SlotName } from "./slot.ts";

/**
 * Its lock is not at its device any more: there nothing of it is wanted. What is on that lock stays known, and is gone only
 * when that lock itself has said so.
 */
export const displaced = (placement: Placement): Placement => ({
  ...interrupted(placement),
  wanted: false,
  next: undefined,
});

/** It may be another lock that is there, or the same one: it is asked before anything is said of it again. */
export const uncertain = (placement: Placement): Placement => ({
  ...doubted(interrupted(placement)),
  suspect: !isClean(placement),
  next: undefined,
});

/**
 * Its lock was elsewhere. What was in doubt when it left and is masked when it is back may be its owner's: that it is ours
 * would be a guess (Law 6).
 */
export function returned(placement: Placement): Placement {
  const { belief, late, attempts } = placement;
  const slot = belief.at === "nowhere" ? late?.slot : belief.slot;
  // What was proven to be there, and nothing was sent since, was in no doubt but whether that is still the lock.
  const wasHeld = belief.at === "held" || ((belief.at === "write" || belief.at === "switch") && attempts === 0);
  if (wasHeld || slot === undefined) return uncertain(placement);
  return { ...uncertain(placement), belief: { at: "write", slot, wasEmpty: false, inFlight: false } };
}

/** What was written while one lock was changed for another may be on the other, too: that is looked at there. */
export const astray = (placement: Placement, id: PlacementId, lock: LockId): Placement => ({
  ...placement,
  id,
  lock,
  wanted: false,
  belief: { at: "write", slot: slotOf(placement), wasEmpty: false, inFlight: false },
  refusal: undefined,
  next: undefined,
});

/** The lock has taken on another name, and what we put into it goes by that name from now on. */
export const renamed = (placement: Placement, lock: LockId): Placement => ({ ...placement, lock, next: undefined });

/** Whether this code in that slot is what the placement is about. */
export const isAbout = (placement: Placement, slot: SlotName, fingerprint: Fingerprint): boolean =>
  placement.fingerprint === fingerprint &&
  (slotOf(placement) === slot ||
    placement.late?.slot === slot ||
    (placement.belief.at === "write" && placement.belief.slot === undefined));
