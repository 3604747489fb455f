import type { Instant, Milliseconds } from "../domain/instant.ts";

/** How a connection that the broker had accepted was lost. `explained`: something else than another client is to blame. */
export type Loss = "taken over" | "explained" | "unexplained";

const quick: Milliseconds = 10_000;
const quickLosses = 3;
/** A connection that outlives two pauses of a rival was not taken away. */
const calm: Milliseconds = 2 * 300_000;

/**
 * Tells whether another agent runs with our agent_id. The broker lets one of the two in only, so that they would take the
 * connection from each other several times a second, for ever: MQTT 5 says so (reason 0x8E), MQTT 3.1.1 just hangs up.
 */
export class IdGuard {
  #connectedAt: Instant | undefined;
  #quickLosses = 0;
  #since: Instant | undefined;

  connected(at: Instant): void {
    this.#connectedAt = at;
  }

  /** The broker could not be reached: who throws us out does not take the broker away, too. */
  unreachable(): void {
    this.#quickLosses = 0;
  }

  /** `new`: it was not known until now. `known`: it goes on. `no`: nothing speaks for it. */
  lost(at: Instant, how: Loss): "new" | "known" | "no" {
    const lasted = at - (this.#connectedAt ?? at);
    const before = this.inUseSince(at);
    this.#since = before;
    this.#connectedAt = undefined;
    if (lasted >= quick) this.#quickLosses = 0;
    else if (how !== "explained") this.#quickLosses += 1;
    if (how !== "taken over" && this.#quickLosses < quickLosses) return "no";
    this.#since ??= at;
    return before === undefined ? "new" : "known";
  }

  /** Since when it looks as if our agent_id was in use; undefined once a connection has lasted. */
  inUseSince(now: Instant): Instant | undefined {
    const isCalm = this.#connectedAt !== undefined && now - this.#connectedAt >= calm;
    return isCalm ? undefined : this.#since;
  }
}
