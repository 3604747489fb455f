import { array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { LinkError } from "../../drivers/driver.ts";
import type { FaultSetting } from "../../simulator/fault.ts";
import { LyingBench, memories, readBacks } from "./simulated-bench.ts";

const mine = "91827364";
const other = "46372819";
const open = { result: "unconfirmed" };
const every = memories.flatMap((memory) => readBacks.map((readBack) => ({ memory, readBack })));
const askable = every.filter(({ readBack }) => readBack !== "none");
const mute = every.filter(({ readBack }) => readBack === "none");

const silence = (sent: boolean) => ({ name: "LinkError", sent });
const noAnswer: unknown = expect.objectContaining(silence(true));
const anySlot = { slot: expect.any(String) as string };

describe.each(every)("the simulated driver over a lock, $memory, read back $readBack", ({ memory, readBack }) => {
  const isAsked = readBack !== "none";
  const proof = { full: "read_back", masked: "read_back_masked", occupancy: "read_back_masked", none: "acknowledged" };
  const stored = { result: "stored", proof: proof[readBack] };
  const inSlot = memory === "assigned" ? {} : anySlot;
  const readEmpty = isAsked ? { state: "empty" } : undefined;
  const notSent = isAsked ? silence(false) : open;
  const bench = (more: object = {}): Promise<LyingBench> => LyingBench.open({ memory, read_back: readBack, ...more });

  test("that says yes and stores nothing: nothing is called stored that can be seen not to be", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "says_yes_stores_nothing" });
    expect(await lock.write(mine)).toMatchObject(isAsked ? open : { result: "stored", proof: "acknowledged" });
    expect(await lock.holds()).toEqual([]);
  });

  test("that says yes and keeps what it is to clear: nothing is called gone that can be seen not to be", async () => {
    await using lock = await bench();
    const slot = await lock.stored(mine);
    await lock.begin({ fault: "says_yes_stores_nothing" });
    expect(await lock.clear(slot)).toEqual(
      isAsked ? { ...open, slot } : { result: "stored", slot, proof: "acknowledged" },
    );
    expect(await lock.opens(mine)).toBe(true);
  });

  test("that says no and stores: what can be read counts, and not its word", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "says_no_and_stores" });
    const notSure = isAsked ? { ...open, ...anySlot } : { result: "refused" };
    expect(await lock.write(mine)).toMatchObject(readBack === "full" ? stored : notSure);
    expect(await lock.opens(mine)).toBe(true);
  });

  test("that says no and clears: what is seen to be gone is gone", async () => {
    await using lock = await bench();
    const slot = await lock.stored(mine);
    await lock.begin({ fault: "says_no_and_stores" });
    const outcome = await lock.clear(slot);
    expect(outcome).toMatchObject(isAsked ? { result: "stored", slot, proof: "read_back" } : { result: "refused" });
  });

  test("that refuses: refused, and nothing is changed", async () => {
    await using lock = await bench();
    const slot = await lock.stored(mine);
    await lock.begin({ fault: "refuses" });
    expect(await lock.write(other, 2)).toMatchObject({ result: "refused", reason: "forbidden" });
    expect(await lock.clear(slot)).toMatchObject({ result: "refused", reason: "forbidden" });
    expect(await lock.holds()).toEqual([mine]);
  });

  test("that is full: refused, and says so", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "full" });
    expect(await lock.write(mine)).toMatchObject({ result: "refused", reason: "full" });
    expect(await lock.holds()).toEqual([]);
  });

  test("that loses replies to writes: what can be read is found, lost ids too", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "loses_replies", to: ["write", "clear"] });
    const outcome = await lock.write(mine);
    expect(outcome).toMatchObject(isAsked ? stored : { ...open, ...inSlot });
    expect(await lock.opens(mine)).toBe(true);
    await lock.end("loses_replies");
    // The slot that was found is the one that it is in.
    if (!isAsked || !("slot" in outcome)) return;
    const { slot } = outcome;
    expect(await lock.clear(slot ?? slotName("none"))).toMatchObject({ result: "stored", proof: "read_back" });
    expect(await lock.opens(mine)).toBe(false);
  });

  test("that loses replies to clears", async () => {
    await using lock = await bench();
    const slot = await lock.stored(mine);
    await lock.begin({ fault: "loses_replies", to: ["clear"] });
    expect(await lock.clear(slot)).toMatchObject(
      isAsked ? { result: "stored", proof: "read_back" } : { ...open, slot },
    );
  });

  test("that loses every reply: a write is not sent where the lock could be asked first", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "loses_replies" });
    expect(await lock.write(mine)).toMatchObject(notSent);
    expect(await lock.opens(mine)).toBe(!isAsked);
  });

  test("that is deaf is silence, and a clear of it is open", async () => {
    await using lock = await bench();
    const slot = await lock.stored(mine);
    await lock.begin({ fault: "deaf", seconds: 60 });
    expect(await lock.write(other, 2)).toMatchObject(notSent);
    expect(await lock.clear(slot)).toEqual({ ...open, slot });
    expect(await lock.read(slot)).toEqual(isAsked ? noAnswer : undefined);
    await lock.clock.run(60_000);
    expect(await lock.clear(slot)).toMatchObject({ result: "stored" });
    expect(await lock.holds()).toEqual([]);
  });

  test("that goes deaf once it was asked: a write is open, and was not done", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "deaf", to: ["write"] });
    expect(await lock.write(mine)).toMatchObject({ ...open, ...inSlot });
    expect(await lock.holds()).toEqual([]);
  });

  test("that executes late: a write is open, and comes to be there", async () => {
    await using lock = await bench({ settles_seconds: 20 });
    await lock.begin({ fault: "executes_late", ms: [3_000, 4_000] });
    expect(await lock.write(mine)).toMatchObject({ ...open, ...inSlot });
    const before = await lock.opens(mine);
    await lock.clock.run(4_000);
    expect([before, await lock.opens(mine)]).toEqual([false, true]);
  });

  test("that is slow takes its time, and is believed", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "slow", ms: [800, 1_200] });
    const before = lock.clock.now();
    expect(await lock.write(mine)).toMatchObject(stored);
    expect(lock.clock.now() - before).toBeGreaterThanOrEqual(isAsked ? 2_400 : 800);
  });

  test("that is slower than anybody waits: a write is open, and is done", async () => {
    await using lock = await bench();
    await lock.begin({ fault: "slow", to: ["write"], ms: [6_000, 6_000] });
    expect(await lock.write(mine)).toMatchObject({ ...open, ...inSlot });
    await lock.clock.run(6_000);
    expect(await lock.opens(mine)).toBe(true);
  });

  test("that forgets on power loss: what is read then is empty, and the loss is told", async () => {
    await using lock = await bench();
    const slot = await lock.stored(mine);
    await lock.begin({ fault: "forgets_on_power_loss" });
    expect(await lock.act({ act: "power" })).toBe("done");
    expect(lock.host.events).toMatchObject([{ event: "offline" }, { event: "online" }]);
    expect(await lock.opens(mine)).toBe(false);
    expect(await lock.read(slot)).toEqual(readEmpty);
  });

  test("that is reset by its owner: it is empty, and says so", async () => {
    await using lock = await bench();
    const slot = await lock.stored(mine);
    expect(await lock.act({ act: "reset" })).toBe("done");
    expect(lock.host.events).toMatchObject([{ event: "reset" }]);
    expect(await lock.read(slot)).toEqual(readEmpty);
  });

  test("whose windows are wiped: a code without its window is not called stored where that can be seen", async () => {
    await using lock = await bench({ windows: "dates" });
    const from = instant(Math.ceil(lock.clock.now() / 60_000) * 60_000);
    const when = { startsAt: from, endsAt: instant(from + 600_000), weekly: undefined, zone: "UTC" };
    expect(await lock.write(other, 1, when)).toMatchObject(stored);
    await lock.begin({ fault: "wipes_windows_on_update", of: "written" });
    expect(await lock.write(mine, 2, when)).toMatchObject(isAsked ? open : { result: "stored", proof: "acknowledged" });
    await lock.clock.run(660_000);
    expect([await lock.opens(mine), await lock.opens(other)]).toEqual([true, false]);
  });

  test("whose windows are wiped when a code is suspended and let open again", async () => {
    await using lock = await bench({ windows: "dates", suspends: true });
    const slot = await lock.stored(mine);
    expect(await lock.enable(slot, mine, false)).toMatchObject({ result: "stored" });
    expect(await lock.opens(mine)).toBe(false);
    await lock.begin({ fault: "says_yes_stores_nothing" });
    expect(await lock.enable(slot, mine, true)).toMatchObject(isAsked ? open : { result: "stored" });
    expect(await lock.opens(mine)).toBe(false);
    await lock.end("says_yes_stores_nothing");
    await lock.begin({ fault: "says_no_and_stores" });
    expect(await lock.enable(slot, mine, true)).toMatchObject({ result: isAsked ? "stored" : "refused" });
    expect(await lock.opens(mine)).toBe(true);
    await lock.end("says_no_and_stores");
    await lock.begin({ fault: "loses_replies", to: ["enable"] });
    expect(await lock.enable(slot, mine, false)).toMatchObject(isAsked ? { result: "stored" } : { ...open, slot });
    await lock.end("loses_replies");
    await lock.begin({ fault: "refuses" });
    expect(await lock.enable(slot, mine, true)).toMatchObject({ result: "refused" });
  });

  test("that takes duplicates: each is stored where it was written", async () => {
    await using lock = await bench();
    const first = await lock.stored(mine, 1);
    const again = await lock.write(mine, 2);
    expect(again).toMatchObject({ result: memory === "keyed" ? "stored" : "refused" });
    await lock.begin({ fault: "takes_duplicates" });
    const second = await lock.stored(mine, 2);
    expect(second === first).toBe(memory === "keyed");
  });
});

