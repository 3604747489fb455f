import type { Clock } from "../../drivers/driver.ts";
import type { Milliseconds } from "../domain/instant.ts";

/** So long after many commands, or while their replies wait, others are likely to come. */
const likelyFor: Milliseconds = 50;
/** While commands keep coming somebody is let through as often: their locks have enough to do with what is decided then. */
const heldFor: Milliseconds = 100;
/** What is not urgent may become so while it waits: a revoke has come. */
const lookEvery: Milliseconds = 10;

interface Waiting {
  readonly isUrgent: () => boolean;
  readonly go: () => void;
}

/**
 * Lets those through one by one who compute for a while, one in each turn of the event loop: with hundreds of locks that have
 * something to do, a command that arrives meanwhile waits for one of them, and not for all. While commands keep coming, who
 * waits for their replies goes first; what is urgent goes before all that is not, and waits for no command.
 */
export class Turnstile {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #monotonic: () => Milliseconds;
  readonly #waiting: Waiting[] = [];
  #passed: Milliseconds = -heldFor;
  #heldUntil: Milliseconds = 0;

  /** @param monotonic counts evenly, whatever the clock is set to. */
  constructor(clock: Pick<Clock, "sleep">, monotonic: () => Milliseconds) {
    this.#clock = clock;
    this.#monotonic = monotonic;
  }

  /** @param isUrgent asked again while it waits. */
  pass(isUrgent: () => boolean): Promise<void> {
    return new Promise((go) => {
      if (this.#waiting.push({ isUrgent, go }) === 1) void this.#letThrough();
    });
  }

  /** Many commands have just arrived, or their replies still wait. */
  hold(): void {
    this.#heldUntil = this.#monotonic() + likelyFor;
  }

  async #letThrough(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise((resolve) => void setImmediate(resolve));
      const held = Math.min(this.#heldUntil, this.#passed + heldFor) - this.#monotonic();
      const urgent = this.#waiting.findIndex(isUrgentNow);
      if (urgent < 0 && held > 0) {
        await this.#clock.sleep(Math.min(held, lookEvery));
        continue;
      }
      this.#passed = this.#monotonic();
      for (const { go } of this.#waiting.splice(Math.max(urgent, 0), 1)) go();
    }
  }
}

/** Who cannot be asked is let through: it finds out by itself what is wrong. */
function isUrgentNow({ isUrgent }: Waiting): boolean {
  try {
    return isUrgent();
  } catch {
    return true;
  }
}
