import type { Database, Statement } from "better-sqlite3";
import type { DeviceGlance, DeviceRecord } from "../commands/records.ts";
import type { Abilities, KindLimits, MemoryLimits } from "../domain/abilities.ts";
import { type Audit, noAudit } from "../domain/audit.ts";
import type { OpenBreaker } from "../domain/breaker.ts";
import type { CredentialKind } from "../domain/credential.ts";
import { type DoorSettings, doorLimits } from "../domain/door-rule.ts";
import { type DeviceId, deviceId } from "../domain/ids.ts";
import type { Instant, Milliseconds } from "../domain/instant.ts";
import { instant } from "../domain/instant.ts";

/** A device as the configuration has it. */
export interface ConfiguredDevice {
  readonly id: DeviceId;
  readonly name: string;
  readonly timeZone: string;
  /** How long before a window its codes begin to be placed. */
  readonly lead: Milliseconds;
  /** More writes than this, expected on an average day, wear the lock out. */
  readonly writesPerDay: number;
  /** How often a day it is read only to see whether all is as it should be; undefined: as often as is usual. */
  readonly auditReads: number | undefined;
  readonly driver: string;
  readonly bolt: DeviceRecord["bolt"];
  /** How its reader's questions are answered; left out where its lock decides by itself. */
  readonly doorman?: DoorSettings;
  /** Where its memory is, or where there is none its reader; undefined where it has neither. */
  readonly place: Place | undefined;
  /** The names that it had before. */
  readonly was: readonly DeviceId[];
}
/** The lock at an address on a link. */
export interface Place {
  readonly link: string;
  readonly address: string;
}
type Row = {
  added_at: number;
  online: number;
  locked: number | null;
  door_open: number | null;
  battery: number | null;
  breaker_since: number | null;
  breaker_tries: number | null;
  breaker_next: number | null;
  audit_day: number | null;
  audit_reads: number | null;
  audit_at: number | null;
};
type News = Pick<Row, "online" | "breaker_since" | "breaker_tries" | "breaker_next">;
type GlanceRow = News & {
  device_id: string;
  answered: number;
};
/** What a lock tells of itself as it happens. */
export type DeviceNews = Partial<Pick<DeviceRecord, "online" | "locked" | "doorOpen" | "battery">>;

/** The devices of the configuration, with what their locks last said of themselves. */
export class Devices {
  readonly #configured: ReadonlyMap<DeviceId, ConfiguredDevice>;
  readonly #doors: ReadonlyMap<DeviceId, MemoryLimits>;
  readonly #add: Statement;
  readonly #get: Statement<[string], Row>;
  readonly #abilities: Statement<[string], { abilities: string | null }>;
  readonly #news: Statement<[string], News>;
  readonly #glance: Statement<[], GlanceRow>;
  readonly #ids: Statement<[], { device_id: string }>;
  readonly #setAbilities: Statement<[string, string]>;
  readonly #setNews: Statement;
  readonly #setBreaker: Statement<[number | null, number | null, number | null, string]>;
  readonly #setAudit: Statement<[number, number, number | null, string]>;
  readonly #allOffline: Statement;
  readonly #changed: Set<DeviceId>;
  /** As it was read last; undefined where something has changed since. It is asked for after each commit. */
  #glanced: readonly DeviceGlance[] | undefined;
  /** Abilities as they were read since something was learnt: a round asks for them at each step. */
  readonly #known = new Map<DeviceId, Abilities>();

