import type { Clock } from "../drivers/driver.ts";
import type { Milliseconds } from "./domain/instant.ts";
import type { Backlog } from "./store/backlog.ts";

/** While commands keep coming, those that are answered wait for so long that no others came. */
const quietFor: Milliseconds = 100;
/** After so long they are carried out in any case, and others come between. */
const patience: Milliseconds = 5_000;
/** More are not answered before they are carried out: who is granted something waits no longer for it than some seconds. */
export const mostBehind = 25_000;

interface CatchUpParts {
  readonly backlog: Pick<Backlog, "size">;
  /** Carries out the first group of those that are answered. */
  readonly carryOut: () => void;
  readonly clock: Pick<Clock, "sleep">;
  /** The store cannot be relied on any more. */
  readonly failed: (error: unknown) => void;
}

/** Somebody for whom so many commands are to be carried out. */
interface Waiting {
  behind: number;
  readonly done: (isCaughtUp: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Carries out what was answered before (see the store's backlog): when nothing more comes, or somebody waits for it, a group in each
 * turn of the event loop.
 */
export class CatchUp {
  readonly #parts: CatchUpParts;
  readonly #end = new AbortController();
  readonly #waiting: Waiting[] = [];
  #nap = new AbortController();
  #hasComeMore = false;
  #isRunning = false;
  #ended: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
  }

  /** There are commands to carry out: more were answered, or are left from before. */
  start(): void {
    this.#hasComeMore = true;
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#isRunning) this.#ended = this.#run().catch((error: unknown) => this.#failed(error));
  }

  /** Replies still wait: who waits for one goes first. */
  hold(): void {
    this.#hasComeMore = true;
  }

  /**
   * Resolves to true when all that is answered by now is carried out, and to false where it is closed before; rejects or throws
   * where it cannot be. Undefined where it is.
   */
  caughtUp(): Promise<boolean> | undefined {
    if (this.#failure) throw this.#failure.error;
    const behind = this.#parts.backlog.size;
    if (behind === 0) return undefined;
    if (this.#end.signal.aborted) return Promise.resolve(false);
    return new Promise((done, fail) => {
      this.#waiting.push({ behind, done, fail });
      this.#nap.abort();
      // Nobody has started it where what was to be answered was undone: who waits for that is told.
      this.#goOn();
    });
  }

  /** Leaves the rest for the next start, and lets nobody wait for it: that may take longer than a stop. */
  async close(): Promise<void> {
    this.#end.abort();
    this.#nap.abort();
    for (const { done } of this.#waiting.splice(0)) done(false);
    await this.#ended;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let patienceLeft = patience;
    while (this.#parts.backlog.size > 0 && !this.#end.signal.aborted) {
      if (patienceLeft > 0 && this.#waiting.length === 0 && this.#hasComeMore) {
        this.#hasComeMore = false;
        patienceLeft -= quietFor;
        if (this.#nap.signal.aborted) this.#nap = new AbortController();
        await this.#parts.clock.sleep(quietFor, this.#nap.signal).catch(() => undefined);
      } else {
        this.#carryOut();
        await nextTurn();
      }
    }
    this.#isRunning = false;
  }

  #failed(error: unknown): void {
    this.#failure = { error };
    for (const { fail } of this.#waiting.splice(0)) fail(error);
    this.#parts.failed(error);
  }

  #carryOut(): void {
    const { backlog, carryOut } = this.#parts;
    const before = backlog.size;
    carryOut();
    const done = before - backlog.size;
    for (const waiting of this.#waiting) waiting.behind -= done;
    while ((this.#waiting[0]?.behind ?? 1) <= 0) this.#waiting.shift()?.done(true);
  }
}

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
