import { expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { Fate } from "../../simulator/faults.ts";
import { blankChip } from "../../simulator/lock.ts";
import { ZigbeeDoor } from "../../simulator/zigbee-door.ts";
import { ZigbeeRadio } from "../../simulator/zigbee-radio.ts";

const held = ({ chip }: ZigbeeDoor): string[] => Object.values(chip.entries).map(({ value }) => value);
const now = instant(1_790_000_000_000);
const fate = (becomes: Fate["becomes"]) => ({ becomes, strikes: new Map() });
const write = { to: "setPinCode", user: 12, pin: "12121212" } as const;
const clear = { to: "clearPinCode", user: 12 } as const;

test("ZigbeeRadio sends a write that was not answered again, after the clear that was to undo it", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, true);
  expect(radio.send(write, fate("unheard"))).toEqual({ kept: true });
  expect(radio.send(clear, fate("answered"))).toMatchObject({ answer: { success: true } });
  expect(held(door)).toEqual([]);
  radio.catchUp((request) => door.fate(request, now));
  expect(held(door)).toEqual(["12121212"]);
  expect(radio.catchUp((request) => door.fate(request, now))).toEqual([]);
});

test("ZigbeeRadio keeps a request once, however often it is sent", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, true);
  radio.send(write, fate("unheard"));
  radio.send(write, fate("unheard"));
  expect(radio.catchUp((request) => door.fate(request, now))).toHaveLength(1);
});

test("ZigbeeRadio to a lock that is always awake gives up, and keeps nothing", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, false);
  expect(radio.send(write, fate("unheard"))).toEqual({ gaveUp: true });
  expect(radio.catchUp((request) => door.fate(request, now))).toEqual([]);
  expect(held(door)).toEqual([]);
});

test("ZigbeeRadio gives up on an answer that is lost, though the lock has done it", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  expect(new ZigbeeRadio(door, false).send(write, fate("lost"))).toEqual({ gaveUp: true });
  expect(held(door)).toEqual(["12121212"]);
});

test("ZigbeeRadio: what is late is given up, and arrives when it does", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, false);
  expect(radio.send(write, fate("late"))).toEqual({ gaveUp: true });
  expect(held(door)).toEqual([]);
  radio.arrive(write, fate("late"));
  expect(held(door)).toEqual(["12121212"]);
  expect(radio.send(clear, fate("lost"))).toEqual({ gaveUp: true });
  expect(held(door)).toEqual([]);
});

test("ZigbeeDoor.setMode() is a fault by an older name, and ends what another mode has begun", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  door.setMode("dead", now);
  expect(door.fate(write, now).becomes).toBe("unheard");
  expect(door.tells(now)).toBe(false);
  door.setMode("lie", now);
  expect(door.receive(write, door.fate(write, now))).toEqual({ to: "setPinCode", success: true });
  expect(held(door)).toEqual([]);
  door.setMode("storenoreply", now);
  expect(door.fate(write, now).becomes).toBe("lost");
  door.setMode("ok", now);
  expect(door.receive(write, door.fate(write, now))).toEqual({ to: "setPinCode", success: true });
  expect(held(door)).toEqual(["12121212"]);
  door.setMode("reject", now);
  expect(door.receive(clear, door.fate(clear, now))).toEqual({ to: "clearPinCode", success: false });
  door.setMode("mask", now);
  const read = { to: "getPinCode", user: 12 } as const;
  expect(door.receive(read, door.fate(read, now))).toMatchObject({ status: "enabled", pin: "********" });
});

test("ZigbeeDoor: what is usual at it outlives its modes", () => {
  const usual = [{ setting: { fault: "loses_replies" } as const, since: now }];
  const door = new ZigbeeDoor(blankChip("s"), { seed: 1, usual });
  door.setMode("mask", now);
  door.setMode("ok", now);
  expect(door.fate(write, now).becomes).toBe("lost");
});
