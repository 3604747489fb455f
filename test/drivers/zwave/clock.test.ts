import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../../agent/domain/instant.ts";
import type { Secret } from "../../../agent/domain/secret.ts";
import { TimeZone } from "../../../agent/domain/time-zone.ts";
import type { Clock, DriverState } from "../../../drivers/driver.ts";
import { clockTimeAt, clockTimeOff, isClockDue, timeParametersAt } from "../../../drivers/zwave/codec-clock.ts";
import type { Ask } from "../../../drivers/zwave/conversation.ts";
import { LockTime } from "../../../drivers/zwave/lock-time.ts";
import { type ClockVerbs, setClock } from "../../../drivers/zwave/set-clock.ts";

const zurich = new TimeZone("Europe/Zurich");
const at = (iso: string): Instant => instant(Date.parse(iso));
const ask: Ask = (command) => command();
const hour = 3_600_000;

/** An assertion in vitest's eyes, too. */
function holds<T>(property: fc.IProperty<T>): void {
  expect(() => fc.assert(property)).not.toThrow();
}

test("clockTimeAt() says the day as Z-Wave does, from monday on, and clockTimeOff() is nothing of it but the seconds", () => {
  expect(clockTimeAt(Date.UTC(2026, 10, 27, 23, 59, 30))).toEqual({ weekday: 5, hour: 23, minute: 59 });
  expect(clockTimeAt(Date.UTC(2026, 10, 29))).toEqual({ weekday: 7, hour: 0, minute: 0 });
  const wall = fc.integer({ min: 0, max: Date.UTC(2099, 0, 1) });
  holds(fc.property(wall, (ms) => clockTimeOff(clockTimeAt(ms), ms) === -(ms % 60_000)));
  holds(
    fc.property(wall, fc.integer({ min: -80, max: 80 }), (ms, hours) => {
      const off = clockTimeOff(clockTimeAt(ms + hours * hour), ms);
      return Math.abs(off - hours * hour) < 60_000;
    }),
  );
});

test("timeParametersAt() is what zwave-js makes of the same figures", () => {
  const wall = Date.UTC(2026, 10, 27, 8, 30, 15);
  expect(timeParametersAt(wall, false).getTime()).toBe(wall);
  expect(timeParametersAt(wall, true)).toEqual(new Date(2026, 10, 27, 8, 30, 15));
});

test.each([
  ["a minute later", "2026-11-27T12:00:00Z", "2026-11-27T12:01:00Z", false],
  ["a day later", "2026-11-27T12:00:00Z", "2026-11-28T12:00:00Z", true],
  ["just before the clocks change", "2026-10-24T22:00:00Z", "2026-10-25T00:59:59Z", false],
  ["when the clocks have changed", "2026-10-24T22:00:00Z", "2026-10-25T01:00:00Z", true],
  ["before it was looked at", "2026-11-27T12:00:00Z", "2026-11-27T11:59:00Z", true],
])("isClockDue() %s", (_, then, now, isDue) => {
  expect(isClockDue(at(then), zurich, at(now))).toBe(isDue);
});

/** A time of our own, and what is kept on disk. */
class Bench {
  now = at("2026-11-27T12:00:00Z");
  readonly clock: Clock = { now: () => this.now, sleep: async () => undefined };
  readonly #kept = new Map<string, Secret>();
  readonly state: DriverState = {
    get: (key) => this.#kept.get(key),
    set: (key, value) => void this.#kept.set(key, value),
    delete: (key) => void this.#kept.delete(key),
    directory: "",
  };

  time(lock = "zwave-1"): LockTime {
    return new LockTime(lock, this.state, this.clock);
  }
}

