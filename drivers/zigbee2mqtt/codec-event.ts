import type { SlotName } from "../../agent/domain/slot.ts";
import type { UnlockMethod } from "../driver.ts";
import { type LockState, slotOf } from "./codec-lock.ts";

/** What a lock tells unasked, without its time and place. */
export type Happening =
  | { readonly event: "locked" | "unlocked"; readonly method: UnlockMethod; readonly slot?: SlotName }
  | { readonly event: "denied"; readonly reason: string; readonly slot?: SlotName }
  | { readonly event: "changed"; readonly slot: SlotName; readonly by?: "owner" }
  | { readonly event: "battery"; readonly level: number }
  | { readonly event: "jammed" };

/** What is repeated in every message of a lock, and news only when it is another. */
export interface Repeated {
  readonly battery: number | undefined;
  readonly jammed: boolean;
}
export const nothingYet: Repeated = { battery: undefined, jammed: false };

/** What happened, according to a message of the lock after `last` (lock-interfaces, 1.2). */
export function happenings(state: LockState, last: Repeated): { happened: readonly Happening[]; now: Repeated } {
  const battery = state.battery ?? last.battery;
  const jammed = isJammed(state) ?? last.jammed;
  const acted = actionOf(state);
  const happened: Happening[] = [
    ...(acted ? [acted] : []),
    ...(battery !== undefined && battery !== last.battery ? [{ event: "battery", level: battery / 100 } as const] : []),
    ...(jammed && !last.jammed ? [{ event: "jammed" } as const] : []),
  ];
  return { happened, now: { battery, jammed } };
}

const isJammed = ({ lock_state: bolt, door_state: door }: LockState): boolean | undefined =>
  bolt === undefined && door === undefined
    ? undefined
    : bolt === "not_fully_locked" || bolt === "jammed" || door === "error_jammed";

const sources = new Map<string, UnlockMethod>([
  ["keypad", "keypad"],
  ["rf", "remote"],
  ["manual", "manual"],
  ["rfid", "card"],
]);

/** What an action means, with the method where the action names it, and not its source. */
const moves = new Map<string, { readonly event: "locked" | "unlocked"; readonly method?: UnlockMethod }>([
  ["unlock", { event: "unlocked" }],
  ["lock", { event: "locked" }],
  ["one_touch_lock", { event: "locked", method: "keypad" }],
  ["key_lock", { event: "locked", method: "manual" }],
  ["manual_lock", { event: "locked", method: "manual" }],
  ["auto_lock", { event: "locked", method: "automatic" }],
  ["schedule_lock", { event: "locked", method: "automatic" }],
  ["key_unlock", { event: "unlocked", method: "manual" }],
  ["manual_unlock", { event: "unlocked", method: "manual" }],
  ["schedule_unlock", { event: "unlocked", method: "automatic" }],
]);
const denials = new Map([
  ["unlock_failure_invalid_pin_or_id", "unknown_code"],
  ["lock_failure_invalid_pin_or_id", "unknown_code"],
  ["unlock_failure_invalid_schedule", "schedule"],
  ["lock_failure_invalid_schedule", "schedule"],
]);
const changes = new Set(["pin_code_added", "pin_code_deleted", "pin_code_changed"]);

function actionOf({ action, action_user: user, action_source_name: source }: LockState): Happening | undefined {
  if (action === undefined) return undefined;
  const slot = slotNamed(user);
  const at = slot === undefined ? {} : { slot };
  const move = moves.get(action);
  if (move) return { method: sources.get(source ?? "") ?? "unknown", ...at, ...move };
  const reason = denials.get(action);
  if (reason !== undefined) return { event: "denied", reason, ...at };
  // One that names no slot tells nothing: in particular not that all of them were emptied.
  if (slot === undefined || !changes.has(action)) return undefined;
  // What we write goes over the air.
  return source === "keypad" ? { event: "changed", slot, by: "owner" } : { event: "changed", slot };
}

/** 65535 stands for a user that the lock does not know. */
const slotNamed = (user: number | undefined): SlotName | undefined =>
  user !== undefined && Number.isInteger(user) && user >= 0 && user < 0xffff ? slotOf(user) : undefined;