describe.each(askable)("the simulated driver over a lock, $memory, read back $readBack", ({ memory, readBack }) => {
  test("that masks its codes proves no more than that one is there", async () => {
    await using lock = await LyingBench.open({ memory, read_back: readBack });
    await lock.begin({ fault: "masks_codes" });
    const slot = await lock.stored(mine);
    expect(await lock.read(slot)).toEqual({ state: "opaque" });
    await lock.end("masks_codes");
    expect(await lock.read(slot)).toMatchObject({ state: readBack === "full" ? "known" : "opaque" });
  });

  test("that does not say what is in a slot: a write of it is open, and so is a clear", async () => {
    await using lock = await LyingBench.open({ memory, read_back: readBack });
    const slot = await lock.stored(mine);
    await lock.begin({ fault: "unreadable" });
    expect(await lock.read(slot)).toEqual({ state: "unreadable" });
    expect(await lock.write(other, 2)).toMatchObject(open);
    expect(await lock.clear(slot)).toEqual({ ...open, slot });
  });
});

describe.each(mute)("the simulated driver over a lock that cannot be asked, $memory", ({ memory }) => {
  test("proves nothing but its word, of whatever lies it tells", async () => {
    await using lock = await LyingBench.open({ memory, read_back: "none" });
    for (const fault of ["masks_codes", "unreadable"] as const) await lock.begin({ fault });
    expect(await lock.write(mine)).toMatchObject({ result: "stored", proof: "acknowledged" });
  });
});

