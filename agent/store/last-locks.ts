import type { LockId } from "../domain/ids.ts";
import type { Kept } from "./placement-row.ts";

/** So many placements are kept in memory: some megabytes. What has more by itself, as a door has where we decide, is not kept. */
const most = 4_000;

/** What is on the locks that were asked for last: a round asks again after each of its steps, and a lock may hold a thousand. */
export class LastLocks {
  /** By rank, and of those of a rank the last that changed last; the lock that was asked for last is the last. */
  readonly #locks = new Map<LockId, readonly Kept[]>();
  #size = 0;

  of(lock: LockId, load: () => readonly Kept[]): readonly Kept[] {
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
    if (before)
      this.#put(before.placement.lock, (all) => all.filter(({ placement: { id } }) => id !== before.placement.id));
    if (!after) return;
    this.#put(after.placement.lock, (all) => {
      const place = all.findLastIndex(({ rank }) => rank <= after.rank);
      return all.toSpliced(place + 1, 0, after);
    });
  }

  /** The rows may be others than they were. */
  clear(): void {
    this.#locks.clear();
    this.#size = 0;
  }

  #put(lock: LockId, by: (all: readonly Kept[]) => readonly Kept[]): void {
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
