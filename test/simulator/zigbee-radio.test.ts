import { expect, test } from "vitest";
import { blankChip } from "../../simulator/lock.ts";
import { ZigbeeDoor } from "../../simulator/zigbee-door.ts";
import { ZigbeeRadio } from "../../simulator/zigbee-radio.ts";

const held = ({ chip }: ZigbeeDoor): string[] => Object.values(chip.entries).map(({ value }) => value);
const write = { to: "setPinCode", user: 12, pin: "12121212" } as const;
const clear = { to: "clearPinCode", user: 12 } as const;

test("ZigbeeRadio sends a write that was not answered again, after the clear that was to undo it", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, true);
  door.mode = "dead";
  expect(radio.send(write)).toEqual({ kept: true });
  door.mode = "ok";
  expect(radio.send(clear)).toMatchObject({ answer: { success: true } });
  expect(held(door)).toEqual([]);
  radio.catchUp();
  expect(held(door)).toEqual(["12121212"]);
  expect(radio.catchUp()).toEqual([]);
});

test("ZigbeeRadio keeps a request once, however often it is sent", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, true);
  door.mode = "dead";
  radio.send(write);
  radio.send(write);
  door.mode = "ok";
  expect(radio.catchUp()).toHaveLength(1);
});

test("ZigbeeRadio to a lock that is always awake gives up, and keeps nothing", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, false);
  door.mode = "dead";
  expect(radio.send(write)).toEqual({ gaveUp: true });
  door.mode = "ok";
  expect(radio.catchUp()).toEqual([]);
  expect(held(door)).toEqual([]);
});

test("ZigbeeRadio gives up on an answer that is lost, though the lock has done it", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  door.mode = "storenoreply";
  expect(new ZigbeeRadio(door, false).send(write)).toEqual({ gaveUp: true });
  expect(held(door)).toEqual(["12121212"]);
});

test("ZigbeeRadio: what is late is given up, and arrives when it does", () => {
  const door = new ZigbeeDoor(blankChip("s"));
  const radio = new ZigbeeRadio(door, false);
  expect(radio.send(write, "late")).toEqual({ gaveUp: true });
  expect(held(door)).toEqual([]);
  radio.arrive(write);
  expect(held(door)).toEqual(["12121212"]);
  expect(radio.send(clear, "lost")).toEqual({ gaveUp: true });
  expect(held(door)).toEqual([]);
});
