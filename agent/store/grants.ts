import type { Database, Statement } from "better-sqlite3";
import type { GrantRecord, Pair } from "../commands/records.ts";
import type { Force } from "../domain/force.ts";
import {
  type AccessGrantId,
  accessGrantId,
  type DeviceId,
  deviceId,
  type UserIdentityId,
  userIdentityId,
} from "../domain/ids.ts";
import { type Instant, instant } from "../domain/instant.ts";
import { limited } from "./limit.ts";

const columns = "row, user_identity_id, device_id, access_grant_id, in_force, dormant, opens_at, zone, paused";
type Row = {
  row: number;
  user_identity_id: string;
  device_id: string;
  access_grant_id: string | null;
  in_force: number;
  dormant: number;
  opens_at: number | null;
  zone: string | null;
  paused: string | null;
};

/** A grant as it stands on one device. */
export interface Standing extends GrantRecord {
  readonly row: number;
  /** By which its window was looked at last. */
  readonly zone: string | undefined;
  /** While it is not in force: the evidence that no code of the person is on the lock, once that was told. */
  readonly paused: string | undefined;
}

/** Who may use what, whether they may now, and the people that this names. */
export class Grants {
  readonly #name: Statement;
  readonly #insert: Statement;
  readonly #insertFor: Statement;
  readonly #close: Statement;
  readonly #closeRow: Statement<[number, number]>;
  readonly #force: Statement;
  readonly #pause: Statement<[string | null, string, string]>;
  readonly #all: Statement<[], Row>;
  readonly #ofIdentity: Statement<[string], Row>;
  readonly #ofDevice: Statement<[string], Row>;
  readonly #ofPair: Statement<[string, string], Row>;
  readonly #at: Statement<[string, string, number, number], { access_grant_id: string | null }>;
  readonly #ofAccessGrant: Statement<[string], Row>;
  readonly #devicesOf: Statement<[string], { device_id: string }>;
  readonly #changing: Statement<[number, number], Row>;
  readonly #ending: Statement<[number], { device_id: string; ending: number; everyone: number }>;
  readonly #putOff: Statement<[number, number]>;
  readonly #next: Statement<[], { at: number | null }>;
  readonly #outdate: Statement<[string, string]>;
  readonly #openings: Statement<[string], { sum: number | null }>;

