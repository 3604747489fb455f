import type { CredentialId, CredentialKind, Fingerprint } from "./credential.ts";
import type { DeviceId, LockId, PlacementId, UserIdentityId } from "./ids.ts";
import { type Instant, later, type Milliseconds } from "./instant.ts";
import { type Late, oneLess, oneMore, stillLate } from "./late.ts";
import type { Observed, Proof, SlotName } from "./slot.ts";

/**
 * What we believe of a credential on one lock. `nowhere`: not on it. `held`: in its slot, and `proof` says how we know.
 * `write`, `clear`: sent and not answered, in doubt until the slot is read (Law 3); the slot of a write is unknown where
 * the lock chooses slots and its answer was lost. `inFlight`: the answer may still come; ends with the process.
 */
export type Belief =
  | { readonly at: "nowhere"; readonly proof: Proof | "never_sent" }
  | { readonly at: "held"; readonly slot: SlotName; readonly proof: Proof }
  | {
      readonly at: "write";
      readonly slot: SlotName | undefined;
      readonly wasEmpty: boolean;
      readonly inFlight: boolean;
    }
  | { readonly at: "clear"; readonly slot: SlotName; readonly inFlight: boolean };

export type Refusal = "full" | "duplicate" | "invalid" | "forbidden" | "not_kept" | "kind_not_supported";

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
  readonly belief: Belief;
  readonly late: Late | undefined;
  /** Why the lock, or its limits, will not have it. Remembered until something changes (Law 8). */
  readonly refusal: { readonly reason: Refusal; readonly detail: string | undefined } | undefined;
  /** Something happened at the lock that makes what we believe worth a look. */
  readonly suspect: boolean;
  /** Commands sent since it was last where it should be. */
  readonly attempts: number;
  /** Tries in a row that left it in doubt: the pauses between them grow. */
  readonly pauses: number;
  /** Not to be worked on before. */
  readonly next: Instant | undefined;
}

/** A write that is read back empty this many times is a refusal that the lock did not speak out; it is tried again later. */
const triesUntilNotKept = 3;
const notKeptPause: Milliseconds = 30 * 60_000;
/** Nothing is put off for longer at a time. */
export const longestPause: Milliseconds = 31 * 60_000;

