import type { MemoryLimits } from "../domain/abilities.ts";
import { backoff } from "../domain/backoff.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import { slotOf } from "../domain/placement.ts";
import type { LockState } from "../domain/plan.ts";
import type { SlotName } from "../domain/slot.ts";

const firstPause: Milliseconds = 1_000;
const lastPause: Milliseconds = 30 * 60_000;
/** What could not be read as often as this, over hours, is the owner's. */
const mostTries = 24;

/**
 * What was read of a lock that took the place of another. Where the lock is silent in the middle, the next round goes on
 * from there; where the process ends, the next one begins anew.
 */
export class Survey {
  readonly #read = new Set<SlotName | "all">();
  readonly #unreadable = new Map<SlotName, { readonly tries: number; readonly next: Instant }>();

  /**
   * What is still to be read: a slot, or all of them by listing; `from` when, where it could not be read before. Nothing is
   * left of what is ours on this lock and due, since that is looked at for its own sake.
   */
  left(
    { kinds }: MemoryLimits,
    can: LockState["can"],
    { placements, atRest }: Pick<LockState, "placements" | "atRest">,
    now: Instant,
  ): readonly { readonly slot: SlotName | undefined; readonly from: Instant | undefined }[] {
    const all = [...kinds.values()].map((kind) => kind.slots);
    // A list may be read slot by slot as well, in one step: that of a large lock on batteries would never come to its end.
    const isReadOneByOne = can.read && all.every(Array.isArray);
    if (can.list && !isReadOneByOne) return this.#read.has("all") ? [] : [{ slot: undefined, from: undefined }];
    if (!can.read) return [];
    const due = placements.filter(({ next }) => next === undefined || next <= now);
    const ours = new Set([...atRest, ...due.flatMap((placement) => [slotOf(placement), placement.late?.slot])]);
    const slots = new Set(all.flatMap((each) => (Array.isArray(each) ? each : [])));
    return [...slots]
      .filter((slot) => !ours.has(slot) && !this.#read.has(slot))
      .map((slot) => ({ slot, from: this.#unreadable.get(slot)?.next }));
  }

  /** @param isReadable whether it said what is in the slot. */
  answered(slot: SlotName | undefined, isReadable: boolean, now: Instant, random: () => number): void {
    const tries = slot === undefined ? 0 : (this.#unreadable.get(slot)?.tries ?? 0) + 1;
    if (slot !== undefined && !isReadable && tries < mostTries) {
      this.#unreadable.set(slot, { tries, next: later(now, backoff(tries, firstPause, lastPause, random)) });
      return;
    }
    this.#read.add(slot ?? "all");
    if (slot !== undefined) this.#unreadable.delete(slot);
  }
}
