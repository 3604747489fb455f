import { assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { instant, later } from "../../agent/domain/instant.ts";
import type { When } from "../../agent/domain/lock-window.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import type { FaultSetting } from "../../simulator/fault.ts";
import { blankChip, type LockModel } from "../../simulator/lock.ts";
import { type Condition, LyingLock } from "../../simulator/lying-lock.ts";

const minute = 60_000;
const now = instant(1_790_000_040_000);
const windows = { dates: minute, together: false, base: "utc" } as const;
const model: LockModel = {
  memory: "numbered",
  slots: 4,
  kinds: ["pin"],
  lengths: [4],
  rules: [],
  readBack: "full",
  windows,
  suspends: true,
};
const pin = (digits: string) => ({ kind: "pin", digits: new Secret(digits) }) as const;
const entry = (digits: string, when: When = "always") => ({ credential: pin(digits), when, label: digits });
const soon = { startsAt: now, endsAt: later(now, 10 * minute), weekly: undefined, zone: "UTC" };

const after = (seconds: number) => later(now, seconds * 1_000);

/** A lock with this fault, and a hand on it that draws each request's fate. */
function lockWith(setting?: FaultSetting, seed = 1) {
  const lock = new LyingLock(model, blankChip("s"), undefined, seed);
  if (setting) lock.begin(setting, now);
  return {
    lock,
    write: (digits: string, slot: number, when?: When) =>
      lock.write(entry(digits, when), slotName(String(slot)), lock.fate("write", now)),
    clear: (slot: number) => lock.clear(slotName(String(slot)), lock.fate("clear", now)),
    enable: (slot: number, on: boolean) => lock.enable(slotName(String(slot)), on, lock.fate("enable", now)),
    read: (slot: number) => lock.read(slotName(String(slot)), lock.fate("read", now)),
    opens: (digits: string, at = now) => lock.present(pin(digits), at) !== undefined,
  };
}

test("LyingLock without a fault is honest", () => {
  const { write, clear, read, opens } = lockWith();
  expect(write("1357", 1)).toEqual({ says: "yes", slot: "1" });
  expect(write("1357", 2)).toEqual({ says: "no", reason: "duplicate" });
  expect(read(1)).toMatchObject({ state: "known", when: "always", disabled: false });
  expect(opens("1357")).toBe(true);
  expect(clear(1)).toEqual({ says: "yes", slot: "1" });
  expect(read(1)).toEqual({ state: "empty" });
});

test("LyingLock says yes, and its memory is as it was; what it would have refused it refuses", () => {
  const { lock, write, clear, opens } = lockWith();
  write("1357", 1);
  const before = lock.chip;
  lock.begin({ fault: "says_yes_stores_nothing" }, now);
  expect(write("2468", 2)).toEqual({ says: "yes", slot: "2" });
  expect(clear(1)).toEqual({ says: "yes", slot: "1" });
  expect(write("2468", 9)).toMatchObject({ says: "no", reason: "invalid" });
  expect(lock.chip).toBe(before);
  expect(opens("1357")).toBe(true);
});

test("LyingLock says no, and does it all the same", () => {
  const { lock, write, clear, opens } = lockWith({ fault: "says_no_and_stores" });
  expect(write("1357", 1)).toMatchObject({ says: "no", reason: "forbidden" });
  expect(opens("1357")).toBe(true);
  expect(clear(1)).toMatchObject({ says: "no" });
  expect(lock.chip.entries).toEqual({});
});

test("LyingLock that refuses does nothing", () => {
  const { lock, write } = lockWith({ fault: "refuses" });
  expect(write("1357", 1)).toMatchObject({ says: "no", reason: "forbidden" });
  expect(lock.chip.entries).toEqual({});
});

test("LyingLock that is full takes what goes into a slot that is taken", () => {
  const { lock, write } = lockWith();
  write("1357", 1);
  lock.begin({ fault: "full" }, now);
  expect(write("2468", 2)).toEqual({ says: "no", reason: "full" });
  expect(write("2468", 1)).toEqual({ says: "yes", slot: "1" });
});

test("LyingLock takes a duplicate, and then opens for it as long as one is left", () => {
  const { write, clear, opens } = lockWith({ fault: "takes_duplicates" });
  expect([write("1357", 1), write("1357", 2)]).toEqual([
    { says: "yes", slot: "1" },
    { says: "yes", slot: "2" },
  ]);
  clear(1);
  expect(opens("1357")).toBe(true);
  clear(2);
  expect(opens("1357")).toBe(false);
});

test("LyingLock masks codes, and still tells what is beside them", () => {
  const { write, read } = lockWith({ fault: "masks_codes" });
  write("1357", 1, soon);
  expect(read(1)).toEqual({ state: "opaque", when: soon, disabled: false });
  expect(read(2)).toEqual({ state: "empty" });
});

test("LyingLock that is unreadable says of no slot that it is empty", () => {
  const { lock, read, write } = lockWith({ fault: "unreadable" });
  write("1357", 1);
  expect([read(1), read(2)]).toEqual([{ state: "unreadable" }, { state: "unreadable" }]);
  expect(lock.list(lock.fate("read", now))).toEqual([{ slot: "1", contents: { state: "unreadable" } }]);
});

test.each([
  ["all", ["always", "always"]],
  ["written", [soon, "always"]],
  [undefined, ["always", "always"]],
] as const)("LyingLock wipes windows when it is updated, of %s", (of, left) => {
  const { lock, write, read, opens } = lockWith();
  write("1357", 1, soon);
  lock.begin({ fault: "wipes_windows_on_update", ...(of === undefined ? {} : { of }) }, now);
  write("2468", 2, soon);
  expect([read(1), read(2)]).toMatchObject(left.map((when) => ({ when })));
  expect(opens("2468", later(now, 60 * minute))).toBe(true);
});

test("LyingLock wipes the window of a code that is suspended and let open again", () => {
  const { lock, write, enable, read } = lockWith();
  write("1357", 1, soon);
  lock.begin({ fault: "wipes_windows_on_update", of: "written" }, now);
  enable(1, false);
  enable(1, true);
  expect(read(1)).toMatchObject({ when: "always", disabled: false });
});

test("LyingLock whose clock is skewed opens when it thinks that it should", () => {
  const { lock, write, opens } = lockWith();
  write("1357", 1, soon);
  expect([opens("1357"), opens("1357", later(now, 11 * minute))]).toEqual([true, false]);
  lock.begin({ fault: "clock_skewed", by_seconds: -300 }, now);
  expect([opens("1357"), opens("1357", later(now, 11 * minute))]).toEqual([false, true]);
});

test("LyingLock.losePower() forgets where it does, and remembers where it does not", () => {
  const { lock, write } = lockWith();
  for (const slot of [1, 2, 3, 4]) write(`135${slot}`, slot);
  lock.losePower(now);
  expect(Object.keys(lock.chip.entries)).toHaveLength(4);
  lock.begin({ fault: "forgets_on_power_loss" }, now);
  lock.losePower(now);
  expect(lock.chip.entries).toEqual({});
});

test("LyingLock.losePower(): the same seed forgets the same codes", () => {
  assert(
    property(integer(), constantFrom(0.3, 0.7), (seed, share) => {
      const left = (): readonly string[] => {
        const { lock, write } = lockWith({ fault: "forgets_on_power_loss", share }, seed);
        for (const slot of [1, 2, 3, 4]) write(`135${slot}`, slot);
        lock.losePower(now);
        return Object.keys(lock.chip.entries);
      };
      expect(left()).toEqual(left());
    }),
    { numRuns: 50 },
  );
});

test("LyingLock with a dying battery gets slow, and then deaf; with another one it is well again", () => {
  const { lock } = lockWith({ fault: "battery_dying", over_seconds: 100 });
  expect([0, 40, 90, 120].map((seconds) => lock.battery(after(seconds)))).toEqual([
    1,
    expect.closeTo(0.6),
    expect.closeTo(0.1),
    0,
  ]);
  expect(lock.fate("read", after(80))).toMatchObject({ becomes: "answered", delay: 0 });
  expect(lock.fate("read", after(90)).delay).toBeGreaterThan(500);
  expect(lock.fate("read", after(100))).toMatchObject({ becomes: "unheard" });
  expect([lock.tells(after(99)), lock.tells(after(100))]).toEqual([true, false]);
  lock.charge(1, after(200));
  expect(lock.fate("read", after(210))).toMatchObject({ becomes: "answered", delay: 0 });
  lock.end("battery_dying", after(210));
  expect(lock.battery(after(1_000))).toBeCloseTo(0.9);
});

test("LyingLock: a battery that died for a time stays as low as it is", () => {
  const { lock } = lockWith({ fault: "battery_dying", over_seconds: 100, seconds: 50 });
  expect(lock.battery(later(now, 500_000))).toBeCloseTo(0.5);
  const kept = new LyingLock(model, blankChip("s"), lock.condition(later(now, 500_000)));
  expect(kept.battery(later(now, 900_000))).toBeCloseTo(0.5);
});

test("LyingLock.program() and .erase() are its owner's, past every fault", () => {
  const { lock, opens } = lockWith({ fault: "refuses" });
  expect(lock.program(pin("1357"), undefined)).toEqual({ says: "yes", slot: "4" });
  expect(lock.program(pin("2468"), slotName("2"))).toEqual({ says: "yes", slot: "2" });
  expect(opens("1357")).toBe(true);
  lock.erase(slotName("4"));
  expect([opens("1357"), opens("2468")]).toEqual([false, true]);
  for (const digits of ["1111", "2222", "3333"]) lock.program(pin(digits), undefined);
  expect(lock.program(pin("4444"), undefined)).toEqual({ says: "no", reason: "full" });
  lock.erase("all");
  expect(lock.chip.entries).toEqual({});
});

test("LyingLock.condition() is all that is wrong with it", () => {
  const setting = { fault: "loses_replies", share: 0.5 } as const;
  const { lock } = lockWith(setting);
  lock.charge(0.5, now);
  const condition: Condition = { faults: [{ setting, since: now }], battery: { level: 0.5, at: now } };
  expect(lock.condition(now)).toEqual(condition);
  lock.end("loses_replies", now);
  expect(lock.condition(now).faults).toEqual([]);
});
