import { type Instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A clock whose sleepers do not notice that the time goes on while nothing runs, as on a machine that sleeps. */
export class StallingClock extends VirtualClock {
  #ahead: Milliseconds = 0;

  override now(): Instant {
    return later(super.now(), this.#ahead);
  }

  /** Milliseconds that go on evenly meanwhile. */
  steady(): Milliseconds {
    return super.now();
  }

  /** @param ms below 0: the clock is set back. */
  stall(ms: Milliseconds): void {
    this.#ahead += ms;
  }
}
