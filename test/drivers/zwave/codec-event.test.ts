import { expect, test } from "vitest";
import { happeningIn, happeningOf, isDuplicate, isSomeChange } from "../../../drivers/zwave/codec-event.ts";

const userId = { userId: 7 };

test.each([
  [1, undefined, { event: "locked", method: "manual" }],
  [2, undefined, { event: "unlocked", method: "manual" }],
  [4, undefined, { event: "unlocked", method: "remote" }],
  [5, userId, { event: "locked", method: "keypad", slot: "7" }],
  [6, userId, { event: "unlocked", method: "keypad", slot: "7" }],
  [6, undefined, { event: "unlocked", method: "keypad" }],
  [9, undefined, { event: "locked", method: "automatic" }],
  [10, undefined, { event: "jammed" }],
  [12, undefined, { event: "all_deleted" }],
  [13, userId, { event: "changed", slot: "7" }],
  [14, userId, { event: "changed", slot: "7" }],
  [13, undefined, undefined],
  [14, { userId: 0 }, undefined],
  [15, userId, undefined],
  [18, undefined, { event: "changed", slot: "0", by: "owner" }],
  [19, undefined, { event: "denied", reason: "code_too_long" }],
  [20, undefined, { event: "denied", reason: "unknown_code_by_radio" }],
  [0x20, { "user ID": 7 }, { event: "used", slot: "7" }],
  [0x22, { "user ID": 7 }, { event: "unlocked", method: "keypad", slot: "7" }],
  // As a User Credential lock says it: user 7, by the PIN in slot 9; by a card; by two credentials; by none that is named.
  [0x23, Uint8Array.of(0, 7, 1, 1, 0, 9), { event: "locked", method: "keypad", slot: "9" }],
  [0x24, Uint8Array.of(0, 7, 1, 1, 0, 9), { event: "unlocked", method: "keypad", slot: "9" }],
  [0x24, Uint8Array.of(1, 2, 1, 3, 0, 9), { event: "unlocked", method: "card", slot: "258" }],
  [0x24, Uint8Array.of(0, 7, 2, 1, 0, 9, 3, 0, 4), { event: "unlocked", method: "keypad", slot: "9" }],
  [0x24, Uint8Array.of(0, 7, 0), { event: "unlocked", method: "unknown", slot: "7" }],
  [0x24, Uint8Array.of(0, 7, 2, 1, 0, 9), { event: "unlocked", method: "unknown" }],
  [0x30, Uint8Array.of(0, 7, 1, 1, 0, 9), { event: "denied", reason: "schedule", slot: "9" }],
  [0x33, Uint8Array.of(0, 7, 1, 0, 9), { event: "denied", reason: "no_access", slot: "9" }],
  [0x2f, userId, { event: "denied", reason: "user_disabled", slot: "7" }],
  [0x30, userId, { event: "denied", reason: "schedule", slot: "7" }],
  [0x31, undefined, { event: "denied", reason: "more_credentials_needed" }],
  [0x32, undefined, { event: "denied", reason: "unknown_code" }],
  [0x33, userId, { event: "denied", reason: "no_access", slot: "7" }],
  [0xfe, undefined, undefined],
])("happeningOf() access control %i with %j is %j", (event, parameters, happening) => {
  expect(happeningOf({ type: 6, event, parameters })).toEqual(happening);
});

test("happeningOf() takes parameters that are no user for none", () => {
  for (const parameters of [Uint8Array.of(1, 2), "7", null, { userId: "7" }, { userId: 0xffff }]) {
    expect(happeningOf({ type: 6, event: 6, parameters })).toEqual({ event: "unlocked", method: "keypad" });
  }
});

test("happeningOf() of other types tells of tampering only", () => {
  expect(happeningOf({ type: 7, event: 9 })).toEqual({ event: "tamper" });
  expect(happeningOf({ type: 7, event: 8 })).toBe(undefined);
  expect(happeningOf({ type: 8, event: 3 })).toBe(undefined);
});

test("isDuplicate() is event 15 of access control", () => {
  expect(isDuplicate({ type: 6, event: 15 })).toBe(true);
  expect(isDuplicate({ type: 7, event: 15 })).toBe(false);
});

test("isSomeChange() is a code that comes or goes, in whatever slot", () => {
  expect([12, 13, 14, 15].map((event) => isSomeChange({ type: 6, event }))).toEqual([false, true, true, false]);
  expect(isSomeChange({ type: 7, event: 13 })).toBe(false);
});

const notification = { commandClass: 0x71, property: "Access Control" };

test.each([
  [{ ...notification, propertyKey: "Lock state", newValue: 11 }, { event: "jammed" }],
  [{ ...notification, propertyKey: "Lock state", newValue: 0 }, undefined],
  [
    { ...notification, propertyKey: "Keypad state", newValue: 16 },
    { event: "denied", reason: "keypad_disabled" },
  ],
  [
    { ...notification, propertyKey: "Door state", newValue: 22 },
    { event: "door", open: true },
  ],
  [
    { ...notification, propertyKey: "Door state", newValue: 23 },
    { event: "door", open: false },
  ],
  // Open in regular position, and tilted.
  [
    { ...notification, propertyKey: "Door state", newValue: 0x1600 },
    { event: "door", open: true },
  ],
  [
    { ...notification, propertyKey: "Door state", newValue: 0x1601 },
    { event: "door", open: true },
  ],
  [{ commandClass: 0x71, property: "Home Security", propertyKey: "Cover status", newValue: 3 }, { event: "tamper" }],
  [
    { commandClass: 0x80, property: "level", newValue: 40 },
    { event: "battery", level: 0.4 },
  ],
  [
    { commandClass: 0x80, property: "level", newValue: 255 },
    { event: "battery", level: 1 },
  ],
  [
    { commandClass: 0x62, property: "doorStatus", newValue: "open" },
    { event: "door", open: true },
  ],
  [{ commandClass: 0x63, property: "userCode", propertyKey: 5, newValue: "0471" }, undefined],
])("happeningIn(%j) is %j", (reported, happening) => {
  expect(happeningIn(reported)).toEqual(happening);
});