  /** @param changed devices of which something changed: added to. */
  constructor(db: Database, configured: readonly ConfiguredDevice[], changed: Set<DeviceId>) {
    this.#changed = changed;
    this.#configured = new Map(configured.map((device) => [device.id, device]));
    this.#doors = new Map(configured.flatMap(({ id, doorman }) => (doorman ? [[id, doorLimits(doorman)]] : [])));
    this.#add = db.prepare("INSERT INTO devices (device_id, added_at, online) VALUES (?, ?, 0) ON CONFLICT DO NOTHING");
    // Without the abilities, which are longer than all the rest.
    this.#get = db.prepare(
      `SELECT added_at, online, locked, door_open, battery, breaker_since, breaker_tries, breaker_next, audit_day,
         audit_reads, audit_at FROM devices WHERE device_id = ?`,
    );
    this.#abilities = db.prepare("SELECT abilities FROM devices WHERE device_id = ?");
    this.#news = db.prepare(
      "SELECT online, breaker_since, breaker_tries, breaker_next FROM devices WHERE device_id = ?",
    );
    this.#glance = db.prepare(
      `SELECT device_id, online, abilities IS NOT NULL AS answered, breaker_since, breaker_tries, breaker_next
       FROM devices`,
    );
    this.#ids = db.prepare("SELECT device_id FROM devices");
    this.#setAbilities = db.prepare("UPDATE devices SET abilities = ? WHERE device_id = ?");
    this.#setNews = db.prepare(
      `UPDATE devices SET online = ifnull(@online, online), locked = ifnull(@locked, locked),
       door_open = ifnull(@doorOpen, door_open), battery = ifnull(@battery, battery) WHERE device_id = @id`,
    );
    this.#setBreaker = db.prepare(
      "UPDATE devices SET breaker_since = ?, breaker_tries = ?, breaker_next = ? WHERE device_id = ?",
    );
    this.#setAudit = db.prepare("UPDATE devices SET audit_day = ?, audit_reads = ?, audit_at = ? WHERE device_id = ?");
    this.#allOffline = db.prepare("UPDATE devices SET online = 0");
  }

  /** At start: devices new to us get a row, and none counts as reachable before it was heard of. */
  begin(now: Instant): void {
    for (const id of this.#configured.keys()) this.#add.run(id, now);
    this.#allOffline.run();
    this.#glanced = undefined;
  }

  has(id: DeviceId): boolean {
    return this.#configured.has(id);
  }

  all(): readonly DeviceRecord[] {
    return [...this.#configured.keys()].flatMap((id) => this.one(id) ?? []);
  }

  one(id: DeviceId): DeviceRecord | undefined {
    const device = this.#configured.get(id);
    const row = device && this.#get.get(id);
    return row && { ...device, ...this.#fromRow(id, row), limits: this.limits(id) };
  }

  glance(): readonly DeviceGlance[] {
    this.#glanced ??= this.#readGlance();
    return this.#glanced;
  }

  /** The rows may be others than they were. */
  reread(): void {
    this.#glanced = undefined;
    this.#known.clear();
  }

  #readGlance(): readonly DeviceGlance[] {
    const rows = new Map(this.#glance.all().map((row) => [row.device_id, row]));
    return [...this.#configured.values()].flatMap(({ id, name }) => {
      const row = rows.get(id);
      return row
        ? [
            {
              id,
              name,
              online: row.online === 1,
              answered: row.answered === 1 || this.#doors.has(id),
              breaker: openBreaker(row),
            },
          ]
        : [];
    });
  }

  /** Names that the configuration had once, and has no longer. */
  former(): readonly DeviceId[] {
    const ids = this.#ids.all().map(({ device_id: id }) => deviceId(id));
    const names = [...this.#configured.values()].flatMap(({ was }) => was);
    return [...new Set([...ids, ...names])].filter((id) => !this.#configured.has(id));
  }

  isOnline(id: DeviceId): boolean {
    return this.#news.get(id)?.online === 1;
  }

  abilities(id: DeviceId): Abilities | undefined {
    const known = this.#known.get(id);
    if (known) return known;
    const text = this.#abilities.get(id)?.abilities;
    if (text == null) return undefined;
    const abilities = readAbilities(text);
    this.#known.set(id, abilities);
    return abilities;
  }

  /** Whether it is decided by us who may open it. */
  isDecidedHere(id: DeviceId): boolean {
    return this.#doors.has(id);
  }

  /** What can be on its lock, as that has said; where we decide, what can open it, which no lock needs to say. */
  limits(id: DeviceId): MemoryLimits | undefined {
    return this.#doors.get(id) ?? this.abilities(id)?.memory;
  }

  learn(id: DeviceId, abilities: Abilities): void {
    this.#setAbilities.run(writeAbilities(abilities), id);
    this.#known.delete(id);
    this.#hasChanged(id);
  }

  note(id: DeviceId, { online, locked, doorOpen, battery }: DeviceNews): void {
    this.#setNews.run({
      id,
      online: toFlag(online),
      locked: toFlag(locked),
      doorOpen: toFlag(doorOpen),
      battery: battery ?? null,
    });
    this.#hasChanged(id);
  }

  breaker(id: DeviceId): OpenBreaker | undefined {
    const row = this.#news.get(id);
    return row && openBreaker(row);
  }

  /** Undefined: it is closed. */
  setBreaker(id: DeviceId, breaker: OpenBreaker | undefined): void {
    this.#setBreaker.run(breaker?.since ?? null, breaker?.tries ?? null, breaker?.next ?? null, id);
    this.#hasChanged(id);
  }

  audit(id: DeviceId): Audit {
    const row = this.#get.get(id);
    return row ? auditOf(row) : noAudit;
  }

  setAudit(id: DeviceId, { day, reads, last }: Audit): void {
    this.#setAudit.run(day, reads, last ?? null, id);
    this.#changed.add(id);
  }

  auditReads(id: DeviceId): number | undefined {
    return this.#configured.get(id)?.auditReads;
  }

  #hasChanged(id: DeviceId): void {
    this.#changed.add(id);
    this.#glanced = undefined;
  }

  #fromRow(id: DeviceId, row: Row): Omit<DeviceRecord, keyof ConfiguredDevice | "limits"> {
    return {
      addedAt: instant(row.added_at),
      abilities: this.abilities(id),
      online: row.online === 1,
      locked: fromFlag(row.locked),
      doorOpen: fromFlag(row.door_open),
      battery: row.battery ?? undefined,
      breaker: openBreaker(row),
      audit: auditOf(row),
    };
  }
}

const auditOf = ({ audit_day: day, audit_reads: reads, audit_at: at }: Row): Audit => ({
  day: day ?? 0,
  reads: reads ?? 0,
  last: at === null ? undefined : instant(at),
});

const openBreaker = ({
  breaker_since: since,
  breaker_tries: tries,
  breaker_next: next,
}: Pick<Row, "breaker_since" | "breaker_tries" | "breaker_next">): OpenBreaker | undefined =>
  since === null || tries === null || next === null
    ? undefined
    : { state: "open", since: instant(since), tries, next: instant(next) };

/** JSON has no maps: the kinds go as a list of pairs. */
const writeAbilities = ({ memory, ...rest }: Abilities): string =>
  JSON.stringify({ ...rest, ...(memory ? { memory: { ...memory, kinds: [...memory.kinds] } } : {}) });

type Written = Omit<Abilities, "memory"> & {
  readonly memory?: Omit<MemoryLimits, "kinds"> & { readonly kinds: readonly [CredentialKind, KindLimits][] };
};

function readAbilities(text: string): Abilities {
  const { memory, ...rest }: Written = JSON.parse(text);
  return { ...rest, ...(memory ? { memory: { ...memory, kinds: new Map(memory.kinds) } } : {}) };
}

const toFlag = (value: boolean | undefined): number | null => (value === undefined ? null : Number(value));
const fromFlag = (value: number | null): boolean | undefined => (value === null ? undefined : value === 1);
