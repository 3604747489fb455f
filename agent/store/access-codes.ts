import type { Database, Statement } from "better-sqlite3";
import { codeFields } from "../commands/access-code-events.ts";
import type { AccessCodeRecord } from "../commands/records.ts";
import { type AccessCodeId, accessCodeId, codeOfIdentity, identityOfCode } from "../domain/access-code.ts";
import { type DeviceId, deviceId, type UserIdentityId, userIdentityId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { columns, fromRow, type Row } from "./access-grants.ts";
import type { Journal } from "./journal.ts";

/** Access codes that were made by themselves: each is the access grant of nobody. One is there until nothing of it is on a lock. */
export class AccessCodes {
  readonly #journal: Journal;
  readonly #get: Statement<[string], Row & { closed: number; device_id: string }>;
  readonly #identities: Statement<[], { user_identity_id: string }>;
  readonly #close: Statement<[number, string]>;

  constructor(db: Database, journal: Journal) {
    this.#journal = journal;
    const isLeaving = `EXISTS (SELECT 1 FROM placements INDEXED BY placements_of_identity
      WHERE valid_to IS NULL AND placements.user_identity_id = a.user_identity_id)`;
    this.#get = db.prepare(
      `SELECT ${columns}, valid_to IS NOT NULL AS closed,
         (SELECT device_id FROM grants WHERE grants.access_grant_id = a.access_grant_id ORDER BY row DESC LIMIT 1) AS device_id
       FROM access_grants AS a WHERE access_grant_id = ? AND row = (
         SELECT max(row) FROM access_grants AS newest WHERE newest.access_grant_id = a.access_grant_id
       ) AND (valid_to IS NULL OR ${isLeaving})`,
    );
    const isCode = "valid_to IS NULL AND user_identity_id >= 'access_code:' AND user_identity_id < 'access_code;'";
    this.#identities = db.prepare(
      `SELECT user_identity_id FROM access_grants WHERE ${isCode}
       UNION SELECT user_identity_id FROM placements INDEXED BY placements_of_identity WHERE ${isCode}`,
    );
    this.#close = db.prepare("UPDATE access_grants SET valid_to = ? WHERE access_grant_id = ? AND valid_to IS NULL");
  }

  get(id: AccessCodeId): AccessCodeRecord | undefined {
    const row = this.#get.get(id);
    if (!row || row.user_identity_id !== identityOfCode(accessCodeId(row.access_grant_id))) return undefined;
    return { id, grant: fromRow(row), device: deviceId(row.device_id), isDeleted: row.closed === 1 };
  }

  all(): readonly AccessCodeRecord[] {
    return this.#identities.all().flatMap(({ user_identity_id: identity }) => {
      const id = codeOfIdentity(userIdentityId(identity));
      return (id === undefined ? undefined : this.get(id)) ?? [];
    });
  }

  /** Its last grant has ended, and nothing of it is on a lock: where it is an access code, that is no more. */
  ended(identity: UserIdentityId, device: DeviceId, now: Instant): void {
    const id = codeOfIdentity(identity);
    if (id === undefined) return;
    this.#close.run(now, id);
    this.#journal.event("access_code.deleted", codeFields(id, identity, device), now);
  }
}
