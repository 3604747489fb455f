import type { Clock } from "../../drivers/driver.ts";
import type { Milliseconds } from "../domain/instant.ts";

/** So long after many commands, or while their replies wait, others are likely to come. */
const likelyFor: Milliseconds = 50;
/** While commands keep coming somebody is let through as often: their locks have enough to do with what is decided then. */
const heldFor: Milliseconds = 100;

/**
 * Lets those through one by one who compute for a while, one in each turn of the event loop: with hundreds of locks that have
 * something to do, a command that arrives meanwhile waits for one of them, and not for all. While commands keep coming, who
 * waits for their replies goes first.
 */
export class Turnstile {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #monotonic: () => Milliseconds;
  readonly #waiting: (() => void)[] = [];
  #passed: Milliseconds = -heldFor;
  #heldUntil: Milliseconds = 0;

  /** @param monotonic counts evenly, whatever the clock is set to. */
  constructor(clock: Pick<Clock, "sleep">, monotonic: () => Milliseconds) {
    this.#clock = clock;
    this.#monotonic = monotonic;
  }

  pass(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) void this.#openSoon();
    });
  }

  /** Many commands have just arrived, or their replies still wait. */
  hold(): void {
    this.#heldUntil = this.#monotonic() + likelyFor;
  }

  async #openSoon(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (let held = this.#held; held > 0; held = this.#held) await this.#clock.sleep(held);
      await new Promise((resolve) => void setImmediate(resolve));
      this.#passed = this.#monotonic();
      this.#waiting.shift()?.();
    }
  }

  get #held(): Milliseconds {
    return Math.min(this.#heldUntil, this.#passed + heldFor) - this.#monotonic();
  }
}
