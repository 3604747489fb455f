import type { Slots } from "../domain/abilities.ts";
import { dateOf, usualReads } from "../domain/audit.ts";
import { toIso } from "../domain/instant.ts";
import type { ReceiptState } from "../domain/receipt.ts";
import { boltOf } from "./bolt.ts";
import type { DeviceRecord, Records } from "./records.ts";

/**
 * A device as Seam's API shows it (reference: seam-api, section 5), with what latchd adds under `properties.latchd`: how
 * many codes are where, the revocation debt, and when a lock that does not answer is tried next. Flags say what the lock can do, and stay true while it is offline.
 */
export function deviceObject(record: DeviceRecord, records: Pick<Records, "tally" | "workspaceId">): object {
  const { id, name, abilities, online, battery, locked, doorOpen } = record;
  const pin = record.limits?.kinds.get("pin");
  const tally = records.tally(id);
  const count = (...states: ReceiptState[]): number =>
    states.reduce((sum, each) => sum + (tally.get(each)?.count ?? 0), 0);
  const owed = tally.get("removing");
  return {
    device_id: id,
    workspace_id: records.workspaceId,
    connected_account_id: null,
    device_type: typeOf(record),
    display_name: name,
    is_managed: true,
    created_at: toIso(record.addedAt),
    space_ids: [],
    custom_metadata: {},
    capabilities_supported: pin ? ["lock", "access_code"] : ["lock"],
    can_program_online_access_codes: pin !== undefined,
    can_program_offline_access_codes: false,
    can_unlock_with_code: pin !== undefined,
    ...remotely(record),
    location: { location_name: name, time_zone: record.timeZone, timezone: record.timeZone },
    properties: {
      online,
      name,
      appearance: { name },
      model: { display_name: abilities?.model ?? "unknown", manufacturer_display_name: record.driver },
      ...(locked === undefined ? {} : { locked }),
      ...(doorOpen === undefined ? {} : { door_open: doorOpen }),
      ...(battery === undefined
        ? {}
        : { battery_level: battery, battery: { level: battery, status: batteryStatus(battery) } }),
      ...(pin
        ? {
            supported_code_lengths: pin.lengths,
            code_constraints: pin.rules.map((rule) => ({ constraint_type: rule })),
          }
        : {}),
      ...(pin ? { max_active_codes_supported: capacity(pin.slots) } : {}),
      latchd: {
        live: count("live"),
        waiting: count("waiting", "writing"),
        unconfirmed: count("unconfirmed"),
        refused: count("refused"),
        removing: count("removing"),
        revocation_debt: { count: owed?.count ?? 0, oldest_since: owed ? toIso(owed.oldest) : null },
        breaker: breakerOf(record),
        audit: auditOf(record),
      },
    },
    errors: offline(record),
    warnings: [],
  };
}

function remotely(record: DeviceRecord): object {
  const bolt = boltOf(record);
  const can = bolt === "unknown" ? undefined : bolt;
  return { can_remotely_lock: can?.locks ?? false, can_remotely_unlock: can !== undefined };
}

/** As Seam would call the make. */
export const typeOf = ({ driver }: Pick<DeviceRecord, "driver">): string => `latchd_${driver}`;

function offline({ online, breaker }: DeviceRecord): object[] {
  if (online) return [];
  const since = breaker ? toIso(breaker.since) : null;
  const message = "The lock does not answer";
  return [{ error_code: "device_offline", message, is_device_error: true, created_at: since }];
}

/** How often the lock was read on a day only to see whether all is as it should be, and how often it may be. */
const auditOf = ({ audit, auditReads, abilities }: DeviceRecord): object => ({
  date: dateOf(audit) ?? null,
  reads: audit.reads,
  reads_per_day: auditReads ?? (abilities?.memory ? usualReads[abilities.memory.cost.read] : null),
});

/** As `devices/list` and `agent/status` tell it. */
export const breakerOf = ({ breaker }: Pick<DeviceRecord, "breaker">): object => ({
  state: breaker?.state ?? "closed",
  since: breaker ? toIso(breaker.since) : null,
  next_try: breaker ? toIso(breaker.next) : null,
});

/** Seam's bounds for `battery.status`. */
export const batteryStatus = (level: number): string =>
  level > 0.75 ? "full" : level > 0.3 ? "good" : level > 0.1 ? "low" : "critical";

function capacity(slots: Slots): number {
  if ("assigned" in slots) return slots.assigned;
  if ("keyed" in slots) return slots.keyed;
  return slots.length;
}
