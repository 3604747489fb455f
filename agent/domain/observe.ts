import type { Instant } from "./instant.ts";
import { stillLate } from "./late.ts";
import { sameWhen } from "./lock-window.ts";
import { type Belief, isToBeShut, isUnknowable, type Placement } from "./placement.ts";
import { arrived, held, notKept, triesUntilNotKept, unswitchable } from "./settle.ts";
import type { Observed, SlotName } from "./slot.ts";

type Legible = Exclude<Observed, { readonly state: "unreadable" }>;
type There = Exclude<Legible, { readonly state: "empty" }>;
type Held = Extract<Belief, { readonly at: "held" }>;

/**
 * After a slot was read in which this placement is, may be, or may still arrive. The lock's word about the slot settles
 * every doubt but two: `unreadable` says nothing, and a masked code cannot prove which code it is.
 */
export function observe(placement: Placement, slot: SlotName, contents: Observed, now: Instant): Placement {
  if (contents.state === "unreadable") {
    return placement.wanted && !isToBeShut(placement) ? placement : assumedHeld(placement, slot);
  }
  // What a late write has done is seen before its time is over, or after.
  const seen = seenIn({ ...placement, suspect: false }, slot, contents, now);
  return seen.late?.slot === slot ? { ...seen, late: stillLate(seen.late, now) } : seen;
}

function seenIn(placement: Placement, slot: SlotName, contents: Legible, now: Instant): Placement {
  switch (contents.state) {
    case "known":
      return contents.fingerprint === placement.fingerprint
        ? asTold(held(placement, slot, "read_back"), placement, contents, now)
        : notThere(placement, slot, now);
    case "empty":
      return notThere(placement, slot, now);
    case "opaque":
      return asTold(somethingThere(placement, slot), placement, contents, now);
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

/** What is held may be suspended there, or open at other times than it was written for. */
function asTold(placement: Placement, before: Placement, contents: There, now: Instant): Placement {
  if (placement.belief.at !== "held") return placement;
  const { slot, proof } = placement.belief;
  const isOther = contents.when !== undefined && !sameWhen(contents.when, placement.when, now);
  const disabled = contents.disabled ? whoDisabled(before) : undefined;
  const belief: Held = {
    at: "held",
    slot,
    proof,
    ...(disabled ? { disabled } : {}),
    ...(isOther ? { otherWindow: true } : {}),
  };
  const told = { ...placement, belief };
  // What the lock spoils is not where it should be: its tries are counted on.
  return isOther ? { ...told, attempts: before.attempts } : asSwitched(told, before, disabled);
}

function asSwitched(told: Placement, before: Placement, disabled: Held["disabled"]): Placement {
  if (before.belief.at === "switch" && before.belief.on === (disabled !== undefined)) {
    return notSwitched(told, before, before.belief.on);
  }
  // The lock has said that it was suspended, and it is not: it is cleared by the plan instead.
  if (isToBeShut(before) && !disabled && before.belief.at === "held" && before.belief.disabled) {
    return { ...told, refusal: { reason: "not_kept", detail: undefined } };
  }
  // A refusal, and not a reason to write it again.
  if (disabled === "by_hand") return { ...told, refusal: disabledByHand };
  return told.refusal?.detail === disabledByHand.detail ? { ...told, refusal: undefined } : told;
}

/** It was told to suspend the code, or to let it open, and has not: after some tries it is not asked for that any more. */
function notSwitched(told: Placement, { attempts, pauses }: Placement, on: boolean): Placement {
  const next = { ...told, attempts, pauses };
  return attempts >= triesUntilNotKept ? unswitchable(next, on, { reason: "not_kept", detail: undefined }) : next;
}

const disabledByHand = { reason: "forbidden", detail: "the code is there, disabled at the lock" } as const;

/**
 * By us where we have sent that, or it is to be suspended anyhow; also where it was to be let open again, and that was not
 * carried out.
 */
function whoDisabled(placement: Placement): Held["disabled"] {
  const { belief } = placement;
  const isOurs = belief.at === "switch" || (belief.at === "held" && belief.disabled === "by_us");
  return isOurs || isToBeShut(placement) ? "by_us" : "by_hand";
}

/** The owner has put something else into its slot, which is the owner's from now on. */
export const overwritten = (placement: Placement): Placement =>
  placement.belief.at === "nowhere"
    ? placement
    : honoured(
        { ...placement, belief: { at: "nowhere", proof: "acknowledged" }, refusal: undefined, suspect: false },
        placement,
      );

/** After a list of all slots in which a write whose slot is unknown would have to stand, and does not. */
export const notFound = (placement: Placement): Placement => ({
  ...placement,
  belief: { at: "nowhere", proof: "read_back" },
});

function notThere(placement: Placement, slot: SlotName, now: Instant): Placement {
  // A read of the slot of a late write says nothing of another slot in which the credential is believed to be.
  if (placement.belief.at === "nowhere" && placement.late?.slot === slot) {
    return { ...placement, belief: { at: "nowhere", proof: "read_back" } };
  }
  if (placement.belief.at === "nowhere" || placement.belief.slot !== slot) return placement;
  // What was against it was that it was there, and did not open.
  const gone: Placement = { ...placement, belief: { at: "nowhere", proof: "read_back" }, refusal: undefined };
  const neverKept = placement.belief.at === "write" && placement.attempts >= triesUntilNotKept;
  if (neverKept) return notKept(gone, now);
  return wasProven(placement) ? honoured(gone, placement) : gone;
}

/** What was taken out by somebody else: where the grant says so, that stands. */
const honoured = (gone: Placement, before: Placement): Placement =>
  before.external && before.wanted && before.belief.at === "held"
    ? { ...gone, refusal: { reason: "changed_on_lock", detail: undefined } }
    : gone;

/** The lock may have said yes, and stored nothing: then nobody has taken anything out. */
const wasProven = ({ belief }: Placement): boolean => belief.at === "held" && belief.proof !== "acknowledged";

function somethingThere(placement: Placement, slot: SlotName): Placement {
  const { belief } = placement;
  switch (belief.at) {
    case "write":
      return belief.slot === slot && belief.wasEmpty ? arrived(placement, slot, "read_back_masked") : placement;
    case "clear":
    case "switch":
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
