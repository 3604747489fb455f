import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import type { Instant } from "../../agent/domain/instant.ts";
import { seeded } from "../../simulator/faults.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { badWeather, calm, silent, weatherOf } from "../../simulator/osdp-weather.ts";
import { isLong } from "../support/long.ts";
import { fate, fated } from "../support/osdp-fate.ts";
import { OsdpPanel, type OsdpPanelOptions } from "../support/osdp-panel.ts";

/*
 * The driver's session and a simulated reader, whose session codes share nothing, over a line that takes its time and loses
 * and damages what is said on it.
 */

/** LATCHD_LONG=1 plays many more. */
const times = (ordinary: number): number => (isLong ? ordinary * 200 : ordinary);
const patience = { timeout: isLong ? 3_600_000 : 30_000 };
const cardOf = (number: number): string => `26:${(number * 128 + 128).toString(16).padStart(8, "0")}`;
const show = (panel: OsdpPanel, number: number): boolean =>
  panel.reader.present({ report: "card", format: 1, bits: cardOf(number) }, panel.now);

/** A panel that has been online for a while. */
const settled = (options: OsdpPanelOptions): OsdpPanel => {
  const panel = new OsdpPanel(options);
  panel.runUntil(() => panel.session.isOnline, 5_000);
  panel.run(500);
  expect(panel.cards).toEqual([]);
  return panel;
};

test(
  "Session: told at most once of each card, and exactly once where the session outlives the trouble",
  patience,
  () => {
    const outcomes = { survived: 0, ended: 0 };
    const story = record({
      seed: integer(),
      baud: constantFrom(9_600, 38_400, 115_200),
      // Sturdy readers, and such as lose their session at the least.
      habit: constantFrom<Partial<Behaviour>>({}, { drops_session_on_damage: true }, { session_limit_ms: 500 }),
      fates: array(record({ becomes: fate, where: integer({ min: 0, max: 10_000 }) }), { minLength: 1, maxLength: 14 }),
      cards: array(integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 4 }),
    });
    assert(
      property(story, ({ seed, baud, habit, fates, cards }) => {
        const panel = settled({ seed, baud, behaviour: { reads: "kept", ...habit } });
        const sessions = panel.session.counts.channels;
        const trouble = [...fates];
        panel.bus.line.weather = (said) => {
          const next = trouble.shift();
          return next ? fated(said, next.becomes, next.where) : calm(said);
        };
        const began = panel.now;
        const shownAt = new Map<string, Instant>();
        for (const [number, at] of cards.toSorted((one, other) => one - other).entries()) {
          panel.run(Math.max(began + at - panel.now, 0));
          shownAt.set(cardOf(number), panel.now);
          expect(show(panel, number)).toBe(true);
        }
        // The line recovers, and both find each other again; then there is time for what would come twice.
        const isOver = (): boolean =>
          trouble.length === 0 && panel.session.isOnline && panel.reader.isSecure && panel.reader.device.waiting === 0;
        // Who was looked for in vain some times is looked for every half minute.
        panel.runUntil(isOver, 600_000);
        panel.run(1_500);
        const told = panel.cards.map(({ bits }) => bits);
        expect(new Set(told).size).toBe(told.length);
        const ended = panel.session.counts.channels - sessions;
        outcomes[ended === 0 ? "survived" : "ended"] += 1;
        // In their order. What a reader had said when a session ended may be lost with it: one for each, and none otherwise.
        const shown = cards.map((_, number) => cardOf(number));
        expect(told).toEqual(shown.filter((bits) => told.includes(bits)));
        expect(told.length).toBeGreaterThanOrEqual(shown.length - ended);
        expect(panel.cards.filter(({ stale }) => stale && ended === 0)).toEqual([]);
        // Nothing is decided on that was shown before the session in which it is told.
        for (const each of panel.happenings) {
          if (each.happening !== "card" || each.stale) continue;
          const session = panel.sights.findLast(({ happened, at }) => happened === "secured" && at <= each.at);
          expect(shownAt.get(each.card.reveal())).toBeGreaterThanOrEqual(session?.at ?? Number.POSITIVE_INFINITY);
        }
        // A session that was lost last may be begun anew only now, after a pause.
        panel.run(5_000);
        expect(show(panel, 99)).toBe(true);
        panel.run(1_000);
        expect(panel.cards.slice(told.length)).toEqual([{ bits: cardOf(99), stale: false }]);
      }),
      { numRuns: times(8) },
    );
    if (!isLong) return;
    process.stdout.write(`patterns of losses: ${JSON.stringify(outcomes)}\n`);
    expect(Math.min(outcomes.survived, outcomes.ended)).toBeGreaterThanOrEqual(100);
  },
);

