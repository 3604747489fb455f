import { once } from "node:events";
import { type Instant, instant, type Milliseconds } from "../../agent/domain/instant.ts";
import type { Clock } from "../driver.ts";
import type { SerialLine } from "../shared/serial-line.ts";

/** Timers are no finer. */
const least: Milliseconds = 1;
/**
 * A connection on which nothing has come for so long is given up, and made anew: a bridge that was without power knows
 * nothing of it, and nobody says so.
 */
export const deafFor: Milliseconds = 60_000;

/** What says something on a line, and has no timer. The bus tells what its members are for. */
export interface Driven {
  next(now: Instant): Instant | undefined;
  tick(now: Instant): Uint8Array | undefined;
  onBytes(bytes: Uint8Array, now: Instant): void;
  lost(now: Instant): void;
  idle(now: Instant): void;
}

/** Brings bytes and time to a bus, and what it says to the line. Nothing else has a timer. */
export class Pump {
  readonly #bus: Driven;
  readonly #clock: Clock;
  readonly #happened: () => void;
  readonly #givesUpAfter: Milliseconds;
  #nap = new AbortController();
  /** When something came last. */
  #heard: Instant = instant(0);

  /**
   * @param happened is called whenever a session may have something to tell.
   * @param givesUpAfter so much silence a line has ended, whatever it says; usually none does.
   */
  constructor(bus: Driven, clock: Clock, happened: () => void, givesUpAfter: Milliseconds = Number.POSITIVE_INFINITY) {
    this.#bus = bus;
    this.#clock = clock;
    this.#happened = happened;
    this.#givesUpAfter = givesUpAfter;
  }

  /** Something is wanted of a session: the bus is asked at once. */
  wake(): void {
    this.#nap.abort();
  }

  /** To be called now and then while there is no line. */
  idle(): void {
    this.#bus.idle(this.#clock.now());
    this.#happened();
  }

  /** Resolves when the line has ended, or the signal is aborted. */
  async run({ bytes: line }: SerialLine, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    this.#heard = this.#clock.now();
    const hear = (bytes: Uint8Array): void => {
      this.#heard = this.#clock.now();
      this.#bus.onBytes(bytes, this.#clock.now());
      this.#happened();
      this.wake();
    };
    const end = (): void => {
      over.abort();
      this.wake();
    };
    line.on("data", hear).once("close", end);
    signal.addEventListener("abort", end, { once: true });
    try {
      while (!over.signal.aborted && !signal.aborted && !line.closed && !this.#isDeaf) await this.#step(line);
    } finally {
      signal.removeEventListener("abort", end);
      line.off("data", hear).off("close", end);
      this.#bus.lost(this.#clock.now());
      this.#happened();
    }
  }

  get #isDeaf(): boolean {
    return this.#clock.now() - this.#heard >= this.#givesUpAfter;
  }

  /** Many times a second, for years: a signal that were made of others here would be remembered by those for ever. */
  async #step(line: SerialLine["bytes"]): Promise<void> {
    this.#nap = new AbortController();
    const { signal: woken } = this.#nap;
    const now = this.#clock.now();
    const bytes = this.#bus.tick(now);
    // First what has happened, then what is said: a key is kept before it is sent.
    this.#happened();
    if (bytes) line.write(bytes);
    const next = this.#bus.next(now);
    // Whatever ends the wait, the bus is asked what to do.
    if (woken.aborted) return;
    if (next === undefined) await once(woken, "abort");
    else await this.#clock.sleep(Math.max(next - now, least), woken).catch(() => undefined);
  }
}
