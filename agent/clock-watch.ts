import type { Clock, Log } from "../drivers/driver.ts";
import {
  beforeLooking,
  type ClockTrust,
  confirmed,
  type Doubt,
  looked,
  type Sight,
  supposed,
  tolerance,
  type Witness,
  wasSet,
} from "./domain/clock-trust.ts";
import { type Instant, type Milliseconds, toIso } from "./domain/instant.ts";
import type { TimeServer } from "./sntp.ts";
import type { Store } from "./store/store.ts";
import type { Synchronisation } from "./synchronisation.ts";

/** Between two looks: much less than the step that is not believed. */
const every: Milliseconds = 10_000;
/** A server is not asked more often. */
const askEvery: Milliseconds = 60_000;

export interface ClockWatchParts {
  readonly clock: Clock;
  /** Counts evenly, also while the machine sleeps, whatever the clock is set to. */
  readonly monotonic: () => Milliseconds;
  readonly synchronisation: Pick<Synchronisation, "ask" | "found">;
  /** A second source: undefined where none is configured. Resolves to how far it is ahead of us. */
  readonly ask: ((signal: AbortSignal) => Promise<Milliseconds>) | undefined;
  readonly built: Instant;
  readonly log: Log;
  /** Whether the time is known has changed. */
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

/** What is known of the clock, for people. */
export interface ClockFacts {
  readonly trusted: boolean;
  readonly reason: Doubt | undefined;
  readonly since: Instant | undefined;
  readonly source: string;
  readonly hint: string | undefined;
}

const hints: Readonly<Record<Doubt, string>> = {
  before_build: "the clock is set to a time before this version of latchd was made: set it",
  stepped:
    "the clock was set: where it is right now, latchd clock confirm; a server in clock.check does that by itself",
  before_record: "latchd was at a later time before: set the clock, or where it is right now, latchd clock confirm",
  not_synchronised: "wait until the system has its time from a server, or latchd clock confirm where it is right",
};

/** Looks after whether the clock may be believed (Law 12). */
export class ClockWatch {
  readonly #parts: ClockWatchParts;
  readonly #end = new AbortController();
  #store: Pick<Store, "clock" | "journal" | "transaction" | "tellClock"> | undefined;
  readonly #began: Sight;
  #state: ClockTrust | undefined;
  #asked: Milliseconds | undefined;

  constructor(parts: ClockWatchParts) {
    this.#parts = parts;
    this.#began = this.#sight();
  }

  /** Nobody has looked, or somebody doubts it: what depends on the time waits. */
  get isTrusted(): boolean {
    return this.#state !== undefined && this.#state.doubt === undefined && !this.#wasSet(this.#state);
  }

  /** The time: by the clock where it is trusted, else as far as it is known. Before the first look there is only the clock. */
  now(): Instant {
    const { clock, built } = this.#parts;
    if (!this.#state || this.isTrusted) return clock.now();
    return supposed(this.#state, this.#sight(), { built, mark: this.#store?.clock.mark }, this.#began);
  }

  /** Somebody else than the system has said that the clock is right, since it was set last. */
  get isConfirmed(): boolean {
    return this.isTrusted && this.#state?.witness !== undefined;
  }

  get facts(): ClockFacts {
    const state = this.#state;
    const reason = state?.doubt ?? (state && this.#wasSet(state) ? "stepped" : undefined);
    return {
      trusted: this.isTrusted,
      reason,
      since: state?.since,
      source: this.#parts.synchronisation.found.source,
      hint: reason === undefined ? undefined : hints[reason],
    };
  }

  /** The first look, which everything else waits for; then again and again until {@link close}. */
  async start(store: Pick<Store, "clock" | "journal" | "transaction" | "tellClock">): Promise<void> {
    this.#store = store;
    await this.#parts.synchronisation.ask(this.#end.signal);
    this.look();
    this.#watch().catch(this.#parts.failed);
  }

  close(): void {
    this.#end.abort();
  }

  /** Before anything that depends on the time: a clock that was set a moment ago is not believed. */
  look(): void {
    const store = this.#store;
    if (!store) return;
    const sight = this.#sight();
    const before = this.#state ?? beforeLooking(sight, store.clock.kept);
    this.#become(looked(before, sight, { built: this.#parts.built, mark: store.clock.mark }));
  }

  /** False where nobody can be right who says so. */
  confirm(witness: Witness): boolean {
    const store = this.#store;
    if (!store || !this.#state) return false;
    const sight = this.#sight();
    const after = confirmed(this.#state, sight, witness, this.#parts.built);
    if (!after) return false;
    store.transaction(() => store.clock.restart(sight.wall));
    this.#become(after, witness);
    return true;
  }

  /** A look costs more than the time, which is asked for at every turn. */
  #wasSet(state: ClockTrust): boolean {
    return Math.abs(this.#parts.clock.now() - state.last.wall) > tolerance && wasSet(state, this.#sight());
  }

  #sight(): Sight {
    const { clock, monotonic, synchronisation } = this.#parts;
    return { wall: clock.now(), monotonic: monotonic(), synchronised: synchronisation.found.synchronised };
  }

  #become(state: ClockTrust, witness?: Witness): void {
    const store = this.#store;
    const before = this.#state;
    this.#state = state;
    const { doubt, since, step } = state;
    const was = before ?? store?.clock.kept;
    const isSame = was !== undefined && was.doubt === doubt && was.step?.to === step?.to && was.step?.by === step?.by;
    if (!store || (isSame && before !== undefined)) return;
    store.transaction(() => {
      store.clock.keep({ doubt, since, step });
      const wasTrusted = was === undefined ? true : was.doubt === undefined;
      if (wasTrusted === (doubt === undefined)) return;
      store.tellClock(
        doubt === undefined
          ? { type: "clock.trusted", fields: { witness: witness ?? "system", since: toIso(since) } }
          : {
              type: "clock.untrusted",
              fields: { reason: doubt, since: toIso(since), step_seconds: step ? Math.round(step.by / 1000) : null },
            },
      );
    });
    this.#parts.changed();
  }

  async #watch(): Promise<void> {
    const { clock, synchronisation } = this.#parts;
    const { signal } = this.#end;
    while (!signal.aborted) {
      await clock.sleep(every, signal).catch(() => undefined);
      if (signal.aborted) return;
      await synchronisation.ask(signal);
      this.look();
      await this.#askServer(signal);
    }
  }

  /** Where there is something that only another can tell. */
  async #askServer(signal: AbortSignal): Promise<void> {
    const { ask, monotonic, log } = this.#parts;
    const isWanted = !this.isTrusted || this.#state?.witness === undefined;
    if (!ask || !isWanted || (this.#asked !== undefined && monotonic() - this.#asked < askEvery)) return;
    this.#asked = monotonic();
    try {
      const ahead = await ask(signal);
      if (Math.abs(ahead) <= tolerance) this.confirm("server");
      else
        log.warn({ seconds: Math.round(ahead / 1000) }, "the server of clock.check has another time than this machine");
    } catch (error) {
      if (!signal.aborted && !this.isTrusted) log.warn({ error }, "the server of clock.check does not tell the time");
    }
  }
}

/** @param text `host` or `host:port`. */
export function timeServerOf(text: string): TimeServer {
  const [, host = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port ?? 123) };
}
