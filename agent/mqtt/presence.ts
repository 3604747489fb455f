import type { Clock } from "../../drivers/driver.ts";
import type { Instant, Milliseconds } from "../domain/instant.ts";

/** What is to be remembered of our session at the broker when this process is gone, and told to the cloud. */
export interface Chronicle {
  /** The broker let us in; `session`: it remembers us. */
  connected(at: Instant, session: boolean): void;
  /** We were connected at `at`. */
  heard(at: Instant): void;
  /** Another agent seems to run with our agent_id. */
  idInUse(reason: string): void;
}

/**
 * A broker that is there is heard of every 30 seconds (our keep-alive), so that a process that was killed knows of its last
 * connection to within a minute; more often would wear the disk for nothing.
 */
const writtenEvery: Milliseconds = 45_000;

/** Knows until when we were surely connected. What it calls may throw, as the store does. */
export class Presence {
  readonly #chronicle: Chronicle | undefined;
  readonly #clock: Clock;
  #heard: Instant | undefined;
  #written: Instant | undefined;

  constructor(chronicle: Chronicle | undefined, clock: Clock) {
    this.#chronicle = chronicle;
    this.#clock = clock;
  }

  connected(session: boolean): void {
    const now = this.#clock.now();
    this.#chronicle?.connected(now, session);
    this.#heard = now;
    this.#written = now;
  }

  /** A packet came. */
  heard(): void {
    if (this.#written === undefined) return;
    this.#heard = this.#clock.now();
    // The other way round: the clock was set back.
    if (Math.abs(this.#heard - this.#written) >= writtenEvery) this.#write();
  }

  lost(): void {
    if (this.#heard !== this.#written) this.#write();
    this.#written = undefined;
  }

  #write(): void {
    if (this.#heard === undefined) return;
    this.#chronicle?.heard(this.#heard);
    this.#written = this.#heard;
  }
}