test("a masked slot that was written over proves no more than that the lock said yes", async () => {
  await using lock = await LyingBench.open({ read_back: "masked" });
  expect(await lock.write(mine)).toMatchObject({ result: "stored", proof: "read_back_masked" });
  expect(await lock.write(other)).toMatchObject({ result: "stored", proof: "acknowledged" });
});

test("a slot in which the lock keeps another code is not called stored", async () => {
  await using lock = await LyingBench.open();
  await lock.stored(mine);
  await lock.begin({ fault: "says_yes_stores_nothing" });
  expect(await lock.write(other)).toEqual({ ...open, slot: "1" });
});

test("a lock whose clock is skewed opens by it, and its memory says nothing of that", async () => {
  await using lock = await LyingBench.open({ windows: "dates" });
  const from = instant(Math.ceil(lock.clock.now() / 60_000) * 60_000 + 600_000);
  const when = { startsAt: from, endsAt: instant(from + 600_000), weekly: undefined, zone: "UTC" };
  await lock.stored(mine, 1, when);
  expect(await lock.act({ act: "type", digits: new Secret(mine) })).toBe("denied");
  await lock.begin({ fault: "clock_skewed", by_seconds: 900 });
  expect(await lock.act({ act: "type", digits: new Secret(mine) })).toBe("opened");
  expect(lock.host.events).toMatchObject([{ event: "denied" }, { event: "unlocked", method: "keypad", slot: "1" }]);
});

