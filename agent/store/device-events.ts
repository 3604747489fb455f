import type { Database, Statement } from "better-sqlite3";
import { batteryStatus } from "../commands/device-object.ts";
import type { EventFields } from "../commands/records.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import type { DeviceNews, Devices } from "./devices.ts";
import type { Journal } from "./journal.ts";

/**
 * Tells in Seam's events what becomes of a device: connected and disconnected in turn, over restarts too, and what its battery
 * comes to.
 */
export class DeviceEvents {
  readonly #devices: Devices;
  readonly #journal: Journal;
  readonly #told: Statement<[string], { connected_told: number | null }>;
  readonly #tell: Statement<[number, string]>;

  constructor(db: Database, devices: Devices, journal: Journal) {
    this.#devices = devices;
    this.#journal = journal;
    this.#told = db.prepare("SELECT connected_told FROM devices WHERE device_id = ?");
    this.#tell = db.prepare("UPDATE devices SET connected_told = ? WHERE device_id = ?");
  }

  /** What a lock, or who asked it, says of it. That it was silent once is not told: it may answer in a second. */
  noted(
    device: DeviceId,
    news: DeviceNews,
    { now, isSaid }: { readonly now: Instant; readonly isSaid: boolean },
  ): void {
    const before = news.battery === undefined ? undefined : this.#devices.one(device)?.battery;
    this.#devices.note(device, news);
    if (news.online === true) this.#connected(device, now);
    if (news.online === false && isSaid) this.disconnected(device, now);
    if (news.battery !== undefined) this.#battery(device, before, news.battery, now);
  }

  #connected(device: DeviceId, now: Instant): void {
    if (this.#told.get(device)?.connected_told === 1) return;
    this.#tell.run(1, device);
    this.#journal.event("device.connected", fieldsOf(device), now);
  }

  /** It says so itself, or does not answer for a while. What was never connected is not told. */
  disconnected(device: DeviceId, now: Instant): void {
    if (this.#devices.isOnline(device) || this.#told.get(device)?.connected_told !== 1) return;
    this.#tell.run(0, device);
    this.#journal.event("device.disconnected", { ...fieldsOf(device), ...disconnection }, now);
  }

  #battery(device: DeviceId, before: number | undefined, level: number, now: Instant): void {
    const status = batteryStatus(level);
    const was = before === undefined ? undefined : batteryStatus(before);
    if (status === was) return;
    const fields = { ...fieldsOf(device), battery_level: level };
    this.#journal.event("device.battery_status_changed", { ...fields, battery_status: status }, now);
    if (isLow(status) && !isLow(was)) this.#journal.event("device.low_battery", fields, now);
  }
}

const fieldsOf = (device: DeviceId): EventFields => ({ device_id: device, connected_account_id: null });
const isLow = (status: string | undefined): boolean => status === "low" || status === "critical";

const disconnection = {
  error_code: "device_disconnected",
  device_errors: [],
  device_warnings: [],
  connected_account_errors: [],
  connected_account_warnings: [],
} as const;
