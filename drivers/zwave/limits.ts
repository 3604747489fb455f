import type { MemoryLimits } from "../../agent/domain/abilities.ts";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import { slotOf } from "./codec-user-code.ts";

/** zwave-js is told to give up a command that has waited for so long, also one to a lock that sleeps. */
export const expiresAfter: Milliseconds = 30_000;
/**
 * When a command is given up, the controller may still be at it (zwave-js aborts a transmission after 20 s), and the lock
 * may take its time. After this long what has not been carried out will not be.
 */
export const settledAfter: Milliseconds = 120_000;
/** More than any lock has: a larger number is no number of slots. */
export const mostSlots = 1000;
const digits = "0123456789";

/** What a lock says that it takes. */
export interface Capacity {
  readonly slots: number;
  readonly shortest: number;
  readonly longest: number;
  /** Characters that codes may have: undefined where the lock does not say. */
  readonly characters: string | undefined;
  readonly saysCodes: boolean;
  readonly windows: MemoryLimits["windows"];
  readonly suspends: boolean;
  readonly onBattery: boolean;
}

export function limitsOf(capacity: Capacity): MemoryLimits {
  const { slots, shortest, longest, characters, saysCodes, windows, suspends, onBattery } = capacity;
  const cost = onBattery ? "battery" : "cheap";
  const taken = Array.from(digits)
    .filter((digit) => characters?.includes(digit) ?? true)
    .join("");
  return {
    kinds: new Map([
      [
        "pin",
        {
          slots: Array.from({ length: Math.min(slots, mostSlots) }, (_, index) => slotOf(index + 1)),
          lengths: Array.from({ length: longest - shortest + 1 }, (_, more) => shortest + more),
          alphabet: taken === "" ? digits : taken,
          rules: [],
        },
      ],
    ]),
    windows,
    ...(suspends ? { suspends } : {}),
    readBack: saysCodes ? "full" : "masked",
    cost: { read: cost, write: cost },
    settles: settledAfter,
  };
}