  constructor(db: Database) {
    const select = `SELECT ${columns} FROM grants WHERE valid_to IS NULL`;
    this.#name = db.prepare(
      `INSERT INTO user_identities (user_identity_id, created_at) VALUES (?, ?)
       ON CONFLICT (user_identity_id) DO UPDATE SET created_at = excluded.created_at, deleted_at = NULL
       WHERE deleted_at IS NOT NULL`,
    );
    this.#insert = db.prepare(
      "INSERT INTO grants (user_identity_id, device_id, valid_from) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#insertFor = db.prepare(
      "INSERT INTO grants (user_identity_id, device_id, access_grant_id, in_force, valid_from) VALUES (?, ?, ?, 0, ?)",
    );
    this.#close = db.prepare(
      "UPDATE grants SET valid_to = ? WHERE user_identity_id = ? AND device_id = ? AND access_grant_id IS NULL AND valid_to IS NULL",
    );
    this.#closeRow = db.prepare("UPDATE grants SET valid_to = ? WHERE row = ?");
    this.#force = db.prepare(
      `UPDATE grants SET in_force = @inForce, dormant = @dormant, changes_at = @changesAt, opens_at = @opensAt, zone = @zone,
       openings = @openings, paused = CASE WHEN @inForce THEN NULL ELSE paused END WHERE row = @row`,
    );
    this.#pause = db.prepare(
      "UPDATE grants SET paused = ? WHERE user_identity_id = ? AND device_id = ? AND valid_to IS NULL",
    );
    this.#all = db.prepare(select);
    this.#ofIdentity = db.prepare(`${select} AND user_identity_id = ?`);
    this.#ofDevice = db.prepare(`${select} AND device_id = ?`);
    this.#ofPair = db.prepare(`${select} AND user_identity_id = ? AND device_id = ?`);
    this.#at = db.prepare(
      `SELECT access_grant_id FROM grants WHERE user_identity_id = ? AND device_id = ?
       AND valid_from <= ? AND ifnull(valid_to, 9e15) > ?`,
    );
    this.#ofAccessGrant = db.prepare(`${select} AND access_grant_id = ?`);
    this.#devicesOf = db.prepare(
      "SELECT device_id FROM grants WHERE access_grant_id = ? GROUP BY device_id ORDER BY min(row)",
    );
    this.#changing = db.prepare(`${select} AND changes_at <= ? ORDER BY changes_at ${limited}`);
    this.#ending = db.prepare(
      `SELECT device_id, count(*) AS ending, (SELECT count(*) FROM grants AS every WHERE every.valid_to IS NULL
       AND every.device_id = grants.device_id AND every.in_force = 1) AS everyone
       FROM grants WHERE valid_to IS NULL AND in_force = 1 AND changes_at <= ? GROUP BY device_id`,
    );
    this.#putOff = db.prepare("UPDATE grants SET changes_at = ? WHERE row = ?");
    this.#next = db.prepare(
      "SELECT min(changes_at) AS at FROM grants WHERE valid_to IS NULL AND changes_at IS NOT NULL",
    );
    this.#outdate = db.prepare(
      "UPDATE grants SET changes_at = 0 WHERE valid_to IS NULL AND device_id = ? AND zone IS NOT NULL AND zone <> ?",
    );
    this.#openings = db.prepare("SELECT sum(openings) AS sum FROM grants WHERE valid_to IS NULL AND device_id = ?");
  }

  /** Who is named, exists; also who was deleted before. */
  nameIdentity(identity: UserIdentityId, now: Instant): void {
    this.#name.run(identity, now);
  }

  addDirect(identity: UserIdentityId, device: DeviceId, now: Instant): boolean {
    this.nameIdentity(identity, now);
    return this.#insert.run(identity, device, now).changes > 0;
  }

  closeDirect(identity: UserIdentityId, device: DeviceId, now: Instant): boolean {
    return this.#close.run(now, identity, device).changes > 0;
  }

  /** Not in force before it is looked at. Returns its row. */
  addFor(of: AccessGrantId, identity: UserIdentityId, device: DeviceId, now: Instant): number {
    return Number(this.#insertFor.run(identity, device, of, now).lastInsertRowid);
  }

  close(row: number, now: Instant): void {
    this.#closeRow.run(now, row);
  }

  of({ identity, device }: Pair): readonly Standing[] {
    return this.#rows(identity, device).map(fromRow);
  }

  ofAccessGrant(id: AccessGrantId): readonly Standing[] {
    return this.#ofAccessGrant.all(id).map(fromRow);
  }

  /** All devices that an access grant is for, also where it has ended. */
  devicesOf(id: AccessGrantId): readonly DeviceId[] {
    return this.#devicesOf.all(id).map((row) => deviceId(row.device_id));
  }

  /** The order of the oldest grant in force of a pair among all grants; undefined where none is in force. */
  rank(identity: UserIdentityId, device: DeviceId): number | undefined {
    const rows = this.#ofPair.all(identity, device).flatMap(({ row, in_force: inForce }) => (inForce ? [row] : []));
    return rows.length === 0 ? undefined : Math.min(...rows);
  }

  /** The access grants of a pair as they stood at a time; undefined stands for the direct grant. */
  at(identity: UserIdentityId, device: DeviceId, at: Instant): readonly (AccessGrantId | undefined)[] {
    const rows = this.#at.all(identity, device, at, at);
    return rows.map(({ access_grant_id: id }) => (id === null ? undefined : accessGrantId(id)));
  }

  wasGranted(identity: UserIdentityId, device: DeviceId): boolean {
    return this.#at.get(identity, device, 9e15, 0) !== undefined;
  }

  /** Whether a pair has a grant that has not ended, in force or not. */
  stands(identity: UserIdentityId, device: DeviceId): boolean {
    return this.#ofPair.get(identity, device) !== undefined;
  }

  setForce(row: number, { inForce, dormant, changesAt, opensAt, openings }: Force, zone: string): void {
    this.#force.run({
      row,
      inForce: inForce ? 1 : 0,
      dormant: dormant ? 1 : 0,
      changesAt: changesAt ?? null,
      opensAt: opensAt ?? null,
      zone,
      openings,
    });
  }

  /** It was told that nothing of a person is on the lock, between windows. */
  pause(identity: UserIdentityId, device: DeviceId, evidence: string): void {
    this.#pause.run(evidence, identity, device);
  }

  /** Those whose time has come to be looked at, at most `limit` of them. A look-up, however many there are. */
  changing(now: Instant, limit: number): readonly Standing[] {
    return this.#changing.all(now, limit).map(fromRow);
  }

  /** Of those whose time has come: how many are in force, by device, and how many are in force there in all. */
  ending(now: Instant): readonly { device: DeviceId; ending: number; all: number }[] {
    return this.#ending
      .all(now)
      .map(({ device_id: id, ending, everyone }) => ({ device: deviceId(id), ending, all: everyone }));
  }

  /** It is looked at later. */
  putOff(row: number, until: Instant): void {
    this.#putOff.run(until, row);
  }

  nextChange(): Instant | undefined {
    const at = this.#next.get()?.at;
    return at == null ? undefined : instant(at);
  }

  /** Those of a device by another zone, or by any, are to be looked at anew: by it, or as its lock can do something else. */
  outdate(device: DeviceId, zone: string): void {
    this.#outdate.run(device, zone);
  }

  /** How many windows open on a device on an average day. */
  openings(device: DeviceId): number {
    return this.#openings.get(device)?.sum ?? 0;
  }

  #rows(identity: UserIdentityId | undefined, device: DeviceId | undefined): Row[] {
    if (identity === undefined) return device === undefined ? this.#all.all() : this.#ofDevice.all(device);
    return device === undefined ? this.#ofIdentity.all(identity) : this.#ofPair.all(identity, device);
  }
}

const fromRow = (row: Row): Standing => ({
  row: row.row,
  identity: userIdentityId(row.user_identity_id),
  device: deviceId(row.device_id),
  accessGrantId: row.access_grant_id === null ? undefined : accessGrantId(row.access_grant_id),
  inForce: row.in_force === 1,
  dormant: row.dormant === 1,
  opensAt: row.opens_at === null ? undefined : instant(row.opens_at),
  zone: row.zone ?? undefined,
  paused: row.paused ?? undefined,
});
