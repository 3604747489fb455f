import { expect, test } from "vitest";
import { type DeviceId, deviceId } from "../../agent/domain/ids.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { Keeper } from "../../agent/sync/keeper.ts";
import { type Link, LinkError, type LinkEvent, type LockDevice, type Log } from "../../drivers/driver.ts";
import { blankChip, SimulatedLock } from "../../simulator/lock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const quiet = (): void => undefined;
const [front, back] = [deviceId("door-1"), deviceId("door-2")];
const one = slotName("1");
const fraction = 100;

/** Two addresses, at which any lock may stand, and an agent. */
class Corridor implements Disposable {
  readonly desk = new MemoryStore();
  readonly clock = new VirtualClock();
  readonly at = new Map<string, { readonly name: string; readonly lock: SimulatedLock } | undefined>();
  readonly done: string[] = [];
  readonly warned: string[] = [];
  /** Happens while the next command is on its way. */
  meanwhile: () => void = quiet;
  /** How long each exchange takes. */
  pace = fraction;
  slots = 3;
  readonly keeper: Keeper;

  constructor() {
    const log: Log = {
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: (fields) => void this.warned.push(JSON.stringify(fields)),
      error: (fields, message) => void this.warned.push(`${message} ${JSON.stringify(fields)}`),
    };
    const link: Link = {
      atOnce: "unlimited",
      lock: (address) => this.#device(address),
      [Symbol.asyncDispose]: async () => undefined,
    };
    this.keeper = new Keeper({
      turn: async () => undefined,
      ledger: this.desk.store.rounds,
      devices: [front, back].map((device) => ({ device, link: "wire", address: device })),
      linkOf: () => link,
      clock: this.clock,
      log,
      random: () => 0,
      committed: quiet,
      failed: (error) => {
        throw error;
      },
    });
  }

  put(device: DeviceId, name: string, readBack: "full" | "masked" = "full"): SimulatedLock {
    const model = { memory: "numbered", readBack, slots: this.slots, lengths: [6], rules: [], kinds: ["pin"] } as const;
    const lock = new SimulatedLock(model, blankChip(name));
    this.at.set(device, { name, lock });
    return lock;
  }

  async grant(device: DeviceId): Promise<void> {
    this.desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: device });
    this.keeper.due(device);
    await this.clock.run(10 * fraction);
  }

  report(device: DeviceId, event: { event: "online" } | { event: "changed"; slot: typeof one; by: "owner" }): void {
    const told: LinkEvent = { at: this.clock.now(), address: device, ...event };
    this.keeper.reported("wire", told);
  }

  states(device: DeviceId): unknown {
    return JSON.parse(JSON.stringify(this.desk.ask("access/list", { device_id: device })["receipts"]));
  }

  [Symbol.dispose](): void {
    this.desk[Symbol.dispose]();
  }

  #device(address: string): LockDevice {
    const { slots } = this;
    const exchange = async <T>(what: string, act: (lock: SimulatedLock, name: string) => T): Promise<T> => {
      await this.clock.sleep(this.pace);
      const { meanwhile } = this;
      this.meanwhile = quiet;
      meanwhile();
      const there = this.at.get(address);
      if (!there) throw new LinkError("no answer");
      this.done.push(`${what} ${there.name}`);
      return act(there.lock, there.name);
    };
    return {
      abilities: () => exchange("asked", (lock, name) => ({ identity: name, memory: lock.limits })),
      memory: {
        write: (entry, slot) => exchange("write", (lock) => lock.write(entry, slot)),
        clear: (slot) => exchange("clear", (lock) => lock.clear(slot)),
        read: (slot) => exchange("read", (lock) => lock.read(slot)),
        // As drivers list what can only be read slot by slot.
        list: async function* () {
          for (let number = 1; number <= slots; number++) {
            const slot = slotName(String(number));
            const contents = await exchange("listed", (lock) => lock.read(slot));
            if (contents.state !== "empty") yield { slot, contents };
          }
        },
      },
    };
  }
}

test("a lock that comes online in the middle of a round is asked who it is before anything more is done to it", async () => {
  using corridor = new Corridor();
  corridor.put(front, "x");
  corridor.meanwhile = () => {
    corridor.meanwhile = () => {
      // Between the look at the slot and the write into it.
      corridor.put(front, "y");
      corridor.report(front, { event: "online" });
    };
  };
  await corridor.grant(front);
  await corridor.clock.run(60_000);
  const writes = corridor.done.filter((what) => what.startsWith("write"));
  expect(writes).toEqual(["write y"]);
  const before = corridor.done.slice(0, corridor.done.indexOf("write y"));
  expect(before.filter((what) => what === "read y").length).toBeGreaterThanOrEqual(3);
  expect(corridor.states(front)).toMatchObject([{ state: "live", credentials: [{ state: "live" }] }]);
});