export const newPlacement = (
  of: Pick<Placement, "id" | "device" | "lock" | "identity" | "credential" | "kind" | "fingerprint">,
): Placement => ({
  ...of,
  wanted: true,
  belief: { at: "nowhere", proof: "never_sent" },
  late: undefined,
  refusal: undefined,
  suspect: false,
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

/** Before a write leaves for the lock: so that a crash from here on leaves a trace. */
export const intendWrite = (
  placement: Placement,
  slot: SlotName | undefined,
  now: Instant,
  settles: Milliseconds | undefined,
): Placement => ({
  ...placement,
  late: oneMore(placement.late, slot, settles, now),
  // A slot that we choose was read empty just before; one that the lock chooses was empty, or it would not have.
  belief: { at: "write", slot, wasEmpty: true, inFlight: true },
  refusal: undefined,
  suspect: false,
  attempts: placement.attempts + 1,
});

export const intendClear = (placement: Placement, slot: SlotName): Placement => ({
  ...placement,
  belief: { at: "clear", slot, inFlight: true },
  attempts: placement.attempts + 1,
});

/** What the lock answered to a step. `not_sent`: the command never left, so nothing is in doubt that was not before. */
export type Settlement =
  | { readonly result: "stored"; readonly slot: SlotName; readonly proof: Proof }
  | { readonly result: "unconfirmed"; readonly slot?: SlotName }
  | { readonly result: "refused"; readonly reason: Exclude<Refusal, "not_kept">; readonly detail?: string }
  | { readonly result: "not_sent" };

/** After the lock has answered a write, or was silent. `before`: as it was before {@link intendWrite}. */
export function settleWrite(
  placement: Placement,
  before: Placement,
  outcome: Settlement,
  now: Instant,
  settles: Milliseconds | undefined,
): Placement {
  if (placement.belief.at !== "write") return placement;
  switch (outcome.result) {
    case "stored":
      // Something happened in the slot while the answer was on its way: it is looked at again.
      return { ...arrived(placement, outcome.slot, outcome.proof), suspect: placement.suspect };
    case "unconfirmed": {
      const slot = outcome.slot ?? placement.belief.slot;
      return {
        ...placement,
        belief: { ...placement.belief, slot, inFlight: false },
        late: placement.late ?? oneMore(undefined, slot, settles, now),
      };
    }
    case "refused":
      return {
        ...placement,
        belief: { at: "nowhere", proof: "acknowledged" },
        refusal: { reason: outcome.reason, detail: outcome.detail },
      };
    case "not_sent":
      return notSent(placement, before);
  }
}

/** After the lock has answered a clear, or was silent. `before`: as it was before {@link intendClear}. */
export function settleClear(placement: Placement, before: Placement, outcome: Settlement): Placement {
  if (placement.belief.at !== "clear") return placement;
  switch (outcome.result) {
    case "stored":
      return {
        ...placement,
        belief: { at: "nowhere", proof: outcome.proof },
        suspect: false,
        attempts: 0,
      };
    case "unconfirmed":
      return { ...placement, belief: { ...placement.belief, inFlight: false } };
    case "refused":
      return { ...placement, belief: before.belief };
    case "not_sent":
      return notSent(placement, before);
  }
}

/** What else changed meanwhile, the wish above all, stays changed. */
const notSent = (placement: Placement, { belief, late, refusal, attempts }: Placement): Placement => ({
  ...placement,
  belief,
  late,
  refusal,
  attempts,
});

/**
 * After a slot was read in which this placement is, may be, or may still arrive. The lock's word about the slot settles
 * every doubt but two: `unreadable` says nothing, and a masked code cannot prove which code it is.
 */
export function observe(placement: Placement, slot: SlotName, contents: Observed, now: Instant): Placement {
  if (contents.state === "unreadable") return placement.wanted ? placement : assumedHeld(placement, slot);
  // What a late write has done is seen before its time is over, or after.
  const seen = seenIn({ ...placement, suspect: false }, slot, contents, now);
  return seen.late?.slot === slot ? { ...seen, late: stillLate(seen.late, now) } : seen;
}

function seenIn(
  placement: Placement,
  slot: SlotName,
  contents: Exclude<Observed, { readonly state: "unreadable" }>,
  now: Instant,
): Placement {
  switch (contents.state) {
    case "known":
      return contents.fingerprint === placement.fingerprint
        ? opening(held(placement, slot, "read_back"), contents.disabled)
        : notThere(placement, slot, now);
    case "empty":
      return notThere(placement, slot, now);
    case "opaque":
      return opening(somethingThere(placement, slot), contents.disabled);
  }
}

/**
 * A slot that we filled and that cannot be read: clearing it is safe, and a doubt must not keep a code on the lock. One that
 * may be its owner's by now is left alone (Law 6).
 */
const assumedHeld = (placement: Placement, slot: SlotName): Placement =>
  placement.belief.at !== "nowhere" && placement.belief.slot === slot && !isUnknowable(placement)
    ? { ...placement, belief: { at: "held", slot, proof: "acknowledged" }, suspect: false }
    : placement;

/** What is held and disabled is on the lock, and does not open: a refusal, which is not a reason to write it again. */
const opening = (placement: Placement, disabled = false): Placement =>
  disabled && placement.belief.at === "held"
    ? { ...placement, refusal: { reason: "forbidden", detail: "the code is there, disabled at the lock" } }
    : placement;

/** What was to go may stay: before it is called live again, the lock is asked whether it is still there. */
export const doubted = (placement: Placement): Placement =>
  placement.belief.at === "held"
    ? {
        ...placement,
        belief: { at: "write", slot: placement.belief.slot, wasEmpty: true, inFlight: false },
        // That it turns up is no sign of a write that is still to come.
        late: placement.late && { ...placement.late, writes: placement.late.writes + 1 },
      }
    : placement;

/** The owner has put something else into its slot, which is the owner's from now on. */
export const overwritten = (placement: Placement): Placement =>
  placement.belief.at === "nowhere"
    ? placement
    : { ...placement, belief: { at: "nowhere", proof: "acknowledged" }, suspect: false };

/** The process that waited for the answer has ended: it can no longer come. */
export const interrupted = (placement: Placement): Placement => {
  const { belief } = placement;
  return belief.at === "write" || belief.at === "clear"
    ? { ...placement, belief: { ...belief, inFlight: false } }
    : placement;
};

/** After a list of all slots in which a write whose slot is unknown would have to stand, and does not. */
export const notFound = (placement: Placement): Placement => ({
  ...placement,
  belief: { at: "nowhere", proof: "read_back" },
});

/** It is where it was sent, and by one of our writes, which then has come to its end. */
const arrived = (placement: Placement, slot: SlotName, proof: Proof): Placement => ({
  ...held(placement, slot, proof),
  late: oneLess(placement.late),
});

/** That it is there ends no doubt about a write that was not answered: who has no answer may send it once more. */
const held = (placement: Placement, slot: SlotName, proof: Proof): Placement => ({
  ...placement,
  belief: { at: "held", slot, proof },
  refusal: undefined,
  suspect: false,
  attempts: 0,
  // A clear that was not carried out was tried for nothing: the pauses go on growing.
  pauses: placement.belief.at === "clear" ? placement.pauses : 0,
  next: undefined,
});

function notThere(placement: Placement, slot: SlotName, now: Instant): Placement {
  // A read of the slot of a late write says nothing of another slot in which the credential is believed to be.
  if (placement.belief.at === "nowhere" && placement.late?.slot === slot) {
    return { ...placement, belief: { at: "nowhere", proof: "read_back" } };
  }
  if (placement.belief.at === "nowhere" || placement.belief.slot !== slot) return placement;
  const neverKept = placement.belief.at === "write" && placement.attempts >= triesUntilNotKept;
  return {
    ...placement,
    belief: { at: "nowhere", proof: "read_back" },
    ...(neverKept
      ? { refusal: { reason: "not_kept", detail: undefined }, attempts: 0, pauses: 0, next: later(now, notKeptPause) }
      : {}),
  };
}

function somethingThere(placement: Placement, slot: SlotName): Placement {
  const { belief } = placement;
  switch (belief.at) {
    case "write":
      return belief.slot === slot && belief.wasEmpty ? arrived(placement, slot, "read_back_masked") : placement;
    case "clear":
      // We filled the slot and it is not empty: the clear was not carried out, and may be sent again.
      return { ...placement, belief: { at: "held", slot, proof: "read_back_masked" } };
    case "held":
      return placement;
    case "nowhere":
      // A late write into a slot that was empty: what is there now can only be ours. What comes there after it is gone
      // again may be the owner's.
      return placement.late?.slot === slot ? arrived(placement, slot, "read_back_masked") : placement;
  }
}
