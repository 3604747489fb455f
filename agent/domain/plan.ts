import type { KindLimits, MemoryLimits } from "./abilities.ts";
import type { PlacementId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import {
  isLeaving,
  isToBeShut,
  isUnknowable,
  longestPause,
  opensAtOtherTimes,
  type Placement,
  slotOf,
} from "./placement.ts";
import type { SlotName } from "./slot.ts";

/** One thing to do to one lock. */
export type Step =
  /** Read a slot in which this placement is in doubt, suspect, or may still arrive. */
  | { readonly do: "verify"; readonly placement: PlacementId; readonly slot: SlotName }
  /** List the lock, for a write whose answer, and with it the slot, was lost. */
  | { readonly do: "find"; readonly placement: PlacementId }
  /** Read a slot that we have not filled, to see whether it is really empty. */
  | { readonly do: "look"; readonly slot: SlotName }
  /** Read what a lock that took the place of another holds: a slot, or all of them by listing. */
  | { readonly do: "survey"; readonly slot: SlotName | undefined }
  | { readonly do: "write"; readonly placement: PlacementId; readonly slot: SlotName | undefined }
  /** Suspend a code, or let it open again. */
  | { readonly do: "enable"; readonly placement: PlacementId; readonly slot: SlotName; readonly on: boolean }
  /** `successor`: the code that takes its place, for which there is no other. */
  | {
      readonly do: "clear";
      readonly placement: PlacementId;
      readonly slot: SlotName;
      readonly successor?: PlacementId;
    };

export interface Plan {
  readonly steps: readonly Step[];
  /** Wanted placements for which there is no room now. */
  readonly full: ReadonlySet<PlacementId>;
}

/** All that a plan depends on. */
export interface LockState {
  /** Every open placement of the lock that is not at rest; the wanted ones oldest grant first. */
  readonly placements: readonly Placement[];
  /** The slots of those that are. */
  readonly atRest: ReadonlySet<SlotName>;
  readonly limits: MemoryLimits;
  readonly can: { readonly read: boolean; readonly list: boolean; readonly enable?: boolean };
  /** Slots in which something was found that is not ours, or that could not be read. */
  readonly occupied: ReadonlySet<SlotName>;
  /** What is still to be read before this lock is written to. */
  readonly survey: readonly Extract<Step, { readonly do: "survey" }>[];
  readonly now: Instant;
  /** The time of day is not known: nothing is written with a window, as nobody could say whether it is open (Law 12). */
  readonly isTimeUnknown?: boolean;
}

/**
 * The steps that take a lock from what we believe of it to what it should hold; planned again after they are done, until
 * none is left. A write to a slot is to be carried out only where the look before it said `empty`: a slot that we did not
 * fill is the owner's (Law 6).
 *
 * A lock that took the place of another is read as a whole before the first write.
 *
 * What is in doubt is read before anything else is done about it (Law 3). Steps that take away come before steps that
 * give (Law 5), except that a code whose successor is on its way stays until that is proven or refused, where there is a
 * spare slot for it. What opens at other times than it should is taken away, and written anew.
 */
export function plan(state: LockState): Plan {
  const due = state.placements.filter(({ next }) => next === undefined || isPast(next, state.now));
  const leaving = due.filter(isLeaving);
  const staying = due.filter((placement) => !isLeaving(placement));

  const doubts = new Map(staying.map((placement) => [placement.id, resolve(placement, state)]));
  const isRead = state.survey.length === 0;
  const settled = staying.filter(({ id }) => doubts.get(id)?.length === 0);
  // The same code that is to leave, or may: it may be in the very slot, where the code is the key. What nobody can ever tell
  // for ours is not waited for.
  const elsewhere = new Set(
    state.placements
      .filter((each) => isLeaving(each) && each.belief.at !== "nowhere" && !isUnknowable(each))
      .map(({ fingerprint }) => fingerprint),
  );
  const isHeldBack = ({ when }: Placement): boolean => state.isTimeUnknown === true && when !== "always";
  const writable = settled.filter(
    (placement) => isWritable(placement) && !isHeldBack(placement) && !elsewhere.has(placement.fingerprint),
  );
  const { steps: writes, full } = fill(writable.toSorted(openFirst), state);

  const coming = new Map<string, Placement[]>();
  for (const placement of state.placements) {
    if (placement.wanted && isComing(placement)) {
      coming.set(holder(placement), [...(coming.get(holder(placement)) ?? []), placement]);
    }
  }
  return {
    steps: [
      ...leaving.flatMap((placement) => {
        const successors = (coming.get(holder(placement)) ?? []).filter((successor) => succeeds(successor, placement));
        return remove(placement, state, successors, full);
      }),
      ...[...doubts.values()].flat(),
      ...state.survey,
      ...settled.flatMap((placement) => wake(placement, state)),
      ...(isRead ? writes : []),
    ],
    full: isRead ? full : new Set(),
  };
}

/** Whether its time has come; so it has where the clock was set back, and no pause that we make is that long. */
const isPast = (at: Instant, now: Instant): boolean => at <= now || at > now + longestPause;

/** One code succeeds another where both are of one person, one kind, and on one lock. */
const holder = ({ identity, kind }: Placement): string => `${kind} ${identity}`;
/** The same code with another window has no room beside itself. */
const succeeds = (one: Placement, other: Placement): boolean => !other.wanted && one.fingerprint !== other.fingerprint;

/** The order of the grants stays, but what opens now comes before what is placed ahead. */
const openFirst = (one: Placement, other: Placement): number => Number(one.dormant) - Number(other.dormant);

/** The lock's refusals stand until something changes. Whether it is full is asked anew each time: that costs nothing. */
const isWritable = (placement: Placement): boolean => {
  const { belief, refusal } = placement;
  if (belief.at !== "nowhere" || isToBeShut(placement)) return false;
  return refusal === undefined || refusal.reason === "full" || refusal.reason === "not_kept";
};

/** What the lock would not keep so far is tried again, but nothing is left open for its sake. */
const isComing = (placement: Placement): boolean =>
  placement.belief.at === "write" || (isWritable(placement) && placement.refusal?.reason !== "not_kept");

function remove(
  placement: Placement,
  state: LockState,
  successors: readonly Placement[],
  full: ReadonlySet<PlacementId>,
): Step[] {
  const { id, belief } = placement;
  // What cannot be read again is cleared as it is believed: a doubt must not keep a code on the lock.
  if (belief.at !== "held" || (placement.suspect && state.can.read)) return resolve(placement, state);
  const { slot } = belief;
  if (isToBeShut(placement) && !opensAtOtherTimes(placement)) {
    // It is suspended, and a write that may still come would let it open: the slot is watched.
    if (belief.disabled !== undefined) return resolve(placement, state);
    const isSuspended = state.can.enable && placement.refusal === undefined;
    return [isSuspended ? { do: "enable", placement: id, slot, on: false } : { do: "clear", placement: id, slot }];
  }
  if (successors.some((successor) => !full.has(successor.id))) return [];
  const [successor] = successors;
  return [{ do: "clear", placement: id, slot, ...(successor ? { successor: successor.id } : {}) }];
}

/** What was suspended while it was not to open, and is to open now; or by hand, where that does not stand. */
function wake({ id, belief, dormant, external }: Placement, { can }: LockState): Step[] {
  if (belief.at !== "held" || belief.disabled === undefined || dormant || !can.enable) return [];
  if (belief.disabled === "by_hand" && external) return [];
  return [{ do: "enable", placement: id, slot: belief.slot, on: true }];
}

/** The read that says what became of a placement. */
function resolve(placement: Placement, { can, limits, now }: LockState): Step[] {
  const { id, belief, late } = placement;
  const slot = slotOf(placement);
  if (belief.at === "write" && slot === undefined) return can.list ? [{ do: "find", placement: id }] : [];
  if (slot !== undefined && (belief.at !== "held" || placement.suspect)) {
    if (can.read) return [{ do: "verify", placement: id, slot }];
    // A lock that cannot be asked: clearing what is ours is safe to repeat, and what is written then is not written blindly.
    return belief.at === "held" ? [] : [{ do: "clear", placement: id, slot }];
  }
  // A late write into the slot in which its code is held changes nothing, but that it may let open what was suspended.
  if (late === undefined || (late.slot === slot && !limits.suspends) || !can.read) return [];
  const look = placement.suspect || isPast(late.check, now);
  return look ? [{ do: "verify", placement: id, slot: late.slot }] : [];
}

/** A slot for each placement that is to be written, as long as there are any. */
function fill(writable: readonly Placement[], state: LockState): { steps: Step[]; full: Set<PlacementId> } {
  const steps: Step[] = [];
  const full = new Set<PlacementId>();
  const ours = new Set(state.placements.flatMap((placement) => [slotOf(placement), placement.late?.slot]));
  const taken = new Set([...ours, ...state.atRest, ...state.occupied]);
  const spareIn = (slots: readonly SlotName[]): SlotName | undefined => slots.find((slot) => !taken.has(slot));
  for (const { id, kind, late, refusal } of writable) {
    const limits = state.limits.kinds.get(kind);
    if (!limits) continue;
    if (!isNumbered(limits)) {
      if (refusal?.reason === "full") full.add(id);
      else steps.push({ do: "write", placement: id, slot: undefined });
      continue;
    }
    // A write that may still arrive in its slot goes there again, or waits, so that the credential is never in two slots.
    if (late && state.occupied.has(late.slot)) continue;
    const slot = late ? late.slot : state.can.read && spareIn(limits.slots);
    if (!slot) {
      full.add(id);
      continue;
    }
    taken.add(slot);
    steps.push({ do: "look", slot }, { do: "write", placement: id, slot });
  }
  return { steps, full };
}

const isNumbered = (limits: KindLimits): limits is KindLimits & { readonly slots: readonly SlotName[] } =>
  Array.isArray(limits.slots);
