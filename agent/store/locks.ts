import type { Database, Statement } from "better-sqlite3";
import { type DeviceId, deviceId, type LockId, lockId } from "../domain/ids.ts";
import type { ConfiguredDevice, Place } from "./devices.ts";

type Row = {
  device_id: string;
  lock: string | null;
  link: string | null;
  address: string | null;
  before: string | null;
  unread: number;
};

/** Which lock is at which device, by the locks' own word, and where that was. */
export class Locks {
  readonly #places: ReadonlyMap<DeviceId, Place | undefined>;
  readonly #get: Statement<[string], Row>;
  readonly #all: Statement<[], Row>;
  readonly #holding: Statement<[string], { device_id: string }>;
  readonly #put: Statement;
  /** Which lock has said in this process that it is there: those of the others may be gone from where they were. */
  readonly #met = new Map<DeviceId, LockId>();
  readonly #vacate: Statement<[string]>;
  readonly #read: Statement<[string]>;
  /** Rows as they were read since one was last written: they are asked for with every command, and at every turn of a lock. */
  readonly #known = new Map<DeviceId, Row>();
  /** See {@link adrift}: it is asked for after each commit. */
  #adrift: readonly DeviceId[] | undefined;

  constructor(db: Database, configured: readonly ConfiguredDevice[]) {
    this.#places = new Map(configured.map(({ id, place }) => [id, place]));
    const select = "SELECT device_id, lock, link, address, before, unread FROM devices";
    this.#get = db.prepare(`${select} WHERE device_id = ?`);
    this.#all = db.prepare(select);
    this.#holding = db.prepare("SELECT device_id FROM devices WHERE lock = ?");
    this.#put = db.prepare(
      `UPDATE devices SET lock = @lock, link = @link, address = @address, before = ifnull(@before, before),
       unread = max(unread, @before IS NOT NULL) WHERE device_id = @id`,
    );
    this.#vacate = db.prepare("UPDATE devices SET lock = NULL WHERE device_id = ?");
    this.#read = db.prepare("UPDATE devices SET unread = 0 WHERE device_id = ?");
  }

  /** The rows may be others than they were. */
  reread(): void {
    this.#known.clear();
    this.#adrift = undefined;
  }

  /** It has said that it is there. `before`: the lock whose place it took. */
  put(id: DeviceId, lock: LockId, before: LockId | undefined): void {
    const { link = null, address = null } = this.#places.get(id) ?? {};
    this.#put.run({ id, lock, link, address, before: before ?? null });
    this.reread();
  }

  /** It says that it is there. */
  meet(id: DeviceId, lock: LockId): void {
    for (const [other, met] of this.#met) if (met === lock) this.#met.delete(other);
    this.#met.set(id, lock);
  }

  /** Whether it has said in this process where it is, and nothing else was met there since. */
  isMet(lock: LockId): boolean {
    return [...this.#met.values()].includes(lock);
  }

  /** The lock that is there; undefined where it never said so, or was met elsewhere since. */
  at(id: DeviceId): LockId | undefined {
    return maybeLock(this.#row(id)?.lock);
  }

  /** The lock whose place the one that is there took. */
  before(id: DeviceId): LockId | undefined {
    return maybeLock(this.#row(id)?.before);
  }

  /** Where a lock is: also devices that are configured no longer. */
  holding(lock: LockId): readonly DeviceId[] {
    return this.#holding.all(lock).map(({ device_id: id }) => deviceId(id));
  }

  /** Its lock was met elsewhere. */
  vacate(id: DeviceId): void {
    this.#vacate.run(id);
    this.reread();
  }

  /** Whether its lock took another's place, and was not read as a whole since. */
  isUnread(id: DeviceId): boolean {
    return this.#row(id)?.unread === 1;
  }

  read(id: DeviceId): void {
    this.#read.run(id);
    this.reread();
  }

  /** Where the lock was when it last said who it is. */
  placeOf(id: DeviceId): Place | undefined {
    const row = this.#row(id);
    return row && placeIn(row);
  }

  /** Whether the configuration says where its lock is. */
  hasPlace(id: DeviceId): boolean {
    return this.#places.get(id) !== undefined;
  }

  /** Whether the configuration has it elsewhere than it was, and the lock there has not said yet who it is. */
  isMoved(id: DeviceId): boolean {
    const row = this.#row(id);
    return row !== undefined && this.#isElsewhere(row);
  }

  /** Those that nobody looks after: not in the configuration, there without a lock, or moved. */
  adrift(): readonly DeviceId[] {
    const isAdrift = (row: Row): boolean => !this.hasPlace(deviceId(row.device_id)) || this.#isElsewhere(row);
    this.#adrift ??= this.#all.all().flatMap((row) => (isAdrift(row) ? [deviceId(row.device_id)] : []));
    return this.#adrift;
  }

  #row(id: DeviceId): Row | undefined {
    const known = this.#known.get(id);
    if (known) return known;
    const row = this.#get.get(id);
    if (row) this.#known.set(id, row);
    return row;
  }

  #isElsewhere(row: Row): boolean {
    const was = placeIn(row);
    const is = this.#places.get(deviceId(row.device_id));
    return was !== undefined && is !== undefined && (was.link !== is.link || was.address !== is.address);
  }
}

const maybeLock = (lock: string | null | undefined): LockId | undefined => (lock == null ? undefined : lockId(lock));

const placeIn = ({ link, address }: Row): Place | undefined =>
  link === null || address === null ? undefined : { link, address };
