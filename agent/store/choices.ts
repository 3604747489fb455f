import type { Database, Statement } from "better-sqlite3";
import { type DeviceId, type UserIdentityId, userIdentityId } from "../domain/ids.ts";
import { limited } from "./limit.ts";

/** Pairs for which it is to be chosen (again) which credentials belong on the device: the work of a round costs what changed. */
export class Choices {
  readonly #add: Statement<[string, string]>;
  readonly #all: Statement<[string, number], { user_identity_id: string }>;
  readonly #find: Statement<[string, string], { device_id: string }>;
  readonly #done: Statement<[string, string]>;
  readonly #ofDevice: Statement<[string]>;
  readonly #ofIdentity: Statement<[string]>;
  readonly #unmet: Statement;
  readonly #unmetOn: Statement<[string]>;

  constructor(db: Database) {
    this.#add = db.prepare("INSERT INTO choices (device_id, user_identity_id) VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#all = db.prepare(`SELECT user_identity_id FROM choices WHERE device_id = ? ${limited}`);
    this.#find = db.prepare("SELECT device_id FROM choices WHERE device_id = ? AND user_identity_id = ?");
    this.#done = db.prepare("DELETE FROM choices WHERE device_id = ? AND user_identity_id = ?");
    const granted =
      "INSERT OR IGNORE INTO choices (device_id, user_identity_id) SELECT device_id, user_identity_id FROM grants";
    this.#ofDevice = db.prepare(`${granted} WHERE device_id = ? AND valid_to IS NULL AND in_force = 1`);
    this.#ofIdentity = db.prepare(`${granted} WHERE user_identity_id = ? AND valid_to IS NULL AND in_force = 1`);
    const unmet = `${granted} AS g WHERE valid_to IS NULL AND in_force = 1 AND NOT EXISTS (SELECT 1 FROM placements AS p
       WHERE p.valid_to IS NULL AND p.user_identity_id = g.user_identity_id AND p.device_id = g.device_id AND p.wanted = 1)`;
    this.#unmet = db.prepare(unmet);
    this.#unmetOn = db.prepare(`${unmet} AND device_id = ?`);
  }

  due(device: DeviceId, identity: UserIdentityId): void {
    this.#add.run(device, identity);
  }

  /** The limits of a device have changed. */
  dueOnDevice(device: DeviceId): void {
    this.#ofDevice.run(device);
  }

  /** The credentials of a person have changed. */
  dueOfIdentity(identity: UserIdentityId): void {
    this.#ofIdentity.run(identity);
  }

  /** Every grant that has nothing to open with: of a device, or of all, which takes a look at all that there is. */
  dueWhereUnmet(device?: DeviceId): void {
    if (device === undefined) this.#unmet.run();
    else this.#unmetOn.run(device);
  }

  /** At most `limit` of them. */
  of(device: DeviceId, limit: number): readonly UserIdentityId[] {
    return this.#all.all(device, limit).map((row) => userIdentityId(row.user_identity_id));
  }

  isDue(identity: UserIdentityId, device: DeviceId): boolean {
    return this.#find.get(device, identity) !== undefined;
  }

  done(device: DeviceId, identity: UserIdentityId): void {
    this.#done.run(device, identity);
  }
}
