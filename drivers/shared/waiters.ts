import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { Clock } from "../driver.ts";
import { untilAny } from "./until-any.ts";

/** Those who wait for a message that answers them, on a wire that carries no number to tell answers by. */
export class Waiters<Message> {
  readonly #clock: Clock;
  readonly #waiting = new Set<(message: Message) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Shows a message to all who wait. */
  hear(message: Message): void {
    for (const offer of this.#waiting) offer(message);
  }

  /**
   * The first message from now on that `match` makes something of.
   *
   * @returns undefined where there was none within `ms`. Rejects with the signal's reason.
   */
  async next<T>(
    match: (message: Message) => T | undefined,
    ms: Milliseconds,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    signal.throwIfAborted();
    let offer: ((message: Message) => void) | undefined;
    const heard = new Promise<T>((resolve) => {
      offer = (message) => {
        const found = match(message);
        if (found !== undefined) resolve(found);
      };
      this.#waiting.add(offer);
    });
    try {
      return await untilAny([signal], (until) => {
        const silence = this.#clock.sleep(ms, until);
        return Promise.race([heard, silence.then(() => undefined)]);
      });
    } finally {
      if (offer) this.#waiting.delete(offer);
    }
  }
}