test("two devices whose locks say that they are one: what one has said stands, the other waits and says so", async () => {
  using corridor = new Corridor();
  corridor.put(front, "x");
  corridor.put(back, "x");
  await corridor.grant(front);
  await corridor.grant(back);
  await corridor.clock.run(20_000);
  expect(corridor.warned.join()).toContain("so does the lock of device door-1");
  expect(corridor.desk.store.rounds.lockAt(front)).toBe("x");
  expect(corridor.desk.store.rounds.lockAt(back)).toBe(undefined);
  expect(corridor.desk.store.rounds.placements(back)).toEqual([]);
  // One of them was the lock that was moved, and something else stands where it was.
  corridor.put(back, "y");
  await corridor.clock.run(10 * 60_000);
  expect(corridor.states(back)).toMatchObject([{ state: "live" }]);
});

test("a lock that was taken from one door to another is believed there when its first door is silent", async () => {
  using corridor = new Corridor();
  corridor.put(front, "x");
  await corridor.grant(front);
  corridor.put(back, "y");
  await corridor.grant(back);
  const [x] = [corridor.at.get(front)];
  corridor.at.set(front, undefined);
  corridor.at.set(back, x);
  corridor.report(back, { event: "online" });
  await corridor.clock.run(10 * 60_000);
  expect(corridor.desk.store.rounds.lockAt(back)).toBe("x");
  expect(corridor.states(back)).toMatchObject([{ credentials: [{ state: "live" }, { reason: "lock_replaced" }] }]);
});

test("what an owner does at a masked lock is believed when that lock has said that it is the one", async () => {
  using corridor = new Corridor();
  corridor.put(front, "x", "masked");
  await corridor.grant(front);
  expect(corridor.states(front)).toMatchObject([{ state: "live" }]);
  corridor.put(front, "y", "masked");
  corridor.report(front, { event: "online" });
  // The first that is heard of the new lock is that its owner has put a code there.
  corridor.report(front, { event: "changed", slot: one, by: "owner" });
  await corridor.clock.run(60_000);
  expect(corridor.states(front)).toMatchObject([{ credentials: [{ state: "removing", reason: "lock_replaced" }, {}] }]);

  using other = new Corridor();
  const x = other.put(front, "x", "masked");
  await other.grant(front);
  other.report(front, { event: "online" });
  x.write({ credential: { kind: "pin", digits: new Secret("274938") }, when: "always", label: "owner" }, one);
  other.report(front, { event: "changed", slot: one, by: "owner" });
  await other.clock.run(60_000);
  const held = Object.entries(x.chip.entries).map(([slot, { label }]) => [slot, label]);
  expect(held).toEqual([
    ["1", "owner"],
    ["2", "ann"],
  ]);
  expect(other.states(front)).toMatchObject([{ state: "live" }]);
});

test.each(["before", "after"])(
  "two locks change places while a code is written, heard of %s the answer: the code is found where it went",
  async (when) => {
    using corridor = new Corridor();
    const locks = [corridor.put(front, "x"), corridor.put(back, "y")];
    const onLocks = (): string[] => locks.flatMap(({ chip }) => Object.values(chip.entries).map(({ label }) => label));
    corridor.keeper.due(front, back);
    await corridor.clock.run(10 * fraction);
    const heard = (): void => {
      for (const device of [front, back]) corridor.report(device, { event: "online" });
    };
    // The first exchange is the look at the slot, the second the write.
    corridor.meanwhile = () => {
      corridor.meanwhile = () => {
        const [atFront, atBack] = [corridor.at.get(front), corridor.at.get(back)];
        corridor.at.set(front, atBack);
        corridor.at.set(back, atFront);
        if (when === "before") heard();
      };
    };
    await corridor.grant(front);
    if (when === "after") heard();
    await corridor.clock.run(10 * 60_000);
    expect(corridor.done).toContain("write y");
    expect(corridor.states(front)).toMatchObject([{ state: "live" }]);
    expect(onLocks()).toEqual(["ann"]);
    corridor.desk.ask("user_identities/revoke_access_to_device", { user_identity_id: "ann", device_id: front });
    corridor.keeper.due(front);
    await corridor.clock.run(10 * 60_000);
    expect(corridor.desk.events().map((event) => event["event_type"])).toContain("access.gone");
    expect(onLocks()).toEqual([]);
  },
);

test("a large lock that takes the place of another is read slot by slot, however long all of it takes", async () => {
  using corridor = new Corridor();
  corridor.slots = 100;
  corridor.put(front, "x");
  await corridor.grant(front);
  // As long as it takes to wake a lock that lives on batteries.
  corridor.pace = 1_500;
  corridor.put(front, "y");
  corridor.report(front, { event: "online" });
  await corridor.clock.run(4 * 60_000);
  expect(corridor.states(front)).toMatchObject([{ credentials: [{ state: "removing" }, { state: "live" }] }]);
  const before = corridor.done.slice(0, corridor.done.indexOf("write y"));
  expect(before.filter((what) => what === "read y").length).toBeGreaterThanOrEqual(corridor.slots);
});
