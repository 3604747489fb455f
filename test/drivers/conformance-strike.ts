import { describe, expect, test } from "vitest";
import { type ActOutcome, type Bolt, type Link, LinkError } from "../../drivers/driver.ts";
import { eventually, type RecordingHost } from "../support/host.ts";
import { type Bench, never, rejection, Stand } from "./bench.ts";
import { ended, givenUp, isOpen } from "./bolt-ended.ts";

/** How a strike treats what it is told. */
export type StrikeMood = "refuses" | "deaf" | "loses_replies" | "well";

/** The strike at the far end, past the driver. */
interface FarStrike {
  mood(mood: StrikeMood): void;
  /** How often it was released so far. */
  readonly releases: number;
  /** How many different commands to it have been on the wire so far; what is repeated until it is answered is one. */
  readonly commands: number;
}

export interface StrikeBench extends Bench {
  readonly strike: FarStrike;
}

/**
 * What every driver's strike must do, which is released for a moment and locks by itself: DESIGN, Law 10, and `Bolt` in
 * `drivers/driver.ts`. Of bolts that stay where they are told to be: `conformance-bolt.ts`.
 */
export function describeStrike(name: string, setup: () => Promise<StrikeBench>): void {
  describe(`the strike of driver ${name}`, () => {
    let strike: FarStrike;
    const stand = Stand.forEach({ memory: "numbered", readBack: "full", wire: true, lists: true }, async () => {
      const bench = await setup();
      ({ strike } = bench);
      return bench;
    });
    const boltOf = (link: Link): Bolt => {
      const { bolt } = link.lock(stand().bench.address);
      if (!bolt) throw new Error("this part of the suite is for what has a strike");
      return bolt;
    };
    /** What it ended with, after one command at most. */
    const tried = async (signal = never()): Promise<ActOutcome | LinkError> => {
      await online(stand().host);
      const before = strike.commands;
      const told = await ended(boltOf(stand().link).unlock(signal));
      expect(strike.commands - before).toBeLessThanOrEqual(1);
      return told;
    };

    /** What is said after an order has been said: so has the order, if it ever is. */
    const releasesAfterwards = async (): Promise<number> => {
      const { link, bench } = stand();
      const isHeard = (): Promise<true | undefined> =>
        link
          .lock(bench.address)
          .abilities(never())
          .then(() => true as const)
          .catch(() => undefined);
      await eventually("another answer", isHeard);
      return strike.releases;
    };

    test("abilities() says that it is there, and does not lock; nor can it be told to", async () => {
      const { link, bench, host } = stand();
      await online(host);
      expect((await link.lock(bench.address).abilities(never())).bolt).toEqual({ locks: false });
      expect("lock" in boltOf(link)).toBe(false);
    });

    test("unlock() releases it once, by one command, and says so", async () => {
      expect(await tried()).toEqual({ result: "done", confirmed: true });
      expect([strike.releases, strike.commands]).toEqual([1, 1]);
    });

    test("one that refuses is not done, and stays as it is", async () => {
      strike.mood("refuses");
      expect(await tried()).toMatchObject({ result: "refused" });
      expect(strike.releases).toBe(0);
    });

    test("one whose answer is lost was released once, and that is not told as done, nor as a refusal", async () => {
      await online(stand().host);
      strike.mood("loses_replies");
      expect(await tried()).toEqual({ result: "unknown" });
      expect(strike.releases).toBe(1);
    });

    test("one that is deaf is silence, and nothing that comes later releases it", async () => {
      await online(stand().host);
      strike.mood("deaf");
      expect(isOpen(await tried())).toBe(true);
      strike.mood("well");
      expect(await releasesAfterwards()).toBe(0);
      await eventually("its answer", async () => {
        const told = await tried();
        return !(told instanceof LinkError) && told.result === "done" ? true : undefined;
      });
      expect(strike.releases).toBe(1);
    });

    test("nothing is sent once the signal is aborted, or its time is over", async () => {
      const { link, host } = stand();
      await online(host);
      const reason = new LinkError("its time is over", { sent: false });
      const moves = [boltOf(link).unlock(AbortSignal.abort(reason)), boltOf(link).unlock(never(), () => true)];
      for (const move of moves) expect(await rejection(move)).toMatchObject({ name: "LinkError", sent: false });
      // What comes after it on the wire has been there: so has it, if it ever is.
      expect(await tried()).toMatchObject({ result: "done" });
      expect([strike.releases, strike.commands]).toEqual([1, 1]);
    });

    test("one that is given up is not known or not sent, at once, and nothing that comes later releases it", async () => {
      await online(stand().host);
      strike.mood("deaf");
      const before = strike.commands;
      const givenUpAs = await givenUp(
        (signal) => boltOf(stand().link).unlock(signal),
        () => strike.commands > before,
      );
      expect(isOpen(givenUpAs)).toBe(true);
      expect(strike.commands - before).toBe(1);
      strike.mood("well");
      expect(await releasesAfterwards()).toBe(0);
      await eventually("its answer", async () => {
        const told = await tried();
        return !(told instanceof LinkError) && told.result === "done" ? true : undefined;
      });
      expect(strike.releases).toBe(1);
    });
  });
}

const online = (host: RecordingHost) => host.reported("online");
