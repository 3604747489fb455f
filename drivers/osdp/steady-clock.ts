import { type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { Clock } from "../driver.ts";

/**
 * A clock that never goes back. What a line waits for is a matter of milliseconds: where somebody sets the time of day back, be
 * it by one of them, nobody is silent for longer, or asked later, for that.
 */
export class SteadyClock implements Clock {
  readonly #clock: Clock;
  #last: Instant = instant(0);
  /** By how much in all it was set back. */
  #back: Milliseconds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): Instant {
    const now = later(this.#clock.now(), this.#back);
    if (now < this.#last) this.#back += this.#last - now;
    this.#last = instant(Math.max(now, this.#last));
    return this.#last;
  }

  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }
}
