import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import type { Secret } from "../../agent/domain/secret.ts";
import type { Clock, Host, LinkEvent, Log } from "../../drivers/driver.ts";

/** Real time, in which waiting takes `pace` times as short as it is asked to. */
export const hurriedClock = (pace: number): Clock => ({
  now: (): Instant => instant(Date.now()),
  sleep: (ms, signal) =>
    delay(ms / pace, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    }),
});

/** A host that remembers all that a driver says, for tests to look through. */
export class RecordingHost implements Host, Disposable {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: LinkEvent[] = [];
  readonly said: string[] = [];
  readonly state: Host["state"];
  readonly #directory = mkdtempSync(join(tmpdir(), "latchd-link-"));

  constructor(clock: Clock) {
    this.clock = clock;
    const say = (fields: object, message: string): void => {
      this.said.push(`${message} ${inspect(fields, { depth: 10 })} ${JSON.stringify(fields)}`);
    };
    this.log = { trace: say, debug: say, info: say, warn: say, error: say };
    const kept = new Map<string, Secret>();
    this.state = {
      get: (key) => kept.get(key),
      set: (key, value) => void kept.set(key, value),
      delete: (key) => void kept.delete(key),
      directory: this.#directory,
    };
  }

  async report(event: LinkEvent): Promise<void> {
    this.events.push(event);
    this.said.push(`${inspect(event, { depth: 10 })} ${JSON.stringify(event)}`);
  }

  /** Resolves when an event has been reported, counting those from `from` on. */
  async reported(event: LinkEvent["event"], from = 0): Promise<LinkEvent> {
    const found = (): LinkEvent | undefined => this.events.slice(from).find((told) => told.event === event);
    return eventually(`the event ${event}`, found).catch((cause: unknown) => {
      throw new Error(`the event ${event} did not come; last was said:\n${this.said.slice(-20).join("\n")}`, { cause });
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Looks again and again for what must come: it is there at once, but where the machine has much other work. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  within = 20_000,
): Promise<T> {
  const until = Date.now() + within;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`${what} did not come`);
    await delay(10);
  }
}
