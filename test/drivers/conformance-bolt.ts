import { describe, expect, test } from "vitest";
import { type ActOutcome, type Bolt, type Link, LinkError } from "../../drivers/driver.ts";
import { eventually, type RecordingHost } from "../support/host.ts";
import { type Bench, never, rejection, Stand } from "./bench.ts";
import { ended, givenUp, isOpen } from "./bolt-ended.ts";

export type Place = "locked" | "unlocked";

/** How a lock treats what its bolt is told. */
export type Mood = "refuses" | "deaf" | "loses_replies" | "says_yes_stores_nothing" | "says_no_and_stores";

/** The bolt at the far end, past the driver. */
interface Door {
  place(link: Link): Promise<Place>;
  mood(mood: Mood, link: Link): Promise<void>;
  mend(mood: Mood, link: Link): Promise<void>;
  /** How many commands to it have been on the wire so far. */
  commands(host: RecordingHost): Promise<number>;
}

export interface BoltBench extends Bench {
  /** Its bolt is out. */
  readonly door: Door;
}

/** What the bolt at the bench can say. */
export interface BoltAble {
  /** Whether it is told at all when a lock says no. */
  readonly refusals: boolean;
  /** By how much the driver's time goes faster than ours. */
  readonly pace?: number;
}

/** What every driver's bolt must do: DESIGN, Law 10, and `Bolt` in `drivers/driver.ts`. */
export function describeBolt(name: string, { refusals, pace = 1 }: BoltAble, setup: () => Promise<BoltBench>): void {
  describe(`the bolt of driver ${name}`, () => {
    let door: Door;
    const stand = Stand.forEach({ memory: "numbered", readBack: "full", wire: true, lists: true, pace }, async () => {
      const bench = await setup();
      ({ door } = bench);
      return bench;
    });
    const bolt = (): Bolt => {
      const { bolt: found } = stand().link.lock(stand().bench.address);
      if (!found) throw new Error("this part of the suite is for locks with a bolt");
      return found;
    };
    const place = (): Promise<Place> => door.place(stand().link);
    const commands = (): Promise<number> => door.commands(stand().host);
    const inMood = (mood: Mood): Promise<void> => door.mood(mood, stand().link);
    /** What it ended with, after one command at most. */
    const tried = async (work: (signal: AbortSignal) => Promise<ActOutcome>): Promise<ActOutcome | LinkError> => {
      const before = await commands();
      const told = await ended(work(never()));
      expect((await commands()) - before).toBeLessThanOrEqual(1);
      return told;
    };
    const unlock = () => tried((signal) => bolt().unlock(signal));
    const lock = () => tried(async (signal) => bolt().lock?.(signal) ?? Promise.reject(new Error("it has no lock()")));

    test("abilities() says that it is there", async () => {
      const { link, bench } = stand();
      expect((await link.lock(bench.address).abilities(never())).bolt).toEqual({ locks: true });
    });

    test("unlock() and lock() move it, by one command each, and say so, also where it is there already", async () => {
      const { link, bench, host } = stand();
      await link.lock(bench.address).abilities(never());
      const from = host.events.length;
      for (const [move, to] of [
        [unlock, "unlocked"],
        [unlock, "unlocked"],
        [lock, "locked"],
        [lock, "locked"],
      ] as const) {
        const before = await commands();
        expect(await move()).toEqual({ result: "done", confirmed: true });
        expect(await place()).toBe(to);
        expect((await commands()) - before).toBe(1);
      }
      await host.reported("locked", from);
      const moves = host.events.slice(from).filter(({ event }) => event === "unlocked" || event === "locked");
      expect(moves).toMatchObject([
        { event: "unlocked", method: "remote" },
        { event: "locked", method: "remote" },
      ]);
    });

    test("one that refuses is not done, and stays where it is", async () => {
      await inMood("refuses");
      const outcome = await unlock();
      expect(["refused", refusals ? "refused" : "unknown"]).toContain("result" in outcome && outcome.result);
      expect(await place()).toBe("locked");
    });

    test("one whose answer is lost has moved, and that is never told as a refusal", async () => {
      await inMood("loses_replies");
      const outcome = await unlock();
      expect(["done", "unknown"]).toContain("result" in outcome && outcome.result);
      expect(await place()).toBe("unlocked");
      // The lock tells of it later than it says where it is: not in the next test.
      await stand().host.reported("unlocked");
    });

    test("one that is deaf is silence, and never done", async () => {
      await inMood("deaf");
      expect(isOpen(await unlock())).toBe(true);
      expect(await place()).toBe("locked");
    });

    test("one that says yes and stays where it is is never confirmed", async () => {
      await inMood("says_yes_stores_nothing");
      expect(await unlock()).toEqual({ result: "unknown" });
      expect(await place()).toBe("locked");
    });

    test("one that says no and moves all the same has moved", async () => {
      await inMood("says_no_and_stores");
      expect(await unlock()).toEqual({ result: "done", confirmed: true });
      expect(await place()).toBe("unlocked");
      await stand().host.reported("unlocked");
    });

    test("nothing is sent once the signal is aborted", async () => {
      const before = await commands();
      const reason = new LinkError("its time is over", { sent: false });
      const moves = [bolt().unlock(AbortSignal.abort(reason)), bolt().lock?.(AbortSignal.abort(reason))];
      for (const move of moves) expect(await rejection(move)).toMatchObject({ name: "LinkError", sent: false });
      // What comes after it on the wire has been there: so has it, if it ever is.
      expect(await lock()).toEqual({ result: "done", confirmed: true });
      expect((await commands()) - before).toBe(1);
      expect(await place()).toBe("locked");
    });

    test("one that is given up is not known or not sent, at once, and nothing that comes later moves it", async () => {
      await inMood("deaf");
      const before = await commands();
      const givenUpAs = await givenUp(
        (signal) => bolt().unlock(signal),
        async () => (await commands()) > before,
      );
      expect(isOpen(givenUpAs)).toBe(true);
      expect((await commands()) - before).toBe(1);
      await door.mend("deaf", stand().link);
      // Each try is one command, and what was given up is none any more.
      let tries = 0;
      await eventually("its answer", async () => {
        tries += 1;
        const told = await ended(bolt().lock?.(never()) ?? Promise.reject(new Error("it has no lock()")));
        return !(told instanceof LinkError) && told.result === "done" ? true : undefined;
      });
      expect((await commands()) - before).toBeLessThanOrEqual(1 + tries);
      expect(await place()).toBe("locked");
      expect(stand().host.events.filter(({ event }) => event === "unlocked")).toEqual([]);
    });
  });
}
