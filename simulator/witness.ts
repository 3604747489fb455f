import type { Chip } from "./lock.ts";

/** What somebody with an eye in a lock's memory has seen there. `at`: milliseconds since 1970. */
export type Sight =
  | {
      readonly happened: "stored";
      readonly at: number;
      readonly lock: string;
      readonly slot: string;
      readonly code: string;
    }
  | {
      readonly happened: "cleared" | "rewritten_blindly";
      readonly at: number;
      readonly lock: string;
      readonly slot: string;
    };

/**
 * Sees what is done to one lock's memory. A *blind rewrite* is a write to a slot whose last write or clear went
 * unanswered, without a read of that slot since: who sends it does not know what is there.
 */
export class Witness {
  readonly #lock: string;
  readonly #tell: (sight: Sight) => void;
  readonly #unanswered: Set<string>;

  /** @param unanswered slots of which, when the lock was last seen, nobody had been told how they are. */
  constructor(lock: string, tell: (sight: Sight) => void, unanswered: readonly string[] = []) {
    this.#lock = lock;
    this.#tell = tell;
    this.#unanswered = new Set(unanswered);
  }

  get unanswered(): readonly string[] {
    return [...this.#unanswered];
  }

  /** A write or clear of a slot has left for the lock. */
  sent(what: "write" | "clear", slot: string): void {
    if (what === "write" && this.#unanswered.has(slot)) this.#see("rewritten_blindly", slot);
    this.#unanswered.add(slot);
  }

  /** Who asked was told what is in a slot now. */
  answered(slot: string): void {
    this.#unanswered.delete(slot);
  }

  /** Tells what has changed in the memory: a code that was written over itself, too. */
  compare(before: Chip, after: Chip): void {
    for (const slot of new Set([...Object.keys(before.entries), ...Object.keys(after.entries)])) {
      const is = after.entries[slot];
      if (is === before.entries[slot]) continue;
      if (is) this.#tell({ happened: "stored", at: Date.now(), lock: this.#lock, slot, code: is.value });
      else this.#see("cleared", slot);
    }
  }

  #see(happened: "cleared" | "rewritten_blindly", slot: string): void {
    this.#tell({ happened, at: Date.now(), lock: this.#lock, slot });
  }
}
