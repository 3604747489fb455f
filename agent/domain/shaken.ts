import { overwritten } from "./observe.ts";
import { doubted, type Placement } from "./placement.ts";
import type { SlotName } from "./slot.ts";

/** What happened at a lock, as far as it makes us doubt what we believe of it. */
export interface Shake {
  /** The slot to look at again, or all. */
  readonly suspect?: SlotName | "all" | undefined;
  /** What is in that slot now is the owner's. */
  readonly foreign?: boolean | undefined;
  /** Silence is over: what waits for its next try need not. */
  readonly awake?: boolean | undefined;
}

/** What is to be known beside. */
interface Known {
  /** The lock tells its codes: it says itself whose is there now. */
  readonly isTold: boolean;
  /** Somebody else has the same code there. */
  readonly isTaken: (placement: Placement) => boolean;
}

/** After something happened at its lock. Undefined where that is nothing to it. */
export function shaken(placement: Placement, shake: Shake, { isTold, isTaken }: Known): Placement | undefined {
  const isLooked = shake.suspect !== undefined && isAt(placement, shake.suspect);
  const isForgiven = shake.suspect !== undefined && isRefusedByLock(placement, shake.suspect);
  const refusal = isForgiven ? stillRefused(isTaken(placement)) : placement.refusal;
  const isNews = refusal?.reason !== placement.refusal?.reason;
  if (!isNews && !isLooked && !(shake.awake && placement.next !== undefined)) return undefined;
  const next = { ...placement, refusal, suspect: placement.suspect || isLooked, next: undefined };
  if (isLooked && shake.foreign && !isTold) return overwritten(next);
  // The lock has said that it is gone: it is not called live before the lock says otherwise.
  return shake.suspect === "all" ? doubted(next) : next;
}

/** What the lock refused may fit now, but for who has been given the same code since: it is theirs then. */
const stillRefused = (isTaken: boolean): Placement["refusal"] =>
  isTaken ? { reason: "duplicate", detail: undefined } : undefined;

/** For what was on the lock, which is another now; after a reset also for how it was set (Law 8). */
const isRefusedByLock = ({ belief, refusal, attempts }: Placement, suspect: SlotName | "all"): boolean =>
  belief.at === "nowhere" &&
  attempts > 0 &&
  (refusal?.reason === "duplicate" || (suspect === "all" && refusal?.reason === "forbidden"));

const isAt = ({ belief, late }: Placement, suspect: SlotName | "all"): boolean =>
  (suspect === "all" && (belief.at !== "nowhere" || late !== undefined)) ||
  late?.slot === suspect ||
  (belief.at !== "nowhere" && belief.slot === suspect);
