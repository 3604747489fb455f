import { z } from "zod";
import { type SlotName, slotName } from "../../agent/domain/slot.ts";
import type { UnlockMethod } from "../driver.ts";
import { slotOf } from "./codec-user-code.ts";
import { pinCode } from "./codec-user-credential.ts";

/*
 * What a lock tells unasked, in the terms of zwave-js: notifications, and values that were reported. Pure.
 */

/** What happened at a lock, without its time and place. */
export type Happening =
  | { readonly event: "locked" | "unlocked"; readonly method: UnlockMethod; readonly slot?: SlotName }
  | { readonly event: "used"; readonly slot?: SlotName }
  | { readonly event: "denied"; readonly reason: string; readonly slot?: SlotName }
  | { readonly event: "changed"; readonly slot: SlotName; readonly by?: "owner" }
  | { readonly event: "battery"; readonly level: number }
  | { readonly event: "door"; readonly open: boolean }
  | { readonly event: "jammed" | "tamper" | "all_deleted" };

const notificationClass = 0x71;
const accessControl = 6;
const homeSecurity = 7;

/** Of the notification type "Access Control": what each event means, but for whose code it was. */
const meanings = new Map<number, Exclude<Happening, { event: "changed" | "battery" | "door" }>>([
  [1, { event: "locked", method: "manual" }],
  [2, { event: "unlocked", method: "manual" }],
  [3, { event: "locked", method: "remote" }],
  [4, { event: "unlocked", method: "remote" }],
  [5, { event: "locked", method: "keypad" }],
  [6, { event: "unlocked", method: "keypad" }],
  // The bolt did not get all the way: by hand, by radio, by itself.
  [7, { event: "jammed" }],
  [8, { event: "jammed" }],
  [9, { event: "locked", method: "automatic" }],
  [10, { event: "jammed" }],
  [11, { event: "jammed" }],
  [12, { event: "all_deleted" }],
  [16, { event: "denied", reason: "keypad_disabled" }],
  [17, { event: "denied", reason: "keypad_busy" }],
  [19, { event: "denied", reason: "code_too_long" }],
  [20, { event: "denied", reason: "unknown_code_by_radio" }],
  [21, { event: "denied", reason: "unknown_code_by_radio" }],
  // A messaging code tells somebody, and does not open.
  [0x20, { event: "used" }],
  [0x21, { event: "locked", method: "keypad" }],
  [0x22, { event: "unlocked", method: "keypad" }],
  [0x23, { event: "locked", method: "unknown" }],
  [0x24, { event: "unlocked", method: "unknown" }],
  [0x2f, { event: "denied", reason: "user_disabled" }],
  [0x30, { event: "denied", reason: "schedule" }],
  [0x31, { event: "denied", reason: "more_credentials_needed" }],
  [0x32, { event: "denied", reason: "unknown_code" }],
  [0x33, { event: "denied", reason: "no_access" }],
]);
const codeDeleted = 13;
const codeAdded = 14;
/** A code has come or gone, in whatever slot: not every lock says in which. */
export const isSomeChange = ({ type, event }: Notification): boolean =>
  type === accessControl && (event === codeDeleted || event === codeAdded);
/** The code for configuring the lock itself: slot 0, which is nobody's. */
const programCode = 18;
/** Of the notification type "Home Security": the cover is off, wrong codes, the lock was moved, an impact. */
const tampering = new Set([3, 4, 9, 10]);

/** A code that was sent to the lock is there already: an answer to a write, on locks that have no better one. */
export const isDuplicate = ({ type, event }: Notification): boolean => type === accessControl && event === 15;

export interface Notification {
  readonly type: number;
  readonly event: number;
  readonly parameters?: unknown;
}

const parameters = z.object({ userId: z.number().optional(), "user ID": z.number().optional() });