describe("LockTime", () => {
  test("knows the zone of a lock's windows beyond our end, and of no other lock", () => {
    const bench = new Bench();
    const time = bench.time();
    expect([time.zone, time.isDue]).toEqual([undefined, false]);
    time.moveTo(zurich);
    time.begin(5);
    time.begin(6);
    time.end(6);
    const later = bench.time();
    expect([later.zone?.name, later.isDue, later.hasWindow(5), later.hasWindow(6)]).toEqual([
      "Europe/Zurich",
      true,
      true,
      false,
    ]);
    expect(later.wall(zurich)).toBe(Date.UTC(2026, 10, 27, 13));
    expect(bench.time("zwave-2").zone).toBe(undefined);
  });

  test("is due at once where the zone is another, and where somebody else may have set the clock", () => {
    const time = new Bench().time();
    time.moveTo(zurich);
    time.check();
    expect(time.isDue).toBe(false);
    time.moveTo(new TimeZone("Asia/Tokyo"));
    expect(time.isDue).toBe(true);
    time.check();
    time.doubt();
    expect(time.isDue).toBe(true);
  });

  test("leaves a clock alone for an hour that could not be looked at, but for who writes a window", () => {
    const bench = new Bench();
    const time = bench.time();
    time.moveTo(zurich);
    time.try();
    expect([time.isDue, time.isDueUnasked]).toEqual([true, false]);
    bench.now = instant(bench.now + hour);
    expect(time.isDueUnasked).toBe(true);
  });

  test("trusts a lock again with windows when it is long ago that it lost one", () => {
    const bench = new Bench();
    bench.time().lose();
    expect(bench.time().losesWindows).toBe(true);
    bench.now = instant(bench.now + 31 * 24 * hour);
    expect(bench.time().losesWindows).toBe(false);
  });
});

describe("setClock()", () => {
  /** A clock that is off, with what it adds to its time. */
  class WallClock implements ClockVerbs {
    readonly knows = "date";
    readonly tolerance = 30_000;
    shown: number;
    added = 60;
    readonly sent: string[] = [];
    isStubborn = false;
    isDeaf = false;
    constructor(shown: number) {
      this.shown = shown;
    }
    readonly off = async (wall: number) => (this.isDeaf ? undefined : this.shown - wall);
    readonly set = async (wall: number) => {
      this.sent.push("set");
      if (!this.isStubborn) this.shown = wall;
    };
    readonly offset = {
      get: async () => (this.isDeaf ? undefined : { standardOffset: this.added, dstOffset: 0 }),
      clear: async () => {
        this.sent.push("clear");
        if (!this.isStubborn) this.added = 0;
      },
    };
  }

  test("sets a clock that is off to the time on the wall, with nothing added to it, and then leaves it", async () => {
    const time = new Bench().time();
    time.moveTo(zurich);
    const clock = new WallClock(Date.UTC(2000, 0, 1));
    expect(await setClock("it", clock, time, zurich, ask)).toBe(true);
    expect([clock.shown, clock.added, time.isDue]).toEqual([Date.UTC(2026, 10, 27, 13), 0, false]);
    clock.shown += 20_000;
    expect(await setClock("it", clock, time, zurich, ask)).toBe(true);
    expect(clock.sent).toEqual(["clear", "set"]);
  });

  test.each(["time", "offset"])("says no of a clock whose %s will not be set", async (what) => {
    const time = new Bench().time();
    time.moveTo(zurich);
    const clock = new WallClock(what === "time" ? 0 : time.wall(zurich));
    if (what === "time") clock.added = 0;
    clock.isStubborn = true;
    expect(await setClock("it", clock, time, zurich, ask)).toBe(false);
    expect(time.isDue).toBe(true);
  });

  test("is silence, of nothing that was sent to a slot, where the clock does not answer", async () => {
    const time = new Bench().time();
    time.moveTo(zurich);
    const clock = new WallClock(0);
    clock.isDeaf = true;
    await expect(setClock("it", clock, time, zurich, ask)).rejects.toMatchObject({ name: "LinkError", sent: false });
    expect([clock.sent, time.isDueUnasked]).toEqual([[], false]);
  });
});
