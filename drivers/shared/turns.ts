import { orAbort } from "./or-abort.ts";

/** Lets callers in one at a time, in the order in which they asked. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Rejects with the signal's reason where it is aborted before the turn comes. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const before = this.#last;
    const mine = orAbort(before, signal).then(work);
    // One that gave up waiting must not let the next in before those ahead of it are through. What they were given is not kept:
    // each would be, with those before it, for as long as the lock is there.
    this.#last = Promise.allSettled([before, mine]).then(() => undefined);
    return mine;
  }
}