/** What a notification tells: undefined where it is nothing for us. */
export function happeningOf({ type, event, parameters: given }: Notification): Happening | undefined {
  if (type === homeSecurity) return tampering.has(event) ? { event: "tamper" } : undefined;
  if (type !== accessControl) return undefined;
  const { slot, method } = userAbout(given);
  if (event === codeDeleted || event === codeAdded) return slot && { event: "changed", slot };
  if (event === programCode) return { event: "changed", slot: slotName("0"), by: "owner" };
  const meaning = meanings.get(event);
  if (!meaning || slot === undefined || !("method" in meaning || "reason" in meaning || meaning.event === "used")) {
    return meaning;
  }
  return { ...by(method, meaning), slot };
}

/** The same, where the lock tells the method beside it. */
const by = <M extends object>(method: UnlockMethod | undefined, meaning: M): M =>
  method !== undefined && "method" in meaning && meaning.method === "unknown" ? { ...meaning, method } : meaning;

/** Whose code an event is about: with the method where the lock says what kind of credential that was. */
function userAbout(given: unknown): { readonly slot?: SlotName; readonly method?: UnlockMethod } {
  if (given instanceof Uint8Array) return userInBytes(given);
  const { data } = parameters.safeParse(given);
  return slotIn(data?.userId ?? data?.["user ID"] ?? 0);
}

/**
 * What a User Credential lock says of the use of credentials, which zwave-js leaves as it came: two bytes of the user, how
 * many credentials, then of each its type and two bytes of its slot. Of one that opens nothing, the number is left out.
 */
function userInBytes(bytes: Uint8Array): ReturnType<typeof userAbout> {
  const counted = bytes.length % 3 === 0 && bytes.length === 3 + 3 * (bytes[2] ?? 0);
  if (!counted && bytes.length !== 5) return {};
  const used = bytes.subarray(counted ? 3 : 2);
  const method = methods.get(used[0] ?? 0);
  return { ...slotIn(used[0] === pinCode ? number(used, 1) : number(bytes, 0)), ...(method ? { method } : {}) };
}

const number = (of: Uint8Array, at: number): number => ((of[at] ?? 0) << 8) | (of[at + 1] ?? 0);

/** By `UserCredentialType`: PIN and password, RFID and NFC. */
const methods = new Map<number, UnlockMethod>([
  [pinCode, "keypad"],
  [2, "keypad"],
  [3, "card"],
  [5, "card"],
]);

const slotIn = (user: number): { readonly slot?: SlotName } =>
  user > 0 && user < 0xffff ? { slot: slotOf(user) } : {};

/** A value that a lock has reported. */
export interface Reported {
  readonly commandClass: number;
  readonly property: string | number;
  readonly propertyKey?: string | number | undefined;
  readonly newValue?: unknown;
  readonly prevValue?: unknown;
}

const doorLockClass = 0x62;
const batteryClass = 0x80;
/** Events of the notification types that zwave-js tells as values, by the name of the value. */
const states = new Map([
  ["Lock state", accessControl],
  ["Keypad state", accessControl],
  ["Cover status", homeSecurity],
]);
const doorOpen = 22;
const doorClosed = 23;

/** What a reported value tells: undefined where it is nothing for us. */
export function happeningIn({ commandClass, property, propertyKey, newValue: value }: Reported): Happening | undefined {
  if (commandClass === batteryClass && property === "level" && typeof value === "number") {
    return { event: "battery", level: Math.min(Math.max(value, 0), 100) / 100 };
  }
  if (commandClass === doorLockClass && property === "doorStatus" && (value === "open" || value === "closed")) {
    return { event: "door", open: value === "open" };
  }
  if (commandClass !== notificationClass || typeof value !== "number") return undefined;
  if (propertyKey === "Door state") {
    // Of an open one a lock may say how, in the lower byte of a wider number.
    const state = value > 0xff ? value >> 8 : value;
    return state === doorOpen || state === doorClosed ? { event: "door", open: state === doorOpen } : undefined;
  }
  const type = states.get(String(propertyKey));
  return type === undefined ? undefined : happeningOf({ type, event: value });
}
