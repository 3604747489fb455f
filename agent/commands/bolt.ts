import type { DeviceRecord } from "./records.ts";

/**
 * Whether a device can be unlocked from afar, and `locks`: locked, too. Unknown as long as what moves it has not said what it
 * is; undefined: it cannot.
 */
export function boltOf({ bolt, abilities }: Pick<DeviceRecord, "bolt" | "abilities">): BoltAbility | undefined {
  if (bolt === "none") return undefined;
  if (bolt === "apart" || abilities === undefined) return "unknown";
  return abilities.bolt;
}
type BoltAbility = { readonly locks: boolean } | "unknown";
