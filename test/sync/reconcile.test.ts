import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { Acquaintance } from "../../agent/sync/acquaintance.ts";
import { reconcile } from "../../agent/sync/reconcile.ts";
import { LinkError, type Log } from "../../drivers/driver.ts";
import { House } from "../support/house.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const quiet = (): void => undefined;
const log: Log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

test("reconcile() says which other devices have work because of it, though its own lock is silent then", async () => {
  using desk = new MemoryStore();
  const other = deviceId("door-2");
  const due: string[] = [];
  const round = reconcile(
    deviceId("door-1"),
    { abilities: () => Promise.reject(new LinkError("no answer")) },
    new Acquaintance(deviceId("door-1")),
    {
      ledger: {
        ...desk.store.rounds,
        isToChoose: () => true,
        choose: () => ({ due: new Set([other]), more: false }),
      },
      clock: new VirtualClock(),
      log,
      random: () => 0,
      committed: quiet,
      due: (device) => void due.push(device),
      isAwaited: () => false,
      turn: async () => undefined,
      claimed: () => undefined,
    },
    new AbortController().signal,
  );
  await expect(round).rejects.toThrow("no answer");
  expect(due).toEqual([other]);
});

test("the bare word of a lock that tells its codes is no proof: nothing is called live before a read, nor gone", async () => {
  using house = new House(1, 1);
  const [door] = house.devices;
  const lock = house.lock(door!);
  const word = { result: "stored", slot: slotName("1"), proof: "acknowledged" } as const;
  const told = (): string[] => house.told.splice(0).flatMap(({ type }) => (type.startsWith("access.") ? [type] : []));
  const [write, clear] = [lock.write.bind(lock), lock.clear.bind(lock)];

  lock.write = () => word;
  house.grant("ann", door!);
  await house.clock.run(60_000);
  expect(told()).not.toContain("access.live");
  lock.write = write;
  await house.clock.run(3600_000);
  expect(told()).toContain("access.live");

  lock.clear = () => word;
  house.revoke("ann", door!);
  await house.clock.run(60_000);
  expect(told()).not.toContain("access.gone");
  lock.clear = clear;
  await house.clock.run(3600_000);
  expect(told()).toEqual(["access.gone"]);
});

test("a slot that cannot be read when it is only looked at leaves a code as well proven as it was", async () => {
  using house = new House(1, 1, { configured: { auditReads: 1_440 } });
  const [door] = house.devices;
  house.grant("ann", door!);
  await house.clock.run(60_000);
  const lock = house.lock(door!);
  const read = lock.read.bind(lock);
  let looks = 0;
  lock.read = () => {
    looks += 1;
    return { state: "unreadable" };
  };
  await house.clock.run(3600_000);
  expect(looks).toBeGreaterThan(30);
  lock.read = read;
  expect(house.told.filter(({ type }) => type.startsWith("access.")).map(({ type }) => type)).toEqual([
    "access.accepted",
    "access.live",
  ]);
  const [placement] = house.store.rounds.placements(door!);
  expect(placement).toMatchObject({ belief: { at: "held", proof: "read_back" }, pauses: 0, next: undefined });
});
