import type { Clock } from "../../drivers/driver.ts";
import type { Milliseconds } from "../domain/instant.ts";
import type { Intake } from "./inbox.ts";

/** No packet marks the end of what a broker hands out to a new subscription: time does. */
const within: Milliseconds = 30_000;

/** Which retained messages on one connection are those that the broker had kept, and not published just now. */
export class Handout {
  #topics: Set<string> | undefined;

  /** We are about to subscribe anew. */
  begin(): void {
    this.#topics = new Set();
  }

  /** A retained message came. Each topic keeps one at most: the next on it was published just now (MQTT 5). */
  isKept(topic: string): boolean {
    if (!this.#topics || this.#topics.has(topic)) return false;
    this.#topics.add(topic);
    return true;
  }

  /** The broker granted our subscription. Resolves when it was told what it keeps, or the connection is over. */
  async tell(intake: Pick<Intake, "handedOut"> | undefined, clock: Clock, signal: AbortSignal): Promise<void> {
    const topics = this.#topics;
    if (!topics) return;
    const since = clock.now();
    try {
      await clock.sleep(within, signal);
    } catch {
      return; // Nothing can be said of what would have come.
    }
    intake?.handedOut(topics, since);
  }
}
