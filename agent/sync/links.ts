import { type Driver, type Host, type Link, LinkError, type LinkEvent, type Log } from "../../drivers/driver.ts";
import { backoff } from "../domain/backoff.ts";
import type { Milliseconds } from "../domain/instant.ts";

const firstRetry: Milliseconds = 1_000;
const lastRetry: Milliseconds = 60_000;

/** A wire of the configuration. */
export interface Wire {
  readonly name: string;
  readonly driver: Driver;
  readonly options: unknown;
  readonly host: Omit<Host, "report">;
}

export interface LinkWatch {
  opened(link: string): void;
  /** Resolves when what happened is committed. */
  reported(link: string, event: LinkEvent): Promise<void>;
}

/** Opens the configured links, tries again for as long as one does not open, and closes them in reverse. */
export class Links {
  readonly #open = new Map<string, Link>();
  readonly #opening: Promise<void>[] = [];
  readonly #watch: LinkWatch;
  readonly #random: () => number;
  readonly #end = new AbortController();

  constructor(watch: LinkWatch, random: () => number) {
    this.#watch = watch;
    this.#random = random;
  }

  start(wires: readonly Wire[]): void {
    for (const wire of wires) this.#opening.push(this.#keepOpening(wire));
  }

  /** Undefined while it does not open. */
  get(name: string): Link | undefined {
    return this.#open.get(name);
  }

  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#opening);
    for (const link of [...this.#open.values()].toReversed()) await link[Symbol.asyncDispose]();
    this.#open.clear();
  }

  async #keepOpening({ name, driver, options, host }: Wire): Promise<void> {
    const { signal } = this.#end;
    const watch = this.#watch;
    const reporting: Host = { ...host, report: (event) => watch.reported(name, event) };
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        this.#open.set(name, await unlessAborted(driver.open(options, reporting), signal));
        host.log.info({}, "link open");
        watch.opened(name);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (attempt === 1) complain(host.log, error);
        const pause = backoff(attempt, firstRetry, lastRetry, this.#random);
        await host.clock.sleep(pause, signal).catch(() => undefined);
      }
    }
  }
}

function complain(log: Log, error: unknown): void {
  const { message, hint } = error instanceof LinkError ? error : { message: String(error), hint: undefined };
  log.warn({ problem: message, hint }, "link does not open; trying again");
}

/** A driver may take long to find that nobody is there: closing does not wait for it, and keeps no link that it opens. */
function unlessAborted(opening: Promise<Link>, signal: AbortSignal): Promise<Link> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      opening.then((link) => link[Symbol.asyncDispose]()).catch(() => undefined);
      reject(new LinkError("closing", { sent: false }));
    };
    if (signal.aborted) return giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    opening.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
