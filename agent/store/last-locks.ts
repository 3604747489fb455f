import type { LockId, PlacementId } from "../domain/ids.ts";
import { isAtRest, type Placement, slotOf } from "../domain/placement.ts";
import type { SlotName } from "../domain/slot.ts";
import type { Kept } from "./placement-row.ts";

/** So many are kept in memory: a megabyte or two. What has more by itself is not kept. */
const most = 4_000;

/** One placement, or what is to be known of it. */
interface Entry {
  readonly id: PlacementId;
  readonly rank: number;
}

export interface AtWork extends Entry {
  readonly placement: Placement;
}
export const working = ({ placement, rank }: Kept): AtWork => ({ id: placement.id, rank, placement });
export const atWork = (kept: Kept): AtWork | undefined => (isAtRest(kept.placement) ? undefined : working(kept));

/** One that is on its lock: where. */
export interface Auditable extends Entry {
  readonly slot: SlotName;
}
export function atRest({ placement, rank }: Kept): Auditable | undefined {
  const slot = isAtRest(placement) ? slotOf(placement) : undefined;
  return slot && { id: placement.id, slot, rank };
}

/** Something of the locks that were asked for last: a round asks again after each of its steps, and a lock may hold a thousand. */
export class LastLocks<E extends Entry> {
  /** By rank, and of those of a rank the last that changed last; the lock that was asked for last is the last. */
  readonly #locks = new Map<LockId, readonly E[]>();
  readonly #entryOf: (kept: Kept) => E | undefined;
  #size = 0;

  /** @param entryOf undefined for what is not to be among them. */
  constructor(entryOf: (kept: Kept) => E | undefined) {
    this.#entryOf = entryOf;
  }

  of(lock: LockId, load: () => readonly E[]): readonly E[] {
    const known = this.#locks.get(lock);
    if (known) this.#locks.delete(lock);
    const found = known ?? load();
    if (found.length > most) return found;
    this.#locks.set(lock, found);
    if (!known) this.#size += found.length;
    this.#trim();
    return found;
  }

  /** Another stands where one stood, or none. Whoever has asked before keeps what was found. */
  changed(before: Kept | undefined, after: Kept | undefined): void {
    const was = before && this.#entryOf(before);
    if (before && was) this.#put(before.placement.lock, (all) => all.filter(({ id }) => id !== was.id));
    const is = after && this.#entryOf(after);
    if (!after || !is) return;
    this.#put(after.placement.lock, (all) => {
      const place = all.findLastIndex(({ rank }) => rank <= is.rank);
      return all.toSpliced(place + 1, 0, is);
    });
  }

  /** The rows may be others than they were. */
  clear(): void {
    this.#locks.clear();
    this.#size = 0;
  }

  #put(lock: LockId, by: (all: readonly E[]) => readonly E[]): void {
    const known = this.#locks.get(lock);
    if (!known) return;
    const changed = by(known);
    this.#size += changed.length - known.length;
    this.#locks.set(lock, changed);
    this.#trim();
  }

  #trim(): void {
    for (const [oldest, { length }] of this.#locks) {
      if (this.#size <= most) return;
      this.#locks.delete(oldest);
      this.#size -= length;
    }
  }
}
