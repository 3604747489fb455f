import { type DeviceId, type LockId, lockId } from "./ids.ts";
import type { Placement } from "./placement.ts";
import { slotName } from "./slot.ts";

const prefix = "decided-here:";

/** Where the agent itself decides who may open a device: what stands for the lock that its codes would be on. */
export const hereOf = (device: DeviceId): LockId => lockId(`${prefix}${device}`);
export const isHere = (lock: LockId): boolean => lock.startsWith(prefix);

/**
 * What is wanted opens, and what is not does not, from the commit on that says so: there is no lock that would have to be
 * told (Law 4, `decided_here`).
 */
export function decidedHere(placement: Placement): Placement {
  const { wanted, refusal, belief } = placement;
  const before = belief.at === "nowhere" ? belief.proof : "decided_here";
  return {
    ...placement,
    dormant: false,
    belief:
      wanted && refusal === undefined
        ? { at: "held", slot: slotName(placement.credential), proof: "decided_here" }
        : { at: "nowhere", proof: before },
    late: undefined,
    suspect: false,
    inPlace: false,
    next: undefined,
  };
}