test("a lock whose battery dies tells of it, gets slow, falls silent, and is well again with another one", async () => {
  await using lock = await LyingBench.open();
  await lock.stored(mine);
  await lock.begin({ fault: "battery_dying", over_seconds: 100 });
  await lock.clock.run(95_000);
  const levels = lock.host.events.map((event) => event.event === "battery" && event.level);
  expect(levels).toEqual([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]);
  const before = lock.clock.now();
  expect(await lock.read(slotName("1"))).toMatchObject({ state: "known" });
  expect(lock.clock.now() - before).toBeGreaterThan(500);
  await lock.clock.run(10_000);
  expect(await lock.read(slotName("1"))).toMatchObject(silence(true));
  // The keypad still works, and nobody hears of it.
  const heard = lock.host.events.length;
  expect(await lock.act({ act: "type", digits: new Secret(mine) })).toBe("opened");
  expect(lock.host.events).toHaveLength(heard);
  await lock.act({ act: "battery", level: 1 });
  expect(lock.host.events.at(-1)).toMatchObject({ event: "battery", level: 1 });
  expect(await lock.read(slotName("1"))).toMatchObject({ state: "known" });
});

test("a lock that tells nothing does all the same what is done to it", async () => {
  await using lock = await LyingBench.open();
  await lock.begin({ fault: "tells_nothing" });
  expect(await lock.act({ act: "program", digits: new Secret(mine) })).toBe("done");
  expect(await lock.act({ act: "type", digits: new Secret(mine) })).toBe("opened");
  expect(await lock.act({ act: "reset" })).toBe("done");
  expect(await lock.holds()).toEqual([]);
  expect(lock.host.events).toEqual([]);
});

test("what its owner does at the keypad is told", async () => {
  await using lock = await LyingBench.open({ slots: 2 });
  const program = async (digits: string) => lock.act({ act: "program", digits: new Secret(digits) });
  expect([await program(mine), await program(mine), await program(other), await program("55556666")]).toEqual([
    "done",
    "refused",
    "done",
    "refused",
  ]);
  expect(await lock.act({ act: "delete", slot: slotName("2") })).toBe("done");
  expect(await lock.holds()).toEqual(["owner"]);
  expect(await lock.act({ act: "delete", slot: "all" })).toBe("done");
  expect(lock.host.events).toMatchObject([
    { event: "changed", slot: "2", by: "owner" },
    { event: "changed", slot: "1", by: "owner" },
    { event: "changed", slot: "2", by: "owner" },
    { event: "all_deleted" },
  ]);
});

