import type { OrphanRecord } from "../commands/records.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Placement } from "../domain/placement.ts";
import type { Reach } from "../domain/receipt.ts";
import type { Devices } from "./devices.ts";
import type { Locks } from "./locks.ts";
import type { Placements } from "./placements.ts";

/** Whether the lock of a placement can be asked, and where not, why not. */
export function reachOf(devices: Devices, locks: Locks, { device, lock }: Pick<Placement, "device" | "lock">): Reach {
  const holder = locks.holding(lock).find((id) => locks.hasPlace(id));
  if (holder !== undefined) {
    if (locks.isMoved(holder)) return "moved";
    return devices.isOnline(holder) ? "here" : "away";
  }
  return locks.hasPlace(device) ? "lock_replaced" : "not_configured";
}

/** Placements that nobody can look after as the configuration is now, by device and lock. */
export function orphansOf(devices: Devices, locks: Locks, placements: Placements): readonly OrphanRecord[] {
  const ids = new Set<DeviceId>(locks.adrift());
  // On a lock that was replaced there is nothing but what is to leave it.
  const counts = [
    ...[...ids].flatMap((id) => placements.counts(id)),
    ...placements.counts("leaving").filter(({ device }) => !ids.has(device)),
  ];
  return counts.flatMap(({ device, lock, count }) => {
    const reason = reachOf(devices, locks, { device, lock });
    if (reason === "here" || reason === "away") return [];
    return [{ device, reason, lock, placements: count, place: locks.placeOf(device) }];
  });
}
