import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { later } from "../../../agent/domain/instant.ts";
import type { Behaviour } from "../../../simulator/osdp-behaviour.ts";
import { calm } from "../../../simulator/osdp-weather.ts";
import { isLong } from "../../support/long.ts";
import { fate, fated } from "../../support/osdp-fate.ts";
import { Wired } from "../../support/osdp-wired.ts";

const patience = { timeout: isLong ? 1_800_000 : 30_000 };

const habits: readonly Partial<Behaviour>[] = [
  { reads: "kept" },
  { reads: "kept", drops_session_on_damage: true },
  { reads: "forgotten", repeats_by_code: true },
];

/** Whether what was said to a reader last was said in the channel: who was online a moment ago may be left alone for a while. */
const isInChannel = (wired: Wired, address: number): boolean => {
  const last = wired.spoken.findLast(({ frame }) => frame.address === address);
  return (last?.frame.security?.type ?? 0) >= 0x15;
};

/** How often a strike may have been released, by what was told of it. */
const truly: Readonly<Record<"done" | "unknown" | "unsent" | "refused" | "none", readonly number[]>> = {
  done: [1],
  unknown: [0, 1],
  unsent: [0],
  refused: [0],
  none: [0],
};

test(
  "whatever becomes of what is said, a card moves its strike at most once, and what is told of that is true",
  patience,
  () => {
    const seen = { done: 0, unknown: 0, unsent: 0, refused: 0, none: 0 };
    const story = record({
      seed: integer(),
      habit: constantFrom(...habits),
      fates: array(record({ becomes: fate, where: integer({ min: 0, max: 10_000 }) }), { minLength: 1, maxLength: 40 }),
      /** Nothing gets through for longer than an order is good for. */
      outage: record({ lasts: constantFrom(0, 4_000), at: integer({ min: 0, max: 1_500 }) }),
      shown: array(integer({ min: 0, max: 1_000 }), { minLength: 2, maxLength: 2 }),
    });
    assert(
      property(story, ({ seed, habit, fates, outage, shown }) => {
        const wired = new Wired({ count: 2, baud: 38_400, seed, habits: habit, strike: 1, pollEvery: 100 });
        wired.run(1_500);
        const channels = wired.sessions.map(({ counts }) => counts.channels);
        const began = wired.now;
        const trouble = [...fates];
        wired.far.line.weather = (said) => {
          const since = wired.now - began - outage.at;
          if (since >= 0 && since < outage.lasts) return [];
          const next = trouble.shift();
          return next ? fated(said, next.becomes, next.where) : calm(said);
        };
        for (const [address, at] of [...shown.entries()].toSorted(([, one], [, other]) => one - other)) {
          wired.run(Math.max(later(began, at) - wired.now, 0));
          wired.show(address, address);
        }
        // Who is away meets the next of it when it is looked for: once a minute at least, however little it is trusted.
        const isCalm = (): boolean => trouble.length === 0 && wired.now >= later(began, outage.at + outage.lasts);
        wired.runUntil(isCalm, outage.lasts + (fates.length + 1) * 60_000);
        const isOver = (): boolean =>
          wired.sessions.every(({ isOnline }, address) => isOnline && isInChannel(wired, address)) &&
          wired.readers.every(({ isSecure, device }) => isSecure && device.waiting === 0);
        // A session that was lost at the end of it may be begun anew only after a pause.
        do {
          wired.runUntil(isOver, 100_000);
          wired.run(5_000);
        } while (!isOver());
        for (const address of shown.keys()) {
          const cards = wired.is("card", began).filter((told) => told.address === address);
          const fresh = cards.filter(({ happening }) => happening.happening === "card" && !happening.stale);
          const survived = wired.sessions[address]?.counts.channels === channels[address];
          expect(cards.length).toBeLessThanOrEqual(1);
          // It was decided on where the session has outlived the trouble.
          expect(fresh.length).toBeGreaterThanOrEqual(survived ? 1 : 0);
          const results = wired.results(address, began).map(({ result }) => result.result);
          expect(results).toHaveLength(fresh.length);
          const strikes = wired.strikes(address, began);
          const [result = "none"] = results;
          seen[result] += 1;
          expect([result, truly[result].includes(strikes)]).toEqual([result, true]);
          // And all is well again.
          const since = wired.now;
          wired.show(address, 7);
          wired.run(1_000);
          expect(wired.strikes(address, since)).toBe(1);
        }
      }),
      { numRuns: isLong ? 1_000 : 12 },
    );
    if (isLong) process.stdout.write(`cards under losses: ${JSON.stringify(seen)}\n`);
    // Of a few dozen cards that are shown in trouble, more than half may meet it.
    expect(seen.done).toBeGreaterThan(isLong ? seen.unknown + seen.unsent + seen.none : 0);
  },
);