test("what is wrong with a lock outlives the link, and is told with what it holds, without a code", async () => {
  await using lock = await LyingBench.open();
  await lock.stored(mine);
  const setting: FaultSetting = { fault: "loses_replies", share: 0.5 };
  await lock.begin(setting);
  await lock.act({ act: "battery", level: 0.4 });
  await lock.reopen();
  const inside = await lock.link.look?.("front");
  expect(inside).toEqual({
    slots: [{ slot: "1", kind: "pin", label: mine, when: "always", disabled: false, opens: true }],
    locked: true,
    battery: 0.4,
    faults: [setting],
  });
  await lock.end("loses_replies");
  await lock.reopen();
  expect(await lock.link.look?.("front")).toMatchObject({ faults: [] });
});

test.each([
  [{ fault: "slw" }, /^fault: Invalid option/],
  [{ fault: "deaf", share: 2 }, /^share: /],
  [{ fault: "executes_late" }, /^a lock that carries out writes up to 4000 ms late has to say so: set settles_seconds/],
])("a fault that is none is not begun: %j", async (setting, problem) => {
  await using lock = await LyingBench.open();
  const told = await lock.link.fault?.("front", { on: true, setting });
  expect(told).toEqual({ problem: expect.stringMatching(problem) as string });
  expect(await lock.link.look?.("front")).toMatchObject({ faults: [] });
});

test("a fault that strikes is in the log, and no PIN with it", async () => {
  await using lock = await LyingBench.open();
  await lock.begin({ fault: "says_yes_stores_nothing" });
  await lock.write(mine);
  const said = lock.host.said.join("\n");
  expect(said).toContain("a simulated fault strikes");
  expect(said).toContain("says_yes_stores_nothing");
  expect(said).not.toContain(mine);
});

test("a link that is closed lets go of those who wait, and of what was still to come", async () => {
  await using lock = await LyingBench.open({ settles_seconds: 20 });
  await lock.begin({ fault: "battery_dying" });
  await lock.begin({ fault: "executes_late" });
  await lock.write(mine);
  await lock.begin({ fault: "deaf" });
  const waiting = lock.ended(lock.memory.clear(slotName("1"), new AbortController().signal));
  await lock.clock.run(100);
  await lock.link[Symbol.asyncDispose]();
  expect(await waiting).toBeInstanceOf(LinkError);
  expect(lock.clock.asleep).toBe(0);
});

test("a call that is aborted ends at once, with the signal's reason", async () => {
  await using lock = await LyingBench.open();
  await lock.begin({ fault: "deaf" });
  const reason = new Error("enough");
  const controller = new AbortController();
  const ended = lock.memory.clear(slotName("1"), controller.signal).catch((error: unknown) => error);
  await lock.clock.run(100);
  controller.abort(reason);
  expect(await ended).toBe(reason);
  expect(lock.clock.asleep).toBe(0);
});

test("whatever goes wrong, the same seed ends in the same outcomes and the same memory", async () => {
  const kinds = ["loses_replies", "says_yes_stores_nothing", "says_no_and_stores", "masks_codes", "deaf"] as const;
  const step = record({
    fault: constantFrom(...kinds),
    share: constantFrom(0.3, 0.7),
    slot: integer({ min: 1, max: 4 }),
  });
  const lived = async (
    seed: number,
    steps: readonly { fault: (typeof kinds)[number]; share: number; slot: number }[],
  ) => {
    await using lock = await LyingBench.open({ seed });
    const ends: unknown[] = [];
    for (const [index, { fault, share, slot }] of steps.entries()) {
      await lock.begin({ fault, share });
      const ended =
        index % 3 === 2 ? await lock.clear(slotName(String(slot))) : await lock.write(`8888000${index}`, slot);
      ends.push(ended instanceof LinkError ? { sent: ended.sent } : ended);
    }
    return { ends, holds: await lock.holds() };
  };
  await assert(
    asyncProperty(integer(), array(step, { minLength: 4, maxLength: 8 }), async (seed, steps) => {
      expect(await lived(seed, steps)).toEqual(await lived(seed, steps));
    }),
    { numRuns: 6 },
  );
});
