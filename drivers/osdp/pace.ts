import { type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";

/** Without a good exchange for so long it is offline, and both sides give the channel up (5.7). */
export const offlineAfter: Milliseconds = 8_000;
export const unpairedProbe: Milliseconds = 5_000;
/** Somebody stands at a reader, and brings it into its install mode. */
export const installProbe: Milliseconds = 2_000;
const afterBusy: Milliseconds = 100;
const mostBusy = 20;
/** Of a command in a session that is not up. In one that is, repeats go on until the reader is offline. */
const mostTries = 3;
const firstRepeat: Milliseconds = 100;
const longestRepeat: Milliseconds = 1_000;
const firstProbe: Milliseconds = 1_000;
const longestProbe: Milliseconds = 30_000;

const doubled = (first: Milliseconds, times: number, most: Milliseconds): Milliseconds =>
  Math.min(first * 2 ** Math.min(times, 10), most);

/** When a command is said again, and when a session that came to nothing is begun anew (reference 1.5, 1.6). */
export class Pace {
  /** When what was sent may be sent again; undefined: its reply is waited for. */
  again: Instant | undefined;
  /** Nothing is begun before. */
  notBefore: Instant = instant(0);
  #tries = 0;
  #busy = 0;
  /** Whether somebody has answered in this session. */
  #isHeard = false;
  /** Sessions in a row that came to nothing. */
  #failures = 0;

  get failures(): number {
    return this.#failures;
  }

  /** It was not understood, or not answered. @returns whether to go on. */
  missed(now: Instant, isUp: boolean): boolean {
    this.again = later(now, this.#tries === 0 ? 0 : doubled(firstRepeat, this.#tries - 1, longestRepeat));
    this.#tries += 1;
    // A reader that is away costs those beside it as little as can be: it is asked once.
    return isUp || this.#tries < (this.#isHeard || this.#failures === 0 ? mostTries : 1);
  }

  /** @returns whether to go on. */
  busy(now: Instant): boolean {
    this.again = later(now, afterBusy);
    this.#busy += 1;
    return this.#busy <= mostBusy;
  }

  answered(): void {
    this.again = undefined;
    this.#tries = 0;
    this.#busy = 0;
    this.#isHeard = true;
  }

  /** A session begins, not before `at`. */
  begin(at: Instant): void {
    this.answered();
    this.#isHeard = false;
    this.notBefore = at;
  }

  up(): void {
    this.#failures = 0;
  }

  /** How long to wait after a session that came to nothing. The first one is begun anew at once. */
  pause(): Milliseconds {
    this.#failures += 1;
    return this.#failures === 1 ? 0 : doubled(firstProbe, this.#failures - 2, longestProbe);
  }
}
