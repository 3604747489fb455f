import type { Clock } from "../../drivers/driver.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Instant, Milliseconds } from "../domain/instant.ts";

/** A clock that is set, and a grant that came by another way, are not missed for longer. */
const usually: Milliseconds = 30_000;
const shortest: Milliseconds = 1;
/** Why it wakes: one for all, as where it comes from matters to nobody. */
const nudged = new Error("something has changed");

export interface AlarmParts {
  readonly clock: Clock;
  /** Opens and closes what has come to its time: which devices are due, and when there is more to do. */
  readonly turn: () => { readonly due: ReadonlySet<DeviceId>; readonly next: Instant | undefined };
  readonly due: (...devices: readonly DeviceId[]) => void;
  /** How often it looks in any case. */
  readonly atLeastEvery?: Milliseconds;
  /** The store cannot be relied on any more. */
  readonly failed: (error: unknown) => void;
}

/** Wakes at the moment at which the next window of any grant opens or closes, however many there are. */
export class Alarm {
  readonly #parts: AlarmParts;
  readonly #end = new AbortController();
  #nap = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: AlarmParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#ended = this.#watch().catch(this.#parts.failed);
  }

  /** A grant has changed, or the clock is trusted again: what is next may be another moment. */
  nudge(): void {
    this.#nap.abort(nudged);
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#nap.abort();
    await this.#ended;
  }

  async #watch(): Promise<void> {
    const { clock, turn, due, atLeastEvery = usually } = this.#parts;
    while (!this.#end.signal.aborted) {
      if (this.#nap.signal.aborted) this.#nap = new AbortController();
      const done = turn();
      if (done.due.size > 0) due(...done.due);
      const pause = done.next === undefined ? atLeastEvery : done.next - clock.now();
      // Of many that change at one moment some are done at a time: commands and rounds come between.
      await clock.sleep(Math.min(Math.max(pause, shortest), atLeastEvery), this.#nap.signal).catch(() => undefined);
    }
  }
}
