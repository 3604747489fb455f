import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Call, Performed } from "../../agent/commands/perform.ts";
import type { Abilities } from "../../agent/domain/abilities.ts";
import { type DeviceId, deviceId } from "../../agent/domain/ids.ts";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { slotName } from "../../agent/domain/slot.ts";
import type { ConfiguredDevice } from "../../agent/store/devices.ts";
import type { Opened } from "../../agent/store/open.ts";
import { type Store, storeOn } from "../../agent/store/store.ts";
import { performOn } from "./perform-on.ts";
import { openInMemory } from "./world.ts";

/** A lock with numbered slots that takes PINs of 4 to 6 digits. */
export const keypad = (
  of: { identity?: string; lengths?: readonly number[]; slots?: number; readBack?: "full" | "masked" } = {},
): Abilities => ({
  identity: of.identity ?? "serial-1",
  memory: {
    kinds: new Map([
      [
        "pin",
        {
          slots: Array.from({ length: of.slots ?? 5 }, (_, at) => slotName(String(at + 1))),
          lengths: of.lengths ?? [4, 5, 6],
          alphabet: "0123456789",
          rules: [],
        },
      ],
    ]),
    windows: "none",
    readBack: of.readBack ?? "full",
    cost: { read: "cheap", write: "cheap" },
  },
});

/** A device with its lock in one piece on the only link, at an address of the same name. */
export const configured = (id: DeviceId, of: Partial<ConfiguredDevice> = {}): ConfiguredDevice => ({
  id,
  name: `Name of ${id}`,
  timeZone: "UTC",
  lead: 0,
  writesPerDay: 50,
  auditReads: 0,
  driver: "simulated",
  bolt: "with memory",
  place: { link: "wire", address: id },
  was: [],
  ...of,
});

export const doors: readonly DeviceId[] = [deviceId("door-1"), deviceId("door-2")];

/** The real store on a database in memory, and a time that a test sets. */
export class MemoryStore implements Disposable {
  now: Instant = instant(1_750_000_000_000);
  readonly touched = new Set<DeviceId>();
  readonly bugs: unknown[] = [];
  readonly opened: Opened;
  readonly store: Store;

  /** @param image a new database, for tests that need many. */
  constructor(pins = { issue: true, length: 6 }, image?: Buffer) {
    this.opened = openInMemory(image);
    this.store = this.reopened(doors, pins);
  }

  /** The store as another configuration would have it, on the same database. */
  reopened(
    devices: readonly (DeviceId | ConfiguredDevice)[],
    pins = { issue: true, length: 6 },
    events = { rows: 100_000, days: 30 },
    isClockTrusted = (): boolean => true,
    maxMassExpiry = 1,
  ): Store {
    return storeOn(this.opened, {
      dataDir: join(tmpdir(), "latchd-none"),
      devices: devices.map((device) => (typeof device === "string" ? configured(device) : device)),
      pins,
      events,
      now: () => this.now,
      isClockTrusted,
      maxMassExpiry,
    });
  }

  /** A command as bytes, and what is answered. */
  perform(
    name: string | undefined,
    payload: Uint8Array | string,
    of: Partial<Call> = {},
    codes = true,
    store = this.store,
  ): Performed {
    const touch = (device: DeviceId): void => void this.touched.add(device);
    const context = { now: this.now, codes, touch, devices: of.scope?.devices };
    return performOn(store, { name, payload, ...of }, context, (bug) => this.bugs.push(bug));
  }

  ask(name: string, parameters: object, of: Partial<Call> = {}, codes = true): Answer {
    return JSON.parse(this.perform(name, JSON.stringify(parameters), of, codes).reply.body);
  }

  /** Events told so far, without what differs from run to run. */
  events(): readonly Readonly<Record<string, unknown>>[] {
    return this.store.records.eventsOf({ after: 0, limit: 500 });
  }

  /** Every row of every table but some: two pictures are equal where nothing was changed. */
  picture(but: readonly string[] = []): string {
    const { db } = this.opened;
    const tables: unknown[] = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    const looked = tables.map(String).filter((table) => !but.includes(table));
    return JSON.stringify(looked.map((table) => db.prepare(`SELECT * FROM "${table}"`).all()));
  }

  [Symbol.dispose](): void {
    this.opened.db.close();
  }
}

export interface Answer {
  readonly ok: boolean;
  readonly error?: { readonly type: string; readonly message: string; readonly validation_errors?: unknown };
  readonly [member: string]: unknown;
}