test("Session: any pattern of loss alone, shorter than a link lasts, costs no session and no card", patience, () => {
  assert(
    property(integer(), array(constantFrom(true, false), { maxLength: 24 }), (seed, lost) => {
      const panel = settled({ seed });
      const sessions = panel.session.counts.channels;
      const pattern = [...lost];
      const began = panel.now;
      panel.bus.line.weather = (said) => (pattern.shift() === true && panel.now - began < 6_000 ? [] : calm(said));
      show(panel, 1);
      panel.run(9_000);
      expect(panel.session.counts.channels).toBe(sessions);
      expect(panel.cards).toEqual([{ bits: cardOf(1), stale: false }]);
    }),
    { numRuns: times(4) },
  );
});

test(
  "Session: what a reader has kept over an outage comes exactly once, as stale; what is shown then is fresh",
  patience,
  () => {
    assert(
      property(integer(), integer({ min: 9_000, max: 60_000 }), integer({ min: 1, max: 5 }), (seed, outage, count) => {
        const panel = settled({ seed, behaviour: { reads: "kept" } });
        panel.bus.line.weather = silent;
        panel.run(outage / 2);
        for (let number = 0; number < count; number += 1) show(panel, number);
        panel.run(outage / 2);
        expect(panel.session.isOnline).toBe(false);
        panel.bus.line.weather = calm;
        panel.runUntil(() => panel.session.isOnline, 60_000);
        panel.run(2_000);
        const kept = Array.from({ length: count }, (_, number) => ({ bits: cardOf(number), stale: true }));
        expect(panel.cards).toEqual(kept);
        show(panel, 99);
        panel.run(1_000);
        expect(panel.cards).toEqual([...kept, { bits: cardOf(99), stale: false }]);
      }),
      { numRuns: times(4) },
    );
  },
);

test("Session: a reader that loses its session with reads in it tells each of them once, as stale", () => {
  for (const loses of [{ sequence_zero: 1 }, { session_limit_ms: 50 }]) {
    const panel = settled({ seed: 5, session: { pollEvery: 100 } });
    panel.reader.behave(loses);
    show(panel, 1);
    show(panel, 2);
    panel.run(150);
    panel.reader.behave({ session_limit_ms: 8_000 });
    panel.run(10_000);
    expect(panel.session.counts.channels).toBeGreaterThan(1);
    expect(panel.cards).toEqual([1, 2].map((number) => ({ bits: cardOf(number), stale: true })));
  }
});

test(
  "Session: over a line that is bad all the time, each card is told at most once, and nearly all are told",
  patience,
  () => {
    const odds = badWeather.parse({
      bits: 0.0005,
      lost: 0.05,
      twice: 0.03,
      cut: 0.03,
      torn: 0.05,
      late: 0.05,
      noise: 0.1,
    });
    const shown = { all: 0, told: 0 };
    assert(
      property(integer(), (seed) => {
        const panel = settled({ seed });
        panel.bus.line.weather = weatherOf(odds, seeded(seed));
        for (let number = 0; number < 20; number += 1) {
          if (show(panel, number)) shown.all += 1;
          panel.run(400);
        }
        panel.bus.line.weather = calm;
        panel.run(12_000);
        const told = panel.cards.map(({ bits }) => bits);
        expect(new Set(told).size).toBe(told.length);
        shown.told += told.length;
      }),
      { numRuns: times(2) },
    );
    expect(shown.told).toBeGreaterThan(shown.all * 0.9);
  },
);
