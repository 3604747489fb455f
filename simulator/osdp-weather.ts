import { z } from "zod";
import type { Milliseconds } from "../agent/domain/instant.ts";

/** What is heard of something that was said. */
interface Heard {
  readonly bytes: Uint8Array;
  /** How long it waits for its turn. */
  readonly after: Milliseconds;
}

/** What becomes of something that is said on a line: nothing is heard of it, or other bytes, or more than once. */
export type Weather = (said: Uint8Array) => readonly Heard[];

export const calm: Weather = (bytes) => [{ bytes, after: 0 }];
export const silent: Weather = () => [];

const share = z.number().min(0).max(1).default(0);

/** How bad a line is; shares are of all that is said, between 0 and 1. */
export const badWeather = z.strictObject({
  /** Of all bits, those that flip. */
  bits: share,
  lost: share,
  twice: share,
  /** Only the beginning gets through. */
  cut: share,
  /** There is a pause within it. */
  torn: share,
  late: share,
  /** Bytes that nobody said come before it. */
  noise: share,
  /** How long what is late, and a pause, lasts at most. */
  late_ms: z.number().min(0).max(10_000).default(100),
});
export type BadWeather = z.infer<typeof badWeather>;

/** The weather of a seed's random numbers, from 0 to 1. */
export function weatherOf(odds: BadWeather, random: () => number): Weather {
  return (said) => {
    // Each is drawn, whatever the others come to: so that one misfortune's luck does not depend on which others there are.
    const strikes = (of: number): boolean => random() < of;
    const [isLost, isTwice, isCut, isTorn] = [
      strikes(odds.lost),
      strikes(odds.twice),
      strikes(odds.cut),
      strikes(odds.torn),
    ];
    const [isLate, isNoisy] = [strikes(odds.late), strikes(odds.noise)];
    const [where, lateness, amount] = [Math.floor(random() * said.length), random() * odds.late_ms, random()];
    if (isLost) return [];
    const damaged = said.map((byte) => byte ^ flips(odds.bits, random));
    const whole = isCut ? damaged.subarray(0, where) : damaged;
    const noise = isNoisy ? Uint8Array.from({ length: 1 + Math.floor(amount * 12) }, () => random() * 256) : undefined;
    const once = isTorn
      ? [
          { bytes: whole.subarray(0, where), after: 0 },
          { bytes: whole.subarray(where), after: lateness },
        ]
      : [{ bytes: whole, after: isLate ? lateness : 0 }];
    return [...(noise ? [{ bytes: noise, after: 0 }] : []), ...once, ...(isTwice ? once : [])];
  };
}

function flips(of: number, random: () => number): number {
  let mask = 0;
  if (of > 0) for (let bit = 1; bit < 256; bit *= 2) if (random() < of) mask |= bit;
  return mask;
}
