import { z } from "zod";
import { type Instant, instant, later, type Milliseconds } from "../agent/domain/instant.ts";
import {
  type FaultName,
  type FaultSetting,
  faultNames,
  faultSetting,
  faults,
  type RequestKind,
  usual,
} from "./fault.ts";

/** A fault that is on, and since when. */
export interface RunningFault {
  readonly setting: FaultSetting;
  readonly since: Instant;
}
/** As a file has it, in JSON. */
export const runningFault = z.strictObject({ setting: faultSetting, since: z.number().transform(instant) });

/** What becomes of one request. */
export interface Fate {
  /** How long the request and its answer are under way. */
  readonly delay: Milliseconds;
  /**
   * `lost`: the lock does what it is asked, and nobody is told. `late`: it is given up, and reaches the lock later.
   * `unheard`: it never reaches it.
   */
  readonly becomes: "answered" | "lost" | "late" | "unheard";
  /** When the lock gets it that is late. */
  readonly lateBy: Milliseconds;
  /** All that goes wrong with it. */
  readonly strikes: ReadonlyMap<FaultName, FaultSetting>;
}

/** When a fault ends by itself. */
export const endOf = ({ setting: { seconds }, since }: RunningFault): Instant | undefined =>
  seconds === undefined ? undefined : later(since, seconds * 1_000);

/**
 * The faults of one lock, and by them the fates of its requests, one after the other: the same for the same seed. Pure.
 */
export class Faults {
  readonly #random: () => number;
  readonly #running: Map<FaultName, RunningFault>;

  constructor(seed: number, running: readonly RunningFault[] = []) {
    this.#random = seeded(seed);
    this.#running = new Map(running.map((one) => [one.setting.fault, one]));
  }

  /** Those that have not ended by themselves. */
  running(now: Instant): readonly RunningFault[] {
    return [...this.#running.values()].filter((one) => isOn(one, now));
  }

  get(fault: FaultName, now: Instant): RunningFault | undefined {
    const found = this.latest(fault);
    return found && isOn(found, now) ? found : undefined;
  }

  /** Also where it has ended by itself. */
  latest(fault: FaultName): RunningFault | undefined {
    return this.#running.get(fault);
  }

  /** In the place of the same fault, where that is on. */
  begin(setting: FaultSetting, now: Instant): void {
    this.#running.set(setting.fault, { setting, since: now });
  }

  end(fault: FaultName): void {
    this.#running.delete(fault);
  }

  next(request: RequestKind, now: Instant): Fate {
    const strikes = new Map<FaultName, FaultSetting>();
    for (const name of faultNames) {
      // Drawn for each, whatever is on: so that one fault's luck does not depend on which others there are.
      const luck = this.#random();
      const setting = this.get(name, now)?.setting;
      if (!setting || !isFor(setting, request)) continue;
      if (luck < (setting.share ?? usual.share)) strikes.set(name, setting);
    }
    const [pace, lateness] = [this.#random(), this.#random()];
    const slow = strikes.get("slow");
    const delay = slow ? within(slow.ms ?? usual.slowMs, pace) : 0;
    const lateBy = within(strikes.get("executes_late")?.ms ?? usual.lateMs, lateness);
    return { delay, becomes: becomesOf(strikes), lateBy, strikes };
  }

  /** Whether a fault strikes now that is of no request. */
  strikes(fault: FaultName, now: Instant): boolean {
    const found = this.get(fault, now);
    return found !== undefined && this.#random() < (found.setting.share ?? usual.share);
  }
}

const isOn = (fault: RunningFault, now: Instant): boolean => now < (endOf(fault) ?? Number.POSITIVE_INFINITY);

const isFor = ({ fault, to }: FaultSetting, request: RequestKind): boolean => {
  const spoils: readonly RequestKind[] = to ?? faults[fault].spoils;
  return spoils.includes(request);
};

function becomesOf(strikes: Fate["strikes"]): Fate["becomes"] {
  if (strikes.has("deaf")) return "unheard";
  if (strikes.has("executes_late")) return "late";
  return strikes.has("loses_replies") ? "lost" : "answered";
}

const within = ([least = 0, most = least]: readonly number[], share: number): number => least + share * (most - least);

/** How bad the way to a lock is. Shares are between 0 and 1. */
export interface Odds {
  /** The shortest and the longest that a request and its answer are under way. */
  readonly delay: readonly [Milliseconds, Milliseconds];
  /** Of all answers: the lock has done what it was asked, and nobody is told. */
  readonly lose: number;
  /** Of all writes: they are given up, and reach the lock later. */
  readonly late: number;
}

/** The odds as faults that are on from the beginning. */
export const faultsOf = ({ delay, lose, late }: Odds): readonly RunningFault[] => {
  const [, most] = delay;
  const settings: readonly (FaultSetting | false)[] = [
    most > 0 && { fault: "slow", ms: delay },
    lose > 0 && { fault: "loses_replies", share: lose },
    late > 0 && { fault: "executes_late", share: late },
  ];
  return settings.flatMap((setting) => (setting ? [{ setting, since: instant(0) }] : []));
};

/** Numbers from 0 to 1, small and fast (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
