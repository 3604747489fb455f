import { setImmediate as othersTurn } from "node:timers/promises";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { RequestKind } from "../../simulator/fault.ts";
import type { Fate } from "../../simulator/faults.ts";
import type { LyingLock } from "../../simulator/lying-lock.ts";
import { type Host, LinkError } from "../driver.ts";
import { orAbort } from "../shared/or-abort.ts";
import { Turns } from "../shared/turns.ts";
import { untilAny } from "../shared/until-any.ts";

export interface WireParts {
  readonly address: string;
  readonly lock: LyingLock;
  readonly host: Pick<Host, "clock" | "log">;
  /** How long an answer may take before it is silence. */
  readonly timeout: Milliseconds;
  /** Aborted when the link closes. */
  readonly closing: AbortSignal;
  /** The lock's memory has changed: it would survive our being killed when it returns. */
  readonly keep: () => void;
}

/** The way to one simulated lock, where things take time, are lost and come late, as its faults have it. */
export class Wire {
  readonly #parts: WireParts;
  readonly #turns = new Turns();

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  /** One caller at a time: nobody knows what is in a slot while another one writes to it. */
  async turn<T>(signal: AbortSignal, work: (within: AbortSignal) => Promise<T>): Promise<T> {
    return untilAny([signal, this.#parts.closing], (within) => this.#turns.take(() => work(within), within));
  }

  /** What the lock answers. Rejects with a LinkError where nothing comes. */
  async ask<T>(request: RequestKind, signal: AbortSignal, act: (fate: Fate) => T): Promise<T> {
    signal.throwIfAborted();
    const { lock, host, address } = this.#parts;
    const fate = lock.fate(request, host.clock.now());
    for (const fault of fate.strikes.keys())
      host.log.info({ lock: address, fault, request }, "a simulated fault strikes");
    const done = (): T => this.#kept(() => act(fate));
    if (fate.becomes !== "answered" || fate.delay > 0) return this.#unlessSilent(this.#arrival(fate, done), signal);
    // Real locks take their time, in which others have a turn.
    await othersTurn();
    return done();
  }

  /** Does what may change the lock's memory, and keeps that before anybody is told. */
  #kept<T>(act: () => T): T {
    const { lock, keep } = this.#parts;
    const before = lock.chip;
    const result = act();
    if (lock.chip !== before) keep();
    return result;
  }

  /** Whoever gives up waiting calls nothing back: what is under way goes on, until the link is closed. */
  async #arrival<T>({ delay, becomes, lateBy }: Fate, done: () => T): Promise<T> {
    const { host, closing } = this.#parts;
    const pause = (ms: Milliseconds): Promise<void> => host.clock.sleep(ms, closing);
    switch (becomes) {
      case "unheard":
        return never();
      case "late":
        await pause(lateBy);
        done();
        return never();
      case "lost":
        await pause(delay / 2);
        done();
        return never();
      case "answered": {
        const asked = host.clock.now();
        await pause(delay / 2);
        const answer = done();
        // To keep it takes its part of the time in which it answers.
        await pause(Math.max(0, Math.min(asked + delay - host.clock.now(), delay / 2)));
        return answer;
      }
    }
  }

  async #unlessSilent<T>(arrival: Promise<T>, signal: AbortSignal): Promise<T> {
    const { host, timeout, address, closing } = this.#parts;
    return untilAny([signal], (until) => {
      // Where it fails after somebody gave up waiting, nobody is left to be told but the log.
      arrival.catch((error: unknown) => {
        if (until.aborted && !closing.aborted) host.log.error({ lock: address, error }, "a simulated lock failed");
      });
      const silence = host.clock.sleep(timeout, until).then(() => {
        throw new LinkError(`${address} does not answer`, { hint: "it is a simulated lock: see its faults" });
      });
      return orAbort(Promise.race([arrival, silence]), until);
    });
  }
}

/** Each time another one: it would remember all who wait for it. */
const never = (): Promise<never> => new Promise(() => undefined);
