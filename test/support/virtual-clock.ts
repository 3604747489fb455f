import { type Instant, instant, type Milliseconds } from "../../agent/domain/instant.ts";
import type { Clock } from "../../drivers/driver.ts";

interface Sleeper {
  readonly at: Instant;
  readonly order: number;
  readonly wake: () => void;
}

const mostWoken = 10_000;
/** What looks at the time a few times a minute, for days, may wake as often as that. */
const perWake: Milliseconds = 6_000;
/** No work that ends asks as often what time it is before any passes. */
const mostAsked = 100_000;

/** A time that stands still until a test lets it run: then every sleeper wakes at its own instant, in order. */
export class VirtualClock implements Clock {
  #now: Instant;
  readonly #began: Instant;
  #order = 0;
  #asked = 0;
  #sleepers: Sleeper[] = [];
  /** How often a sleeper woke: what works without an end shows here. */
  woken = 0;

  constructor(start = 1_750_000_000_000) {
    this.#now = instant(start);
    this.#began = this.#now;
  }

  now(): Instant {
    this.#asked += 1;
    this.#mustPass();
    return this.#now;
  }

  get asleep(): number {
    return this.#sleepers.length;
  }

  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const wake = (): void => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const sleeper = { at: instant(this.#now + ms), order: this.#order++, wake };
      const giveUp = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(reasonOf(signal));
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Lets time run on by `ms`, and all that it wakes come to rest. */
  async run(ms: Milliseconds): Promise<void> {
    const until = instant(this.#now + ms);
    await rest();
    this.#mustPass();
    for (let next = this.#first(until); next; next = this.#first(until)) {
      this.#now = instant(Math.max(this.#now, next.at));
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.woken += 1;
      if (this.woken > mostWoken + (this.#now - this.#began) / perWake)
        throw new Error(`${mostWoken} sleepers woke: something works without an end`);
      this.#asked = 0;
      next.wake();
      await turn();
      this.#mustPass();
    }
    this.#now = until;
    this.#asked = 0;
  }

  /** Thrown to whoever asks as well: a loop that never waits would not let anybody else find out. */
  #mustPass(): void {
    if (this.#asked > mostAsked) throw new Error(`asked for the time ${mostAsked} times before any has passed`);
  }

  #first(until: Instant): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const each of this.#sleepers) {
      if (each.at > until) continue;
      if (!first || each.at < first.at || (each.at === first.at && each.order < first.order)) first = each;
    }
    return first;
  }
}

export function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error("aborted");
}

/** All promises that can settle by themselves have settled. */
const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** All promises that can settle without time passing have settled, also where somebody waits for a turn of the event loop. */
export const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
