import type { Clock } from "../drivers/driver.ts";
import { type Instant, later, type Milliseconds } from "./domain/instant.ts";

const every: Milliseconds = 500;
/** So long may a beat be late before this process is said to have stood still. */
const slack: Milliseconds = 1_500;
/** What has come meanwhile is handed out within this time. */
const catchesUpWithin: Milliseconds = 2_000;

/**
 * Whether this process has stood still: stopped, on a machine that slept, or kept waiting by a disk. What it is asked right
 * after that may have been said before, and nobody can tell.
 */
export class Pulse {
  readonly #clock: Clock;
  readonly #end = new AbortController();
  #last: Instant;
  #stall: { readonly since: Instant; readonly until: Instant } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = clock.now();
  }

  start(): void {
    this.#beat().catch(() => undefined);
  }

  close(): void {
    this.#end.abort();
  }

  /** Of what is asked without its time, when it may have been said at the earliest. */
  saidAt(): Instant {
    const now = this.#clock.now();
    // Timers come after what was read from the network.
    if (now >= later(this.#last, every + slack)) return this.#last;
    const stall = this.#stall;
    return stall && now < later(stall.until, catchesUpWithin) ? stall.since : now;
  }

  async #beat(): Promise<void> {
    for (;;) {
      await this.#clock.sleep(every, this.#end.signal);
      const now = this.#clock.now();
      if (now >= later(this.#last, every + slack)) this.#stall = { since: this.#last, until: now };
      this.#last = now;
    }
  }
}
