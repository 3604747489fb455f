import * as fc from "fast-check";
import { expect, test } from "vitest";
import { KeptDatabase } from "../support/kept-database.ts";
import { isLong } from "../support/long.ts";
import { blankImage, World } from "../support/world.ts";
import { blindRewrite, faults } from "../support/world-lock.ts";
import { anyDeed, anyWorld, deeds, otherTroubles, Play, people } from "./play.ts";
import { killPoints, median, played, spread, transitions } from "./tally.ts";
import { wrongsOf } from "./wrongs.ts";

/** Of a shard. The long run looks at others, and more; LATCHD_SEED and LATCHD_PATH repeat one that failed. */
const worlds = isLong ? 10_000 : Number(process.env["LATCHD_WORLDS"] ?? 100);
/** An ordinary run looks at the same worlds each time; the long one, at others. */
const anySeed = isLong ? Math.floor(Math.random() * 2 ** 31) : 20_261_124;
const path = process.env["LATCHD_PATH"];
const locks = 3;
/** So many of them that half of all worlds have 40 or more. */
const deedsOfWorld = { minLength: 32, maxLength: 62 } as const;
const leastMedian = 40;
/** By the machine's clock, for one of them: most take some ten milliseconds. */
const longestWorld = 60_000;
/** By that clock, too, for all of them, on a machine that has other work. */
const longestRun = 3_600_000;
const mostWoken = 2_000;
/** Of the agent on one lock, from the last change of what it holds or should hold until it holds that. */
const mostRounds = 60;

const events = [
  ...(["access.accepted", "access.live", "access.unconfirmed", "access.refused", "access.gone"] as const),
  ...(["access.paused", "device.breaker_opened", "device.breaker_closed"] as const),
  ...(["device.connected", "device.disconnected"] as const),
  ...[
    ...(["set_on_device", "removed_from_device", "failed_to_set_on_device", "scheduled_on_device"] as const),
    ...(["deleted_external_to_seam"] as const),
  ].map((what) => `access_code.${what}`),
];

/**
 * Random worlds, which come to rest with every lock as its grants say. They are played in shards, side by side: each has a
 * process, seeds and counts of its own, and has to have seen all that there is to be seen.
 *
 * @param shard counted from 0.
 */
export function playShard(shard: number): void {
  const seed = Number(process.env["LATCHD_SEED"] ?? anySeed + shard);
  const counts = new Map<string, number>();
  const counted = (what: string): number => counts.get(what) ?? 0;
  const database = new KeptDatabase(blankImage());
  const lengths: number[] = [];
  /** How often a lock took so many. */
  const rounds = new Map<number, number>();
  const isReplay = path !== undefined;
  const say = (line: string): void => void process.stdout.write(`worlds ${shard}: ${line}\n`);

  // Of one world that is repeated nothing can be counted, and one shard is enough for it.
  if (isReplay && shard > 0) return;
  test(
    `${worlds} worlds come to rest with every lock as its grants say, and nothing untrue said on the way`,
    async () => {
      say(`seed ${seed}: LATCHD_SEED=${seed} repeats them, LATCHD_PATH too one of them`);
      await fc.assert(
        fc.asyncProperty(
          anyWorld(locks),
          fc.constantFrom(0, 0.1, 0.3, 0.6),
          fc.array(anyDeed, deedsOfWorld),
          async (spec, trouble, acts) => {
            using world = new World(spec, counts, database.asNew());
            world.count("worlds");
            lengths.push(acts.length);
            if (counted("worlds") % 1_000 === 0) say(`world ${counted("worlds")} of ${worlds}`);
            const play = new Play(world);
            for (const place of world.locks) place.trouble = trouble;
            for (const act of acts) {
              await world.clock.run(act.after);
              await play.act(act);
            }
            for (const count of await play.calm()) rounds.set(count, (rounds.get(count) ?? 0) + 1);
            world.countTransitions();
            const wrongs = wrongsOf(world, people, play.wishes);
            expect(wrongs.length === 0 ? wrongs : [...wrongs, ...world.history.slice(-400)]).toEqual([]);
            expect(world.clock.woken).toBeLessThan(mostWoken);
          },
        ),
        {
          numRuns: worlds,
          timeout: longestWorld,
          endOnFailure: process.env["LATCHD_SHRINK"] === undefined,
          seed,
          ...(path === undefined ? {} : { path }),
        },
      );
    },
    longestRun,
  );
  if (isReplay) return;

  test("what was played is told: worlds of many deeds, which came to rest soon, with no slot rewritten blindly", () => {
    for (const line of played(counts, { faults, "other troubles": otherTroubles, kills: killPoints })) say(line);
    const deedsPlayed = median(lengths);
    const roundsToRest = Math.max(...rounds.keys());
    say(`${locks} locks, deeds of a world ${deedsPlayed} in the median`);
    say(`rounds until a lock held what it should: ${spread(rounds)}`);
    say(`blind rewrites ${counted(blindRewrite)}`);
    expect(deedsPlayed).toBeGreaterThanOrEqual(leastMedian);
    expect(roundsToRest).toBeLessThanOrEqual(mostRounds);
    expect(counted(blindRewrite)).toBe(0);
  });

  test.each([
    ...faults,
    ...otherTroubles,
    ...killPoints,
    ...new Set(deeds.map((each) => `deed:${each}`)),
    ...transitions,
    ...events,
  ])("the worlds have seen it: %s", (trouble) => {
    expect(counted(trouble)).toBeGreaterThan(0);
  });
}
