import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Instant, later } from "../../agent/domain/instant.ts";
import type { TimedWindow } from "../../agent/domain/lock-window.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { TimeZone } from "../../agent/domain/time-zone.ts";
import type { Clock } from "../../drivers/driver.ts";
import { entry, never } from "../drivers/bench.ts";
import { eventually, hurriedClock, RecordingHost } from "../support/host.ts";
import { isLong } from "../support/long.ts";
import { inZone } from "../support/machine-zone.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { socatSkipReason, zwaveLocks } from "../support/zwave-far-end.ts";

const { timed1, timed2 } = zwaveLocks;
const slot = slotName("3");
const zurich = new TimeZone("Europe/Zurich");
const hour = 3_600_000;
/** Tuesdays at noon, when a code for it opens, and at night, when it does not. */
const noon = Date.UTC(2026, 11, 1, 11);
const office: TimedWindow = {
  startsAt: undefined,
  endsAt: undefined,
  weekly: [{ days: ["tue"], from: 8 * 60, to: 17 * 60 }],
  zone: zurich.name,
};

/** Our time, put forward or back; waiting takes no longer than a test has. */
class ShiftedClock implements Clock {
  ahead = 0;
  readonly #real = hurriedClock(600);
  now = (): Instant => later(this.#real.now(), this.ahead);
  sleep: Clock["sleep"] = (ms, signal) => this.#real.sleep(ms, signal);
}

describe.skipIf(socatSkipReason())("over a serial device, in a zone that is not the door's", () => {
  // zwave-js sets the clocks of locks by the zone of the machine.
  inZone("America/St_Johns");
  let house: ZwaveHouse;
  let clock: ShiftedClock;
  let host: RecordingHost;
  beforeAll(async () => {
    house = await ZwaveHouse.open([timed1, timed2]);
  });
  afterAll(() => house[Symbol.asyncDispose]());
  beforeEach(async () => {
    clock = new ShiftedClock();
    host = new RecordingHost(clock);
    for (const lock of [timed1, timed2]) await house.far.act(lock, { act: "forget" });
  });
  afterEach(() => host[Symbol.dispose]());

  /** How far a lock's clock is off a door's in that zone, in hours; null where nobody has set it. */
  async function hoursOff(lock: string, zone: TimeZone): Promise<number | null> {
    const { wall } = looked.parse(await house.far.act(lock, { act: "look" }));
    return wall === null ? null : Math.round((wall - zone.wallTime(clock.now())) / hour) + 0;
  }
  const looked = z.looseObject({ wall: z.number().nullable() });

  test.each([timed1, timed2])(
    "the clock of lock %s is set to that of its door before a window is written, and not before",
    async (lock) => {
      await using link = await house.connect(host);
      const { memory } = link.lock(lock);
      await host.reported("online");
      await link.lock(lock).abilities(never());
      expect(await memory?.write(entry("40117390"), slot, never())).toMatchObject({ result: "stored" });
      expect(await hoursOff(lock, zurich)).toBe(null);
      expect(await memory?.write(entry("40117390", office), slot, never())).toMatchObject({ result: "stored" });
      expect(await hoursOff(lock, zurich)).toBe(0);
    },
  );

  test("the clock of a lock is set again when the clocks of its door, or its batteries, are changed, and over our end", async () => {
    const change = zurich.stretchAt(clock.now()).until;
    await using link = await house.connect(host);
    const { memory } = link.lock(timed2);
    await host.reported("online");
    await link.lock(timed2).abilities(never());
    await memory?.write(entry("40117390", office), slot, never());
    clock.ahead = change - Date.now() + 5_000;
    await eventually("the other time", async () => ((await hoursOff(timed2, zurich)) === 0 ? true : undefined));
    await house.far.act(timed2, { act: "battery", level: 10 });
    await house.far.act(timed2, { act: "forget" });
    await house.far.act(timed2, { act: "battery", level: 90 });
    await eventually("the time", async () => ((await hoursOff(timed2, zurich)) === 0 ? true : undefined));
    await link[Symbol.asyncDispose]();
    await house.far.act(timed2, { act: "forget" });
    const from = host.events.length;
    await using again = await house.connect(host);
    const lock = again.lock(timed2);
    await host.reported("online", from);
    await lock.abilities(never());
    expect(await hoursOff(timed2, zurich)).toBe(0);
  });

  test("no clock is set while ours is not trusted: a window waits, and a code without one does not", async () => {
    let isTrusted = false;
    Object.assign(host, { isTimeTrusted: () => isTrusted });
    await using link = await house.connect(host);
    const { memory } = link.lock(timed2);
    await host.reported("online");
    await link.lock(timed2).abilities(never());
    await expect(memory?.write(entry("40117390", office), slot, never())).rejects.toMatchObject({ sent: false });
    expect(await hoursOff(timed2, zurich)).toBe(null);
    expect(await memory?.write(entry("40117390"), slot, never())).toMatchObject({ result: "stored" });
    isTrusted = true;
    expect(await memory?.write(entry("40117390", office), slot, never())).toMatchObject({ result: "stored" });
    expect(await hoursOff(timed2, zurich)).toBe(0);
  });

  test("a lock whose clock cannot be set keeps no window, and says so", async () => {
    await house.far.act(timed2, { act: "clock", stubborn: true });
    await using link = await house.connect(host);
    const { memory } = link.lock(timed2);
    await host.reported("online");
    await link.lock(timed2).abilities(never());
    const from = host.events.length;
    const outcome = await memory?.write(entry("40117390", office), slot, never());
    expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
    expect((await house.far.look(timed2)).codes).toEqual({});
    await host.reported("online", from);
    expect(await link.lock(timed2).abilities(never())).toMatchObject({ memory: { windows: "none" } });
    expect(await memory?.write(entry("40117390"), slot, never())).toMatchObject({ result: "stored" });
  });

  test("a lock that asks for the time is told that of its door, and by zwave-js where there are no windows", async () => {
    await using link = await house.connect(host);
    const { memory } = link.lock(timed2);
    await host.reported("online");
    const zones = [new TimeZone("America/St_Johns"), zurich];
    /** In which of the zones the lock's clock runs, once it has been told. */
    const told = async (): Promise<string | undefined> => {
      await house.far.act(timed2, { act: "ask_time" });
      return eventually("an answer", async () => {
        for (const zone of zones) if ((await hoursOff(timed2, zone)) === 0) return zone.name;
        return undefined;
      });
    };
    expect(await told()).toBe("America/St_Johns");
    await link.lock(timed2).abilities(never());
    await memory?.write(entry("40117390", office), slot, never());
    await house.far.act(timed2, { act: "forget" });
    expect(await told()).toBe(zurich.name);
  });

  test.each([timed1, timed2])(
    "lock %s, which loses windows, is left with no code that opens, and is asked anew what it can do",
    async (lock) => {
      await using link = await house.connect(host);
      const { memory } = link.lock(lock);
      await host.reported("online");
      await link.lock(lock).abilities(never());
      await house.far.act(lock, { act: "mode", mode: "wipe" });
      const from = host.events.length;
      const outcome = await memory?.write(entry("40117390", office), slot, never());
      expect(outcome).toMatchObject({ result: "refused", reason: "invalid" });
      expect((await house.far.look(lock)).codes).toEqual({});
      await host.reported("online", from);
      expect(await link.lock(lock).abilities(never())).toMatchObject({ memory: { windows: "none" } });
    },
  );

  test.each(isLong ? [timed1, timed2] : [timed1])(
    "lock %s: wherever a write with a window is cut off, its code opens nowhere else, and is written anew",
    async (lock) => {
      const { far } = house;
      const digits = "40117390";
      const opens = async (): Promise<[boolean, boolean]> => [
        await far.opens(lock, digits, noon),
        await far.opens(lock, digits, noon + 12 * hour),
      ];
      await using link = await house.connect(host);
      const { memory } = link.lock(lock);
      await host.reported("online");
      await link.lock(lock).abilities(never());
      let isWhole = false;
      for (let after = 1; !isWhole && after < 40; after++) {
        await far.act(lock, { act: "program", slot: 3, digits: "73910428" });
        await memory?.read?.(slot, never());
        const over = new AbortController();
        const asked = (): number => far.asked.filter((each) => each.lock === lock).length;
        const upTo = asked() + after;
        const writing = memory?.write(entry(digits, office), slot, over.signal).then(
          ({ result }) => result,
          () => "cut off",
        );
        const counting = (async () => {
          while (!over.signal.aborted && asked() < upTo) await delay(1);
          over.abort();
        })();
        isWhole = (await writing) === "stored";
        over.abort();
        await counting;
        expect({ after, opens: (await opens())[1] }).toEqual({ after, opens: false });
        expect(await memory?.write(entry(digits, office), slot, never())).toMatchObject({ result: "stored" });
        expect(await opens()).toEqual([true, false]);
      }
      expect(isWhole).toBe(true);
    },
  );
});
