import { type Instant, later, type Milliseconds } from "./instant.ts";
import { oneLess, oneMore } from "./late.ts";
import { opensAtOtherTimes, type Placement, type Refusal } from "./placement.ts";
import type { Proof, SlotName } from "./slot.ts";

/** A write that is read back empty, or spoiled, as often as this is not kept by the lock. */
export const triesUntilNotKept = 3;
const notKeptPause: Milliseconds = 30 * 60_000;
const noRoomPause: Milliseconds = 30 * 60_000;

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

/** Before a code is suspended, or let open again: what is not answered may be executed late, as a write may. */
export const intendSwitch = (
  placement: Placement,
  slot: SlotName,
  on: boolean,
  now: Instant,
  settles: Milliseconds | undefined,
): Placement => ({
  ...placement,
  late: oneMore(placement.late, slot, settles, now),
  belief: { at: "switch", slot, on, inFlight: true },
  attempts: placement.attempts + 1,
});

/** What the lock answered to a step. `not_sent`: the command never left, so nothing is in doubt that was not before. */
export type Settlement =
  | { readonly result: "stored"; readonly slot: SlotName; readonly proof: Proof }
  | { readonly result: "unconfirmed"; readonly slot?: SlotName }
  | {
      readonly result: "refused";
      readonly reason: "duplicate" | "invalid" | "full" | "forbidden";
      readonly detail?: string;
    }
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
      return {
        ...arrived(placement, outcome.slot, outcome.proof),
        suspect: placement.suspect,
        ...triesLeft(placement),
      };
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
        refusal: refusalOf(outcome),
        // A slot that was read empty, and for which there is no room: it is not written again at once (Law 8).
        next: outcome.reason === "full" && placement.belief.slot ? later(now, noRoomPause) : placement.next,
      };
    case "not_sent":
      return notSent(placement, before);
  }
}

/** After the lock has answered a clear, or was silent. `before`: as it was before {@link intendClear}. */
export function settleClear(placement: Placement, before: Placement, outcome: Settlement, now: Instant): Placement {
  if (placement.belief.at !== "clear") return placement;
  switch (outcome.result) {
    case "stored":
      return cleared({ ...placement, belief: { at: "nowhere", proof: outcome.proof }, suspect: false }, before, now);
    case "unconfirmed":
      return { ...placement, belief: { ...placement.belief, inFlight: false } };
    case "refused":
      return { ...placement, belief: before.belief };
    case "not_sent":
      return notSent(placement, before);
  }
}

/** After the lock has answered a switch, or was silent. `before`: as it was before {@link intendSwitch}. */
export function settleSwitch(placement: Placement, before: Placement, outcome: Settlement): Placement {
  const { belief } = placement;
  if (belief.at !== "switch") return placement;
  switch (outcome.result) {
    case "stored": {
      const there = arrived(placement, outcome.slot, outcome.proof);
      return {
        ...there,
        belief: { at: "held", slot: outcome.slot, proof: outcome.proof, ...(belief.on ? {} : { disabled: "by_us" }) },
        suspect: placement.suspect,
      };
    }
    case "unconfirmed":
      return { ...placement, belief: { ...belief, inFlight: false } };
    case "refused":
      return unswitchable(
        { ...notSent(placement, before), attempts: placement.attempts },
        belief.on,
        refusalOf(outcome),
      );
    case "not_sent":
      return notSent(placement, before);
  }
}

/** What does not let itself be suspended, for this reason, or be let open again, is cleared by the plan, and written anew. */
export function unswitchable(placement: Placement, on: boolean, refusal: Placement["refusal"]): Placement {
  const { belief } = placement;
  return on && belief.at === "held"
    ? { ...placement, belief: { ...belief, otherWindow: true } }
    : { ...placement, refusal };
}

/** What is still wanted was cleared so that it can be written anew: that a lock spoils it each time comes to an end. */
function cleared(placement: Placement, before: Placement, now: Instant): Placement {
  if (!placement.wanted) return { ...placement, attempts: 0 };
  if (!opensAtOtherTimes(before)) return { ...placement, attempts: 0, refusal: undefined };
  return placement.attempts >= spoiledAttempts ? notKept(placement, now) : { ...placement, refusal: undefined };
}
/** A lock that spoils a window may call each write stored: its tries are counted until a read finds the window as it should be. */
const triesLeft = ({ when, attempts }: Placement): Partial<Pick<Placement, "attempts">> =>
  when !== "always" && attempts > 1 ? { attempts } : {};
/** Each time is a write and a clear. */
const spoiledAttempts = 2 * triesUntilNotKept;

/** A refusal that the lock did not speak out; it is tried again later. */
export const notKept = (placement: Placement, now: Instant): Placement => ({
  ...placement,
  refusal: { reason: "not_kept", detail: undefined },
  attempts: 0,
  pauses: 0,
  next: later(now, notKeptPause),
});

const refusalOf = ({
  reason,
  detail,
}: {
  readonly reason: Refusal;
  readonly detail?: string;
}): Placement["refusal"] => ({ reason, detail });

/** What else changed meanwhile, the wish above all, stays changed. */
const notSent = (placement: Placement, { belief, late, refusal, attempts }: Placement): Placement => ({
  ...placement,
  belief,
  late,
  refusal,
  attempts,
});

/** It is where it was sent, and by one of our writes, which then has come to its end. */
export const arrived = (placement: Placement, slot: SlotName, proof: Proof): Placement => ({
  ...held(placement, slot, proof),
  late: oneLess(placement.late),
});

/** That it is there ends no doubt about a write that was not answered: who has no answer may send it once more. */
export const held = (placement: Placement, slot: SlotName, proof: Proof): Placement => ({
  ...placement,
  belief: { at: "held", slot, proof },
  refusal: undefined,
  suspect: false,
  attempts: 0,
  // A clear that was not carried out was tried for nothing: the pauses go on growing.
  pauses: placement.belief.at === "clear" ? placement.pauses : 0,
  next: undefined,
});
