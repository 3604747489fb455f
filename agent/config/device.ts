import type { DoorSettings } from "../domain/door-rule.ts";
import { type DeviceShape, doormanShape, isAsked, type PlaceShape } from "./shape.ts";

/** One door. A lock in one piece (`at`) is at the same place with each of its parts. */
export interface DeviceConfig {
  readonly deviceId: string;
  /** What it was called before. */
  readonly was: readonly string[];
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly leadSeconds: number;
  readonly writesPerDay: number;
  /** Undefined: as often as is usual for such a lock. */
  readonly auditReadsPerDay: number | undefined;
  /** How its reader's questions are answered; undefined where its lock decides by itself. */
  readonly doorman: DoorSettings | undefined;
  readonly parts: { readonly memory?: Place; readonly reader?: Place; readonly bolt?: Place };
}
/** The lock at an address on a link. */
interface Place {
  readonly link: string;
  readonly address: string;
}

export function deviceOf({
  device_id: deviceId,
  was,
  at,
  parts: apart,
  doorman,
  ...device
}: DeviceShape): DeviceConfig {
  const whole = at && (doorman ? { reader: at, bolt: at } : { memory: at, reader: at, bolt: at });
  const parts = whole ?? present(apart ?? {});
  return {
    deviceId,
    was: typeof was === "string" ? [was] : was,
    name: device.name,
    timeZone: device.time_zone,
    leadSeconds: device.lead_seconds,
    writesPerDay: device.writes_per_day,
    auditReadsPerDay: device.audit_reads_per_day,
    doorman: isAsked(parts) ? settingsOf(doorman) : undefined,
    parts,
  };
}

/** Where the file says nothing, as it says by default. */
function settingsOf(doorman: DeviceShape["doorman"]): DoorSettings {
  const { rule, pin_length: pinLength, lock_out: lockOut } = doorman ?? doormanShape.parse({});
  return { rule, pinLength, lockOut: { count: lockOut.count, for: lockOut.seconds * 1_000 } };
}

function present(parts: Readonly<Record<string, PlaceShape | undefined>>): DeviceConfig["parts"] {
  return Object.fromEntries(Object.entries(parts).filter(([, place]) => place !== undefined));
}
