import type { CredentialId, CredentialKind, Fingerprint } from "./credential.ts";
import type { DeviceId, LockId, PlacementId, UserIdentityId } from "./ids.ts";
import type { Instant, Milliseconds } from "./instant.ts";
import type { Late } from "./late.ts";
import type { When } from "./lock-window.ts";
import type { Proof, SlotName } from "./slot.ts";

/**
 * What we believe of a credential on one lock. `nowhere`: not on it. `held`: in its slot, and `proof` says how we know.
 * `write`, `clear`, `switch`: sent and not answered, in doubt until the slot is read (Law 3); the slot of a write is unknown
 * where the lock chooses slots and its answer was lost; a `switch` suspends a code, or lets it open again. `inFlight`: the
 * answer may still come; ends with the process.
 */
export type Belief =
  | { readonly at: "nowhere"; readonly proof: Proof | "never_sent" }
  | {
      readonly at: "held";
      readonly slot: SlotName;
      readonly proof: Proof;
      /** Suspended: it is there, and does not open. */
      readonly disabled?: "by_us" | "by_hand";
      /** The lock says that it opens at other times than it was written for. */
      readonly otherWindow?: true;
    }
  | {
      readonly at: "write";
      readonly slot: SlotName | undefined;
      readonly wasEmpty: boolean;
      readonly inFlight: boolean;
    }
  | { readonly at: "clear"; readonly slot: SlotName; readonly inFlight: boolean }
  | { readonly at: "switch"; readonly slot: SlotName; readonly on: boolean; readonly inFlight: boolean };

export type Refusal =
  | "full"
  | "duplicate"
  | "invalid"
  | "forbidden"
  | "not_kept"
  | "kind_not_supported"
  | "changed_on_lock";

/** A credential on its way to, in, or on its way out of a slot of one lock. */
export interface Placement {
  readonly id: PlacementId;
  /** The door that it is for. */
  readonly device: DeviceId;
  /** The lock that it is, or is to be, on: the one that was at the device when it was made. */
  readonly lock: LockId;
  readonly identity: UserIdentityId;
  readonly credential: CredentialId;
  readonly kind: CredentialKind;
  readonly fingerprint: Fingerprint;
  /** Some grant of the person on the device is in force, and this is a credential to use it with. */
  readonly wanted: boolean;
  /** When it opens by the lock's own doing: another window is another placement. */
  readonly when: When;
  /** No grant is open now: where the lock does not keep the window, the code is to be suspended until one is. */
  readonly dormant: boolean;
  /** What somebody changes on the lock itself stands. */
  readonly external: boolean;
  readonly belief: Belief;
  readonly late: Late | undefined;
  /** Why the lock, or its limits, will not have it. Remembered until something changes (Law 8). */
  readonly refusal: { readonly reason: Refusal; readonly detail: string | undefined } | undefined;
  /** Something happened at the lock that makes what we believe worth a look. */
  readonly suspect: boolean;
  /** There was no spare slot: the code before it was taken away before this one was there. */
  readonly inPlace: boolean;
  /** Commands sent since it was last where it should be. */
  readonly attempts: number;
  /** Tries in a row that left it in doubt: the pauses between them grow. */
  readonly pauses: number;
  /** Not to be worked on before. */
  readonly next: Instant | undefined;
}

/** What the grants of a person on a device say of all their placements there. */
export type Wish = Pick<Placement, "when" | "dormant" | "external">;

/** Nothing is put off for longer at a time. */
export const longestPause: Milliseconds = 31 * 60_000;

export const newPlacement = (
  of: Pick<Placement, "id" | "device" | "lock" | "identity" | "credential" | "kind" | "fingerprint"> & Partial<Wish>,
): Placement => ({
  wanted: true,
  when: "always",
  dormant: false,
  external: false,
  ...of,
  belief: { at: "nowhere", proof: "never_sent" },
  late: undefined,
  refusal: undefined,
  suspect: false,
  inPlace: false,
  attempts: 0,
  pauses: 0,
  next: undefined,
});

/** Where it is, or may be, on the lock. */
export const slotOf = ({ belief }: Placement): SlotName | undefined =>
  belief.at === "nowhere" ? undefined : belief.slot;

/** Nothing of it is on the lock, and nothing is under way that could put it there. */
export const isClean = ({ belief, late }: Placement): boolean => belief.at === "nowhere" && late === undefined;

/** Something may be in its slot, and nobody can say whether it is ours. */
export const isUnknowable = ({ belief }: Placement): boolean =>
  belief.at === "write" && !belief.wasEmpty && !belief.inFlight;

/** It may stay on the lock, and is not to open now, which the lock does not see to by itself. */
export const isToBeShut = ({ wanted, dormant, when }: Placement): boolean => wanted && dormant && when === "always";

/** It is proven not to open now, as far as it is not to: it is not there, is suspended, or its lock keeps the window. */
export function isShut(placement: Placement): boolean {
  const { belief, late, when, dormant, wanted } = placement;
  if (!wanted) return isClean(placement);
  if (belief.at === "nowhere") return late === undefined || when !== "always";
  if (belief.at !== "held" || belief.otherWindow) return false;
  if (when !== "always") return dormant;
  return belief.disabled !== undefined && late === undefined;
}

/** What takes something away comes first, however many there are to be written (Law 5). */
export const isLeaving = (placement: Placement): boolean =>
  !placement.wanted || (isToBeShut(placement) && !isShut(placement)) || opensAtOtherTimes(placement);

/**
 * There is nothing to do about it, now or at a time that is known, whatever its lock can do: it is only in the way of others
 * that look for a slot.
 */
export function isAtRest(placement: Placement): boolean {
  const { belief, wanted, suspect, late, refusal, next } = placement;
  if (belief.at !== "held" || belief.disabled !== undefined || belief.otherWindow) return false;
  return wanted && !suspect && !late && !refusal && next === undefined && !isToBeShut(placement);
}

export const opensAtOtherTimes = ({ belief }: Placement): boolean =>
  belief.at === "held" && belief.otherWindow === true;

/**
 * What was to go may stay: before it is called live again, the lock is asked whether it is still there. What we have
 * suspended ourselves is not taken for what somebody has done at the lock.
 */
export function doubted(placement: Placement): Placement {
  const { belief, late } = placement;
  if (belief.at !== "held") return placement;
  const { slot, disabled } = belief;
  if (disabled === "by_us") return { ...placement, belief: { at: "switch", slot, on: false, inFlight: false } };
  return {
    ...placement,
    belief: { at: "write", slot, wasEmpty: true, inFlight: false },
    // That it turns up is no sign of a write that is still to come.
    late: late && { ...late, writes: late.writes + 1 },
  };
}

/** The process that waited for the answer has ended: it can no longer come. */
export const interrupted = (placement: Placement): Placement =>
  "inFlight" in placement.belief ? { ...placement, belief: { ...placement.belief, inFlight: false } } : placement;
