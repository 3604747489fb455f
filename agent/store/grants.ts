import type { Database, Statement } from "better-sqlite3";
import type { GrantRecord, Pair } from "../commands/records.ts";
import { type DeviceId, deviceId, type UserIdentityId, userIdentityId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";

type Row = { row: number; user_identity_id: string; device_id: string; access_grant_id: string | null };

/** Who may use what, and the people that this names. */
export class Grants {
  readonly #name: Statement;
  readonly #insert: Statement;
  readonly #close: Statement;
  readonly #all: Statement<[], Row>;
  readonly #ofIdentity: Statement<[string], Row>;
  readonly #ofDevice: Statement<[string], Row>;
  readonly #ofPair: Statement<[string, string], Row>;

  constructor(db: Database) {
    const select = "SELECT row, user_identity_id, device_id, access_grant_id FROM grants WHERE valid_to IS NULL";
    this.#name = db.prepare(
      "INSERT INTO user_identities (user_identity_id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
    );
    this.#insert = db.prepare(
      "INSERT INTO grants (user_identity_id, device_id, valid_from) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#close = db.prepare(
      "UPDATE grants SET valid_to = ? WHERE user_identity_id = ? AND device_id = ? AND access_grant_id IS NULL AND valid_to IS NULL",
    );
    this.#all = db.prepare(select);
    this.#ofIdentity = db.prepare(`${select} AND user_identity_id = ?`);
    this.#ofDevice = db.prepare(`${select} AND device_id = ?`);
    this.#ofPair = db.prepare(`${select} AND user_identity_id = ? AND device_id = ?`);
  }

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

  of({ identity, device }: Pair): readonly GrantRecord[] {
    return this.#rows(identity, device).map((row) => ({
      identity: userIdentityId(row.user_identity_id),
      device: deviceId(row.device_id),
      accessGrantId: row.access_grant_id,
    }));
  }

  /** The order of the oldest grant of a pair among all grants; undefined where there is none. */
  rank(identity: UserIdentityId, device: DeviceId): number | undefined {
    const rows = this.#ofPair.all(identity, device).map(({ row }) => row);
    return rows.length === 0 ? undefined : Math.min(...rows);
  }

  #rows(identity: UserIdentityId | undefined, device: DeviceId | undefined): Row[] {
    if (identity === undefined) return device === undefined ? this.#all.all() : this.#ofDevice.all(device);
    return device === undefined ? this.#ofIdentity.all(identity) : this.#ofPair.all(identity, device);
  }
}
